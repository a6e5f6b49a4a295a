//! Attributes of a balancer as a whole: timeouts, draining, zones, logs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Bounds of the idle timeout in seconds. The user guide allows 4000 and the service model 3600; the service itself
/// decides what lies between (elb-facts 1.6).
pub const IDLE_TIMEOUT_SECONDS: std::ops::RangeInclusive<u32> = 1..=4000;

/// A balancer's attributes, as `DescribeLoadBalancerAttributes` reports them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attributes {
    /// Seconds without payload after which a connection is closed (1-4000; default 60).
    pub idle_timeout: u32,
    /// Whether each zone's node sends to instances in all zones.
    pub cross_zone: bool,
    /// What happens to connections of an instance that is taken out.
    pub connection_draining: ConnectionDraining,
    /// Where requests are logged.
    pub access_log: AccessLog,
    /// Attributes that this version gives no meaning to, by key.
    #[serde(default)]
    pub additional: BTreeMap<String, String>,
}

/// Connection draining: how long existing connections outlive an instance's deregistration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionDraining {
    /// Whether connections outlive the deregistration at all.
    pub enabled: bool,
    /// Seconds until they are closed by force (1-3600; default 300); absent when the service reports none.
    #[serde(default)]
    pub timeout: Option<u32>,
}

/// The access log in S3.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessLog {
    /// Whether logs are written.
    pub enabled: bool,
    /// The bucket they are written to.
    #[serde(default)]
    pub bucket: Option<String>,
    /// The prefix of the objects' names.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Minutes between two files (5 or 60).
    #[serde(default)]
    pub emit_interval: Option<u32>,
}

impl Default for Attributes {
    /// What a balancer created through the API starts with (elb-facts 2.5).
    fn default() -> Self {
        Attributes {
            idle_timeout: 60,
            cross_zone: false,
            connection_draining: ConnectionDraining { enabled: false, timeout: Some(300) },
            access_log: AccessLog::default(),
            additional: BTreeMap::new(),
        }
    }
}
