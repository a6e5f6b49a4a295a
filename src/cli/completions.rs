//! `elbws completions`: a script that completes commands and options in a shell.

use clap::{Args, CommandFactory};

use super::error::{CliError, Exit};
use super::stdout::write_data;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  elbws completions bash > /etc/bash_completion.d/elbws")]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "elbws", &mut script);
    write_data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
