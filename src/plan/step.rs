//! A step: one call of the Classic ELB API, with nothing left to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::names::list;
use crate::model::{CertificateArn, HealthCheck, Listener, Policy};

/// One mutating API call on a balancer. Every argument is final: applying a step takes no choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "call", deny_unknown_fields)]
pub enum Step {
    /// `ConfigureHealthCheck`: replaces the health check as a whole.
    ConfigureHealthCheck {
        /// The health check to set.
        health_check: HealthCheck,
    },
    /// `ModifyLoadBalancerAttributes` with the idle timeout alone; other attributes stay.
    SetIdleTimeout {
        /// Seconds (1-4000).
        seconds: u32,
    },
    /// `CreateLoadBalancerPolicy`.
    CreatePolicy {
        /// The policy's name.
        name: String,
        /// Its content, which can never change afterwards.
        policy: Policy,
    },
    /// `DeleteLoadBalancerPolicy`.
    DeletePolicy {
        /// The policy's name.
        name: String,
    },
    /// `SetLoadBalancerPoliciesForBackendServer`: replaces the set of an instance port as a whole.
    SetBackendPolicies {
        /// The instance port.
        instance_port: u16,
        /// The whole set, foreign policies included; empty clears it.
        policies: BTreeSet<String>,
    },
    /// `CreateLoadBalancerListeners` with one listener; its policies are set by another step.
    CreateListener {
        /// The listener to create.
        listener: Listener,
    },
    /// `DeleteLoadBalancerListeners` with one port.
    DeleteListener {
        /// The load balancer port.
        load_balancer_port: u16,
    },
    /// `SetLoadBalancerPoliciesOfListener`: replaces the set of a listener as a whole.
    SetListenerPolicies {
        /// The load balancer port.
        load_balancer_port: u16,
        /// The whole set; empty clears it.
        policies: BTreeSet<String>,
    },
    /// `SetLoadBalancerListenerSSLCertificate`: swaps a certificate in place.
    SetListenerCertificate {
        /// The load balancer port.
        load_balancer_port: u16,
        /// The new certificate.
        certificate: CertificateArn,
    },
    /// `AddTags`; elbws writes only its own `elbws:` keys.
    AddTags {
        /// Values by key.
        tags: BTreeMap<String, String>,
    },
    /// `RemoveTags`; elbws removes only its own `elbws:` keys.
    RemoveTags {
        /// The keys.
        keys: BTreeSet<String>,
    },
}

impl Step {
    /// The name of the API action the step calls.
    pub fn action(&self) -> &'static str {
        match self {
            Step::ConfigureHealthCheck { .. } => "ConfigureHealthCheck",
            Step::SetIdleTimeout { .. } => "ModifyLoadBalancerAttributes",
            Step::CreatePolicy { .. } => "CreateLoadBalancerPolicy",
            Step::DeletePolicy { .. } => "DeleteLoadBalancerPolicy",
            Step::SetBackendPolicies { .. } => "SetLoadBalancerPoliciesForBackendServer",
            Step::CreateListener { .. } => "CreateLoadBalancerListeners",
            Step::DeleteListener { .. } => "DeleteLoadBalancerListeners",
            Step::SetListenerPolicies { .. } => "SetLoadBalancerPoliciesOfListener",
            Step::SetListenerCertificate { .. } => "SetLoadBalancerListenerSSLCertificate",
            Step::AddTags { .. } => "AddTags",
            Step::RemoveTags { .. } => "RemoveTags",
        }
    }
}

/// What the step does, as a person would say it: `create listener SSL:443/TCP:80`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::ConfigureHealthCheck { health_check } => write!(f, "set health check {}", health_check.target),
            Step::SetIdleTimeout { seconds } => write!(f, "set idle timeout {seconds} s"),
            Step::CreatePolicy { name, policy } => write!(f, "create policy {name} ({})", policy.policy_type),
            Step::DeletePolicy { name } => write!(f, "delete policy {name}"),
            Step::SetBackendPolicies { instance_port, policies } => {
                write!(f, "set policies of instance port {instance_port}: {}", list(policies))
            }
            Step::CreateListener { listener } => write!(f, "create listener {listener}"),
            Step::DeleteListener { load_balancer_port } => write!(f, "delete listener {load_balancer_port}"),
            Step::SetListenerPolicies { load_balancer_port, policies } => {
                write!(f, "set policies of listener {load_balancer_port}: {}", list(policies))
            }
            Step::SetListenerCertificate { load_balancer_port, certificate } => {
                write!(f, "set certificate of listener {load_balancer_port}: {certificate}")
            }
            Step::AddTags { tags } => write!(f, "write journal tags {}", list(&tags.keys().cloned().collect())),
            Step::RemoveTags { keys } => write!(f, "remove journal tags {}", list(keys)),
        }
    }
}
