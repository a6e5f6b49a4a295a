//! Balancer + Spec -> Plan. Pure and synchronous: no clock, no environment, no printing, no tokio.
//!
//! Each concern moves the target away from the live balancer as the spec asks; the changes a person reads and the steps
//! that lead there are both differences between the two. Nothing is left to decide at apply time.

mod change;
mod compare;
mod digest;
mod draft;
mod error;
mod health_check;
mod journal;
mod listener_policies;
mod listeners;
mod negotiation;
mod order;
mod predict;
mod progress;
mod proxy_protocol;
mod saved;
mod step;

use serde::Serialize;

pub use change::{Action, Address, Change};
pub use compare::differences;
pub use digest::digest;
pub use error::PlanError;
pub use journal::is_journal_tag;
pub use predict::{predict, takes_effect};
pub use progress::{Progress, progress};
pub use saved::{FORMAT_VERSION, PlanFile, SavedPlanError};
pub use step::Step;

use crate::model::Balancer;
use crate::spec::{ListenerIntent, Spec};
use draft::Draft;

/// What will be done to one balancer, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The balancer's name.
    pub balancer: String,
    /// Whether there is nothing to do.
    pub no_op: bool,
    /// The digest of what was observed: see [`digest`].
    pub digest: String,
    /// What a person reads, in the order it will happen.
    pub changes: Vec<Change>,
    /// The calls: stages run one after another, the groups of a stage at the same time, a group's steps in order.
    pub stages: Vec<Stage>,
    /// Load balancer ports that are interrupted, sorted.
    pub interrupts: Vec<u16>,
    /// What a person should know before agreeing.
    pub notes: Vec<Note>,
    /// What was asked for.
    pub spec: Spec,
    /// What was observed.
    pub before: Balancer,
    /// What the steps lead to.
    pub after: Balancer,
}

/// Groups that may run at the same time, because none touches what another one touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The groups.
    pub groups: Vec<Group>,
}

/// Calls that belong together: a first Ctrl-C lets the current group finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What the group is about, for progress: `listener 443`.
    pub about: String,
    /// The calls, in order.
    pub steps: Vec<Step>,
    /// The calls that put deleted listeners back, if a listener cannot be created in their place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restore: Vec<Step>,
}

/// Something to know about a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// How much it matters.
    pub kind: NoteKind,
    /// One or two sentences.
    pub text: String,
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Something that must be true outside the balancer before the plan is applied.
    Before,
    /// Something that will probably not work.
    Warning,
    /// Something left as it is, and why.
    Note,
}

impl Plan {
    /// All steps in the order of the stages.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.stages.iter().flat_map(|stage| &stage.groups).flat_map(|group| &group.steps)
    }

    /// Whether a listener is made on a load balancer port where none was observed.
    pub fn adds_listener(&self) -> bool {
        self.steps().any(|step| match step {
            Step::CreateListener { listener } => !self.before.listeners.contains_key(&listener.load_balancer_port),
            _ => false,
        })
    }

    /// The number of changes of a kind.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}

/// Makes the plan that turns the live balancer into what the spec asks for. The same two inputs always give the same plan.
///
/// Where the recipe cannot be met on the balancer, and an interrupted run has left something behind, the plan puts that back and
/// says why there is no more to it: no listener may stay missing because the next run finds something else to complain about.
pub fn plan(live: &Balancer, spec: &Spec) -> Result<Plan, PlanError> {
    let mut draft = Draft::new(live, spec)?;
    match aim(&mut draft) {
        Ok(()) => Ok(finish(draft, spec)),
        Err(error) if spec.listeners == ListenerIntent::Recipe && !draft.journal.keys.is_empty() => {
            let nothing = Spec::nothing();
            let mut draft = Draft::new(live, &nothing)?;
            if aim(&mut draft).is_err() {
                return Err(error);
            }
            let text =
                format!("only what an interrupted run left behind is put back; what is asked for is refused: {error}");
            draft.note(NoteKind::Warning, text);
            Ok(finish(draft, spec))
        }
        Err(error) => Err(error),
    }
}

fn aim(draft: &mut Draft) -> Result<(), PlanError> {
    listeners::aim(draft)?;
    negotiation::aim(draft)?;
    proxy_protocol::aim(draft)?;
    health_check::aim(draft);
    if let Some(seconds) = draft.spec.idle_timeout {
        draft.target.attributes.idle_timeout = seconds;
    }
    Ok(())
}

fn finish(draft: Draft, spec: &Spec) -> Plan {
    let changes = change::changes(&draft);
    let stages = order::stages(&draft);
    let interrupts: std::collections::BTreeSet<u16> = changes.iter().flat_map(|change| change.interrupts.clone()).collect();
    let Draft { live, target, mut notes, .. } = draft;
    notes.sort_by_key(|note| note.kind);
    Plan {
        balancer: live.name.clone(),
        no_op: stages.is_empty(),
        digest: digest(live),
        changes,
        stages,
        interrupts: interrupts.into_iter().collect(),
        notes,
        spec: spec.clone(),
        before: live.clone(),
        after: target,
    }
}
