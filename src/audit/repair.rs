//! What `elbws apply` without further flags would make of a balancer, as far as findings need to know.
//!
//! The planner itself is out of reach here, so the recipe's few decisions are repeated; tests hold every "fixed by apply" against
//! the real thing.

use std::collections::BTreeSet;

use super::{Missing, Subject};
use crate::model::{Listener, Policy, Protocol, service_without_proxy};

/// The recipe's outcome.
pub(super) struct Repair {
    /// Instance ports that have the header now.
    proxied: BTreeSet<u16>,
    /// Instance ports that a TCP or SSL listener reaches afterwards.
    transport: BTreeSet<u16>,
    /// Instance ports that a TCP or SSL listener with an encrypted back end reaches.
    encrypted: BTreeSet<u16>,
}

impl Repair {
    pub(super) fn of(subject: &Subject) -> Result<Self, Missing> {
        Ok(Repair::given(subject, subject.proxied_ports()?))
    }

    /// The outcome for given proxied ports.
    fn given(subject: &Subject, proxied: BTreeSet<u16>) -> Self {
        let listeners = || subject.listed.listeners.values();
        let after = listeners().filter(|listener| listener.is_transport() || is_https_to_http(listener));
        let encrypted = listeners().filter(|listener| listener.is_transport() && listener.instance_protocol.is_secure());
        Repair {
            proxied,
            transport: after.map(|listener| listener.instance_port).collect(),
            encrypted: encrypted.map(|listener| listener.instance_port).collect(),
        }
    }

    /// Whether a TCP or SSL listener sends the header to the instance port afterwards.
    pub(super) fn sends_header(&self, instance_port: u16) -> bool {
        self.transport.contains(&instance_port) && (self.proxied.contains(&instance_port) || self.attaches(instance_port))
    }

    /// Whether a proxy policy is newly attached to the instance port.
    pub(super) fn attaches(&self, instance_port: u16) -> bool {
        self.transport.contains(&instance_port)
            && !self.proxied.contains(&instance_port)
            && !self.encrypted.contains(&instance_port)
            && service_without_proxy(instance_port).is_none()
    }

    /// Whether an HTTP or HTTPS listener becomes TCP or SSL.
    pub(super) fn converts(&self, listener: &Listener) -> bool {
        match (&listener.protocol, &listener.instance_protocol) {
            (Protocol::Http, Protocol::Http) => self.sends_header(listener.instance_port),
            _ => Repair::converts_https(listener),
        }
    }

    /// Whether a listener is HTTPS and becomes SSL, which depends on nothing else. On the port of SSH and its like nobody talks
    /// WebSockets, and the recipe may refuse.
    pub(super) fn converts_https(listener: &Listener) -> bool {
        is_https_to_http(listener) && service_without_proxy(listener.instance_port).is_none()
    }

    /// The proxy policy that is attached where one is missing, if the balancer holds one already.
    pub(super) fn adopts<'a>(&self, subject: &'a Subject) -> Result<Option<&'a str>, Missing> {
        if !self.transport.iter().any(|port| self.attaches(*port)) {
            return Ok(None);
        }
        let policies = subject.policies()?;
        let preferred = format!("{}-proxy-protocol", subject.listed.name);
        let fits = |policy: &Policy| policy.enables_proxy_protocol();
        let adopted = policies.get_key_value(&preferred).filter(|(_, policy)| fits(policy));
        Ok(adopted.or_else(|| policies.iter().find(|(_, policy)| fits(policy))).map(|(name, _)| name.as_str()))
    }
}

fn is_https_to_http(listener: &Listener) -> bool {
    (&listener.protocol, &listener.instance_protocol) == (&Protocol::Https, &Protocol::Http)
}
