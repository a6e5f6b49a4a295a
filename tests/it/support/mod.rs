//! What several test modules need.

pub(crate) mod balancers;
pub(crate) mod browser;
pub(crate) mod chance;
pub(crate) mod moto;
pub(crate) mod nginx;
pub(crate) mod raw_server;
pub(crate) mod reports;
pub(crate) mod sandbox;
pub(crate) mod site;
pub(crate) mod specs;
pub(crate) mod story;
pub(crate) mod subjects;
pub(crate) mod terminal;
pub(crate) mod traffic;
pub(crate) mod web_server;
pub(crate) mod wire;

/// Tells whoever runs a test something, past the harness, which keeps what a test that passes prints.
pub(crate) fn tell(text: &str) {
    use std::io::Write;
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).expect("stderr is open");
}
