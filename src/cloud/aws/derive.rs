//! Connections made from another one: to another region, or with another role.

use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, SdkConfig};
use aws_sdk_elasticloadbalancing::config::SharedCredentialsProvider;

use super::{Aws, config};

impl Aws {
    /// Clients for a region, with the given configuration. Calls of each are counted apart.
    pub(super) fn with_config(region: String, sdk: SdkConfig) -> Aws {
        Aws {
            region,
            endpoint: sdk.endpoint_url().map(config::without_user),
            elb: aws_sdk_elasticloadbalancing::Client::from_conf(config::elb(&sdk)),
            ec2: aws_sdk_ec2::Client::from_conf(config::ec2(&sdk)),
            iam: aws_sdk_iam::Client::from_conf(config::iam(&sdk)),
            sts: aws_sdk_sts::Client::from_conf(config::sts(&sdk)),
            calls: Default::default(),
            sdk,
        }
    }

    /// The same caller in another region.
    pub fn in_region(&self, region: &str) -> Aws {
        let sdk = self.sdk.clone().into_builder().region(Region::new(region.to_owned())).build();
        Aws::with_config(region.to_owned(), sdk)
    }

    /// The same region as another caller: one that has taken on a role. Whether it may shows at the first call.
    pub async fn assuming(&self, role_arn: &str) -> Aws {
        let provider = AssumeRoleProvider::builder(role_arn).session_name("elbws").configure(&self.sdk).build().await;
        let sdk = self.sdk.clone().into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
        Aws::with_config(self.region.clone(), sdk)
    }
}
