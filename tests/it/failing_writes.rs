//! Every write of the seed story can fail: once, for good, or because the process dies right after it. The next run always
//! ends where an undisturbed one does.

use std::process::Stdio;
use std::time::{Duration, Instant};

use elbws::sandbox::{FaultError, FaultKind};

use crate::support::story::{Ran, Story};

/// The mutating calls of an undisturbed run: the action, and how many of the same action come before it.
const WRITES: [(&str, u32); 10] = [
    ("AddTags", 0),
    ("ConfigureHealthCheck", 0),
    ("CreateLoadBalancerPolicy", 0),
    ("SetLoadBalancerPoliciesForBackendServer", 0),
    ("DeleteLoadBalancerListeners", 0),
    ("CreateLoadBalancerListeners", 0),
    ("RemoveTags", 0),
    ("DeleteLoadBalancerListeners", 1),
    ("CreateLoadBalancerListeners", 1),
    ("RemoveTags", 1),
];

fn error(code: &str, status: u16) -> FaultError {
    FaultError { code: code.to_owned(), status, message: "injected".to_owned() }
}

/// The state an undisturbed run leads to.
fn undisturbed(story: &Story) -> String {
    story.elbws(&["apply", "--elb", "chat"]).exits(0);
    let mutating: Vec<String> =
        story.sandbox.log().into_iter().filter(|entry| entry.mutating).filter_map(|entry| entry.action).collect();
    // The preparations run at the same time, so only their number is certain.
    assert_eq!(mutating.len(), WRITES.len(), "the table of writes is out of date: {mutating:?}");
    let state = story.state();
    story.sandbox.reset();
    state
}

/// After a failed run: the next one converges to the same state and leaves no journal.
#[track_caller]
fn converges(story: &Story, failed: &Ran, expected: &str) {
    story.sandbox.clear_faults();
    story.elbws(&["apply", "--elb", "chat"]).exits(0);
    assert_eq!(story.state(), expected, "after: {}", failed.stderr);
    assert!(!expected.contains("elbws:"), "the journal is gone");
    story.sandbox.reset();
}

#[test]
fn a_write_that_fails_once_in_passing_is_made_again() {
    let story = Story::begin();
    let expected = undisturbed(&story);
    for (action, skip) in WRITES {
        for kind in [
            FaultKind::ErrorBefore(error("Throttling", 400)),
            FaultKind::ErrorBefore(error("InternalFailure", 500)),
            FaultKind::ErrorAfter(error("ServiceUnavailable", 503)),
            FaultKind::DisconnectBefore,
            FaultKind::DisconnectAfter,
        ] {
            story.fault(action, skip, Some(1), kind.clone());
            let ran = story.elbws(&["apply", "--elb", "chat"]);
            assert_eq!(ran.status, 0, "{action} {skip} {kind:?}: {}", ran.stderr);
            assert_eq!(story.state(), expected, "{action} {skip} {kind:?}");
            story.sandbox.reset();
        }
    }
}

#[test]
fn a_write_that_fails_for_good_is_named_and_the_next_run_converges() {
    let story = Story::begin();
    let expected = undisturbed(&story);
    for (index, (action, skip)) in WRITES.into_iter().enumerate() {
        let before = story.state();
        story.fault(action, skip, Some(1), FaultKind::ErrorBefore(error("InvalidConfigurationRequest", 409)));
        let ran = story.elbws(&["apply", "--elb", "chat"]);
        assert!(ran.stderr.contains(action) && ran.stderr.contains("InvalidConfigurationRequest"), "{}", ran.stderr);
        match index {
            0 => {
                assert_eq!(ran.status, 1, "nothing was changed: {}", ran.stderr);
                assert_eq!(story.state(), before);
            }
            _ => assert_eq!(ran.status, 3, "{action}: {}", ran.stderr),
        }
        if action == "CreateLoadBalancerListeners" {
            assert!(ran.stderr.contains("put back"), "{}", ran.stderr);
            let port = if skip == 0 { "80" } else { "443" };
            let listeners = |state: &str| {
                serde_json::from_str::<serde_json::Value>(state).expect("JSON")["balancers"][0]["listeners"][port].clone()
            };
            assert_eq!(listeners(&story.state()), listeners(&before), "the old listener is back with its policies");
        }
        converges(&story, &ran, &expected);
    }
}

#[test]
fn a_write_that_throttles_for_ever_ends_in_time() {
    let story = Story::begin();
    story.fault("CreateLoadBalancerPolicy", 0, None, FaultKind::ErrorBefore(error("Throttling", 400)));
    let started = Instant::now();
    story
        .elbws(&["apply", "--elb", "chat", "--retry-for", "0"])
        .exits(3)
        .says("CreateLoadBalancerPolicy failed: Throttling");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn a_process_that_dies_right_after_a_write_is_followed_by_one_that_finishes() {
    let story = Story::begin();
    let expected = undisturbed(&story);
    dies_after_every_write(&story, WRITES.len(), &expected);
}

/// The seed story with a TLS policy of the user's own, which the new listener must get back.
#[test]
fn a_listeners_own_tls_policy_survives_a_death_after_any_write() {
    let seed = include_str!("../../fixtures/chat.toml").replace(
        "\"HTTPS:443/HTTP:80\"",
        "{ protocol = \"HTTPS\", load_balancer_port = 443, instance_protocol = \"HTTP\", instance_port = 80, policies = [\"own-tls\"] }",
    );
    let policy = "[balancers.policies.own-tls]\ntype = \"SSLNegotiationPolicyType\"\nattributes = { Reference-Security-Policy = \"ELBSecurityPolicy-TLS-1-1-2017-01\" }\n";
    let story = Story::with(&format!("{seed}\n{policy}"));
    story.elbws(&["apply", "--elb", "chat"]).exits(0);
    let writes = story.sandbox.counts().mutating as usize;
    let expected = story.state();
    let listeners = serde_json::from_str::<serde_json::Value>(&expected).expect("JSON")["balancers"][0]["listeners"].clone();
    assert_eq!(listeners["443"]["policies"], serde_json::json!(["own-tls"]));
    story.sandbox.reset();
    dies_after_every_write(&story, writes, &expected);
}

fn dies_after_every_write(story: &Story, writes: usize, expected: &str) {
    for writes in 1..=writes {
        // Every call is slow, so that the process is caught between two of them.
        story.fault("*", 0, None, FaultKind::LatencyMs(60));
        let mut child =
            story.command(&["apply", "--elb", "chat"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        let patience = Instant::now();
        while story.sandbox.counts().mutating < writes as u64 {
            assert!(patience.elapsed() < Duration::from_secs(30), "write {writes} never came");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("it is running");
        child.wait().expect("it is gone");
        let killed = Ran { status: -1, stdout: String::new(), stderr: format!("killed after write {writes}") };
        converges(story, &killed, expected);
    }
}

/// A run that may not write tags deletes nothing, and names the way round it.
#[test]
fn without_permission_to_tag_a_replace_is_refused() {
    let story = Story::begin();
    let before = story.state();
    story.fault("AddTags", 0, None, FaultKind::ErrorBefore(error("AccessDenied", 403)));
    story.elbws(&["apply", "--elb", "chat"]).exits(1).says("elasticloadbalancing:AddTags").says("--no-journal");
    assert_eq!(story.state(), before);
    story.elbws(&["apply", "--elb", "chat", "--no-journal"]).exits(0);
}

/// The first signal lets the group finish: no listener is left deleted.
#[test]
fn a_signal_stops_between_groups() {
    let story = Story::begin();
    let expected = undisturbed(&story);
    story.fault("*", 0, None, FaultKind::LatencyMs(150));
    let child =
        story.command(&["apply", "--elb", "chat"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let patience = Instant::now();
    while story.sandbox.counts().of("DeleteLoadBalancerListeners") < 1 {
        assert!(patience.elapsed() < Duration::from_secs(30), "no listener was deleted");
        std::thread::sleep(Duration::from_millis(1));
    }
    let sent = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("Stopping after the current group") && stderr.contains("delete listener 443"), "{stderr}");
    assert_eq!(story.sandbox.counts().of("CreateLoadBalancerListeners"), 1, "the group was finished");
    converges(&story, &Ran { status: 3, stdout: String::new(), stderr }, &expected);
}

#[test]
fn two_runs_at_once_converge() {
    let story = Story::begin();
    let expected = undisturbed(&story);
    story.fault("*", 0, None, FaultKind::LatencyMs(5));
    let spawn =
        || story.command(&["apply", "--elb", "chat"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    let children = [spawn(), spawn()];
    for mut child in children {
        child.wait().expect("it ends");
    }
    converges(&story, &Ran { status: 0, stdout: String::new(), stderr: "two at once".to_owned() }, &expected);
}

/// Listeners that must change together are put back together: a new one that was created already makes room.
#[test]
fn a_cluster_is_put_back_whole() {
    let seed = include_str!("../../fixtures/chat.toml")
        .replace("[\"HTTPS:443/HTTP:80\", \"HTTP:80/HTTP:80\"]", "[\"HTTPS:443/HTTP:80\"]");
    let story = Story::with(&seed);
    let listeners =
        |state: &str| serde_json::from_str::<serde_json::Value>(state).expect("JSON")["balancers"][0]["listeners"].clone();
    let before = listeners(&story.state());
    let certificate = before["443"]["certificate"].as_str().expect("it has one").to_owned();
    let arguments = ["listener", "--elb", "chat", "HTTPS:442/HTTPS:80", "HTTPS:443/HTTPS:80", "--certificate", &certificate];
    story.fault(
        "CreateLoadBalancerListeners",
        1,
        Some(1),
        FaultKind::ErrorBefore(error("InvalidConfigurationRequest", 409)),
    );
    story.elbws(&arguments).exits(3).says("put back");
    assert_eq!(listeners(&story.state()), before);
    story.elbws(&arguments).exits(0);
}

/// After a replace that was put back, the saved plan is still good.
#[test]
fn a_saved_plan_goes_on_after_a_restore() {
    let story = Story::begin();
    let expected = undisturbed(&story);
    story.elbws(&["plan", "--elb", "chat", "--out", "chat.plan"]).exits(0).says("elbws apply chat.plan");
    story.fault(
        "CreateLoadBalancerListeners",
        0,
        Some(1),
        FaultKind::ErrorBefore(error("InvalidConfigurationRequest", 409)),
    );
    story.elbws(&["apply", "chat.plan"]).exits(3).says("put back");
    let resumed = story.elbws(&["apply", "chat.plan"]).exits(0);
    assert!(resumed.stdout.contains("What remains:"), "{}", resumed.stdout);
    assert_eq!(story.state(), expected);
}
