//! What the integration tests share: servers to talk to.

pub(crate) mod wire;
