//! `elbws audit --explain`: what a rule is about; or all of them in a list.

use super::choose::Rules;
use crate::audit::Check;
use crate::cli::error::{CliError, Exit};
use crate::cli::stdout::write_data;
use crate::output::{explain_rule, list_rules};

/// The rules that were named, at length; or all of them, a line each.
pub(super) fn run(named: Option<&Rules>) -> Result<Exit, CliError> {
    let text = match named {
        Some(Rules(checks)) => checks.iter().map(|check: &&Check| explain_rule(&check.rule)).collect::<Vec<_>>().join("\n"),
        None => list_rules(),
    };
    write_data(&text)?;
    Ok(Exit::Done)
}
