//! Subnets, availability zones and security groups of a balancer (elb-facts 2.7).

use std::collections::BTreeSet;

use crate::model::Balancer;
use crate::sandbox::control::network::{Network, Peer, Rule, SecurityGroup, default_group};
use crate::sandbox::control::{ApiError, Element, Reader, Region, Request, World, ids};

/// Where a balancer stands.
pub(super) struct Placement {
    pub(super) vpc: String,
    pub(super) subnets: BTreeSet<String>,
    pub(super) zones: BTreeSet<String>,
    /// Whether it was placed by availability zone, into the default VPC.
    pub(super) by_zone: bool,
}

/// Reads where a new balancer is to stand: by subnets or by availability zones, never both.
pub(super) fn read_placement(input: &Reader<'_>, region: &mut Region, scheme: &str) -> Result<Placement, ApiError> {
    let subnets = input.texts("Subnets")?.unwrap_or_default();
    let zones = input.texts("AvailabilityZones")?.unwrap_or_default();
    let by_zone = match (subnets.is_empty(), zones.is_empty()) {
        (false, true) => false,
        (true, false) => true,
        (true, true) => return Err(ApiError::validation("Either AvailabilityZones or SubnetIds must be specified")),
        (false, false) => return Err(ApiError::validation("Only one of SubnetIds or AvailabilityZones may be specified")),
    };
    let empty = Placement { vpc: String::new(), subnets: BTreeSet::new(), zones: BTreeSet::new(), by_zone };
    let placement = match by_zone {
        true => with_zones(empty, region, &zones)?,
        false => with_subnets(empty, region, &subnets)?,
    };
    let gateway = region.network.vpcs.get(&placement.vpc).and_then(|vpc| vpc.internet_gateway.as_ref());
    if scheme == "internet-facing" && gateway.is_none() {
        let vpc = &placement.vpc;
        return Err(ApiError::new("InvalidSubnet", format!("VPC {vpc} has no internet gateway")));
    }
    Ok(placement)
}

fn with_subnets(mut placement: Placement, region: &mut Region, subnets: &[String]) -> Result<Placement, ApiError> {
    for id in subnets {
        if placement.subnets.contains(id) {
            continue;
        }
        let taken: Vec<String> = placement.zones.iter().cloned().collect();
        let Some(subnet) = region.network.adopt_subnet(id, &region.name, &taken) else {
            return Err(ApiError::new("SubnetNotFound", format!("The subnet ID '{id}' does not exist")));
        };
        if !placement.vpc.is_empty() && placement.vpc != subnet.vpc {
            return Err(ApiError::invalid_configuration(format!(
                "Subnet {id} belongs to another VPC than the other subnets"
            )));
        }
        if !placement.zones.insert(subnet.zone) {
            let message = "A load balancer cannot be attached to multiple subnets in the same AZ.";
            return Err(ApiError::invalid_configuration(message));
        }
        placement.vpc = subnet.vpc;
        placement.subnets.insert(id.clone());
    }
    Ok(placement)
}

fn with_zones(mut placement: Placement, region: &Region, zones: &[String]) -> Result<Placement, ApiError> {
    for zone in zones {
        let invalid = || ApiError::validation(format!("Invalid availability zone: {zone}"));
        let subnet = region.network.default_subnet(zone).ok_or_else(invalid)?;
        placement.vpc = region.network.default_vpc().unwrap_or_default().to_owned();
        placement.zones.insert(zone.clone());
        placement.subnets.insert(subnet.to_owned());
    }
    Ok(placement)
}

/// The security groups of a new balancer: those asked for, else the VPC's default group, or in the default VPC a group that
/// the service makes for all its balancers.
pub(super) fn read_groups(input: &Reader<'_>, region: &mut Region, vpc: &str) -> Result<BTreeSet<String>, ApiError> {
    let asked = input.texts("SecurityGroups")?.unwrap_or_default();
    if !asked.is_empty() {
        return check_groups(&region.network, asked, vpc);
    }
    if region.network.default_vpc() != Some(vpc) {
        return Ok(BTreeSet::from([default_group(vpc)]));
    }
    let suffix = ids::hex(&[vpc, "default_elb"], 32);
    let id = format!("sg-{}", &suffix[..17]);
    let rule = Rule { protocol: "tcp".to_owned(), ports: Some((0, 65535)), peer: Peer::Cidr("0.0.0.0/0".to_owned()) };
    let egress = Rule { protocol: "-1".to_owned(), ports: None, ..rule.clone() };
    let (ingress, egress) = (vec![rule], vec![egress]);
    let group = SecurityGroup { name: format!("default_elb_{suffix}"), vpc: vpc.to_owned(), ingress, egress };
    region.network.security_groups.entry(id.clone()).or_insert(group);
    Ok(BTreeSet::from([id]))
}

fn check_groups(network: &Network, asked: Vec<String>, vpc: &str) -> Result<BTreeSet<String>, ApiError> {
    for id in &asked {
        let elsewhere = network.security_groups.get(id).is_some_and(|group| group.vpc != vpc);
        if elsewhere || !network.knows_security_group(id) {
            let message = format!("One or more security groups are invalid: '{id}' does not exist in VPC {vpc}");
            return Err(ApiError::new("InvalidSecurityGroup", message));
        }
    }
    Ok(asked.into_iter().collect())
}

pub(crate) fn apply_security_groups(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "SecurityGroups"])?;
    let name = input.required("LoadBalancerName")?;
    let asked = input.required_texts("SecurityGroups")?;
    let vpc = world.load_balancer(request, &name)?.balancer.vpc.clone().unwrap_or_default();
    if asked.is_empty() {
        return Err(ApiError::invalid_configuration("At least one security group must be specified"));
    }
    let groups = check_groups(&world.region(request).network, asked, &vpc)?;
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    balancer.security_groups = groups;
    Ok(Element::new().with("SecurityGroups", Element::texts(&balancer.security_groups)))
}

pub(crate) fn attach_subnets(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "Subnets"])?;
    let name = input.required("LoadBalancerName")?;
    let subnets = input.required_texts("Subnets")?;
    let present = placement_of(&world.load_balancer(request, &name)?.balancer);
    let placement = with_subnets(present, world.region_mut(request), &subnets)?;
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    place(balancer, placement);
    Ok(Element::new().with("Subnets", Element::texts(&balancer.subnets)))
}

pub(crate) fn detach_subnets(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "Subnets"])?;
    let name = input.required("LoadBalancerName")?;
    let leaving = input.required_texts("Subnets")?;
    let mut remaining = world.load_balancer(request, &name)?.balancer.subnets.clone();
    if let Some(absent) = leaving.iter().find(|id| !remaining.contains(*id)) {
        let message = format!("Load balancer {name} is not attached to subnet {absent}");
        return Err(ApiError::invalid_configuration(message));
    }
    remaining.retain(|id| !leaving.contains(id));
    keep_only(world, request, &name, remaining, "subnet")?;
    Ok(Element::new().with("Subnets", Element::texts(&world.load_balancer(request, &name)?.balancer.subnets)))
}

pub(crate) fn enable_zones(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let (name, zones) = read_zones(world, request)?;
    let present = placement_of(&world.load_balancer(request, &name)?.balancer);
    let placement = with_zones(present, &world.region(request), &zones)?;
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    place(balancer, placement);
    Ok(Element::new().with("AvailabilityZones", Element::texts(&balancer.availability_zones)))
}

pub(crate) fn disable_zones(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let (name, zones) = read_zones(world, request)?;
    let enabled = &world.load_balancer(request, &name)?.balancer.availability_zones;
    if let Some(absent) = zones.iter().find(|zone| !enabled.contains(*zone)) {
        let message = format!("Availability zone {absent} is not enabled for load balancer {name}");
        return Err(ApiError::invalid_configuration(message));
    }
    let mut remaining = world.load_balancer(request, &name)?.balancer.subnets.clone();
    let subnets = &world.region(request).network.subnets;
    remaining.retain(|id| subnets.get(id).is_some_and(|subnet| !zones.contains(&subnet.zone)));
    keep_only(world, request, &name, remaining, "availability zone")?;
    let balancer = &world.load_balancer(request, &name)?.balancer;
    Ok(Element::new().with("AvailabilityZones", Element::texts(&balancer.availability_zones)))
}

/// The name and zones of a call that only balancers placed by zone allow.
fn read_zones(world: &World, request: &Request) -> Result<(String, Vec<String>), ApiError> {
    let input = request.params.members(&["LoadBalancerName", "AvailabilityZones"])?;
    let name = input.required("LoadBalancerName")?;
    let zones = input.required_texts("AvailabilityZones")?;
    if !world.load_balancer(request, &name)?.by_zone {
        return Err(ApiError::invalid_configuration(format!(
            "Availability zones cannot be set for load balancer {name}, which is attached to subnets of a VPC; \
             use AttachLoadBalancerToSubnets and DetachLoadBalancerFromSubnets"
        )));
    }
    Ok((name, zones))
}

fn placement_of(balancer: &Balancer) -> Placement {
    Placement {
        vpc: balancer.vpc.clone().unwrap_or_default(),
        subnets: balancer.subnets.clone(),
        zones: balancer.availability_zones.clone(),
        by_zone: false,
    }
}

fn place(balancer: &mut Balancer, placement: Placement) {
    balancer.subnets = placement.subnets;
    balancer.availability_zones = placement.zones;
}

/// Leaves a balancer in some of its subnets; at least one must remain. A subnet takes its zone with it.
fn keep_only(
    world: &mut World,
    request: &Request,
    name: &str,
    remaining: BTreeSet<String>,
    kind: &str,
) -> Result<(), ApiError> {
    if remaining.is_empty() {
        return Err(ApiError::invalid_configuration(format!("A load balancer must keep at least one {kind}")));
    }
    let region = world.region_mut(request);
    let subnets = &region.network.subnets;
    let zones = remaining.iter().filter_map(|id| subnets.get(id)).map(|subnet| subnet.zone.clone()).collect();
    let balancer = &mut world.load_balancer_mut(request, name)?.balancer;
    balancer.subnets = remaining;
    balancer.availability_zones = zones;
    Ok(())
}
