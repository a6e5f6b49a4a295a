//! What a configuration is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{BackendError, ServerName, Upstream, WebSocketRoute};
use crate::model::Balancer;

/// What a configuration is to do. [`Request::new`] gives one with nothing out of the ordinary; every field can be set after it.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The balancer in the state that the configuration is for: usually the one that `elbws apply` leads to.
    pub balancer: &'a Balancer,
    /// A state whose instance ports are served as well, as they are there: the old side of a cut-over.
    pub before: Option<&'a Balancer>,
    /// Ranges that the balancer's connections come from: those of its subnets. The PROXY header is believed from nowhere else.
    pub trusted: Vec<IpNet>,
    /// The application behind the web server.
    pub app: Upstream,
    /// Paths that lead to applications of their own. Upgrades work on every path.
    pub websockets: Vec<WebSocketRoute>,
    /// The host names to answer to; empty means any. HAProxy answers to any.
    pub server_names: Vec<ServerName>,
    /// Instance ports that are somebody else's, such as SSH's.
    pub leave_out: BTreeSet<u16>,
    /// Whether plain HTTP is redirected to HTTPS, where the balancer has a listener for it.
    pub redirect: bool,
    /// Where to listen.
    pub listen: Listen,
    /// Lines of the comment at the top: what made the file and which state it fits. Control characters are replaced.
    pub header: Vec<String>,
}

/// Where the web server listens. By default on every address, and on the instance ports themselves.
#[derive(Debug, Clone, Default)]
pub struct Listen {
    /// The one address to listen on.
    pub address: Option<IpAddr>,
    /// Real ports by instance port, where they differ: behind a port mapping, or without the privilege for low ports.
    pub ports: BTreeMap<u16, u16>,
}

impl<'a> Request<'a> {
    /// A configuration for all instance ports, with redirection to HTTPS where there is any.
    pub fn new(balancer: &'a Balancer, trusted: Vec<IpNet>, app: Upstream) -> Self {
        Request {
            balancer,
            before: None,
            trusted,
            app,
            websockets: Vec::new(),
            server_names: Vec::new(),
            leave_out: BTreeSet::new(),
            redirect: true,
            listen: Listen::default(),
            header: Vec::new(),
        }
    }

    /// The trusted ranges, sorted, without bits of a host.
    pub(super) fn trusted(&self) -> Result<BTreeSet<IpNet>, BackendError> {
        match self.trusted.iter().find(|range| range.prefix_len() == 0) {
            Some(all) => Err(BackendError::TrustsEverybody(*all)),
            None if self.trusted.is_empty() => Err(BackendError::NothingTrusted),
            None => Ok(self.trusted.iter().map(IpNet::trunc).collect()),
        }
    }
}

impl Listen {
    /// `80`, or `127.0.0.1:8080`: what nginx writes for an instance port.
    pub(super) fn at(&self, instance_port: u16) -> String {
        let port = self.ports.get(&instance_port).copied().unwrap_or(instance_port);
        match self.address {
            Some(address) => SocketAddr::new(address, port).to_string(),
            None => port.to_string(),
        }
    }
}
