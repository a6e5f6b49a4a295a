//! `elbws` makes WebSockets work behind an AWS Classic Load Balancer that terminates TLS.
//!
//! The map of the house; each room's header says what it is for and what it must not do.

pub mod apply;
pub mod cloud;
pub mod model;
pub mod output;
pub mod plan;
pub mod spec;
