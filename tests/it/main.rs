//! The integration tests, in one binary because linking the SDK many times is slow.

mod adapter;
mod bad_input;
mod failing_writes;
mod house;
mod moto_adapter;
mod plan_properties;
mod plan_scenarios;
mod seed_story;
mod support;
