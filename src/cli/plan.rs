//! `elbws plan`: what `apply` would do.

use std::path::PathBuf;

use clap::Args;

use super::Global;
use super::connection::Connection;
use super::engine::{PlanFormat, make_plans, save_plans, show_plans};
use super::error::{CliError, Exit};
use super::target::SpecArgs;
use crate::output::{clean, sink};

/// Show what `apply` would do; change nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  elbws plan --elb chat
  elbws plan --elb chat --listener SSL:443/TCP:8080 --certificate ARN
  elbws plan --elb chat --format markdown >> \"$GITHUB_STEP_SUMMARY\"
  elbws plan --elb chat --detailed-exitcode   exits 2 if anything would change
  elbws plan --elb chat --out chat.plan       for `elbws apply chat.plan`")]
pub(super) struct PlanArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// The format of stdout
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    format: PlanFormat,
    /// Save the plan for `elbws apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Exit with 2 if anything would change
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) async fn run(global: Global, args: PlanArgs) -> Result<Exit, CliError> {
    let targets = args.spec.targets()?;
    let connection = Connection::open(&global).await?;
    let plans = make_plans(&connection, targets).await?;
    if let Some(path) = &args.out {
        save_plans(&connection, &plans, path).await?;
        if !global.quiet {
            sink::message(&format!("Saved. `elbws apply {}` applies it.\n", clean(&path.display().to_string())));
        }
    }
    show_plans(&connection, &plans, args.format)?;
    let pending = plans.iter().any(|plan| !plan.no_op);
    Ok(if pending && args.detailed_exitcode { Exit::Pending } else { Exit::Done })
}
