//! The seed: what a sandbox starts with, as TOML or JSON.
//!
//! This file says what a seed may contain; `build` turns it into a world by calling the API, so that a seed can contain nothing
//! that the API would refuse.

mod build;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(super) use build::build;
use serde::Deserialize;
pub use text::{OneOrMore, SeedHealthCheck, SeedListener};

use super::control::{InstanceState, Switches};
use crate::model::Malformed;

/// What a sandbox starts with. Every part may be absent.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// The region everything below belongs to; `eu-west-1` if absent.
    pub region: String,
    /// The account, twelve digits; `123456789012` if absent.
    pub account: String,
    /// How the sandbox behaves where AWS's behaviour is not known.
    pub switches: Switches,
    /// Certificates that the sandbox issues.
    pub certificates: Vec<SeedCertificate>,
    /// VPCs; without any there is a default VPC with an internet gateway.
    pub vpcs: Vec<SeedVpc>,
    /// Subnets; with any, no others exist.
    pub subnets: Vec<SeedSubnet>,
    /// Security groups; with any, no others exist but the VPCs' default groups.
    pub security_groups: Vec<SeedSecurityGroup>,
    /// Instances; with any, no others exist.
    pub instances: Vec<SeedInstance>,
    /// Balancers.
    pub balancers: Vec<SeedBalancer>,
}

/// A certificate that the sandbox's own authority issues.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedCertificate {
    /// The name: listeners of the seed refer to it, and IAM knows the certificate by it.
    pub name: String,
    /// Where it is kept; `acm` if absent. In ACM it has an RSA key, in IAM an ECDSA key.
    #[serde(default)]
    pub store: SeedStore,
    /// Its ARN, which then also says where it is kept; made up if absent.
    #[serde(default)]
    pub arn: Option<String>,
    /// The DNS name it is for.
    pub domain: String,
    /// Further DNS names or addresses it is for.
    #[serde(default)]
    pub alternative_names: Vec<String>,
}

/// Where a certificate is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedStore {
    /// AWS Certificate Manager.
    #[default]
    Acm,
    /// IAM server certificates.
    Iam,
}

/// A VPC.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedVpc {
    /// Its identifier, `vpc-` and 8 or 17 hexadecimal digits.
    pub id: String,
    /// Its address range; `10.0.0.0/16` if absent.
    #[serde(default)]
    pub cidr: Option<String>,
    /// Whether it is the default VPC.
    #[serde(default)]
    pub default: bool,
    /// Whether it has an internet gateway; true if absent.
    #[serde(default = "yes")]
    pub internet_gateway: bool,
}

/// A subnet.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedSubnet {
    /// Its identifier, `subnet-` and 8 or 17 hexadecimal digits.
    pub id: String,
    /// Its availability zone: the region and a letter.
    pub zone: String,
    /// Its VPC; the default VPC if absent.
    #[serde(default)]
    pub vpc: Option<String>,
    /// Its address range; made up if absent.
    #[serde(default)]
    pub cidr: Option<String>,
    /// Whether its route table leads to the internet; true if absent.
    #[serde(default = "yes")]
    pub public: bool,
}

/// A security group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedSecurityGroup {
    /// Its identifier, `sg-` and 8 or 17 hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its VPC; the default VPC if absent.
    #[serde(default)]
    pub vpc: Option<String>,
    /// What may come in; nothing if absent.
    #[serde(default)]
    pub ingress: Vec<SeedRule>,
    /// What may go out; everything if absent.
    #[serde(default)]
    pub egress: Option<Vec<SeedRule>>,
}

/// A rule of a security group. Exactly one of `cidr` and `group` says who the other side is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRule {
    /// `tcp` if absent; `-1` means every protocol.
    #[serde(default)]
    pub protocol: Option<String>,
    /// The port; absent means all, unless there is a range.
    #[serde(default)]
    pub port: Option<u16>,
    /// The first and last port of a range.
    #[serde(default)]
    pub ports: Option<(u16, u16)>,
    /// An address range.
    #[serde(default)]
    pub cidr: Option<String>,
    /// A security group's identifier.
    #[serde(default)]
    pub group: Option<String>,
}

/// An instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedInstance {
    /// Its identifier, `i-` and 8 or 17 hexadecimal digits.
    pub id: String,
    /// Its subnet; the first of the region if absent.
    #[serde(default)]
    pub subnet: Option<String>,
    /// Its private address; made up if absent.
    #[serde(default)]
    pub private_ip: Option<String>,
    /// Its security groups.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// Its health, `InService`, `OutOfService` or `Unknown`, until a data plane reports another; `InService` if absent.
    #[serde(default)]
    pub state: Option<InstanceState>,
}

/// A balancer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedBalancer {
    /// Its name.
    pub name: String,
    /// `internet-facing` (if absent) or `internal`.
    #[serde(default)]
    pub scheme: Option<String>,
    /// Its listeners: `"HTTP:80/HTTP:80"`, or tables.
    pub listeners: Vec<SeedListener>,
    /// Its health check: `"TCP:80"`, or a table; the service's own default if absent.
    #[serde(default)]
    pub health_check: Option<SeedHealthCheck>,
    /// Policies by name.
    #[serde(default)]
    pub policies: BTreeMap<String, SeedPolicy>,
    /// Names of the policies of each instance port; the port is the key.
    #[serde(default)]
    pub backend_policies: BTreeMap<String, Vec<String>>,
    /// Attributes that differ from the service's defaults.
    #[serde(default)]
    pub attributes: SeedAttributes,
    /// Identifiers of registered instances.
    #[serde(default)]
    pub instances: Vec<String>,
    /// Identifiers of its subnets.
    #[serde(default)]
    pub subnets: Vec<String>,
    /// Its availability zones, in place of subnets; the region's first if both are absent.
    #[serde(default)]
    pub availability_zones: Vec<String>,
    /// Identifiers of its security groups; the service's choice if absent.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// A policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedPolicy {
    /// The policy type's name.
    #[serde(rename = "type")]
    pub policy_type: String,
    /// Values by attribute; an attribute that takes several has a list.
    #[serde(default)]
    pub attributes: BTreeMap<String, OneOrMore>,
}

/// Attributes of a balancer; absent ones keep the service's defaults.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedAttributes {
    /// Seconds.
    pub idle_timeout: Option<u32>,
    /// Whether nodes send to instances of all zones.
    pub cross_zone: Option<bool>,
    /// Seconds for which connections outlive a deregistration; enables connection draining.
    pub connection_draining: Option<u32>,
    /// The bucket of the access log; enables it.
    pub access_log_bucket: Option<String>,
}

fn yes() -> bool {
    true
}

impl Default for Seed {
    fn default() -> Self {
        Seed {
            region: "eu-west-1".to_owned(),
            account: "123456789012".to_owned(),
            switches: Switches::default(),
            certificates: Vec::new(),
            vpcs: Vec::new(),
            subnets: Vec::new(),
            security_groups: Vec::new(),
            instances: Vec::new(),
            balancers: Vec::new(),
        }
    }
}

/// A seed that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The file cannot be read.
    #[error("cannot read the seed {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a seed; the message says where and what.
    #[error("the seed is malformed: {0}")]
    Malformed(String),
    /// A value that the service would refuse.
    #[error("the seed's {field}: {message}")]
    Refused {
        /// The field, such as `balancers.chat.listeners`.
        field: String,
        /// Why.
        message: String,
    },
}

impl Seed {
    /// Reads a seed from a file: JSON if its name ends in `.json`, TOML if it ends in `.toml`, else whatever it looks like.
    pub fn load(path: &Path) -> Result<Self, SeedError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| SeedError::Unreadable { path: path.to_owned(), source })?;
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Seed::from_json(&text),
            Some("toml") => Seed::from_toml(&text),
            _ if text.trim_start().starts_with('{') => Seed::from_json(&text),
            _ => Seed::from_toml(&text),
        }
    }

    /// Reads a seed from TOML.
    pub fn from_toml(text: &str) -> Result<Self, SeedError> {
        let located = |error: &toml::de::Error| Malformed::at(text, error.span(), error.message());
        let deserializer =
            toml::Deserializer::parse(text).map_err(|error| SeedError::Malformed(located(&error).to_string()))?;
        serde_path_to_error::deserialize(deserializer).map_err(|error| at_path(error.path(), &located(error.inner())))
    }

    /// Reads a seed from JSON.
    pub fn from_json(text: &str) -> Result<Self, SeedError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let seed =
            serde_path_to_error::deserialize(&mut deserializer).map_err(|error| at_path(error.path(), error.inner()))?;
        deserializer.end().map_err(|error| SeedError::Malformed(error.to_string()))?;
        Ok(seed)
    }
}

fn at_path(path: &serde_path_to_error::Path, error: &impl std::fmt::Display) -> SeedError {
    SeedError::Malformed(format!("{path}: {error}"))
}
