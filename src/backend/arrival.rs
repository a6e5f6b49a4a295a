//! How a balancer's connections arrive at an instance port (elb-facts 2.2): with the PROXY header, as HTTP, or bare.

use serde::Serialize;

use super::BackendError;
use crate::model::{Balancer, Listener};

/// How connections arrive at an instance port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Arrival {
    /// From TCP and SSL listeners, beginning with the PROXY header.
    Proxied,
    /// From HTTP and HTTPS listeners, with `X-Forwarded-*` headers that the balancer has set.
    Http,
    /// From TCP and SSL listeners without a proxy policy: nothing tells who the client is.
    Bare(Scheme),
    /// Encrypted by the balancer, or in a protocol that this version does not know: a certificate would be needed here.
    Encrypted,
}

/// What is known of the scheme that clients used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scheme {
    /// All clients use TLS.
    Https,
    /// None does.
    Http,
    /// Some do, and nothing tells which.
    Unknown,
}

/// The listeners that reach an instance port.
pub(super) fn listeners(balancer: &Balancer, instance_port: u16) -> impl Iterator<Item = &Listener> {
    balancer.listeners.values().filter(move |listener| listener.instance_port == instance_port)
}

/// How connections arrive at an instance port; `None` if no listener reaches it.
pub(super) fn arrival(balancer: &Balancer, instance_port: u16) -> Result<Option<Arrival>, BackendError> {
    let all = || listeners(balancer, instance_port);
    let (transport, http) = (all().find(|l| l.is_transport()), all().find(|l| l.protocol.is_application()));
    if all().any(|listener| listener.instance_protocol.is_secure() || listener.instance_protocol.layer().is_none()) {
        return Ok(Some(Arrival::Encrypted));
    }
    Ok(match (transport, http) {
        (None, None) => None,
        (None, Some(_)) => Some(Arrival::Http),
        (Some(transport), Some(http)) if balancer.is_proxied(instance_port) => {
            return Err(BackendError::MixedPort {
                port: instance_port,
                http: http.to_string(),
                transport: transport.to_string(),
            });
        }
        (Some(_), None) if balancer.is_proxied(instance_port) => Some(Arrival::Proxied),
        (Some(_), None) if all().all(|listener| listener.protocol.is_secure()) => Some(Arrival::Bare(Scheme::Https)),
        (Some(_), None) if !all().any(|listener| listener.protocol.is_secure()) => Some(Arrival::Bare(Scheme::Http)),
        // Where HTTP and TCP listeners share a port, clients of the latter can write any X-Forwarded header.
        (Some(_), _) => Some(Arrival::Bare(Scheme::Unknown)),
    })
}
