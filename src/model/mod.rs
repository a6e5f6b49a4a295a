//! What a Classic Load Balancer is: its listeners, policies, health check, attributes and names.
//!
//! Everything here is plain data that compares by value. This room must not know how a balancer is read, changed or
//! printed, and must not name a type of the AWS SDK.

mod attributes;
mod balancer;
mod certificate;
mod health_check;
mod instance_health;
mod listed;
mod listener;
pub mod names;
mod network;
mod policy;
mod protocol;
mod server_certificate;
pub mod tls;
mod well_known;

pub use attributes::{AccessLog, Attributes, ConnectionDraining, IDLE_TIMEOUT_SECONDS};
pub use balancer::{Balancer, DEFAULT_NEGOTIATION_POLICY};
pub use certificate::{CertificateArn, CertificateStore};
pub use health_check::{HealthCheck, HealthCheckTarget};
pub use instance_health::InstanceHealth;
pub use listed::Listed;
pub use listener::Listener;
pub use network::{Admission, Instance, Peer, RouteTable, SecurityGroup, Subnet};
pub use policy::{Policy, policy_type};
pub use protocol::{Layer, Protocol};
pub use server_certificate::{SANDBOX_ROOT, ServerCertificate};
pub use well_known::service_without_proxy;

/// A value of the model that could not be read from text, with what was wrong and what is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

impl Malformed {
    /// What is wrong in a text, and at which line and column (from 1); `place` is in bytes. The text itself is not shown: whoever
    /// names the wrong file may name one that holds secrets.
    pub fn at(text: &str, place: Option<std::ops::Range<usize>>, what: &str) -> Self {
        let Some(before) = place.and_then(|place| text.get(..place.start)) else { return Malformed(what.to_owned()) };
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Malformed(format!("line {line}, column {column}: {what}"))
    }
}
