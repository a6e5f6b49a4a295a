//! What AWS leaves undocumented: apply converges whichever way the service behaves, killed half-way or not.

use elbws::sandbox::{
    BooleanEcho, FaultError, FaultKind, IdenticalPolicy, InstanceProtocolDefault, Switches, UnusedInstancePort,
};

use crate::support::story::Story;

/// The default, and each switch turned the other way.
fn both_ways() -> Vec<Switches> {
    let default = Switches::default();
    vec![
        default,
        Switches { idle_timeout_ceiling: 3600, ..default },
        Switches { tag_quota: 10, ..default },
        Switches { unused_instance_port: UnusedInstancePort::Reject, ..default },
        Switches { identical_policy: IdenticalPolicy::Error, ..default },
        Switches { boolean_echo: BooleanEcho::LowerCase, ..default },
        Switches { instance_protocol_makes_duplicate: false, ..default },
        Switches { instance_protocol_default: InstanceProtocolDefault::PlainProtocol, ..default },
    ]
}

#[test]
fn apply_converges_whichever_way_the_service_behaves() {
    let story = Story::begin();
    for switches in both_ways() {
        // The second one moves both listeners to an instance port that nothing has used before.
        for arguments in [
            &["apply", "--elb", "chat"][..],
            &["apply", "--elb", "chat", "--listener", "443:8080", "--listener", "80:8080", "--idle-timeout", "3600"],
        ] {
            story.sandbox.reset();
            story.sandbox.set_switches(switches);
            let answerless = FaultError { code: "InternalFailure".to_owned(), status: 500, message: String::new() };
            story.fault("CreateLoadBalancerPolicy", 0, Some(1), FaultKind::ErrorAfter(answerless));
            let ran = story.elbws(arguments);
            assert_eq!(ran.status, 0, "{switches:?} {arguments:?}: {}", ran.stderr);
            story.counts();
            story.elbws(arguments).exits(0);
            assert_eq!(story.counts().mutating, 0, "{switches:?} {arguments:?}");
        }
    }
}
