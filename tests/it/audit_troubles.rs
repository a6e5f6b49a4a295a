//! An audit among troubles: throttled, denied, with a balancer that goes away and lists that do not end.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::Duration;

use elbws::audit::{Check, rules};
use elbws::sandbox::{Fault, FaultError, FaultKind};
use serde_json::Value;

use crate::support::story::Story;
use crate::support::terminal::Terminal;
use crate::support::wire::{Answers, Wire};

/// Balancers that need every read: certificates in both stores, policies of their own, instances, a journal tag.
fn account(count: usize) -> Story {
    let seed = include_str!("../../fixtures/chat.toml");
    let iam = "[[certificates]]\nname = \"old\"\nstore = \"iam\"\ndomain = \"chat.example.com\"\n\n[[subnets]]";
    let around = seed.split("[[balancers]]").next().unwrap().replacen("[[subnets]]", iam, 1);
    let mut text = around;
    for number in 0..count {
        let certificate = if number % 2 == 0 { "chat" } else { "old" };
        text.push_str(&format!(
            "[[balancers]]\nname = \"chat-{number:03}\"\nlisteners = [{{ protocol = \"SSL\", load_balancer_port = 443, \
             instance_protocol = \"TCP\", instance_port = 80, certificate = \"{certificate}\" }}]\n\
             subnets = [\"subnet-0c4a7000000000001\", \"subnet-0c4a7000000000002\"]\n\
             security_groups = [\"sg-0c4a7000000000001\"]\n\
             instances = [\"i-0c4a7000000000001\", \"i-0c4a7000000000002\"]\n\
             [balancers.policies]\nold = {{ type = \"ProxyProtocolPolicyType\", attributes = {{ ProxyProtocol = \"true\" }} }}\n"
        ));
    }
    Story::with(&text)
}

fn report(story: &Story, more: &[&str]) -> Value {
    let ran = story.elbws(&[&["audit", "--format", "json"], more].concat()).exits(0);
    without_time(serde_json::from_str(&ran.stdout).expect("the report is JSON"))
}

fn without_time(mut report: Value) -> Value {
    let taken = report.as_object_mut().expect("an object").remove("made_at").expect("it says when");
    assert!(taken.as_str().expect("text").ends_with('Z'));
    report
}

fn denied() -> FaultKind {
    let message = "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform this".to_owned();
    FaultKind::ErrorBefore(FaultError { code: "AccessDenied".to_owned(), status: 403, message })
}

#[test]
fn throttled_at_every_tenth_call_the_report_is_the_same() {
    let story = account(12);
    let calm = report(&story, &[]);
    let throttled = |number: u32| Fault {
        action: "*".to_owned(),
        times: Some(1),
        skip: 10 * number + 9,
        kind: FaultKind::ErrorBefore(FaultError {
            code: "Throttling".to_owned(),
            status: 400,
            message: "Rate exceeded".to_owned(),
        }),
    };
    story.sandbox.inject((0..20).map(throttled).collect()).unwrap();
    story.counts();
    assert_eq!(report(&story, &[]), calm);
    assert!(story.counts().total > calm["calls"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>());
}

#[test]
fn the_order_does_not_depend_on_that_of_the_replies() {
    let story = account(30);
    let calm = report(&story, &[]);
    let names: Vec<&str> = calm["balancers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.is_sorted() && names.len() == 30);
    for skip in [0, 3, 7, 20] {
        let slow = FaultKind::LatencyMs(200);
        story.fault("DescribeLoadBalancerAttributes", skip, Some(3), slow.clone());
        story.fault("DescribeInstanceHealth", 2 * skip, Some(1), slow);
    }
    assert_eq!(report(&story, &[]), calm);
}

#[test]
fn nothing_is_read_twice_and_nothing_that_is_not_needed() {
    let story = account(45);
    story.counts();
    let calls = |story: &Story| story.counts().actions;
    report(&story, &[]);
    let expected = [
        ("DescribeCertificate", 1),
        ("DescribeInstanceHealth", 45),
        ("DescribeInstances", 1),
        ("DescribeLoadBalancerAttributes", 45),
        ("DescribeLoadBalancerPolicies", 45),
        ("DescribeLoadBalancers", 1),
        ("DescribeRouteTables", 1),
        ("DescribeSecurityGroups", 1),
        ("DescribeSubnets", 1),
        ("DescribeTags", 3),
        ("GetCallerIdentity", 1),
        ("ListServerCertificates", 1),
    ];
    assert_eq!(calls(&story), expected.map(|(action, count)| (action.to_owned(), count)).into());
    let counted = report(&story, &["--rule", "websocket", "--skip-rule", "ELBWS011"])["calls"].clone();
    let expected = [("DescribeLoadBalancerPolicies", 45), ("DescribeLoadBalancers", 1), ("GetCallerIdentity", 1)];
    assert_eq!(calls(&story), expected.map(|(action, count)| (action.to_owned(), count)).into());
    let named: BTreeMap<String, u64> = serde_json::from_value(counted).unwrap();
    let named: BTreeMap<&str, u64> =
        named.iter().map(|(action, count)| (action.split_once(':').unwrap().1, *count)).collect();
    assert_eq!(named, expected.into(), "the report counts what was called");
    report(&story, &["--rule", "ELBWS203"]);
    assert_eq!(calls(&story).len(), 2, "the listing is enough");
    report(&story, &["--rule", "ELBWS004"]);
    assert_eq!(calls(&story).len(), 2, "no policy is attached to an instance port, so what they say does not matter");
}

/// Each optional read is denied in turn: its rules are "not checked", once; everything else is as ever.
#[test]
fn a_denied_read_is_never_a_pass() {
    let story = account(3);
    let calm = report(&story, &[]);
    let reads = [
        ("DescribeLoadBalancerPolicies", "policies"),
        ("DescribeLoadBalancerAttributes", "attributes"),
        ("DescribeTags", "tags"),
        ("DescribeInstanceHealth", "instance_health"),
        ("DescribeSecurityGroups", "network"),
        ("DescribeInstances", "network"),
        ("DescribeSubnets", "network"),
        ("DescribeRouteTables", "network"),
        ("DescribeCertificate", "certificates"),
        ("ListServerCertificates", "certificates"),
    ];
    for (action, read) in reads {
        story.fault(action, 0, None, denied());
        let found = report(&story, &[]);
        story.sandbox.clear_faults();
        assert_eq!(found["unreadable"], Value::Array(vec![]), "{action}");
        let [not_checked] = found["not_checked"].as_array().unwrap().as_slice() else {
            panic!("{action}: {:?}", found["not_checked"])
        };
        assert_eq!(not_checked["read"], read);
        assert!(not_checked["reason"].as_str().unwrap().starts_with(&format!("{action} failed: AccessDenied")));
        let unchecked: BTreeSet<&str> =
            not_checked["rules"].as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
        assert!(!unchecked.is_empty(), "{action}");
        let checks: Vec<&Check> = rules::all().filter(|check| unchecked.contains(check.rule.id)).collect();
        assert!(checks.iter().all(|check| serde_json::to_value(check.rule.needs).unwrap().to_string().contains(read)));
        for (before, after) in std::iter::zip(calm["balancers"].as_array().unwrap(), found["balancers"].as_array().unwrap())
        {
            let kept = |finding: &&Value| !unchecked.contains(finding["rule"].as_str().unwrap());
            let kept: Vec<&Value> = before["findings"].as_array().unwrap().iter().filter(kept).collect();
            let there: Vec<&Value> = after["findings"].as_array().unwrap().iter().filter(kept_in(&unchecked)).collect();
            assert_eq!(there, kept, "{action}");
        }
        let text = story.elbws(&["audit"]).exits(0).stdout;
        assert!(!text.contains("Not checked"), "the fault is gone");
    }
    // A call that is denied is not tried for every balancer.
    story.counts();
    story.fault("DescribeLoadBalancerAttributes", 0, None, denied());
    let text = story.elbws(&["audit", "--elb", "chat-000"]).exits(0).stdout;
    assert!(
        text.contains("Not checked: ELBWS011, ELBWS204, ELBWS205, ELBWS206, ELBWS404 in 123456789012 eu-west-1: "),
        "{text}"
    );
}

fn kept_in<'a>(unchecked: &'a BTreeSet<&str>) -> impl Fn(&&Value) -> bool + 'a {
    |finding| !unchecked.contains(finding["rule"].as_str().unwrap())
}

#[test]
fn one_balancer_that_fails_does_not_stop_the_rest() {
    let story = account(3);
    let calm = report(&story, &[]);
    let fails = FaultError { code: "InternalFailure".to_owned(), status: 400, message: "ask again".to_owned() };
    story.fault("DescribeInstanceHealth", 1, Some(1), FaultKind::ErrorBefore(fails));
    let found = report(&story, &[]);
    assert_eq!(found["not_checked"], Value::Array(vec![]));
    assert_eq!(found["balancers"].as_array().unwrap().len(), 3, "what could be read of it is audited");
    let [unreadable] = found["unreadable"].as_array().unwrap().as_slice() else { panic!("{}", found["unreadable"]) };
    // The calls are made at the same time, so it may be any of the three that fails.
    let failed = unreadable["balancer"].as_str().unwrap();
    let reason = unreadable["reason"].as_str().unwrap();
    assert!(reason.starts_with("DescribeInstanceHealth failed: InternalFailure: ask again"), "{reason}");
    assert!(reason.ends_with("; not checked: ELBWS202"), "{reason}");
    for (before, after) in std::iter::zip(calm["balancers"].as_array().unwrap(), found["balancers"].as_array().unwrap()) {
        match before["name"] == failed {
            true => assert_eq!((&after["name"], &after["findings"]), (&before["name"], &before["findings"])),
            false => assert_eq!(after, before),
        }
    }
}

/// A balancer is really deleted between the listing and the rest, while its tags are being asked for.
#[test]
fn a_balancer_deleted_meanwhile_is_said_and_the_rest_is_whole() {
    let story = account(3);
    let calm = report(&story, &[]);
    story.counts();
    story.fault("DescribeTags", 0, Some(1), FaultKind::LatencyMs(3000));
    let audit = story.command(&["audit", "--format", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while story.sandbox.counts().of("DescribeLoadBalancers") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let body = "Action=DeleteLoadBalancer&LoadBalancerName=chat-001";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reply = runtime.block_on(crate::support::sandbox::query(&story.sandbox, body));
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let output = audit.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = without_time(serde_json::from_slice(&output.stdout).unwrap());
    let names: Vec<&Value> = found["balancers"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["chat-000", "chat-002"]);
    assert_eq!(found["balancers"][1], calm["balancers"][2], "its tags were asked for again");
    assert_eq!(found["unreadable"][0]["balancer"], "chat-001");
    assert_eq!(found["unreadable"][0]["reason"], "it was deleted while the audit was going on");
    assert_eq!(found["unreadable"].as_array().unwrap().len(), 1);
}

#[test]
fn a_list_that_never_ends_is_said_and_what_was_listed_is_audited() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let balancer = |name: &str, scheme: &str| {
        format!(
            "<member><LoadBalancerName>{name}</LoadBalancerName><DNSName>{name}.example</DNSName>{scheme}\
             <ListenerDescriptions><member><Listener><Protocol>HTTPS</Protocol><LoadBalancerPort>443</LoadBalancerPort>\
             <InstanceProtocol>HTTP</InstanceProtocol><InstancePort>80</InstancePort></Listener></member>\
             </ListenerDescriptions></member>"
        )
    };
    let listing = format!(
        "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancerDescriptions>{}{}\
         </LoadBalancerDescriptions><NextMarker>again</NextMarker></DescribeLoadBalancersResult>\
         </DescribeLoadBalancersResponse>",
        balancer("one", "<Scheme>internal</Scheme>"),
        balancer("broken", ""),
    );
    let identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
                    </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let by_action = [("DescribeLoadBalancers", (200, listing)), ("GetCallerIdentity", (200, identity.to_owned()))].into();
    let wire = runtime.block_on(Wire::start(Answers { by_action, ..Answers::default() }));
    let story = account(0);
    let mut command = story.command(&["audit", "--format", "json", "--rule", "ELBWS001"]);
    let output = command.env("AWS_ENDPOINT_URL", wire.url()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [audited] = found["balancers"].as_array().unwrap().as_slice() else { panic!("{}", found["balancers"]) };
    assert_eq!(audited["name"], "one", "once, however often it is listed");
    assert_eq!(audited["findings"].as_array().unwrap().len(), 1);
    let unreadable: BTreeSet<String> =
        found["unreadable"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap().to_owned()).collect();
    let expected = [
        "DescribeLoadBalancers failed: the balancer has no scheme",
        "DescribeLoadBalancers failed: the list never ends: the marker again came twice",
    ];
    assert_eq!(unreadable, expected.map(str::to_owned).into());
    assert_eq!(wire.calls().iter().filter(|call| call.action == "DescribeLoadBalancers").count(), 2);
}

#[test]
fn only_when_nothing_could_be_read_it_fails() {
    let story = account(2);
    story.fault("DescribeLoadBalancers", 0, None, denied());
    let ran = story.elbws(&["audit"]).exits(1);
    assert!(ran.stderr.contains("nothing could be read: DescribeLoadBalancers failed: AccessDenied"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: allow the action elasticloadbalancing:DescribeLoadBalancers"), "{}", ran.stderr);
    story.sandbox.clear_faults();
    let ran = story.elbws(&["audit", "--elb", "nowhere"]).exits(1);
    assert!(
        ran.stderr.contains("nothing could be read: DescribeLoadBalancers failed: LoadBalancerNotFound"),
        "{}",
        ran.stderr
    );
    let ran = story.elbws(&["audit", "--elb", "nowhere", "--elb", "chat-000", "--rule", "ELBWS203"]).exits(0);
    assert!(
        ran.stdout
            .contains("Not read: nowhere in 123456789012 eu-west-1: DescribeLoadBalancers failed: LoadBalancerNotFound")
    );
    story.fault("GetCallerIdentity", 0, None, denied());
    story.elbws(&["audit"]).exits(1).says("nothing could be read: GetCallerIdentity failed");
}

/// On a terminal the audit says how far it is, how fast and how long it still takes; a pipe gets nothing of it.
#[test]
fn progress_is_shown_on_a_terminal_alone() {
    let story = account(40);
    let slow = |story: &Story| story.fault("DescribeInstanceHealth", 0, None, FaultKind::LatencyMs(700));
    slow(&story);
    let mut terminal = Terminal::start(story.command(&["audit", "--rule", "ELBWS202"]));
    terminal.shows("listing the balancers");
    terminal.shows("/40 balancers");
    let shown = terminal.shows(" left");
    assert!(shown.contains("/s  "), "{shown}");
    terminal.child.wait().unwrap();
    let ran = story.elbws(&["audit", "--rule", "ELBWS202"]).exits(0);
    assert_eq!(ran.stderr, "");
}
