//! Which balancers are audited, and against which rules.

use std::collections::{BTreeMap, BTreeSet};

use globset::{Glob, GlobMatcher};

use crate::audit::{Check, rules};
use crate::cli::error::CliError;

/// The balancers of an account and region that are audited.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    /// Only these, by name, each once; empty means all.
    pub(super) names: BTreeSet<String>,
    /// Only those with all of these tags.
    pub(super) tags: Vec<(String, String)>,
    /// Only those whose name matches one of these; empty means all.
    pub(super) globs: Vec<GlobMatcher>,
}

impl Choice {
    /// Whether only some of the balancers that are there may be meant.
    pub(super) fn narrows(&self) -> bool {
        !self.globs.is_empty() || !self.tags.is_empty()
    }

    /// Whether a balancer's name is among those asked for.
    pub(super) fn takes_name(&self, name: &str) -> bool {
        self.globs.is_empty() || self.globs.iter().any(|glob| glob.is_match(name))
    }

    /// Whether a balancer has the tags asked for.
    pub(super) fn takes_tags(&self, tags: &BTreeMap<String, String>) -> bool {
        self.tags.iter().all(|(key, value)| tags.get(key) == Some(value))
    }
}

/// Rules that a word on the command line means.
#[derive(Debug, Clone)]
pub(super) struct Rules(pub(super) Vec<&'static Check>);

/// Reads a rule's identifier or a family's name.
pub(super) fn rules(word: &str) -> Result<Rules, String> {
    let found = rules::named(word);
    if !found.is_empty() {
        return Ok(Rules(found));
    }
    let families: Vec<&str> = rules::FAMILIES.iter().map(|family| family.name).collect();
    Err(format!("there is no such rule; `elbws audit --explain` lists them, and families are {}", families.join(", ")))
}

/// The chosen rules, by identifier.
pub(super) fn checks(wanted: &[Rules], skipped: &[Rules]) -> Result<Vec<&'static Check>, CliError> {
    let ids =
        |rules: &[Rules]| -> BTreeSet<&str> { rules.iter().flat_map(|rules| &rules.0).map(|one| one.rule.id).collect() };
    let (wanted, skipped) = (ids(wanted), ids(skipped));
    let chosen = rules::all().filter(|check| wanted.is_empty() || wanted.contains(check.rule.id));
    let chosen: Vec<&Check> = chosen.filter(|check| !skipped.contains(check.rule.id)).collect();
    match chosen.is_empty() {
        true => Err(CliError::usage("no rule is left: --skip-rule names all that are asked for")),
        false => Ok(chosen),
    }
}

/// Reads `KEY=VALUE`; the value may be empty and may hold `=`.
pub(super) fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("give KEY=VALUE, for example websocket=yes".to_owned()),
    }
}

/// Reads a pattern for names: `*`, `?` and `[abc]`.
pub(super) fn glob(text: &str) -> Result<GlobMatcher, String> {
    Glob::new(text).map(|glob| glob.compile_matcher()).map_err(|error| error.to_string())
}

/// Reads the ARN of a role.
pub(super) fn role(text: &str) -> Result<String, String> {
    let mut parts = text.splitn(6, ':');
    let right = parts.next() == Some("arn")
        && parts.nth(1) == Some("iam")
        && parts.nth(1).is_some_and(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
        && parts.next().and_then(|resource| resource.strip_prefix("role/")).is_some_and(|name| !name.is_empty());
    match right {
        true => Ok(text.to_owned()),
        false => Err("give the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME".to_owned()),
    }
}
