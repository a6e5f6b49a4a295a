//! Balancers and specs of the tests.

#[path = "../../it/support/balancers.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
pub(crate) mod balancers;
#[path = "../../it/support/specs.rs"]
pub(crate) mod specs;
