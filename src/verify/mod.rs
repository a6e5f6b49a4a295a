//! The prober: makes a real connection as a WebSocket client does, stage by stage, and says at which stage it fails and why.
//!
//! [`run`] does the work and reports each stage as it ends; [`diagnose`] is the pure half, which turns what was seen, and the
//! balancer's own state where it is known, into causes and remedies. Each cause is one small function.
//!
//! This room prints nothing and reads nothing of a balancer by itself. It uses no proxy of the environment, and sends no data over a
//! connection whose certificate could not be verified, unless it is told to.

mod address;
mod certificate;
mod connect;
mod diagnosis;
mod dial;
mod hold;
mod http;
mod many;
mod message;
mod observations;
mod probe;
mod resolve;
mod run;
mod seen;
mod socket;
mod target;
mod tls;

pub use address::{ClientAddress, ClientAddressIs};
pub use diagnosis::{BalancerView, Cause, Diagnosis, InstanceSeen, Severity, diagnose};
pub use observations::Observations;
pub use probe::{Message, Place, Probe, TOKEN, Trust};
pub use run::{Event, Verdict, run};
pub use seen::{
    Attempt, CertificateSeen, Closed, ConnectFailure, ConnectFailureKind, ExchangeFailure, ExchangeFailureKind, HoldSeen,
    HttpSeen, ManySeen, MessageSeen, NameSeen, Outcome, Reply, Seen, Sent, Stage, StageResult, TcpSeen, TlsFailure,
    TlsFailureKind, TlsSeen, TrustFailure, TrustFailureKind,
};
pub use target::{InvalidTarget, Target};
pub use tls::TlsSetupError;
