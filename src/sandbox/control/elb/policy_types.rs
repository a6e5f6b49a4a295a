//! The six policy types: their attributes, what values those take, and `DescribeLoadBalancerPolicyTypes`.

use super::predefined;
use crate::model::policy_type;
use crate::sandbox::control::{ApiError, Element, Request, World};

/// A policy type.
pub(super) struct PolicyType {
    pub(super) name: &'static str,
    description: &'static str,
    pub(super) attributes: Vec<Attribute>,
}

/// An attribute of a policy type.
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) cardinality: Cardinality,
}

/// What an attribute's value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Long,
    Text,
    PolicyName,
}

/// How often an attribute may be given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cardinality {
    One,
    ZeroOrOne,
    OneOrMore,
}

fn attribute(name: &'static str, kind: Kind, cardinality: Cardinality) -> Attribute {
    Attribute { name, kind, cardinality }
}

/// All types.
pub(super) fn all() -> Vec<PolicyType> {
    use Cardinality::{One, OneOrMore, ZeroOrOne};
    let switches = predefined::PROTOCOLS.into_iter().map(|name| attribute(name, Kind::Boolean, ZeroOrOne));
    let reference = attribute(predefined::REFERENCE, Kind::PolicyName, ZeroOrOne);
    let order = attribute(predefined::SERVER_ORDER, Kind::Boolean, ZeroOrOne);
    let ciphers = predefined::ciphers().map(|name| attribute(name, Kind::Boolean, ZeroOrOne));
    let negotiation = [reference].into_iter().chain(switches).chain([order]).chain(ciphers).collect();
    vec![
        PolicyType {
            name: policy_type::SSL_NEGOTIATION,
            description: "TLS versions and ciphers that an HTTPS or SSL listener offers to clients",
            attributes: negotiation,
        },
        PolicyType {
            name: policy_type::BACKEND_AUTHENTICATION,
            description: "Public keys of which an HTTPS or SSL back end must present one; refers to PublicKeyPolicyType policies",
            attributes: vec![attribute("PublicKeyPolicyName", Kind::PolicyName, OneOrMore)],
        },
        PolicyType {
            name: policy_type::PUBLIC_KEY,
            description: "A public key for a BackendServerAuthenticationPolicyType policy; it is never attached itself",
            attributes: vec![attribute("PublicKey", Kind::Text, One)],
        },
        PolicyType {
            name: policy_type::APP_COOKIE_STICKINESS,
            description: "Stickiness that lives as long as the application's cookie; HTTP and HTTPS listeners only",
            attributes: vec![attribute("CookieName", Kind::Text, One)],
        },
        PolicyType {
            name: policy_type::LB_COOKIE_STICKINESS,
            description: "Stickiness by a cookie of the load balancer, for a time or a browser session; HTTP and HTTPS listeners only",
            attributes: vec![attribute("CookieExpirationPeriod", Kind::Long, ZeroOrOne)],
        },
        PolicyType {
            name: policy_type::PROXY_PROTOCOL,
            description: "Whether connections of TCP and SSL listeners to an instance port begin with the client's address",
            attributes: vec![attribute("ProxyProtocol", Kind::Boolean, One)],
        },
    ]
}

/// A type by name. Errors: `PolicyTypeNotFound`.
pub(super) fn find(name: &str) -> Result<PolicyType, ApiError> {
    let found = all().into_iter().find(|policy_type| policy_type.name == name);
    found.ok_or_else(|| ApiError::new("PolicyTypeNotFound", format!("There is no policy type with name {name}")))
}

pub(crate) fn describe(_: &World, request: &Request) -> Result<Element, ApiError> {
    let names = request.params.members(&["PolicyTypeNames"])?.texts("PolicyTypeNames")?.unwrap_or_default();
    let types = match names.is_empty() {
        true => all(),
        false => names.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
    };
    let described = types.into_iter().map(|policy_type| {
        Element::new()
            .with("PolicyTypeName", policy_type.name)
            .with("Description", policy_type.description)
            .with("PolicyAttributeTypeDescriptions", Element::List(policy_type.attributes.iter().map(described).collect()))
    });
    Ok(Element::new().with("PolicyTypeDescriptions", Element::List(described.collect())))
}

fn described(attribute: &Attribute) -> Element {
    let kind = match attribute.kind {
        Kind::Boolean => "Boolean",
        Kind::Long => "Long",
        Kind::Text => "String",
        Kind::PolicyName => "PolicyName",
    };
    let cardinality = match attribute.cardinality {
        Cardinality::One => "ONE",
        Cardinality::ZeroOrOne => "ZERO_OR_ONE",
        Cardinality::OneOrMore => "ONE_OR_MORE",
    };
    let default = (attribute.kind == Kind::Boolean && attribute.cardinality == Cardinality::ZeroOrOne).then_some("false");
    Element::new()
        .with("AttributeName", attribute.name)
        .with("AttributeType", kind)
        .maybe("DefaultValue", default)
        .with("Cardinality", cardinality)
}
