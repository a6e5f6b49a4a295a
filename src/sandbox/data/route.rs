//! What the world says about a new connection of a listener. It is read when the connection comes, and kept by the connection: a
//! later change of the world is for later connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::backend_tls::{self, Keys};
use crate::model::{Listener, Protocol};
use crate::sandbox::control::{InstanceState, LoadBalancer, World};
use crate::sandbox::listing::ListenerKey;

/// Where a connection goes, and how.
#[derive(Debug)]
pub(super) struct Route {
    /// The front-end protocol.
    pub(super) protocol: Protocol,
    /// The back-end protocol.
    pub(super) instance_protocol: Protocol,
    /// The port on the instances.
    pub(super) instance_port: u16,
    /// The instances in service, the one to try first first.
    pub(super) instances: Vec<String>,
    /// Whether the instance port has a policy that asks for the PROXY line.
    pub(super) proxied: bool,
    /// The public keys an encrypted back end may have, where a policy says so.
    pub(super) keys: Option<Keys>,
    /// How long payload may be absent.
    pub(super) idle_timeout: Duration,
    /// The balancer's name for clients.
    pub(super) dns_name: String,
}

/// Whose turn it is at a listener: round robin over the instances in service, at the moment of asking.
#[derive(Debug, Default)]
pub(super) struct Turns(AtomicUsize);

impl Turns {
    /// The instances in service, the one whose turn it is first.
    pub(super) fn next(&self, load_balancer: &LoadBalancer) -> Vec<String> {
        // An instance without a report has not been checked yet.
        let in_service =
            |id: &&String| load_balancer.health.get(*id).is_some_and(|health| health.state == InstanceState::InService);
        let mut instances: Vec<String> = load_balancer.balancer.instances.iter().filter(in_service).cloned().collect();
        if !instances.is_empty() {
            let turn = self.0.fetch_add(1, Ordering::Relaxed) % instances.len();
            instances.rotate_left(turn);
        }
        instances
    }
}

/// A listener of the world, with its balancer.
pub(super) fn find<'w>(world: &'w World, key: &ListenerKey) -> Option<(&'w LoadBalancer, &'w Listener)> {
    let load_balancer = world.regions.get(&key.region)?.load_balancers.get(&key.balancer)?;
    Some((load_balancer, load_balancer.balancer.listeners.get(&key.load_balancer_port)?))
}

impl Route {
    /// The route of a connection that comes now; `None` if the listener is gone.
    pub(super) fn find(world: &World, key: &ListenerKey, turns: &Turns) -> Option<Route> {
        let (load_balancer, listener) = find(world, key)?;
        let balancer = &load_balancer.balancer;
        Some(Route {
            protocol: listener.protocol.clone(),
            instance_protocol: listener.instance_protocol.clone(),
            instance_port: listener.instance_port,
            instances: turns.next(load_balancer),
            proxied: balancer.is_proxied(listener.instance_port),
            keys: backend_tls::allowed_keys(balancer, listener.instance_port),
            idle_timeout: Duration::from_secs(balancer.attributes.idle_timeout.into()),
            dns_name: balancer.dns_name.clone(),
        })
    }
}
