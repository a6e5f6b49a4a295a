//! The single reads that rules draw on: finer than [`Read`], so that a denied call takes no more rules with it than it must.

use super::Read;

/// One kind of call an audit makes beside the listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// `DescribeLoadBalancerPolicies`.
    Policies,
    /// `DescribeLoadBalancerAttributes`.
    Attributes,
    /// `DescribeTags`.
    Tags,
    /// `DescribeInstanceHealth`.
    InstanceHealth,
    /// EC2's `DescribeSecurityGroups`.
    SecurityGroups,
    /// EC2's `DescribeInstances`.
    Instances,
    /// EC2's `DescribeSubnets`.
    Subnets,
    /// EC2's `DescribeRouteTables`.
    RouteTables,
    /// ACM's `DescribeCertificate`.
    AcmCertificates,
    /// IAM's `ListServerCertificates`.
    IamCertificates,
}

impl Source {
    /// What a rule says it needs when it draws on this.
    pub fn read(self) -> Read {
        match self {
            Source::Policies => Read::Policies,
            Source::Attributes => Read::Attributes,
            Source::Tags => Read::Tags,
            Source::InstanceHealth => Read::InstanceHealth,
            Source::SecurityGroups | Source::Instances | Source::Subnets | Source::RouteTables => Read::Network,
            Source::AcmCertificates | Source::IamCertificates => Read::Certificates,
        }
    }
}

/// What was asked of a source: an answer, or no answer. There is no default that could be mistaken for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<T> {
    /// It was read.
    Read(T),
    /// It was not: no chosen rule needs it, access was denied, or the call failed.
    NotRead,
}

/// A rule came upon a source that was not read, so it cannot say whether all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing(pub Source);

impl<T> Part<T> {
    /// The answer; [`Missing`] if there is none.
    pub fn of(&self, source: Source) -> Result<&T, Missing> {
        match self {
            Part::Read(answer) => Ok(answer),
            Part::NotRead => Err(Missing(source)),
        }
    }
}
