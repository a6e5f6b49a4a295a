//! Which policies a listener can have, and which of them are the service's own doing.

use std::collections::BTreeSet;

pub(super) use crate::model::tls::is_negotiation;
use crate::model::{DEFAULT_NEGOTIATION_POLICY, Policy, Protocol};

/// Whether a listener of this front-end protocol can have the policy: stickiness goes with HTTP and HTTPS, negotiation with
/// HTTPS and SSL (elb-facts 2.1).
pub(super) fn may_have(protocol: &Protocol, name: &str, policy: Option<&Policy>) -> bool {
    let sticky = policy.is_some_and(Policy::is_stickiness);
    (protocol.is_application() || !sticky) && (protocol.is_secure() || !is_negotiation(name, policy))
}

/// A listener's policies without the one that the service sets by itself, which is no difference.
pub(super) fn without_default_policy(policies: &BTreeSet<String>) -> BTreeSet<String> {
    policies.iter().filter(|name| *name != DEFAULT_NEGOTIATION_POLICY).cloned().collect()
}
