//! What the data plane says of the listeners: where each is open, or why it is not.

use std::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::control::World;
use crate::model::{Listener, Protocol};

/// A listener of a balancer as it is on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenListener {
    /// The balancer's region.
    pub region: String,
    /// The balancer's name.
    pub balancer: String,
    /// The port of the API.
    pub load_balancer_port: u16,
    /// The front-end protocol.
    pub protocol: Protocol,
    /// The back-end protocol.
    pub instance_protocol: Protocol,
    /// The instance port of the API.
    pub instance_port: u16,
    /// Where it really listens, or why it does not.
    #[serde(flatten)]
    pub state: ListenerState,
}

/// Whether a listener is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ListenerState {
    /// It accepts connections.
    Open {
        /// The real address.
        address: SocketAddr,
    },
    /// It does not.
    NotOpen {
        /// Why, in words for a person.
        reason: String,
    },
}

impl OpenListener {
    pub(super) fn new(key: &ListenerKey, listener: &Listener, state: ListenerState) -> Self {
        OpenListener {
            region: key.region.clone(),
            balancer: key.balancer.clone(),
            load_balancer_port: key.load_balancer_port,
            protocol: listener.protocol.clone(),
            instance_protocol: listener.instance_protocol.clone(),
            instance_port: listener.instance_port,
            state,
        }
    }

    /// The real address, while it is open.
    pub fn address(&self) -> Option<SocketAddr> {
        match self.state {
            ListenerState::Open { address } => Some(address),
            ListenerState::NotOpen { .. } => None,
        }
    }
}

/// Which listener of the world: a balancer has at most one a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ListenerKey {
    pub(super) region: String,
    pub(super) balancer: String,
    pub(super) load_balancer_port: u16,
}

/// All listeners, and the state of the world they were made for.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    /// In the order of regions, balancers and ports.
    pub(super) listeners: Arc<Vec<OpenListener>>,
    /// `None` before the first.
    pub(super) world: Option<Arc<World>>,
}
