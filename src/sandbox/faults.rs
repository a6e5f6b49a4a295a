//! Faults: what goes wrong on purpose, so that a client can be seen coping with it.
//!
//! Pure bookkeeping; carrying a fault out is the HTTP layer's business.

use serde::{Deserialize, Serialize};

/// The most faults that can wait at a time.
const MOST: usize = 100;

/// The longest delay in milliseconds.
const LONGEST: u64 = 60_000;

/// Something that goes wrong with calls of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The action, such as `CreateLoadBalancerListeners`, or `*` for every action of every service.
    pub action: String,
    /// How many calls it happens to; absent or null: all of them, until faults are cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many matching calls pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// What happens.
    pub kind: FaultKind,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// An error is answered and nothing changes.
    ErrorBefore(FaultError),
    /// The call takes effect, and an error is answered all the same.
    ErrorAfter(FaultError),
    /// The call is answered late, by this many milliseconds (at most 60000). Combines with any other fault.
    LatencyMs(u64),
    /// The connection is closed without an answer and nothing changes.
    DisconnectBefore,
    /// The call takes effect, and the connection is closed without an answer.
    DisconnectAfter,
}

/// The error of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultError {
    /// The wire code, such as `Throttling`.
    pub code: String,
    /// The HTTP status (400-599); 400 if absent.
    #[serde(default = "bad_request")]
    pub status: u16,
    /// The message; empty if absent.
    #[serde(default)]
    pub message: String,
}

fn bad_request() -> u16 {
    400
}

impl Fault {
    /// An error that an action answers with, before any effect, so many times.
    pub fn error(action: &str, code: &str, times: u32) -> Self {
        let error = FaultError { code: code.to_owned(), status: 400, message: format!("{code} (injected)") };
        Fault { action: action.to_owned(), times: Some(times), skip: 0, kind: FaultKind::ErrorBefore(error) }
    }
}

/// A fault that cannot be injected, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidFault(pub String);

/// The faults that wait to happen.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Vec<Fault>,
}

/// What is to happen to one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The delay in milliseconds.
    pub(super) latency_ms: u64,
    /// The fault proper; never a latency.
    pub(super) kind: Option<FaultKind>,
}

impl Faults {
    /// Adds faults: all of them, or none if one is invalid. `knows` says whether an action exists.
    pub(super) fn inject(&mut self, faults: Vec<Fault>, knows: impl Fn(&str) -> bool) -> Result<(), InvalidFault> {
        if self.waiting.len() + faults.len() > MOST {
            return Err(InvalidFault(format!("at most {MOST} faults can wait at a time; clear them first")));
        }
        for fault in &faults {
            let action = &fault.action;
            let problem = match &fault.kind {
                _ if action != "*" && !knows(action) => {
                    format!("`{action}` is not an action that the sandbox serves, nor `*`")
                }
                FaultKind::ErrorBefore(error) | FaultKind::ErrorAfter(error) if !(400..=599).contains(&error.status) => {
                    format!("the status of an error is 400-599, not {}", error.status)
                }
                FaultKind::LatencyMs(latency) if *latency > LONGEST => format!("the latency is at most {LONGEST} ms"),
                _ => continue,
            };
            return Err(InvalidFault(problem));
        }
        self.waiting.extend(faults);
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn waiting(&self) -> Vec<Fault> {
        self.waiting.clone()
    }

    /// What happens to the next call of an action. Of several faults the first one happens, plus every latency.
    pub(super) fn strike(&mut self, action: &str) -> Verdict {
        let mut verdict = Verdict::default();
        for fault in self.waiting.iter_mut().filter(|fault| fault.action == "*" || fault.action == action) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            match &fault.kind {
                FaultKind::LatencyMs(latency) => verdict.latency_ms = (verdict.latency_ms + latency).min(LONGEST),
                _ if verdict.kind.is_some() => continue,
                kind => verdict.kind = Some(kind.clone()),
            }
            fault.times = fault.times.map(|times| times.saturating_sub(1));
        }
        self.waiting.retain(|fault| fault.times != Some(0));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_strikes_then_is_spent() {
        let mut faults = Faults::default();
        faults.inject(vec![Fault { skip: 1, ..Fault::error("AddTags", "Throttling", 2) }], |_| true).unwrap();
        let struck: Vec<bool> = (0..5).map(|_| faults.strike("AddTags").kind.is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(faults.strike("RemoveTags"), Verdict::default());
        assert!(faults.waiting().is_empty());
    }

    #[test]
    fn latency_joins_another_fault_and_a_second_fault_waits_its_turn() {
        let latency = Fault { action: "*".to_owned(), times: None, skip: 0, kind: FaultKind::LatencyMs(5) };
        let mut faults = Faults::default();
        let errors = ["First", "Second"].map(|code| Fault::error("AddTags", code, 1));
        faults.inject([vec![latency], errors.to_vec()].concat(), |_| true).unwrap();
        for code in ["First", "Second"] {
            let verdict = faults.strike("AddTags");
            assert_eq!(verdict.latency_ms, 5);
            assert!(matches!(verdict.kind, Some(FaultKind::ErrorBefore(error)) if error.code == code));
        }
        assert_eq!(faults.strike("AddTags"), Verdict { latency_ms: 5, kind: None });
    }
}
