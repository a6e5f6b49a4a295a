//! Aims the listeners: protocols, ports and certificates. Their policies are the negotiation's concern.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::listener_policies::may_have;
use super::proxy_protocol::Selection;
use super::{Address, NoteKind, PlanError};
use crate::model::{Listener, Policy, Protocol};
use crate::spec::recipe::{self, Recipe};
use crate::spec::{ListenerIntent, ListenerRequest};

pub(super) fn aim(draft: &mut Draft) -> Result<(), PlanError> {
    let spec = draft.spec;
    draft.target.listeners = match &spec.listeners {
        ListenerIntent::Keep => draft.known.listeners.clone(),
        ListenerIntent::Recipe => from_recipe(draft)?,
        ListenerIntent::Set(requests) => requested(draft, requests)?,
    };
    certify(draft)?;
    warn_of_lost_tls(draft);
    carry_policies(draft);
    check_shared_instance_ports(draft)
}

/// The recipe's listeners; an error if nothing would carry WebSockets although some listener was meant to.
fn from_recipe(draft: &mut Draft) -> Result<BTreeMap<u16, Listener>, PlanError> {
    let selection = Selection::of(draft.spec);
    let proxied = |port| draft.known.is_proxied(port) || selection.wants(port);
    let Recipe { listeners, reasons, left } = recipe::derive(&draft.known, proxied);
    // A listener for SSH or a database is no path for WebSockets.
    let carries = |listener: &Listener| {
        let port = listener.instance_port;
        listener.is_transport() && (proxied(port) || recipe::service_without_proxy(port).is_none())
    };
    if !left.is_empty() && !listeners.values().any(carries) {
        return Err(PlanError::NothingToConvert(left.into_iter().map(|left| left.text).collect()));
    }
    for (port, reason) in reasons {
        draft.reason(Address::Listener(port), reason);
    }
    for left in left {
        draft.note(if left.terminates_tls { NoteKind::Warning } else { NoteKind::Note }, left.text);
    }
    Ok(listeners)
}

/// The requested listeners, beside those that are there; alone if the spec prunes.
fn requested(draft: &Draft, requests: &[ListenerRequest]) -> Result<BTreeMap<u16, Listener>, PlanError> {
    let mut listeners = if draft.spec.prune { BTreeMap::new() } else { draft.known.listeners.clone() };
    let mut seen = BTreeSet::new();
    for request in requests {
        let port = request.load_balancer_port;
        if !seen.insert(port) {
            return Err(PlanError::DuplicatePort(port));
        }
        if request.protocol.layer().is_none() || request.protocol.layer() != request.instance_protocol.layer() {
            return Err(PlanError::ProtocolPair(request.to_string()));
        }
        let known = draft.known.listeners.get(&port);
        let certificate = request.certificate.clone().or_else(|| known.and_then(|listener| listener.certificate.clone()));
        let listener = Listener {
            protocol: request.protocol.clone(),
            load_balancer_port: port,
            instance_protocol: request.instance_protocol.clone(),
            instance_port: request.instance_port,
            certificate,
            policies: known.map(|listener| listener.policies.clone()).unwrap_or_default(),
        };
        listeners.insert(port, listener);
    }
    Ok(listeners)
}

/// Gives every listener that terminates TLS its certificate and takes it from every other one.
fn certify(draft: &mut Draft) -> Result<(), PlanError> {
    let spec = draft.spec;
    let mut used = false;
    for port in draft.target.listeners.keys().copied().collect::<Vec<_>>() {
        let about = draft.is_about(port);
        let has_own = matches!(&spec.listeners, ListenerIntent::Set(requests)
            if requests.iter().any(|request| request.load_balancer_port == port && request.certificate.is_some()));
        let Some(listener) = draft.target.listeners.get_mut(&port) else { continue };
        if !listener.protocol.is_secure() {
            // The service drops a certificate on a plain listener silently, and then never agrees with the plan (elb-facts 1.3).
            if about && matches!(listener.protocol, Protocol::Http | Protocol::Tcp) {
                listener.certificate = None;
            }
            if spec.certificate_ports.contains(&port) {
                return Err(PlanError::CertificateWithoutTls(port));
            }
            continue;
        }
        let wanted = spec.certificate_ports.is_empty() || spec.certificate_ports.contains(&port);
        if about
            && wanted
            && let Some(certificate) = &spec.certificate
        {
            used = true;
            if !has_own {
                listener.certificate = Some(certificate.clone());
            }
        }
        if about && listener.certificate.is_none() {
            return Err(PlanError::MissingCertificate(listener.to_string(), port));
        }
    }
    if let Some(port) = spec.certificate_ports.iter().find(|port| !draft.target.listeners.contains_key(port)) {
        return Err(PlanError::CertificateWithoutTls(*port));
    }
    if spec.certificate.is_some() && !used { Err(PlanError::UnusedCertificate) } else { Ok(()) }
}

/// Says where a listener stops terminating TLS: clients that go on speaking it reach the instances undecrypted.
fn warn_of_lost_tls(draft: &mut Draft) {
    let lost = draft.target.listeners.iter().filter_map(|(port, target)| {
        let known = draft.known.listeners.get(port).filter(|known| known.protocol.is_secure())?;
        (!target.protocol.is_secure()).then(|| {
            format!("listener {known} becomes {target} and no longer terminates TLS: https:// and wss:// clients reach the instances undecrypted")
        })
    });
    for text in lost.collect::<Vec<_>>() {
        draft.note(NoteKind::Warning, text);
    }
}

/// Drops the policies that a listener's new protocol cannot have; every other policy stays on it.
fn carry_policies(draft: &mut Draft) {
    let mut lost = Vec::new();
    for (port, listener) in &mut draft.target.listeners {
        if draft.known.listeners.get(port).is_some_and(|known| known.same_route(listener)) {
            continue;
        }
        let known = &draft.known.policies;
        let (stays, goes): (BTreeSet<String>, BTreeSet<String>) = std::mem::take(&mut listener.policies)
            .into_iter()
            .partition(|name| may_have(&listener.protocol, name, known.get(name)));
        listener.policies = stays;
        for name in goes.iter().filter(|name| known.get(*name).is_some_and(Policy::is_stickiness)) {
            lost.push(format!(
                "stickiness policy {name} cannot stay on listener {listener}: TCP and SSL listeners have none. \
                 The policy itself is kept"
            ));
        }
    }
    for text in lost {
        draft.note(NoteKind::Warning, text);
    }
}

/// All listeners of an instance port must agree on whether the back end is encrypted (elb-facts 1.3).
fn check_shared_instance_ports(draft: &Draft) -> Result<(), PlanError> {
    let mut first: BTreeMap<u16, &Listener> = BTreeMap::new();
    for listener in draft.target.listeners.values() {
        let other = *first.entry(listener.instance_port).or_insert(listener);
        if other.instance_protocol.is_secure() != listener.instance_protocol.is_secure() {
            let (secure, plain) = if other.instance_protocol.is_secure() { (other, listener) } else { (listener, other) };
            return Err(PlanError::SharedInstancePort {
                port: listener.instance_port,
                secure: secure.to_string(),
                plain: plain.to_string(),
            });
        }
    }
    Ok(())
}
