//! The state: everything the sandbox knows, per region, and how a request finds its part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::certificates::ServerCertificate;
use super::network::Network;
use super::{ApiError, Request, Switches, ids};
use crate::model::{Balancer, CertificateArn, CertificateStore};

/// The most regions a sandbox holds; AWS has fewer, and a client must not be able to fill the memory.
const MAX_REGIONS: usize = 64;

/// Balancers that a new account may have in a region (elb-facts 1.6).
pub(crate) const DEFAULT_LOAD_BALANCER_QUOTA: usize = 20;

/// The whole state of the sandbox.
#[derive(Debug, Clone)]
pub struct World {
    /// The account every caller belongs to, twelve digits.
    pub account: String,
    /// The choices where AWS's behaviour is not known.
    pub switches: Switches,
    /// The most balancers in a region. It can be raised on request, so a seed with more than 20 has as many as it needs.
    pub load_balancer_quota: usize,
    /// What each region holds; a region appears with the first call that changes something in it.
    pub regions: BTreeMap<String, Region>,
    /// IAM's server certificates by name in lower case, since their names are unique regardless of case.
    pub server_certificates: BTreeMap<String, Arc<ServerCertificate>>,
    /// Whether somebody checks the instances: then an instance is out of service from its registration until a check says
    /// otherwise.
    pub health_is_checked: bool,
    /// Counts what was created, so that identifiers of a name that is used again differ.
    pub serial: u64,
}

/// What one region holds.
#[derive(Debug, Clone)]
pub struct Region {
    /// The region's name.
    pub name: String,
    /// The balancers by name.
    pub load_balancers: BTreeMap<String, LoadBalancer>,
    /// ACM's certificates by ARN.
    pub certificates: BTreeMap<String, Arc<ServerCertificate>>,
    /// VPCs, subnets, security groups and instances.
    pub network: Network,
}

/// A balancer with what the API keeps about it beyond what the model describes.
#[derive(Debug, Clone)]
pub struct LoadBalancer {
    /// The balancer itself.
    pub balancer: Balancer,
    /// When it was created.
    pub created: Timestamp,
    /// Whether it was created with availability zones and so lives in the default VPC.
    pub by_zone: bool,
    /// The state of registered instances, where somebody reported one.
    ///
    /// This is the seam for the data plane: whoever checks instances writes here (`Sandbox::report_health`). Without a
    /// report, and with nothing in the seed, a registered instance counts as in service.
    pub health: BTreeMap<String, InstanceHealth>,
    /// Instances that are not registered any more and whose connections are draining; the data plane writes this.
    pub draining: BTreeSet<String>,
}

/// What `DescribeInstanceHealth` says of one instance (elb-facts 2.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceHealth {
    /// The state.
    pub state: InstanceState,
    /// `ELB`, `Instance` or `N/A`.
    pub reason_code: String,
    /// What a person reads; `N/A` when there is nothing to say.
    pub description: String,
}

/// Whether an instance gets traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InstanceState {
    /// It does.
    InService,
    /// It does not.
    OutOfService,
    /// Nobody knows yet.
    Unknown,
}

impl InstanceState {
    /// The state as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            InstanceState::InService => "InService",
            InstanceState::OutOfService => "OutOfService",
            InstanceState::Unknown => "Unknown",
        }
    }
}

impl From<InstanceState> for InstanceHealth {
    /// A state with the reason the service usually gives for it.
    fn from(state: InstanceState) -> Self {
        let (reason_code, description) = match state {
            InstanceState::InService => ("N/A", "N/A"),
            InstanceState::OutOfService => {
                ("Instance", "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.")
            }
            InstanceState::Unknown => ("ELB", "Instance registration is still in progress."),
        };
        InstanceHealth { state, reason_code: reason_code.to_owned(), description: description.to_owned() }
    }
}

impl InstanceHealth {
    /// What is said of an instance that was registered and has not been checked yet.
    pub fn registering() -> Self {
        InstanceHealth { state: InstanceState::OutOfService, ..InstanceState::Unknown.into() }
    }

    /// What is said of an instance whose connections are draining.
    pub fn draining() -> Self {
        let description = "Instance deregistration currently in progress.".to_owned();
        InstanceHealth { description, ..InstanceState::InService.into() }
    }
}

impl LoadBalancer {
    /// The health of a registered instance: what was last reported, else what the seed says, else in service.
    pub fn health_of(&self, instance: &str, network: &Network) -> InstanceHealth {
        let seeded = || network.instances.get(instance).and_then(|instance| instance.state).map(InstanceHealth::from);
        self.health.get(instance).cloned().or_else(seeded).unwrap_or_else(|| InstanceState::InService.into())
    }
}

impl Region {
    /// A region as a new account finds it: a default VPC with three public subnets.
    pub fn new(name: &str, account: &str) -> Self {
        Region {
            name: name.to_owned(),
            load_balancers: BTreeMap::new(),
            certificates: BTreeMap::new(),
            network: Network::of_new_account(name, account),
        }
    }
}

impl World {
    /// A world without balancers.
    pub fn new(account: &str, switches: Switches) -> Self {
        World {
            account: account.to_owned(),
            switches,
            load_balancer_quota: DEFAULT_LOAD_BALANCER_QUOTA,
            regions: BTreeMap::new(),
            server_certificates: BTreeMap::new(),
            health_is_checked: false,
            serial: 0,
        }
    }

    /// From now on somebody checks the instances: whatever the seed says of them, they are not in service yet.
    pub(crate) fn check_health(&mut self) {
        self.health_is_checked = true;
        for found in self.regions.values_mut().flat_map(|region| region.load_balancers.values_mut()) {
            let registering = |id: &String| (id.clone(), InstanceHealth::registering());
            found.health = found.balancer.instances.iter().map(registering).collect();
        }
    }

    /// Makes sure that a region exists. Errors: too many regions.
    pub fn open_region(&mut self, name: &str) -> Result<(), ApiError> {
        if !self.regions.contains_key(name) {
            if self.regions.len() >= MAX_REGIONS {
                return Err(ApiError::validation(format!("The sandbox holds at most {MAX_REGIONS} regions; reset it")));
            }
            self.regions.insert(name.to_owned(), Region::new(name, &self.account));
        }
        Ok(())
    }

    /// The region of a request, as it is or as it would be once something is created in it.
    pub(crate) fn region(&self, request: &Request) -> std::borrow::Cow<'_, Region> {
        match self.regions.get(&request.region) {
            Some(region) => std::borrow::Cow::Borrowed(region),
            None => std::borrow::Cow::Owned(Region::new(&request.region, &self.account)),
        }
    }

    /// The region of a request that changes something.
    pub(crate) fn region_mut(&mut self, request: &Request) -> &mut Region {
        let World { account, regions, .. } = self;
        regions.entry(request.region.clone()).or_insert_with(|| Region::new(&request.region, account))
    }

    /// A balancer by name. Errors: `LoadBalancerNotFound`.
    pub(crate) fn load_balancer(&self, request: &Request, name: &str) -> Result<&LoadBalancer, ApiError> {
        let region = self.regions.get(&request.region);
        region.and_then(|region| region.load_balancers.get(name)).ok_or_else(|| ApiError::load_balancer_not_found(name))
    }

    /// A balancer by name, to change it. Errors: `LoadBalancerNotFound`.
    pub(crate) fn load_balancer_mut(&mut self, request: &Request, name: &str) -> Result<&mut LoadBalancer, ApiError> {
        let region = self.regions.get_mut(&request.region);
        region.and_then(|region| region.load_balancers.get_mut(name)).ok_or_else(|| ApiError::load_balancer_not_found(name))
    }

    /// A certificate by its ARN, as a listener of the region can use it: from IAM, or from ACM of that region.
    pub fn certificate(&self, region: &str, arn: &CertificateArn) -> Option<&Arc<ServerCertificate>> {
        let found = match arn.store()? {
            CertificateStore::Iam => self.server_certificates.get(&arn.iam_name()?.to_ascii_lowercase()),
            CertificateStore::Acm => self.regions.get(region)?.certificates.values().find(|one| one.arn == *arn),
        };
        found.filter(|certificate| certificate.arn == *arn)
    }

    /// The ARNs of the balancers whose listeners use a certificate, in every region.
    pub(crate) fn users_of(&self, certificate: &CertificateArn) -> Vec<String> {
        let mut users = Vec::new();
        for region in self.regions.values() {
            for LoadBalancer { balancer, .. } in region.load_balancers.values() {
                if balancer.listeners.values().any(|listener| listener.certificate.as_ref() == Some(certificate)) {
                    let (region, account, name) = (&region.name, &self.account, &balancer.name);
                    users.push(format!("arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{name}"));
                }
            }
        }
        users
    }

    /// A number that no earlier thing had.
    pub(crate) fn next_serial(&mut self) -> String {
        self.serial += 1;
        self.serial.to_string()
    }

    /// The name clients resolve: the balancer's name, digits that differ for every balancer, and the region.
    pub(crate) fn dns_name(&mut self, region: &str, name: &str, scheme: &str) -> String {
        let serial = self.next_serial();
        let digits = ids::digits(&[&self.account, region, name, &serial]);
        let internal = if scheme == "internal" { "internal-" } else { "" };
        format!("{internal}{name}-{digits}.{region}.elb.amazonaws.com")
    }
}

/// Whether text has the form of a region's name, such as `eu-west-1`.
pub fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return false };
    let word = |part: &str| !part.is_empty() && part.len() <= 10 && part.bytes().all(|byte| byte.is_ascii_lowercase());
    first.len() == 2
        && word(first)
        && (1..=2).contains(&middle.len())
        && middle.iter().all(|part| word(part))
        && last.len() == 1
        && last.bytes().all(|byte| byte.is_ascii_digit())
}
