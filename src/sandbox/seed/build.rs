//! From seed to world: network and certificates are put in place, balancers are created by calling the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Seed, SeedBalancer, SeedCertificate, SeedError, SeedListener, SeedRule, SeedStore};
use crate::model::{CertificateArn, CertificateStore, Protocol};
use crate::sandbox::authority::{Authority, KeyKind};
use crate::sandbox::control::certificates::{self, ServerCertificate};
use crate::sandbox::control::network::{Instance, Network, Peer, Rule, SecurityGroup, Subnet, is_id};
use crate::sandbox::control::{Action, Params, Region, Request, Service, World, is_region, perform, uuid};

/// Builds the world that a seed describes.
pub(in crate::sandbox) fn build(seed: &Seed, authority: &Authority, at: Timestamp) -> Result<World, SeedError> {
    if !is_region(&seed.region) {
        return Err(refused("region", format!("`{}` is not a region such as eu-west-1", seed.region)));
    }
    if seed.account.len() != 12 || !seed.account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused("account", format!("`{}` is not an account: give twelve digits", seed.account)));
    }
    let mut world = World::new(&seed.account, seed.switches);
    world.load_balancer_quota = world.load_balancer_quota.max(seed.balancers.len());
    let mut region = Region::new(&seed.region, &seed.account);
    region.network = network(seed)?;
    world.regions.insert(seed.region.clone(), region);
    let mut arns = BTreeMap::new();
    for certificate in &seed.certificates {
        let field = format!("certificates.{}", certificate.name);
        let arn =
            add_certificate(&mut world, seed, certificate, authority, at).map_err(|message| refused(&field, message))?;
        if arns.insert(certificate.name.clone(), arn).is_some() {
            return Err(refused(&field, "the name is given twice"));
        }
    }
    for balancer in &seed.balancers {
        if world.regions.values().any(|region| region.load_balancers.contains_key(&balancer.name)) {
            return Err(refused(&format!("balancers.{}", balancer.name), "the name is given twice"));
        }
        world = Builder { world, seed, balancer, at }.build(&arns)?;
    }
    Ok(world)
}

fn refused(field: &str, message: impl Into<String>) -> SeedError {
    SeedError::Refused { field: field.to_owned(), message: message.into() }
}

fn check_id(field: &str, prefix: &str, id: &str) -> Result<(), SeedError> {
    match is_id(prefix, id) {
        true => Ok(()),
        false => Err(refused(field, format!("`{id}` is not an identifier: give {prefix}- and 8 or 17 hexadecimal digits"))),
    }
}

fn network(seed: &Seed) -> Result<Network, SeedError> {
    let (region, account) = (&seed.region, &seed.account);
    let mut network = if seed.subnets.is_empty() && seed.vpcs.is_empty() {
        Network::of_new_account(region, account)
    } else {
        Network::default()
    };
    for vpc in &seed.vpcs {
        check_id("vpcs.id", "vpc", &vpc.id)?;
        network.add_vpc(&vpc.id, vpc.cidr.as_deref().unwrap_or("10.0.0.0/16"), vpc.default, vpc.internet_gateway);
    }
    if network.vpcs.is_empty() {
        network.add_default_vpc(region, account);
    }
    let default_vpc =
        network.default_vpc().or(network.vpcs.keys().next().map(String::as_str)).unwrap_or_default().to_owned();
    let vpc_of = |field: &str, vpc: &Option<String>, network: &Network| match vpc {
        None => Ok(default_vpc.clone()),
        Some(vpc) if network.vpcs.contains_key(vpc) => Ok(vpc.clone()),
        Some(vpc) => Err(refused(field, format!("there is no VPC {vpc} in the seed"))),
    };
    network.subnets_listed = !seed.subnets.is_empty();
    for (number, subnet) in seed.subnets.iter().enumerate() {
        check_id("subnets.id", "subnet", &subnet.id)?;
        if subnet.zone.strip_prefix(region.as_str()).is_none_or(|letter| letter.len() != 1) {
            let zone = &subnet.zone;
            return Err(refused("subnets.zone", format!("`{zone}` is not a zone of {region}, such as {region}a")));
        }
        let vpc = vpc_of("subnets.vpc", &subnet.vpc, &network)?;
        let cidr = subnet.cidr.clone().unwrap_or_else(|| format!("10.0.{}.0/24", number % 256));
        network.subnets.insert(
            subnet.id.clone(),
            Subnet { vpc, zone: subnet.zone.clone(), cidr, public: subnet.public, made_up: false },
        );
    }
    network.security_groups_listed = !seed.security_groups.is_empty();
    for group in &seed.security_groups {
        check_id("security_groups.id", "sg", &group.id)?;
        let vpc = vpc_of("security_groups.vpc", &group.vpc, &network)?;
        let everything = Rule { protocol: "-1".to_owned(), ports: None, peer: Peer::Cidr("0.0.0.0/0".to_owned()) };
        let ingress = group.ingress.iter().map(rule).collect::<Result<_, _>>()?;
        let egress = match &group.egress {
            None => vec![everything],
            Some(rules) => rules.iter().map(rule).collect::<Result<_, _>>()?,
        };
        let group_content = SecurityGroup { name: group.name.clone(), vpc, ingress, egress };
        network.security_groups.insert(group.id.clone(), group_content);
    }
    add_instances(seed, &mut network)?;
    Ok(network)
}

fn rule(rule: &SeedRule) -> Result<Rule, SeedError> {
    let peer = match (&rule.cidr, &rule.group) {
        (Some(cidr), None) => Peer::Cidr(cidr.clone()),
        (None, Some(group)) => Peer::Group(group.clone()),
        _ => return Err(refused("security_groups", "a rule needs exactly one of `cidr` and `group`")),
    };
    let ports = rule.ports.or(rule.port.map(|port| (port, port)));
    Ok(Rule { protocol: rule.protocol.clone().unwrap_or_else(|| "tcp".to_owned()), ports, peer })
}

fn add_instances(seed: &Seed, network: &mut Network) -> Result<(), SeedError> {
    network.instances_listed = !seed.instances.is_empty();
    for (number, instance) in seed.instances.iter().enumerate() {
        check_id("instances.id", "i", &instance.id)?;
        let subnet = instance.subnet.clone().or_else(|| network.subnets.keys().next().cloned()).unwrap_or_default();
        if !network.subnets.contains_key(&subnet) {
            return Err(refused("instances.subnet", format!("there is no subnet {subnet} in the seed")));
        }
        if let Some(group) = instance.security_groups.iter().find(|group| !network.knows_security_group(group)) {
            return Err(refused("instances.security_groups", format!("there is no security group {group} in the seed")));
        }
        let private_ip =
            instance.private_ip.clone().unwrap_or_else(|| format!("10.0.{}.{}", number / 200, 10 + number % 200));
        let security_groups = instance.security_groups.clone();
        network
            .instances
            .insert(instance.id.clone(), Instance { subnet, private_ip, security_groups, state: instance.state });
    }
    Ok(())
}

fn add_certificate(
    world: &mut World,
    seed: &Seed,
    wanted: &SeedCertificate,
    authority: &Authority,
    at: Timestamp,
) -> Result<CertificateArn, String> {
    let arn = match (&wanted.arn, wanted.store) {
        (Some(arn), _) => arn.parse::<CertificateArn>().map_err(|malformed| malformed.to_string())?,
        (None, SeedStore::Acm) => {
            let id = uuid(&[&seed.account, &seed.region, "seed", &wanted.name]);
            CertificateArn::observed(format!("arn:aws:acm:{}:{}:certificate/{id}", seed.region, seed.account))
        }
        (None, SeedStore::Iam) => {
            CertificateArn::observed(format!("arn:aws:iam::{}:server-certificate/{}", seed.account, wanted.name))
        }
    };
    let in_acm = arn.store() == Some(CertificateStore::Acm);
    if in_acm && arn.region() != Some(seed.region.as_str()) {
        return Err(format!("a certificate of ACM must be in the seed's region {}", seed.region));
    }
    let names: Vec<String> = [&wanted.domain].into_iter().chain(&wanted.alternative_names).cloned().collect();
    let kind = if in_acm { KeyKind::Rsa2048 } else { KeyKind::EcdsaP256 };
    let issued = authority.issue(&names, kind, at).map_err(|error| format!("cannot issue a certificate: {error}"))?;
    let read = certificates::read(&issued.certificate, "", &issued.key);
    let (facts, key) = read.map_err(|unusable| unusable.to_string())?;
    let name = arn.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let certificate = Arc::new(ServerCertificate {
        arn: arn.clone(),
        name: name.clone(),
        path: "/".to_owned(),
        body: issued.certificate,
        chain: String::new(),
        key,
        facts,
        uploaded: at,
        issued_here: true,
    });
    match world.regions.get_mut(&seed.region).filter(|_| in_acm) {
        Some(region) => region.certificates.insert(arn.as_str().to_owned(), certificate),
        None => world.server_certificates.insert(name.to_ascii_lowercase(), certificate),
    };
    Ok(arn)
}

/// Creates one balancer of a seed by calling the API.
struct Builder<'a> {
    world: World,
    seed: &'a Seed,
    balancer: &'a SeedBalancer,
    at: Timestamp,
}

impl Builder<'_> {
    fn build(mut self, arns: &BTreeMap<String, CertificateArn>) -> Result<World, SeedError> {
        self.create(arns)?;
        let balancer = self.balancer;
        for (name, policy) in &balancer.policies {
            let mut params = self.params().set("PolicyName", name).set("PolicyTypeName", &policy.policy_type);
            let pairs =
                policy.attributes.iter().flat_map(|(name, values)| values.values().into_iter().map(move |one| (name, one)));
            for (number, (name, value)) in (1..).zip(pairs) {
                params = params
                    .set(&format!("PolicyAttributes.member.{number}.AttributeName"), name)
                    .set(&format!("PolicyAttributes.member.{number}.AttributeValue"), value);
            }
            self.call("CreateLoadBalancerPolicy", params, &format!("policies.{name}"))?;
        }
        for listener in &balancer.listeners {
            if let Some(policies) = &listener.policies {
                let params = self.params().set("LoadBalancerPort", listener.load_balancer_port.to_string());
                let params = set(params, "PolicyNames", policies);
                self.call("SetLoadBalancerPoliciesOfListener", params, "listeners.policies")?;
            }
        }
        for (port, policies) in &balancer.backend_policies {
            let params = set(self.params().set("InstancePort", port), "PolicyNames", policies);
            self.call("SetLoadBalancerPoliciesForBackendServer", params, "backend_policies")?;
        }
        self.configure_health_check()?;
        self.modify_attributes()?;
        if !balancer.instances.is_empty() {
            let mut params = self.params();
            for (number, id) in (1..).zip(&balancer.instances) {
                params = params.set(&format!("Instances.member.{number}.InstanceId"), id);
            }
            self.call("RegisterInstancesWithLoadBalancer", params, "instances")?;
        }
        Ok(self.world)
    }

    fn create(&mut self, arns: &BTreeMap<String, CertificateArn>) -> Result<(), SeedError> {
        let balancer = self.balancer;
        let mut params = texts(self.params(), "SecurityGroups", &balancer.security_groups);
        if let Some(scheme) = &balancer.scheme {
            params = params.set("Scheme", scheme);
        }
        params = match (balancer.subnets.is_empty(), balancer.availability_zones.is_empty()) {
            (true, true) => texts(params, "AvailabilityZones", &[format!("{}a", self.seed.region)]),
            _ => texts(texts(params, "Subnets", &balancer.subnets), "AvailabilityZones", &balancer.availability_zones),
        };
        for (number, (key, value)) in (1..).zip(&balancer.tags) {
            params =
                params.set(&format!("Tags.member.{number}.Key"), key).set(&format!("Tags.member.{number}.Value"), value);
        }
        for (number, listener) in (1..).zip(&balancer.listeners) {
            params = listener_params(params, number, listener, arns);
        }
        self.call("CreateLoadBalancer", params, "definition")
    }

    fn configure_health_check(&mut self) -> Result<(), SeedError> {
        let Some(check) = &self.balancer.health_check else { return Ok(()) };
        let params = self.params();
        let number = |value: Option<u32>, default: u32| value.unwrap_or(default).to_string();
        let params = params
            .set("HealthCheck.Target", &check.target)
            .set("HealthCheck.Interval", number(check.interval, 30))
            .set("HealthCheck.Timeout", number(check.timeout, 5))
            .set("HealthCheck.UnhealthyThreshold", number(check.unhealthy_threshold, 2))
            .set("HealthCheck.HealthyThreshold", number(check.healthy_threshold, 10));
        self.call("ConfigureHealthCheck", params, "health_check")
    }

    fn modify_attributes(&mut self) -> Result<(), SeedError> {
        let attributes = &self.balancer.attributes;
        let mut params = self.params();
        let mut set = |path: &str, value: Option<String>| {
            if let Some(value) = value {
                params = std::mem::take(&mut params).set(&format!("LoadBalancerAttributes.{path}"), value);
            }
        };
        let draining = attributes.connection_draining;
        let bucket = &attributes.access_log_bucket;
        set("ConnectionSettings.IdleTimeout", attributes.idle_timeout.map(|seconds| seconds.to_string()));
        set("CrossZoneLoadBalancing.Enabled", attributes.cross_zone.map(|enabled| enabled.to_string()));
        set("ConnectionDraining.Enabled", draining.map(|_| "true".to_owned()));
        set("ConnectionDraining.Timeout", draining.map(|seconds| seconds.to_string()));
        set("AccessLog.Enabled", bucket.as_ref().map(|_| "true".to_owned()));
        set("AccessLog.S3BucketName", bucket.clone());
        if params == self.params() {
            return Ok(());
        }
        self.call("ModifyLoadBalancerAttributes", params, "attributes")
    }

    fn params(&self) -> Params {
        Params::default().set("LoadBalancerName", &self.balancer.name)
    }

    fn call(&mut self, action: &str, params: Params, field: &str) -> Result<(), SeedError> {
        let field = format!("balancers.{}.{field}", self.balancer.name);
        let Some(action) = Action::find(Service::Elb, action) else {
            return Err(refused(&field, format!("there is no action {action}")));
        };
        let request = Request { region: self.seed.region.clone(), params, at: self.at };
        perform(&mut self.world, action, &request).map_err(|error| refused(&field, error.message))?;
        Ok(())
    }
}

fn texts(mut params: Params, name: &str, values: &[String]) -> Params {
    for (number, value) in (1..).zip(values) {
        params = params.set(&format!("{name}.member.{number}"), value);
    }
    params
}

/// A list that replaces another one: a bare name clears it, where no name at all would be an error.
fn set(params: Params, name: &str, values: &[String]) -> Params {
    match values.is_empty() {
        true => params.set(name, ""),
        false => texts(params, name, values),
    }
}

fn listener_params(params: Params, number: u32, listener: &SeedListener, arns: &BTreeMap<String, CertificateArn>) -> Params {
    let at = |member: &str| format!("Listeners.member.{number}.{member}");
    let mut params = params
        .set(&at("Protocol"), &listener.protocol)
        .set(&at("LoadBalancerPort"), listener.load_balancer_port.to_string())
        .set(&at("InstancePort"), listener.instance_port.to_string());
    if let Some(protocol) = &listener.instance_protocol {
        params = params.set(&at("InstanceProtocol"), protocol);
    }
    let named = listener.certificate.as_ref().map(|name| arns.get(name).map_or(name.as_str(), CertificateArn::as_str));
    let only = || match arns.len() {
        1 if Protocol::from(listener.protocol.as_str()).is_secure() => arns.values().next().map(CertificateArn::as_str),
        _ => None,
    };
    match named.or_else(only) {
        Some(arn) => params.set(&at("SSLCertificateId"), arn),
        None => params,
    }
}
