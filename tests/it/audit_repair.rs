//! What the audit says `apply` repairs, held against what `apply` does: over arbitrary balancers, and through the binary.

use std::collections::BTreeSet;

use elbws::audit::{Finding, rules};
use elbws::model::Balancer;
use elbws::plan::plan;
use elbws::spec::Spec;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::balancers::any_balancer;
use crate::support::story::Story;
use crate::support::subjects::{Around, sound};

fn findings(balancer: &Balancer) -> Vec<Finding> {
    let examined = Around { balancer: balancer.clone(), ..sound() }.examine();
    examined.findings
}

fn at(finding: &Finding) -> (&'static str, String) {
    (finding.rule, finding.place.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_global_rejects: 100_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A finding says "apply repairs it" exactly where it is gone after `elbws apply`.
    #[test]
    fn apply_repairs_what_the_audit_says_and_nothing_else(balancer in any_balancer()) {
        let before = findings(&balancer);
        let claimed: BTreeSet<_> = before.iter().filter(|finding| finding.fixed_by_apply).map(at).collect();
        let Ok(plan) = plan(&balancer, &Spec::websocket()) else {
            prop_assert!(claimed.is_empty(), "apply refuses, but is said to repair {claimed:?}");
            return Ok(());
        };
        let after: BTreeSet<_> = findings(&plan.after).iter().map(at).collect();
        let may_repair: BTreeSet<&str> =
            rules::all().filter(|check| check.rule.fixed_by_apply).map(|check| check.rule.id).collect();
        for finding in before.iter().filter(|finding| may_repair.contains(finding.rule)) {
            let is_there = after.contains(&at(finding));
            prop_assert_eq!(finding.fixed_by_apply, !is_there, "{:?}\nplan: {:#?}", finding, plan.changes);
        }
        let again = findings(&plan.after);
        let left: Vec<&Finding> = again.iter().filter(|finding| finding.fixed_by_apply).collect();
        prop_assert!(left.is_empty(), "a second apply would repair more: {left:?}");
    }
}

/// The seed story's surroundings, with other balancers in them.
fn story(balancers: &str) -> Story {
    let seed = include_str!("../../fixtures/chat.toml");
    let around = seed.split("[[balancers]]").next().unwrap();
    Story::with(&format!("{around}\n{balancers}"))
}

const PROXY: &str = "proxy = { type = \"ProxyProtocolPolicyType\", attributes = { ProxyProtocol = \"true\" } }";

/// Rules that `apply` claims to repair, each with a balancer on which it fires and is repaired.
fn repairable() -> Vec<(&'static str, String)> {
    let balancer = |rest: &str| {
        format!("[[balancers]]\nname = \"chat\"\ninstances = [\"i-0c4a7000000000001\"]\nhealth_check = \"TCP:80\"\n{rest}\n")
    };
    let with = |listeners: &str, policies: &str, attached: &str| {
        balancer(&format!(
            "listeners = {listeners}\n[balancers.policies]\n{policies}\n[balancers.backend_policies]\n{attached}"
        ))
    };
    let off = PROXY.replace("\"true\"", "\"false\"");
    vec![
        ("ELBWS001", balancer("listeners = [\"HTTPS:443/HTTP:80\"]")),
        ("ELBWS002", balancer("listeners = [\"HTTPS:443/HTTP:80\", \"HTTP:80/HTTP:80\"]")),
        ("ELBWS003", with("[\"TCP:443/TCP:80\", \"HTTP:80/HTTP:80\"]", PROXY, "80 = [\"proxy\"]")),
        ("ELBWS004", balancer("listeners = [\"SSL:443/TCP:80\", \"TCP:80/TCP:8080\"]")),
        ("ELBWS005", with("[\"SSL:443/TCP:80\"]", PROXY, "")),
        ("ELBWS006", with("[\"SSL:443/TCP:80\"]", &off, "80 = [\"proxy\"]")),
        (
            "ELBWS009",
            with("[\"SSL:443/TCP:80\"]", PROXY, "80 = [\"proxy\"]").replace("\"TCP:80\"\n", "\"HTTP:80/health\"\n"),
        ),
        (
            "ELBWS403",
            with("[\"TCP:80/TCP:80\"]", PROXY, "80 = [\"proxy\"]")
                .replace("instances", "tags = { \"elbws:listener:80\" = \"1+HTTP:80/HTTP:80+-\" }\ninstances"),
        ),
    ]
}

fn audit(story: &Story) -> Vec<Value> {
    let ran = story.elbws(&["audit", "--format", "json"]).exits(0);
    let report: Value = serde_json::from_str(&ran.stdout).expect("the report is JSON");
    assert_eq!(report["not_checked"], Value::Array(vec![]));
    report["balancers"][0]["findings"].as_array().expect("a balancer was audited").clone()
}

#[test]
fn audit_apply_audit_is_clean() {
    let claims: BTreeSet<&str> = rules::all().filter(|check| check.rule.fixed_by_apply).map(|check| check.rule.id).collect();
    let shown: BTreeSet<&str> = repairable().iter().map(|(rule, _)| *rule).collect();
    assert_eq!(claims, shown, "every rule that claims to be repaired is shown to be");
    for (rule, seed) in repairable() {
        let story = story(&seed);
        let fired = audit(&story).into_iter().filter(|finding| finding["rule"] == rule).collect::<Vec<_>>();
        assert!(fired.iter().any(|finding| finding["fixed_by_apply"] == true), "{rule}: {fired:?}");
        story.elbws(&["apply", "--elb", "chat"]).exits(0);
        let left = audit(&story);
        assert!(!left.iter().any(|finding| finding["rule"] == rule), "{rule} is still found: {left:?}");
        assert!(!left.iter().any(|finding| finding["fixed_by_apply"] == true), "{rule}: {left:?}");
    }
}

/// A definition of which a part is missing: `apply` refuses the balancer, and nothing is promised. A part that is left of an older,
/// longer definition only has to go.
#[test]
fn nothing_is_promised_where_the_journal_is_broken() {
    let seed = "[[balancers]]\nname = \"chat\"\nlisteners = [\"TCP:80/TCP:80\"]\nhealth_check = \"HTTP:80/\"\n";
    let with = |key: &str, value: &str| story(&format!("{seed}tags = {{ \"{key}\" = \"{value}\" }}\n"));
    let claimed = |story: &Story| audit(story).iter().filter(|finding| finding["fixed_by_apply"] == true).count();

    let broken = with("elbws:listener:443", "2+SSL:443/TCP:80");
    assert_eq!(claimed(&broken), 0);
    broken.elbws(&["apply", "--elb", "chat"]).exits(1).says("`elbws:listener:443:2` is missing");

    let rest = with("elbws:listener:443:2", "+-");
    assert_eq!(claimed(&rest), 2, "the header and the tag");
    rest.elbws(&["apply", "--elb", "chat"]).exits(0);
    assert_eq!(claimed(&rest), 0);
    assert!(!audit(&rest).iter().any(|finding| finding["rule"] == "ELBWS403"));
}

#[test]
fn a_saved_fix_plan_repairs_all_balancers_at_once() {
    let seeds: Vec<String> = (repairable().into_iter().enumerate())
        .map(|(number, (_, seed))| seed.replace("name = \"chat\"", &format!("name = \"chat-{number}\"")))
        .collect();
    let story = story(&seeds.join("\n"));
    let plan = story.file("fix.plan");
    let plan = plan.to_str().unwrap();
    let ran = story.elbws(&["audit", "--fix-plan", plan, "--rule", "websocket", "--rule", "ELBWS403"]).exits(0);
    assert!(ran.stderr.contains("The plan for 8 balancers"), "{}", ran.stderr);
    story.elbws(&["apply", plan]).exits(0);
    let ran = story.elbws(&["audit", "--format", "json"]).exits(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let all = report["balancers"].as_array().unwrap();
    assert_eq!(all.len(), 8);
    let left = all.iter().flat_map(|one| one["findings"].as_array().unwrap());
    let left: Vec<&Value> = left.filter(|finding| finding["fixed_by_apply"] == true).collect();
    assert!(left.is_empty(), "{left:?}");

    let ran = story.elbws(&["audit", "--fix-plan", plan, "--quiet"]).exits(0);
    assert_eq!(ran.stderr, "");
    let saved: Value = serde_json::from_str(&std::fs::read_to_string(plan).unwrap()).unwrap();
    assert_eq!((&saved["no_op"], &saved["plans"]), (&Value::Bool(true), &Value::Array(vec![])));
    story.elbws(&["apply", plan]).exits(0);
}
