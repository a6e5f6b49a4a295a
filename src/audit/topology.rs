//! What a picture of a balancer needs: listeners, the instance ports they reach, and the instances behind.

use serde::Serialize;

/// A balancer as it is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// Listeners by load balancer port.
    pub listeners: Vec<ListenerNode>,
    /// Every instance port that a listener reaches or a policy is attached to, in order.
    pub instance_ports: Vec<InstancePortNode>,
    /// Registered instances by identifier.
    pub instances: Vec<InstanceNode>,
    /// The health check's target, for example `TCP:80`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<String>,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListenerNode {
    /// The port clients connect to.
    pub load_balancer_port: u16,
    /// `HTTP`, `HTTPS`, `TCP` or `SSL`, towards clients.
    pub protocol: String,
    /// The same towards instances.
    pub instance_protocol: String,
    /// The port on the instances.
    pub instance_port: u16,
    /// The ARN of the certificate, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// An instance port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstancePortNode {
    /// The port.
    pub port: u16,
    /// Whether an attached policy makes the balancer send the PROXY header; absent where policies were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxied: Option<bool>,
    /// Names of the attached policies.
    pub policies: Vec<String>,
}

/// A registered instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstanceNode {
    /// Its identifier.
    pub id: String,
    /// `InService`, `OutOfService` or `Unknown`; absent where health was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its availability zone, where EC2 was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}
