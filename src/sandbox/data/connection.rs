//! A client's connection: decrypted where the listener has TLS, and what the world says about it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::drain::{InstanceKey, Registration};
use super::listener_tls::ListenerTls;
use super::plane::Plane;
use super::relay::Stream;
use super::route::{self, Route, Turns};
use crate::sandbox::listing::ListenerKey;

/// How long a client's TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that a listener accepted.
pub(super) struct Connection {
    pub(super) plane: Arc<Plane>,
    pub(super) key: Arc<ListenerKey>,
    pub(super) turns: Arc<Turns>,
    pub(super) tls: Arc<ListenerTls>,
    /// Cancelled when the listener accepts no more.
    pub(super) stop: CancellationToken,
    pub(super) client: SocketAddr,
    /// The address it was accepted at.
    pub(super) local: IpAddr,
}

impl Connection {
    /// The client's stream, decrypted, and whether it carries HTTP; `None` if the connection is over.
    pub(super) async fn accept(&self, stream: TcpStream) -> Option<(Stream, bool)> {
        let (config, is_application) = {
            let world = self.plane.shared.world();
            let (load_balancer, listener) = route::find(&world, &self.key)?;
            let about = (&*self.key, &load_balancer.balancer, listener);
            let config = match listener.protocol.is_secure() {
                // An error is in the log already.
                true => Some(self.tls.config(&world, about, &self.plane.authority, self.plane.notes()).ok()?),
                false => None,
            };
            (config, listener.protocol.is_application())
        };
        let Some(config) = config else { return Some((Box::new(stream), is_application)) };
        let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(stream));
        match handshake.await {
            Ok(Ok(stream)) => Some((Box::new(stream), is_application)),
            Ok(Err(error)) => {
                self.note(format!("the TLS handshake with {} failed: {error}", self.client));
                None
            }
            Err(_) => {
                self.note(format!("the TLS handshake with {} took too long", self.client));
                None
            }
        }
    }

    /// Where what begins now goes; `None` if the listener is gone.
    pub(super) fn route(&self) -> Option<Route> {
        Route::find(&self.plane.shared.world(), &self.key, &self.turns)
    }

    /// How long payload may be absent; `None` if the listener is gone.
    pub(super) fn idle_timeout(&self) -> Option<Duration> {
        let world = self.plane.shared.world();
        let (found, _) = route::find(&world, &self.key)?;
        Some(Duration::from_secs(found.balancer.attributes.idle_timeout.into()))
    }

    /// The registration that a connection to an instance belongs to; `None` if the instance is not registered any more.
    pub(super) fn registration(&self, instance: &str) -> Option<Registration> {
        let ListenerKey { region, balancer, .. } = &*self.key;
        let key = InstanceKey { region: region.clone(), balancer: balancer.clone(), instance: instance.to_owned() };
        let registration = self.plane.registrations.of(key.clone());
        // Looked at afterwards: a registration that ends from now on is this one.
        let world = self.plane.shared.world();
        let is_registered =
            route::find(&world, &self.key).is_some_and(|(found, _)| found.balancer.instances.contains(instance));
        if !is_registered {
            self.plane.registrations.end(&key);
            return None;
        }
        Some(registration)
    }

    pub(super) fn note(&self, message: String) {
        self.plane.notes().add(&self.key, message);
    }
}
