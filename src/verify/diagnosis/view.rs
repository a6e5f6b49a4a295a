//! The balancer's own state, as the diagnosis asks about it.

use serde::Serialize;

use crate::model::Balancer;

/// A balancer, and how its instances are doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerView {
    /// The balancer.
    pub balancer: Balancer,
    /// Its instances' health; absent if it could not be read.
    pub instances: Option<Vec<InstanceSeen>>,
}

/// An instance, and what the balancer says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstanceSeen {
    /// Its identifier.
    pub id: String,
    /// Whether it gets connections.
    pub in_service: bool,
    /// The balancer's words, if it has any.
    pub description: String,
}
