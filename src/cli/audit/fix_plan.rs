//! Plans what `elbws apply` would repair, and saves that for `elbws apply FILE`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use futures::stream::{self, StreamExt};

use crate::audit::{Report, Scope};
use crate::cli::engine::make_plan;
use crate::cli::error::CliError;
use crate::cli::file::write_whole;
use crate::cloud::Cloud;
use crate::output::{clean, plan_json, sink, warning_text};
use crate::plan::{Plan, PlanFile};
use crate::spec::Spec;

/// Balancers that are read and planned at the same time.
const AT_ONCE: usize = 8;

/// Plans every balancer that has a finding which counts and which `apply` would repair. One that cannot be planned is said and
/// left out.
pub(super) async fn save(
    path: &Path,
    scope: &Scope,
    cloud: &impl Cloud,
    report: &Report,
    quiet: bool,
) -> Result<(), CliError> {
    let wants = |finding: &crate::audit::Finding| finding.fixed_by_apply && finding.suppressed.is_none();
    let fixable = report.balancers.iter().filter(|balancer| balancer.findings.iter().any(wants));
    let names: BTreeSet<&str> = fixable.map(|balancer| balancer.name.as_str()).collect();
    let planned = stream::iter(names).map(async |name| make(cloud, name).await).buffered(AT_ONCE);
    let planned: Vec<Result<Plan, CliError>> = planned.collect().await;
    let mut plans = Vec::new();
    for plan in planned {
        match plan {
            Ok(plan) => plans.push(plan),
            Err(why) => sink::message(&warning_text(&format!("not in the plan: {}", why.message))),
        }
    }
    let (count, interrupting) = (plans.len(), plans.iter().filter(|plan| !plan.interrupts.is_empty()).count());
    let file = PlanFile::new(Some(scope.account.clone()), &scope.region, plans);
    let text = plan_json(&file).context("no JSON")?;
    write_whole(path, |out| out.write_all(text.as_bytes()))?;
    if !quiet {
        let path = clean(&path.display().to_string());
        if count == 0 {
            sink::message(&format!("There is nothing that `elbws apply` repairs: the plan in {path} is empty.\n"));
            return Ok(());
        }
        let balancers = if count == 1 { "balancer" } else { "balancers" };
        sink::message(&format!(
            "The plan for {count} {balancers} ({interrupting} with an interruption) is in {path}. \
             Let the web servers expect the PROXY header first; then `elbws apply {path}` applies it.\n"
        ));
    }
    Ok(())
}

async fn make(cloud: &impl Cloud, name: &str) -> Result<Plan, CliError> {
    let live = cloud.read(name).await.map_err(|error| CliError::cloud(name, &error))?;
    make_plan(cloud, &live, &Spec::websocket()).await
}
