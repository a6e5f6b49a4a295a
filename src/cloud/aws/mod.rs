//! The AWS adapter: the only place that names an `aws_*` crate.
//!
//! It translates between the SDK's types and ours, in both directions, and keeps what it does not know as it came. It decides
//! nothing: no retries beyond the SDK's, no order, no defaults.

mod certificate;
mod config;
mod error;
mod read;
mod write;

use aws_sdk_elasticloadbalancing as elb;

pub use config::{AwsOptions, StaticCredentials};

use super::{Cloud, CloudError, CloudErrorKind, Identity};
use crate::model::{Balancer, CertificateArn};
use crate::plan::Step;
use error::failed;

/// AWS, or whatever speaks its APIs at another endpoint.
#[derive(Debug, Clone)]
pub struct Aws {
    region: String,
    elb: elb::Client,
    acm: aws_sdk_acm::Client,
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
}

impl Aws {
    /// Resolves region, credentials and endpoint as the AWS CLI does. Makes no call to the service.
    pub async fn connect(options: &AwsOptions) -> Result<Self, CloudError> {
        let config = config::load(options).await;
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(CloudError {
                action: "sts:GetCallerIdentity".to_owned(),
                kind: CloudErrorKind::NoRegion,
                code: None,
                message: "no region is set".to_owned(),
                request_id: None,
            });
        };
        Ok(Aws {
            region,
            elb: elb::Client::new(&config),
            acm: aws_sdk_acm::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
        })
    }
}

impl Cloud for Aws {
    fn region(&self) -> &str {
        &self.region
    }

    async fn identity(&self) -> Result<Identity, CloudError> {
        let action = "sts:GetCallerIdentity";
        let reply = self.sts.get_caller_identity().send().await.map_err(|error| failed(action, error))?;
        let account = reply.account.ok_or_else(|| error::bad_reply(action, "the reply names no account"))?;
        Ok(Identity { account, region: self.region.clone() })
    }

    async fn names(&self) -> Result<Vec<String>, CloudError> {
        read::names(&self.elb).await
    }

    async fn read(&self, name: &str) -> Result<Balancer, CloudError> {
        read::balancer(&self.elb, name).await
    }

    async fn has_certificate(&self, arn: &CertificateArn) -> Result<bool, CloudError> {
        certificate::exists(&self.acm, &self.iam, arn).await
    }

    async fn perform(&self, name: &str, step: &Step) -> Result<(), CloudError> {
        let started = std::time::Instant::now();
        let result = write::perform(&self.elb, name, step).await;
        error::trace(step.action(), started, &result);
        result
    }
}
