//! EC2's descriptions, answered from the seed: only what somebody who looks around a balancer asks for.
//!
//! Identifiers that the sandbox merely takes to exist (see `network`) are not listed here.

use std::collections::BTreeSet;

use super::network::{Network, Peer, Rule, is_id};
use super::{ApiError, Element, Reader, Request, World};

/// A filter: its name and the values it accepts.
struct Filter {
    name: String,
    values: Vec<String>,
}

/// One described thing: its identifier, what filters see of it, and its description.
struct Row {
    id: String,
    facts: Vec<(&'static str, Vec<String>)>,
    element: Element,
}

/// What is being asked for: the reply's list, the parameter that names identifiers, the identifiers' prefix, and the
/// code for an identifier that does not exist.
struct Question {
    set: &'static str,
    ids: &'static str,
    prefix: &'static str,
    unknown: &'static str,
}

pub(crate) fn vpcs(world: &World, request: &Request) -> Result<Element, ApiError> {
    let question = Question { set: "vpcSet", ids: "VpcId", prefix: "vpc", unknown: "InvalidVpcID.NotFound" };
    let region = world.region(request);
    let rows = region.network.vpcs.iter().map(|(id, vpc)| Row {
        id: id.clone(),
        facts: vec![("vpc-id", vec![id.clone()]), ("is-default", vec![vpc.is_default.to_string()])],
        element: Element::new()
            .with("vpcId", id)
            .with("ownerId", &world.account)
            .with("state", "available")
            .with("cidrBlock", &vpc.cidr)
            .with("instanceTenancy", "default")
            .with("isDefault", vpc.is_default),
    });
    answer(&question, rows.collect(), request)
}

pub(crate) fn subnets(world: &World, request: &Request) -> Result<Element, ApiError> {
    let question = Question { set: "subnetSet", ids: "SubnetId", prefix: "subnet", unknown: "InvalidSubnetID.NotFound" };
    let region = world.region(request);
    let rows = region.network.subnets.iter().map(|(id, subnet)| {
        let default = region.network.default_vpc() == Some(subnet.vpc.as_str());
        Row {
            id: id.clone(),
            facts: vec![
                ("subnet-id", vec![id.clone()]),
                ("vpc-id", vec![subnet.vpc.clone()]),
                ("availability-zone", vec![subnet.zone.clone()]),
                ("default-for-az", vec![default.to_string()]),
            ],
            element: Element::new()
                .with("subnetId", id)
                .with("subnetArn", format!("arn:aws:ec2:{}:{}:subnet/{id}", request.region, world.account))
                .with("state", "available")
                .with("ownerId", &world.account)
                .with("vpcId", &subnet.vpc)
                .with("cidrBlock", &subnet.cidr)
                .with("availableIpAddressCount", 251_u32)
                .with("availabilityZone", &subnet.zone)
                .with("defaultForAz", default)
                .with("mapPublicIpOnLaunch", subnet.public),
        }
    });
    answer(&question, rows.collect(), request)
}

pub(crate) fn security_groups(world: &World, request: &Request) -> Result<Element, ApiError> {
    let question = Question { set: "securityGroupInfo", ids: "GroupId", prefix: "sg", unknown: "InvalidGroup.NotFound" };
    let region = world.region(request);
    let rows = region.network.security_groups.iter().map(|(id, group)| {
        let rules = |rules: &[Rule]| Element::List(rules.iter().map(|rule| permission(rule, &world.account)).collect());
        Row {
            id: id.clone(),
            facts: vec![
                ("group-id", vec![id.clone()]),
                ("group-name", vec![group.name.clone()]),
                ("vpc-id", vec![group.vpc.clone()]),
            ],
            element: Element::new()
                .with("ownerId", &world.account)
                .with("groupId", id)
                .with("groupName", &group.name)
                .with("groupDescription", &group.name)
                .with("vpcId", &group.vpc)
                .with("ipPermissions", rules(&group.ingress))
                .with("ipPermissionsEgress", rules(&group.egress)),
        }
    });
    answer(&question, rows.collect(), request)
}

fn permission(rule: &Rule, account: &str) -> Element {
    let Rule { protocol, ports, peer } = rule;
    let (groups, ranges) = match peer {
        Peer::Cidr(cidr) => (vec![], vec![Element::new().with("cidrIp", cidr)]),
        Peer::Group(id) => (vec![Element::new().with("userId", account).with("groupId", id)], vec![]),
    };
    Element::new()
        .with("ipProtocol", protocol)
        .maybe("fromPort", ports.map(|(first, _)| first))
        .maybe("toPort", ports.map(|(_, last)| last))
        .with("groups", Element::List(groups))
        .with("ipRanges", Element::List(ranges))
}

pub(crate) fn instances(world: &World, request: &Request) -> Result<Element, ApiError> {
    let question = Question { set: "reservationSet", ids: "InstanceId", prefix: "i", unknown: "InvalidInstanceID.NotFound" };
    let region = world.region(request);
    let network = &region.network;
    // There can be tens of thousands, and a call asks for few: only those are described.
    let named = filtered(request, "instance-id")?;
    let asked = network.instances.iter().filter(|(id, _)| named.as_ref().is_none_or(|named| named.contains(*id)));
    let rows = asked.map(|(id, instance)| {
        let subnet = network.subnets.get(&instance.subnet);
        let vpc = subnet.map(|subnet| subnet.vpc.clone()).unwrap_or_default();
        let zone = subnet.map(|subnet| subnet.zone.clone()).unwrap_or_default();
        let groups = instance.security_groups.iter().map(|group| {
            let name = network.security_groups.get(group).map_or("sandbox", |group| group.name.as_str());
            Element::new().with("groupId", group).with("groupName", name)
        });
        let content = Element::new()
            .with("instanceId", id)
            .with("instanceType", "t3.micro")
            .with("instanceState", Element::new().with("code", 16_u32).with("name", "running"))
            .with("placement", Element::new().with("availabilityZone", &zone))
            .with("subnetId", &instance.subnet)
            .with("vpcId", &vpc)
            .with("privateIpAddress", &instance.private_ip)
            .with("groupSet", Element::List(groups.collect()));
        Row {
            id: id.clone(),
            facts: vec![
                ("instance-id", vec![id.clone()]),
                ("vpc-id", vec![vpc]),
                ("subnet-id", vec![instance.subnet.clone()]),
                ("availability-zone", vec![zone]),
                ("instance.group-id", instance.security_groups.clone()),
                ("instance-state-name", vec!["running".to_owned()]),
            ],
            element: Element::new()
                .with("reservationId", id.replacen("i-", "r-", 1))
                .with("ownerId", &world.account)
                .with("instancesSet", Element::List(vec![content])),
        }
    });
    answer(&question, rows.collect(), request)
}

pub(crate) fn internet_gateways(world: &World, request: &Request) -> Result<Element, ApiError> {
    let question = Question {
        set: "internetGatewaySet",
        ids: "InternetGatewayId",
        prefix: "igw",
        unknown: "InvalidInternetGatewayID.NotFound",
    };
    let region = world.region(request);
    let gateways = region.network.vpcs.iter().filter_map(|(vpc, content)| Some((vpc, content.internet_gateway.as_ref()?)));
    let rows = gateways.map(|(vpc, id)| Row {
        id: id.clone(),
        facts: vec![("internet-gateway-id", vec![id.clone()]), ("attachment.vpc-id", vec![vpc.clone()])],
        element: Element::new()
            .with("internetGatewayId", id)
            .with("ownerId", &world.account)
            .with("attachmentSet", Element::List(vec![Element::new().with("vpcId", vpc).with("state", "available")])),
    });
    answer(&question, rows.collect(), request)
}

/// Two route tables a VPC: the main one, which public subnets use, and one without a way out, if there are private subnets.
pub(crate) fn route_tables(world: &World, request: &Request) -> Result<Element, ApiError> {
    let question =
        Question { set: "routeTableSet", ids: "RouteTableId", prefix: "rtb", unknown: "InvalidRouteTableID.NotFound" };
    let region = world.region(request);
    let mut rows = Vec::new();
    for vpc in region.network.vpcs.keys() {
        rows.push(route_table(&region.network, vpc, true, &world.account));
        if region.network.subnets.values().any(|subnet| subnet.vpc == *vpc && !subnet.public) {
            rows.push(route_table(&region.network, vpc, false, &world.account));
        }
    }
    answer(&question, rows, request)
}

fn route_table(network: &Network, vpc: &str, main: bool, account: &str) -> Row {
    let id = format!("rtb-{}", super::ids::hex(&[vpc, if main { "main" } else { "private" }], 17));
    let content = network.vpcs.get(vpc);
    let route = |to: &str, through: &str| {
        Element::new().with("destinationCidrBlock", to).with("gatewayId", through).with("state", "active")
    };
    let mut routes: Vec<Element> = content.map(|vpc| route(&vpc.cidr, "local")).into_iter().collect();
    let gateway = content.and_then(|vpc| vpc.internet_gateway.as_deref()).filter(|_| main);
    routes.extend(gateway.map(|gateway| route("0.0.0.0/0", gateway)));
    let association = |name: &str, subnet: Option<&str>| {
        Element::new()
            .with("routeTableAssociationId", id.replacen("rtb-", "rtbassoc-", 1) + name)
            .with("routeTableId", &id)
            .maybe("subnetId", subnet)
            .with("main", subnet.is_none())
    };
    let members = network.subnets.iter().filter(|(_, subnet)| subnet.vpc == vpc && subnet.public == main);
    let members: Vec<&String> = members.map(|(id, _)| id).collect();
    let mut associations: Vec<Element> = main.then(|| association("", None)).into_iter().collect();
    associations.extend(members.iter().map(|subnet| association(subnet, Some(subnet))));
    Row {
        facts: vec![
            ("route-table-id", vec![id.clone()]),
            ("vpc-id", vec![vpc.to_owned()]),
            ("association.main", vec![main.to_string()]),
            ("association.subnet-id", members.into_iter().cloned().collect()),
        ],
        element: Element::new()
            .with("routeTableId", &id)
            .with("vpcId", vpc)
            .with("ownerId", account)
            .with("routeSet", Element::List(routes))
            .with("associationSet", Element::List(associations)),
        id,
    }
}

pub(crate) fn zones(world: &World, request: &Request) -> Result<Element, ApiError> {
    let question = Question { set: "availabilityZoneInfo", ids: "ZoneName", prefix: "", unknown: "InvalidParameterValue" };
    let region = world.region(request);
    let mut names: Vec<&str> = region.network.subnets.values().map(|subnet| subnet.zone.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let rows = names.into_iter().map(|name| Row {
        id: name.to_owned(),
        facts: vec![("zone-name", vec![name.to_owned()]), ("region-name", vec![request.region.clone()])],
        element: Element::new().with("zoneName", name).with("zoneState", "available").with("regionName", &request.region),
    });
    answer(&question, rows.collect(), request)
}

/// The regions in which something was created, and the one that is asked.
pub(crate) fn regions(world: &World, request: &Request) -> Result<Element, ApiError> {
    let question = Question { set: "regionInfo", ids: "RegionName", prefix: "", unknown: "InvalidParameterValue" };
    let mut names: Vec<&String> = world.regions.keys().chain([&request.region]).collect();
    names.sort_unstable();
    names.dedup();
    let rows = names.into_iter().map(|name| Row {
        id: name.clone(),
        facts: vec![("region-name", vec![name.clone()]), ("opt-in-status", vec!["opt-in-not-required".to_owned()])],
        element: Element::new()
            .with("regionName", name)
            .with("regionEndpoint", format!("ec2.{name}.amazonaws.com"))
            .with("optInStatus", "opt-in-not-required"),
    });
    answer(&question, rows.collect(), request)
}

/// Picks the rows that are asked for by identifier and filters. Other parameters, such as those of paging, are not looked at:
/// every description fits one page.
fn answer(question: &Question, rows: Vec<Row>, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.any_members();
    let ids: Vec<String> = input.flat(question.ids)?.iter().map(Reader::own_text).collect::<Result<_, _>>()?;
    for id in &ids {
        if !question.prefix.is_empty() && !is_id(question.prefix, id) {
            let code = question.unknown.replace(".NotFound", ".Malformed");
            return Err(ApiError::new(&code, format!("Invalid id: \"{id}\"")));
        }
        if !rows.iter().any(|row| row.id == *id) {
            return Err(ApiError::new(question.unknown, format!("The ID '{id}' does not exist")));
        }
    }
    let filters: Vec<Filter> = input.flat("Filter")?.iter().map(filter).collect::<Result<_, _>>()?;
    let mut wanted = Vec::new();
    for row in rows {
        let mut matches = ids.is_empty() || ids.contains(&row.id);
        for Filter { name, values } in &filters {
            let Some((_, facts)) = row.facts.iter().find(|(fact, _)| fact == name) else {
                return Err(ApiError::new("InvalidParameterValue", format!("The filter '{name}' is invalid")));
            };
            matches &= facts.iter().any(|fact| values.contains(fact));
        }
        if matches {
            wanted.push(row.element);
        }
    }
    Ok(Element::new().with(question.set, Element::List(wanted)))
}

/// The values that a filter accepts; `None` if the request has no such filter.
fn filtered(request: &Request, name: &str) -> Result<Option<BTreeSet<String>>, ApiError> {
    let input = request.params.any_members();
    let filters: Vec<Filter> = input.flat("Filter")?.iter().map(filter).collect::<Result<_, _>>()?;
    Ok(filters.into_iter().find(|filter| filter.name == name).map(|filter| filter.values.into_iter().collect()))
}

fn filter(reader: &Reader<'_>) -> Result<Filter, ApiError> {
    let values = reader.flat("Value")?.iter().map(Reader::own_text).collect::<Result<_, _>>()?;
    Ok(Filter { name: reader.required("Name")?, values })
}
