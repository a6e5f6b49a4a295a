//! The subject of an audit: what was read of one balancer and of the things around it.
//!
//! What was not read cannot be had: every accessor fails with [`Missing`], so that no rule passes on an answer nobody gave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::{Missing, Part, Scope, Source};
use crate::model::{
    Attributes, CertificateArn, CertificateStore, Instance, InstanceHealth, Listed, Policy, RouteTable, SecurityGroup,
    ServerCertificate, Subnet,
};

/// One balancer, with everything that was read about it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Where it is.
    pub scope: Scope,
    /// What the listing says.
    pub listed: Listed,
    /// The content of its policies by name.
    pub policies: Part<BTreeMap<String, Policy>>,
    /// Its attributes.
    pub attributes: Part<Attributes>,
    /// Its tags.
    pub tags: Part<BTreeMap<String, String>>,
    /// The health of its registered instances by identifier.
    pub health: Part<BTreeMap<String, InstanceHealth>>,
    /// What surrounds the balancers of its account and region.
    pub surroundings: Arc<Surroundings>,
    /// When the audit is made.
    pub now: Timestamp,
    /// The least idle timeout in seconds that counts as enough.
    pub min_idle_timeout: u32,
}

/// What surrounds balancers, by identifier: shared by all balancers of an account and region.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Security groups of balancers and of their instances.
    pub security_groups: Part<BTreeMap<String, SecurityGroup>>,
    /// Registered instances; one that EC2 does not know is not among them.
    pub instances: Part<BTreeMap<String, Instance>>,
    /// Subnets of balancers.
    pub subnets: Part<BTreeMap<String, Subnet>>,
    /// Route tables of the VPCs of internet-facing balancers.
    pub route_tables: Part<BTreeMap<String, RouteTable>>,
    /// ACM's certificates by ARN; `None` for one that does not exist, and no entry for one that was not read.
    pub acm_certificates: Part<BTreeMap<CertificateArn, Option<ServerCertificate>>>,
    /// All of IAM's server certificates by ARN.
    pub iam_certificates: Part<BTreeMap<CertificateArn, ServerCertificate>>,
}

/// A certificate, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// It exists.
    Certificate(&'a ServerCertificate),
    /// It does not exist.
    Nothing,
}

impl Surroundings {
    /// Nothing was read.
    pub fn unread() -> Self {
        Surroundings {
            security_groups: Part::NotRead,
            instances: Part::NotRead,
            subnets: Part::NotRead,
            route_tables: Part::NotRead,
            acm_certificates: Part::NotRead,
            iam_certificates: Part::NotRead,
        }
    }
}

impl Subject {
    /// The content of the policies by name.
    pub fn policies(&self) -> Result<&BTreeMap<String, Policy>, Missing> {
        self.policies.of(Source::Policies)
    }

    /// The attributes.
    pub fn attributes(&self) -> Result<&Attributes, Missing> {
        self.attributes.of(Source::Attributes)
    }

    /// The tags.
    pub fn tags(&self) -> Result<&BTreeMap<String, String>, Missing> {
        self.tags.of(Source::Tags)
    }

    /// The health of the registered instances.
    pub fn health(&self) -> Result<&BTreeMap<String, InstanceHealth>, Missing> {
        self.health.of(Source::InstanceHealth)
    }

    /// A security group; `None` if EC2 does not know it.
    pub fn security_group(&self, id: &str) -> Result<Option<&SecurityGroup>, Missing> {
        Ok(self.surroundings.security_groups.of(Source::SecurityGroups)?.get(id))
    }

    /// The registered instances that EC2 knows, by identifier.
    pub fn instances(&self) -> Result<BTreeMap<&str, &Instance>, Missing> {
        let known = self.surroundings.instances.of(Source::Instances)?;
        Ok(self.listed.instances.iter().filter_map(|id| Some((id.as_str(), known.get(id)?))).collect())
    }

    /// A subnet; `None` if EC2 does not know it.
    pub fn subnet(&self, id: &str) -> Result<Option<&Subnet>, Missing> {
        Ok(self.surroundings.subnets.of(Source::Subnets)?.get(id))
    }

    /// The route table that holds for a subnet: the one that names it, else the VPC's main one.
    pub fn route_table(&self, subnet: &str, vpc: &str) -> Result<Option<&RouteTable>, Missing> {
        let tables = self.surroundings.route_tables.of(Source::RouteTables)?;
        let naming = tables.values().find(|table| table.subnets.contains(subnet));
        Ok(naming.or_else(|| tables.values().find(|table| table.is_main && table.vpc == vpc)))
    }

    /// A certificate, in the service that its ARN names.
    pub fn certificate(&self, arn: &CertificateArn) -> Result<Found<'_>, Missing> {
        let found = match arn.store() {
            Some(CertificateStore::Acm) => {
                let source = Source::AcmCertificates;
                let known = self.surroundings.acm_certificates.of(source)?;
                known.get(arn).ok_or(Missing(source))?.as_ref()
            }
            Some(CertificateStore::Iam) => self.surroundings.iam_certificates.of(Source::IamCertificates)?.get(arn),
            None => None,
        };
        Ok(found.map_or(Found::Nothing, Found::Certificate))
    }

    /// The instance ports that have a policy attached which makes the balancer send the PROXY line.
    pub fn proxied_ports(&self) -> Result<BTreeSet<u16>, Missing> {
        let ports = &self.listed.backend_policies;
        if ports.is_empty() {
            return Ok(BTreeSet::new());
        }
        let policies = self.policies()?;
        let sends = |name: &String| policies.get(name).is_some_and(Policy::enables_proxy_protocol);
        Ok(ports.iter().filter(|(_, names)| names.iter().any(sends)).map(|(port, _)| *port).collect())
    }

    /// The distinct certificates of the listeners that terminate TLS, each with the ports that use it.
    pub fn certificates(&self) -> BTreeMap<&CertificateArn, Vec<u16>> {
        let mut ports: BTreeMap<&CertificateArn, Vec<u16>> = BTreeMap::new();
        for listener in self.listed.listeners.values().filter(|listener| listener.protocol.is_secure()) {
            if let Some(arn) = &listener.certificate {
                ports.entry(arn).or_default().push(listener.load_balancer_port);
            }
        }
        ports
    }
}
