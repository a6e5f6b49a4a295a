//! The web server's side: what nginx or HAProxy must say to work behind a balancer, written or checked.
//!
//! Pure and synchronous: a [`Balancer`](crate::model::Balancer) and a [`Request`] in, text or findings out. It reads no file and no
//! service, and prints nothing. It knows nothing of plans: the caller decides which state of the balancer the configuration is for.

mod arrival;
pub mod check;
mod cut_over;
mod error;
mod input;
mod request;
mod server;
mod site;

pub use cut_over::{CutOver, cut_over, newly_proxied};
pub use error::BackendError;
pub use input::{ServerName, Upstream, WebSocketRoute};
pub use request::{Listen, Request};
pub use server::{Configuration, Server, generate};
