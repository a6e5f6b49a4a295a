//! Replies as the model, as the adapter reads them. `same_as_the_wire` holds this against the real adapter.

use std::collections::{BTreeMap, BTreeSet};

use elbws::model::{
    AccessLog, Attributes, Balancer, CertificateArn, ConnectionDraining, HealthCheck, Listener, Policy, Protocol,
};
use elbws::sandbox::control::Element;

/// A balancer from the replies to its four reads.
pub(crate) fn balancer([described, policies, attributes, tags]: [&Element; 4]) -> Balancer {
    let [found] = list(described, "LoadBalancerDescriptions") else { panic!("one balancer is described") };
    Balancer {
        name: text(found, "LoadBalancerName"),
        dns_name: text(found, "DNSName"),
        scheme: text(found, "Scheme"),
        vpc: member(found, "VPCId").map(value),
        listeners: list(found, "ListenerDescriptions")
            .iter()
            .map(listener)
            .map(|one| (one.load_balancer_port, one))
            .collect(),
        backend_policies: list(found, "BackendServerDescriptions")
            .iter()
            .map(|one| (number(one, "InstancePort"), texts(one, "PolicyNames")))
            .collect(),
        policies: list(policies, "PolicyDescriptions").iter().map(policy).collect(),
        health_check: member(found, "HealthCheck").map(health_check),
        attributes: read_attributes(required(attributes, "LoadBalancerAttributes")),
        instances: list(found, "Instances").iter().map(|one| text(one, "InstanceId")).collect(),
        security_groups: texts(found, "SecurityGroups"),
        subnets: texts(found, "Subnets"),
        availability_zones: texts(found, "AvailabilityZones"),
        tags: list(tags, "TagDescriptions")
            .iter()
            .flat_map(|one| list(one, "Tags"))
            .map(|tag| (text(tag, "Key"), text(tag, "Value")))
            .collect(),
    }
}

fn listener(description: &Element) -> Listener {
    let found = required(description, "Listener");
    Listener {
        protocol: Protocol::from(text(found, "Protocol")),
        load_balancer_port: number(found, "LoadBalancerPort"),
        instance_protocol: Protocol::from(text(found, "InstanceProtocol")),
        instance_port: number(found, "InstancePort"),
        certificate: member(found, "SSLCertificateId").map(value).map(CertificateArn::observed),
        policies: texts(description, "PolicyNames"),
    }
}

fn policy(description: &Element) -> (String, Policy) {
    let mut attributes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for attribute in list(description, "PolicyAttributeDescriptions") {
        attributes.entry(text(attribute, "AttributeName")).or_default().insert(text(attribute, "AttributeValue"));
    }
    (text(description, "PolicyName"), Policy { policy_type: text(description, "PolicyTypeName"), attributes })
}

fn health_check(found: &Element) -> HealthCheck {
    HealthCheck {
        target: text(found, "Target").parse().expect("the sandbox describes legal targets"),
        interval: number(found, "Interval"),
        timeout: number(found, "Timeout"),
        unhealthy_threshold: number(found, "UnhealthyThreshold"),
        healthy_threshold: number(found, "HealthyThreshold"),
    }
}

fn read_attributes(found: &Element) -> Attributes {
    let draining = required(found, "ConnectionDraining");
    let log = required(found, "AccessLog");
    Attributes {
        idle_timeout: number(required(found, "ConnectionSettings"), "IdleTimeout"),
        cross_zone: flag(required(found, "CrossZoneLoadBalancing"), "Enabled"),
        connection_draining: ConnectionDraining {
            enabled: flag(draining, "Enabled"),
            timeout: member(draining, "Timeout").map(|_| number(draining, "Timeout")),
        },
        access_log: AccessLog {
            enabled: flag(log, "Enabled"),
            bucket: member(log, "S3BucketName").map(value),
            prefix: member(log, "S3BucketPrefix").map(value),
            emit_interval: member(log, "EmitInterval").map(|_| number(log, "EmitInterval")),
        },
        additional: list(found, "AdditionalAttributes").iter().map(|one| (text(one, "Key"), text(one, "Value"))).collect(),
    }
}

fn member<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    match element {
        Element::Struct(members) => members.iter().find(|(found, _)| *found == name).map(|(_, element)| element),
        other => panic!("{name} is looked for in {other:?}"),
    }
}

fn required<'a>(element: &'a Element, name: &str) -> &'a Element {
    member(element, name).unwrap_or_else(|| panic!("{name} is missing in {element:?}"))
}

fn value(element: &Element) -> String {
    match element {
        Element::Text(text) => text.clone(),
        other => panic!("{other:?} is no text"),
    }
}

fn text(element: &Element, name: &str) -> String {
    value(required(element, name))
}

fn number<N: TryFrom<i64>>(element: &Element, name: &str) -> N {
    match required(element, name) {
        Element::Number(number) => N::try_from(*number).ok().expect("a number of the right size"),
        other => panic!("{name} is {other:?}"),
    }
}

fn flag(element: &Element, name: &str) -> bool {
    matches!(required(element, name), Element::Bool(true))
}

fn list<'a>(element: &'a Element, name: &str) -> &'a [Element] {
    match member(element, name) {
        Some(Element::List(list)) => list,
        None => &[],
        Some(other) => panic!("{name} is {other:?}"),
    }
}

fn texts(element: &Element, name: &str) -> BTreeSet<String> {
    list(element, name).iter().map(value).collect()
}
