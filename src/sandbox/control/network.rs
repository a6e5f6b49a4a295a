//! The network around balancers: VPCs, subnets, security groups and instances, as far as the API looks at them.
//!
//! Whatever kind of thing the seed lists, it lists completely: any other identifier of that kind is unknown. Of a kind that the
//! seed does not list, any well-formed identifier is taken to exist, so that commands from a tutorial work unchanged.

use std::collections::BTreeMap;

use super::{InstanceState, ids};

/// The most subnets a region holds, so that made-up ones cannot fill the memory.
const MOST_SUBNETS: usize = 500;

/// What a region's network holds.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// VPCs by identifier; one of them may be the default VPC.
    pub vpcs: BTreeMap<String, Vpc>,
    /// Subnets by identifier.
    pub subnets: BTreeMap<String, Subnet>,
    /// Security groups by identifier.
    pub security_groups: BTreeMap<String, SecurityGroup>,
    /// Instances by identifier.
    pub instances: BTreeMap<String, Instance>,
    /// Whether the seed lists subnets, so that others are unknown.
    pub subnets_listed: bool,
    /// Whether the seed lists security groups, so that others are unknown.
    pub security_groups_listed: bool,
    /// Whether the seed lists instances, so that others are unknown.
    pub instances_listed: bool,
}

/// A virtual private cloud.
#[derive(Debug, Clone)]
pub struct Vpc {
    /// Its address range.
    pub cidr: String,
    /// Whether balancers that are created by availability zone go here.
    pub is_default: bool,
    /// Its internet gateway; without one an internet-facing balancer is refused.
    pub internet_gateway: Option<String>,
}

/// A subnet.
#[derive(Debug, Clone)]
pub struct Subnet {
    /// The VPC it belongs to.
    pub vpc: String,
    /// Its availability zone.
    pub zone: String,
    /// Its address range.
    pub cidr: String,
    /// Whether its route table leads to the internet gateway.
    pub public: bool,
    /// Whether it was made up for a request that named it, and so is nobody's default.
    pub made_up: bool,
}

/// A security group.
#[derive(Debug, Clone)]
pub struct SecurityGroup {
    /// Its name.
    pub name: String,
    /// The VPC it belongs to.
    pub vpc: String,
    /// What may come in.
    pub ingress: Vec<Rule>,
    /// What may go out.
    pub egress: Vec<Rule>,
}

/// One rule of a security group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, or `-1` for all.
    pub protocol: String,
    /// The first and last port; absent for all.
    pub ports: Option<(u16, u16)>,
    /// The other side: an address range or the identifier of a security group.
    pub peer: Peer,
}

/// The other side of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// An address range.
    Cidr(String),
    /// Members of a security group.
    Group(String),
}

/// An instance.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its subnet.
    pub subnet: String,
    /// Its address inside the VPC.
    pub private_ip: String,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Its health towards every balancer, until somebody reports another.
    pub state: Option<InstanceState>,
}

/// Whether text is an identifier such as `subnet-0a1b2c3d`: the prefix, a hyphen, and 8 or 17 hexadecimal digits.
pub fn is_id(prefix: &str, text: &str) -> bool {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Network {
    /// What every region of a new account has: a default VPC with a public subnet in each of three zones, and its default group.
    pub fn of_new_account(region: &str, account: &str) -> Self {
        let mut network = Network::default();
        let vpc = network.add_default_vpc(region, account);
        for (number, letter) in ["a", "b", "c"].into_iter().enumerate() {
            let zone = format!("{region}{letter}");
            let id = format!("subnet-{}", ids::hex(&[account, &zone, "subnet"], 17));
            let cidr = format!("172.31.{}.0/20", number * 16);
            network.subnets.insert(id, Subnet { vpc: vpc.clone(), zone, cidr, public: true, made_up: false });
        }
        network
    }

    /// Adds a default VPC and its default security group, and gives the VPC's identifier.
    pub fn add_default_vpc(&mut self, region: &str, account: &str) -> String {
        let id = format!("vpc-{}", ids::hex(&[account, region, "vpc"], 17));
        self.add_vpc(&id, "172.31.0.0/16", true, true);
        id
    }

    /// Adds a VPC with its default security group.
    pub fn add_vpc(&mut self, id: &str, cidr: &str, is_default: bool, internet_gateway: bool) {
        let gateway = internet_gateway.then(|| format!("igw-{}", ids::hex(&[id, "igw"], 17)));
        self.vpcs.insert(id.to_owned(), Vpc { cidr: cidr.to_owned(), is_default, internet_gateway: gateway });
        let anywhere = Rule { protocol: "-1".to_owned(), ports: None, peer: Peer::Cidr("0.0.0.0/0".to_owned()) };
        let group = SecurityGroup {
            name: "default".to_owned(),
            vpc: id.to_owned(),
            ingress: vec![Rule { peer: Peer::Group(default_group(id)), ..anywhere.clone() }],
            egress: vec![anywhere],
        };
        self.security_groups.insert(default_group(id), group);
    }

    /// The default VPC's identifier, where there is one.
    pub fn default_vpc(&self) -> Option<&str> {
        self.vpcs.iter().find(|(_, vpc)| vpc.is_default).map(|(id, _)| id.as_str())
    }

    /// Whether an instance exists, as far as the sandbox can say.
    pub fn knows_instance(&self, id: &str) -> bool {
        self.instances.contains_key(id) || (!self.instances_listed && is_id("i", id))
    }

    /// Whether a security group exists, as far as the sandbox can say.
    pub fn knows_security_group(&self, id: &str) -> bool {
        self.security_groups.contains_key(id) || (!self.security_groups_listed && is_id("sg", id))
    }

    /// The subnet of the default VPC in a zone.
    pub fn default_subnet(&self, zone: &str) -> Option<&str> {
        let vpc = self.default_vpc()?;
        let is_default = |subnet: &Subnet| subnet.vpc == vpc && subnet.zone == zone && !subnet.made_up;
        self.subnets.iter().find(|(_, subnet)| is_default(subnet)).map(|(id, _)| id.as_str())
    }

    /// A subnet by identifier. Where the seed lists none, an unknown one is made up, in the first zone that `taken` leaves
    /// free, and remembered.
    pub fn adopt_subnet(&mut self, id: &str, region: &str, taken: &[String]) -> Option<Subnet> {
        if let Some(subnet) = self.subnets.get(id) {
            return Some(subnet.clone());
        }
        if self.subnets_listed || !is_id("subnet", id) || self.subnets.len() >= MOST_SUBNETS {
            return None;
        }
        let zones = ["a", "b", "c", "d", "e", "f"].map(|letter| format!("{region}{letter}"));
        let zone = zones.into_iter().find(|zone| !taken.contains(zone)).unwrap_or_else(|| format!("{region}a"));
        let cidr = format!("172.31.240.{}/28", 16 * (self.subnets.len() % 16));
        let subnet = Subnet { vpc: self.default_vpc()?.to_owned(), zone, cidr, public: true, made_up: true };
        self.subnets.insert(id.to_owned(), subnet.clone());
        Some(subnet)
    }
}

/// The identifier of a VPC's default security group.
pub fn default_group(vpc: &str) -> String {
    format!("sg-{}", ids::hex(&[vpc, "default"], 17))
}
