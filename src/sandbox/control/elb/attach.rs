//! Setting policies: on a listener, and on an instance port. Both calls replace the whole set; an empty list clears it
//! (elb-facts 2.1).

use std::collections::BTreeSet;

use crate::model::{Balancer, Policy, policy_type};
use crate::sandbox::control::{ApiError, Element, Request, UnusedInstancePort, World};

pub(crate) fn set_of_listener(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "LoadBalancerPort", "PolicyNames"])?;
    let name = input.required("LoadBalancerName")?;
    let port = input.port("LoadBalancerPort")?;
    let policies: BTreeSet<String> = input.required_texts("PolicyNames")?.into_iter().collect();
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    let listener = balancer.listeners.get(&port).ok_or_else(|| ApiError::listener_not_found(&name, port))?;
    let (mut negotiation, mut stickiness) = (0, 0);
    for policy_name in &policies {
        let policy = find(balancer, policy_name)?;
        let fits = match policy.policy_type.as_str() {
            policy_type::SSL_NEGOTIATION => {
                negotiation += 1;
                listener.protocol.is_secure()
            }
            _ if policy.is_stickiness() => {
                stickiness += 1;
                listener.protocol.is_application()
            }
            _ => false,
        };
        if !fits {
            return Err(ApiError::invalid_configuration(format!(
                "The policy [{policy_name}] of type {} cannot be enabled for the listener on port {port} with protocol {}",
                policy.policy_type, listener.protocol
            )));
        }
    }
    if negotiation > 1 || stickiness > 1 {
        let message = "A listener can have at most one negotiation policy and one stickiness policy";
        return Err(ApiError::invalid_configuration(message));
    }
    if let Some(listener) = balancer.listeners.get_mut(&port) {
        listener.policies = policies;
    }
    Ok(Element::new())
}

pub(crate) fn set_for_backend_server(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "InstancePort", "PolicyNames"])?;
    let name = input.required("LoadBalancerName")?;
    let port = input.port("InstancePort")?;
    let policies: BTreeSet<String> = input.required_texts("PolicyNames")?.into_iter().collect();
    let unused = world.switches.unused_instance_port;
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    for policy_name in &policies {
        check_for_instance_port(balancer, port, policy_name, find(balancer, policy_name)?)?;
    }
    if policies.is_empty() {
        balancer.backend_policies.remove(&port);
        return Ok(Element::new());
    }
    if unused == UnusedInstancePort::Reject && !balancer.uses_instance_port(port) {
        let message = format!("Load balancer {name} does not have a listener with instance port {port}");
        return Err(ApiError::invalid_configuration(message));
    }
    balancer.backend_policies.insert(port, policies);
    Ok(Element::new())
}

fn check_for_instance_port(balancer: &Balancer, port: u16, name: &str, policy: &Policy) -> Result<(), ApiError> {
    let mut listeners = balancer.listeners.values().filter(|listener| listener.instance_port == port);
    let complaint = match policy.policy_type.as_str() {
        policy_type::PROXY_PROTOCOL => return Ok(()),
        policy_type::BACKEND_AUTHENTICATION => match listeners.find(|listener| !listener.instance_protocol.is_secure()) {
            None => return Ok(()),
            Some(listener) => format!("whose instance protocol is {}, not HTTPS or SSL", listener.instance_protocol),
        },
        other => format!("since policies of type {other} do not apply to back-end servers"),
    };
    Err(ApiError::invalid_configuration(format!(
        "The policy [{name}] cannot be enabled for instance port {port}, {complaint}"
    )))
}

fn find<'a>(balancer: &'a Balancer, name: &str) -> Result<&'a Policy, ApiError> {
    balancer.policies.get(name).ok_or_else(|| ApiError::policy_not_found(&balancer.name, name))
}
