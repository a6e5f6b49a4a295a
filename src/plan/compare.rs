//! What differs between two observed states, in words: why a saved plan is stale.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::digest::comparable;
use crate::model::names::list;
use crate::model::{Attributes, Balancer, Listener};

/// The differences that matter to a plan, one line each; empty if the two are equivalent.
pub fn differences(before: &Balancer, now: &Balancer) -> Vec<String> {
    let (before, now) = (comparable(before), comparable(now));
    // Destructured whole, so that a new field of the model cannot be forgotten here.
    let Balancer {
        name: _,
        dns_name,
        scheme,
        vpc,
        listeners,
        backend_policies,
        policies,
        health_check,
        attributes,
        instances: _,
        security_groups: _,
        subnets: _,
        availability_zones: _,
        tags,
    } = before;
    let mut lines = Vec::new();
    value(&mut lines, "DNS name", Some(dns_name), Some(now.dns_name));
    value(&mut lines, "scheme", Some(scheme), Some(now.scheme));
    value(&mut lines, "VPC", vpc, now.vpc);
    let text = |listeners: BTreeMap<u16, Listener>| {
        keyed(listeners, |listener| {
            let certificate = listener.certificate.as_ref().map(|arn| format!(", certificate {arn}")).unwrap_or_default();
            // The service's default policy is left out here, and a listener with no other one has nothing to say.
            let policies = match listener.policies.is_empty() {
                true => String::new(),
                false => format!(", policies {}", list(&listener.policies)),
            };
            format!("{listener}{certificate}{policies}")
        })
    };
    map(&mut lines, "listener", text(listeners), text(now.listeners));
    let text = |ports: BTreeMap<u16, BTreeSet<String>>| keyed(ports, |set| list(&set));
    map(&mut lines, "instance port", text(backend_policies), text(now.backend_policies));
    let text = |policies: BTreeMap<String, _>| {
        keyed(policies, |policy: crate::model::Policy| {
            let attributes = policy.attributes.iter().map(|(name, values)| format!("{name}={}", list(values)));
            format!("{} {}", policy.policy_type, attributes.collect::<Vec<_>>().join(" "))
        })
    };
    map(&mut lines, "policy", text(policies), text(now.policies));
    let text = |check: Option<crate::model::HealthCheck>| {
        check.map(|check| {
            let crate::model::HealthCheck { target, interval, timeout, unhealthy_threshold, healthy_threshold } = check;
            format!("{target} every {interval} s, timeout {timeout} s, thresholds {unhealthy_threshold}/{healthy_threshold}")
        })
    };
    value(&mut lines, "health check", text(health_check), text(now.health_check));
    let text = |attributes: Attributes| Some(format!("{} s", attributes.idle_timeout));
    value(&mut lines, "idle timeout", text(attributes), text(now.attributes));
    map(&mut lines, "tag", tags, now.tags);
    lines
}

fn keyed<K: Display, V>(map: BTreeMap<K, V>, text: impl Fn(V) -> String) -> BTreeMap<String, String> {
    map.into_iter().map(|(key, value)| (key.to_string(), text(value))).collect()
}

fn map(lines: &mut Vec<String>, what: &str, mut before: BTreeMap<String, String>, mut now: BTreeMap<String, String>) {
    let keys: BTreeSet<String> = before.keys().chain(now.keys()).cloned().collect();
    for key in keys {
        value(lines, &format!("{what} {key}"), before.remove(&key), now.remove(&key));
    }
}

fn value(lines: &mut Vec<String>, what: &str, before: Option<String>, now: Option<String>) {
    if before != now {
        let text = |value: Option<String>| value.unwrap_or_else(|| "(none)".to_owned());
        lines.push(format!("{what}: {} -> {}", text(before), text(now)));
    }
}
