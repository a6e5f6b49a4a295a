//! The least IAM policy under which a command can do its work.
//!
//! Pure knowledge about [`Action`]s; it reads nothing and calls nothing. Which actions there are, and what each can be narrowed
//! to, is said there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Action, Resource};

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Commands that read balancers and change nothing: `plan`, `show`.
    Plan,
    /// Commands that change balancers: `apply`, `listener`, `certificate`, `proxy-protocol`.
    Apply,
    /// `audit`.
    Audit,
}

/// Where balancers and certificates are; what is unknown is `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `aws`, `aws-cn`, `aws-us-gov` or another partition.
    pub partition: String,
    /// A region, or `*`.
    pub region: String,
    /// The twelve digits of an account, or `*`.
    pub account: String,
}

/// An IAM policy document, as `aws iam create-policy --policy-document` takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: Vec<&'static str>,
    resource: Vec<String>,
}

/// What every command reads of a balancer.
const READ: [Action; 4] = [
    Action::DescribeLoadBalancers,
    Action::DescribeLoadBalancerPolicies,
    Action::DescribeLoadBalancerAttributes,
    Action::DescribeTags,
];

/// Where a certificate is looked for before a listener is given it.
const LOOK_UP: [Action; 2] = [Action::DescribeCertificate, Action::GetServerCertificate];

/// The calls that steps stand for.
const CHANGE: [Action; 11] = [
    Action::AddTags,
    Action::ConfigureHealthCheck,
    Action::CreateLoadBalancerListeners,
    Action::CreateLoadBalancerPolicy,
    Action::DeleteLoadBalancerListeners,
    Action::DeleteLoadBalancerPolicy,
    Action::ModifyLoadBalancerAttributes,
    Action::RemoveTags,
    Action::SetLoadBalancerListenerSslCertificate,
    Action::SetLoadBalancerPoliciesForBackendServer,
    Action::SetLoadBalancerPoliciesOfListener,
];

/// What an audit reads besides.
const EXAMINE: [Action; 8] = [
    Action::DescribeCertificate,
    Action::DescribeInstanceHealth,
    Action::DescribeInstances,
    Action::DescribeRegions,
    Action::DescribeRouteTables,
    Action::DescribeSecurityGroups,
    Action::DescribeSubnets,
    Action::ListServerCertificates,
];

impl Purpose {
    /// The actions that are called, and those the service asks for on top, sorted.
    pub fn actions(self) -> BTreeSet<Action> {
        let more: [&[Action]; 2] = match self {
            Purpose::Plan => [&LOOK_UP, &[]],
            Purpose::Apply => [&LOOK_UP, &CHANGE],
            Purpose::Audit => [&EXAMINE, &[]],
        };
        let called = READ.iter().chain(more.into_iter().flatten());
        called.flat_map(|action| std::iter::once(action).chain(action.needs())).copied().collect()
    }
}

/// The least policy for a purpose: changes only of the named balancers, or of all where none is named.
///
/// Reads cannot be narrowed to balancers, the service does not offer that (elb-facts 5).
pub fn least_policy(purpose: Purpose, place: &Place, balancers: &[String]) -> PolicyDocument {
    let mut actions: BTreeMap<Resource, Vec<&'static str>> = BTreeMap::new();
    for action in purpose.actions() {
        actions.entry(action.resource()).or_default().push(action.name());
    }
    let statement = actions.into_iter().filter_map(|(resource, action)| {
        let Place { partition, region, account } = place;
        let (sid, resource) = match resource {
            Resource::Unrestricted => return None,
            Resource::Any => ("Read", vec!["*".to_owned()]),
            Resource::LoadBalancer => {
                let named =
                    |name: &str| format!("arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{name}");
                let resource = match balancers {
                    [] => vec![named("*")],
                    names => names.iter().map(|name| named(name)).collect(),
                };
                ("ChangeLoadBalancers", resource)
            }
            Resource::AcmCertificate => {
                ("LookUpAcmCertificates", vec![format!("arn:{partition}:acm:{region}:{account}:certificate/*")])
            }
            Resource::ServerCertificate => {
                ("LookUpServerCertificates", vec![format!("arn:{partition}:iam::{account}:server-certificate/*")])
            }
        };
        Some(Statement { sid, effect: "Allow", action, resource })
    });
    PolicyDocument { version: "2012-10-17", statement: statement.collect() }
}

/// The partition that a region belongs to, as far as its name tells.
pub fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("us-isob-") => "aws-iso-b",
        _ if region.starts_with("us-iso-") => "aws-iso",
        _ => "aws",
    }
}
