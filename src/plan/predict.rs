//! The state a step leads to, as far as elbws looks at it.

use super::Step;
use super::digest::comparable;
use crate::model::{Balancer, Listener};

/// The balancer after a step that the service accepted.
pub fn predict(mut balancer: Balancer, step: &Step) -> Balancer {
    match step {
        Step::ConfigureHealthCheck { health_check } => balancer.health_check = Some(health_check.clone()),
        Step::SetIdleTimeout { seconds } => balancer.attributes.idle_timeout = *seconds,
        Step::CreatePolicy { name, policy } => {
            balancer.policies.insert(name.clone(), policy.clone());
        }
        Step::DeletePolicy { name } => {
            balancer.policies.remove(name);
        }
        Step::SetBackendPolicies { instance_port, policies } => {
            balancer.backend_policies.insert(*instance_port, policies.clone());
            balancer.backend_policies.retain(|_, names| !names.is_empty());
        }
        Step::CreateListener { listener } => {
            let listener = Listener { policies: Default::default(), ..listener.clone() };
            balancer.listeners.entry(listener.load_balancer_port).or_insert(listener);
        }
        // Policies of the instance port outlive the listener (elb-facts 2.1).
        Step::DeleteListener { load_balancer_port } => {
            balancer.listeners.remove(load_balancer_port);
        }
        Step::SetListenerPolicies { load_balancer_port, policies } => {
            if let Some(listener) = balancer.listeners.get_mut(load_balancer_port) {
                listener.policies = policies.clone();
            }
        }
        Step::SetListenerCertificate { load_balancer_port, certificate } => {
            if let Some(listener) = balancer.listeners.get_mut(load_balancer_port) {
                listener.certificate = Some(certificate.clone());
            }
        }
        Step::AddTags { tags } => balancer.tags.extend(tags.clone()),
        Step::RemoveTags { keys } => balancer.tags.retain(|key, _| !keys.contains(key)),
    }
    balancer
}

/// Whether a balancer already shows everything a step leads to, so that the call has been made or need not be.
pub fn takes_effect(balancer: &Balancer, step: &Step) -> bool {
    let shows = |balancer: &Balancer| match step {
        Step::CreateListener { listener } => balancer.listeners.get(&listener.load_balancer_port).is_some_and(|found| {
            found.same_route(listener) && (!found.protocol.is_secure() || found.certificate == listener.certificate)
        }),
        Step::SetListenerPolicies { load_balancer_port, .. } | Step::SetListenerCertificate { load_balancer_port, .. } => {
            balancer.listeners.contains_key(load_balancer_port)
        }
        _ => true,
    };
    shows(balancer) && comparable(&predict(balancer.clone(), step)) == comparable(balancer)
}
