//! A listener: the port and protocol clients use, and the port and protocol it reaches instances on.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CertificateArn, Protocol};

/// One listener of a balancer, with the policies set on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// The front-end protocol.
    pub protocol: Protocol,
    /// The port clients connect to (1-65535).
    pub load_balancer_port: u16,
    /// The back-end protocol.
    pub instance_protocol: Protocol,
    /// The port on the instances (1-65535).
    pub instance_port: u16,
    /// The certificate of an HTTPS or SSL listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateArn>,
    /// Names of the policies set on the listener: TLS negotiation and stickiness.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub policies: BTreeSet<String>,
}

impl Listener {
    /// Whether connections through this listener can carry the PROXY header: both ends are TCP or SSL.
    pub fn is_transport(&self) -> bool {
        self.protocol.is_transport() && self.instance_protocol.is_transport()
    }

    /// Whether two listeners are the same but for certificate and policies, which alone change in place (elb-facts 1.3).
    pub fn same_route(&self, other: &Listener) -> bool {
        let Listener { protocol, load_balancer_port, instance_protocol, instance_port, certificate: _, policies: _ } = self;
        *protocol == other.protocol
            && *load_balancer_port == other.load_balancer_port
            && *instance_protocol == other.instance_protocol
            && *instance_port == other.instance_port
    }
}

/// The route alone, in the grammar of `--listener`: `SSL:443/TCP:80`.
impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Listener { protocol, load_balancer_port, instance_protocol, instance_port, certificate: _, policies: _ } = self;
        write!(f, "{protocol}:{load_balancer_port}/{instance_protocol}:{instance_port}")
    }
}
