//! `elbws sandbox`: a Classic Load Balancer API on this machine.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::{CliError, Exit};
use super::stdout::write_data;
use super::{Global, signals};
use crate::output::sink;
use crate::sandbox::{Options, Sandbox, SandboxError, Seed, start};

/// The seed of a sandbox that is given none: the balancer of the README's story.
pub(super) const EXAMPLE: &str = include_str!("../../fixtures/chat.toml");

/// Run a Classic Load Balancer API on this machine, for any AWS client
#[derive(Debug, Args)]
#[command(after_help = "\
It prints the environment that points an AWS client at it, and runs until Ctrl-C. Nothing is kept.

Examples:
  elbws sandbox                        in one terminal; paste what it prints into another, then
  aws elb describe-load-balancers
  elbws sandbox --seed mine.toml --listen 127.0.0.1:0")]
pub(super) struct SandboxArgs {
    /// The balancers to begin with, as TOML or JSON [default: the balancer `chat` of the README]
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// The loopback address to listen on; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4555")]
    listen: SocketAddr,
}

pub(super) async fn run(global: Global, args: SandboxArgs) -> Result<Exit, CliError> {
    let sandbox = open(args.seed.as_deref(), Options { listen: args.listen, traffic: None }).await?;
    let exports: String = sandbox.environment().iter().map(|(name, value)| format!("export {name}={value}\n")).collect();
    write_data(&exports)?;
    if !global.quiet {
        sink::message(&format!("The sandbox listens on {}. Ctrl-C ends it.\n", sandbox.endpoint()));
    }
    signals::signal().await;
    sandbox.shutdown().await;
    Ok(Exit::Done)
}

/// Starts a sandbox with the seed of a file, or with the example.
pub(super) async fn open(seed: Option<&Path>, options: Options) -> Result<Sandbox, CliError> {
    let (seed, name) = match seed {
        Some(path) => (Seed::load(path), path.display().to_string()),
        None => (Seed::from_toml(EXAMPLE), "the example".to_owned()),
    };
    let seed = seed.map_err(|error| CliError::failed(format!("{name} is no seed of a sandbox: {error}")))?;
    start(options, seed).await.map_err(|error| match error {
        SandboxError::NotLoopback(_) => CliError::usage(error.to_string()),
        SandboxError::Listen { .. } => CliError::failed(error.to_string()).hint("--listen 127.0.0.1:0 takes any free port"),
        SandboxError::Seed(_) => CliError::failed(format!("{name} is no seed of a sandbox: {error}")),
        SandboxError::Authority(_) => CliError::failed(error.to_string()),
    })
}
