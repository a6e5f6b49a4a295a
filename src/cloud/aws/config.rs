//! The one builder of the SDK configuration: region, credentials, endpoint, retries, timeouts and user agent.
//!
//! Every client is made from what [`load`] returns, so that no call can go out with other settings.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, FrameworkMetadata, Region, SdkConfig};
use aws_sdk_elasticloadbalancing::config::interceptors::InterceptorContext;
use aws_sdk_elasticloadbalancing::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_elasticloadbalancing::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_elasticloadbalancing::operation::describe_load_balancers::DescribeLoadBalancersError;
use aws_types::os_shim_internal::{Env, Fs};

use super::bounded::BoundedAnswers;
use super::error::unusable;
use super::whole::{CLASSIC, WholeAnswers};
use crate::cloud::{CloudError, CloudErrorKind};

/// Attempts per call, the first included. With the longest backoff between them a throttled call gives up after 20 s, and
/// [`OPERATION_TIMEOUT`] bounds whatever else happens.
const MAX_ATTEMPTS: u32 = 6;
/// What is waited at most before the second attempt; doubled for each one after it.
const INITIAL_BACKOFF: Duration = Duration::from_millis(300);
/// The most that is waited before an attempt.
const MAX_BACKOFF: Duration = Duration::from_secs(4);
/// To be connected, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// One attempt, from connecting to the last byte of the answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// A call with all its attempts and waits.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(60);
/// To learn from the metadata service of EC2 that there is none: outside EC2 its address may swallow packets.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);

/// Where calls go to and who makes them. What is absent comes from the environment and the shared AWS files, as in the
/// AWS CLI.
#[derive(Debug, Clone, Default)]
pub struct AwsOptions {
    /// The region; otherwise `AWS_REGION`, the profile's, or the EC2 instance's own.
    pub region: Option<String>,
    /// A profile of the shared AWS files. As in the AWS CLI, a profile named here goes before credentials in the environment;
    /// one named by `AWS_PROFILE` does not, so leave this `None` for that.
    pub profile: Option<String>,
    /// An `http://` or `https://` URL that every service is called at; otherwise AWS's own endpoints.
    pub endpoint_url: Option<String>,
    /// An access key to sign with. When given, neither the environment nor any file is read, and [`region`](Self::region) is
    /// required.
    pub credentials: Option<StaticCredentials>,
}

/// An access key that is part of the program, for a local service that accepts any.
#[derive(Clone)]
pub struct StaticCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
}

/// Without the secret.
impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The region, and the configuration that every client is made from.
pub(super) async fn load(options: &AwsOptions) -> Result<(String, SdkConfig), CloudError> {
    let AwsOptions { region, profile, endpoint_url, credentials: given } = options;
    if let Some(url) = endpoint_url {
        check_endpoint_url(url)?;
    }
    let (region, found) = match given {
        Some(keys) => {
            let region = region.clone().ok_or_else(no_region)?;
            let StaticCredentials { access_key_id, secret_access_key } = keys;
            let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "elbws");
            let mut found = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .credentials_provider(SharedCredentialsProvider::new(credentials));
            found.set_endpoint_url(endpoint_url.clone());
            (region, found)
        }
        None => {
            check_profile(profile.as_deref()).await?;
            let metadata = metadata_client();
            let region = find_region(region.as_deref(), profile.as_deref(), &metadata).await.ok_or_else(no_region)?;
            let credentials = credentials(&region, profile.as_deref(), metadata).await;
            let mut loader =
                aws_config::defaults(BehaviorVersion::latest()).region(region.clone()).credentials_provider(credentials);
            // Only what the loader is told goes before `AWS_ENDPOINT_URL` and the profile.
            if let Some(url) = endpoint_url {
                loader = loader.endpoint_url(url);
            }
            (region.to_string(), loader.load().await.into_builder())
        }
    };
    let mut builder = found
        .region(Region::new(region.clone()))
        .retry_config(
            RetryConfig::adaptive()
                .with_max_attempts(MAX_ATTEMPTS)
                .with_initial_backoff(INITIAL_BACKOFF)
                .with_max_backoff(MAX_BACKOFF),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(OPERATION_TIMEOUT)
                .build(),
        );
    // Written as `lib/elbws/VERSION`; a package version has no character that is refused here.
    if let Ok(name) = FrameworkMetadata::new("elbws", Some(env!("CARGO_PKG_VERSION"))) {
        builder = builder.framework_metadata(name);
    }
    Ok((region, builder.build()))
}

/// The configuration of the Classic ELB client, which retries one throttling code more than the SDK and reads whole answers only.
pub(super) fn elb(sdk: &SdkConfig) -> aws_sdk_elasticloadbalancing::Config {
    aws_sdk_elasticloadbalancing::config::Builder::from(sdk)
        .retry_classifier(DependencyThrottle)
        .interceptor(BoundedAnswers)
        .interceptor(WholeAnswers { namespace: Some(CLASSIC) })
        .build()
}

/// The configuration of the EC2 client, which reads whole answers.
pub(super) fn ec2(sdk: &SdkConfig) -> aws_sdk_ec2::Config {
    let builder = aws_sdk_ec2::config::Builder::from(sdk);
    builder.interceptor(BoundedAnswers).interceptor(WholeAnswers { namespace: None }).build()
}

/// The configuration of the IAM client, which reads whole answers.
pub(super) fn iam(sdk: &SdkConfig) -> aws_sdk_iam::Config {
    let builder = aws_sdk_iam::config::Builder::from(sdk);
    builder.interceptor(BoundedAnswers).interceptor(WholeAnswers { namespace: None }).build()
}

/// The configuration of an ACM client for a certificate's own region.
pub(super) fn acm(sdk: &SdkConfig, region: &str) -> aws_sdk_acm::Config {
    let region = Region::new(region.to_owned());
    aws_sdk_acm::config::Builder::from(sdk).region(region).interceptor(BoundedAnswers).build()
}

/// The configuration of the STS client.
pub(super) fn sts(sdk: &SdkConfig) -> aws_sdk_sts::Config {
    aws_sdk_sts::config::Builder::from(sdk).interceptor(BoundedAnswers).build()
}

/// `DependencyThrottle` is throttling, which the SDK does not know (elb-facts 1.7); only `DescribeLoadBalancers` has it.
#[derive(Debug)]
struct DependencyThrottle;

impl ClassifyRetry for DependencyThrottle {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err).and_then(|error| error.as_operation_error());
        match error.and_then(|error| error.downcast_ref::<DescribeLoadBalancersError>()) {
            Some(DescribeLoadBalancersError::DependencyThrottleException(_)) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "DependencyThrottle"
    }
}

fn metadata_client() -> aws_config::imds::Client {
    aws_config::imds::Client::builder()
        .connect_timeout(METADATA_TIMEOUT)
        .read_timeout(METADATA_TIMEOUT)
        .operation_timeout(METADATA_TIMEOUT * 2)
        .max_attempts(2)
        .build()
}

async fn find_region(given: Option<&str>, profile: Option<&str>, metadata: &aws_config::imds::Client) -> Option<Region> {
    let mut of_profile = ProfileFileRegionProvider::builder();
    if let Some(profile) = profile {
        of_profile = of_profile.profile_name(profile);
    }
    RegionProviderChain::first_try(given.map(|region| Region::new(region.to_owned())))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(of_profile.build())
        .or_else(ImdsRegionProvider::builder().imds_client(metadata.clone()).build())
        .region()
        .await
        .filter(|region| !region.as_ref().is_empty())
}

/// The default chain; but where a profile was asked for, that profile before anything in the environment, as in the AWS CLI.
async fn credentials(
    region: &Region,
    profile: Option<&str>,
    metadata: aws_config::imds::Client,
) -> SharedCredentialsProvider {
    let Some(profile) = profile else {
        let chain = DefaultCredentialsChain::builder().region(region.clone()).imds_client(metadata).build().await;
        return SharedCredentialsProvider::new(chain);
    };
    let provider_config = aws_config::provider_config::ProviderConfig::default().with_region(Some(region.clone()));
    let of_profile = ProfileFileCredentialsProvider::builder().configure(&provider_config).profile_name(profile).build();
    SharedCredentialsProvider::new(
        CredentialsProviderChain::first_try("Profile", of_profile)
            .or_else("EcsContainer", aws_config::ecs::EcsCredentialsProvider::builder().build())
            .or_else("Ec2InstanceMetadata", ImdsCredentialsProvider::builder().imds_client(metadata).build()),
    )
}

/// Without this a profile with a typing error would show as a missing region or as missing credentials.
async fn check_profile(given: Option<&str>) -> Result<(), CloudError> {
    let given = given.map(|name| name.to_owned().into());
    let profiles =
        aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), given).await.map_err(|error| {
            unusable(
                CloudErrorKind::Configuration,
                format!("the shared AWS files cannot be read: {}", super::error::innermost(&error)),
            )
        })?;
    let mut name = profiles.selected_profile();
    let mut followed = BTreeSet::new();
    // The SDK itself reports a profile that refers to itself.
    while followed.insert(name) {
        match profiles.get_profile(name) {
            Some(profile) => match profile.get("source_profile") {
                Some(source) => name = source,
                None => break,
            },
            None if name == "default" => break,
            None => {
                let mut names: Vec<&str> = profiles.profiles().collect();
                names.sort_unstable();
                let known = match names.is_empty() {
                    true => "no profile is defined".to_owned(),
                    false => format!("defined are {}", names.join(", ")),
                };
                let message = format!("there is no AWS profile `{name}` in the shared AWS files: {known}");
                return Err(unusable(CloudErrorKind::Configuration, message));
            }
        }
    }
    Ok(())
}

fn check_endpoint_url(url: &str) -> Result<(), CloudError> {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    let clean = !url.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    if clean && !host.is_empty() && !host.starts_with(['/', ':']) {
        return Ok(());
    }
    Err(unusable(
        CloudErrorKind::Configuration,
        format!(
            "`{}` is not an endpoint URL: give http://HOST:PORT or https://HOST:PORT, without user or password",
            without_user(url)
        ),
    ))
}

/// A URL as it may be shown: without the user and password that somebody may have put into it.
pub(super) fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (before, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match before.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://...@{host}{after}"),
        None => url.to_owned(),
    }
}

fn no_region() -> CloudError {
    unusable(CloudErrorKind::NoRegion, "no region is set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_url_needs_scheme_and_host() {
        for right in ["http://127.0.0.1:5000", "https://elb.example", "http://[::1]:80/path"] {
            assert!(check_endpoint_url(right).is_ok(), "{right}");
        }
        for wrong in
            ["", "localhost:5000", "http://", "ftp://host", "http:///path", "http://:80", "http://a b", "https://u:p@h"]
        {
            assert!(check_endpoint_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_user_in_a_url_is_not_shown() {
        for (url, shown) in [
            ("https://u:p@host:1/path", "https://...@host:1/path"),
            ("https://u:p@q@host", "https://...@host"),
            ("u:p@host", "://...@host"),
            ("https://host/a@b", "https://host/a@b"),
            ("https://host", "https://host"),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let keys = StaticCredentials { access_key_id: "AKID".into(), secret_access_key: "hush".into() };
        let shown = format!("{:?}", AwsOptions { credentials: Some(keys), ..AwsOptions::default() });
        assert!(shown.contains("AKID") && !shown.contains("hush"), "{shown}");
    }
}
