//! The one builder of the SDK's configuration.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, FrameworkMetadata, Region, SdkConfig};

/// Where to connect, beyond what the environment and the AWS configuration files say.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// The region.
    pub region: Option<String>,
    /// The profile; SSO and role chains follow from it.
    pub profile: Option<String>,
    /// Another endpoint for every service.
    pub endpoint_url: Option<String>,
    /// Credentials to use instead of looking for some.
    pub credentials: Option<StaticCredentials>,
}

/// An access key. It shows neither part when printed.
#[derive(Clone)]
pub struct StaticCredentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret part.
    pub secret_access_key: String,
}

impl std::fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaticCredentials")
    }
}

/// Attempts at a call, the first included. With the pauses below, a service that throttles for ever is given up after about
/// half a minute.
const ATTEMPTS: u32 = 6;

/// Loads the configuration. Finding credentials is left to the first call.
pub(super) async fn load(options: &AwsOptions) -> SdkConfig {
    let AwsOptions { region, profile, endpoint_url, credentials } = options;
    let retry = RetryConfig::adaptive()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(300))
        .with_max_backoff(Duration::from_secs(8));
    // Each attempt is bounded, so that a server that trickles bytes cannot hold a run; so is the whole.
    let timeout = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(20))
        .operation_timeout(Duration::from_secs(90))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retry).timeout_config(timeout);
    if let Ok(metadata) = FrameworkMetadata::new("elbws", Some(env!("CARGO_PKG_VERSION"))) {
        loader = loader.framework_metadata(metadata);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint_url) = endpoint_url {
        loader = loader.endpoint_url(endpoint_url);
    }
    if let Some(StaticCredentials { access_key_id, secret_access_key }) = credentials {
        loader = loader.credentials_provider(aws_sdk_sts::config::Credentials::new(
            access_key_id,
            secret_access_key,
            None,
            None,
            "elbws",
        ));
    }
    loader.load().await
}
