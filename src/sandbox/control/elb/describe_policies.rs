//! `DescribeLoadBalancerPolicies`: a balancer's policies or, without a balancer, the predefined ones.

use std::collections::BTreeSet;

use super::policy_types::{self, Kind};
use super::predefined;
use crate::model::{Policy, policy_type};
use crate::sandbox::control::{ApiError, Element, Request, World};

pub(crate) fn describe(world: &World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "PolicyNames"])?;
    let asked = input.texts("PolicyNames")?.unwrap_or_default();
    let described = match input.text("LoadBalancerName")? {
        Some(name) => {
            let policies = &world.load_balancer(request, &name)?.balancer.policies;
            let names = if asked.is_empty() { policies.keys().cloned().collect() } else { asked };
            let policy = |policy_name: &String| {
                let policy = policies.get(policy_name).ok_or_else(|| ApiError::policy_not_found(&name, policy_name))?;
                Ok(described(policy_name, policy))
            };
            names.iter().map(policy).collect::<Result<Vec<_>, ApiError>>()?
        }
        None => {
            let names = if asked.is_empty() { predefined::names().map(str::to_owned).collect() } else { asked };
            let policy = |name: &String| {
                let unknown = || ApiError::new("PolicyNotFound", format!("There is no predefined policy with name {name}"));
                let (name, policy) = predefined::policy(name).ok_or_else(unknown)?;
                Ok(described(&name, &policy))
            };
            names.iter().map(policy).collect::<Result<Vec<_>, ApiError>>()?
        }
    };
    Ok(Element::new().with("PolicyDescriptions", Element::List(described)))
}

fn described(name: &str, policy: &Policy) -> Element {
    let attributes = attributes(policy)
        .into_iter()
        .map(|(name, value)| Element::new().with("AttributeName", name).with("AttributeValue", value));
    Element::new()
        .with("PolicyName", name)
        .with("PolicyTypeName", &policy.policy_type)
        .with("PolicyAttributeDescriptions", Element::List(attributes.collect()))
}

/// The attributes as they read back. A negotiation policy reads back in full: what a reference stands for, and `false` for
/// every protocol and cipher that is not on.
fn attributes(policy: &Policy) -> Vec<(String, String)> {
    let flat = |attributes: &std::collections::BTreeMap<String, BTreeSet<String>>| {
        let pairs =
            attributes.iter().flat_map(|(name, values)| values.iter().map(move |value| (name.clone(), value.clone())));
        pairs.collect::<Vec<_>>()
    };
    if policy.policy_type != policy_type::SSL_NEGOTIATION {
        return flat(&policy.attributes);
    }
    let reference = policy.reference_security_policy().and_then(predefined::policy);
    let effective = reference.as_ref().map_or(&policy.attributes, |(_, reference)| &reference.attributes);
    let known =
        policy_types::find(policy_type::SSL_NEGOTIATION).map(|policy_type| policy_type.attributes).unwrap_or_default();
    let mut all = Vec::new();
    for attribute in known {
        let name = attribute.name.to_owned();
        let value = match attribute.kind {
            Kind::Boolean => effective.get(&name).and_then(BTreeSet::first).cloned().or_else(|| Some("false".to_owned())),
            _ => policy.attributes.get(&name).and_then(BTreeSet::first).cloned(),
        };
        all.extend(value.map(|value| (name, value)));
    }
    all
}
