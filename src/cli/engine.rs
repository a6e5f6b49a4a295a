//! What the commands that change something share: read, plan, check, show, ask, apply.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::connection::Connection;
use super::error::{CliError, Exit, with_cloud_hints};
use super::file::write_whole;
use super::signals::{self, Watch};
use super::stdout::write_data;
use super::target::Target;
use super::{outcome, reading};
use crate::apply::{Applying, Ending, Event, SecondLookError, apply, precheck, second_look};
use crate::cloud::Cloud;
use crate::model::Balancer;
use crate::output::{ProgressView, clean, event_json, plan_json, plan_markdown, plan_text, sink, warning_text};
use crate::plan::{Plan, PlanFile, Progress, Stage, Step, plan, progress};
use crate::spec::Spec;

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
    reading::for_each(targets, async |(name, spec)| {
        let live = reading::read(cloud, &name).await?;
        make_plan(cloud, &live, &spec).await
    })
    .await
}

/// Plans from a balancer that was just read, checking what can be checked before the first write.
pub(super) async fn make_plan(cloud: &impl Cloud, live: &Balancer, spec: &Spec) -> Result<Plan, CliError> {
    let name = &live.name;
    let made = plan(live, spec).map_err(|error| CliError::plan(name, &error))?;
    let made = second_look(cloud, made).await.map_err(|error| match error {
        SecondLookError::Plan(error) => CliError::plan(name, &error),
        SecondLookError::Cloud(error) => CliError::cloud(name, &error),
    })?;
    check_certificates(cloud, &made).await?;
    Ok(made)
}

/// Refuses a plan whose certificates are not there; says which could not be checked.
pub(super) async fn check_certificates(cloud: &impl Cloud, plan: &Plan) -> Result<(), CliError> {
    let name = &plan.balancer;
    let warnings = precheck(cloud, plan).await.map_err(|error| CliError::precheck(name, &error))?;
    warnings.iter().for_each(|warning| sink::message(&warning_text(&format!("balancer `{name}`: {warning}"))));
    Ok(())
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
    let text = plan_json(&file).context("no JSON")?;
    write_whole(path, |out| out.write_all(text.as_bytes()))?;
    Ok(())
}

/// A plan, and the stages of it that remain to be run.
pub(super) type Work = (Plan, Vec<Stage>);

/// Plans for the targets, shows, asks and applies: what every changing command does.
pub(super) async fn plan_and_apply(
    connection: &Connection,
    targets: Vec<Target>,
    args: &RunArgs,
    quiet: bool,
) -> Result<Exit, CliError> {
    let plans = signals::interruptible(make_plans(connection, targets)).await?;
    let work = plans.into_iter().map(|plan| (plan.clone(), plan.stages)).collect();
    show_ask_apply(connection, work, args, quiet).await
}

/// Shows the plans, asks on a terminal, and runs what is left of each.
pub(super) async fn show_ask_apply(
    connection: &Connection,
    work: Vec<Work>,
    args: &RunArgs,
    quiet: bool,
) -> Result<Exit, CliError> {
    let asks = !args.yes && !args.dry_run && sink::is_interactive() && work.iter().any(|(_, stages)| !stages.is_empty());
    show_work(connection, &work, args, asks)?;
    if args.no_interrupt {
        work.iter().try_for_each(refuse_interruption)?;
    }
    let idle = work.iter().all(|(_, stages)| stages.is_empty());
    if args.dry_run || (idle && args.format == RunFormat::Text) {
        return Ok(Exit::Done);
    }
    if asks && !signals::interruptible(agreed()).await? {
        return Err(CliError { exit: Exit::Interrupted, ..CliError::failed("not applied: nothing was changed") });
    }
    run_all(connection, work, args, asks, quiet).await
}

/// Shows the plans on stdout; to whom is asked although stdout is for a program, on stderr.
fn show_work(connection: &Connection, work: &[Work], args: &RunArgs, asks: bool) -> anyhow::Result<()> {
    let plans: Vec<Plan> = work.iter().map(|(plan, _)| plan.clone()).collect();
    let region = connection.cloud().region();
    match args.format {
        RunFormat::Json if args.dry_run => return show_plans(connection, &plans, PlanFormat::Json),
        RunFormat::Json if asks => plans.iter().for_each(|plan| sink::message(&plan_text(plan, region))),
        RunFormat::Json => return Ok(()),
        RunFormat::Text => show_plans(connection, &plans, PlanFormat::Text)?,
    }
    for (plan, stages) in work.iter().filter(|(plan, stages)| *stages != plan.stages) {
        let mut text = format!("\nBalancer {} is on the way of this plan already. ", clean(&plan.balancer));
        match stages.is_empty() {
            true => text.push_str("All of it is done.\n"),
            false => text.push_str("What remains:\n"),
        }
        let steps = stages.iter().flat_map(|stage| &stage.groups).flat_map(|group| &group.steps);
        steps.for_each(|step| text.push_str(&format!("  {}\n", clean(&step.to_string()))));
        match args.format {
            RunFormat::Text => write_data(&text)?,
            RunFormat::Json => sink::message(&text),
        }
    }
    Ok(())
}

/// An error if what remains closes a port, even for a moment.
fn refuse_interruption((plan, stages): &Work) -> Result<(), CliError> {
    let steps = stages.iter().flat_map(|stage| &stage.groups).flat_map(|group| &group.steps);
    let ports: Vec<String> = steps
        .filter_map(|step| match step {
            Step::DeleteListener { load_balancer_port } => Some(load_balancer_port.to_string()),
            _ => None,
        })
        .collect();
    if ports.is_empty() {
        return Ok(());
    }
    let why = format!("the plan interrupts port {}, and --no-interrupt forbids that", ports.join(", "));
    Err(CliError::failed(format!("balancer `{}`: {why}", plan.balancer))
        .hint("a listener cannot be edited, only replaced: leave --no-interrupt out, at a quiet hour"))
}

/// Asks on stderr. An end of input is a no.
async fn agreed() -> Result<bool, CliError> {
    sink::message("\nApply this plan? [y/N] ");
    // Reading blocks, and a signal must be heard meanwhile. The thread is left behind when one comes.
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer.await.context("cannot read the answer")?.context("cannot read the answer")?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Runs balancer after balancer. One that fails does not keep the next from being tried; an interrupt does.
pub(super) async fn run_all(
    connection: &Connection,
    work: Vec<Work>,
    args: &RunArgs,
    asked: bool,
    quiet: bool,
) -> Result<Exit, CliError> {
    let watch = Watch::start();
    let view = ProgressView::new(args.format == RunFormat::Text && sink::is_terminal(), quiet);
    // A full disk must not stop a run in the middle, so what could not be written is told at the end.
    let unwritten = OnceLock::new();
    let listen = |event: Event| match args.format {
        RunFormat::Text => view.show(&event),
        RunFormat::Json => {
            let written = event_json(&event).context("no JSON").and_then(|line| write_data(&line));
            if let Err(error) = written {
                unwritten.get_or_init(|| error);
            }
        }
    };
    let mut failures = Vec::new();
    let mut any_changed = false;
    let mut interrupted = false;
    for (index, (plan, stages)) in work.into_iter().enumerate() {
        if interrupted {
            let steps: usize = stages.iter().flat_map(|stage| &stage.groups).map(|group| group.steps.len()).sum();
            failures.push(CliError::failed(format!("balancer `{}`: not begun, {steps} calls are left", plan.balancer)));
            continue;
        }
        // Time has passed since the read: somebody answered a question, or another balancer was changed first.
        let stages = match asked || index > 0 {
            true => match still_valid(connection, &plan, stages).await {
                Ok(stages) => stages,
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            },
            false => stages,
        };
        if stages.is_empty() {
            listen(Event::Converged { balancer: plan.balancer.clone(), calls: 0 });
            continue;
        }
        let retry_for = Duration::from_secs(args.retry_for);
        let applying = Applying { plan: &plan, stages: &stages, retry_for, stop: watch.stop(), listen: &listen };
        let outcome = apply(connection.cloud(), applying).await;
        any_changed |= outcome.changed;
        interrupted = matches!(outcome.ending, Ending::Interrupted);
        failures.extend(outcome::failure(&plan, &outcome));
        if matches!(outcome.ending, Ending::Converged) && args.format == RunFormat::Text {
            let name = clean(&plan.balancer);
            let done = format!("\nApplied. Balancer {name} is as asked for; a second run would change nothing.\n");
            failures.extend(write_data(&done).err().map(CliError::from));
        }
    }
    failures.extend(unwritten.into_inner().map(CliError::from));
    outcome::exit(failures, any_changed, interrupted)
}

/// What remains of a plan on the balancer as it is now; an error if somebody else has changed it.
async fn still_valid(connection: &Connection, plan: &Plan, stages: Vec<Stage>) -> Result<Vec<Stage>, CliError> {
    if stages.is_empty() {
        return Ok(stages);
    }
    let live = reading::read(connection.cloud(), &plan.balancer).await?;
    match progress(plan, &live) {
        Progress::Remaining(stages) => Ok(stages),
        Progress::Stale(differences) => Err(outcome::stale(&plan.balancer, &differences)),
    }
}
