//! Suppressions: from `[[audit.ignore]]` of a file to what the audit knows, and what to say of those that have expired.

use std::collections::BTreeSet;
use std::path::Path;

use super::choose;
use super::scan::Scanned;
use crate::audit::{Ignore, Suppressions, rules};
use crate::cli::error::CliError;
use crate::cli::target::{MAX_CONFIG, read_bounded};
use crate::output::{sink, warning_text};
use crate::spec::config::{Config, IgnoreConfig};

/// Reads the suppressions of a file; none without a file.
pub(super) fn read(path: Option<&Path>) -> Result<Vec<Ignore>, CliError> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let wrong = |why: &dyn std::fmt::Display| CliError::usage(format!("{}: {why}", path.display()));
    let config = Config::read(&read_bounded(path, MAX_CONFIG)?).map_err(|error| wrong(&error))?;
    let ignores = config.audit.ignore.iter().enumerate();
    ignores.map(|(number, one)| ignore(one).map_err(|why| wrong(&format!("audit.ignore {}: {why}", number + 1)))).collect()
}

fn ignore(config: &IgnoreConfig) -> Result<Ignore, String> {
    let IgnoreConfig { rule, balancer, reason, until } = config;
    let found = rules::all().find(|check| check.rule.id.eq_ignore_ascii_case(rule));
    let rule = found.ok_or_else(|| format!("there is no rule `{rule}`; `elbws audit --explain` lists them"))?.rule.id;
    if reason.trim().is_empty() {
        return Err(format!("the suppression of {rule} needs a reason"));
    }
    let date = |text: &String| text.parse().map_err(|_| format!("`{text}` is no date such as 2027-01-31"));
    Ok(Ignore {
        rule: rule.to_owned(),
        balancers: choose::glob(balancer.as_deref().unwrap_or("*"))?,
        reason: reason.clone(),
        until: until.as_ref().map(date).transpose()?,
    })
}

/// Says which suppressions have expired although there is still something to suppress.
pub(super) fn say_expired(suppressions: &Suppressions, scanned: &[Scanned]) {
    let expired: BTreeSet<usize> = scanned.iter().flat_map(|one| one.expired.iter().copied()).collect();
    for Ignore { rule, balancers, reason, until } in expired.into_iter().filter_map(|position| suppressions.get(position)) {
        let until = until.map(|until| until.to_string()).unwrap_or_default();
        let text = format!(
            "the suppression of {rule} for `{}` ended on {until}, so its findings count again; its reason was: {reason}",
            balancers.glob()
        );
        sink::message(&warning_text(&text));
    }
}
