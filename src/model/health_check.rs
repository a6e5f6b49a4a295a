//! The health check: what the balancer asks every instance, and how often.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Malformed, Protocol};

/// A balancer's one health check (elb-facts 2.4). Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// What is asked.
    pub target: HealthCheckTarget,
    /// Seconds between two checks (5-300).
    pub interval: u32,
    /// Seconds to wait for an answer (2-60), less than the interval.
    pub timeout: u32,
    /// Failures in a row that take an instance out of service (2-10).
    pub unhealthy_threshold: u32,
    /// Successes in a row that put an instance into service (2-10).
    pub healthy_threshold: u32,
}

/// What a health check asks: a protocol, an instance port and, for HTTP and HTTPS, a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HealthCheckTarget {
    /// TCP and SSL connect; HTTP and HTTPS ask for the path and want status 200.
    pub protocol: Protocol,
    /// The port on the instance (1-65535).
    pub port: u16,
    /// The path, with its leading slash; HTTP and HTTPS only.
    pub path: Option<String>,
}

impl HealthCheckTarget {
    /// A check that passes when the instance port accepts a connection.
    pub fn tcp(port: u16) -> Self {
        HealthCheckTarget { protocol: Protocol::Tcp, port, path: None }
    }
}

impl FromStr for HealthCheckTarget {
    type Err = Malformed;

    /// Reads `TCP:port`, `SSL:port`, `HTTP:port/path` or `HTTPS:port/path`; the protocol in any casing.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let wrong = || {
            Malformed(format!(
                "`{text}` is not a health check target: give TCP:port, SSL:port, HTTP:port/path or HTTPS:port/path, \
                 for example TCP:80 or HTTP:8081/health"
            ))
        };
        let (protocol, rest) = text.split_once(':').ok_or_else(wrong)?;
        let protocol = Protocol::from(protocol);
        let (port, path) = match rest.find('/') {
            Some(slash) => (&rest[..slash], Some(rest[slash..].to_owned())),
            None => (rest, None),
        };
        let port = port.parse().ok().filter(|port| *port != 0 && !rest.starts_with('+')).ok_or_else(wrong)?;
        let clean = path.as_deref().is_none_or(|path| path.len() <= 1024 && !path.contains(char::is_control));
        if !clean || protocol.layer().is_none() || protocol.is_application() != path.is_some() {
            return Err(wrong());
        }
        Ok(HealthCheckTarget { protocol, port, path })
    }
}

impl TryFrom<String> for HealthCheckTarget {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<HealthCheckTarget> for String {
    fn from(target: HealthCheckTarget) -> Self {
        target.to_string()
    }
}

impl fmt::Display for HealthCheckTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HealthCheckTarget { protocol, port, path } = self;
        write!(f, "{protocol}:{port}{}", path.as_deref().unwrap_or_default())
    }
}
