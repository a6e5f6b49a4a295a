//! Where servers listen: with or without the PROXY header, as the balancer sends it, and each socket said once.

use std::collections::BTreeSet;

use super::configuration::Configuration;
use super::finding::Findings;
use super::parse::At;
use super::server::Listen;
use super::{PortFacts, Subject};
use crate::backend::arrival::Arrival;
use crate::model::Protocol;

pub(super) fn check(subject: &Subject<'_>, configuration: &Configuration<'_>, findings: &mut Findings) {
    let listens: Vec<&Listen> = configuration.servers.iter().flat_map(|server| &server.listens).collect();
    for facts in subject.ports.values() {
        let here: Vec<&Listen> =
            listens.iter().filter(|listen| listen.is_tcp() && listen.ports.contains(&facts.port)).copied().collect();
        let reachable: Vec<&Listen> = here.iter().filter(|listen| listen.is_reachable()).copied().collect();
        let at_port = if reachable.is_empty() { here } else { reachable };
        if at_port.is_empty() {
            let port = facts.port;
            let message = format!("nothing listens on instance port {port}, where listeners of the balancer lead");
            findings.add(At { file: 0, line: 0 }, "nothing-listens", message);
        }
        for listen in at_port {
            check_header(subject, *facts, listen, findings);
            check_tls(*facts, listen, findings);
        }
    }
    check_health(subject, &listens, findings);
    check_sockets(&listens, findings);
}

fn check_header(subject: &Subject<'_>, facts: PortFacts, listen: &Listen, findings: &mut Findings) {
    let PortFacts { port, arrival, .. } = facts;
    let text = &listen.text;
    match (arrival, listen.proxy_protocol) {
        (Arrival::Proxied, false) => findings.add(
            listen.at,
            "listen-without-proxy-protocol",
            format!(
                "`listen {text}` lacks proxy_protocol: every connection to instance port {port} begins with the PROXY header, \
                 which is answered with status 400"
            ),
        ),
        (Arrival::Encrypted, true) if subject.balancer.is_proxied(port) => findings.add(
            listen.at,
            "proxy-protocol-inside-tls",
            format!(
                "`listen {text}` expects the PROXY header before TLS, and the balancer sends it inside: give the listener a \
                 plain instance port"
            ),
        ),
        (Arrival::Http | Arrival::Bare(_) | Arrival::Encrypted, true) => findings.add(
            listen.at,
            "listen-with-proxy-protocol",
            format!(
                "`listen {text}` expects the PROXY header, and the balancer sends none to instance port {port}: every \
                 connection is closed without an answer"
            ),
        ),
        (Arrival::Proxied, true) | (Arrival::Http | Arrival::Bare(_) | Arrival::Encrypted, false) => {}
    }
}

fn check_tls(facts: PortFacts, listen: &Listen, findings: &mut Findings) {
    let PortFacts { port, arrival, secure } = facts;
    let text = &listen.text;
    if arrival == Arrival::Encrypted && !listen.ssl {
        let message = format!("`listen {text}` lacks ssl: the balancer encrypts what it sends to instance port {port}");
        findings.add(listen.at, "listen-without-ssl", message);
    }
    // Without a secure listener the balancer passes the clients' own TLS through.
    if arrival != Arrival::Encrypted && secure && listen.ssl {
        let message =
            format!("`listen {text}` expects TLS, and the balancer has decrypted what arrives on instance port {port}");
        findings.add(listen.at, "listen-with-ssl", message);
    }
}

/// HTTP checks never carry the header, whatever the policy says (elb-facts 2.4).
fn check_health(subject: &Subject<'_>, listens: &[&Listen], findings: &mut Findings) {
    let Some(target) = subject.balancer.health_check.as_ref().map(|check| &check.target) else { return };
    if !matches!(target.protocol, Protocol::Http | Protocol::Https) {
        return;
    }
    for listen in listens.iter().filter(|listen| listen.ports.contains(&target.port) && listen.proxy_protocol) {
        let message = format!(
            "`listen {}` expects the PROXY header, and the health check {target} carries none: instances go out of service",
            listen.text
        );
        findings.add(listen.at, "health-check-without-header", message);
    }
}

/// Servers that share a socket share its options: they are said once, and proxy_protocol is said alike.
fn check_sockets(listens: &[&Listen], findings: &mut Findings) {
    for (index, listen) in listens.iter().enumerate() {
        let Some(earlier) = listens[..index].iter().find(|other| other.is_same_socket(listen) && other.at != listen.at)
        else {
            continue;
        };
        let with_options =
            listens[..index].iter().find(|other| other.is_same_socket(listen) && !other.socket_options.is_empty());
        if let Some(first) = with_options.filter(|_| !listen.socket_options.is_empty()) {
            let options: BTreeSet<&str> = listen.socket_options.iter().map(String::as_str).collect();
            let options = options.into_iter().collect::<Vec<_>>().join(" ");
            let message = format!(
                "options of the socket {} ({options}) are set a second time, after line {}: nginx does not start",
                listen.text, first.at.line
            );
            findings.add(listen.at, "duplicate-listen-options", message);
        }
        if listen.default_server && listens[..index].iter().any(|other| other.is_same_socket(listen) && other.default_server)
        {
            let message = format!("{} has a default_server already: nginx does not start", listen.text);
            findings.add(listen.at, "duplicate-listen-options", message);
        }
        if listen.proxy_protocol != earlier.proxy_protocol {
            let message = format!(
                "`listen {}` and line {} disagree about proxy_protocol, which holds for the whole socket",
                listen.text, earlier.at.line
            );
            findings.add(listen.at, "disagreeing-listens", message);
        }
    }
}
