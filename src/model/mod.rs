//! What a Classic Load Balancer is: its listeners, policies, health check, attributes and names.
//!
//! Everything here is plain data that compares by value. This room must not know how a balancer is read, changed or
//! printed, and must not name a type of the AWS SDK.

mod attributes;
mod balancer;
mod certificate;
mod health_check;
mod listener;
pub mod names;
mod policy;
mod protocol;

pub use attributes::{AccessLog, Attributes, ConnectionDraining};
pub use balancer::{Balancer, DEFAULT_NEGOTIATION_POLICY};
pub use certificate::{CertificateArn, CertificateStore};
pub use health_check::{HealthCheck, HealthCheckTarget};
pub use listener::Listener;
pub use policy::{Policy, policy_type};
pub use protocol::{Layer, Protocol};

/// A value of the model that could not be read from text, with what was wrong and what is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);
