//! The request log: what was called, and how it ended. It holds no parameters, and so no secrets.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many entries are kept; older ones go. Counts go on counting.
const KEPT: usize = 2000;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When it was answered.
    pub time: Timestamp,
    /// The id it was answered with.
    pub request_id: String,
    /// The service's signing name; absent if the request did not get so far.
    pub service: Option<String>,
    /// The action; absent if it is unknown.
    pub action: Option<String>,
    /// The region of the credential scope.
    pub region: Option<String>,
    /// The balancer it was about, where it named exactly one.
    pub balancer: Option<String>,
    /// The HTTP status; 0 where the connection was closed without an answer.
    pub status: u16,
    /// The error's code.
    pub error: Option<String>,
    /// Whether the action is one that can change something.
    pub mutating: bool,
}

/// How many calls there were since the start, or since the log was cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls by action, successful or not.
    pub actions: BTreeMap<String, u64>,
    /// Calls of actions that can change something.
    pub mutating: u64,
    /// All requests, those without a known action included.
    pub total: u64,
}

impl Counts {
    /// Calls of one action.
    pub fn of(&self, action: &str) -> u64 {
        self.actions.get(action).copied().unwrap_or_default()
    }
}

/// The log.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<LogEntry>,
    counts: Counts,
}

impl Log {
    pub(super) fn record(&mut self, entry: LogEntry) {
        self.counts.total += 1;
        self.counts.mutating += u64::from(entry.mutating);
        if let Some(action) = &entry.action {
            *self.counts.actions.entry(action.clone()).or_default() += 1;
        }
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(super) fn entries(&self) -> Vec<LogEntry> {
        self.entries.iter().cloned().collect()
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    pub(super) fn clear(&mut self) {
        *self = Log::default();
    }
}
