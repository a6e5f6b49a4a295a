//! Which instance a connection or a request goes to: round robin over those in service, at the moment of asking.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;

use super::listing::ListenerKey;
use super::plane::Plane;
use super::route::Route;
use crate::sandbox::control::{InstanceState, LoadBalancer};

/// How long an instance may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Whose turn it is at a listener.
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

/// A connection to an instance.
pub(super) struct Chosen {
    /// The instance.
    pub(super) instance: String,
    /// The connection to the instance port.
    pub(super) stream: TcpStream,
}

/// Connects to the first instance that accepts. `None`: none does; each failure is in the traffic log.
pub(super) async fn connect(plane: &Plane, key: &ListenerKey, route: &Route) -> Option<Chosen> {
    if route.instances.is_empty() {
        plane.notes().add(key, "no instance is in service".to_owned());
    }
    for instance in &route.instances {
        let address = plane.traffic.backend(instance, route.instance_port);
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        let connected = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match connected.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Some(Chosen { instance: instance.clone(), stream }),
            Err(error) => {
                let port = route.instance_port;
                plane.notes().add(key, format!("instance {instance} port {port} ({address}) does not accept: {error}"));
            }
        }
    }
    None
}
