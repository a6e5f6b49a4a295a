//! The integration tests, in one binary because linking the SDK many times is slow.

mod adapter;
mod house;
mod plan_properties;
mod plan_scenarios;
mod support;
