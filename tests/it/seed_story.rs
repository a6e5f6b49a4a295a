//! The seed story: a balancer that terminates HTTPS becomes one that carries WebSockets, and a second run changes nothing.

use crate::support::moto::Moto;
use crate::support::story::Story;
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn plan_shows_what_apply_would_do_and_changes_nothing() {
    let story = Story::begin();
    let before = story.state();
    insta::assert_snapshot!(story.elbws(&["plan", "--elb", "chat", "--detailed-exitcode"]).exits(2).snapshot());
    assert_eq!(story.elbws(&["plan", "--elb", "chat"]).status, 0);
    assert_eq!(story.state(), before);
    assert_eq!(story.counts().mutating, 0);
}

#[test]
fn apply_converges_in_seven_calls_and_a_second_one_makes_none() {
    let story = Story::begin();
    story.counts();
    story.elbws(&["apply", "--elb", "chat"]).exits(0).says("create listener SSL:443/TCP:80");
    let first = story.counts();
    let tag_calls = first.of("AddTags") + first.of("RemoveTags");
    assert!(first.mutating - tag_calls <= 7, "{first:?}");
    assert_eq!(first.of("DescribeLoadBalancers"), 2, "one read before, one after: {first:?}");
    let after = story.state();
    story.counts();
    let again = story.elbws(&["apply", "--elb", "chat"]).exits(0);
    assert!(again.stdout.contains("Nothing to do"), "{}", again.stdout);
    let second = story.counts();
    assert_eq!((second.mutating, second.total), (0, 4), "{second:?}");
    assert_eq!(story.state(), after);
    insta::assert_snapshot!(story.elbws(&["show", "--elb", "chat"]).exits(0).snapshot());
}

#[test]
fn environment_names_the_balancer() {
    let story = Story::begin();
    let output = story.command(&["plan"]).env("ELB_NAME", "chat").output().expect("it runs");
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("SSL:443/TCP:80"));
}

#[test]
fn events_are_one_json_object_a_line() {
    let story = Story::begin();
    let ran = story.elbws(&["apply", "--elb", "chat", "--format", "json"]).exits(0);
    let events: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(events.first().expect("some")["event"], "started");
    assert_eq!(events.last().expect("some")["event"], "converged");
    assert_eq!(ran.stderr, "", "a format for programs leaves stderr alone");
}

#[test]
fn a_balancer_shown_as_toml_is_what_it_asks_for() {
    let story = Story::begin();
    for apply in [false, true] {
        if apply {
            story.elbws(&["apply", "--elb", "chat"]).exits(0);
        }
        let shown = story.elbws(&["show", "--elb", "chat", "--format", "toml"]).exits(0).stdout;
        std::fs::write(story.file("elbws.toml"), &shown).expect("it is writable");
        let plan = story.elbws(&["plan", "--config", "elbws.toml", "--detailed-exitcode"]).exits(0);
        assert!(plan.stdout.contains("Nothing to do"), "{shown}\n{}", plan.stdout);
    }
}

#[test]
fn narrow_commands_change_one_concern_each() {
    let story = Story::begin();
    let dry = story.elbws(&["listener", "--elb", "chat", "443:80", "80:80", "--dry-run"]).exits(0);
    assert!(dry.stdout.contains("2 to replace") && !dry.stdout.contains("policy"), "{}", dry.stdout);
    assert_eq!(story.counts().mutating, 0);
    story.elbws(&["listener", "--elb", "chat", "443:80", "80:80"]).exits(0);
    story.elbws(&["proxy-protocol", "enable", "--elb", "chat"]).exits(0);
    let plan = story.elbws(&["plan", "--elb", "chat", "--detailed-exitcode"]).exits(0);
    assert!(plan.stdout.contains("Nothing to do"), "{}", plan.stdout);
    story.counts();
    story.elbws(&["proxy-protocol", "disable", "--elb", "chat", "--instance-port", "80"]).exits(0);
    let counts = story.counts();
    assert_eq!(counts.mutating, 2, "detach and delete our own policy: {counts:?}");
    story.elbws(&["plan", "--elb", "chat", "--detailed-exitcode"]).exits(2);
}

#[test]
fn a_certificate_is_swapped_in_place() {
    let story = Story::with_a_second_certificate();
    let arn = "arn:aws:iam::123456789012:server-certificate/next";
    story.counts();
    story.elbws(&["certificate", "--elb", "chat", arn, "--port", "443"]).exits(0);
    let counts = story.counts();
    assert_eq!((counts.mutating, counts.of("SetLoadBalancerListenerSSLCertificate")), (1, 1), "{counts:?}");
    assert!(story.state().contains(arn));
}

#[test]
fn a_saved_plan_is_applied_once_and_then_stale_or_done() {
    let story = Story::begin();
    story.elbws(&["plan", "--elb", "chat", "--out", "chat.plan"]).exits(0);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&story.file("chat.plan").metadata().expect("it is there").permissions());
    assert_eq!(mode & 0o777, 0o600, "a plan is its owner's alone");
    story.elbws(&["apply", "chat.plan"]).exits(0);
    story.counts();
    let again = story.elbws(&["apply", "chat.plan"]).exits(0);
    assert!(again.stdout.contains("All of it is done"), "{}", again.stdout);
    assert_eq!(story.counts().mutating, 0);
    story.elbws(&["proxy-protocol", "disable", "--elb", "chat"]).exits(0);
    story
        .elbws(&["apply", "chat.plan"])
        .exits(4)
        .says("is stale")
        .says("instance port 80: chat-proxy-protocol -> (none)")
        .says("plan --out");
}

/// The listeners of the first balancer the AWS CLI describes, by load balancer port.
fn listeners(described: &serde_json::Value) -> BTreeMap<u64, serde_json::Value> {
    let found = described["LoadBalancerDescriptions"][0]["ListenerDescriptions"].as_array().expect("a list");
    let listener = |found: &serde_json::Value| {
        let listener = found["Listener"].clone();
        (listener["LoadBalancerPort"].as_u64().expect("a port"), listener)
    };
    found.iter().map(listener).collect()
}

/// The service's own words: what the AWS CLI says after `apply`.
#[test]
#[ignore = "needs the AWS CLI: run ./tests/run"]
fn the_aws_cli_sees_the_result() {
    let story = Story::begin();
    let before = listeners(&story.aws(&["elb", "describe-load-balancers"]));
    story.elbws(&["apply", "--elb", "chat"]).exits(0);
    let described_all = story.aws(&["elb", "describe-load-balancers", "--load-balancer-names", "chat"]);
    let after = listeners(&described_all);
    let protocols = |port: u64| (after[&port]["Protocol"].clone(), after[&port]["InstanceProtocol"].clone());
    assert_eq!(protocols(443), ("SSL".into(), "TCP".into()));
    assert_eq!(protocols(80), ("TCP".into(), "TCP".into()));
    assert!(before[&443]["SSLCertificateId"].is_string());
    assert_eq!(after[&443]["SSLCertificateId"], before[&443]["SSLCertificateId"]);
    let described = &described_all["LoadBalancerDescriptions"][0];
    assert_eq!(described["HealthCheck"]["Target"], "TCP:80");
    let backend = serde_json::json!([{ "InstancePort": 80, "PolicyNames": ["chat-proxy-protocol"] }]);
    assert_eq!(described["BackendServerDescriptions"], backend);
    let policies = story.aws(&[
        "elb",
        "describe-load-balancer-policies",
        "--load-balancer-name",
        "chat",
        "--policy-names",
        "chat-proxy-protocol",
    ]);
    let policy = serde_json::json!([{
        "PolicyName": "chat-proxy-protocol",
        "PolicyTypeName": "ProxyProtocolPolicyType",
        "PolicyAttributeDescriptions": [{ "AttributeName": "ProxyProtocol", "AttributeValue": "true" }],
    }]);
    assert_eq!(policies["PolicyDescriptions"], policy);
    let tags = story.aws(&["elb", "describe-tags", "--load-balancer-names", "chat"]);
    assert_eq!(
        tags["TagDescriptions"][0]["Tags"],
        serde_json::json!([{ "Key": "team", "Value": "chat" }]),
        "the journal is gone"
    );
}

/// The two commands that operators have run by hand since 2015: afterwards there is nothing left to plan for the policy.
#[test]
#[ignore = "needs the AWS CLI: run ./tests/run"]
fn what_operators_did_by_hand_is_recognised() {
    let story = Story::begin();
    story.aws(&[
        "elb",
        "create-load-balancer-policy",
        "--load-balancer-name",
        "chat",
        "--policy-name",
        "EnableProxyProtocol",
        "--policy-type-name",
        "ProxyProtocolPolicyType",
        "--policy-attributes",
        "AttributeName=ProxyProtocol,AttributeValue=true",
    ]);
    story.aws(&[
        "elb",
        "set-load-balancer-policies-for-backend-server",
        "--load-balancer-name",
        "chat",
        "--instance-port",
        "80",
        "--policy-names",
        "EnableProxyProtocol",
    ]);
    let plan = story.elbws(&["plan", "--elb", "chat"]).exits(0);
    assert!(plan.stdout.contains("-/+ listener 443"), "{}", plan.stdout);
    assert!(!plan.stdout.contains("proxy-protocol") && !plan.stdout.contains("~  instance port 80"), "{}", plan.stdout);
}

/// The same story on an implementation of the API that is not ours.
#[test]
#[ignore = "needs moto: run ./tests/run"]
fn the_story_on_moto() {
    let moto = Moto::start();
    let elbws = |arguments: &[&str]| moto.run(Path::new(env!("CARGO_BIN_EXE_elbws")), arguments);
    let arn = "arn:aws:iam::123456789012:server-certificate/ws";
    let https = format!("Protocol=HTTPS,LoadBalancerPort=443,InstanceProtocol=HTTP,InstancePort=80,SSLCertificateId={arn}");
    moto.aws(&[
        "elb",
        "create-load-balancer",
        "--load-balancer-name",
        "chat",
        "--availability-zones",
        "eu-west-1a",
        "--listeners",
        &https,
        "Protocol=HTTP,LoadBalancerPort=80,InstanceProtocol=HTTP,InstancePort=80",
        "--tags",
        "Key=team,Value=chat",
    ]);
    moto.aws(&[
        "elb",
        "configure-health-check",
        "--load-balancer-name",
        "chat",
        "--health-check",
        "Target=HTTP:80/elb-status,Interval=30,UnhealthyThreshold=2,HealthyThreshold=10,Timeout=5",
    ]);
    let (status, plan, _) = elbws(&["plan", "--elb", "chat", "--detailed-exitcode"]);
    assert!(status == 2 && plan.contains("HTTPS:443/HTTP:80 -> SSL:443/TCP:80, certificate unchanged"), "{plan}");
    moto.calls();
    let (status, _, stderr) = elbws(&["apply", "--elb", "chat"]);
    assert_eq!(status, 0, "{stderr}");
    let mutating =
        |calls: &[String]| calls.iter().filter(|call| !call.starts_with("Describe") && !call.ends_with("Tags")).count();
    let first = moto.calls();
    assert!(mutating(&first) <= 7, "{first:?}");
    let described = moto.aws(&["elb", "describe-load-balancers"])["LoadBalancerDescriptions"][0].clone();
    let routes: std::collections::BTreeSet<String> = described["ListenerDescriptions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|found| {
            let part = |key: &str| found["Listener"][key].to_string().replace('"', "");
            format!(
                "{}:{}/{}:{}",
                part("Protocol"),
                part("LoadBalancerPort"),
                part("InstanceProtocol"),
                part("InstancePort")
            )
        })
        .collect();
    assert_eq!(routes, ["SSL:443/TCP:80", "TCP:80/TCP:80"].map(str::to_owned).into());
    assert_eq!(described["BackendServerDescriptions"][0]["PolicyNames"], serde_json::json!(["chat-proxy-protocol"]));
    assert_eq!(described["HealthCheck"]["Target"], "TCP:80");
    let tags = moto.aws(&["elb", "describe-tags", "--load-balancer-names", "chat"]);
    assert_eq!(tags["TagDescriptions"][0]["Tags"], serde_json::json!([{ "Key": "team", "Value": "chat" }]));
    moto.calls();
    let (status, again, _) = elbws(&["apply", "--elb", "chat"]);
    assert!(status == 0 && again.contains("Nothing to do"), "{again}");
    let second = moto.calls();
    assert!(second.len() == 4 && mutating(&second) == 0, "{second:?}");
}
