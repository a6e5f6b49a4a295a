//! The command `audit` from outside: what is chosen, what is suppressed, what it exits with, what it writes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::sandbox;
use crate::support::story::{Ran, Story};

fn report(story: &Story, arguments: &[&str]) -> Value {
    let ran = story.elbws(&[&["audit", "--format", "json"], arguments].concat()).exits(0);
    serde_json::from_str(&ran.stdout).expect("the report is JSON")
}

fn names(report: &Value) -> Vec<&str> {
    report["balancers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

fn rules_found(report: &Value) -> BTreeSet<&str> {
    let findings = report["balancers"].as_array().unwrap().iter().flat_map(|one| one["findings"].as_array().unwrap());
    findings.map(|finding| finding["rule"].as_str().unwrap()).collect()
}

/// The seed story and two more balancers.
fn three() -> Story {
    let more = "\n[[balancers]]\nname = \"chat-old\"\nlisteners = [\"TCP:80/TCP:80\"]\ntags = { team = \"chat\", stage = \"a=b\" }\n\
                [[balancers]]\nname = \"web\"\nlisteners = [\"HTTP:80/HTTP:80\"]\n";
    Story::with(&(include_str!("../../fixtures/chat.toml").to_owned() + more))
}

#[test]
fn the_seed_story_audited() {
    insta::assert_snapshot!(Story::begin().elbws(&["audit"]).snapshot(), @r#"
    chat  eu-west-1  123456789012  chat-1161439206.eu-west-1.elb.amazonaws.com

       error   ELBWS001  listener 443  HTTPS:443/HTTP:80 does not pass the WebSocket upgrade on to the instances  (apply repairs it)
       warning ELBWS011  balancer      connections are closed after 60 s without payload; 300 s are wanted
       warning ELBWS106  listener 443  policy ELBSecurityPolicy-2016-08 allows TLS 1.0 and TLS 1.1
       warning ELBWS205  balancer      connection draining is off: a deployment cuts open connections
       note    ELBWS002  listener 80   HTTP:80/HTTP:80 does not pass the WebSocket upgrade on to the instances  (apply repairs it)
       note    ELBWS404  balancer      the access log is off

    1 balancer in 123456789012 eu-west-1: 1 error, 3 warnings, 2 notes; 0 without a finding.
    `elbws apply` repairs 2 of them; `elbws audit --explain ELBWS001` says more about a rule.
    ---- stderr
    ---- status 0
    "#);
}

#[test]
fn balancers_are_chosen_by_name_glob_and_tag() {
    let story = three();
    for (arguments, expected) in [
        (vec![], vec!["chat", "chat-old", "web"]),
        (vec!["--all"], vec!["chat", "chat-old", "web"]),
        (vec!["--elb", "web", "--elb", "chat"], vec!["chat", "web"]),
        (vec!["--name", "chat*"], vec!["chat", "chat-old"]),
        (vec!["--name", "w?b", "--name", "*-old"], vec!["chat-old", "web"]),
        (vec!["--tag", "team=chat"], vec!["chat", "chat-old"]),
        (vec!["--tag", "team=chat", "--tag", "stage=a=b"], vec!["chat-old"]),
        (vec!["--tag", "team="], vec![]),
        (vec!["--tag", "team=chat", "--name", "chat"], vec!["chat"]),
    ] {
        // Choosing by tag works whether or not a rule looks at tags.
        for rules in [vec![], vec!["--rule", "ELBWS203"]] {
            assert_eq!(names(&report(&story, &[arguments.clone(), rules].concat())), expected, "{arguments:?}");
        }
    }
    // A name in the environment is for commands that change one balancer.
    let ran = story.command(&["audit", "--format", "json"]).env("ELB_NAME", "web").output().unwrap();
    assert_eq!(names(&serde_json::from_slice(&ran.stdout).unwrap()).len(), 3);
}

#[test]
fn rules_are_chosen_by_identifier_and_family() {
    let story = three();
    assert_eq!(rules_found(&report(&story, &["--rule", "elbws001", "--rule", "ELBWS404"])), ["ELBWS001", "ELBWS404"].into());
    let tls = report(&story, &["--rule", "tls"]);
    assert!(rules_found(&tls).iter().all(|rule| rule.starts_with("ELBWS1")), "{tls}");
    assert_eq!(tls["rules"].as_array().unwrap().len(), 8);
    let rest = report(&story, &["--skip-rule", "websocket", "--skip-rule", "TLS", "--skip-rule", "ELBWS404"]);
    assert!(rules_found(&rest).iter().all(|rule| *rule > "ELBWS2" && *rule != "ELBWS404"), "{rest}");
    story.elbws(&["audit", "--rule", "tls", "--skip-rule", "tls"]).exits(64).says("no rule is left");
    story.elbws(&["audit", "--rule", "ELBWS999"]).exits(64).says("there is no such rule");
}

#[test]
fn it_exits_with_2_where_asked_to() {
    let story = Story::begin();
    for (arguments, status) in [
        (vec![], 0),
        (vec!["--fail-on", "error"], 2),
        (vec!["--fail-on", "error", "--skip-rule", "ELBWS001"], 0),
        (vec!["--fail-on", "warning", "--skip-rule", "ELBWS001"], 2),
        (vec!["--fail-on", "warning", "--rule", "ELBWS002"], 0),
        (vec!["--fail-on", "note", "--rule", "ELBWS002"], 2),
        (vec!["--fail-on", "note", "--rule", "ELBWS011", "--min-idle-timeout", "60"], 0),
    ] {
        story.elbws(&[vec!["audit"], arguments].concat()).exits(status);
    }
}

#[test]
fn suppressed_findings_do_not_count_until_they_do_again() {
    let story = Story::begin();
    let audit = |config: &str| -> Ran {
        std::fs::write(story.file("elbws.toml"), config).unwrap();
        story.elbws(&["audit", "--config", "elbws.toml", "--fail-on", "error", "--format", "json"])
    };
    let ignore = |rest: &str| format!("[[audit.ignore]]\nrule = \"ELBWS001\"\nreason = \"moves in May\"\n{rest}");
    let finding = |ran: &Ran| -> Value {
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        report["balancers"][0]["findings"].as_array().unwrap().iter().find(|one| one["rule"] == "ELBWS001").unwrap().clone()
    };
    let ran = audit(&ignore("")).exits(0);
    assert_eq!(finding(&ran)["suppressed"], serde_json::json!({ "reason": "moves in May" }));
    assert_eq!(ran.stderr, "");
    let ran = audit(&ignore("balancer = \"ch*\"\nuntil = \"2999-12-31\"\n")).exits(0);
    assert_eq!(finding(&ran)["suppressed"]["until"], "2999-12-31");
    let ran = audit(&ignore("balancer = \"web\"\nuntil = \"2020-01-01\"\n")).exits(2);
    assert_eq!(ran.stderr, "", "it is not about this balancer");
    let ran = audit(&ignore("until = \"2020-01-01\"\n"))
        .exits(2)
        .says("warning: the suppression of ELBWS001 for `*` ended on 2020-01-01");
    assert!(finding(&ran).get("suppressed").is_none());
    // A second one that still holds is enough.
    let both = ignore("until = \"2020-01-01\"\n") + "\n" + &ignore("");
    assert_eq!(audit(&both).exits(0).stderr, "");

    let text = story.elbws(&["audit", "--config", "elbws.toml"]).exits(0).stdout;
    assert!(
        text.contains("suppressed: moves in May") && text.contains("0 errors") && text.contains("(1 suppressed)"),
        "{text}"
    );

    audit("[[audit.ignore]]\nrule = \"ELBWS001\"\nreason = \" \"\n").exits(64).says("needs a reason");
    audit("[[audit.ignore]]\nrule = \"ELBWS1\"\nreason = \"x\"\n").exits(64).says("there is no rule `ELBWS1`");
    audit(&ignore("until = \"soon\"\n")).exits(64).says("audit.ignore 1: `soon` is no date such as 2027-01-31");
    audit(&ignore("balancers = \"x\"\n")).exits(64).says("unknown field `balancers`");
    // The same file serves plan, which does not look at suppressions.
    std::fs::write(story.file("elbws.toml"), ignore("") + "\n[[balancer]]\nname = \"chat\"\n").unwrap();
    story.elbws(&["plan", "--config", "elbws.toml"]).exits(0);
}

#[test]
fn where_there_is_nothing_to_audit_it_says_so() {
    let ran = Story::begin().elbws(&["audit", "--name", "web-*", "--fail-on", "note"]).exits(0);
    assert_eq!(ran.stdout, "No balancers in 123456789012 eu-west-1.\n");
    assert_eq!(ran.stderr, "warning: no balancer matches --name and --tag\n");
}

#[test]
fn the_report_goes_to_a_file_whole() {
    let story = Story::begin();
    for format in ["text", "json", "markdown", "html", "sarif", "junit"] {
        let ran = story.elbws(&["audit", "--format", format, "--out", "report"]).exits(0).says("The report is in report.");
        assert_eq!(ran.stdout, "");
        let written = std::fs::read_to_string(story.file("report")).unwrap();
        assert!(written.contains("ELBWS001") && written.ends_with('\n'), "{format}: {}", &written[..200.min(written.len())]);
    }
    story.elbws(&["audit", "--out", "nowhere/report"]).exits(1).says("cannot write nowhere/report");
    let entries = std::fs::read_dir(story.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(entries.into_iter().all(|name| name == "report" || name.to_string_lossy().starts_with('.')));
}

/// A profile and a role of the same account bring nothing new; another account that cannot be read is said.
#[test]
fn accounts_and_regions_are_audited_once_each() {
    let story = Story::begin();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let config = sandbox::config(&story.sandbox, "us-east-1").await;
        let client = aws_sdk_elasticloadbalancing::Client::new(&config);
        let request = client.create_load_balancer().load_balancer_name("far").availability_zones("us-east-1a");
        request.listeners(sandbox::listener("TCP:80/TCP:80", None)).send().await.unwrap();
    });
    std::fs::create_dir(story.file(".aws")).unwrap();
    let keys = "aws_access_key_id = a\naws_secret_access_key = b\nregion = eu-west-1\n";
    let profiles = format!("[profile one]\n{keys}[profile two]\n{keys}");
    std::fs::write(story.file(".aws/config"), profiles).unwrap();
    let scopes = |report: &Value| report["scopes"].as_array().unwrap().len();

    let found = report(&story, &["--profile", "one", "--profile", "two"]);
    assert_eq!((scopes(&found), names(&found)), (1, vec!["chat"]));
    let found = report(&story, &["--region", "us-east-1", "--region", "eu-west-1", "--region", "us-east-1"]);
    assert_eq!((scopes(&found), names(&found)), (2, vec!["chat", "far"]));
    let found = report(&story, &["--all-regions"]);
    assert_eq!((scopes(&found), names(&found)), (2, vec!["chat", "far"]));
    let ran = story.elbws(&["--region", "us-east-1", "audit", "--format", "json"]).exits(0);
    assert_eq!(names(&serde_json::from_str(&ran.stdout).unwrap()), ["far"]);

    let (ours, theirs) = ("arn:aws:iam::123456789012:role/audit", "arn:aws:iam::210987654321:role/team/audit");
    let found = report(&story, &["--role-arn", ours]);
    assert_eq!((scopes(&found), names(&found)), (1, vec!["chat"]));
    let found = report(&story, &["--role-arn", ours, "--role-arn", theirs]);
    assert_eq!(names(&found), ["chat"]);
    let reason = found["unreadable"][0]["reason"].as_str().unwrap();
    assert!(reason.contains(theirs) && reason.contains("sts:AssumeRole"), "{reason}");
    story.elbws(&["audit", "--role-arn", theirs]).exits(1).says("nothing could be read");
    story.elbws(&["audit", "--role-arn", "audit"]).exits(64).says("give the ARN of a role");
    let ran = story.elbws(&["audit", "--all-regions", "--fix-plan", "plan"]).exits(64);
    assert!(ran.stderr.contains("--fix-plan is for one account and region"), "{}", ran.stderr);
    story.elbws(&["audit", "--profile", "three"]).exits(1).says("there is no AWS profile `three`");
    // Other commands still take one.
    story.elbws(&["show", "--elb", "chat", "--region", "eu-west-1", "--region", "eu-west-1"]).exits(64);
}

#[test]
fn rules_explain_themselves() {
    let story = Story::begin();
    let ran = story.elbws(&["audit", "--explain", "elbws007"]).exits(0);
    assert!(
        ran.stdout.starts_with("ELBWS007  error  PROXY header inside the TLS stream to the instance\n"),
        "{}",
        ran.stdout
    );
    let all = story.elbws(&["audit", "--explain"]).exits(0).stdout;
    assert!(all.contains("ELBWS001") && all.contains("ELBWS404") && all.lines().all(|line| line.len() <= 110), "{all}");
    story.elbws(&["audit", "--explain", "ELBWS000"]).exits(64);
}

/// The README's table of rules is generated: with UPDATE_README=1 this test writes it.
#[test]
fn the_readme_lists_the_rules() {
    const BEGIN: &str = "<!-- rules: generated by tests/it/audit_command.rs -->\n";
    const END: &str = "<!-- end of rules -->\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the README has a place for the rules");
    let (found, after) = rest.split_once(END).expect("the place has an end");
    let table = elbws::output::rule_table();
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert!(found == table, "the README's table of rules is old: run this test with UPDATE_README=1");
    }
}
