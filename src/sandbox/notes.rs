//! The traffic log: what went wrong or is done otherwise than the service does it, for people who wonder. It is bounded.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::listing::ListenerKey;

/// How many notes are kept; older ones go.
const KEPT: usize = 1000;

/// One note of the traffic log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrafficNote {
    /// When.
    pub time: Timestamp,
    /// The balancer's region.
    pub region: String,
    /// The balancer's name.
    pub balancer: String,
    /// The listener's load balancer port; 0 if the note is about no listener.
    pub load_balancer_port: u16,
    /// What happened, in words for a person.
    pub message: String,
}

/// The traffic log.
#[derive(Debug, Default)]
pub(super) struct Notes(Mutex<VecDeque<TrafficNote>>);

impl Notes {
    /// Adds a note.
    pub(super) fn add(&self, key: &ListenerKey, message: String) {
        let ListenerKey { region, balancer, load_balancer_port } = key.clone();
        tracing::info!(balancer, load_balancer_port, "{message}");
        let note = TrafficNote { time: Timestamp::now(), region, balancer, load_balancer_port, message };
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() == KEPT {
            notes.pop_front();
        }
        notes.push_back(note);
    }

    /// The notes, oldest first.
    pub(super) fn all(&self) -> Vec<TrafficNote> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
