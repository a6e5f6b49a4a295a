//! Listeners that are balanced at the level of requests, where a WebSocket does not get through.

use crate::audit::check::Findings;
use crate::audit::repair::Repair;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};
use crate::model::Protocol;

pub(super) const HTTPS: Check = Check {
    rule: Rule {
        id: "ELBWS001",
        severity: Severity::Error,
        title: "HTTPS listener swallows the WebSocket upgrade",
        why: "An HTTPS listener decrypts, reads each request and writes it anew for the instance. The headers `Upgrade` and \
              `Connection` belong to one connection and are left out, so the server sees an ordinary GET and the client's \
              wss:// handshake fails, usually with status 400.",
        remedy: "Replace it by an SSL listener with a TCP back end on the same ports, which passes the decrypted stream on as it \
                 is, and give the instance port a PROXY protocol policy so that the server still learns the client's address. \
                 `elbws apply` does both. A listener whose back end is HTTPS needs to be told the plain port: \
                 `--listener SSL:443/TCP:80`. Skip this rule for balancers that carry no WebSockets.",
        needs: &[Read::Listing],
        fixed_by_apply: true,
    },
    sources: &[],
    look: https,
};

pub(super) const HTTP: Check = Check {
    rule: Rule {
        id: "ELBWS002",
        severity: Severity::Note,
        title: "HTTP listener carries no WebSockets",
        why: "An HTTP listener forwards requests, not connections, so a ws:// handshake through it fails like one through an \
              HTTPS listener. Often that is meant: the port only redirects browsers to HTTPS.",
        remedy: "If clients shall open WebSockets here, make it a TCP listener: `elbws apply --listener TCP:80/TCP:80`. `elbws \
                 apply` by itself converts it only where it shares an instance port with a listener that needs the PROXY \
                 protocol.",
        needs: &[Read::Listing, Read::Policies],
        fixed_by_apply: true,
    },
    sources: &[Source::Policies],
    look: http,
};

pub(super) const HTTP_ON_PROXIED_PORT: Check = Check {
    rule: Rule {
        id: "ELBWS003",
        severity: Severity::Error,
        title: "HTTP listener on an instance port that expects the PROXY header",
        why: "The policy makes TCP and SSL listeners send the PROXY header; HTTP and HTTPS listeners never send it. A server \
              that expects the header on the port closes every connection that comes without it, so all requests through \
              this listener fail, with an empty reply.",
        remedy: "Make the listener TCP or SSL too, so that both send the header, or give it an instance port of its own. `elbws \
                 apply` converts it where a TCP or SSL listener shares the port.",
        needs: &[Read::Listing, Read::Policies],
        fixed_by_apply: true,
    },
    sources: &[Source::Policies],
    look: http_on_proxied_port,
};

fn https(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    // What stands in the way of the repair may be a policy: where those were not read, nothing is promised.
    let repair = Repair::of(subject).ok();
    for listener in subject.listed.listeners.values().filter(|listener| listener.protocol == Protocol::Https) {
        let place = Place::Listener(listener.load_balancer_port);
        let found = findings.note(place, format!("{listener} does not pass the WebSocket upgrade on to the instances"));
        found.fixed_by_apply = repair.as_ref().is_some_and(|repair| repair.converts(listener));
    }
    Ok(())
}

fn http(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let http: Vec<_> = subject.listed.listeners.values().filter(|listener| listener.protocol == Protocol::Http).collect();
    if http.is_empty() {
        return Ok(());
    }
    let proxied = subject.proxied_ports()?;
    let repair = Repair::of(subject)?;
    // One that shares a port with the PROXY header is the next rule's.
    for listener in http.into_iter().filter(|listener| !proxied.contains(&listener.instance_port)) {
        let place = Place::Listener(listener.load_balancer_port);
        let found = findings.note(place, format!("{listener} does not pass the WebSocket upgrade on to the instances"));
        found.fixed_by_apply = repair.converts(listener);
    }
    Ok(())
}

fn http_on_proxied_port(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let proxied = subject.proxied_ports()?;
    let repair = Repair::of(subject)?;
    let listeners = subject.listed.listeners.values().filter(|listener| listener.protocol.is_application());
    for listener in listeners.filter(|listener| proxied.contains(&listener.instance_port)) {
        let port = listener.instance_port;
        let message =
            format!("{listener} sends requests without the PROXY header to instance port {port}, which expects it");
        let found = findings.note(Place::Listener(listener.load_balancer_port), message);
        found.fixed_by_apply = repair.converts(listener);
    }
    Ok(())
}
