//! What holding connections saw: one over time, or many at once.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::{milliseconds, some_milliseconds};

/// What holding a connection saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HoldSeen {
    /// How long it was to be held, in milliseconds.
    #[serde(rename = "asked_ms", serialize_with = "milliseconds")]
    pub asked: Duration,
    /// How long it was held, in milliseconds.
    #[serde(rename = "held_ms", serialize_with = "milliseconds")]
    pub held: Duration,
    /// Milliseconds between two pings; absent in silence.
    #[serde(rename = "ping_every_ms", serialize_with = "some_milliseconds", skip_serializing_if = "Option::is_none")]
    pub ping_every: Option<Duration>,
    /// Why it was held no longer; absent if it was still open at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// Whether the server sent something by itself, so that it was no silence.
    pub server_spoke: bool,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum Closed {
    /// The server said goodbye.
    Frame {
        /// The code (RFC 6455 section 7.4).
        code: Option<u16>,
        /// The reason.
        reason: String,
    },
    /// The stream ended without a closing frame: what a browser reports as code 1006.
    EndOfStream,
    /// The connection was reset: also 1006.
    Reset,
    /// A ping was not answered in time.
    NoPong,
    /// The connection could not be made.
    NotConnected {
        /// Why.
        why: String,
    },
    /// Something else.
    Other {
        /// What.
        why: String,
    },
}

/// What many connections saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ManySeen {
    /// How many were asked for.
    pub asked: u32,
    /// How many were open at the same time, each having answered.
    pub open: u32,
    /// How many failed, by reason.
    pub failures: BTreeMap<String, u32>,
    /// Milliseconds until the fastest was open.
    #[serde(rename = "fastest_ms", serialize_with = "milliseconds")]
    pub fastest: Duration,
    /// Milliseconds until half of them were open, each counted from its own start.
    #[serde(rename = "median_ms", serialize_with = "milliseconds")]
    pub median: Duration,
    /// Milliseconds until the slowest was open.
    #[serde(rename = "slowest_ms", serialize_with = "milliseconds")]
    pub slowest: Duration,
}
