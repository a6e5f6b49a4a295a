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
