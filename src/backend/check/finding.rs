//! One thing that would break: where, and why.

use std::collections::BTreeSet;

use serde::Serialize;

use super::parse::At;

/// One thing that would break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file, as it was named or included.
    pub file: String,
    /// The line, from 1; 0 where the whole configuration is meant.
    pub line: usize,
    /// What kind of thing it is, as a word that stays: `listen-without-proxy-protocol`.
    pub rule: &'static str,
    /// What breaks and why, and what to write instead; without a full stop.
    pub message: String,
}

/// Findings in the making: each once, however many servers share the line.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeSet<(At, &'static str, String)>);

impl Findings {
    pub(super) fn add(&mut self, at: At, rule: &'static str, message: impl Into<String>) {
        self.0.insert((at, rule, message.into()));
    }

    pub(super) fn finish(self, names: &[String]) -> Vec<Finding> {
        let name = |at: &At| names.get(at.file).cloned().unwrap_or_default();
        self.0.into_iter().map(|(at, rule, message)| Finding { file: name(&at), line: at.line, rule, message }).collect()
    }
}
