//! Registering instances, taking them out, and their health.

use std::collections::BTreeSet;

use super::limits::INSTANCE_QUOTA;
use crate::sandbox::control::{ApiError, Element, InstanceHealth, LoadBalancer, Reader, Request, World};

pub(crate) fn register(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "Instances"])?;
    let name = input.required("LoadBalancerName")?;
    let ids = read(&input)?.ok_or_else(|| ApiError::missing("instances"))?;
    world.load_balancer(request, &name)?;
    let network = &world.region(request).network;
    if let Some(unknown) = ids.iter().find(|id| !network.knows_instance(id)) {
        return Err(ApiError::invalid_instance(unknown));
    }
    let health_is_checked = world.health_is_checked;
    let LoadBalancer { balancer, health, .. } = world.load_balancer_mut(request, &name)?;
    for id in ids {
        if balancer.instances.insert(id.clone()) && health_is_checked {
            health.insert(id, InstanceHealth::registering());
        }
    }
    if balancer.instances.len() > INSTANCE_QUOTA {
        let message = format!("A load balancer can have at most {INSTANCE_QUOTA} registered instances");
        return Err(ApiError::validation(message));
    }
    Ok(Element::new().with("Instances", described(&balancer.instances)))
}

pub(crate) fn deregister(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "Instances"])?;
    let name = input.required("LoadBalancerName")?;
    let ids = read(&input)?.ok_or_else(|| ApiError::missing("instances"))?;
    let load_balancer = world.load_balancer_mut(request, &name)?;
    for id in ids {
        if !load_balancer.balancer.instances.remove(&id) {
            return Err(ApiError::invalid_instance(&id));
        }
        load_balancer.health.remove(&id);
    }
    Ok(Element::new().with("Instances", described(&load_balancer.balancer.instances)))
}

pub(crate) fn describe_health(world: &World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "Instances"])?;
    let name = input.required("LoadBalancerName")?;
    let load_balancer = world.load_balancer(request, &name)?;
    let registered = &load_balancer.balancer.instances;
    let asked = read(&input)?.filter(|ids| !ids.is_empty()).unwrap_or_else(|| registered.clone());
    let region = world.region(request);
    let mut states = Vec::new();
    for id in &asked {
        let health = match registered.contains(id) {
            true => load_balancer.health_of(id, &region.network),
            false if load_balancer.draining.contains(id) => InstanceHealth::draining(),
            false => return Err(ApiError::invalid_instance(id)),
        };
        states.push(
            Element::new()
                .with("InstanceId", id)
                .with("State", health.state.as_str())
                .with("ReasonCode", health.reason_code)
                .with("Description", health.description),
        );
    }
    Ok(Element::new().with("InstanceStates", Element::List(states)))
}

/// The `Instances` of a request; `None` if it has no such list.
fn read(input: &Reader<'_>) -> Result<Option<BTreeSet<String>>, ApiError> {
    let Some(list) = input.list("Instances")? else { return Ok(None) };
    list.iter()
        .map(|entry| entry.only(&["InstanceId"]).and_then(|()| entry.required("InstanceId")))
        .collect::<Result<_, _>>()
        .map(Some)
}

pub(super) fn described(instances: &BTreeSet<String>) -> Element {
    Element::List(instances.iter().map(|id| Element::new().with("InstanceId", id)).collect())
}
