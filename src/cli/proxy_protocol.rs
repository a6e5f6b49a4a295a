//! `elbws proxy-protocol enable|disable`: the policy on instance ports, and the health check that must go with it.

use clap::{Args, Subcommand};

use super::connection::Connection;
use super::engine::{RunArgs, plan_and_apply};
use super::error::{CliError, Exit};
use super::target::{BalancerNames, policy_name};
use super::{Global, signals};
use crate::spec::{HealthCheckIntent, ProxyProtocolIntent, Spec};

/// Enable or disable the PROXY protocol on instance ports; leave listeners alone
#[derive(Debug, Subcommand)]
pub(super) enum ProxyProtocolCommand {
    Enable(EnableArgs),
    Disable(DisableArgs),
}

/// Attach a proxy policy to the instance ports of TCP and SSL listeners
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  elbws proxy-protocol enable --elb chat
  elbws proxy-protocol enable --elb chat --instance-port 8080")]
pub(super) struct EnableArgs {
    #[command(flatten)]
    balancers: BalancerNames,
    /// Only on this instance port; repeat it [default: all that TCP and SSL listeners reach]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    instance_port: Vec<u16>,
    /// The name of the policy, if one must be created [default: NAME-proxy-protocol]
    #[arg(long, value_name = "NAME", value_parser = policy_name)]
    policy_name: Option<String>,
    /// Leave the health check as it is, even where it would fail
    #[arg(long)]
    keep_health_check: bool,
    #[command(flatten)]
    run: RunArgs,
}

/// Detach proxy policies from instance ports; other policies stay
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  elbws proxy-protocol disable --elb chat --instance-port 22")]
pub(super) struct DisableArgs {
    #[command(flatten)]
    balancers: BalancerNames,
    /// Only from this instance port; repeat it [default: all]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    instance_port: Vec<u16>,
    #[command(flatten)]
    run: RunArgs,
}

pub(super) async fn run(global: Global, command: ProxyProtocolCommand) -> Result<Exit, CliError> {
    let (balancers, spec, run) = match command {
        ProxyProtocolCommand::Enable(args) => {
            let proxy_protocol = ProxyProtocolIntent::Enable {
                policy_name: args.policy_name,
                include: Default::default(),
                skip: Default::default(),
                only: args.instance_port.into_iter().collect(),
            };
            let health_check = if args.keep_health_check { HealthCheckIntent::Keep } else { HealthCheckIntent::Adapt };
            (args.balancers, Spec { proxy_protocol, health_check, ..Spec::nothing() }, args.run)
        }
        ProxyProtocolCommand::Disable(args) => {
            let proxy_protocol = ProxyProtocolIntent::Disable { only: args.instance_port.into_iter().collect() };
            (args.balancers, Spec { proxy_protocol, ..Spec::nothing() }, args.run)
        }
    };
    let targets = balancers.with(&spec)?;
    let connection = signals::interruptible(Connection::open(&global)).await?;
    plan_and_apply(&connection, targets, &run, global.quiet).await
}
