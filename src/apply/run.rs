//! A run: stages one after another, groups of a stage at the same time, steps of a group in order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;

use super::retry::{Circumstances, may_have_taken_effect, passes, pause};
use super::stop::{Level, Stop};
use super::{Event, verification};
use crate::cloud::{Cloud, CloudError};
use crate::plan::{Change, Group, Plan, PlanError, Stage, Step, takes_effect};

/// What a run needs beside the cloud.
pub struct Applying<'a> {
    /// The plan; its spec decides at the end whether the balancer is as it should be.
    pub plan: &'a Plan,
    /// The stages to run: the plan's, or what remains of them.
    pub stages: &'a [Stage],
    /// How long to go on with a call that fails in a way that passes.
    pub retry_for: Duration,
    /// Tells the run to stop.
    pub stop: &'a Stop,
    /// Hears what happens.
    pub listen: &'a (dyn Fn(Event) + Sync),
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// In which way.
    pub ending: Ending,
    /// Whether anything on the balancer changed, or may have.
    pub changed: bool,
    /// Calls that were not made, or not known to have succeeded.
    pub remaining: Vec<Step>,
}

/// In which way a run ended.
#[derive(Debug)]
pub enum Ending {
    /// The balancer is as planned.
    Converged,
    /// A call failed for good.
    Failed {
        /// The call.
        step: Step,
        /// What the service said.
        error: CloudError,
        /// Whether an old listener was put back; absent if none had to be.
        restored: Option<bool>,
    },
    /// The final read failed.
    Unverified(CloudError),
    /// All calls were made, and planning again finds more to do.
    NotConverged(Vec<Change>),
    /// All calls were made, and the spec no longer fits the balancer: somebody else has changed it meanwhile.
    NoLongerFits(PlanError),
    /// Stopped from outside.
    Interrupted,
}

/// Makes the calls of the stages and reads the balancer again at the end.
pub async fn apply(cloud: &impl Cloud, applying: Applying<'_>) -> Outcome {
    let steps: Vec<Step> =
        applying.stages.iter().flat_map(|stage| &stage.groups).flat_map(|group| &group.steps).cloned().collect();
    let run = Run { cloud, applying, remaining: Mutex::new(steps), in_effect: AtomicUsize::new(0) };
    run.tell(|balancer| Event::Started { balancer, steps: run.left().len() });
    let ending = tokio::select! {
        ending = run.stages() => ending,
        () = run.applying.stop.reached(Level::Now) => Ending::Interrupted,
    };
    let calls = run.in_effect.load(Ordering::SeqCst);
    match &ending {
        Ending::Converged => run.tell(|balancer| Event::Converged { balancer, calls }),
        Ending::Failed { error, .. } | Ending::Unverified(error) => {
            run.tell(|balancer| Event::Failed { balancer, error: error.to_string(), remaining: run.left() });
        }
        Ending::NoLongerFits(error) => {
            run.tell(|balancer| Event::Failed { balancer, error: error.to_string(), remaining: Vec::new() });
        }
        Ending::NotConverged(changes) => run.tell(|balancer| Event::NotConverged { balancer, changes: changes.clone() }),
        Ending::Interrupted => run.tell(|balancer| Event::Interrupted { balancer, remaining: run.left() }),
    }
    Outcome { ending, changed: calls > 0, remaining: run.left() }
}

struct Run<'a, C> {
    cloud: &'a C,
    applying: Applying<'a>,
    remaining: Mutex<Vec<Step>>,
    /// Calls that have taken effect, or may have: those under way count until they are known to have failed.
    in_effect: AtomicUsize,
}

impl<C: Cloud> Run<'_, C> {
    fn name(&self) -> &str {
        &self.applying.plan.balancer
    }

    fn tell(&self, event: impl FnOnce(String) -> Event) {
        (self.applying.listen)(event(self.name().to_owned()));
    }

    fn left(&self) -> Vec<Step> {
        // A poisoned lock only means that another group panicked; the list itself is whole.
        self.remaining.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn done(&self, step: &Step) {
        let mut remaining = self.remaining.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(index) = remaining.iter().position(|left| left == step) {
            remaining.remove(index);
        }
    }

    async fn stages(&self) -> Ending {
        for stage in self.applying.stages {
            if self.applying.stop.level() >= Level::AfterGroup {
                return Ending::Interrupted;
            }
            let ends = join_all(stage.groups.iter().map(|group| self.group(group))).await;
            if let Some(ending) = ends.into_iter().flatten().next() {
                return ending;
            }
        }
        self.tell(|balancer| Event::Verifying { balancer });
        verification::verify(self.cloud, self.applying.plan).await
    }

    /// Makes the calls of a group in order; how the run ends, if one fails for good.
    async fn group(&self, group: &Group) -> Option<Ending> {
        for (index, step) in group.steps.iter().enumerate() {
            self.tell(|balancer| Event::StepStarted { balancer, about: group.about.clone(), step: step.clone() });
            if let Err(error) = self.perform(step, &group.steps[..index]).await {
                let restored = match step {
                    Step::CreateListener { .. } if !group.restore.is_empty() => Some(self.restore(group, &error).await),
                    _ => None,
                };
                return Some(Ending::Failed { step: step.clone(), error, restored });
            }
            self.done(step);
            self.tell(|balancer| Event::StepDone { balancer, about: group.about.clone(), step: step.clone() });
        }
        None
    }

    /// Puts back what the group deleted. Whether that worked.
    async fn restore(&self, group: &Group, error: &CloudError) -> bool {
        let about = || group.about.clone();
        self.tell(|balancer| Event::Restoring { balancer, about: about(), error: error.to_string() });
        for (index, step) in group.restore.iter().enumerate() {
            let deleted = [&group.steps[..], &group.restore[..index]].concat();
            if let Err(error) = self.perform(step, &deleted).await {
                self.tell(|balancer| Event::NotRestored { balancer, about: about(), error: error.to_string() });
                return false;
            }
        }
        self.tell(|balancer| Event::Restored { balancer, about: about() });
        true
    }

    /// Makes one call, again where its failure passes, until the time for that is over.
    async fn perform(&self, step: &Step, before: &[Step]) -> Result<(), CloudError> {
        let circumstances = self.circumstances(step, before);
        let deadline = self.cloud.now() + self.applying.retry_for;
        self.in_effect.fetch_add(1, Ordering::SeqCst);
        let mut uncertain = false;
        for attempt in 1.. {
            let Err(error) = self.cloud.perform(self.name(), step).await else { return Ok(()) };
            uncertain |= error.is_ambiguous();
            if may_have_taken_effect(&error) && self.shows(step).await {
                return Ok(());
            }
            let wait = pause(attempt);
            if !passes(step, &error, attempt, &circumstances) || self.cloud.now() + wait > deadline {
                if !uncertain {
                    self.in_effect.fetch_sub(1, Ordering::SeqCst);
                }
                return Err(error);
            }
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.tell(|balancer| Event::Retrying { balancer, step: step.clone(), error: error.to_string(), wait_ms });
            self.cloud.pause(wait).await;
        }
        Ok(())
    }

    /// Whether the balancer shows the step's effect already. A read that fails answers nothing, so the call is made again.
    async fn shows(&self, step: &Step) -> bool {
        self.cloud.read(self.name()).await.is_ok_and(|live| takes_effect(&live, step))
    }

    fn circumstances(&self, step: &Step, before: &[Step]) -> Circumstances {
        let deleted_before = matches!(step, Step::CreateListener { listener } if before.iter().any(
            |earlier| matches!(earlier, Step::DeleteListener { load_balancer_port } if *load_balancer_port == listener.load_balancer_port),
        ));
        let policy_is_new = match step {
            Step::SetBackendPolicies { policies, .. } | Step::SetListenerPolicies { policies, .. } => self
                .applying
                .plan
                .steps()
                .any(|earlier| matches!(earlier, Step::CreatePolicy { name, .. } if policies.contains(name))),
            _ => false,
        };
        Circumstances { deleted_before, policy_is_new }
    }
}
