//! Follows the world: opens and closes sockets, begins and ends health checks, ends the connections of instances that were taken
//! out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::drain::{self, InstanceKey};
use super::listener::{self, Open};
use super::plane::Plane;
use super::{health, route};
use crate::model::{Listener, Policy};
use crate::sandbox::control::{DeletedListener, World};
use crate::sandbox::listing::{ListenerKey, ListenerState, Listing, OpenListener};

/// The supervisor's view of what is open.
pub(super) struct Supervisor {
    plane: Arc<Plane>,
    address: IpAddr,
    open: BTreeMap<ListenerKey, Open>,
    /// Real ports that listeners had before, so that one that is replaced comes back where it was.
    ports: BTreeMap<ListenerKey, u16>,
    /// Ends the health checks of an instance.
    checks: BTreeMap<InstanceKey, CancellationToken>,
}

impl Supervisor {
    pub(super) fn new(plane: Arc<Plane>, address: IpAddr) -> Self {
        Supervisor { plane, address, open: BTreeMap::new(), ports: BTreeMap::new(), checks: BTreeMap::new() }
    }

    /// Follows the world until the data plane stops.
    pub(super) async fn run(mut self) {
        let mut changes = self.plane.shared.subscribe();
        loop {
            let world = changes.borrow_and_update().clone();
            self.follow(&world).await;
            tokio::select! {
                () = self.plane.stop.cancelled() => break,
                changed = changes.changed() => if changed.is_err() { break },
            }
        }
    }

    async fn follow(&mut self, world: &Arc<World>) {
        self.close_listeners(world).await;
        let listeners = self.open_listeners(world).await;
        self.end_registrations(world);
        self.begin_checks(world);
        self.plane.shared.publish(Listing { listeners: Arc::new(listeners), world: Some(world.clone()) });
    }

    /// Closes what is gone, or has become another listener. Its socket is free afterwards.
    async fn close_listeners(&mut self, world: &World) {
        let stays = |key: &ListenerKey, open: &Open| {
            route::find(world, key).is_some_and(|(_, listener)| listener.same_route(&open.listener))
        };
        let gone: Vec<ListenerKey> =
            self.open.iter().filter(|(key, open)| !stays(key, open)).map(|(key, _)| key.clone()).collect();
        for key in gone {
            let Some(open) = self.open.remove(&key) else { continue };
            open.stop.cancel();
            if world.switches.deleted_listener == DeletedListener::CutsConnections {
                open.cut.cancel();
            }
            if open.task.await.is_err() {
                tracing::error!(balancer = key.balancer, port = key.load_balancer_port, "a listener ended by itself");
            }
            self.ports.insert(key, open.address.port());
        }
    }

    /// Opens what is new, tries again what could not be opened, and lists all.
    async fn open_listeners(&mut self, world: &World) -> Vec<OpenListener> {
        let mut listing = Vec::new();
        for (key, listener) in listeners(world) {
            let state = match self.open_listener(&key, listener).await {
                Ok(address) => {
                    self.note_policies(world, &key, listener);
                    ListenerState::Open { address }
                }
                Err(reason) => ListenerState::NotOpen { reason },
            };
            listing.push(OpenListener::new(&key, listener, state));
        }
        listing
    }

    async fn open_listener(&mut self, key: &ListenerKey, listener: &Listener) -> Result<SocketAddr, String> {
        if let Some(open) = self.open.get(key) {
            return Ok(open.address);
        }
        if listener.protocol.layer().is_none() {
            return Err(format!("the sandbox does not know the protocol {}", listener.protocol));
        }
        let open = listener::open(&self.plane, key, listener, self.address, self.ports.get(key).copied()).await?;
        let address = open.address;
        self.open.insert(key.clone(), open);
        Ok(address)
    }

    /// Says at once, not with the first connection, what of a listener's policies the sandbox cannot do.
    fn note_policies(&mut self, world: &World, key: &ListenerKey, listener: &Listener) {
        let (Some(open), Some((found, _))) = (self.open.get_mut(key), route::find(world, key)) else { return };
        if listener.protocol.is_secure() {
            // An error is in the traffic log.
            let _ = open.tls.config(world, (key, &found.balancer, listener), &self.plane.authority, self.plane.notes());
        }
        if open.policies.as_ref() != Some(&listener.policies) {
            let is_sticky = |name: &String| found.balancer.policies.get(name).is_some_and(Policy::is_stickiness);
            if listener.policies.iter().any(is_sticky) {
                let message = "stickiness has no effect in the sandbox: each request goes to the next instance";
                self.plane.notes().add(key, message.to_owned());
            }
            open.policies = Some(listener.policies.clone());
        }
    }

    /// Ends the checks of instances that are not registered any more, and their connections as the balancer's attributes say.
    /// Connections of a balancer that is gone ended with its listeners.
    fn end_registrations(&mut self, world: &World) {
        let registered = registered(world);
        let gone: Vec<InstanceKey> = self.checks.keys().filter(|key| !registered.contains(*key)).cloned().collect();
        for key in gone {
            if let Some(checks) = self.checks.remove(&key) {
                checks.cancel();
            }
            let Some(registration) = self.plane.registrations.end(&key) else { continue };
            let balancer = world.regions.get(&key.region).and_then(|region| region.load_balancers.get(&key.balancer));
            if let Some(found) = balancer {
                let draining = &found.balancer.attributes.connection_draining;
                drain::drain(&self.plane.shared, &self.plane.cut, key, registration, draining);
            }
        }
    }

    fn begin_checks(&mut self, world: &World) {
        for key in registered(world) {
            self.checks.entry(key).or_insert_with_key(|key| {
                let end = self.plane.stop.child_token();
                let checks = health::keep_checking(self.plane.clone(), key.clone());
                let ended = end.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = ended.cancelled() => {}
                        () = checks => {}
                    }
                });
                end
            });
        }
    }
}

fn listeners(world: &World) -> impl Iterator<Item = (ListenerKey, &Listener)> {
    world.regions.values().flat_map(|region| {
        region.load_balancers.values().flat_map(|found| {
            found.balancer.listeners.iter().map(|(port, listener)| {
                let (region, balancer) = (region.name.clone(), found.balancer.name.clone());
                (ListenerKey { region, balancer, load_balancer_port: *port }, listener)
            })
        })
    })
}

fn registered(world: &World) -> BTreeSet<InstanceKey> {
    let balancers =
        world.regions.values().flat_map(|region| region.load_balancers.values().map(move |found| (region, found)));
    let instances = balancers.flat_map(|(region, found)| {
        found.balancer.instances.iter().map(|instance| InstanceKey {
            region: region.name.clone(),
            balancer: found.balancer.name.clone(),
            instance: instance.clone(),
        })
    });
    instances.collect()
}
