//! One run of `elbws apply`, as the command makes it: read, plan, check the certificates, apply.

use std::time::Duration;

use elbws::apply::{
    Applying, Ending, Outcome, PrecheckError, SecondLookError, Stop, StopSwitch, apply, precheck, second_look,
};
use elbws::cloud::{Cloud, CloudError};
use elbws::plan::{Plan, PlanError, Progress, Step, plan, progress};
use elbws::spec::Spec;

use super::client::Client;

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Unread(CloudError),
    Unplanned(PlanError),
    Unchecked(PrecheckError),
    NothingToDo,
    Stale(Vec<String>),
    #[expect(dead_code, reason = "the plan is shown when a case fails")]
    Applied(Box<Plan>, Outcome),
}

impl Ended {
    /// The exit code that the command gives it.
    pub(crate) fn exit(&self) -> i32 {
        match self {
            Ended::NothingToDo => 0,
            Ended::Applied(_, Outcome { ending: Ending::Converged, .. }) => 0,
            Ended::Applied(_, outcome) if outcome.changed => 3,
            Ended::Applied(..) | Ended::Unread(_) | Ended::Unplanned(_) | Ended::Unchecked(_) => 1,
            Ended::Stale(_) => 4,
        }
    }

    /// What a person is told went wrong.
    pub(crate) fn message(&self) -> String {
        match self {
            Ended::Unread(error) => error.to_string(),
            Ended::Unplanned(error) => error.to_string(),
            Ended::Unchecked(PrecheckError::Unchecked { source, .. }) => source.to_string(),
            Ended::Unchecked(error) => error.to_string(),
            Ended::NothingToDo => String::new(),
            Ended::Stale(differences) => differences.join(", "),
            Ended::Applied(_, outcome) => match &outcome.ending {
                Ending::Failed { error, .. } | Ending::Unverified(error) => error.to_string(),
                Ending::NoLongerFits(error) => error.to_string(),
                other => format!("{other:?}"),
            },
        }
    }
}

/// Runs `elbws apply` with a spec.
pub(crate) async fn run(cloud: &Client, name: &str, spec: &Spec, stop: &Stop) -> Ended {
    let live = match cloud.read(name).await {
        Ok(live) => live,
        Err(error) => return Ended::Unread(error),
    };
    let made = match plan(&live, spec) {
        Ok(made) => made,
        Err(error) => return Ended::Unplanned(error),
    };
    match second_look(cloud, made).await {
        Ok(made) if made.no_op => Ended::NothingToDo,
        Ok(made) => go_on(cloud, made, None, stop).await,
        Err(SecondLookError::Plan(error)) => Ended::Unplanned(error),
        Err(SecondLookError::Cloud(error)) => Ended::Unread(error),
    }
}

/// Runs `elbws apply FILE` with a plan that was saved.
pub(crate) async fn run_saved(cloud: &Client, saved: Plan, stop: &Stop) -> Ended {
    let live = match cloud.read(&saved.balancer).await {
        Ok(live) => live,
        Err(error) => return Ended::Unread(error),
    };
    match progress(&saved, &live) {
        Progress::Stale(differences) => Ended::Stale(differences),
        Progress::Remaining(stages) if stages.is_empty() => Ended::NothingToDo,
        Progress::Remaining(stages) => go_on(cloud, saved, Some(stages), stop).await,
    }
}

async fn go_on(cloud: &Client, made: Plan, stages: Option<Vec<elbws::plan::Stage>>, stop: &Stop) -> Ended {
    if let Err(error) = precheck(cloud, &made).await {
        return Ended::Unchecked(error);
    }
    check_precheck(cloud, &made);
    let stages = stages.unwrap_or_else(|| made.stages.clone());
    let applying = Applying { plan: &made, stages: &stages, retry_for: Duration::from_secs(120), stop, listen: &|_| {} };
    let outcome = apply(cloud, applying).await;
    Ended::Applied(Box::new(made), outcome)
}

/// A listener is deleted only if what comes in its place was checked: its certificate is on the balancer, or was found.
fn check_precheck(cloud: &Client, plan: &Plan) {
    let deletes = |port: u16| {
        plan.steps().any(|step| matches!(step, Step::DeleteListener { load_balancer_port } if *load_balancer_port == port))
    };
    for step in plan.steps() {
        let Step::CreateListener { listener } = step else { continue };
        let Some(certificate) = listener.certificate.as_ref().filter(|_| deletes(listener.load_balancer_port)) else {
            continue;
        };
        let held = plan.before.listeners.values().any(|live| live.certificate.as_ref() == Some(certificate));
        assert!(held || cloud.found(certificate), "{certificate} was not checked before listener {listener} is deleted");
    }
}

/// Nobody asks the run to stop.
pub(crate) fn undisturbed() -> Stop {
    StopSwitch::new().1
}
