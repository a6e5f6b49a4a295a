//! The integration tests, in one binary because linking the SDK many times is slow.

#![allow(clippy::unwrap_used)] // A test that meets what it does not expect is to fail.

mod adapter;
mod audit_html;
mod audit_reports;
mod backend_check;
mod backend_text;
mod backend_traffic;
mod bad_input;
mod broken_servers;
mod browser_story;
mod edges;
mod failing_writes;
mod house;
mod iam_policy;
mod moto_adapter;
mod papers;
mod plan_properties;
mod plan_scenarios;
mod sandbox_api;
mod sandbox_certificates;
mod sandbox_errors;
mod sandbox_faults;
mod sandbox_fuzz;
mod sandbox_model;
mod sandbox_protocol;
mod sandbox_seed;
mod sandbox_switches;
mod secrets;
mod seed_story;
mod signals;
mod simulation;
mod support;
mod terminal_escapes;
mod traffic_api;
mod traffic_health;
mod traffic_http;
mod traffic_peers;
mod traffic_time;
mod traffic_transport;
mod unknowns;
mod verify_client;
mod verify_command;
mod verify_symptoms;
