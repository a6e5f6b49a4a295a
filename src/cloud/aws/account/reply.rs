//! EC2's replies as the model. What lacks its identifier makes no sense and is refused.

use std::collections::BTreeMap;

use aws_sdk_ec2::types as sdk;

use crate::model::{Admission, Instance, Peer, RouteTable, SecurityGroup, Subnet};

type Gathered<T> = BTreeMap<String, T>;

pub(super) fn security_group(found: &sdk::SecurityGroup, all: &mut Gathered<SecurityGroup>) -> Result<(), String> {
    let id = text(found.group_id(), "a security group has no identifier")?;
    let name = found.group_name().unwrap_or_default().to_owned();
    let ingress = found.ip_permissions().iter().flat_map(admissions).collect();
    all.insert(id, SecurityGroup { name, ingress });
    Ok(())
}

/// A permission names protocol and ports once, and any number of peers.
fn admissions(permission: &sdk::IpPermission) -> Vec<Admission> {
    let protocol = permission.ip_protocol().unwrap_or("-1");
    let port = |number: Option<i32>, open: u16| number.and_then(|number| u16::try_from(number).ok()).unwrap_or(open);
    let ports = match protocol {
        // Of all protocols all ports are meant, whatever stands there.
        "-1" => (0, u16::MAX),
        _ => (port(permission.from_port(), 0), port(permission.to_port(), u16::MAX)),
    };
    let is_tcp = matches!(protocol, "-1" | "tcp" | "6");
    let of = |text: Option<&str>, kind: fn(String) -> Peer| text.map(|text| kind(text.to_owned()));
    let v4 = permission.ip_ranges().iter().filter_map(|range| of(range.cidr_ip(), Peer::Cidr));
    let v6 = permission.ipv6_ranges().iter().filter_map(|range| of(range.cidr_ipv6(), Peer::Cidr));
    let groups = permission.user_id_group_pairs().iter().filter_map(|pair| of(pair.group_id(), Peer::Group));
    let lists = permission.prefix_list_ids().iter().filter_map(|list| of(list.prefix_list_id(), Peer::PrefixList));
    v4.chain(v6).chain(groups).chain(lists).map(|from| Admission { is_tcp, ports, from }).collect()
}

pub(super) fn reservation(found: &sdk::Reservation, all: &mut Gathered<Instance>) -> Result<(), String> {
    for instance in found.instances() {
        let id = text(instance.instance_id(), "an instance has no identifier")?;
        let zone = instance.placement().and_then(|placement| placement.availability_zone()).unwrap_or_default().to_owned();
        let groups = instance.security_groups().iter().filter_map(|group| group.group_id());
        all.insert(id, Instance { zone, security_groups: groups.map(str::to_owned).collect() });
    }
    Ok(())
}

pub(super) fn subnet(found: &sdk::Subnet, all: &mut Gathered<Subnet>) -> Result<(), String> {
    let id = text(found.subnet_id(), "a subnet has no identifier")?;
    let vpc = found.vpc_id().unwrap_or_default().to_owned();
    let cidr = text(found.cidr_block(), &format!("subnet {id} has no address range"))?;
    all.insert(id, Subnet { vpc, cidr });
    Ok(())
}

pub(super) fn route_table(found: &sdk::RouteTable, all: &mut Gathered<RouteTable>) -> Result<(), String> {
    let id = text(found.route_table_id(), "a route table has no identifier")?;
    let vpc = text(found.vpc_id(), &format!("route table {id} has no VPC"))?;
    let subnets = found.associations().iter().filter_map(|one| one.subnet_id()).map(str::to_owned).collect();
    let is_main = found.associations().iter().any(|one| one.main() == Some(true));
    let leads_out = |route: &sdk::Route| {
        route.destination_cidr_block() == Some("0.0.0.0/0")
            && route.gateway_id().is_some_and(|gateway| gateway.starts_with("igw-"))
            && route.state() != Some(&sdk::RouteState::Blackhole)
    };
    let leads_to_internet = found.routes().iter().any(leads_out);
    all.insert(id, RouteTable { vpc, is_main, subnets, leads_to_internet });
    Ok(())
}

fn text(found: Option<&str>, missing: &str) -> Result<String, String> {
    found.filter(|text| !text.is_empty()).map(str::to_owned).ok_or_else(|| missing.to_owned())
}
