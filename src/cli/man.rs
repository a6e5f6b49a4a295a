//! `elbws man`: the manual page of the tool or of one command.

use anyhow::Context;
use clap::{Args, CommandFactory};

use super::error::{CliError, Exit};
use super::stdout::write_data;

/// Print a manual page
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  elbws man apply | man -l -")]
pub(super) struct ManArgs {
    /// The command, with its own command if it has one, as `proxy-protocol enable` [default: elbws itself]
    command: Vec<String>,
}

pub(super) fn run(args: &ManArgs) -> Result<Exit, CliError> {
    let mut page = super::Cli::command();
    page.build();
    for name in &args.command {
        page = page.find_subcommand(name).cloned().ok_or_else(|| {
            CliError::usage(format!("there is no command `{name}`")).hint("`elbws help` lists the commands")
        })?;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).context("no manual page")?;
    write_data(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done)
}
