//! The integration tests, in one binary because linking the SDK many times is slow.

#![allow(clippy::unwrap_used)] // A test that meets what it does not expect is to fail.

mod adapter;
mod anything;
mod bad_input;
mod failing_writes;
mod house;
mod moto_adapter;
mod papers;
mod plan_properties;
mod plan_scenarios;
mod sandbox_api;
mod sandbox_certificates;
mod sandbox_errors;
mod sandbox_faults;
mod sandbox_model;
mod sandbox_protocol;
mod sandbox_seed;
mod sandbox_switches;
mod seed_story;
mod simulation;
mod support;
mod unknowns;
