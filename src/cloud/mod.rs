//! The port to the service: what the engine asks of it, and how a failed call looks.
//!
//! Only [`aws`] names an `aws_*` crate. Nothing here decides what to change.

mod account;
mod action;
pub mod aws;
mod error;
pub mod permissions;

pub use account::{Account, IDS_AT_ONCE, Page, TAGS_AT_ONCE};
pub use action::{Action, Resource};
pub use error::{CloudError, CloudErrorKind};

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Balancer, CertificateArn};
use crate::plan::Step;

/// The account and region that calls go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The twelve digits of the account.
    pub account: String,
    /// The region, for example `eu-west-1`.
    pub region: String,
}

/// How an instance is doing, as a balancer's health check sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceHealth {
    /// The instance's identifier.
    pub id: String,
    /// Whether it gets connections.
    pub in_service: bool,
    /// The balancer's words about it, often `N/A`.
    pub description: String,
}

/// A service that holds Classic Load Balancers.
///
/// A read that fails is an error, never "absent". The implementation retries throttling; everything else that is worth
/// retrying is the caller's to retry.
pub trait Cloud: Send + Sync {
    /// The region that calls go to.
    fn region(&self) -> &str;

    /// Who is calling.
    fn identity(&self) -> impl Future<Output = Result<Identity, CloudError>> + Send;

    /// Names of all Classic Load Balancers in the account and region, sorted.
    fn names(&self) -> impl Future<Output = Result<Vec<String>, CloudError>> + Send;

    /// The complete state of one balancer; its reads run concurrently.
    fn read(&self, name: &str) -> impl Future<Output = Result<Balancer, CloudError>> + Send;

    /// Whether a certificate exists in the service its ARN names and can be used.
    fn has_certificate(&self, arn: &CertificateArn) -> impl Future<Output = Result<bool, CloudError>> + Send;

    /// Makes the one call that a step stands for.
    fn perform(&self, name: &str, step: &Step) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// What time it is where the service is. A simulated service has a clock of its own.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Waits for something to pass that time heals.
    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send {
        tokio::time::sleep(duration)
    }
}
