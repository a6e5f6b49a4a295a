//! The AWS adapter: the port to the service, spoken through the AWS SDK.
//!
//! The only place that names an `aws_*` crate. It translates and nothing else: it decides neither what to change nor what
//! to say about it, and no type of the SDK leaves it. One idea a file: `config` builds the one configuration, `read` makes
//! the describe calls, `reply` turns their answers into the model, `whole` refuses half an answer and `bounded` one without
//! end, `write` makes the call of a step, `certificate` looks for a certificate, `account` reads whole accounts, `derive` makes
//! connections to other regions and roles, `error` turns every failure into a [`CloudError`], and `refusal` reads errors that
//! the SDK cannot.

mod account;
mod bounded;
mod calls;
mod certificate;
mod config;
mod derive;
mod error;
mod markers;
mod read;
mod refusal;
mod reply;
mod whole;
mod write;

pub use config::{AwsOptions, StaticCredentials};

use aws_config::SdkConfig;

use super::{Action, Cloud, CloudError, Identity};
use crate::model::{Balancer, CertificateArn};
use crate::plan::Step;

/// Classic Load Balancers of one AWS account and region, or of anything that speaks their API.
///
/// Clients are cheap to hold: they connect, and credentials are looked for, at the first call.
#[derive(Debug, Clone)]
pub struct Aws {
    region: String,
    /// Where failures to connect point at: the endpoint URL where there is one.
    endpoint: Option<String>,
    sdk: SdkConfig,
    elb: aws_sdk_elasticloadbalancing::Client,
    ec2: aws_sdk_ec2::Client,
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    calls: calls::Calls,
}

impl Aws {
    /// Settles region, credentials' source and endpoint; makes no call to the service.
    ///
    /// # Errors
    ///
    /// [`NoRegion`](super::CloudErrorKind::NoRegion) when no region is set anywhere;
    /// [`Configuration`](super::CloudErrorKind::Configuration) when a profile does not exist, the shared AWS files cannot be
    /// parsed, or the endpoint URL is none. Missing credentials show at the first call.
    pub async fn connect(options: &AwsOptions) -> Result<Aws, CloudError> {
        let (region, sdk) = config::load(options).await?;
        Ok(Aws::with_config(region, sdk))
    }

    /// Where a call goes to, for the message of a failed one; `service` is the prefix of the service's IAM actions.
    fn place(&self, service: &str) -> String {
        match &self.endpoint {
            Some(url) => url.clone(),
            None => format!("{service} in {}", self.region),
        }
    }
}

impl Cloud for Aws {
    fn region(&self) -> &str {
        &self.region
    }

    async fn identity(&self) -> Result<Identity, CloudError> {
        const ACTION: Action = Action::GetCallerIdentity;
        let reply = self.call(ACTION, self.sts.get_caller_identity().send()).await?;
        match reply.account() {
            Some(account) if !account.is_empty() => {
                Ok(Identity { account: account.to_owned(), region: self.region.clone() })
            }
            _ => Err(error::bad_reply(ACTION, "the answer names no account")),
        }
    }

    async fn names(&self) -> Result<Vec<String>, CloudError> {
        self.read_names().await
    }

    async fn read(&self, name: &str) -> Result<Balancer, CloudError> {
        self.read_balancer(name).await
    }

    async fn has_certificate(&self, arn: &CertificateArn) -> Result<bool, CloudError> {
        self.find_certificate(arn).await
    }

    async fn perform(&self, name: &str, step: &Step) -> Result<(), CloudError> {
        self.perform_step(name, step).await
    }
}
