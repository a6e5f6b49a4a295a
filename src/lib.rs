//! `elbws` makes WebSockets work behind an AWS Classic Load Balancer that terminates TLS.
//!
//! The map of the house. Each room's header says what it is for and what it must not do.
//!
//! - [`model`]: what a Classic Load Balancer is.
//! - [`spec`]: what the user asks for, and the WebSocket recipe.
//! - [`plan`]: live balancer and spec in, changes and steps out; pure.
//! - [`cloud`]: the port to the service, and the AWS adapter behind it.
//! - [`apply`]: makes the calls of a plan, and says what happens.
//! - [`audit`]: what was read of balancers in, findings out; pure.
//! - [`backend`]: the web server's side: configuration written and checked; pure.
//! - [`demo`]: the chat of the demo and of the end-to-end tests.
//! - [`sandbox`]: a Classic Load Balancer on this machine, behind the real API.
//! - [`verify`]: makes a real connection, and says at which stage it fails and why.
//! - [`output`]: text, JSON and Markdown; the only writer.
//! - [`cli`]: the commands; the only place that wires I/O.

pub mod apply;
pub mod audit;
pub mod backend;
pub mod cli;
pub mod cloud;
pub mod demo;
pub mod model;
pub mod output;
pub mod plan;
pub mod sandbox;
pub mod spec;
pub mod verify;
