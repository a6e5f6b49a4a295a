//! `elbws listener`: sets listeners and nothing else.

use clap::Args;

use super::connection::Connection;
use super::engine::{RunArgs, plan_and_apply};
use super::error::{CliError, Exit};
use super::target::BalancerNames;
use super::{Global, signals};
use crate::model::CertificateArn;
use crate::spec::{ListenerIntent, ListenerRequest, Spec};

/// Set listeners; leave PROXY policies and the health check alone
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  elbws listener --elb chat SSL:443/TCP:80
  elbws listener --elb chat SSL:8443/TCP:8080 --certificate ARN
  elbws listener --elb chat SSL:443/TCP:80 TCP:80/TCP:80 --prune     these and no others")]
pub(super) struct ListenerArgs {
    #[command(flatten)]
    balancers: BalancerNames,
    /// The listeners, as SSL:443/TCP:80 or 443:80 for short; others stay
    #[arg(required = true, value_name = "LISTENER")]
    listeners: Vec<ListenerRequest>,
    /// The certificate of the SSL and HTTPS listeners [default: the one the port has]
    #[arg(long, value_name = "ARN")]
    certificate: Option<CertificateArn>,
    /// The TLS policy of the SSL and HTTPS listeners, predefined or the balancer's own
    #[arg(long, value_name = "NAME")]
    ssl_policy: Option<String>,
    /// Also remove listeners that are not named
    #[arg(long)]
    prune: bool,
    /// Replace listeners without keeping their definitions in the balancer's tags meanwhile
    #[arg(long)]
    no_journal: bool,
    #[command(flatten)]
    run: RunArgs,
}

pub(super) async fn run(global: Global, args: ListenerArgs) -> Result<Exit, CliError> {
    let spec = Spec {
        listeners: ListenerIntent::Set(args.listeners),
        certificate: args.certificate,
        ssl_policy: args.ssl_policy,
        prune: args.prune,
        journal: !args.no_journal,
        ..Spec::nothing()
    };
    let targets = args.balancers.with(&spec)?;
    let connection = signals::interruptible(Connection::open(&global)).await?;
    plan_and_apply(&connection, targets, &args.run, global.quiet).await
}
