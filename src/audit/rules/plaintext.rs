//! Traffic that nobody encrypts.

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Subject};
use crate::model::{Listener, Protocol, service_without_proxy};

pub(super) const NO_TLS: Check = Check {
    rule: Rule {
        id: "ELBWS108",
        severity: Severity::Warning,
        title: "Plaintext listener with no TLS counterpart",
        why: "Whatever passes through the listener, cookies and tokens included, can be read and changed on the way, and browsers \
              refuse ws:// from a page that came over HTTPS. The balancer has no HTTPS or SSL listener, and no TCP listener on \
              443 or 8443 behind which a server could speak TLS itself. On an internal balancer this is only a note.",
        remedy: "Add a listener that terminates TLS, for example `elbws listener SSL:443/TCP:80 --elb NAME --certificate ARN`, and \
                 keep the plaintext one for redirects at most. Its security group must admit the new port.",
        needs: &[Read::Listing],
        fixed_by_apply: false,
    },
    sources: &[],
    look: no_tls,
};

fn no_tls(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let listeners = || subject.listed.listeners.values();
    if listeners().any(|listener| listener.protocol.is_secure() || may_be_tls(listener)) {
        return Ok(());
    }
    for listener in listeners().filter(|listener| is_plaintext(listener)) {
        let message = format!("{listener} is not encrypted, and the balancer offers no encrypted way");
        let found = findings.note(Place::Listener(listener.load_balancer_port), message);
        if !subject.listed.is_internet_facing() {
            found.severity = Severity::Note;
        }
    }
    Ok(())
}

/// A TCP listener passes TLS of its server through, if the server speaks it; the port is all there is to tell by.
fn may_be_tls(listener: &Listener) -> bool {
    listener.protocol == Protocol::Tcp
        && (matches!(listener.load_balancer_port, 443 | 8443) || matches!(listener.instance_port, 443 | 8443))
}

/// What speaks TCP on the port of a well-known service is no web traffic; many of those encrypt by themselves.
fn is_plaintext(listener: &Listener) -> bool {
    match listener.protocol {
        Protocol::Http => true,
        Protocol::Tcp => {
            !listener.instance_protocol.is_secure()
                && service_without_proxy(listener.load_balancer_port).is_none()
                && service_without_proxy(listener.instance_port).is_none()
        }
        _ => false,
    }
}
