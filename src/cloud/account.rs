//! The second port to the service: reading a whole account, in as few calls as it takes.
//!
//! Every method is one kind of call. Nothing here decides what to read or what it means.

use std::collections::BTreeMap;

use super::CloudError;
use crate::model::{
    Attributes, CertificateArn, Instance, InstanceHealth, Listed, Policy, RouteTable, SecurityGroup, ServerCertificate,
    Subnet,
};

/// The most names that [`Account::tags`] takes (elb-facts 1.2).
pub const TAGS_AT_ONCE: usize = 20;

/// The most identifiers that a description of the network takes: EC2's limit of values in a filter.
pub const IDS_AT_ONCE: usize = 200;

/// A page of the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The balancers on it.
    pub balancers: Vec<Listed>,
    /// Balancers whose description makes no sense: their names, and why.
    pub unreadable: Vec<(String, CloudError)>,
    /// The marker of the next page; absent on the last.
    pub next: Option<String>,
}

/// Everything of an account and region that an audit may look at. A read that fails is an error, never "absent".
pub trait Account: Send + Sync {
    /// The regions that are enabled for the account, sorted.
    fn regions(&self) -> impl Future<Output = Result<Vec<String>, CloudError>> + Send;

    /// The page of the listing that a marker stands for, of up to 400 balancers; the first without a marker.
    fn page(&self, marker: Option<&str>) -> impl Future<Output = Result<Page, CloudError>> + Send;

    /// One balancer of the listing.
    fn listed(&self, name: &str) -> impl Future<Output = Result<Listed, CloudError>> + Send;

    /// The policies that a balancer holds, by name.
    fn policies(&self, name: &str) -> impl Future<Output = Result<BTreeMap<String, Policy>, CloudError>> + Send;

    /// A balancer's attributes.
    fn attributes(&self, name: &str) -> impl Future<Output = Result<Attributes, CloudError>> + Send;

    /// The tags of up to [`TAGS_AT_ONCE`] balancers by name; it fails if one of them does not exist.
    fn tags(
        &self,
        names: &[String],
    ) -> impl Future<Output = Result<BTreeMap<String, BTreeMap<String, String>>, CloudError>> + Send;

    /// The health of a balancer's instances by identifier.
    fn instance_health(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<BTreeMap<String, InstanceHealth>, CloudError>> + Send;

    /// Those of up to [`IDS_AT_ONCE`] security groups that exist.
    fn security_groups(
        &self,
        ids: &[String],
    ) -> impl Future<Output = Result<BTreeMap<String, SecurityGroup>, CloudError>> + Send;

    /// Those of up to [`IDS_AT_ONCE`] instances that exist.
    fn instances(&self, ids: &[String]) -> impl Future<Output = Result<BTreeMap<String, Instance>, CloudError>> + Send;

    /// Those of up to [`IDS_AT_ONCE`] subnets that exist.
    fn subnets(&self, ids: &[String]) -> impl Future<Output = Result<BTreeMap<String, Subnet>, CloudError>> + Send;

    /// All route tables of up to [`IDS_AT_ONCE`] VPCs.
    fn route_tables(&self, vpcs: &[String])
    -> impl Future<Output = Result<BTreeMap<String, RouteTable>, CloudError>> + Send;

    /// A certificate of ACM, in the region of its ARN; `None` if it does not exist.
    fn acm_certificate(
        &self,
        arn: &CertificateArn,
    ) -> impl Future<Output = Result<Option<ServerCertificate>, CloudError>> + Send;

    /// All server certificates of IAM.
    fn iam_certificates(
        &self,
    ) -> impl Future<Output = Result<BTreeMap<CertificateArn, ServerCertificate>, CloudError>> + Send;

    /// How many calls were made so far, by IAM action. The repetitions of a throttled call count as one.
    fn calls(&self) -> BTreeMap<String, u64>;
}
