//! A rule: its identity, its texts, and what it needs to have read.

use serde::Serialize;

use super::Severity;

/// What a rule needs to know of a balancer. A rule whose reads were not possible is "not checked", never passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Read {
    /// What `DescribeLoadBalancers` says.
    Listing,
    /// The policies with their attributes.
    Policies,
    /// Idle timeout, draining, cross-zone, access logs.
    Attributes,
    /// The tags.
    Tags,
    /// What `DescribeInstanceHealth` says.
    InstanceHealth,
    /// EC2's security groups, instances, subnets and route tables.
    Network,
    /// ACM's and IAM's certificates.
    Certificates,
}

/// One rule, as a report and `audit --explain` describe it. The function that checks stands beside it in `rules`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its stable identifier, for example `ELBWS001`.
    pub id: &'static str,
    /// How bad its findings are.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it matters, in full sentences.
    pub why: &'static str,
    /// What to do about it, in full sentences.
    pub remedy: &'static str,
    /// What it needs to have read.
    pub needs: &'static [Read],
    /// Whether `elbws apply` would repair what it finds.
    pub fixed_by_apply: bool,
}
