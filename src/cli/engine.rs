//! What the commands that change something share: read, plan, check, show, ask, apply.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use futures::future::try_join_all;

use super::connection::Connection;
use super::error::{CliError, Exit, with_cloud_hints};
use super::signals::{self, Watch};
use super::stdout::write_data;
use super::target::Target;
use crate::apply::{Applying, Ending, Event, Outcome, apply, precheck};
use crate::cloud::{Cloud, CloudError, CloudErrorKind};
use crate::model::Balancer;
use crate::output::{ProgressView, clean, event_json, plan_json, plan_markdown, plan_text, sink};
use crate::plan::{Note, NoteKind, Plan, PlanFile, Stage, Step, plan};

/// How a command that changes something talks and asks.
#[derive(Debug, Clone, Args)]
pub(super) struct RunArgs {
    /// Show the plan and stop
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask before applying
    #[arg(short, long)]
    pub(super) yes: bool,
    /// Refuse a plan that would interrupt a port
    #[arg(long)]
    pub(super) no_interrupt: bool,
    /// How long to go on with a call that fails in a way that passes, such as a certificate not visible yet
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(super) retry_for: u64,
    /// The format of stdout; json is one event a line
    #[arg(long, value_enum, default_value_t = RunFormat::Text)]
    pub(super) format: RunFormat,
}

/// Formats of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum RunFormat {
    /// For people.
    Text,
    /// One event a line.
    Json,
}

/// Formats of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request, with a picture before and after.
    Markdown,
}

/// Reads the balancers and plans each, checking what can be checked before the first write.
pub(super) async fn make_plans(connection: &Connection, targets: Vec<Target>) -> Result<Vec<Plan>, CliError> {
    let cloud = connection.cloud();
    try_join_all(targets.into_iter().map(async |(name, spec)| {
        let live = read(cloud, &name).await?;
        let mut made = plan(&live, &spec).map_err(|error| CliError::plan(&name, &error))?;
        let warnings = precheck(cloud, &made).await.map_err(|error| CliError::precheck(&name, &error))?;
        made.notes.extend(warnings.into_iter().map(|text| Note { kind: NoteKind::Warning, text }));
        Ok(made)
    }))
    .await
}

/// Reads a balancer; if there is none of that name, says which there are.
pub(super) async fn read(cloud: &impl Cloud, name: &str) -> Result<Balancer, CliError> {
    let error = match cloud.read(name).await {
        Ok(balancer) => return Ok(balancer),
        Err(error) => error,
    };
    let failed = CliError::cloud(name, &error);
    if error.kind != CloudErrorKind::LoadBalancerNotFound {
        return Err(failed);
    }
    let there = match cloud.names().await {
        Ok(names) if names.is_empty() => {
            format!("there is no Classic Load Balancer in {}: is it the right --region and --profile?", cloud.region())
        }
        Ok(names) => format!("Classic Load Balancers in {}: {}", cloud.region(), shorten(&names)),
        Err(_) => format!("is {} the right --region?", cloud.region()),
    };
    Err(failed
        .hint(there)
        .hint("an Application or Network Load Balancer is never found here; it carries WebSockets without elbws"))
}

fn shorten(names: &[String]) -> String {
    const MOST: usize = 10;
    let shown = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len() {
        0..=MOST => shown,
        more => format!("{shown} and {} more", more - MOST),
    }
}

/// Writes plans to stdout.
pub(super) fn show_plans(connection: &Connection, plans: &[Plan], format: PlanFormat) -> anyhow::Result<()> {
    let region = connection.cloud().region();
    let each =
        |render: fn(&Plan, &str) -> String| plans.iter().map(|plan| render(plan, region)).collect::<Vec<_>>().join("\n");
    let text = match format {
        PlanFormat::Text => each(plan_text),
        PlanFormat::Markdown => each(plan_markdown),
        PlanFormat::Json => plan_json(&PlanFile::new(None, region, plans.to_vec())).context("no JSON")?,
    };
    write_data(&text)
}

/// Saves plans for `elbws apply FILE`: whole or not at all, readable by their owner only.
pub(super) async fn save_plans(connection: &Connection, plans: &[Plan], path: &Path) -> Result<(), CliError> {
    let cloud = connection.cloud();
    let identity = cloud.identity().await.map_err(|error| {
        with_cloud_hints(CliError::failed(format!("a saved plan names its account, and that is unknown: {error}")), &error)
    })?;
    let file = PlanFile::new(Some(identity.account), &identity.region, plans.to_vec());
    write_whole(path, &plan_json(&file).context("no JSON")?)?;
    Ok(())
}

/// Writes a file whole or not at all, readable by its owner only.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let context = || format!("cannot write {}", path.display());
    let mut temporary = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
    temporary.write_all(text.as_bytes()).and_then(|()| temporary.as_file().sync_all()).with_context(context)?;
    temporary.persist(path).with_context(context)?;
    Ok(())
}

/// Plans for the targets, shows, asks and applies: what every changing command does.
pub(super) async fn plan_and_apply(
    connection: &Connection,
    targets: Vec<Target>,
    args: &RunArgs,
    quiet: bool,
) -> Result<Exit, CliError> {
    let plans = signals::interruptible(make_plans(connection, targets)).await?;
    let work: Vec<(Plan, Vec<Stage>)> = plans
        .into_iter()
        .map(|plan| {
            let stages = plan.stages.clone();
            (plan, stages)
        })
        .collect();
    show_ask_apply(connection, work, args, quiet).await
}

/// Shows the plans, asks on a terminal, and runs what is left of each.
pub(super) async fn show_ask_apply(
    connection: &Connection,
    work: Vec<(Plan, Vec<Stage>)>,
    args: &RunArgs,
    quiet: bool,
) -> Result<Exit, CliError> {
    let plans: Vec<Plan> = work.iter().map(|(plan, _)| plan.clone()).collect();
    match args.format {
        RunFormat::Text => show_plans(connection, &plans, PlanFormat::Text)?,
        RunFormat::Json if args.dry_run => show_plans(connection, &plans, PlanFormat::Json)?,
        RunFormat::Json => {}
    }
    let interrupting = plans.iter().find(|plan| !plan.interrupts.is_empty());
    if let Some(plan) = interrupting.filter(|_| args.no_interrupt) {
        let ports: Vec<String> = plan.interrupts.iter().map(u16::to_string).collect();
        return Err(CliError::failed(format!(
            "balancer `{}`: the plan interrupts port {}, and --no-interrupt forbids that",
            plan.balancer,
            ports.join(", ")
        ))
        .hint("a listener cannot be edited, only replaced: leave --no-interrupt out, at a quiet hour"));
    }
    for (plan, _) in work.iter().filter(|(plan, stages)| stages.is_empty() && !plan.no_op) {
        if args.format == RunFormat::Text {
            write_data(&format!("\nAll of this is done already on balancer {}.\n", clean(&plan.balancer)))?;
        }
    }
    let idle = work.iter().all(|(_, stages)| stages.is_empty());
    if args.dry_run || (idle && args.format == RunFormat::Text) {
        return Ok(Exit::Done);
    }
    if !idle && !args.yes && args.format == RunFormat::Text && sink::is_interactive() && !agreed()? {
        return Err(CliError { exit: Exit::Interrupted, ..CliError::failed("not applied: nothing was changed") });
    }
    run_all(connection, &work, args, quiet).await
}

/// Asks on stderr. An end of input is a no.
fn agreed() -> anyhow::Result<bool> {
    sink::message("\nApply this plan? [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Runs balancer after balancer. One that fails does not keep the next from being tried; an interrupt does.
async fn run_all(
    connection: &Connection,
    work: &[(Plan, Vec<Stage>)],
    args: &RunArgs,
    quiet: bool,
) -> Result<Exit, CliError> {
    let watch = Watch::start();
    let view = ProgressView::new(args.format == RunFormat::Text && sink::is_terminal(), quiet);
    let mut failures = Vec::new();
    let mut any_changed = false;
    let mut interrupted = false;
    for (plan, stages) in work {
        let listen = |event: Event| match args.format {
            RunFormat::Text => view.show(&event),
            // A reader that has gone away must not stop a run in the middle.
            RunFormat::Json => drop(event_json(&event).map(|line| sink::data(&line))),
        };
        let retry_for = Duration::from_secs(args.retry_for);
        let outcome = match stages.is_empty() {
            true => Outcome { ending: Ending::Converged, changed: false, remaining: Vec::new() },
            false => {
                apply(connection.cloud(), Applying { plan, stages, retry_for, stop: watch.stop(), listen: &listen }).await
            }
        };
        if stages.is_empty() && args.format == RunFormat::Json {
            listen(Event::Converged { balancer: plan.balancer.clone(), calls: 0 });
        }
        any_changed |= outcome.changed;
        interrupted = matches!(outcome.ending, Ending::Interrupted);
        failures.extend(report(plan, stages, &outcome, args)?);
        if interrupted {
            break;
        }
    }
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else { return Ok(Exit::Done) };
    let mut error = failures.fold(first, |mut all, next| {
        all.message.push('\n');
        all.message.push_str(&next.message);
        all.hints.extend(next.hints);
        all
    });
    error.hints.dedup();
    error.exit = match (any_changed, interrupted) {
        (true, _) => Exit::PartWay,
        (false, true) => Exit::Interrupted,
        (false, false) => Exit::Failed,
    };
    Err(error)
}

/// Says how a run ended: on stdout that it is done, or the error to be reported.
fn report(plan: &Plan, stages: &[Stage], outcome: &Outcome, args: &RunArgs) -> Result<Option<CliError>, CliError> {
    let name = &plan.balancer;
    let error = match &outcome.ending {
        Ending::Converged => {
            if !stages.is_empty() && args.format == RunFormat::Text {
                write_data(&format!(
                    "\nApplied. Balancer {} is as asked for; a second run would change nothing.\n",
                    clean(name)
                ))?;
            }
            return Ok(None);
        }
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
        Ending::Interrupted => CliError::failed(format!("balancer `{name}`: interrupted")),
    };
    Ok(Some(with_remaining(error, outcome)))
}

fn failed_call(plan: &Plan, step: &Step, error: &CloudError, restored: Option<bool>) -> CliError {
    let mut message = format!("balancer `{}`: could not {step}: {error}", plan.balancer);
    match restored {
        Some(true) => message.push_str("\nThe old listener and its policies were put back."),
        Some(false) => {
            message.push_str("\nThe old listener could not be put back either; its definition is in the balancer's tags.")
        }
        None => {}
    }
    let failed = with_cloud_hints(CliError::failed(message), error);
    match (step, error.kind) {
        (Step::AddTags { .. }, CloudErrorKind::AccessDenied) => failed.hint(
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
