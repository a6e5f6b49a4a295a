//! What several test modules need.

pub(crate) mod balancers;
pub(crate) mod wire;
