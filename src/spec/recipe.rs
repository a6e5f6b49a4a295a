//! The WebSocket recipe: which listeners a balancer should have, derived from those it has.
//!
//! It decides protocols only. Certificates, policies and the health check follow in the plan.

use std::collections::{BTreeMap, BTreeSet};

pub use crate::model::service_without_proxy;
use crate::model::{Balancer, Listener, Protocol};

/// What the recipe made of a balancer's listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Listeners by load balancer port, with the wanted protocols.
    pub listeners: BTreeMap<u16, Listener>,
    /// Why a listener was converted, by load balancer port.
    pub reasons: BTreeMap<u16, String>,
    /// Listeners left as they are although they do not carry WebSockets, each with what to do about it.
    pub left: Vec<Left>,
}

/// A listener that the recipe left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Whether it speaks TLS, so that its clients will want `wss://` and not get it.
    pub terminates_tls: bool,
    /// Which listener, why, and what to do.
    pub text: String,
}

/// Applies the recipe to a balancer. `proxied` tells which instance ports carry the PROXY header, or will.
pub fn derive(balancer: &Balancer, proxied: impl Fn(u16) -> bool) -> Recipe {
    let mut recipe = Recipe { listeners: balancer.listeners.clone(), reasons: BTreeMap::new(), left: Vec::new() };
    for listener in balancer.listeners.values() {
        if (&listener.protocol, &listener.instance_protocol) == (&Protocol::Https, &Protocol::Http) {
            recipe.convert(listener, Protocol::Ssl, "an HTTPS listener swallows the WebSocket upgrade".to_owned());
        }
    }
    let transport: BTreeSet<u16> = recipe
        .listeners
        .values()
        .filter(|listener| listener.is_transport())
        .map(|listener| listener.instance_port)
        .collect();
    for listener in balancer.listeners.values() {
        let port = listener.instance_port;
        match (&listener.protocol, &listener.instance_protocol) {
            (Protocol::Http, Protocol::Http) if transport.contains(&port) && proxied(port) => {
                let reason = format!("HTTP requests would reach instance port {port} without the PROXY header");
                recipe.convert(listener, Protocol::Tcp, reason);
            }
            (Protocol::Http, Protocol::Http) => recipe.leave(listener, "plain HTTP does not carry WebSockets", "TCP"),
            (Protocol::Https, Protocol::Https) | (Protocol::Http, Protocol::Https) => {
                let front = if listener.protocol.is_secure() { "SSL" } else { "TCP" };
                recipe.leave(listener, "its back end speaks TLS, and no plain instance port can be guessed", front);
            }
            (Protocol::Ssl | Protocol::Tcp, Protocol::Ssl) => recipe.left.push(Left {
                terminates_tls: false,
                text: format!(
                    "listener {listener} gets no PROXY header: it would travel inside the TLS stream to the instance, \
                     where nginx cannot read it. Name the plain port to change that: --listener {}:{}/TCP:PORT",
                    listener.protocol, listener.load_balancer_port
                ),
            }),
            (Protocol::Other(_), _) | (_, Protocol::Other(_)) => recipe.left.push(Left {
                terminates_tls: listener.protocol.is_secure(),
                text: format!("listener {listener} has a protocol this version does not know, and stays as it is"),
            }),
            _ => {}
        }
    }
    recipe
}

impl Recipe {
    fn convert(&mut self, listener: &Listener, protocol: Protocol, reason: String) {
        let converted = Listener { protocol, instance_protocol: Protocol::Tcp, ..listener.clone() };
        self.listeners.insert(listener.load_balancer_port, converted);
        self.reasons.insert(listener.load_balancer_port, reason);
    }

    fn leave(&mut self, listener: &Listener, why: &str, front: &str) {
        let port = listener.load_balancer_port;
        let back = match listener.instance_protocol.is_secure() {
            true => "PORT".to_owned(),
            false => listener.instance_port.to_string(),
        };
        self.left.push(Left {
            terminates_tls: listener.protocol.is_secure(),
            text: format!("listener {listener} stays: {why}. Name it to convert it: --listener {front}:{port}/TCP:{back}"),
        });
    }
}
