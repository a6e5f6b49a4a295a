//! Reads a balancer: four describe calls at the same time, and nothing guessed.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancing as elb;
use elb::types;

use super::error::{bad_reply, failed, trace};
use crate::cloud::CloudError;
use crate::model::{
    AccessLog, Attributes, Balancer, CertificateArn, ConnectionDraining, HealthCheck, Listener, Policy, Protocol,
};

const DESCRIBE: &str = "elasticloadbalancing:DescribeLoadBalancers";

/// Names of all balancers, sorted, 400 a call.
pub(super) async fn names(client: &elb::Client) -> Result<Vec<String>, CloudError> {
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    let mut marker: Option<String> = None;
    loop {
        let call = client.describe_load_balancers().page_size(400).set_marker(marker.clone());
        let reply = call.send().await.map_err(|error| failed(DESCRIBE, error))?;
        let page = reply.load_balancer_descriptions.unwrap_or_default();
        names.extend(page.into_iter().filter_map(|description| description.load_balancer_name));
        // The last page's marker may be an empty string (elb-facts 1.2).
        marker = reply.next_marker.filter(|marker| !marker.is_empty());
        match &marker {
            None => break,
            Some(marker) if !seen.insert(marker.clone()) => {
                return Err(bad_reply(DESCRIBE, "the same page marker came twice, so the list never ends"));
            }
            Some(_) => {}
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The complete state of one balancer. If several reads fail, the first in this order is reported.
pub(super) async fn balancer(client: &elb::Client, name: &str) -> Result<Balancer, CloudError> {
    let (description, policies, attributes, tags) =
        tokio::join!(description(client, name), policies(client, name), attributes(client, name), tags(client, name));
    let description = description?;
    let (policies, attributes, tags) = (policies?, attributes?, tags?);
    assemble(name, description, policies, attributes, tags)
}

async fn description(client: &elb::Client, name: &str) -> Result<types::LoadBalancerDescription, CloudError> {
    let started = std::time::Instant::now();
    let result = client.describe_load_balancers().load_balancer_names(name).send().await;
    let result = result.map_err(|error| failed(DESCRIBE, error));
    trace("DescribeLoadBalancers", started, &result);
    let mut found = result?.load_balancer_descriptions.unwrap_or_default();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) if only.load_balancer_name.as_deref() == Some(name) => Ok(only),
        _ => Err(bad_reply(DESCRIBE, format!("the reply does not describe balancer `{name}` and it alone"))),
    }
}

async fn policies(client: &elb::Client, name: &str) -> Result<BTreeMap<String, Policy>, CloudError> {
    let action = "elasticloadbalancing:DescribeLoadBalancerPolicies";
    let started = std::time::Instant::now();
    let result = client.describe_load_balancer_policies().load_balancer_name(name).send().await;
    let result = result.map_err(|error| failed(action, error));
    trace("DescribeLoadBalancerPolicies", started, &result);
    let mut policies = BTreeMap::new();
    for description in result?.policy_descriptions.unwrap_or_default() {
        let name = description.policy_name.ok_or_else(|| bad_reply(action, "a policy has no name"))?;
        let policy_type = description.policy_type_name.unwrap_or_default();
        let mut policy = Policy { policy_type, attributes: BTreeMap::new() };
        for attribute in description.policy_attribute_descriptions.unwrap_or_default() {
            let key = attribute.attribute_name.unwrap_or_default();
            policy.attributes.entry(key).or_default().insert(attribute.attribute_value.unwrap_or_default());
        }
        policies.insert(name, policy);
    }
    Ok(policies)
}

async fn attributes(client: &elb::Client, name: &str) -> Result<Attributes, CloudError> {
    let action = "elasticloadbalancing:DescribeLoadBalancerAttributes";
    let started = std::time::Instant::now();
    let result = client.describe_load_balancer_attributes().load_balancer_name(name).send().await;
    let result = result.map_err(|error| failed(action, error));
    trace("DescribeLoadBalancerAttributes", started, &result);
    let missing = || bad_reply(action, "the reply holds no attributes");
    let reply = result?.load_balancer_attributes.ok_or_else(missing)?;
    let number =
        |value: i32| u32::try_from(value).map_err(|_| bad_reply(action, format!("{value} is not a number of seconds")));
    let draining = match reply.connection_draining {
        Some(draining) => {
            ConnectionDraining { enabled: draining.enabled, timeout: draining.timeout.map(number).transpose()? }
        }
        None => ConnectionDraining { enabled: false, timeout: None },
    };
    let access_log = match reply.access_log {
        Some(log) => AccessLog {
            enabled: log.enabled,
            bucket: log.s3_bucket_name,
            prefix: log.s3_bucket_prefix,
            emit_interval: log.emit_interval.map(number).transpose()?,
        },
        None => AccessLog::default(),
    };
    let additional = reply.additional_attributes.unwrap_or_default();
    Ok(Attributes {
        idle_timeout: number(reply.connection_settings.ok_or_else(missing)?.idle_timeout)?,
        cross_zone: reply.cross_zone_load_balancing.is_some_and(|cross_zone| cross_zone.enabled),
        connection_draining: draining,
        access_log,
        additional: additional
            .into_iter()
            .filter_map(|attribute| Some((attribute.key?, attribute.value.unwrap_or_default())))
            .collect(),
    })
}

async fn tags(client: &elb::Client, name: &str) -> Result<BTreeMap<String, String>, CloudError> {
    let action = "elasticloadbalancing:DescribeTags";
    let started = std::time::Instant::now();
    let result = client.describe_tags().load_balancer_names(name).send().await;
    let result = result.map_err(|error| failed(action, error));
    trace("DescribeTags", started, &result);
    let descriptions = result?.tag_descriptions.unwrap_or_default();
    let tags = descriptions.into_iter().flat_map(|description| description.tags.unwrap_or_default());
    Ok(tags.map(|tag| (tag.key, tag.value.unwrap_or_default())).collect())
}

fn assemble(
    name: &str,
    description: types::LoadBalancerDescription,
    policies: BTreeMap<String, Policy>,
    attributes: Attributes,
    tags: BTreeMap<String, String>,
) -> Result<Balancer, CloudError> {
    let mut listeners = BTreeMap::new();
    for found in description.listener_descriptions.unwrap_or_default() {
        let listener = listener(found)?;
        if let Some(twice) = listeners.insert(listener.load_balancer_port, listener) {
            return Err(bad_reply(DESCRIBE, format!("load balancer port {} has two listeners", twice.load_balancer_port)));
        }
    }
    let mut backend_policies: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    for backend in description.backend_server_descriptions.unwrap_or_default() {
        let names = backend.policy_names.unwrap_or_default();
        if !names.is_empty() {
            backend_policies.entry(port(backend.instance_port.unwrap_or_default())?).or_default().extend(names);
        }
    }
    Ok(Balancer {
        name: name.to_owned(),
        dns_name: description.dns_name.unwrap_or_default(),
        scheme: description.scheme.unwrap_or_default(),
        vpc: description.vpc_id.filter(|vpc| !vpc.is_empty()),
        listeners,
        backend_policies,
        policies,
        health_check: description.health_check.map(health_check).transpose()?,
        attributes,
        instances: description
            .instances
            .unwrap_or_default()
            .into_iter()
            .filter_map(|instance| instance.instance_id)
            .collect(),
        security_groups: description.security_groups.unwrap_or_default().into_iter().collect(),
        subnets: description.subnets.unwrap_or_default().into_iter().collect(),
        availability_zones: description.availability_zones.unwrap_or_default().into_iter().collect(),
        tags,
    })
}

fn listener(found: types::ListenerDescription) -> Result<Listener, CloudError> {
    let listener = found.listener.ok_or_else(|| bad_reply(DESCRIBE, "a listener has no definition"))?;
    let protocol = Protocol::from(listener.protocol);
    Ok(Listener {
        // Undocumented for a listener that reports none; the front end's is what creators assume (elb-facts 1.3).
        instance_protocol: listener.instance_protocol.map_or_else(|| protocol.clone(), Protocol::from),
        protocol,
        load_balancer_port: port(listener.load_balancer_port)?,
        instance_port: port(listener.instance_port)?,
        certificate: listener.ssl_certificate_id.filter(|arn| !arn.is_empty()).map(CertificateArn::observed),
        policies: found.policy_names.unwrap_or_default().into_iter().collect(),
    })
}

/// A port; the SDK fills a missing one with 0 (elb-facts 1.7).
fn port(number: i32) -> Result<u16, CloudError> {
    u16::try_from(number)
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(|| bad_reply(DESCRIBE, format!("{number} is not a port")))
}

fn health_check(found: types::HealthCheck) -> Result<HealthCheck, CloudError> {
    let number = |value: i32| {
        u32::try_from(value).map_err(|_| bad_reply(DESCRIBE, format!("{value} in the health check is negative")))
    };
    Ok(HealthCheck {
        target: found.target.parse().map_err(|error: crate::model::Malformed| bad_reply(DESCRIBE, error.to_string()))?,
        interval: number(found.interval)?,
        timeout: number(found.timeout)?,
        unhealthy_threshold: number(found.unhealthy_threshold)?,
        healthy_threshold: number(found.healthy_threshold)?,
    })
}
