//! Causes as data: something seen, a balancer, and the diagnosis they come to. What a real server can show is tested with one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::model::{Attributes, Balancer, HealthCheck, Listener, Policy, Protocol};
use crate::verify::seen::*;

const NAME: &str = "chat-1.eu-west-1.elb.amazonaws.com";

/// A balancer with listeners such as `SSL:443/TCP:80`, and the policy on these instance ports.
fn view(listeners: &[&str], proxied: &[u16], in_service: Option<bool>) -> BalancerView {
    let listeners = listeners.iter().map(|route| {
        let (front, back) = route.split_once('/').unwrap();
        let end = |text: &str| {
            let (protocol, port) = text.split_once(':').unwrap();
            (Protocol::from(protocol), port.parse::<u16>().unwrap())
        };
        let ((protocol, load_balancer_port), (instance_protocol, instance_port)) = (end(front), end(back));
        let listener = Listener {
            protocol,
            load_balancer_port,
            instance_protocol,
            instance_port,
            certificate: None,
            policies: Default::default(),
        };
        (load_balancer_port, listener)
    });
    let balancer = Balancer {
        name: "chat".to_owned(),
        dns_name: NAME.to_owned(),
        scheme: "internet-facing".to_owned(),
        vpc: None,
        listeners: listeners.collect(),
        backend_policies: proxied.iter().map(|port| (*port, ["proxy".to_owned()].into())).collect(),
        policies: BTreeMap::from([("proxy".to_owned(), Policy::proxy_protocol())]),
        health_check: Some(HealthCheck {
            target: "TCP:80".parse().unwrap(),
            interval: 30,
            timeout: 5,
            unhealthy_threshold: 2,
            healthy_threshold: 10,
        }),
        attributes: Attributes::default(),
        instances: ["i-1".to_owned()].into(),
        security_groups: ["sg-1".to_owned()].into(),
        subnets: ["subnet-1".to_owned()].into(),
        availability_zones: Default::default(),
        tags: Default::default(),
    };
    let instance = |in_service| InstanceSeen { id: "i-1".to_owned(), in_service, description: "N/A".to_owned() };
    BalancerView { balancer, instances: in_service.map(|in_service| vec![instance(in_service)]) }
}

fn seen(stages: Vec<(Outcome, Seen)>) -> Observations {
    let stages = stages.into_iter().map(|(outcome, seen)| StageResult { outcome, took: Duration::ZERO, seen });
    Observations { target: "wss://chat.example.com/ws".parse().unwrap(), connect_to: None, stages: stages.collect() }
}

fn tcp(failures: &[Option<ConnectFailureKind>]) -> (Outcome, Seen) {
    let attempts: Vec<Attempt> = failures
        .iter()
        .zip(1u8..)
        .map(|(kind, number)| Attempt {
            address: SocketAddr::new([192, 0, 2, number].into(), 443),
            took: Duration::ZERO,
            failure: kind.map(|kind| ConnectFailure { kind, text: "no".to_owned() }),
        })
        .collect();
    let peer = attempts.iter().find(|attempt| attempt.failure.is_none()).map(|attempt| attempt.address);
    let outcome = if peer.is_some() { Outcome::Passed } else { Outcome::Failed };
    (outcome, Seen::Tcp(TcpSeen { attempts, peer }))
}

fn tls(kind: TlsFailureKind, received: Option<&str>) -> (Outcome, Seen) {
    let failure = TlsFailure { kind, text: "no".to_owned(), received: received.map(str::to_owned) };
    let seen = TlsSeen {
        server_name: "chat.example.com".to_owned(),
        protocol: None,
        cipher: None,
        certificates: Vec::new(),
        trust_failure: None,
        failure: Some(failure),
        insecure: false,
    };
    (Outcome::Failed, Seen::Tls(seen))
}

/// Both requests with the same end: a status, or a closed connection.
fn requests(status: Option<u16>) -> Vec<(Outcome, Seen)> {
    let http = || HttpSeen {
        request: "GET /".to_owned(),
        local: None,
        reply: status.map(|status| Reply { status, reason: String::new(), headers: Vec::new(), body: String::new() }),
        failure: status.is_none().then(|| ExchangeFailure {
            kind: ExchangeFailureKind::Closed,
            text: "closed".to_owned(),
            received: None,
        }),
    };
    vec![(Outcome::Inconclusive, Seen::Http(http())), (Outcome::Failed, Seen::Upgrade(http()))]
}

fn idle(held: f64, asked: u64) -> (Outcome, Seen) {
    let seen = HoldSeen {
        asked: Duration::from_secs(asked),
        held: Duration::from_secs_f64(held),
        ping_every: None,
        closed: Some(Closed::EndOfStream),
        server_spoke: false,
    };
    (Outcome::Failed, Seen::Idle(seen))
}

#[track_caller]
fn diagnosed(stages: Vec<(Outcome, Seen)>, view: Option<BalancerView>) -> (Cause, bool, String) {
    let diagnoses = diagnose(&seen(stages), view.as_ref());
    assert_eq!(diagnoses.len(), 1, "{diagnoses:#?}");
    (diagnoses[0].cause, diagnoses[0].certain, format!("{:?}", diagnoses[0]))
}

#[test]
fn nothing_is_wrong_with_nothing() {
    assert_eq!(diagnose(&seen(vec![tcp(&[None, None])]), Some(&view(&["SSL:443/TCP:80"], &[80], Some(true)))), []);
}

#[test]
fn ports_and_addresses() {
    use ConnectFailureKind::{Refused, TimedOut};
    let name = |dns: &str| {
        let seen = NameSeen { name: dns.to_owned(), addresses: Vec::new(), failure: Some("unknown".to_owned()) };
        vec![(Outcome::Failed, Seen::Name(seen))]
    };
    let (cause, _, text) = diagnosed(name("chat.example.com"), Some(view(&["SSL:443/TCP:80"], &[80], None)));
    assert!(cause == Cause::NameNotFound && text.contains(&format!("--connect-to {NAME}:443")), "{text}");
    for (failures, view, cause, certain, says) in [
        (&[Some(TimedOut)][..], None, Cause::PortHangs, false, "admit port 443"),
        (&[Some(TimedOut)], Some(view(&["SSL:443/TCP:80"], &[80], None)), Cause::PortHangs, false, "(sg-1)"),
        (&[Some(TimedOut)], Some(view(&["TCP:8443/TCP:80"], &[80], None)), Cause::NoListener, true, "it listens on 8443"),
        (&[Some(Refused)], None, Cause::PortRefused, true, "nothing listens"),
        (&[None, Some(TimedOut)], None, Cause::AddressesFail, false, "1 of the 2 addresses"),
    ] {
        let (found, sure, text) = diagnosed(vec![tcp(failures)], view);
        assert!((found, sure) == (cause, certain) && text.contains(says), "{text}");
    }
}

/// TCP listeners pass TLS through, and the line comes before it.
#[test]
fn tls_that_the_balancer_passes_through() {
    let through = |proxied: &[u16]| Some(view(&["TCP:443/TCP:443"], proxied, Some(true)));
    for (failure, view, cause, certain) in [
        (tls(TlsFailureKind::NotTls, Some("HTTP/1.1 400 Bad Request")), through(&[443]), Cause::UnexpectedProxyLine, true),
        (tls(TlsFailureKind::Closed, None), through(&[443]), Cause::UnexpectedProxyLine, false),
        (tls(TlsFailureKind::Closed, None), through(&[]), Cause::MissingProxyLine, false),
        (tls(TlsFailureKind::NotTls, Some("HTTP/1.1 400 Bad Request")), through(&[]), Cause::PortIsPlain, true),
        (tls(TlsFailureKind::Closed, None), None, Cause::TlsCutOff, false),
    ] {
        let (found, sure, text) = diagnosed(vec![failure], view);
        assert_eq!((found, sure), (cause, certain), "{text}");
    }
}

#[test]
fn requests_that_get_no_answer() {
    let checked = |check: &str, proxied: &[u16], in_service| {
        let mut view = view(&["SSL:443/TCP:80"], proxied, in_service);
        view.balancer.health_check.as_mut().unwrap().target = check.parse().unwrap();
        Some(view)
    };
    let ssl = ["SSL:443/TCP:80"];
    for (status, view, cause, certain) in [
        (None, Some(view(&ssl, &[], Some(true))), Cause::MissingProxyLine, true),
        (None, Some(view(&ssl, &[], None)), Cause::MissingProxyLine, false),
        (None, Some(view(&ssl, &[], Some(false))), Cause::NoInstanceInService, true),
        (None, Some(view(&ssl, &[80], Some(true))), Cause::ClosedWithoutReply, false),
        (None, checked("HTTP:80/", &[80], Some(false)), Cause::HealthCheckOnProxyPort, true),
        (None, checked("HTTP:80/", &[80], None), Cause::HealthCheckOnProxyPort, false),
        // A check that cannot pass explains nothing once an instance is in service.
        (None, checked("HTTP:80/", &[80], Some(true)), Cause::ClosedWithoutReply, false),
        (None, checked("SSL:80", &[], Some(false)), Cause::NoInstanceInService, true),
        (Some(503), Some(view(&["HTTPS:443/HTTP:80"], &[], Some(false))), Cause::NoInstanceInService, true),
        (Some(504), Some(view(&["HTTPS:443/HTTP:80"], &[80], Some(true))), Cause::MixedListeners, true),
        (Some(400), Some(view(&["HTTPS:443/HTTP:80"], &[], Some(true))), Cause::HttpListener, true),
        (Some(400), Some(view(&ssl, &[80], Some(true))), Cause::UnexpectedProxyLine, true),
        (None, Some(view(&["SSL:443/SSL:443"], &[443], Some(true))), Cause::ProxyLineInsideTls, true),
        (Some(404), Some(view(&ssl, &[80], Some(true))), Cause::ServerDoesNotUpgrade, false),
        (None, None, Cause::MissingProxyLine, false),
        (Some(404), None, Cause::HttpListener, false),
    ] {
        let (found, sure, text) = diagnosed(requests(status), view);
        assert_eq!((found, sure), (cause, certain), "{text}");
    }
}

/// The remedies speak of the check that the balancer has, and of no other.
#[test]
fn no_instance_in_service_is_about_the_check_there_is() {
    for (check, says, others) in [
        ("TCP:81", "port 81 accepts a connection", ["TLS", "200"]),
        ("SSL:81", "port 81 speaks TLS", ["200", "accepts"]),
        ("HTTP:81/up", "port 81 answers GET /up over HTTP with status 200", ["TLS", "accepts"]),
    ] {
        let mut view = view(&["SSL:443/TCP:80"], &[], Some(false));
        view.balancer.health_check.as_mut().unwrap().target = check.parse().unwrap();
        let found = diagnose(&seen(requests(None)), Some(&view)).remove(0);
        let remedies = found.remedies.join("\n");
        assert!(found.cause == Cause::NoInstanceInService && remedies.contains(says), "{remedies}");
        assert!(remedies.contains("10 passes in a row, one every 30 s"), "{remedies}");
        assert!(!others.iter().any(|other| remedies.contains(other)), "{remedies}");
    }
}

#[test]
fn silence() {
    let balancer = || Some(view(&["SSL:443/TCP:80"], &[80], Some(true)));
    for (held, view, cause, certain) in [
        (60.02, balancer(), Cause::BalancerIdleTimeout, true),
        (30.0, balancer(), Cause::ServerIdleTimeout, true),
        (75.0, balancer(), Cause::IdleTimeout, false),
        (60.0, None, Cause::IdleTimeout, false),
    ] {
        let (found, sure, text) = diagnosed(vec![idle(held, 90)], view);
        assert_eq!((found, sure), (cause, certain), "{text}");
        assert!(text.contains("TCP keepalive does not help"), "{text}");
    }
    let (_, _, text) = diagnosed(vec![idle(60.0, 90)], None);
    assert!(text.contains("60 s is what both"), "{text}");
}

/// A timeout that is exactly the silence asked for would cut it off again.
#[test]
fn the_idle_timeout_to_set_is_above_the_silence_asked_for() {
    for (limit, asked, says) in [
        (3, 5, "--idle-timeout 10;"),
        (60, 90, "--idle-timeout 100;"),
        (60, 95, "--idle-timeout 110;"),
        (60, 3590, "--idle-timeout 3950;"),
        (60, 3999, "--idle-timeout 4000;"),
        (60, 4000, "no longer than 4000 s"),
        (4000, 5000, "no longer than 4000 s"),
    ] {
        let mut view = view(&["SSL:443/TCP:80"], &[80], Some(true));
        view.balancer.attributes.idle_timeout = limit;
        let (cause, _, text) = diagnosed(vec![idle(limit.into(), asked)], Some(view));
        assert!(cause == Cause::BalancerIdleTimeout && text.contains(says), "{asked}: {text}");
    }
}

/// Every diagnosis says what to do or what was seen, and ends without a full stop as the page adds it.
#[test]
fn sentences_are_whole() {
    for status in [None, Some(200), Some(301), Some(400), Some(403), Some(426), Some(502)] {
        for view in [None, Some(view(&["SSL:443/TCP:80"], &[80], None)), Some(view(&["HTTP:443/HTTP:80"], &[], None))] {
            for diagnosis in diagnose(&seen(requests(status)), view.as_ref()) {
                assert!(!diagnosis.sentence.ends_with('.') && !diagnosis.remedies.is_empty(), "{diagnosis:?}");
            }
        }
    }
}
