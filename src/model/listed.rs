//! A balancer as the listing describes it: everything but the content of its policies, its attributes and its tags.

use std::collections::{BTreeMap, BTreeSet};

use super::{Attributes, Balancer, HealthCheck, Listener, Policy};

/// What `DescribeLoadBalancers` says of one balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name, unique in an account and region.
    pub name: String,
    /// The DNS name clients resolve.
    pub dns_name: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// The VPC; absent in EC2-Classic.
    pub vpc: Option<String>,
    /// Listeners by load balancer port.
    pub listeners: BTreeMap<u16, Listener>,
    /// Names of the policies attached to each instance port; a port without policies has no entry.
    pub backend_policies: BTreeMap<u16, BTreeSet<String>>,
    /// Names of every policy the balancer holds, attached or not.
    pub policy_names: BTreeSet<String>,
    /// The health check; absent only where a compatible service reports none.
    pub health_check: Option<HealthCheck>,
    /// Identifiers of the registered instances.
    pub instances: BTreeSet<String>,
    /// Identifiers of the balancer's security groups.
    pub security_groups: BTreeSet<String>,
    /// Identifiers of its subnets; empty in EC2-Classic.
    pub subnets: BTreeSet<String>,
    /// Its availability zones.
    pub availability_zones: BTreeSet<String>,
}

impl Listed {
    /// The complete balancer, with what other calls say of it.
    pub fn with(
        self,
        policies: BTreeMap<String, Policy>,
        attributes: Attributes,
        tags: BTreeMap<String, String>,
    ) -> Balancer {
        // Destructured whole, so that a new field cannot be forgotten. The policies come with their names.
        let Listed {
            name,
            dns_name,
            scheme,
            vpc,
            listeners,
            backend_policies,
            policy_names: _,
            health_check,
            instances,
            security_groups,
            subnets,
            availability_zones,
        } = self;
        Balancer {
            name,
            dns_name,
            scheme,
            vpc,
            listeners,
            backend_policies,
            policies,
            health_check,
            attributes,
            instances,
            security_groups,
            subnets,
            availability_zones,
            tags,
        }
    }

    /// Names of all policies that are held, attached to an instance port or set on a listener.
    pub fn all_policy_names(&self) -> BTreeSet<&str> {
        let of_listeners = self.listeners.values().flat_map(|listener| &listener.policies);
        let of_backends = self.backend_policies.values().flatten();
        self.policy_names.iter().chain(of_listeners).chain(of_backends).map(String::as_str).collect()
    }

    /// Whether a listener or an instance port refers to the policy.
    pub fn is_attached(&self, policy: &str) -> bool {
        self.backend_policies.values().any(|names| names.contains(policy))
            || self.listeners.values().any(|listener| listener.policies.contains(policy))
    }

    /// Listeners that reach an instance port.
    pub fn reaching(&self, instance_port: u16) -> impl Iterator<Item = &Listener> {
        self.listeners.values().filter(move |listener| listener.instance_port == instance_port)
    }

    /// Every instance port that a listener reaches.
    pub fn instance_ports(&self) -> BTreeSet<u16> {
        self.listeners.values().map(|listener| listener.instance_port).collect()
    }

    /// Whether clients on the internet can reach it.
    pub fn is_internet_facing(&self) -> bool {
        self.scheme == "internet-facing"
    }
}
