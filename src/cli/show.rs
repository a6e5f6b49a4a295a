//! `elbws show`: a balancer as it is.

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::connection::Connection;
use super::error::{CliError, Exit};
use super::stdout::write_data;
use super::target::BalancerNames;
use super::{Global, reading};
use crate::cloud::Cloud;
use crate::output::{balancer_json, escaped, show_text};
use crate::spec::observed_toml;

/// Show a balancer as it is
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  elbws show --elb chat
  elbws show --elb chat --format toml > elbws.toml     a file to start from")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    balancers: BalancerNames,
    /// The format of stdout
    #[arg(long, value_enum, default_value_t = ShowFormat::Text)]
    format: ShowFormat,
}

/// Formats of a balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// For people, with a picture.
    Text,
    /// For programs.
    Json,
    /// As an `elbws.toml` that asks for what is there.
    Toml,
}

pub(super) async fn run(global: Global, args: ShowArgs) -> Result<Exit, CliError> {
    let names = args.balancers.required()?;
    let connection = Connection::open(&global).await?;
    let cloud = connection.cloud();
    let balancers = reading::for_each(names, async |name| reading::read(cloud, &name).await).await?;
    let text = match args.format {
        ShowFormat::Text => {
            balancers.iter().map(|balancer| show_text(balancer, cloud.region())).collect::<Vec<_>>().join("\n")
        }
        ShowFormat::Json => balancer_json(&balancers, cloud.region()).context("no JSON")?,
        ShowFormat::Toml => escaped(&observed_toml(&balancers).context("no TOML")?),
    };
    write_data(&text)?;
    Ok(Exit::Done)
}
