//! Causes that keep a connection from being made: names, ports, networks.

use super::scene::{Rule, Scene};
use super::{Cause, Diagnosis};
use crate::model::names::list;
use crate::verify::seen::{Attempt, ConnectFailureKind, Stage, TcpSeen};

pub(super) const RULES: &[Rule] = &[name_not_found, local_trouble, no_listener, port_hangs, port_refused, addresses_fail];

fn name_not_found(scene: &Scene<'_>) -> Option<Diagnosis> {
    let seen = scene.seen.name()?;
    let failure = seen.failure.as_ref()?;
    let found = Diagnosis::failure(Cause::NameNotFound, format!("the name {} has no address", seen.name)).seen(failure);
    Some(match scene.view {
        Some(view) if view.balancer.dns_name != seen.name => {
            let dns_name = &view.balancer.dns_name;
            found
                .remedy(format!("make {} an alias (CNAME) of {dns_name}", seen.name))
                .remedy(format!("until then: --connect-to {dns_name}:{}", scene.target().port()))
        }
        Some(_) => {
            found.remedy("the balancer's own name is not known here: was it deleted, or is this an internal network?")
        }
        None => found
            .remedy("check the spelling and the DNS zone")
            .remedy("to try before the name exists: --connect-to HOST:PORT"),
    })
}

/// The attempts, if all failed.
fn all_failed<'a>(scene: &Scene<'a>) -> Option<&'a TcpSeen> {
    scene.seen.tcp().filter(|tcp| tcp.peer.is_none())
}

/// Where the connection was to be made.
fn place(scene: &Scene<'_>) -> String {
    match &scene.seen.connect_to {
        Some(place) => format!("at {place}, in place of {}:{}", scene.target().host(), scene.target().port()),
        None => format!("on port {}", scene.target().port()),
    }
}

fn is(attempt: &Attempt, kind: ConnectFailureKind) -> bool {
    attempt.failure.as_ref().is_some_and(|failure| failure.kind == kind)
}

fn evidence(attempts: &[Attempt]) -> Vec<String> {
    let failed = attempts.iter().filter_map(|attempt| Some((attempt.address, attempt.failure.as_ref()?)));
    failed.map(|(address, failure)| format!("{address}: {}", failure.text)).collect()
}

fn with_evidence(diagnosis: Diagnosis, attempts: &[Attempt]) -> Diagnosis {
    evidence(attempts).into_iter().fold(diagnosis, Diagnosis::seen)
}

fn local_trouble(scene: &Scene<'_>) -> Option<Diagnosis> {
    let tcp = all_failed(scene)?;
    if !tcp.attempts.iter().all(|attempt| is(attempt, ConnectFailureKind::Local)) {
        return None;
    }
    let found = Diagnosis::failure(Cause::LocalTrouble, "this machine cannot begin a connection");
    Some(
        with_evidence(found, &tcp.attempts)
            .remedy("--source must be an address of this machine, of the same kind as the server's"),
    )
}

/// The balancer knows better than the network why a port is closed.
fn no_listener(scene: &Scene<'_>) -> Option<Diagnosis> {
    let (tcp, view) = (all_failed(scene)?, scene.view?);
    let port = scene.target().port();
    if scene.listener().is_some() {
        return None;
    }
    let ports: Vec<String> = view.balancer.listeners.keys().map(u16::to_string).collect();
    let ports = if ports.is_empty() { "none".to_owned() } else { ports.join(", ") };
    let found = Diagnosis::failure(
        Cause::NoListener,
        format!("the balancer {} has no listener on port {port}: it listens on {ports}", view.balancer.name),
    );
    Some(with_evidence(found, &tcp.attempts).remedy(format!(
        "use one of those ports, or add the listener: {} --listener SSL:{port}/TCP:80 --certificate ARN",
        scene.apply()
    )))
}

fn port_hangs(scene: &Scene<'_>) -> Option<Diagnosis> {
    let tcp = all_failed(scene)?;
    let hangs = |attempt| is(attempt, ConnectFailureKind::TimedOut) || is(attempt, ConnectFailureKind::Unreachable);
    if !tcp.attempts.iter().any(hangs) {
        return None;
    }
    let place = place(scene);
    let found = Diagnosis::failure(Cause::PortHangs, format!("nothing answers {place}: packets are dropped on the way"));
    Some(network_remedies(scene, with_evidence(found, &tcp.attempts)))
}

/// What opens a network (elb-facts 2.7).
fn network_remedies(scene: &Scene<'_>, found: Diagnosis) -> Diagnosis {
    let port = scene.target().port();
    let Some(view) = scene.view else {
        return found
            .probably()
            .remedy(format!("let the balancer's security group admit port {port} from the clients"))
            .remedy("an internet-facing balancer needs public subnets: a route to an internet gateway in each");
    };
    let balancer = &view.balancer;
    let found = found.probably().remedy(format!(
        "let the balancer's security groups ({}) admit port {port} from the clients",
        list(&balancer.security_groups)
    ));
    match balancer.scheme.as_str() {
        "internal" => found.remedy("the balancer is internal: it is reached from within its VPC only"),
        _ => found.remedy(format!(
            "its subnets ({}) must be public: a route to an internet gateway in each",
            list(&balancer.subnets)
        )),
    }
}

fn port_refused(scene: &Scene<'_>) -> Option<Diagnosis> {
    let tcp = all_failed(scene)?;
    let found = Diagnosis::failure(Cause::PortRefused, format!("nothing listens {}", place(scene)));
    let found = with_evidence(found, &tcp.attempts);
    Some(match scene.listener() {
        Some(listener) => found.probably().remedy(format!(
            "the balancer has the listener {listener}, so the connection went elsewhere: does the name point to the balancer?"
        )),
        None if scene.seen.connect_to.is_some() => found.remedy("check the host and the port that were given to connect to"),
        None => found.remedy("check the port, and that the name points to the balancer"),
    })
}

/// A balancer has an address in each zone; clients take any of them.
fn addresses_fail(scene: &Scene<'_>) -> Option<Diagnosis> {
    let tcp = scene.seen.tcp().filter(|_| scene.seen.passed(Stage::Tcp))?;
    let failed = tcp.attempts.iter().filter(|attempt| attempt.failure.is_some()).count();
    if failed == 0 {
        return None;
    }
    let all = tcp.attempts.len();
    let found = Diagnosis::warning(
        Cause::AddressesFail,
        format!("{failed} of the {all} addresses do not answer: clients that choose them fail"),
    );
    Some(network_remedies(scene, with_evidence(found, &tcp.attempts)))
}
