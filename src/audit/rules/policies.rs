//! Policies that nothing needs. Their number is limited, and they never go away by themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};
use crate::model::names::is_reserved_policy_name;
use crate::model::{Policy, policy_type};

const NEEDS: &[Read] = &[Read::Listing, Read::Policies];

pub(super) const UNUSED: Check = Check {
    rule: Rule {
        id: "ELBWS401",
        severity: Severity::Note,
        title: "Unused policy",
        why: "A balancer holds about a hundred policies, and tools that create one for every change fill it up until the next change \
              fails with TooManyPolicies. A PROXY protocol policy that is attached nowhere is rule ELBWS005's.",
        remedy: "Delete it: `aws elb delete-load-balancer-policy --load-balancer-name NAME --policy-name POLICY`.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: &[Source::Policies],
    look: unused,
};

pub(super) const DUPLICATE: Check = Check {
    rule: Rule {
        id: "ELBWS402",
        severity: Severity::Note,
        title: "Policies with the same content",
        why: "Two policies that say the same are one too many: whoever changes one of them believes to have changed the balancer.",
        remedy: "Attach one of them everywhere, then delete the others: `aws elb delete-load-balancer-policy`.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: &[Source::Policies],
    look: duplicate,
};

fn unused(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    if subject.listed.policy_names.is_empty() {
        return Ok(());
    }
    let policies = subject.policies()?;
    // A back-end authentication policy names the keys it needs.
    let referred: BTreeSet<&String> =
        policies.values().filter_map(|policy| policy.attributes.get("PublicKeyPolicyName")).flatten().collect();
    for (name, policy) in policies {
        let used = subject.listed.is_attached(name) || referred.contains(name);
        let elsewhere = is_reserved_policy_name(name) || policy.enables_proxy_protocol();
        if !used && !elsewhere {
            let message = format!("policy {name} ({}) is attached nowhere", policy.policy_type);
            findings.note(Place::Policy(name.clone()), message);
        }
    }
    Ok(())
}

fn duplicate(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    if subject.listed.policy_names.len() < 2 {
        return Ok(());
    }
    let mut same: BTreeMap<(String, Vec<String>), Vec<&str>> = BTreeMap::new();
    for (name, policy) in subject.policies()?.iter().filter(|(name, _)| !is_reserved_policy_name(name)) {
        same.entry(content(policy)).or_default().push(name);
    }
    for names in same.into_values() {
        if let [first, others @ ..] = names.as_slice() {
            for other in others {
                let message = format!("policy {other} has the same content as {first}");
                findings.note(Place::Policy((*other).to_owned()), message);
            }
        }
    }
    Ok(())
}

/// The content in a form in which equal means equivalent: booleans without regard to case, `false` as if it were absent, and a
/// reference to a predefined policy in place of everything that follows from it.
fn content(policy: &Policy) -> (String, Vec<String>) {
    let attributes = match policy.reference_security_policy() {
        Some(reference) if policy.policy_type == policy_type::SSL_NEGOTIATION => vec![reference.to_owned()],
        _ => {
            let pairs = policy.attributes.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
            let fold = |value: &str| match value.to_ascii_lowercase().as_str() {
                folded @ ("true" | "false") => folded.to_owned(),
                _ => value.to_owned(),
            };
            let pairs = pairs.map(|(name, value)| (name, fold(value)));
            let is_off = |value: &str| value == "false" && policy.policy_type == policy_type::SSL_NEGOTIATION;
            pairs.filter(|(_, value)| !is_off(value)).map(|(name, value)| format!("{name}={value}")).collect()
        }
    };
    (policy.policy_type.clone(), attributes)
}
