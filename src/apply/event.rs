//! What a run says while it runs.

use serde::Serialize;

use crate::plan::{Change, Step};

/// One thing that happened. Serialised, it is a line of `--format json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run begins.
    Started {
        /// The balancer.
        balancer: String,
        /// How many calls the plan has left.
        steps: usize,
    },
    /// A call begins.
    StepStarted {
        /// The balancer.
        balancer: String,
        /// What its group is about.
        about: String,
        /// The call.
        step: Step,
    },
    /// A call succeeded, or its effect was there although it failed.
    StepDone {
        /// The balancer.
        balancer: String,
        /// What its group is about.
        about: String,
        /// The call.
        step: Step,
    },
    /// A call failed in a way that passes, and will be made again.
    Retrying {
        /// The balancer.
        balancer: String,
        /// The call.
        step: Step,
        /// What the service said.
        error: String,
        /// Milliseconds until the next attempt.
        wait_ms: u64,
    },
    /// A listener could not be created; the old one is being put back.
    Restoring {
        /// The balancer.
        balancer: String,
        /// What its group is about.
        about: String,
        /// Why it could not be created.
        error: String,
    },
    /// The old listener and its policies are back.
    Restored {
        /// The balancer.
        balancer: String,
        /// What its group is about.
        about: String,
    },
    /// The old listener could not be put back; its definition is in the journal.
    NotRestored {
        /// The balancer.
        balancer: String,
        /// What its group is about.
        about: String,
        /// Why not.
        error: String,
    },
    /// All calls are made; the balancer is being read again.
    Verifying {
        /// The balancer.
        balancer: String,
    },
    /// The balancer is as planned: planning again found nothing to do.
    Converged {
        /// The balancer.
        balancer: String,
        /// How many calls were made that changed something.
        calls: usize,
    },
    /// Planning again found something to do.
    NotConverged {
        /// The balancer.
        balancer: String,
        /// What is left.
        changes: Vec<Change>,
    },
    /// The run failed.
    Failed {
        /// The balancer.
        balancer: String,
        /// Why.
        error: String,
        /// Calls that were not made.
        remaining: Vec<Step>,
    },
    /// The run was stopped from outside.
    Interrupted {
        /// The balancer.
        balancer: String,
        /// Calls that were not made.
        remaining: Vec<Step>,
    },
}
