//! What AWS leaves undocumented: every named switch of the sandbox, both ways, in any combination, at every crash point.

use elbws::sandbox::{BooleanEcho, IdenticalPolicy, InstanceProtocolDefault, Switches, UnusedInstancePort};

use super::cases::{Case, Tally, any_case, for_each};
use super::crash;
use super::schedule::{Choose, Dice};

/// The switches, each one way or the other.
fn any_switches(case: &Case, tally: &mut Tally) -> Switches {
    let mut dice = Dice(!case.seed);
    let mut toss = |on: &'static str, off: &'static str| {
        let is_on = dice.choose(2) == 1;
        tally.count(if is_on { on } else { off }, 1);
        is_on
    };
    Switches {
        idle_timeout_ceiling: if toss("idle 3600", "idle 4000") { 3600 } else { 4000 },
        tag_quota: if toss("10 tags", "50 tags") { 10 } else { 50 },
        unused_instance_port: match toss("unused ports refused", "unused ports accepted") {
            true => UnusedInstancePort::Reject,
            false => UnusedInstancePort::Accept,
        },
        identical_policy: match toss("identical policies refused", "identical policies accepted") {
            true => IdenticalPolicy::Error,
            false => IdenticalPolicy::Silent,
        },
        boolean_echo: match toss("booleans in lower case", "booleans as sent") {
            true => BooleanEcho::LowerCase,
            false => BooleanEcho::AsSent,
        },
        instance_protocol_makes_duplicate: !toss("instance protocols not compared", "instance protocols compared"),
        instance_protocol_default: match toss("plain default", "same default") {
            true => InstanceProtocolDefault::PlainProtocol,
            false => InstanceProtocolDefault::SameProtocol,
        },
        // Those of the traffic make no difference to the API.
        ..Switches::default()
    }
}

#[test]
fn whichever_way_the_service_behaves_every_crash_is_recovered_from() {
    for_each("simulation::unknowns", 12, any_case(), |case, tally| {
        let switches = any_switches(case, tally);
        crash::simulate(case, switches, tally).map_err(|why| format!("{switches:?}: {why}"))
    });
}
