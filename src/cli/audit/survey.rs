//! What an audit looks for: the rules, the balancers and what counts, everywhere the same.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::choose::Choice;
use crate::audit::{Check, Source, Suppressions};
use crate::output::AuditProgress;

/// What is looked for.
pub(super) struct Survey<'a> {
    /// The chosen rules, by identifier.
    pub(super) checks: Vec<&'static Check>,
    /// What these rules may draw on.
    pub(super) sources: BTreeSet<Source>,
    /// Which balancers.
    pub(super) choice: Choice,
    /// Which findings do not count.
    pub(super) suppressions: Suppressions,
    /// When the audit began.
    pub(super) now: Timestamp,
    /// The least idle timeout that is enough, in seconds.
    pub(super) min_idle_timeout: u32,
    /// Told of what is found and done.
    pub(super) progress: &'a AuditProgress,
}
