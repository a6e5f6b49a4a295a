//! Balancer + Spec -> Plan. Pure and synchronous: no clock, no environment, no printing, no tokio.

mod step;

pub use step::Step;
