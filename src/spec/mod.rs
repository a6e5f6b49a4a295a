//! What the user asks for. Whatever a spec leaves out is left alone.
//!
//! A spec is partial and says nothing about how to get there; that is the plan's. Pure data: no I/O, no clock, no printing.

pub mod config;
mod listener_request;
mod observed;
pub mod recipe;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use listener_request::ListenerRequest;
pub use observed::observed_toml;

use crate::model::{CertificateArn, HealthCheckTarget, IDLE_TIMEOUT_SECONDS, Malformed};

/// What is wanted of one balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The listeners.
    pub listeners: ListenerIntent,
    /// The certificate of the SSL and HTTPS listeners that the spec is about.
    pub certificate: Option<CertificateArn>,
    /// Load balancer ports that `certificate` is for; empty means every SSL and HTTPS listener the spec is about.
    pub certificate_ports: BTreeSet<u16>,
    /// The negotiation policy of those listeners: a predefined one, or one that the balancer holds.
    pub ssl_policy: Option<String>,
    /// The PROXY protocol.
    pub proxy_protocol: ProxyProtocolIntent,
    /// The health check.
    pub health_check: HealthCheckIntent,
    /// The idle timeout in seconds (1-4000).
    pub idle_timeout: Option<u32>,
    /// Whether to remove listeners that are not named, and proxy policies that nothing needs.
    pub prune: bool,
    /// Whether a listener's definition is kept in the balancer's tags while it is replaced.
    pub journal: bool,
}

/// What is wanted of the listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenerIntent {
    /// Derive them from the live balancer with the WebSocket [`recipe`].
    Recipe,
    /// Leave protocols and ports as they are.
    Keep,
    /// These; others stay unless the spec prunes.
    Set(Vec<ListenerRequest>),
}

/// What is wanted of the PROXY protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ProxyProtocolIntent {
    /// Leave every attachment as it is.
    Keep,
    /// Attach a proxy policy to instance ports behind TCP and SSL listeners.
    Enable {
        /// The name of a policy to create if none is there to adopt; must not name something else.
        policy_name: Option<String>,
        /// Instance ports to include although their well-known service cannot read the header.
        include: BTreeSet<u16>,
        /// Instance ports to leave alone.
        skip: BTreeSet<u16>,
        /// If not empty, the only instance ports to attach to.
        only: BTreeSet<u16>,
    },
    /// Detach proxy policies.
    Disable {
        /// The only instance ports to detach from; empty means all.
        only: BTreeSet<u16>,
    },
}

/// What is wanted of the health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthCheckIntent {
    /// Turn it into TCP where it would fail on a port that gets the PROXY header; otherwise leave it.
    Adapt,
    /// Leave it, whatever follows.
    Keep,
    /// This target; interval, timeout and thresholds stay.
    Set(HealthCheckTarget),
}

impl Spec {
    /// A spec that asks for nothing.
    pub fn nothing() -> Self {
        Spec {
            listeners: ListenerIntent::Keep,
            certificate: None,
            certificate_ports: BTreeSet::new(),
            ssl_policy: None,
            proxy_protocol: ProxyProtocolIntent::Keep,
            health_check: HealthCheckIntent::Keep,
            idle_timeout: None,
            prune: false,
            journal: true,
        }
    }

    /// What `elbws apply` asks for without further flags: the whole recipe.
    pub fn websocket() -> Self {
        Spec {
            listeners: ListenerIntent::Recipe,
            proxy_protocol: ProxyProtocolIntent::enable(),
            health_check: HealthCheckIntent::Adapt,
            ..Spec::nothing()
        }
    }

    /// Whether the spec wants the PROXY protocol or a health check, so that the two must fit.
    pub fn asks_for_proxy(&self) -> bool {
        matches!(self.proxy_protocol, ProxyProtocolIntent::Enable { .. })
            || matches!(self.health_check, HealthCheckIntent::Set(_))
    }
}

impl ProxyProtocolIntent {
    /// Enable on every suitable instance port.
    pub fn enable() -> Self {
        ProxyProtocolIntent::Enable {
            policy_name: None,
            include: BTreeSet::new(),
            skip: BTreeSet::new(),
            only: BTreeSet::new(),
        }
    }
}

/// Checks an idle timeout given by a person.
pub fn check_idle_timeout(seconds: u32) -> Result<u32, Malformed> {
    if IDLE_TIMEOUT_SECONDS.contains(&seconds) {
        return Ok(seconds);
    }
    let (least, most) = IDLE_TIMEOUT_SECONDS.into_inner();
    Err(Malformed(format!("an idle timeout of {seconds} s is out of range: give {least} to {most} seconds")))
}
