//! `elbws audit`: every balancer of an account, or some, against the rules.
//!
//! `choose` says which balancers and rules, `survey` holds what is looked for, `scopes` opens accounts and regions, `scan` goes
//! through one of them, `look` looks at one balancer, `surroundings` at what lies around, `ignore` reads suppressions, `fix_plan`
//! plans what `apply` would repair, `explain` tells of rules, `emit` writes the report.

mod choose;
mod emit;
mod explain;
mod fix_plan;
mod ignore;
mod look;
mod scan;
mod scopes;
mod sources;
mod surroundings;
mod survey;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;

use super::Global;
use super::error::{CliError, Exit, with_cloud_hints};
use super::target::balancer_name;
use crate::audit::{Report, Severity, Suppressions};
use crate::cloud::Account;
use crate::output::{AuditProgress, sink, warning_text};
use choose::Choice;
use scan::Scanned;
use scopes::Opened;
use survey::Survey;

/// Accounts and regions that are read at the same time.
const SCOPES_AT_ONCE: usize = 4;

/// The version of the report's JSON.
const SCHEMA_VERSION: u32 = 1;

/// Check the balancers of an account, or some, against the rules
#[derive(Debug, Args)]
#[command(after_help = "\
Without --elb every Classic Load Balancer of the account and region is audited; ELB_NAME is not read. \
Nothing is changed.

Examples:
  elbws audit
  elbws audit --all-regions --fail-on error          exits 2 if there is an error
  elbws audit --elb chat --rule websocket --rule ELBWS101
  elbws audit --tag websocket=yes --skip-rule hygiene
  elbws audit --explain ELBWS001                     why it matters and what to do
  elbws audit --explain                              all rules
  elbws audit --fix-plan fix.plan && elbws apply fix.plan
  elbws audit --profile dev --profile prod --format json --out audit.json")]
pub(super) struct AuditArgs {
    /// Audit this balancer; repeat it for more than one [default: all]
    #[arg(long = "elb", value_name = "NAME", value_parser = balancer_name)]
    names: Vec<String>,
    /// Audit every balancer, which is the default
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Only balancers with this tag; several must all match
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = choose::tag)]
    tags: Vec<(String, String)>,
    /// Only balancers whose name matches, as 'chat-*'; of several one must match
    #[arg(long = "name", value_name = "GLOB", value_parser = choose::glob)]
    globs: Vec<globset::GlobMatcher>,
    /// The AWS region; repeat it for more than one [default: from the environment or the profile]
    #[arg(long = "region", id = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// Every region that is enabled for the account
    #[arg(long, conflicts_with = "region")]
    all_regions: bool,
    /// The profile in the AWS configuration files; repeat it for more than one
    #[arg(long = "profile", id = "profile", value_name = "PROFILE")]
    profiles: Vec<String>,
    /// Audit as this role; repeat it for more than one account
    #[arg(long = "role-arn", value_name = "ARN", value_parser = choose::role)]
    roles: Vec<String>,
    /// Only this rule, or the rules of this family (websocket, tls, availability, network, hygiene); repeat it
    #[arg(long = "rule", value_name = "RULE", value_parser = choose::rules)]
    rules: Vec<choose::Rules>,
    /// Leave this rule, or the rules of this family, out; repeat it
    #[arg(long = "skip-rule", value_name = "RULE", value_parser = choose::rules)]
    skip_rules: Vec<choose::Rules>,
    /// The least idle timeout in seconds that is enough (1-4000)
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=4000))]
    min_idle_timeout: u32,
    /// Take suppressions ([[audit.ignore]]) from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Exit with 2 if there is a finding of this severity or a worse one
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// The format of the report
    #[arg(long, value_enum, default_value_t = AuditFormat::Text)]
    format: AuditFormat,
    /// Write the report to this file instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Save a plan of what `elbws apply` would repair, for `elbws apply FILE`
    #[arg(long, value_name = "FILE")]
    fix_plan: Option<PathBuf>,
    /// Tell of a rule, or without one list them all, and stop
    #[arg(long, value_name = "RULE", num_args = 0..=1, value_parser = choose::rules)]
    explain: Option<Option<choose::Rules>>,
}

/// Severities, on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// It breaks connections, leaks, or is about to.
    Error,
    /// It can hurt.
    Warning,
    /// Worth knowing.
    Note,
}

/// Formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AuditFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For the summary of a CI job.
    Markdown,
    /// One page with pictures, for a browser; it needs no network.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// For the test report of a CI server; --fail-on says what fails.
    Junit,
}

pub(super) async fn run(global: Global, args: AuditArgs) -> Result<Exit, CliError> {
    if let Some(rule) = &args.explain {
        return explain::run(rule.as_ref());
    }
    let now = Timestamp::now();
    let checks = choose::checks(&args.rules, &args.skip_rules)?;
    let ignores = ignore::read(args.config.as_deref())?;
    let opened = Opened::open(&global, &args).await?;
    if args.fix_plan.is_some() && opened.accounts.len() + opened.failed.len() > 1 {
        return Err(CliError::usage("--fix-plan is for one account and region: a saved plan names exactly one")
            .hint("choose one with --profile, --role-arn and --region"));
    }
    // With --verbose each call has a line, which a bar would be drawn over.
    let progress = AuditProgress::new(sink::is_terminal() && !global.quiet && !global.verbose);
    let survey = Survey {
        sources: checks.iter().flat_map(|check| check.sources).copied().collect(),
        checks,
        choice: Choice { names: args.names.iter().cloned().collect(), tags: args.tags.clone(), globs: args.globs.clone() },
        suppressions: Suppressions::new(ignores, now.to_zoned(jiff::tz::TimeZone::UTC).date()),
        now,
        min_idle_timeout: args.min_idle_timeout,
        progress: &progress,
    };
    let accounts = stream::iter(&opened.accounts);
    let scanned = accounts.map(|(scope, account)| scan::scan(&survey, scope, account)).buffer_unordered(SCOPES_AT_ONCE);
    let mut scanned: Vec<Scanned> = scanned.collect().await;
    progress.finish();
    scanned.extend(opened.failed.iter().cloned());
    if !scanned.is_empty()
        && scanned.iter().all(|one| one.nothing_read())
        && let Some(error) = scanned.iter().find_map(|one| one.error.clone())
    {
        let reasons = scanned.iter().flat_map(|one| &one.unreadable).map(|one| one.reason.clone());
        let reasons: std::collections::BTreeSet<String> = reasons.collect();
        let reasons = reasons.into_iter().collect::<Vec<_>>().join("\n");
        return Err(with_cloud_hints(CliError::failed(format!("nothing could be read: {reasons}")), &error));
    }
    ignore::say_expired(&survey.suppressions, &scanned);
    let mut report = report(&survey, scanned);
    for (_, account) in &opened.accounts {
        emit::add_calls(&mut report.calls, account.calls());
    }
    emit::add_calls(&mut report.calls, opened.calls());
    emit::emit(&report, &args, &global)?;
    if report.balancers.is_empty() && report.unreadable.is_empty() && survey.choice.narrows() {
        sink::message(&warning_text("no balancer matches --name and --tag"));
    }
    if let (Some(path), Some((scope, account))) = (&args.fix_plan, opened.accounts.first()) {
        fix_plan::save(path, scope, account, &report, global.quiet).await?;
    }
    let least = args.fail_on.map(Severity::from);
    let fails = least.is_some_and(|least| report.findings().any(|finding| finding.severity >= least));
    Ok(if fails { Exit::Pending } else { Exit::Done })
}

/// Puts together what was found everywhere, in an order that does not depend on that of the replies.
fn report(survey: &Survey<'_>, scanned: Vec<Scanned>) -> Report {
    let mut report = Report {
        schema_version: SCHEMA_VERSION,
        elbws_version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: survey.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        rules: survey.checks.iter().map(|check| check.rule).collect(),
        scopes: Vec::new(),
        balancers: Vec::new(),
        unreadable: Vec::new(),
        not_checked: Vec::new(),
        calls: Default::default(),
    };
    for Scanned { scope, balancers, unreadable, not_checked, expired: _, error: _ } in scanned {
        report.scopes.push(scope);
        report.balancers.extend(balancers);
        report.unreadable.extend(unreadable);
        report.not_checked.extend(not_checked);
    }
    report.scopes.sort();
    report.balancers.sort_by(|one, other| (&one.scope, &one.name).cmp(&(&other.scope, &other.name)));
    let key = |one: &crate::audit::Unreadable| (one.scope.clone(), one.balancer.clone(), one.reason.clone());
    report.unreadable.sort_by_key(key);
    report.not_checked.sort_by_key(|one| (one.scope.clone(), one.read, one.rules.clone()));
    report
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Error => Severity::Error,
            FailOn::Warning => Severity::Warning,
            FailOn::Note => Severity::Note,
        }
    }
}
