//! What of a balancer a plan depends on, and its digest.
//!
//! Instances, security groups, subnets, zones, foreign tags and attributes other than the idle timeout come and go without
//! elbws (an auto-scaling group owns the instances), so a saved plan does not go stale when they change.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::journal::is_journal_tag;
use super::listener_policies::without_default_policy;
use crate::model::{Attributes, Balancer, DEFAULT_NEGOTIATION_POLICY, Policy};

/// The balancer reduced to what a plan depends on, in a form in which equal means equivalent.
pub(super) fn comparable(balancer: &Balancer) -> Balancer {
    let mut balancer = balancer.clone();
    for listener in balancer.listeners.values_mut() {
        listener.policies = without_default_policy(&listener.policies);
        if !listener.protocol.is_secure() {
            listener.certificate = None;
        }
    }
    balancer.policies.remove(DEFAULT_NEGOTIATION_POLICY);
    balancer.policies.values_mut().for_each(|policy| *policy = comparable_policy(policy));
    balancer.backend_policies.retain(|_, names| !names.is_empty());
    balancer.tags.retain(|key, _| is_journal_tag(key));
    balancer.attributes = Attributes { idle_timeout: balancer.attributes.idle_timeout, ..Attributes::default() };
    balancer.instances.clear();
    balancer.security_groups.clear();
    balancer.subnets.clear();
    balancer.availability_zones.clear();
    balancer
}

/// A policy in which equal means equivalent: booleans compare without case (elb-facts 1.4), and a negotiation policy that
/// refers to a predefined one reads back with every protocol and cipher of that one.
fn comparable_policy(policy: &Policy) -> Policy {
    if let Some(reference) = policy.reference_security_policy() {
        return Policy::negotiation(reference);
    }
    let fold = |value: &String| match value.to_ascii_lowercase().as_str() {
        folded @ ("true" | "false") => folded.to_owned(),
        _ => value.clone(),
    };
    let attributes: BTreeMap<_, BTreeSet<_>> =
        policy.attributes.iter().map(|(name, values)| (name.clone(), values.iter().map(fold).collect())).collect();
    Policy { policy_type: policy.policy_type.clone(), attributes }
}

/// For people and programs that compare plans; [`super::progress`] compares the states themselves. The digest of everything a plan for this balancer depends on: `sha256:` and 64 hexadecimal digits.
pub fn digest(balancer: &Balancer) -> String {
    format!("sha256:{}", hexadecimal(&Sha256::digest(format!("{:?}", comparable(balancer)))))
}

/// Eight hexadecimal digits that stand for a policy's content, for a name that collides with nothing else.
pub(super) fn content_address(policy: &Policy) -> String {
    hexadecimal(&Sha256::digest(format!("{policy:?}"))[..4])
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
