//! The integration tests, in one binary because linking the SDK many times is slow.

mod plan_properties;
mod support;
