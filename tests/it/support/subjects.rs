//! Subjects of an audit, made by hand: one on which every rule is content, and everything needed to spoil it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use elbws::audit::{Check, Examination, Part, Scope, Source, Subject, Surroundings, examine, rules};
use elbws::model::{
    AccessLog, Admission, Attributes, Balancer, CertificateArn, ConnectionDraining, Instance, InstanceHealth, Listed, Peer,
    Policy, RouteTable, SecurityGroup, ServerCertificate, Subnet,
};
use jiff::{SignedDuration, Timestamp};

use super::balancers;

/// Everything about a balancer, in the open; [`Around::subject`] closes it.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) balancer: Balancer,
    pub(crate) health: BTreeMap<String, InstanceHealth>,
    pub(crate) groups: BTreeMap<String, SecurityGroup>,
    pub(crate) instances: BTreeMap<String, Instance>,
    pub(crate) subnets: BTreeMap<String, Subnet>,
    pub(crate) tables: BTreeMap<String, RouteTable>,
    pub(crate) acm: BTreeMap<CertificateArn, Option<ServerCertificate>>,
    pub(crate) iam: BTreeMap<CertificateArn, ServerCertificate>,
    pub(crate) unread: BTreeSet<Source>,
}

pub(crate) const SOURCES: [Source; 10] = [
    Source::Policies,
    Source::Attributes,
    Source::Tags,
    Source::InstanceHealth,
    Source::SecurityGroups,
    Source::Instances,
    Source::Subnets,
    Source::RouteTables,
    Source::AcmCertificates,
    Source::IamCertificates,
];

pub(crate) fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn certificate(days_left: i64) -> ServerCertificate {
    ServerCertificate {
        status: Some("ISSUED".to_owned()),
        not_after: Some(now() + SignedDuration::from_hours(24 * days_left)),
        key_algorithm: Some("RSA-2048".to_owned()),
    }
}

pub(crate) fn health(state: &str) -> InstanceHealth {
    let description = if state == "InService" { "N/A" } else { "Instance has failed health checks." };
    InstanceHealth { state: state.to_owned(), reason_code: "N/A".to_owned(), description: description.to_owned() }
}

pub(crate) fn admit(port: u16, from: Peer) -> Admission {
    Admission { is_tcp: true, ports: (port, port), from }
}

pub(crate) fn cidr(range: &str) -> Peer {
    Peer::Cidr(range.to_owned())
}

/// A balancer with nothing to find: SSL:443 and TCP:80 to instance port 8080 with the PROXY header, two instances in two zones.
pub(crate) fn sound() -> Around {
    let mut balancer = balancers::balancer(&["SSL:443/TCP:8080", "TCP:80/TCP:8080"], "TCP:8080");
    balancer.policies.clear();
    balancers::set_listener_policy(&mut balancer, 443, "tls", Policy::negotiation("ELBSecurityPolicy-TLS-1-2-2017-01"));
    balancer.listeners.get_mut(&443).unwrap().policies.remove("ELBSecurityPolicy-2016-08");
    balancers::attach(&mut balancer, 8080, "proxy", Policy::proxy_protocol());
    balancer.attributes = Attributes {
        idle_timeout: 3600,
        cross_zone: true,
        connection_draining: ConnectionDraining { enabled: true, timeout: Some(3600) },
        access_log: AccessLog { enabled: true, bucket: Some("logs".to_owned()), ..AccessLog::default() },
        additional: BTreeMap::new(),
    };
    let instance =
        |zone: &str| Instance { zone: zone.to_owned(), security_groups: BTreeSet::from(["sg-instances".to_owned()]) };
    let group = |ingress| SecurityGroup { name: "group".to_owned(), ingress };
    let subnet = |cidr: &str| Subnet { vpc: "vpc-0a1b2c3d".to_owned(), cidr: cidr.to_owned() };
    let map = |pairs: [(&str, Instance); 2]| pairs.map(|(id, value)| (id.to_owned(), value)).into();
    let balancer_group = balancer.security_groups.first().unwrap().clone();
    let from_balancer = admit(8080, Peer::Group(balancer_group.clone()));
    Around {
        health: ["i-0aaa", "i-0bbb"].map(|id| (id.to_owned(), health("InService"))).into(),
        groups: BTreeMap::from([
            (balancer_group, group(vec![admit(443, cidr("0.0.0.0/0")), admit(80, cidr("0.0.0.0/0"))])),
            ("sg-instances".to_owned(), group(vec![from_balancer])),
        ]),
        instances: map([("i-0aaa", instance("eu-west-1a")), ("i-0bbb", instance("eu-west-1b"))]),
        subnets: [("subnet-0a", "10.0.1.0/24"), ("subnet-0b", "10.0.2.0/24")]
            .map(|(id, range)| (id.to_owned(), subnet(range)))
            .into(),
        tables: BTreeMap::from([(
            "rtb-main".to_owned(),
            RouteTable { vpc: "vpc-0a1b2c3d".to_owned(), is_main: true, subnets: BTreeSet::new(), leads_to_internet: true },
        )]),
        acm: BTreeMap::from([(CertificateArn::observed(balancers::CERTIFICATE), Some(certificate(200)))]),
        iam: BTreeMap::from([(CertificateArn::observed(balancers::OTHER_CERTIFICATE), certificate(200))]),
        unread: BTreeSet::new(),
        balancer,
    }
}

impl Around {
    pub(crate) fn subject(&self) -> Subject {
        let Balancer {
            name,
            dns_name,
            scheme,
            vpc,
            listeners,
            backend_policies,
            policies,
            health_check,
            attributes,
            instances,
            security_groups,
            subnets,
            availability_zones,
            tags,
        } = self.balancer.clone();
        let policy_names = policies.keys().cloned().collect();
        Subject {
            scope: Scope { account: "123456789012".to_owned(), region: "eu-west-1".to_owned() },
            listed: Listed {
                name,
                dns_name,
                scheme,
                vpc,
                listeners,
                backend_policies,
                policy_names,
                health_check,
                instances,
                security_groups,
                subnets,
                availability_zones,
            },
            policies: self.part(Source::Policies, &policies),
            attributes: self.part(Source::Attributes, &attributes),
            tags: self.part(Source::Tags, &tags),
            health: self.part(Source::InstanceHealth, &self.health),
            surroundings: Arc::new(Surroundings {
                security_groups: self.part(Source::SecurityGroups, &self.groups),
                instances: self.part(Source::Instances, &self.instances),
                subnets: self.part(Source::Subnets, &self.subnets),
                route_tables: self.part(Source::RouteTables, &self.tables),
                acm_certificates: self.part(Source::AcmCertificates, &self.acm),
                iam_certificates: self.part(Source::IamCertificates, &self.iam),
            }),
            now: now(),
            min_idle_timeout: 300,
        }
    }

    fn part<T: Clone>(&self, source: Source, content: &T) -> Part<T> {
        if self.unread.contains(&source) { Part::NotRead } else { Part::Read(content.clone()) }
    }

    /// What all rules say.
    pub(crate) fn examine(&self) -> Examination {
        let all: Vec<&Check> = rules::all().collect();
        examine(&self.subject(), &all)
    }

    /// Findings of one rule, as `place: message`, with a mark where apply would repair it.
    pub(crate) fn found(&self, rule: &str) -> Vec<String> {
        let checks = rules::named(rule);
        assert_eq!(checks.len(), 1, "{rule}");
        let findings = examine(&self.subject(), &checks).findings;
        let mark = |fixed: bool| if fixed { " [apply]" } else { "" };
        findings.iter().map(|one| format!("{}: {}{}", one.place, one.message, mark(one.fixed_by_apply))).collect()
    }
}
