//! The connection of a command: to AWS.

use super::Global;
use super::error::{CliError, with_cloud_hints};
use crate::cloud::CloudErrorKind;
use crate::cloud::aws::{Aws, AwsOptions};

/// A cloud.
pub(super) struct Connection {
    cloud: Aws,
}

impl Connection {
    /// Connects as the global options say.
    pub(super) async fn open(global: &Global) -> Result<Self, CliError> {
        let options = AwsOptions {
            region: global.region.clone(),
            profile: global.profile.clone(),
            endpoint_url: global.endpoint_url.clone(),
            credentials: None,
        };
        Ok(Connection { cloud: connect(&options).await? })
    }

    /// The cloud.
    pub(super) fn cloud(&self) -> &Aws {
        &self.cloud
    }
}

async fn connect(options: &AwsOptions) -> Result<Aws, CliError> {
    Aws::connect(options).await.map_err(|error| match error.kind {
        CloudErrorKind::NoRegion => {
            CliError::failed(error.message).hint("give --region, set AWS_REGION, or choose a --profile that has one")
        }
        _ => with_cloud_hints(CliError::failed(error.to_string()), &error),
    })
}
