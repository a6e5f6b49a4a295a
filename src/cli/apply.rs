//! `elbws apply`: makes a balancer carry WebSockets, or applies a saved plan.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Global;
use super::connection::Connection;
use super::engine::{RunArgs, Work, check_certificates, plan_and_apply, show_ask_apply};
use super::error::{CliError, Exit, with_cloud_hints};
use super::target::{SpecArgs, read_bounded};
use super::{outcome, reading, signals};
use crate::cloud::Cloud;
use crate::output::sink;
use crate::plan::{PlanFile, Progress, progress};

/// A plan file holds the state of every balancer in it; this many bytes are enough for thousands.
const MAX_PLAN: u64 = 64 << 20;

/// Make a balancer carry WebSockets, or apply a saved plan
#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal it shows the plan and asks; elsewhere the command line is the consent.

Examples:
  elbws apply --elb chat
  elbws apply --elb chat --listener SSL:443/TCP:8080 --certificate ARN
  elbws apply chat.plan                       a plan saved by `elbws plan --out`
  elbws apply --config elbws.toml --yes
  elbws apply --elb chat --sandbox            on this machine, with no AWS account")]
pub(super) struct ApplyArgs {
    /// A plan saved by `elbws plan --out`
    #[arg(value_name = "PLAN", conflicts_with_all = ["names", "listener", "certificate", "policy_name", "instance_port", "skip_instance_port", "idle_timeout", "ssl_policy", "health_check", "keep_health_check", "prune", "no_journal", "config"])]
    saved: Option<PathBuf>,
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    run: RunArgs,
}

pub(super) async fn run(global: Global, args: ApplyArgs) -> Result<Exit, CliError> {
    let Some(path) = &args.saved else {
        let targets = args.spec.targets()?;
        let connection = signals::interruptible(Connection::open(&global)).await?;
        return plan_and_apply(&connection, targets, &args.run, global.quiet).await;
    };
    let file = PlanFile::parse(&read_bounded(path, MAX_PLAN)?).map_err(|error| {
        CliError::failed(format!("{} is refused: {error}", path.display()))
            .hint("make a new one with `elbws plan --out FILE`")
    })?;
    let connection = signals::interruptible(Connection::open(&global)).await?;
    let work = signals::interruptible(locate(&connection, path, file)).await?;
    if work.is_empty() && !global.quiet {
        sink::message("The plan is for no balancer: there is nothing to do.\n");
    }
    show_ask_apply(&connection, work, &args.run, global.quiet).await
}

/// What is left to do of each saved plan; an error if it is for somewhere else or any balancer is off its way.
async fn locate(connection: &Connection, path: &Path, file: PlanFile) -> Result<Vec<Work>, CliError> {
    let cloud = connection.cloud();
    let refused = |why: String| CliError::failed(format!("{} is refused: {why}", path.display()));
    let here = cloud
        .identity()
        .await
        .map_err(|error| with_cloud_hints(refused(format!("the account is unknown: {error}")), &error))?;
    if file.region != here.region {
        return Err(refused(format!("it is for region {}, and this is {}", file.region, here.region))
            .hint(format!("add --region {}", file.region)));
    }
    if file.account.as_ref() != Some(&here.account) {
        let other = file.account.unwrap_or_default();
        return Err(refused(format!("it is for account {other}, and these credentials are of {}", here.account))
            .hint("choose another --profile"));
    }
    let mut work = Vec::new();
    for plan in file.plans {
        let live = reading::read(cloud, &plan.balancer).await?;
        let stages = match progress(&plan, &live) {
            Progress::Remaining(stages) => stages,
            Progress::Stale(differences) => {
                let stale = outcome::stale(&plan.balancer, &differences);
                return Err(CliError { message: format!("{} is stale: {}", path.display(), stale.message), ..stale }
                    .hint("nothing was changed; make a new one with `elbws plan --out FILE`"));
            }
        };
        if !stages.is_empty() {
            check_certificates(cloud, &plan).await?;
        }
        work.push((plan, stages));
    }
    Ok(work)
}
