//! Reading a whole account: `balancers` asks Classic ELB, `network` asks EC2, `certificates` asks ACM and IAM, and `reply` turns
//! EC2's answers into the model.

mod balancers;
mod certificates;
mod network;
mod reply;

use std::collections::BTreeMap;

use super::Aws;
use crate::cloud::{Account, CloudError, Page};
use crate::model::{
    Attributes, CertificateArn, Instance, InstanceHealth, Listed, Policy, RouteTable, SecurityGroup, ServerCertificate,
    Subnet,
};

impl Account for Aws {
    async fn regions(&self) -> Result<Vec<String>, CloudError> {
        self.enabled_regions().await
    }

    async fn page(&self, marker: Option<&str>) -> Result<Page, CloudError> {
        self.page_of_balancers(marker).await
    }

    async fn listed(&self, name: &str) -> Result<Listed, CloudError> {
        self.listed_balancer(name).await
    }

    async fn policies(&self, name: &str) -> Result<BTreeMap<String, Policy>, CloudError> {
        self.policies_of(name).await
    }

    async fn attributes(&self, name: &str) -> Result<Attributes, CloudError> {
        self.attributes_of(name).await
    }

    async fn tags(&self, names: &[String]) -> Result<BTreeMap<String, BTreeMap<String, String>>, CloudError> {
        self.tags_of(names).await
    }

    async fn instance_health(&self, name: &str) -> Result<BTreeMap<String, InstanceHealth>, CloudError> {
        self.health_of(name).await
    }

    async fn security_groups(&self, ids: &[String]) -> Result<BTreeMap<String, SecurityGroup>, CloudError> {
        self.groups_by_id(ids).await
    }

    async fn instances(&self, ids: &[String]) -> Result<BTreeMap<String, Instance>, CloudError> {
        self.instances_by_id(ids).await
    }

    async fn subnets(&self, ids: &[String]) -> Result<BTreeMap<String, Subnet>, CloudError> {
        self.subnets_by_id(ids).await
    }

    async fn route_tables(&self, vpcs: &[String]) -> Result<BTreeMap<String, RouteTable>, CloudError> {
        self.route_tables_of(vpcs).await
    }

    async fn acm_certificate(&self, arn: &CertificateArn) -> Result<Option<ServerCertificate>, CloudError> {
        self.describe_in_acm(arn).await
    }

    async fn iam_certificates(&self) -> Result<BTreeMap<CertificateArn, ServerCertificate>, CloudError> {
        self.list_in_iam().await
    }

    fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.so_far()
    }
}
