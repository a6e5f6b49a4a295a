//! A switch to the PROXY protocol without a broken moment: through a new instance port that expects the header from the start,
//! beside the old one that never will.
//!
//! On one and the same port there is always a moment in which the balancer sends the header and the web server does not expect
//! it, or the other way round.

use std::collections::BTreeSet;

use super::BackendError;
use super::arrival::{Arrival, arrival, listeners};
use crate::model::{Balancer, Listener};

/// A switch of the listeners from one instance port to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutOver {
    /// The instance port that is in use now, without the header.
    pub old_port: u16,
    /// The listeners to ask for: those of the old port, led to the new one.
    pub listeners: Vec<Listener>,
}

/// Instance ports in use at which connections arrive without the PROXY header now and with it afterwards.
pub fn newly_proxied(live: &Balancer, after: &Balancer) -> Result<BTreeSet<u16>, BackendError> {
    let mut ports = BTreeSet::new();
    for port in after.listeners.values().map(|listener| listener.instance_port) {
        // A port that fails its own clients now has nothing to lose.
        let plain_now = arrival(live, port).is_ok_and(|now| now.is_some_and(|now| now != Arrival::Proxied));
        if plain_now && arrival(after, port)? == Some(Arrival::Proxied) {
            ports.insert(port);
        }
    }
    Ok(ports)
}

/// The switch that leads to what `after` has, but on instance port `port`.
pub fn cut_over(live: &Balancer, after: &Balancer, port: u16) -> Result<CutOver, BackendError> {
    let ports = newly_proxied(live, after)?;
    let mut first_two = ports.iter();
    let old_port = match (first_two.next(), first_two.next()) {
        (None, _) => return Err(BackendError::NothingToCutOver),
        (Some(old_port), None) => *old_port,
        (Some(_), Some(_)) => return Err(BackendError::SeveralToCutOver(ports)),
    };
    let checked = |balancer: &Balancer| balancer.health_check.as_ref().map(|check| check.target.port);
    let is_used = |balancer: &Balancer| balancer.uses_instance_port(port) || checked(balancer) == Some(port);
    if is_used(live) || is_used(after) {
        return Err(BackendError::CutOverPortTaken(port));
    }
    let moved = listeners(after, old_port).map(|listener| Listener { instance_port: port, ..listener.clone() });
    Ok(CutOver { old_port, listeners: moved.collect() })
}
