//! A small chat: the application of the demo and of the end-to-end tests. One page, and a WebSocket at `/ws`.
//!
//! It shows each client the address that the application saw, which is what the PROXY protocol is for. It knows nothing of
//! balancers, plans or AWS, and listens on loopback only.

mod arrival;
mod message;
mod page;
mod room;
mod server;
mod session;

pub use arrival::Front;
pub use room::MAX_CLIENTS;
pub use server::{Chat, HEALTH_PATH, SOCKET_PATH};
