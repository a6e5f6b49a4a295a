//! The audit: what was read of balancers in, findings out.
//!
//! A rule is a function plus what it needs to read. Everything here is pure and synchronous: it reads nothing from a service or a
//! clock by itself and prints nothing. How reports look is the business of `output`.

mod finding;
mod report;
mod rule;
mod topology;

pub use finding::{Finding, Place, Severity, Suppression};
pub use report::{AuditedBalancer, NotChecked, Report, Scope, Unreadable};
pub use rule::{Read, Rule};
pub use topology::{InstanceNode, InstancePortNode, ListenerNode, Topology};
