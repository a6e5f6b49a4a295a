//! Audit reports for programs and for CI: what a small one looks like, what hostile names become, and what bounds them.

use std::collections::BTreeSet;
use std::io::{self, Write};

use elbws::audit::{Place, Report, Severity};
use elbws::output::{audit_json, audit_junit, audit_markdown, audit_sarif};
use quick_junit::{NonSuccessKind, TestCaseStatus};
use serde_json::Value;

use crate::support::reports::{HOSTILE, audited, finding, hostile, many, report, small, suppressed};

/// Where the schema refuses a log, and why.
fn wrong(log: &Value) -> Vec<String> {
    let mut schema: Value = serde_json::from_str(include_str!("../fixtures/sarif-schema-2.1.0.json")).unwrap();
    // The published pattern of a language has a bracket too many, which a strict reader refuses; elbws writes no language.
    for object in ["run", "toolComponent"] {
        schema["definitions"][object]["properties"]["language"]["pattern"] = "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(log).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// What a report looks like that is written as it is made.
fn written(report: &Report, write: impl Fn(&Report, &mut dyn Write) -> io::Result<()>) -> String {
    let mut text = Vec::new();
    write(report, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The log, which the schema accepts.
fn sarif(report: &Report) -> Value {
    let log: Value = serde_json::from_str(&written(report, audit_sarif)).unwrap();
    assert_eq!(wrong(&log), [""; 0]);
    log
}

fn junit_text(report: &Report, fail_on: Option<Severity>) -> String {
    written(report, |report, out| audit_junit(report, fail_on, out))
}

fn junit(report: &Report, fail_on: Option<Severity>) -> quick_junit::Report {
    quick_junit::Report::deserialize_from_str(&junit_text(report, fail_on)).unwrap()
}

/// Text that can do nothing to a terminal or to the direction of what follows it.
#[track_caller]
fn assert_clean(text: &str) {
    let hostile = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(hostile), "{:?}", text.find(hostile).map(|at| &text[at.saturating_sub(40)..]));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(audit_markdown(&small()));
}

#[test]
fn sarif_log() {
    insta::assert_snapshot!(written(&small(), audit_sarif));
}

#[test]
fn junit_document() {
    insta::assert_snapshot!(junit_text(&small(), Some(Severity::Error)));
}

#[test]
fn sarif_is_valid() {
    for report in [small(), hostile(), many(40), report(Vec::new())] {
        sarif(&report);
    }
}

/// The validation would notice: a level that SARIF does not have is refused.
#[test]
fn the_sarif_schema_refuses() {
    let mut log = sarif(&small());
    log["runs"][0]["results"][0]["level"] = "fatal".into();
    let wrong = wrong(&log);
    assert!(wrong.len() == 1 && wrong[0].starts_with("/runs/0/results/0/level: "), "{wrong:?}");
}

fn fingerprints(report: &Report) -> Vec<String> {
    let log = sarif(report);
    let results = log["runs"][0]["results"].as_array().unwrap().clone();
    results
        .iter()
        .map(|result| result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().to_owned())
        .collect()
}

/// A finding keeps its fingerprint while its message counts days, and no two findings share one, not even twins in one place.
#[test]
fn fingerprints_are_stable_and_distinct() {
    let mut report = many(40);
    let twin = report.balancers[0].findings[0].clone();
    report.balancers[0].findings.push(twin);
    let before = fingerprints(&report);
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), before.len());
    for finding in report.balancers.iter_mut().flat_map(|balancer| &mut balancer.findings) {
        finding.message.push_str(", in 12 days");
    }
    report.made_at = "2027-01-01T00:00:00Z".to_owned();
    assert_eq!(fingerprints(&report), before);
    report.balancers[0].scope.region = "eu-west-2".to_owned();
    assert_ne!(fingerprints(&report)[0], before[0]);
}

/// Parts of a name cannot be moved from one field to the next.
#[test]
fn fingerprints_tell_names_with_separators_apart() {
    let one = |place| report(vec![audited("a", &[], vec![finding(0, place, "x")])]);
    let (policy, tag) = (one(Place::Policy("1".to_owned())), one(Place::Tag("1".to_owned())));
    assert_ne!(fingerprints(&policy), fingerprints(&tag));
}

/// GitHub takes a result's path for a file of the repository: it stays below `aws/`.
#[test]
fn sarif_paths_do_not_climb() {
    let mut climbing = report(vec![audited("../../etc/passwd", &[], vec![finding(0, Place::Balancer, "x")])]);
    climbing.balancers[0].scope.region = "..".to_owned();
    let log = sarif(&climbing);
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "aws/123456789012/%2E%2E/elb/%2E%2E%2F%2E%2E%2Fetc%2Fpasswd");
}

#[test]
fn junit_fails_what_counts_at_the_threshold() {
    for (fail_on, failures) in
        [(Some(Severity::Error), 3), (Some(Severity::Warning), 4), (Some(Severity::Note), 5), (None, 0)]
    {
        let document = junit(&small(), fail_on);
        assert_eq!((document.failures, document.errors), (failures, 1), "{fail_on:?}");
        // Three balancers: a rule that needs certificates is checked in none, one finding is suppressed.
        assert_eq!(document.skipped, 4, "{fail_on:?}");
    }
}

/// A rule that fired all the same is a failure, though it could not be checked everywhere; one suppressed finding hides no other.
#[test]
fn junit_prefers_what_was_found() {
    let warning = |port| finding(3, Place::Listener(port), "the certificate expires in 3 days");
    let mut partly = small();
    partly.balancers.truncate(1);
    partly.balancers[0].findings = vec![suppressed(warning(443), "known", None), warning(8443)];
    let document = junit(&partly, Some(Severity::Note));
    let case = document.test_suites[0].test_cases.iter().find(|case| case.name.as_str().starts_with("ELBWS013")).unwrap();
    assert!(matches!(&case.status, TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. }), "{:?}", case.status);
}

#[test]
fn hostile_names_stay_text() {
    let markdown = audit_markdown(&hostile());
    assert_clean(&markdown);
    assert!(!markdown.contains("<script") && !markdown.contains("<img"), "{markdown}");
    for table in markdown.split("\n\n").filter(|block| block.starts_with('|')) {
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut lines = table.lines();
        let heading = lines.next().map(cells);
        assert!(lines.all(|line| Some(cells(line)) == heading), "{table}");
    }

    let document = junit(&hostile(), Some(Severity::Note));
    assert_clean(&junit_text(&hostile(), Some(Severity::Note)));
    assert!(document.test_suites[0].name.as_str().contains("<script>document.title='owned'</script>"));

    let json = written(&hostile(), audit_json);
    assert_clean(&json);
    let read: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(read["balancers"][0]["name"], HOSTILE, "escaped, it means the same");

    let log = sarif(&hostile());
    let message = log["runs"][0]["results"][0]["message"]["text"].as_str().unwrap();
    assert!(message.contains("<script>"), "{message}");
    assert_clean(message);
    assert!(HOSTILE.contains('\u{1b}') && HOSTILE.contains('\u{202e}'));
}

/// GitHub drops a summary of more than 1 MiB whole.
#[test]
fn markdown_is_bounded_and_says_what_it_left_out() {
    let balancers = 20_000;
    let text = audit_markdown(&many(balancers));
    assert!(text.len() < 1 << 20, "{}", text.len());
    assert!(text.len() > 500_000, "{}", text.len());
    let shown = text.matches("\n### lb-").count();
    let (_, rest) = text.split_once("**Left out for want of space: ").unwrap();
    let left_out: usize = rest.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(shown + left_out, balancers / 4 * 3); // a quarter is clean
    assert!(text.contains("What to do:"), "the rules' texts fit");
    assert!(text.contains("more left out for want of space"), "suppressed findings");

    let mut unreadable = small();
    unreadable.unreadable = vec![unreadable.unreadable[0].clone(); 50_000];
    let text = audit_markdown(&unreadable);
    assert!(text.len() < 1 << 20, "{}", text.len());
    assert!(text.contains("\n### chat-broken"), "balancers fit beside them");
}

#[test]
fn an_empty_account_is_reported_too() {
    insta::assert_snapshot!(audit_markdown(&report(Vec::new())), @r"
    ## 0 errors, 0 warnings, 0 notes in 0 of 0 balancers

    2026-11-24T09:30:00Z, elbws 0.1.0, 123456789012 eu-west-1.
    ");
    assert_eq!(junit(&report(Vec::new()), None).tests, 0);
}
