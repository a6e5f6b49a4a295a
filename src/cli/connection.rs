//! The connection of a command: to AWS, or to a sandbox inside this process.

use super::error::{CliError, with_cloud_hints};
use super::{Global, sandbox};
use crate::cloud::CloudErrorKind;
use crate::cloud::aws::{Aws, AwsOptions, StaticCredentials};
use crate::sandbox::{Options, Sandbox};

/// A cloud, and the sandbox behind it if there is one.
pub(super) struct Connection {
    cloud: Aws,
    /// Kept alive as long as the connection.
    _sandbox: Option<Sandbox>,
}

impl Connection {
    /// Connects as the global options say.
    pub(super) async fn open(global: &Global) -> Result<Self, CliError> {
        let Some(seed) = &global.sandbox else {
            let options = AwsOptions {
                region: global.region.clone(),
                profile: global.profile.clone(),
                endpoint_url: global.endpoint_url.clone(),
                credentials: None,
            };
            return Ok(Connection { cloud: connect(&options).await?, _sandbox: None });
        };
        let sandbox = sandbox::open(seed.as_deref(), Options::default()).await?;
        let region = global.region.as_deref().unwrap_or(sandbox.region());
        Ok(Connection { cloud: connect(&in_sandbox(&sandbox, region)).await?, _sandbox: Some(sandbox) })
    }

    /// Connects to a sandbox that somebody else keeps alive.
    pub(super) async fn to_sandbox(sandbox: &Sandbox) -> Result<Self, CliError> {
        Ok(Connection { cloud: connect(&in_sandbox(sandbox, sandbox.region())).await?, _sandbox: None })
    }

    /// The cloud.
    pub(super) fn cloud(&self) -> &Aws {
        &self.cloud
    }
}

/// The real client over a real socket: nothing of the engine knows that this is not AWS.
fn in_sandbox(sandbox: &Sandbox, region: &str) -> AwsOptions {
    AwsOptions {
        region: Some(region.to_owned()),
        profile: None,
        endpoint_url: Some(sandbox.endpoint()),
        credentials: Some(StaticCredentials {
            access_key_id: "sandbox".to_owned(),
            secret_access_key: "sandbox".to_owned(),
        }),
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
