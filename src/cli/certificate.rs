//! `elbws certificate`: swaps a certificate in place.

use clap::Args;

use super::connection::Connection;
use super::engine::{RunArgs, plan_and_apply};
use super::error::{CliError, Exit};
use super::target::BalancerNames;
use super::{Global, signals};
use crate::model::CertificateArn;
use crate::spec::Spec;

/// Swap the certificate of SSL and HTTPS listeners, in place and without interruption
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  elbws certificate --elb chat arn:aws:acm:eu-west-1:123456789012:certificate/ID
  elbws certificate --elb chat ARN --port 443")]
pub(super) struct CertificateArgs {
    #[command(flatten)]
    balancers: BalancerNames,
    /// The certificate, in ACM or IAM
    #[arg(value_name = "ARN")]
    certificate: CertificateArn,
    /// Only on this load balancer port; repeat it [default: every SSL and HTTPS listener]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Vec<u16>,
    #[command(flatten)]
    run: RunArgs,
}

pub(super) async fn run(global: Global, args: CertificateArgs) -> Result<Exit, CliError> {
    let spec =
        Spec { certificate: Some(args.certificate), certificate_ports: args.port.into_iter().collect(), ..Spec::nothing() };
    let targets = args.balancers.with(&spec)?;
    let connection = signals::interruptible(Connection::open(&global)).await?;
    plan_and_apply(&connection, targets, &args.run, global.quiet).await
}
