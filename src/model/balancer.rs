//! A balancer: everything the service says about it, keyed so that the order of replies never matters.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Attributes, HealthCheck, Listener, Policy};

/// The negotiation policy that the service gives an SSL or HTTPS listener created without one (elb-facts 2.6).
pub const DEFAULT_NEGOTIATION_POLICY: &str = "ELBSecurityPolicy-2016-08";

/// The complete observed state of one Classic Load Balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balancer {
    /// The name, unique in an account and region.
    pub name: String,
    /// The DNS name clients resolve.
    pub dns_name: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// The VPC; absent in EC2-Classic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
    /// Listeners by load balancer port.
    pub listeners: BTreeMap<u16, Listener>,
    /// Names of the policies attached to each instance port; a port without policies has no entry.
    pub backend_policies: BTreeMap<u16, BTreeSet<String>>,
    /// Every policy the balancer holds, by name, attached or not.
    pub policies: BTreeMap<String, Policy>,
    /// The health check; absent only where a compatible service reports none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// The attributes.
    pub attributes: Attributes,
    /// Identifiers of the registered instances.
    pub instances: BTreeSet<String>,
    /// Identifiers of the balancer's security groups.
    pub security_groups: BTreeSet<String>,
    /// Identifiers of its subnets; empty in EC2-Classic.
    pub subnets: BTreeSet<String>,
    /// Its availability zones.
    pub availability_zones: BTreeSet<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Balancer {
    /// Names of the policies attached to an instance port; empty when there are none.
    pub fn policies_of_instance_port(&self, instance_port: u16) -> BTreeSet<String> {
        self.backend_policies.get(&instance_port).cloned().unwrap_or_default()
    }

    /// Whether an instance port has a policy attached that makes the balancer send the PROXY line.
    pub fn is_proxied(&self, instance_port: u16) -> bool {
        self.proxy_policies(instance_port).next().is_some()
    }

    /// Names of the attached policies that make the balancer send the PROXY line to an instance port.
    pub fn proxy_policies(&self, instance_port: u16) -> impl Iterator<Item = &str> {
        self.backend_policies
            .get(&instance_port)
            .into_iter()
            .flatten()
            .filter(|name| self.policies.get(*name).is_some_and(Policy::enables_proxy_protocol))
            .map(String::as_str)
    }

    /// Whether any listener reaches this instance port.
    pub fn uses_instance_port(&self, instance_port: u16) -> bool {
        self.listeners.values().any(|listener| listener.instance_port == instance_port)
    }

    /// Whether a listener or an instance port refers to the policy.
    pub fn is_attached(&self, policy: &str) -> bool {
        self.backend_policies.values().any(|names| names.contains(policy))
            || self.listeners.values().any(|listener| listener.policies.contains(policy))
    }
}
