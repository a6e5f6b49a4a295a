//! Nothing lost: the engine against the sandbox's state machine, in memory, call by call, from a seed.
//!
//! A run is a future; every call it makes waits until the simulation lets it happen. So a process can die before and after the
//! effect of any call, any call can fail in any way, and runs can take turns in any order, all of it repeatable.
//!
//! `SIMULATION_SEED` and `SIMULATION_CASES` say which cases; a failure prints the command that repeats it. The long run:
//!
//!     SIMULATION_CASES=20000 cargo test --release --test it simulation

mod cases;
mod client;
mod crash;
mod drawn;
mod errors;
mod foreign;
mod promises;
mod reading;
mod runner;
mod same_as_the_wire;
mod schedule;
mod service;
mod together;
mod translation;
mod trouble;
mod unknowns;

/// A world with one balancer, and switches as they are.
pub(crate) fn world_of(balancer: &elbws::model::Balancer) -> elbws::sandbox::control::World {
    cases::world(balancer, elbws::sandbox::Switches::default())
}
