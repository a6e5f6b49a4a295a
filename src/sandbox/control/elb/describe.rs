//! `DescribeLoadBalancers`: everything about balancers but their attributes, tags and policy contents.

use super::{health_check, instances, paging};
use crate::model::{Balancer, Listener, policy_type};
use crate::sandbox::control::{ApiError, Element, LoadBalancer, Region, Request, World, ids};

pub(crate) fn describe(world: &World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerNames", "Marker", "PageSize"])?;
    let mut names = input.texts("LoadBalancerNames")?.unwrap_or_default();
    let region = world.region(request);
    let asked = match names.is_empty() {
        true => region.load_balancers.values().collect(),
        false => {
            names.sort_unstable();
            names.dedup();
            names.iter().map(|name| world.load_balancer(request, name)).collect::<Result<Vec<_>, _>>()?
        }
    };
    let page = paging::page(&input, asked, |found| found.balancer.name.as_str())?;
    let descriptions = page.entries.into_iter().map(|found| description(found, &region, &world.account)).collect();
    Ok(Element::new().with("LoadBalancerDescriptions", Element::List(descriptions)).maybe("NextMarker", page.next))
}

fn description(load_balancer: &LoadBalancer, region: &Region, account: &str) -> Element {
    let LoadBalancer { balancer, created, by_zone: _, health: _, draining: _ } = load_balancer;
    let Balancer {
        name,
        dns_name,
        scheme,
        vpc,
        listeners,
        backend_policies,
        policies: _,
        health_check,
        attributes: _,
        instances,
        security_groups,
        subnets,
        availability_zones,
        tags: _,
    } = balancer;
    let backends = backend_policies
        .iter()
        .map(|(port, names)| Element::new().with("InstancePort", *port).with("PolicyNames", Element::texts(names)));
    let group = security_groups.first().map(|id| {
        let group = region.network.security_groups.get(id);
        let name = group.map_or_else(|| format!("sandbox-{id}"), |group| group.name.clone());
        Element::new().with("OwnerAlias", account).with("GroupName", name)
    });
    Element::new()
        .with("LoadBalancerName", name)
        .with("DNSName", dns_name)
        .with("CanonicalHostedZoneName", dns_name)
        .with("CanonicalHostedZoneNameID", hosted_zone(&region.name))
        .with("ListenerDescriptions", Element::List(listeners.values().map(listener).collect()))
        .with("Policies", policies(balancer))
        .with("BackendServerDescriptions", Element::List(backends.collect()))
        .with("AvailabilityZones", Element::texts(availability_zones))
        .with("Subnets", Element::texts(subnets))
        .maybe("VPCId", vpc.as_ref())
        .with("Instances", instances::described(instances))
        .maybe("HealthCheck", health_check.as_ref().map(health_check::described))
        .maybe("SourceSecurityGroup", group)
        .with("SecurityGroups", Element::texts(security_groups))
        .with("CreatedTime", *created)
        .with("Scheme", scheme)
}

fn listener(listener: &Listener) -> Element {
    let Listener { protocol, load_balancer_port, instance_protocol, instance_port, certificate, policies } = listener;
    let content = Element::new()
        .with("Protocol", protocol.to_string())
        .with("LoadBalancerPort", *load_balancer_port)
        .with("InstanceProtocol", instance_protocol.to_string())
        .with("InstancePort", *instance_port)
        .maybe("SSLCertificateId", certificate.as_ref().map(|arn| arn.as_str()));
    Element::new().with("Listener", content).with("PolicyNames", Element::texts(policies))
}

/// The balancer's policies by kind: the two kinds of stickiness with their content, all others by name alone.
fn policies(balancer: &Balancer) -> Element {
    let (mut app_cookie, mut lb_cookie, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for (name, policy) in &balancer.policies {
        let first = |attribute: &str| policy.attributes.get(attribute).and_then(|values| values.first());
        let entry = Element::new().with("PolicyName", name);
        match policy.policy_type.as_str() {
            policy_type::APP_COOKIE_STICKINESS => app_cookie.push(entry.maybe("CookieName", first("CookieName"))),
            policy_type::LB_COOKIE_STICKINESS => {
                lb_cookie.push(entry.maybe("CookieExpirationPeriod", first("CookieExpirationPeriod")));
            }
            _ => other.push(Element::from(name)),
        }
    }
    Element::new()
        .with("AppCookieStickinessPolicies", Element::List(app_cookie))
        .with("LBCookieStickinessPolicies", Element::List(lb_cookie))
        .with("OtherPolicies", Element::List(other))
}

/// The hosted zone of a region's balancers. It has the form of a real one and is derived from the region's name.
fn hosted_zone(region: &str) -> String {
    format!("Z{}", ids::hex(&["hosted-zone", region], 13).to_ascii_uppercase())
}
