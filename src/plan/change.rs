//! Changes: the differences between the known balancer and the target, as a person reads them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

use super::digest::comparable;
use super::draft::Draft;
use crate::model::names::list;
use crate::model::{Balancer, Listener, Policy, policy_type};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What changes.
    pub address: Address,
    /// How it changes.
    pub action: Action,
    /// What it is; absent for something new.
    pub before: Option<String>,
    /// What it will be; absent for something removed.
    pub after: Option<String>,
    /// Why, if it is not obvious; a sentence without a full stop.
    pub reason: Option<String>,
    /// Load balancer ports that do not accept connections for a moment.
    pub interrupts: Vec<u16>,
}

/// How an address changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Add,
    /// It changes in place.
    Change,
    /// It is deleted and created again.
    Replace,
    /// It is removed.
    Remove,
}

/// The part of a balancer that changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// The health check.
    HealthCheck,
    /// The idle timeout.
    IdleTimeout,
    /// The policy of this name.
    Policy(String),
    /// The policies attached to this instance port.
    InstancePort(u16),
    /// The listener on this load balancer port.
    Listener(u16),
    /// What an interrupted run left in the tags about the listener on this load balancer port.
    Journal(u16),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::HealthCheck => f.pad("health check"),
            Address::IdleTimeout => f.pad("idle timeout"),
            Address::Policy(_) => f.pad("policy"),
            Address::InstancePort(port) => f.pad(&format!("instance port {port}")),
            Address::Listener(port) => f.pad(&format!("listener {port}")),
            Address::Journal(port) => f.pad(&format!("journal {port}")),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Address::Policy(name) => serializer.collect_str(&format_args!("policy {name}")),
            other => serializer.collect_str(other),
        }
    }
}

/// All changes, in the order in which they will happen.
pub(super) fn changes(draft: &Draft) -> Vec<Change> {
    let (live, target) = (comparable(draft.live), comparable(&draft.target));
    let mut changes = Vec::new();
    let mut push = |address: Address, before: Option<String>, after: Option<String>| {
        let action = match (&before, &after) {
            (None, _) => Action::Add,
            (_, None) => Action::Remove,
            _ => Action::Change,
        };
        let reason = draft.reasons.get(&address).cloned();
        changes.push(Change { address, action, before, after, reason, interrupts: Vec::new() });
    };
    if live.health_check != target.health_check {
        let text = |balancer: &Balancer| balancer.health_check.as_ref().map(|check| check.target.to_string());
        push(Address::HealthCheck, text(&live), text(&target));
    }
    if live.attributes.idle_timeout != target.attributes.idle_timeout {
        let text = |balancer: &Balancer| Some(format!("{} s", balancer.attributes.idle_timeout));
        push(Address::IdleTimeout, text(&live), text(&target));
    }
    for (name, policy) in target.policies.iter().filter(|(name, _)| !live.policies.contains_key(*name)) {
        push(Address::Policy(name.clone()), None, Some(describe_policy(name, policy)));
    }
    let ports: BTreeSet<u16> = live.backend_policies.keys().chain(target.backend_policies.keys()).copied().collect();
    for port in ports {
        let (before, after) = (live.policies_of_instance_port(port), target.policies_of_instance_port(port));
        if before != after {
            push(Address::InstancePort(port), Some(list(&before)), Some(list(&after)));
        }
    }
    let ports: BTreeSet<u16> = live.listeners.keys().chain(target.listeners.keys()).copied().collect();
    changes.extend(
        ports
            .into_iter()
            .filter_map(|port| listener_change(draft, port, live.listeners.get(&port), target.listeners.get(&port))),
    );
    for (name, policy) in live.policies.iter().filter(|(name, _)| !target.policies.contains_key(*name)) {
        let (address, before) = (Address::Policy(name.clone()), Some(describe_policy(name, policy)));
        let reason = draft.reasons.get(&address).cloned();
        changes.push(Change { address, action: Action::Remove, before, after: None, reason, interrupts: Vec::new() });
    }
    for port in draft.journal.keys.keys() {
        changes.push(Change {
            address: Address::Journal(*port),
            action: Action::Remove,
            before: draft.journal.listeners.get(port).map(Listener::to_string).or(Some("(leftover)".to_owned())),
            after: None,
            reason: Some("an interrupted run kept the listener's definition in the balancer's tags".to_owned()),
            interrupts: Vec::new(),
        });
    }
    changes
}

fn listener_change(draft: &Draft, port: u16, live: Option<&Listener>, target: Option<&Listener>) -> Option<Change> {
    let address = Address::Listener(port);
    let mut reason = draft.reasons.get(&address).cloned();
    let (action, interrupts) = match (live, target) {
        (Some(live), Some(target)) if live == target => return None,
        (Some(live), Some(target)) if live.same_route(target) => (Action::Change, vec![]),
        (Some(_), Some(_)) => (Action::Replace, vec![port]),
        (None, Some(_)) => {
            if draft.journal.listeners.contains_key(&port) {
                reason = Some("an interrupted run deleted it".to_owned());
            }
            (Action::Add, vec![])
        }
        (Some(_), None) if draft.journal.new.contains(&port) => {
            reason = Some("an interrupted run created it, and it stands in the way of one that was there".to_owned());
            (Action::Remove, vec![port])
        }
        (Some(_), None) => {
            reason = Some("it is not named, and what is not named is to be removed".to_owned());
            (Action::Remove, vec![port])
        }
        (None, None) => return None,
    };
    let before = live.map(|live| describe_before(live, target));
    let after = target.map(|target| describe_after(live, target));
    Some(Change { address, action, before, after, reason, interrupts })
}

/// The old listener: its route, and the certificate and policies that will not stay.
fn describe_before(live: &Listener, target: Option<&Listener>) -> String {
    let mut text = live.to_string();
    let same_certificate = target.is_none_or(|target| target.certificate == live.certificate);
    if let Some(certificate) = live.certificate.as_ref().filter(|_| !same_certificate) {
        text.push_str(&format!(", certificate {certificate}"));
    }
    if target.is_some_and(|target| target.policies != live.policies) {
        text.push_str(&format!(", policies {}", list(&live.policies)));
    }
    text
}

/// The new listener: its route, and its certificate and policies where they differ from the old one's.
fn describe_after(live: Option<&Listener>, target: &Listener) -> String {
    let mut text = target.to_string();
    if let Some(certificate) = &target.certificate {
        match live.and_then(|live| live.certificate.as_ref()) {
            Some(same) if same == certificate => text.push_str(", certificate unchanged"),
            _ => text.push_str(&format!(", certificate {certificate}")),
        }
    }
    if live.map(|live| &live.policies).unwrap_or(&BTreeSet::new()) != &target.policies {
        text.push_str(&format!(", policies {}", list(&target.policies)));
    }
    text
}

/// A policy by name and what it says: the proxy switch or the predefined policy it refers to, else its type.
fn describe_policy(name: &str, policy: &Policy) -> String {
    let detail = match policy.policy_type.as_str() {
        policy_type::PROXY_PROTOCOL => {
            let value = policy.attributes.get("ProxyProtocol").map(list).unwrap_or_default();
            format!("ProxyProtocol={value}")
        }
        other => policy.reference_security_policy().unwrap_or(other).to_owned(),
    };
    format!("{name}  {detail}")
}
