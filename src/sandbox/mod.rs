//! The sandbox: a Classic Load Balancer on this machine, for whoever has no AWS account to try things on.
//!
//! `control` is the API as a pure state machine, `http` lets real clients call it, `data` carries connections as the API says,
//! `seed` says what is there at the start. Any AWS
//! SDK works with it once [`Sandbox::environment`] is set.
//!
//! It must not use `cloud`, `plan` or `apply`: the sandbox is worth something only because the real client talks to it over the
//! wire. It listens on loopback only and keeps everything in memory.

pub mod authority;
pub mod control;
mod data;
mod faults;
mod handle;
mod http;
mod listing;
mod log;
mod notes;
mod seed;
mod shared;

pub use control::{
    BooleanEcho, DeletedListener, IdenticalPolicy, InstanceHealth, InstanceProtocolDefault, InstanceState, Switches,
    UnusedInstancePort,
};
pub use data::{Backend, ListenerPorts, Traffic};
pub use faults::{Fault, FaultError, FaultKind, InvalidFault};
pub use handle::{Options, Sandbox, SandboxError, start};
pub use listing::{ListenerState, OpenListener};
pub use log::{Counts, LogEntry};
pub use notes::TrafficNote;
pub use seed::{
    OneOrMore, Seed, SeedAttributes, SeedBalancer, SeedCertificate, SeedError, SeedHealthCheck, SeedInstance, SeedListener,
    SeedPolicy, SeedRule, SeedSecurityGroup, SeedStore, SeedSubnet, SeedVpc,
};
