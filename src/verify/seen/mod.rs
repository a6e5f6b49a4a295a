//! What each stage saw, as data: no judgement, nothing printed.

mod exchange;
mod hold;
mod reach;

pub use exchange::{ExchangeFailure, ExchangeFailureKind, HttpSeen, MessageSeen, Reply, Sent};
pub use hold::{Closed, HoldSeen, ManySeen};
pub use reach::{
    Attempt, CertificateSeen, ConnectFailure, ConnectFailureKind, NameSeen, TcpSeen, TlsFailure, TlsFailureKind, TlsSeen,
    TrustFailure, TrustFailureKind,
};

use std::time::Duration;

use serde::{Serialize, Serializer};

/// The stages of a probe, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The name is resolved.
    Name,
    /// A TCP connection is made.
    Tcp,
    /// TLS is negotiated, and the certificate verified.
    Tls,
    /// A plain request is answered.
    Http,
    /// The connection becomes a WebSocket.
    Upgrade,
    /// Something is sent and answered.
    Message,
    /// The connection is held in silence.
    Idle,
    /// The connection is held with pings.
    Pings,
    /// Many connections are open at once.
    Count,
}

impl Stage {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Name => "name",
            Stage::Tcp => "tcp",
            Stage::Tls => "tls",
            Stage::Http => "http",
            Stage::Upgrade => "upgrade",
            Stage::Message => "message",
            Stage::Idle => "idle",
            Stage::Pings => "pings",
            Stage::Count => "count",
        }
    }
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    Passed,
    /// It proves that the connection does not work as asked for.
    Failed,
    /// It proves nothing: a server of WebSockets alone need not answer a plain request.
    Inconclusive,
}

/// A stage that was run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageResult {
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Seen,
}

/// What a stage saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Seen {
    /// Name resolution.
    Name(NameSeen),
    /// TCP.
    Tcp(TcpSeen),
    /// TLS.
    Tls(TlsSeen),
    /// A plain request.
    Http(HttpSeen),
    /// The upgrade.
    Upgrade(HttpSeen),
    /// A message and its answer.
    Message(MessageSeen),
    /// Silence.
    Idle(HoldSeen),
    /// Pings.
    Pings(HoldSeen),
    /// Many connections.
    Count(ManySeen),
}

impl Seen {
    /// The stage that saw it.
    pub fn stage(&self) -> Stage {
        match self {
            Seen::Name(_) => Stage::Name,
            Seen::Tcp(_) => Stage::Tcp,
            Seen::Tls(_) => Stage::Tls,
            Seen::Http(_) => Stage::Http,
            Seen::Upgrade(_) => Stage::Upgrade,
            Seen::Message(_) => Stage::Message,
            Seen::Idle(_) => Stage::Idle,
            Seen::Pings(_) => Stage::Pings,
            Seen::Count(_) => Stage::Count,
        }
    }
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Three decimals: a loopback connection takes less than a millisecond.
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}

fn some_milliseconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => milliseconds(duration, serializer),
        None => serializer.serialize_none(),
    }
}
