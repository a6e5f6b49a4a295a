//! Whether a registered instance gets traffic.

/// What `DescribeInstanceHealth` says of one instance (elb-facts 2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceHealth {
    /// `InService`, `OutOfService` or `Unknown`.
    pub state: String,
    /// Who is at fault where it is not in service: `ELB`, `Instance` or `N/A`.
    pub reason_code: String,
    /// What a person reads; `N/A` when there is nothing to say.
    pub description: String,
}

impl InstanceHealth {
    /// Whether the balancer sends traffic to it.
    pub fn is_in_service(&self) -> bool {
        self.state == "InService"
    }
}
