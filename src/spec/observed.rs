//! A balancer as an `elbws.toml` that asks for what is there: a file to start from.

use std::collections::{BTreeMap, BTreeSet};

use super::config::{BalancerConfig, Config, ListenerConfig};
use super::recipe::service_without_proxy;
use crate::model::{Balancer, CertificateArn, Policy, policy_type};

/// The file's text. Planning it against the same balancer finds nothing to do, unless an HTTP listener
/// shares an instance port that expects the PROXY header, which is refused.
pub fn observed_toml(balancers: &[Balancer]) -> Result<String, toml::ser::Error> {
    toml::to_string(&Config { balancers: balancers.iter().map(config).collect(), ..Config::default() })
}

fn config(balancer: &Balancer) -> BalancerConfig {
    let transport: BTreeSet<u16> = balancer
        .listeners
        .values()
        .filter(|listener| listener.is_transport())
        .map(|listener| listener.instance_port)
        .collect();
    let (proxied, plain): (BTreeSet<u16>, BTreeSet<u16>) =
        transport.into_iter().partition(|port| balancer.is_proxied(*port));
    let certificates: BTreeSet<&CertificateArn> =
        balancer.listeners.values().filter_map(|listener| listener.certificate.as_ref()).collect();
    // One certificate for all is said once; otherwise each listener says its own.
    let common = (certificates.len() == 1).then(|| certificates.first().map(|arn| arn.to_string())).flatten();
    let listener = |listener: &crate::model::Listener| match (&listener.certificate, &common) {
        (Some(certificate), None) => {
            ListenerConfig::Table { listener: listener.to_string(), certificate: certificate.to_string() }
        }
        _ => ListenerConfig::Route(listener.to_string()),
    };
    BalancerConfig {
        name: balancer.name.clone(),
        listeners: Some(balancer.listeners.values().map(listener).collect()),
        certificate: common,
        ssl_policy: common_ssl_policy(balancer),
        policy_name: None,
        instance_ports: proxied.into_iter().filter(|port| service_without_proxy(*port).is_some()).collect(),
        skip_instance_ports: plain,
        health_check: balancer.health_check.as_ref().map(|check| check.target.to_string()),
        keep_health_check: false,
        idle_timeout: Some(balancer.attributes.idle_timeout),
        prune: false,
    }
}

/// The negotiation policy of all SSL and HTTPS listeners, if it is one and the same.
fn common_ssl_policy(balancer: &Balancer) -> Option<String> {
    let is_negotiation = |name: &&String| {
        balancer.policies.get(*name).is_some_and(|policy: &Policy| policy.policy_type == policy_type::SSL_NEGOTIATION)
    };
    let of_listeners: BTreeMap<u16, Option<&String>> = balancer
        .listeners
        .values()
        .filter(|listener| listener.protocol.is_secure())
        .map(|listener| (listener.load_balancer_port, listener.policies.iter().find(is_negotiation)))
        .collect();
    let distinct: BTreeSet<Option<&String>> = of_listeners.into_values().collect();
    match distinct.len() {
        1 => distinct.into_iter().next().flatten().cloned(),
        _ => None,
    }
}
