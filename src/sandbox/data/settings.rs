//! How the traffic of a sandbox is set up: which real ports listeners get, and where instances really are.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The settings of the data plane. The listeners share the address of the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Which real port a listener gets.
    pub ports: ListenerPorts,
    /// Where instances really are, by identifier. One that is not named is at 127.0.0.1, with its ports as they are.
    pub instances: BTreeMap<String, Backend>,
    /// The time between two health checks of an instance, in place of the balancers' own intervals of 5 to 300 seconds. Every
    /// other setting of a health check stays: with the default healthy threshold of 10 and a pace of 1 second an instance is in
    /// service after 10 checks, nine seconds after its registration. `None` keeps the intervals.
    pub health_check_pace: Option<Duration>,
}

/// Which real port a listener gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListenerPorts {
    /// The load balancer port plus 10000: 443 becomes 10443. If that is taken, by another balancer or another program, plus 11000,
    /// and so on in steps of 1000, and in the end any free port. Ports above 55535 stay as they are if they can. A listener that is
    /// replaced keeps its real port.
    #[default]
    Shifted,
    /// The load balancer port itself; of two balancers with the same port only the first gets it.
    Exact,
    /// Any free port: for tests.
    Free,
}

/// Where an instance really is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// The address.
    pub address: IpAddr,
    /// Real ports by instance port; a port that is not named is the same.
    pub ports: BTreeMap<u16, u16>,
}

impl Traffic {
    /// The real address of an instance's port.
    pub(super) fn backend(&self, instance: &str, instance_port: u16) -> SocketAddr {
        match self.instances.get(instance) {
            Some(Backend { address, ports }) => {
                SocketAddr::new(*address, ports.get(&instance_port).copied().unwrap_or(instance_port))
            }
            None => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), instance_port),
        }
    }
}

impl ListenerPorts {
    /// The real ports to try for a load balancer port, in order; 0 is any.
    pub(super) fn candidates(self, load_balancer_port: u16) -> Vec<u16> {
        match self {
            ListenerPorts::Free => vec![0],
            ListenerPorts::Exact => vec![load_balancer_port],
            ListenerPorts::Shifted => {
                let shifted = (10..=65).filter_map(|thousands| load_balancer_port.checked_add(thousands * 1000));
                let mut ports: Vec<u16> = shifted.collect();
                if ports.is_empty() {
                    ports.push(load_balancer_port);
                }
                ports.push(0);
                ports
            }
        }
    }
}
