//! `elbws schema`: the JSON Schema of a file that people write.

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::error::{CliError, Exit};
use super::stdout::write_data;
use crate::spec::config::Config;

/// Print a JSON Schema
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  elbws schema config > elbws.schema.json")]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    of: SchemaOf,
}

/// Files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemaOf {
    /// `elbws.toml`.
    Config,
}

pub(super) fn run(args: &SchemaArgs) -> Result<Exit, CliError> {
    let schema = match args.of {
        SchemaOf::Config => schemars::schema_for!(Config),
    };
    let text = serde_json::to_string_pretty(&schema).context("no schema")?;
    write_data(&(text + "\n"))?;
    Ok(Exit::Done)
}
