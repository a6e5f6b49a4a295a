//! Aims the TLS negotiation policies of listeners: the one asked for, the one a listener had, or TLS 1.2 for a new one.

use super::digest::content_address;
use super::draft::Draft;
use super::listener_policies::{is_negotiation, without_default_policy};
use super::{Address, PlanError};
use crate::model::{Listener, Policy, names, policy_type};

/// The predefined policy for new listeners: TLS 1.2 only, the one AWS recommends for Classic balancers (elb-facts 2.6).
const TLS_1_2: &str = "ELBSecurityPolicy-TLS-1-2-2017-01";

pub(super) fn aim(draft: &mut Draft) -> Result<(), PlanError> {
    let mut used = false;
    for port in draft.target.listeners.keys().copied().collect::<Vec<_>>() {
        if !draft.is_about(port) || !draft.target.listeners[&port].protocol.is_secure() {
            continue;
        }
        let wanted = match &draft.spec.ssl_policy {
            Some(wanted) => wanted.clone(),
            None if is_new(draft, port) => TLS_1_2.to_owned(),
            None => continue,
        };
        used = true;
        let name = resolve(draft, &wanted)?;
        let policies = &draft.known.policies;
        if let Some(listener) = draft.target.listeners.get_mut(&port) {
            listener.policies.retain(|policy| !is_negotiation(policy, policies.get(policy)));
            listener.policies.insert(name);
        }
    }
    if draft.spec.ssl_policy.is_some() && !used { Err(PlanError::UnusedSslPolicy) } else { Ok(()) }
}

/// Whether a listener terminates TLS where none did before, or where an interrupted run has only just created one.
fn is_new(draft: &Draft, port: u16) -> bool {
    let terminated_tls = |listener: &Listener| listener.protocol.is_secure();
    match draft.known.listeners.get(&port) {
        None => true,
        Some(known) if !without_default_policy(&known.policies).is_empty() => !terminated_tls(known),
        Some(known) => {
            let before = draft.journal.listeners.get(&port).unwrap_or(known);
            draft.journal.new.contains(&port) || !terminated_tls(before)
        }
    }
}

/// The name of the balancer's policy that means `wanted`: one it holds, or one to create that refers to the predefined one.
/// A predefined name cannot be set directly unless the balancer already holds it (elb-facts 2.1).
fn resolve(draft: &mut Draft, wanted: &str) -> Result<String, PlanError> {
    let negotiation = |policy: &Policy| policy.policy_type == policy_type::SSL_NEGOTIATION;
    if draft.target.policies.get(wanted).is_some_and(negotiation) {
        return Ok(wanted.to_owned());
    }
    let mut held = draft.target.policies.iter().filter(|(_, policy)| negotiation(policy));
    if !names::is_reserved_policy_name(wanted) {
        let held = held.map(|(name, _)| name.clone()).collect();
        return Err(PlanError::UnknownSslPolicy { name: wanted.to_owned(), held });
    }
    if let Some((name, _)) = held.find(|(_, policy)| policy.reference_security_policy() == Some(wanted)) {
        return Ok(name.clone());
    }
    let policy = Policy::negotiation(wanted);
    let short = wanted.strip_prefix("ELBSecurityPolicy-").unwrap_or(wanted);
    let mut name = format!("{}-{short}", draft.live.name);
    if draft.target.policies.contains_key(&name) {
        name = format!("{name}-{}", content_address(&policy));
    }
    draft.reason(Address::Policy(name.clone()), format!("takes its protocols and ciphers from {wanted}"));
    draft.target.policies.insert(name.clone(), policy);
    Ok(name)
}
