//! Balancers and specs of the tests.

#[path = "../../tests/it/support/balancers.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
pub(crate) mod balancers;
#[path = "../../tests/it/support/specs.rs"]
pub(crate) mod specs;
