//! An audit as JUnit XML: a suite a balancer, a case a rule, so that a CI server shows it among its tests.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report as JunitReport, TestCase, TestCaseStatus, TestSuite};

use crate::audit::{AuditedBalancer, Finding, NotChecked, Report, Rule, Scope, Severity, Unreadable};
use crate::output::page::clean;

/// Writes the report suite by suite: that of a large account is never held whole. A rule fails where a finding counts and is at
/// least as bad as `fail_on` (absent: nothing fails); it is skipped where it could not be checked or all it found is suppressed;
/// what could not be read is an error.
pub fn audit_junit(report: &Report, fail_on: Option<Severity>, out: &mut dyn Write) -> io::Result<()> {
    // Everything is counted first, since the counts are written first.
    let mut frame = JunitReport::new("elbws audit");
    for suite in suites(report, fail_on) {
        frame.tests += suite.tests;
        frame.failures += suite.failures;
        frame.errors += suite.errors;
        frame.skipped += suite.skipped;
    }
    let frame = frame.to_string().map_err(io::Error::other)?;
    let (head, tail) = frame.split_at(frame.rfind(END).unwrap_or(frame.len()));
    out.write_all(head.as_bytes())?;
    for suite in suites(report, fail_on) {
        let mut alone = JunitReport::new("");
        alone.add_test_suite(suite);
        let text = alone.to_string().map_err(io::Error::other)?;
        // What comes from outside is escaped, so the first and the last tag are the document's own.
        let begin = text.find("    <testsuite ").unwrap_or_default();
        out.write_all(&text.as_bytes()[begin..text.rfind(END).unwrap_or(text.len())])?;
    }
    out.write_all(tail.as_bytes())
}

/// How a document ends.
const END: &str = "</testsuites>";

/// The suites, each made when it is asked for: of every balancer, then of what could not be read.
fn suites(report: &Report, fail_on: Option<Severity>) -> impl Iterator<Item = TestSuite> {
    let of_balancers = report.balancers.iter().map(move |balancer| {
        let mut suite = TestSuite::new(suite_name(&balancer.scope, Some(&balancer.name)));
        suite.add_test_cases(report.rules.iter().map(|rule| case(report, balancer, rule, fail_on)));
        suite
    });
    of_balancers.chain(report.unreadable.iter().map(unreadable))
}

fn unreadable(entry: &Unreadable) -> TestSuite {
    let Unreadable { scope, balancer, reason } = entry;
    let name = suite_name(scope, balancer.as_deref());
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("unreadable").set_message(clean(reason));
    let mut case = TestCase::new("can be read", status);
    case.set_classname(name.as_str());
    let mut suite = TestSuite::new(name);
    suite.add_test_case(case);
    suite
}

fn suite_name(scope: &Scope, balancer: Option<&str>) -> String {
    let Scope { account, region } = scope;
    clean(&match balancer {
        Some(balancer) => format!("{account}/{region}/{balancer}"),
        None => format!("{account}/{region}"),
    })
}

fn case(report: &Report, balancer: &AuditedBalancer, rule: &Rule, fail_on: Option<Severity>) -> TestCase {
    let found: Vec<&Finding> = balancer.findings.iter().filter(|finding| finding.rule == rule.id).collect();
    let counting: Vec<&Finding> = found.iter().copied().filter(|finding| finding.suppressed.is_none()).collect();
    let fails = |finding: &&&Finding| fail_on.is_some_and(|threshold| finding.severity >= threshold);
    let not_checked =
        report.not_checked.iter().find(|entry| entry.scope == balancer.scope && entry.rules.contains(&rule.id));
    let status = if let Some(worst) = counting.iter().filter(fails).max_by_key(|finding| finding.severity) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        let lines: Vec<String> = counting.iter().map(|finding| line(finding)).collect();
        let description = format!("{}\n\n{}\n\nWhat to do: {}", lines.join("\n"), rule.why, rule.remedy);
        status.set_type(worst.severity.as_str()).set_message(line(worst)).set_description(description);
        status
    } else if let Some(NotChecked { reason, .. }) = not_checked {
        skipped(&format!("not checked: {reason}"))
    } else if let (true, Some(suppression)) = (counting.is_empty(), found.iter().find_map(|found| found.suppressed.as_ref()))
    {
        skipped(&format!("suppressed: {}", suppression.reason))
    } else {
        TestCaseStatus::success()
    };
    let passes = matches!(status, TestCaseStatus::Success { .. });
    let mut case = TestCase::new(format!("{} {}", rule.id, rule.title), status);
    case.set_classname(suite_name(&balancer.scope, Some(&balancer.name)));
    if passes && !counting.is_empty() {
        case.set_system_out(counting.iter().map(|finding| line(finding)).collect::<Vec<_>>().join("\n"));
    }
    case
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(clean(message));
    status
}

fn line(finding: &Finding) -> String {
    clean(&format!("{}: {}", finding.severity, finding.message))
}
