//! A finding: which rule, where in the balancer, how bad, and what was seen.

use std::fmt;

use serde::Serialize;

/// How bad a finding is, from least to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing breaks.
    Note,
    /// It can hurt, or will when something else changes.
    Warning,
    /// It breaks connections, leaks, or is about to.
    Error,
}

/// The part of a balancer that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
pub enum Place {
    /// The balancer as a whole, or one of its attributes.
    Balancer,
    /// The listener on this load balancer port.
    Listener(u16),
    /// This instance port.
    InstancePort(u16),
    /// The health check.
    HealthCheck,
    /// The policy of this name.
    Policy(String),
    /// The certificate of this ARN.
    Certificate(String),
    /// The instance of this identifier.
    Instance(String),
    /// The security group of this identifier.
    SecurityGroup(String),
    /// The subnet of this identifier.
    Subnet(String),
    /// The tag of this key.
    Tag(String),
}

/// Why a finding does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// The reason given by whoever suppressed it.
    pub reason: String,
    /// The last day it holds (`2027-01-31`); absent if it holds for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// One thing that a rule found in one balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's identifier, for example `ELBWS001`.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What was seen, in one sentence without a full stop, with ports and names in it.
    pub message: String,
    /// Whether `elbws apply` would repair it.
    pub fixed_by_apply: bool,
    /// Why it does not count; absent if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

    /// The word for it: `error`, `warning` or `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// As a person would say it: `listener 443`, `policy chat-tls`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Balancer => f.write_str("balancer"),
            Place::Listener(port) => write!(f, "listener {port}"),
            Place::InstancePort(port) => write!(f, "instance port {port}"),
            Place::HealthCheck => f.write_str("health check"),
            Place::Policy(name) => write!(f, "policy {name}"),
            Place::Certificate(arn) => write!(f, "certificate {arn}"),
            Place::Instance(id) => write!(f, "instance {id}"),
            Place::SecurityGroup(id) => write!(f, "security group {id}"),
            Place::Subnet(id) => write!(f, "subnet {id}"),
            Place::Tag(key) => write!(f, "tag {key}"),
        }
    }
}
