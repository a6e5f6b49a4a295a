//! The planner's workspace: what is live, what is known to have been there, and what is aimed at.

use std::collections::BTreeMap;

use super::journal::{self, Journal};
use super::{Address, Note, NoteKind, PlanError};
use crate::model::Balancer;
use crate::spec::Spec;

/// A plan in the making. Each concern reads `known` and moves `target`.
pub(super) struct Draft<'a> {
    /// What was observed.
    pub(super) live: &'a Balancer,
    /// What was observed, with what an interrupted run had taken away put back: the basis of every decision.
    pub(super) known: Balancer,
    /// What an interrupted run left in the tags.
    pub(super) journal: Journal,
    /// What is asked for.
    pub(super) spec: &'a Spec,
    /// What the balancer shall be.
    pub(super) target: Balancer,
    /// Why an address changes.
    pub(super) reasons: BTreeMap<Address, String>,
    /// What a person should know.
    pub(super) notes: Vec<Note>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(live: &'a Balancer, spec: &'a Spec) -> Result<Self, PlanError> {
        let journal = Journal::read(&live.tags)?;
        let known = journal.restored(live);
        let mut target = known.clone();
        target.tags.retain(|key, _| !journal::is_journal_tag(key));
        Ok(Draft { live, known, journal, spec, target, reasons: BTreeMap::new(), notes: Vec::new() })
    }

    pub(super) fn note(&mut self, kind: NoteKind, text: impl Into<String>) {
        let note = Note { kind, text: text.into() };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    pub(super) fn reason(&mut self, address: Address, why: impl Into<String>) {
        self.reasons.insert(address, why.into());
    }

    /// Whether the spec is about the listener on this port: it names it, or names none.
    pub(super) fn is_about(&self, load_balancer_port: u16) -> bool {
        match &self.spec.listeners {
            crate::spec::ListenerIntent::Set(requests) => {
                requests.iter().any(|request| request.load_balancer_port == load_balancer_port)
            }
            crate::spec::ListenerIntent::Recipe | crate::spec::ListenerIntent::Keep => true,
        }
    }
}
