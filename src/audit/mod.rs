//! The audit: what was read of balancers in, findings out.
//!
//! A rule is a function plus what it needs to read. Everything here is pure and synchronous: it reads nothing from a service or a
//! clock by itself and prints nothing. How reports look is the business of `output`.

mod check;
mod draw;
mod finding;
mod repair;
mod report;
mod rule;
pub mod rules;
mod source;
mod subject;
mod suppress;
mod topology;

pub use check::{Check, Examination, examine};
pub use finding::{Finding, Place, Severity, Suppression};
pub use report::{AuditedBalancer, NotChecked, Report, Scope, Unreadable};
pub use rule::{Read, Rule};
pub use source::{Missing, Part, Source};
pub use subject::{Found, Subject, Surroundings};
pub use suppress::{Ignore, Suppressions};
pub use topology::{InstanceNode, InstancePortNode, ListenerNode, Topology};
