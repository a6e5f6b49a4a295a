//! Policies: named, typed, immutable sets of attributes that a balancer holds and ports refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Names of the policy types that this tool knows (elb-facts 2.1). Other types are kept by name.
pub mod policy_type {
    /// Sends the PROXY v1 line to the instance port it is attached to.
    pub const PROXY_PROTOCOL: &str = "ProxyProtocolPolicyType";
    /// Names the TLS versions and ciphers of an HTTPS or SSL listener.
    pub const SSL_NEGOTIATION: &str = "SSLNegotiationPolicyType";
    /// Stickiness by the application's cookie; HTTP and HTTPS listeners only.
    pub const APP_COOKIE_STICKINESS: &str = "AppCookieStickinessPolicyType";
    /// Stickiness by the balancer's cookie; HTTP and HTTPS listeners only.
    pub const LB_COOKIE_STICKINESS: &str = "LBCookieStickinessPolicyType";
    /// Public keys that an HTTPS or SSL back end must present; attached to instance ports.
    pub const BACKEND_AUTHENTICATION: &str = "BackendServerAuthenticationPolicyType";
    /// A public key that a back-end authentication policy refers to; never attached.
    pub const PUBLIC_KEY: &str = "PublicKeyPolicyType";
}

/// The content of a policy: its type and its attributes. The name is the key it is kept under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The policy type's name, as the service reports it.
    pub policy_type: String,
    /// Attribute values by attribute name; some attributes take several values.
    #[serde(default)]
    pub attributes: BTreeMap<String, BTreeSet<String>>,
}

impl Policy {
    /// A policy with single-valued attributes.
    pub fn new(policy_type: &str, attributes: &[(&str, &str)]) -> Self {
        let mut policy = Policy { policy_type: policy_type.to_owned(), attributes: BTreeMap::new() };
        for (name, value) in attributes {
            policy.attributes.entry((*name).to_owned()).or_default().insert((*value).to_owned());
        }
        policy
    }

    /// The policy that makes a balancer send the PROXY line.
    pub fn proxy_protocol() -> Self {
        Policy::new(policy_type::PROXY_PROTOCOL, &[("ProxyProtocol", "true")])
    }

    /// A negotiation policy that takes its settings from one of the service's predefined policies.
    pub fn negotiation(reference: &str) -> Self {
        Policy::new(policy_type::SSL_NEGOTIATION, &[("Reference-Security-Policy", reference)])
    }

    /// The predefined policy that a negotiation policy refers to, if it refers to one.
    pub fn reference_security_policy(&self) -> Option<&str> {
        self.attributes.get("Reference-Security-Policy")?.first().map(String::as_str)
    }

    /// Whether the policy switches the PROXY line on: its type says so and its attribute is true in any casing.
    pub fn enables_proxy_protocol(&self) -> bool {
        self.policy_type == policy_type::PROXY_PROTOCOL
            && self
                .attributes
                .get("ProxyProtocol")
                .is_some_and(|values| values.len() == 1 && values.iter().all(|value| value.eq_ignore_ascii_case("true")))
    }

    /// Whether the policy's type is the PROXY protocol's, on or off.
    pub fn is_proxy_protocol(&self) -> bool {
        self.policy_type == policy_type::PROXY_PROTOCOL
    }

    /// Whether the policy may be set only on HTTP and HTTPS listeners.
    pub fn is_stickiness(&self) -> bool {
        matches!(self.policy_type.as_str(), policy_type::APP_COOKIE_STICKINESS | policy_type::LB_COOKIE_STICKINESS)
    }
}
