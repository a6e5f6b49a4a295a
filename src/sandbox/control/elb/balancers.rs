//! `CreateLoadBalancer` and `DeleteLoadBalancer`.
//!
//! Creating again with the same settings succeeds and answers the DNS name; any difference is `DuplicateLoadBalancerName`, and
//! the message says what differs (elb-facts 1.5). Deleting what does not exist succeeds.

use std::collections::{BTreeMap, BTreeSet};

use super::{attributes, health_check, listeners, network, tags};
use crate::model::{Balancer, Listener, names};
use crate::sandbox::control::{ApiError, Element, LoadBalancer, Reader, Request, World};

pub(crate) fn create(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&[
        "LoadBalancerName",
        "Listeners",
        "AvailabilityZones",
        "Subnets",
        "SecurityGroups",
        "Scheme",
        "Tags",
    ])?;
    let name = input.required("LoadBalancerName")?;
    let wanted = listeners::read_all(&input)?;
    names::check_load_balancer_name(&name).map_err(|_| {
        ApiError::validation(
            "LoadBalancer name must be 1-32 characters, contain only alphanumeric characters or hyphens, \
             and cannot begin or end with a hyphen",
        )
    })?;
    let scheme = read_scheme(&input)?;
    let tags = tags::read(&input)?.unwrap_or_default();
    tags::check_quota(&tags, &world.switches)?;
    let region = world.region_mut(request);
    let placement = network::read_placement(&input, region, &scheme)?;
    let security_groups = network::read_groups(&input, region, &placement.vpc)?;
    let mut balancer = Balancer {
        name: name.clone(),
        dns_name: String::new(),
        scheme,
        vpc: Some(placement.vpc),
        listeners: BTreeMap::new(),
        backend_policies: BTreeMap::new(),
        policies: BTreeMap::new(),
        health_check: Some(health_check::initial()),
        attributes: attributes::initial(),
        instances: BTreeSet::new(),
        security_groups,
        subnets: placement.subnets,
        availability_zones: placement.zones,
        tags,
    };
    let present = world.load_balancer(request, &name).ok().map(|found| found.balancer.clone());
    if let Some(present) = present {
        // A certificate that has gone since does not matter here: the listeners are only compared.
        compare(&present, &balancer, &listeners::resolve(world, &wanted))?;
        return Ok(Element::new().with("DNSName", present.dns_name));
    }
    let quota = world.load_balancer_quota;
    if world.region(request).load_balancers.len() >= quota {
        let message = format!("The maximum number of load balancers ({quota}) has been reached");
        return Err(ApiError::new("TooManyLoadBalancers", message));
    }
    listeners::add(world, request, &mut balancer, &wanted)?;
    balancer.dns_name = world.dns_name(&request.region, &name, &balancer.scheme);
    let reply = Element::new().with("DNSName", &balancer.dns_name);
    let load_balancer = LoadBalancer {
        balancer,
        created: request.at,
        by_zone: placement.by_zone,
        health: BTreeMap::new(),
        draining: BTreeSet::new(),
    };
    world.region_mut(request).load_balancers.insert(name, load_balancer);
    Ok(reply)
}

pub(crate) fn delete(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let name = request.params.members(&["LoadBalancerName"])?.required("LoadBalancerName")?;
    world.region_mut(request).load_balancers.remove(&name);
    Ok(Element::new())
}

fn read_scheme(input: &Reader<'_>) -> Result<String, ApiError> {
    match input.text("Scheme")?.as_deref() {
        None | Some("internet-facing") => Ok("internet-facing".to_owned()),
        Some("internal") => Ok("internal".to_owned()),
        Some(other) => {
            Err(ApiError::new("InvalidScheme", format!("'{other}' is not a valid scheme: internet-facing or internal")))
        }
    }
}

/// Compares what exists with what is asked for, in what a creation can say. Errors: `DuplicateLoadBalancerName`.
fn compare(present: &Balancer, wanted: &Balancer, listeners: &[Listener]) -> Result<(), ApiError> {
    let same_listeners = present.listeners.len() == listeners.len()
        && listeners.iter().all(|wanted| {
            let present = present.listeners.get(&wanted.load_balancer_port);
            present.is_some_and(|present| present.same_route(wanted) && present.certificate == wanted.certificate)
        });
    let difference = if !same_listeners {
        "listeners"
    } else if present.scheme != wanted.scheme {
        "scheme"
    } else if present.subnets != wanted.subnets {
        "subnets or availability zones"
    } else if present.security_groups != wanted.security_groups {
        "security groups"
    } else if present.tags != wanted.tags {
        "tags"
    } else {
        return Ok(());
    };
    let message =
        format!("The load balancer '{}' already exists and it is configured with different {difference}", present.name);
    Err(ApiError::new("DuplicateLoadBalancerName", message))
}
