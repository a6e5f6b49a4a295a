//! `elbws.toml`: specs for many balancers in one file.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{HealthCheckIntent, ListenerIntent, ListenerRequest, ProxyProtocolIntent, Spec, check_idle_timeout};
use crate::model::names::{check_load_balancer_name, check_policy_name};
use crate::model::{CertificateArn, HealthCheckTarget, Malformed};

/// The file as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The balancers, in the order they are planned and applied.
    #[serde(default, rename = "balancer")]
    pub balancers: Vec<BalancerConfig>,
    /// What `elbws audit` reads from the file.
    #[serde(default, skip_serializing_if = "AuditConfig::is_empty")]
    pub audit: AuditConfig,
}

/// Settings of the audit. `plan` and `apply` do not look at them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditConfig {
    /// Findings that shall not count.
    #[serde(default)]
    pub ignore: Vec<IgnoreConfig>,
}

/// A suppression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnoreConfig {
    /// The rule's identifier, for example `ELBWS011`.
    pub rule: String,
    /// The balancers' names, with `*` and `?`; without this key all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancer: Option<String>,
    /// Why the findings do not count.
    pub reason: String,
    /// The last day on which they do not, for example `2027-01-31` (UTC); without this key for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl AuditConfig {
    fn is_empty(&self) -> bool {
        self.ignore.is_empty()
    }
}

/// What is wanted of one balancer. Everything but the name may be left out, and what is left out is left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BalancerConfig {
    /// The balancer's name.
    pub name: String,
    /// Listeners; without this key they are derived from the live balancer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listeners: Option<Vec<ListenerConfig>>,
    /// The ARN of the certificate for the SSL and HTTPS listeners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// The negotiation policy of those listeners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_policy: Option<String>,
    /// The name of the proxy policy, if one must be created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    /// Instance ports to include although their well-known service cannot read the PROXY header.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub instance_ports: BTreeSet<u16>,
    /// Instance ports to leave without the PROXY header.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub skip_instance_ports: BTreeSet<u16>,
    /// The health check's target, for example `TCP:80`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<String>,
    /// Leave the health check as it is, even where it would fail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_health_check: bool,
    /// The idle timeout in seconds (1-4000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<u32>,
    /// Remove listeners that are not named, and proxy policies that nothing needs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prune: bool,
}

/// A listener: `"SSL:443/TCP:80"`, or a table with a certificate of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum ListenerConfig {
    /// The route alone.
    Route(String),
    /// The route and its certificate.
    Table {
        /// The route, for example `SSL:443/TCP:80`.
        listener: String,
        /// The ARN of its certificate.
        certificate: String,
    },
}

impl Config {
    /// Reads the text of an `elbws.toml`, with or without balancers. The error says where in the text it went wrong.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        toml::from_str(text).map_err(|error: toml::de::Error| Malformed::at(text, error.span(), error.message()))
    }

    /// Reads the text of an `elbws.toml` that names balancers.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let config = Config::read(text)?;
        if config.balancers.is_empty() {
            return Err(Malformed("it names no balancer: add a [[balancer]] table with a name".to_owned()));
        }
        let mut seen = BTreeSet::new();
        match config.balancers.iter().find(|balancer| !seen.insert(&balancer.name)) {
            Some(twice) => Err(Malformed(format!("balancer `{}` is named twice", twice.name))),
            None => Ok(config),
        }
    }
}

impl BalancerConfig {
    /// The spec that this table asks for. The error names the balancer and the key.
    pub fn spec(&self) -> Result<Spec, Malformed> {
        let BalancerConfig {
            name,
            listeners,
            certificate,
            ssl_policy,
            policy_name,
            instance_ports,
            skip_instance_ports,
            health_check,
            keep_health_check,
            idle_timeout,
            prune,
        } = self;
        let at = |key: &'static str| move |error: Malformed| Malformed(format!("balancer `{name}`, {key}: {error}"));
        check_load_balancer_name(name).map_err(at("name"))?;
        if let Some(policy_name) = policy_name {
            check_policy_name(policy_name).map_err(at("policy_name"))?;
        }
        let listeners = match listeners {
            None => ListenerIntent::Recipe,
            Some(none) if none.is_empty() => {
                let why = "the list is empty; leave the key out to have the listeners derived from the balancer";
                return Err(at("listeners")(Malformed(why.to_owned())));
            }
            Some(listeners) => ListenerIntent::Set(
                listeners.iter().map(ListenerConfig::request).collect::<Result<_, _>>().map_err(at("listeners"))?,
            ),
        };
        let health_check = match (health_check, keep_health_check) {
            (Some(_), true) => {
                return Err(Malformed(format!("balancer `{name}`: health_check and keep_health_check exclude each other")));
            }
            (Some(target), false) => {
                HealthCheckIntent::Set(target.parse::<HealthCheckTarget>().map_err(at("health_check"))?)
            }
            (None, true) => HealthCheckIntent::Keep,
            (None, false) => HealthCheckIntent::Adapt,
        };
        Ok(Spec {
            listeners,
            certificate: certificate.as_deref().map(str::parse::<CertificateArn>).transpose().map_err(at("certificate"))?,
            certificate_ports: BTreeSet::new(),
            ssl_policy: ssl_policy.clone(),
            proxy_protocol: ProxyProtocolIntent::Enable {
                policy_name: policy_name.clone(),
                include: instance_ports.clone(),
                skip: skip_instance_ports.clone(),
                only: BTreeSet::new(),
            },
            health_check,
            idle_timeout: idle_timeout.map(check_idle_timeout).transpose().map_err(at("idle_timeout"))?,
            prune: *prune,
            journal: true,
        })
    }
}

impl ListenerConfig {
    fn request(&self) -> Result<ListenerRequest, Malformed> {
        match self {
            ListenerConfig::Route(route) => route.parse(),
            ListenerConfig::Table { listener, certificate } => {
                Ok(ListenerRequest { certificate: Some(certificate.parse()?), ..listener.parse()? })
            }
        }
    }
}
