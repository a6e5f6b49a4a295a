//! What `elbws apply` without further flags would make of a balancer, as far as findings need to know.
//!
//! The planner itself is out of reach here, so the recipe's few decisions are repeated; tests hold every "fixed by apply" against
//! the real thing.

use std::collections::BTreeSet;

use super::rules::journal::is_broken;
use super::{Missing, Subject};
use crate::model::{Listener, Policy, Protocol, policy_type, service_without_proxy};

/// The recipe's outcome.
pub(super) struct Repair {
    /// Instance ports that have the header now.
    proxied: BTreeSet<u16>,
    /// Instance ports that a TCP or SSL listener reaches afterwards.
    transport: BTreeSet<u16>,
    /// Instance ports that a TCP or SSL listener with an encrypted back end reaches.
    encrypted: BTreeSet<u16>,
    /// Whether `apply` refuses the balancer as a whole, and so repairs nothing.
    refused: bool,
}

impl Repair {
    pub(super) fn of(subject: &Subject) -> Result<Self, Missing> {
        let listeners = || subject.listed.listeners.values();
        let after = listeners().filter(|listener| listener.is_transport() || is_https_to_http(listener));
        let encrypted = listeners().filter(|listener| listener.is_transport() && listener.instance_protocol.is_secure());
        let mut repair = Repair {
            proxied: subject.proxied_ports()?,
            transport: after.map(|listener| listener.instance_port).collect(),
            encrypted: encrypted.map(|listener| listener.instance_port).collect(),
            refused: false,
        };
        // Where tags were not read, no unfinished run is assumed.
        let is_broken = subject.tags().is_ok_and(is_broken);
        repair.refused = is_broken || repair.leaves_all(subject) || repair.meets_authentication(subject)?;
        Ok(repair)
    }

    /// Whether a TCP or SSL listener sends the header to the instance port afterwards.
    pub(super) fn sends_header(&self, instance_port: u16) -> bool {
        !self.refused && self.shall_send(instance_port)
    }

    /// Whether a proxy policy is newly attached to the instance port.
    pub(super) fn attaches(&self, instance_port: u16) -> bool {
        !self.refused && self.lacks(instance_port)
    }

    /// Whether an HTTP or HTTPS listener becomes TCP or SSL.
    pub(super) fn converts(&self, listener: &Listener) -> bool {
        match (&listener.protocol, &listener.instance_protocol) {
            (Protocol::Http, Protocol::Http) => self.sends_header(listener.instance_port),
            _ => !self.refused && is_https_to_http(listener),
        }
    }

    fn shall_send(&self, instance_port: u16) -> bool {
        self.transport.contains(&instance_port) && (self.proxied.contains(&instance_port) || self.lacks(instance_port))
    }

    fn lacks(&self, instance_port: u16) -> bool {
        self.transport.contains(&instance_port)
            && !self.proxied.contains(&instance_port)
            && !self.encrypted.contains(&instance_port)
            && service_without_proxy(instance_port).is_none()
    }

    /// Whether no listener can be made to carry WebSockets: on the port of SSH and its like nobody speaks them.
    fn leaves_all(&self, subject: &Subject) -> bool {
        let carries = |port: &u16| self.proxied.contains(port) || service_without_proxy(*port).is_none();
        let leaves = |listener: &Listener| match (&listener.protocol, &listener.instance_protocol) {
            (Protocol::Http, Protocol::Http) => !self.shall_send(listener.instance_port),
            (Protocol::Https, Protocol::Http) | (Protocol::Tcp | Protocol::Ssl, Protocol::Tcp) => false,
            _ => true,
        };
        !self.transport.iter().any(carries) && subject.listed.listeners.values().any(leaves)
    }

    /// Whether a policy would have to go beside one that authenticates encrypted back ends, which the service refuses.
    fn meets_authentication(&self, subject: &Subject) -> Result<bool, Missing> {
        let of_ports = subject.listed.backend_policies.iter().filter(|(port, _)| self.lacks(**port));
        let names: Vec<&String> = of_ports.flat_map(|(_, names)| names).collect();
        if names.is_empty() {
            return Ok(false);
        }
        let policies = subject.policies()?;
        let authenticates = |name: &&String| {
            policies.get(*name).is_some_and(|policy| policy.policy_type == policy_type::BACKEND_AUTHENTICATION)
        };
        Ok(names.iter().any(authenticates))
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
