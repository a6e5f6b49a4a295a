//! The actions that elbws can call, each with its IAM name and the resources its permission can be narrowed to.
//!
//! The adapter calls nothing but these: its one way to make a call takes an [`Action`]. So whatever is said here about
//! permissions is said of every call there is.

use std::fmt;

use crate::plan::Step;

/// An action of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// `acm:DescribeCertificate`.
    DescribeCertificate,
    /// `ec2:DescribeClassicLinkInstances`; never called, the service asks for it (see [`needs`](Action::needs)).
    DescribeClassicLinkInstances,
    /// `ec2:DescribeInstances`.
    DescribeInstances,
    /// `ec2:DescribeRegions`.
    DescribeRegions,
    /// `ec2:DescribeRouteTables`.
    DescribeRouteTables,
    /// `ec2:DescribeSecurityGroups`.
    DescribeSecurityGroups,
    /// `ec2:DescribeSubnets`.
    DescribeSubnets,
    /// `elasticloadbalancing:AddTags`.
    AddTags,
    /// `elasticloadbalancing:ConfigureHealthCheck`.
    ConfigureHealthCheck,
    /// `elasticloadbalancing:CreateLoadBalancerListeners`.
    CreateLoadBalancerListeners,
    /// `elasticloadbalancing:CreateLoadBalancerPolicy`.
    CreateLoadBalancerPolicy,
    /// `elasticloadbalancing:DeleteLoadBalancerListeners`.
    DeleteLoadBalancerListeners,
    /// `elasticloadbalancing:DeleteLoadBalancerPolicy`.
    DeleteLoadBalancerPolicy,
    /// `elasticloadbalancing:DescribeInstanceHealth`.
    DescribeInstanceHealth,
    /// `elasticloadbalancing:DescribeLoadBalancerAttributes`.
    DescribeLoadBalancerAttributes,
    /// `elasticloadbalancing:DescribeLoadBalancerPolicies`.
    DescribeLoadBalancerPolicies,
    /// `elasticloadbalancing:DescribeLoadBalancers`.
    DescribeLoadBalancers,
    /// `elasticloadbalancing:DescribeTags`.
    DescribeTags,
    /// `elasticloadbalancing:ModifyLoadBalancerAttributes`.
    ModifyLoadBalancerAttributes,
    /// `elasticloadbalancing:RemoveTags`.
    RemoveTags,
    /// `elasticloadbalancing:SetLoadBalancerListenerSSLCertificate`.
    SetLoadBalancerListenerSslCertificate,
    /// `elasticloadbalancing:SetLoadBalancerPoliciesForBackendServer`.
    SetLoadBalancerPoliciesForBackendServer,
    /// `elasticloadbalancing:SetLoadBalancerPoliciesOfListener`.
    SetLoadBalancerPoliciesOfListener,
    /// `iam:GetServerCertificate`.
    GetServerCertificate,
    /// `iam:ListServerCertificates`.
    ListServerCertificates,
    /// `sts:GetCallerIdentity`.
    GetCallerIdentity,
}

/// What a policy can narrow the permission for an action to (elb-facts 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// Everybody may call it, whatever their policies say.
    Unrestricted,
    /// Nothing: the resource must be `*`.
    Any,
    /// Load balancers.
    LoadBalancer,
    /// Certificates of ACM.
    AcmCertificate,
    /// Server certificates of IAM.
    ServerCertificate,
}

impl Action {
    /// The IAM name, for example `elasticloadbalancing:DescribeTags`.
    pub fn name(self) -> &'static str {
        match self {
            Action::DescribeCertificate => "acm:DescribeCertificate",
            Action::DescribeClassicLinkInstances => "ec2:DescribeClassicLinkInstances",
            Action::DescribeInstances => "ec2:DescribeInstances",
            Action::DescribeRegions => "ec2:DescribeRegions",
            Action::DescribeRouteTables => "ec2:DescribeRouteTables",
            Action::DescribeSecurityGroups => "ec2:DescribeSecurityGroups",
            Action::DescribeSubnets => "ec2:DescribeSubnets",
            Action::AddTags => "elasticloadbalancing:AddTags",
            Action::ConfigureHealthCheck => "elasticloadbalancing:ConfigureHealthCheck",
            Action::CreateLoadBalancerListeners => "elasticloadbalancing:CreateLoadBalancerListeners",
            Action::CreateLoadBalancerPolicy => "elasticloadbalancing:CreateLoadBalancerPolicy",
            Action::DeleteLoadBalancerListeners => "elasticloadbalancing:DeleteLoadBalancerListeners",
            Action::DeleteLoadBalancerPolicy => "elasticloadbalancing:DeleteLoadBalancerPolicy",
            Action::DescribeInstanceHealth => "elasticloadbalancing:DescribeInstanceHealth",
            Action::DescribeLoadBalancerAttributes => "elasticloadbalancing:DescribeLoadBalancerAttributes",
            Action::DescribeLoadBalancerPolicies => "elasticloadbalancing:DescribeLoadBalancerPolicies",
            Action::DescribeLoadBalancers => "elasticloadbalancing:DescribeLoadBalancers",
            Action::DescribeTags => "elasticloadbalancing:DescribeTags",
            Action::ModifyLoadBalancerAttributes => "elasticloadbalancing:ModifyLoadBalancerAttributes",
            Action::RemoveTags => "elasticloadbalancing:RemoveTags",
            Action::SetLoadBalancerListenerSslCertificate => "elasticloadbalancing:SetLoadBalancerListenerSSLCertificate",
            Action::SetLoadBalancerPoliciesForBackendServer => {
                "elasticloadbalancing:SetLoadBalancerPoliciesForBackendServer"
            }
            Action::SetLoadBalancerPoliciesOfListener => "elasticloadbalancing:SetLoadBalancerPoliciesOfListener",
            Action::GetServerCertificate => "iam:GetServerCertificate",
            Action::ListServerCertificates => "iam:ListServerCertificates",
            Action::GetCallerIdentity => "sts:GetCallerIdentity",
        }
    }

    /// What its permission can be narrowed to.
    pub fn resource(self) -> Resource {
        match self {
            // "No permissions are required to perform this operation" (AWS STS API reference).
            Action::GetCallerIdentity => Resource::Unrestricted,
            Action::DescribeCertificate => Resource::AcmCertificate,
            Action::GetServerCertificate => Resource::ServerCertificate,
            Action::DescribeClassicLinkInstances
            | Action::DescribeInstances
            | Action::DescribeRegions
            | Action::DescribeRouteTables
            | Action::DescribeSecurityGroups
            | Action::DescribeSubnets
            | Action::DescribeInstanceHealth
            | Action::DescribeLoadBalancerAttributes
            | Action::DescribeLoadBalancerPolicies
            | Action::DescribeLoadBalancers
            | Action::DescribeTags
            | Action::ListServerCertificates => Resource::Any,
            Action::AddTags
            | Action::ConfigureHealthCheck
            | Action::CreateLoadBalancerListeners
            | Action::CreateLoadBalancerPolicy
            | Action::DeleteLoadBalancerListeners
            | Action::DeleteLoadBalancerPolicy
            | Action::ModifyLoadBalancerAttributes
            | Action::RemoveTags
            | Action::SetLoadBalancerListenerSslCertificate
            | Action::SetLoadBalancerPoliciesForBackendServer
            | Action::SetLoadBalancerPoliciesOfListener => Resource::LoadBalancer,
        }
    }

    /// Actions that a caller of this one must be allowed too, since the service calls them on the caller's behalf
    /// (elb-facts 5).
    pub fn needs(self) -> &'static [Action] {
        match self {
            Action::DescribeLoadBalancers => &[Action::DescribeSecurityGroups],
            Action::DescribeInstanceHealth => &[Action::DescribeInstances, Action::DescribeClassicLinkInstances],
            _ => &[],
        }
    }

    /// The action that a step calls.
    pub fn of(step: &Step) -> Action {
        match step {
            Step::ConfigureHealthCheck { .. } => Action::ConfigureHealthCheck,
            Step::SetIdleTimeout { .. } => Action::ModifyLoadBalancerAttributes,
            Step::CreatePolicy { .. } => Action::CreateLoadBalancerPolicy,
            Step::DeletePolicy { .. } => Action::DeleteLoadBalancerPolicy,
            Step::SetBackendPolicies { .. } => Action::SetLoadBalancerPoliciesForBackendServer,
            Step::CreateListener { .. } => Action::CreateLoadBalancerListeners,
            Step::DeleteListener { .. } => Action::DeleteLoadBalancerListeners,
            Step::SetListenerPolicies { .. } => Action::SetLoadBalancerPoliciesOfListener,
            Step::SetListenerCertificate { .. } => Action::SetLoadBalancerListenerSslCertificate,
            Step::AddTags { .. } => Action::AddTags,
            Step::RemoveTags { .. } => Action::RemoveTags,
        }
    }
}

/// The IAM name.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
