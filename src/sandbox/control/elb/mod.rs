//! The 29 actions of Classic Elastic Load Balancing (API version 2012-06-01), one file per concern.
//!
//! An action reads its parameters, refuses what the service refuses, and only then changes the balancer.

pub(crate) mod attach;
pub(crate) mod attributes;
pub(crate) mod balancers;
pub(crate) mod describe;
pub(crate) mod describe_policies;
pub(crate) mod health_check;
pub(crate) mod instances;
pub(crate) mod limits;
pub(crate) mod listeners;
pub(crate) mod network;
mod paging;
pub(crate) mod policies;
pub(crate) mod policy_types;
mod predefined;
pub(crate) mod tags;

pub use limits::POLICY_QUOTA;
pub use predefined::negotiation_attributes;
