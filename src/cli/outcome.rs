//! What a person is told of a run that did not converge.

use super::error::{CliError, Exit, with_cloud_hints};
use crate::apply::{Ending, Outcome};
use crate::cloud::CloudError;
use crate::model::CertificateArn;
use crate::model::names::list;
use crate::plan::{Plan, Step, is_journal_tag};

/// The error to report, if a run did not converge.
pub(super) fn failure(plan: &Plan, outcome: &Outcome) -> Option<CliError> {
    let name = &plan.balancer;
    let error = match &outcome.ending {
        Ending::Converged => return None,
        Ending::Failed { step, error, restored } => failed_call(plan, step, error, *restored),
        Ending::Unverified(error) => with_cloud_hints(
            CliError::failed(format!("balancer `{name}`: all calls were made, but the result could not be read: {error}")),
            error,
        ),
        Ending::NotConverged(changes) => {
            let left: Vec<String> = changes.iter().map(|change| format!("  {}", change.address)).collect();
            CliError::failed(format!("balancer `{name}`: all calls were made, and it still differs:\n{}", left.join("\n")))
                .hint("somebody else may be changing the balancer: `elbws plan` shows what differs now")
        }
        Ending::NoLongerFits(error) if plan.before.tags.keys().any(|key| is_journal_tag(key)) => {
            CliError::plan(name, error).hint("what an interrupted run had left behind is put back")
        }
        Ending::NoLongerFits(error) => CliError::plan(name, error).hint("somebody else may be changing the balancer"),
        Ending::Interrupted => CliError::failed(format!("balancer `{name}`: interrupted")),
    };
    Some(with_remaining(error, outcome))
}

fn failed_call(plan: &Plan, step: &Step, error: &CloudError, restored: Option<bool>) -> CliError {
    let mut message = format!("balancer `{}`: could not {step}: {error}", plan.balancer);
    match restored {
        Some(true) => message.push_str("\nThe old listener and its policies were put back."),
        Some(false) if plan.spec.journal => {
            message.push_str("\nThe old listener could not be put back either; its definition is in the balancer's tags.");
        }
        Some(false) => {
            message.push_str("\nThe old listener could not be put back either. The listeners were:");
            for listener in plan.before.listeners.values() {
                let certificate = listener.certificate.as_ref().map_or("none", CertificateArn::as_str);
                let policies = list(&listener.policies);
                message.push_str(&format!("\n  {listener}, certificate {certificate}, policies {policies}"));
            }
        }
        None => {}
    }
    let failed = with_cloud_hints(CliError::failed(message), error);
    match step {
        Step::AddTags { .. } => failed.hint(
            "a listener is replaced only while its definition is kept in the balancer's tags, so that any later run can put it back; \
             --no-journal goes without",
        ),
        _ => failed,
    }
}

fn with_remaining(mut error: CliError, outcome: &Outcome) -> CliError {
    if !outcome.remaining.is_empty() && (outcome.changed || matches!(outcome.ending, Ending::Interrupted)) {
        error.message.push_str("\nNot done:");
        for step in &outcome.remaining {
            error.message.push_str(&format!("\n  {step}"));
        }
    }
    match outcome.changed {
        true => error.hint("run the same command again: it goes on from here"),
        false => error.hint("nothing was changed"),
    }
}

/// A balancer that is off the way of its plan.
pub(super) fn stale(balancer: &str, differences: &[String]) -> CliError {
    let lines: Vec<String> = differences.iter().map(|line| format!("  {line}")).collect();
    let message = format!("balancer `{balancer}` is not on the way of its plan (expected -> found):\n{}", lines.join("\n"));
    CliError { exit: Exit::Stale, ..CliError::failed(message) }.hint("plan again")
}

/// The exit code of a command, or one error for all that failed.
pub(super) fn exit(failures: Vec<CliError>, any_changed: bool, interrupted: bool) -> Result<Exit, CliError> {
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else { return Ok(Exit::Done) };
    let mut all = failures.fold(first, |mut all, next| {
        all.message.push('\n');
        all.message.push_str(&next.message);
        all.hints.extend(next.hints.into_iter().filter(|hint| !all.hints.contains(hint)).collect::<Vec<_>>());
        all
    });
    all.exit = match (any_changed, interrupted) {
        (true, _) => Exit::PartWay,
        (false, true) => Exit::Interrupted,
        (false, false) => all.exit,
    };
    Err(all)
}
