//! Creating and deleting policies. A policy never changes; one that is in use cannot be deleted (elb-facts 1.5 and 2.1).

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;

use super::limits::POLICY_QUOTA;
use super::policy_types::{self, Cardinality, Kind, PolicyType};
use super::predefined;
use crate::model::{Balancer, Policy, names, policy_type};
use crate::sandbox::control::{ApiError, BooleanEcho, Element, IdenticalPolicy, Reader, Request, Switches, World};

pub(crate) fn create(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "PolicyName", "PolicyTypeName", "PolicyAttributes"])?;
    let balancer_name = input.required("LoadBalancerName")?;
    let name = input.required("PolicyName")?;
    let type_name = input.required("PolicyTypeName")?;
    let balancer = &world.load_balancer(request, &balancer_name)?.balancer;
    let policy_type = policy_types::find(&type_name)?;
    let policy = Policy { policy_type: type_name, attributes: read_attributes(&input, &policy_type, &world.switches)? };
    check_content(balancer, &policy)?;
    add(world, request, &balancer_name, name, policy)
}

pub(crate) fn create_app_cookie(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "PolicyName", "CookieName"])?;
    let balancer = input.required("LoadBalancerName")?;
    let name = input.required("PolicyName")?;
    let cookie = input.required("CookieName")?;
    let policy = Policy::new(policy_type::APP_COOKIE_STICKINESS, &[("CookieName", &cookie)]);
    check_content(&world.load_balancer(request, &balancer)?.balancer, &policy)?;
    add(world, request, &balancer, name, policy)
}

pub(crate) fn create_lb_cookie(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "PolicyName", "CookieExpirationPeriod"])?;
    let balancer = input.required("LoadBalancerName")?;
    let name = input.required("PolicyName")?;
    let period = input.number("CookieExpirationPeriod")?.map(|period| period.to_string());
    let attributes = period.as_deref().map(|period| ("CookieExpirationPeriod", period));
    let policy = Policy::new(policy_type::LB_COOKIE_STICKINESS, attributes.as_slice());
    check_content(&world.load_balancer(request, &balancer)?.balancer, &policy)?;
    add(world, request, &balancer, name, policy)
}

/// Deletes a policy. One that does not exist is no error, since the action has none for it.
pub(crate) fn delete(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "PolicyName"])?;
    let balancer = input.required("LoadBalancerName")?;
    let name = input.required("PolicyName")?;
    let balancer = &mut world.load_balancer_mut(request, &balancer)?.balancer;
    if balancer.is_attached(&name) || is_referred(balancer, &name) {
        let message = format!("You cannot delete policy [{name}] since it is enabled or referred by other enabled policy");
        return Err(ApiError::invalid_configuration(message));
    }
    balancer.policies.remove(&name);
    Ok(Element::new())
}

/// Whether an attached back-end authentication policy refers to a public key policy.
fn is_referred(balancer: &Balancer, name: &str) -> bool {
    let refers = |policy: &Policy| policy.attributes.get("PublicKeyPolicyName").is_some_and(|names| names.contains(name));
    balancer.policies.iter().any(|(other, policy)| balancer.is_attached(other) && refers(policy))
}

fn add(world: &mut World, request: &Request, balancer: &str, name: String, policy: Policy) -> Result<Element, ApiError> {
    names::check_policy_name(&name).map_err(|_| {
        ApiError::invalid_configuration(format!(
            "Policy Name [{name}] is invalid: it may have letters, digits and dashes, and must not begin with \
             ELBSecurityPolicy- or ELBSample-"
        ))
    })?;
    let identical = world.switches.identical_policy;
    let balancer = &mut world.load_balancer_mut(request, balancer)?.balancer;
    if let Some(present) = balancer.policies.get(&name) {
        if *present == policy && identical == IdenticalPolicy::Silent {
            return Ok(Element::new());
        }
        return Err(ApiError::new("DuplicatePolicyName", format!("Policy Name [{name}] already exists")));
    }
    if balancer.policies.len() >= POLICY_QUOTA {
        let message = format!("A load balancer can have at most {POLICY_QUOTA} policies");
        return Err(ApiError::new("TooManyPolicies", message));
    }
    balancer.policies.insert(name, policy);
    Ok(Element::new())
}

fn read_attributes(
    input: &Reader<'_>,
    policy_type: &PolicyType,
    switches: &Switches,
) -> Result<BTreeMap<String, BTreeSet<String>>, ApiError> {
    let invalid = |message: String| Err(ApiError::invalid_configuration(message));
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for attribute in input.list("PolicyAttributes")?.unwrap_or_default() {
        attribute.only(&["AttributeName", "AttributeValue"])?;
        let (name, mut value) = (attribute.required("AttributeName")?, attribute.required("AttributeValue")?);
        let type_name = policy_type.name;
        let Some(known) = policy_type.attributes.iter().find(|known| known.name == name) else {
            return invalid(format!("Policy attribute {name} is not an attribute of policy type {type_name}"));
        };
        let is_boolean = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
        if known.kind == Kind::Boolean && !is_boolean {
            return invalid(format!("The value '{value}' of policy attribute {name} must be true or false"));
        }
        if known.kind == Kind::Boolean && switches.boolean_echo == BooleanEcho::LowerCase {
            value.make_ascii_lowercase();
        }
        sent.entry(name).or_default().push(value);
    }
    for known in &policy_type.attributes {
        let count = sent.get(known.name).map_or(0, Vec::len);
        let right = match known.cardinality {
            Cardinality::One => count == 1,
            Cardinality::ZeroOrOne => count <= 1,
            Cardinality::OneOrMore => count >= 1,
        };
        if !right {
            return invalid(format!("Policy attribute {} is missing or was given too often ({count} times)", known.name));
        }
    }
    Ok(sent.into_iter().map(|(name, values)| (name, values.into_iter().collect())).collect())
}

/// Checks what an attribute's type alone does not say.
fn check_content(balancer: &Balancer, policy: &Policy) -> Result<(), ApiError> {
    let values = |name: &str| policy.attributes.get(name).into_iter().flatten();
    let complaint = match policy.policy_type.as_str() {
        policy_type::BACKEND_AUTHENTICATION => values("PublicKeyPolicyName")
            .find(|name| balancer.policies.get(*name).is_none_or(|key| key.policy_type != policy_type::PUBLIC_KEY))
            .map(|name| format!("There is no policy {name} of type PublicKeyPolicyType")),
        policy_type::PUBLIC_KEY => values("PublicKey").find(|key| !is_public_key(key)).map(|_| {
            "The value of PublicKey must be a public key: the Base64 text between the lines of a PEM file".to_owned()
        }),
        policy_type::APP_COOKIE_STICKINESS => values("CookieName")
            .find(|name| name.is_empty() || name.contains([';', ',', '=', ' ', '\t', '\r', '\n']))
            .map(|name| format!("'{name}' cannot be the name of a cookie")),
        policy_type::LB_COOKIE_STICKINESS => values("CookieExpirationPeriod")
            .find(|period| period.parse::<i64>().map_or(true, |period| period < 1))
            .map(|period| format!("CookieExpirationPeriod must be a number of seconds from 1 on, not {period}")),
        policy_type::SSL_NEGOTIATION => negotiation_complaint(policy),
        _ => None,
    };
    complaint.map_or(Ok(()), |complaint| Err(ApiError::invalid_configuration(complaint)))
}

/// A negotiation policy refers to a predefined policy, or names at least one protocol and one cipher, and never both.
fn negotiation_complaint(policy: &Policy) -> Option<String> {
    let is_on = |name: &str| {
        policy.attributes.get(name).is_some_and(|values| values.iter().any(|value| value.eq_ignore_ascii_case("true")))
    };
    match policy.reference_security_policy() {
        Some(reference) if predefined::policy(reference).is_none() => {
            Some(format!("There is no predefined security policy with name {reference}"))
        }
        Some(_) if policy.attributes.len() > 1 => {
            Some("Reference-Security-Policy cannot be combined with other attributes".to_owned())
        }
        Some(_) => None,
        None if !predefined::PROTOCOLS.into_iter().any(is_on) => Some("At least one protocol must be enabled".to_owned()),
        None if !predefined::ciphers().any(is_on) => Some("At least one cipher must be enabled".to_owned()),
        None => None,
    }
}

fn is_public_key(text: &str) -> bool {
    let joined: String = text.split_whitespace().collect();
    !joined.is_empty() && BASE64.decode(joined.as_bytes()).is_ok()
}
