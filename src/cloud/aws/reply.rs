//! The SDK's replies as the model. A reply that makes no sense is refused with the reason; nothing is guessed or dropped.
//!
//! The SDK fills members that a reply lacks with zero or an empty text (elb-facts 1.7), so those count as missing here.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancing::types as sdk;

use crate::model::{
    AccessLog, Attributes, CertificateArn, ConnectionDraining, HealthCheck, Listed, Listener, Policy, Protocol,
};

/// The one balancer of a `DescribeLoadBalancers` reply that was asked about one.
pub(super) fn only(name: &str, descriptions: &[sdk::LoadBalancerDescription]) -> Result<Listed, String> {
    let [description] = descriptions else {
        return Err(format!("asked for {name}, {} balancers are described", descriptions.len()));
    };
    let listed = listed(description)?;
    match listed.name == name {
        true => Ok(listed),
        false => Err(format!("asked for {name}, {} is described", listed.name)),
    }
}

/// One balancer of a `DescribeLoadBalancers` reply.
pub(super) fn listed(description: &sdk::LoadBalancerDescription) -> Result<Listed, String> {
    Ok(Listed {
        name: text(description.load_balancer_name(), "the balancer has no name")?,
        dns_name: text(description.dns_name(), "the balancer has no DNS name")?,
        scheme: text(description.scheme(), "the balancer has no scheme")?,
        vpc: description.vpc_id().filter(|vpc| !vpc.is_empty()).map(str::to_owned),
        listeners: listeners(description.listener_descriptions())?,
        backend_policies: backend_policies(description.backend_server_descriptions())?,
        policy_names: policy_names(description.policies()),
        health_check: description.health_check().map(health_check).transpose()?,
        instances: description.instances().iter().filter_map(|instance| instance.instance_id()).map(str::to_owned).collect(),
        security_groups: description.security_groups().iter().cloned().collect(),
        subnets: description.subnets().iter().cloned().collect(),
        availability_zones: description.availability_zones().iter().cloned().collect(),
    })
}

fn policy_names(policies: Option<&sdk::Policies>) -> BTreeSet<String> {
    let Some(policies) = policies else { return BTreeSet::new() };
    let app_cookie = policies.app_cookie_stickiness_policies().iter().filter_map(|policy| policy.policy_name());
    let lb_cookie = policies.lb_cookie_stickiness_policies().iter().filter_map(|policy| policy.policy_name());
    let others = policies.other_policies().iter().map(String::as_str);
    app_cookie.chain(lb_cookie).chain(others).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn listeners(descriptions: &[sdk::ListenerDescription]) -> Result<BTreeMap<u16, Listener>, String> {
    let mut listeners = BTreeMap::new();
    for description in descriptions {
        let found = description.listener().ok_or("a listener is described without its ports")?;
        let load_balancer_port =
            port(found.load_balancer_port()).map_err(|why| format!("a listener's load balancer port {why}"))?;
        let of = |what: &str| format!("listener {load_balancer_port} has no {what}");
        let listener = Listener {
            protocol: Protocol::from(text(Some(found.protocol()), &of("protocol"))?),
            load_balancer_port,
            instance_protocol: Protocol::from(text(found.instance_protocol(), &of("instance protocol"))?),
            instance_port: port(found.instance_port())
                .map_err(|why| format!("the instance port of listener {load_balancer_port} {why}"))?,
            certificate: found.ssl_certificate_id().filter(|arn| !arn.is_empty()).map(CertificateArn::observed),
            policies: names(description.policy_names()),
        };
        if listeners.insert(load_balancer_port, listener).is_some() {
            return Err(format!("listener {load_balancer_port} is described twice"));
        }
    }
    Ok(listeners)
}

/// A port described without policies counts as not described; twice with the same policies counts once.
fn backend_policies(descriptions: &[sdk::BackendServerDescription]) -> Result<BTreeMap<u16, BTreeSet<String>>, String> {
    let mut ports = BTreeMap::new();
    for description in descriptions.iter().filter(|description| !description.policy_names().is_empty()) {
        let number = description.instance_port().unwrap_or_default();
        let number = port(number).map_err(|why| format!("an instance port with policies {why}"))?;
        let policies = names(description.policy_names());
        if ports.insert(number, policies.clone()).is_some_and(|earlier| earlier != policies) {
            return Err(format!("the policies of instance port {number} are described twice, differently"));
        }
    }
    Ok(ports)
}

fn health_check(found: &sdk::HealthCheck) -> Result<HealthCheck, String> {
    Ok(HealthCheck {
        target: found.target().parse().map_err(|why| format!("the health check cannot be read: {why}"))?,
        interval: positive(found.interval(), "the health check's interval")?,
        timeout: positive(found.timeout(), "the health check's timeout")?,
        unhealthy_threshold: positive(found.unhealthy_threshold(), "the health check's unhealthy threshold")?,
        healthy_threshold: positive(found.healthy_threshold(), "the health check's healthy threshold")?,
    })
}

/// Every policy by name, of whatever type.
pub(super) fn policies(descriptions: &[sdk::PolicyDescription]) -> Result<BTreeMap<String, Policy>, String> {
    let mut policies = BTreeMap::new();
    for description in descriptions {
        let name = text(description.policy_name(), "a policy has no name")?;
        let policy_type = text(description.policy_type_name(), &format!("policy {name} has no type"))?;
        let mut attributes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for attribute in description.policy_attribute_descriptions() {
            let key = text(attribute.attribute_name(), &format!("policy {name} has an attribute without a name"))?;
            attributes.entry(key).or_default().extend(attribute.attribute_value().map(str::to_owned));
        }
        if policies.insert(name.clone(), Policy { policy_type, attributes }).is_some() {
            return Err(format!("policy {name} is described twice"));
        }
    }
    Ok(policies)
}

/// The attributes; each group of them is required, since what the service leaves out cannot be known.
pub(super) fn attributes(found: Option<&sdk::LoadBalancerAttributes>) -> Result<Attributes, String> {
    let found = found.ok_or("the reply holds no attributes")?;
    let settings = found.connection_settings().ok_or("the idle timeout is missing")?;
    let cross_zone = found.cross_zone_load_balancing().ok_or("the attribute for cross-zone balancing is missing")?;
    let draining = found.connection_draining().ok_or("the attribute for connection draining is missing")?;
    let log = found.access_log().ok_or("the attribute for the access log is missing")?;
    let mut additional = BTreeMap::new();
    for attribute in found.additional_attributes() {
        let key = text(attribute.key(), "an additional attribute has no key")?;
        let value = attribute.value().unwrap_or_default().to_owned();
        if additional.insert(key.clone(), value.clone()).is_some_and(|earlier| earlier != value) {
            return Err(format!("the attribute {key} is described twice, differently"));
        }
    }
    Ok(Attributes {
        idle_timeout: positive(settings.idle_timeout(), "the idle timeout")?,
        cross_zone: cross_zone.enabled(),
        connection_draining: ConnectionDraining {
            enabled: draining.enabled(),
            timeout: draining
                .timeout()
                .map(|timeout| positive(timeout, "the timeout of connection draining"))
                .transpose()?,
        },
        access_log: AccessLog {
            enabled: log.enabled(),
            bucket: log.s3_bucket_name().filter(|bucket| !bucket.is_empty()).map(str::to_owned),
            prefix: log.s3_bucket_prefix().filter(|prefix| !prefix.is_empty()).map(str::to_owned),
            emit_interval: log.emit_interval().map(|minutes| positive(minutes, "the access log's interval")).transpose()?,
        },
        additional,
    })
}

/// The tags of one balancer. A reply that does not describe it says nothing about its tags, so that is no "none".
pub(super) fn tags(name: &str, descriptions: &[sdk::TagDescription]) -> Result<BTreeMap<String, String>, String> {
    let description = descriptions
        .iter()
        .find(|description| description.load_balancer_name() == Some(name))
        .ok_or_else(|| format!("the tags of {name} are not in the reply"))?;
    let mut tags = BTreeMap::new();
    for tag in description.tags() {
        let key = text(Some(tag.key()), "a tag has no key")?;
        if tags.insert(key.clone(), tag.value().unwrap_or_default().to_owned()).is_some() {
            return Err(format!("the tag {key} is listed twice"));
        }
    }
    Ok(tags)
}

fn names(names: &[String]) -> BTreeSet<String> {
    names.iter().filter(|name| !name.is_empty()).cloned().collect()
}

fn text(found: Option<&str>, missing: &str) -> Result<String, String> {
    match found {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(missing.to_owned()),
    }
}

fn port(number: i32) -> Result<u16, String> {
    match u16::try_from(number) {
        Ok(0) => Err("is missing or 0".to_owned()),
        Ok(port) => Ok(port),
        Err(_) => Err(format!("is {number}, which is no port")),
    }
}

fn positive(number: i32, what: &str) -> Result<u32, String> {
    match u32::try_from(number) {
        Ok(0) => Err(format!("{what} is missing or 0")),
        Ok(number) => Ok(number),
        Err(_) => Err(format!("{what} is {number}")),
    }
}

#[cfg(test)]
mod tests;
