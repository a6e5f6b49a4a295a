//! The network around balancers, as far as it decides whether traffic arrives: security groups, subnets, instances.

use std::collections::BTreeSet;

/// A security group, by what it lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityGroup {
    /// Its name.
    pub name: String,
    /// What may come in; nothing else may.
    pub ingress: Vec<Admission>,
}

/// One thing that a security group lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Whether it is about TCP, alone or among all protocols. Balancers and their instances speak nothing else.
    pub is_tcp: bool,
    /// The first and last port.
    pub ports: (u16, u16),
    /// Who may come in.
    pub from: Peer,
}

/// Who a security group lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// An address range, for example `10.0.0.0/16`.
    Cidr(String),
    /// Members of the security group of this identifier.
    Group(String),
    /// The address ranges of a prefix list, which are not read.
    PrefixList(String),
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its VPC.
    pub vpc: String,
    /// Its IPv4 address range. Balancers speak IPv4 to instances (elb-facts 2.3).
    pub cidr: String,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its availability zone.
    pub zone: String,
    /// Its security groups.
    pub security_groups: BTreeSet<String>,
}

/// A route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    /// The VPC it belongs to.
    pub vpc: String,
    /// Whether it is the VPC's main table, which holds for subnets that no other table names.
    pub is_main: bool,
    /// The subnets it names.
    pub subnets: BTreeSet<String>,
    /// Whether its default route leads to an internet gateway.
    pub leads_to_internet: bool,
}

impl Admission {
    /// Whether it lets TCP connections to the port in, from some peer.
    pub fn covers(&self, port: u16) -> bool {
        self.is_tcp && self.ports.0 <= port && port <= self.ports.1
    }
}
