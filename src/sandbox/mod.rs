//! The sandbox: a Classic Load Balancer on this machine.
pub mod control;
