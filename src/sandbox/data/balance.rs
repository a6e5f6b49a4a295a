//! Connecting to an instance: the one whose turn it is, or the next one that accepts.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

use super::plane::Plane;
use super::route::Route;
use crate::sandbox::listing::ListenerKey;

/// How long an instance may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

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
