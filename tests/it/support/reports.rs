//! Audit reports to render: a small one with one of everything, hostile ones, and many balancers.

use std::collections::BTreeMap;

use elbws::audit::{
    AuditedBalancer, Finding, InstanceNode, InstancePortNode, ListenerNode, NotChecked, Place, Read, Report, Rule, Scope,
    Severity, Suppression, Topology, Unreadable,
};

/// What an attacker would put into a name, a tag or a message.
pub(crate) const HOSTILE: &str = "\"><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">'|`*_[x](javascript:0) \u{1b}[31m\u{202e}{{ 7 * 7 }}";

/// Rules with invented texts; the identifiers and severities are all that renderers know of them.
pub(crate) const RULES: [Rule; 6] = [
    rule("ELBWS001", Severity::Error, "HTTP listener in the way of WebSockets", &[Read::Listing], true),
    rule("ELBWS002", Severity::Error, "Instance port without the PROXY header", &[Read::Listing, Read::Policies], true),
    rule("ELBWS009", Severity::Warning, "Idle timeout under the floor", &[Read::Attributes], true),
    rule("ELBWS013", Severity::Warning, "Certificate about to expire", &[Read::Certificates], false),
    rule("ELBWS020", Severity::Error, "No instance in service", &[Read::InstanceHealth], false),
    rule("ELBWS030", Severity::Note, "Access logs are off", &[Read::Attributes], false),
];

const fn rule(
    id: &'static str,
    severity: Severity,
    title: &'static str,
    needs: &'static [Read],
    fixed_by_apply: bool,
) -> Rule {
    let why =
        "An HTTP listener answers the Upgrade request itself, so that no WebSocket opens. Clients fall back to polling.";
    let remedy = "Replace the listener by SSL towards clients and TCP towards instances: `elbws apply` does it.";
    Rule { id, severity, title, why, remedy, needs, fixed_by_apply }
}

pub(crate) fn finding(rule: usize, place: Place, message: &str) -> Finding {
    let Rule { id, severity, fixed_by_apply, .. } = RULES[rule];
    Finding { rule: id, severity, place, message: message.to_owned(), fixed_by_apply, suppressed: None }
}

pub(crate) fn suppressed(finding: Finding, reason: &str, until: Option<&str>) -> Finding {
    let suppressed = Some(Suppression { reason: reason.to_owned(), until: until.map(str::to_owned) });
    Finding { suppressed, ..finding }
}

pub(crate) fn scope(region: &str) -> Scope {
    Scope { account: "123456789012".to_owned(), region: region.to_owned() }
}

/// A balancer with listeners as `(port, protocol, instance protocol, instance port)` and two instances.
pub(crate) fn audited(name: &str, listeners: &[(u16, &str, &str, u16)], findings: Vec<Finding>) -> AuditedBalancer {
    let mut ports: Vec<u16> = listeners.iter().map(|listener| listener.3).collect();
    ports.sort_unstable();
    ports.dedup();
    let port = |port: &u16| InstancePortNode { port: *port, proxied: Some(false), policies: Vec::new() };
    let instance = |id: &str, state: &str, zone: &str| InstanceNode {
        id: id.to_owned(),
        state: Some(state.to_owned()),
        zone: Some(zone.to_owned()),
    };
    let topology = Topology {
        listeners: listeners
            .iter()
            .map(|(port, protocol, instance_protocol, instance_port)| ListenerNode {
                load_balancer_port: *port,
                protocol: (*protocol).to_owned(),
                instance_protocol: (*instance_protocol).to_owned(),
                instance_port: *instance_port,
                certificate: None,
            })
            .collect(),
        instance_ports: ports.iter().map(port).collect(),
        instances: vec![
            instance("i-0aaaaaaaaaaaaaaa1", "InService", "eu-west-1a"),
            instance("i-0bbbbbbbbbbbbbbb2", "OutOfService", "eu-west-1b"),
        ],
        health_check: Some("TCP:80".to_owned()),
    };
    let dns_name = format!("{name}-1234567890.eu-west-1.elb.amazonaws.com");
    AuditedBalancer { scope: scope("eu-west-1"), name: name.to_owned(), dns_name, topology, findings }
}

pub(crate) fn report(balancers: Vec<AuditedBalancer>) -> Report {
    Report {
        schema_version: 1,
        elbws_version: "0.1.0".to_owned(),
        made_at: "2026-11-24T09:30:00Z".to_owned(),
        rules: RULES.to_vec(),
        scopes: vec![scope("eu-west-1")],
        balancers,
        unreadable: Vec::new(),
        not_checked: Vec::new(),
        calls: BTreeMap::from([("elasticloadbalancing:DescribeLoadBalancers".to_owned(), 1)]),
    }
}

/// One of everything: each severity, a suppressed finding, a clean balancer, one that could not be read, rules not checked.
pub(crate) fn small() -> Report {
    let broken = vec![
        finding(0, Place::Listener(443), "listener 443 is HTTPS to HTTP on instance port 80, which loses the upgrade"),
        finding(4, Place::Instance("i-0bbbbbbbbbbbbbbb2".to_owned()), "i-0bbbbbbbbbbbbbbb2 is out of service"),
        finding(2, Place::Balancer, "idle timeout is 60 s, under 300 s"),
        finding(5, Place::Balancer, "access logs are off"),
    ];
    let half = vec![
        finding(1, Place::InstancePort(8081), "instance port 8081 has no ProxyProtocolPolicyType policy"),
        suppressed(
            finding(2, Place::Balancer, "idle timeout is 120 s, under 300 s"),
            "the clients send a ping every minute",
            Some("2027-01-31"),
        ),
    ];
    let mut half = audited("chat-half", &[(443, "SSL", "TCP", 8080), (80, "TCP", "TCP", 8081)], half);
    half.topology.instance_ports[0].proxied = Some(true);
    half.topology.instance_ports[0].policies = vec!["chat-half-proxy-protocol".to_owned()];
    let mut clean = audited("chat-ready", &[(443, "SSL", "TCP", 80)], Vec::new());
    clean.topology.instance_ports[0].proxied = Some(true);
    clean.topology.instance_ports[0].policies = vec!["EnableProxyProtocol".to_owned()];
    let broken = audited("chat-broken", &[(443, "HTTPS", "HTTP", 80), (80, "HTTP", "HTTP", 80)], broken);
    Report {
        scopes: vec![scope("eu-central-1"), scope("eu-west-1")],
        unreadable: vec![Unreadable {
            scope: scope("eu-west-1"),
            balancer: Some("chat-gone".to_owned()),
            reason: "DescribeLoadBalancerPolicies: LoadBalancerNotFound: there is no balancer of this name".to_owned(),
        }],
        not_checked: vec![NotChecked {
            scope: scope("eu-west-1"),
            read: Read::Certificates,
            rules: vec!["ELBWS013"],
            reason: "acm:DescribeCertificate: AccessDenied".to_owned(),
        }],
        ..report(vec![broken, half, clean])
    }
}

/// Everything that comes from outside is hostile.
pub(crate) fn hostile() -> Report {
    let places = [
        Place::Balancer,
        Place::HealthCheck,
        Place::Policy(HOSTILE.to_owned()),
        Place::Certificate(HOSTILE.to_owned()),
        Place::Instance(HOSTILE.to_owned()),
        Place::SecurityGroup(HOSTILE.to_owned()),
        Place::Subnet(HOSTILE.to_owned()),
        Place::Tag(HOSTILE.to_owned()),
    ];
    let mut findings: Vec<Finding> = places.into_iter().map(|place| finding(0, place, HOSTILE)).collect();
    findings.push(suppressed(finding(3, Place::Listener(443), HOSTILE), HOSTILE, Some(HOSTILE)));
    let mut balancer = audited(HOSTILE, &[(443, HOSTILE, HOSTILE, 80)], findings);
    balancer.scope = Scope { account: HOSTILE.to_owned(), region: HOSTILE.to_owned() };
    balancer.topology.instance_ports[0].policies = vec![HOSTILE.to_owned()];
    balancer.topology.health_check = Some(HOSTILE.to_owned());
    balancer.topology.instances =
        vec![InstanceNode { id: HOSTILE.to_owned(), state: Some(HOSTILE.to_owned()), zone: Some(HOSTILE.to_owned()) }];
    let scope = balancer.scope.clone();
    Report {
        elbws_version: HOSTILE.to_owned(),
        made_at: HOSTILE.to_owned(),
        scopes: vec![scope.clone()],
        unreadable: vec![
            Unreadable { scope: scope.clone(), balancer: Some(HOSTILE.to_owned()), reason: HOSTILE.to_owned() },
            Unreadable { scope: scope.clone(), balancer: None, reason: HOSTILE.to_owned() },
        ],
        not_checked: vec![NotChecked { scope, read: Read::Network, rules: vec!["ELBWS013"], reason: HOSTILE.to_owned() }],
        calls: BTreeMap::from([(HOSTILE.to_owned(), 1)]),
        ..report(vec![balancer])
    }
}

/// `count` balancers, a quarter each: HTTPS, bare, half proxied, ready.
pub(crate) fn many(count: usize) -> Report {
    let models = small().balancers;
    let bare = audited(
        "bare",
        &[(443, "SSL", "TCP", 8080), (80, "TCP", "TCP", 8081)],
        vec![
            finding(1, Place::InstancePort(8080), "instance port 8080 has no ProxyProtocolPolicyType policy"),
            finding(1, Place::InstancePort(8081), "instance port 8081 has no ProxyProtocolPolicyType policy"),
            finding(2, Place::Balancer, "idle timeout is 60 s, under 300 s"),
        ],
    );
    let model = |index: usize| match index % 4 {
        0 => &models[0],
        1 => &bare,
        2 => &models[1],
        _ => &models[2],
    };
    let named = |index| AuditedBalancer { name: format!("lb-{index:05}"), ..model(index).clone() };
    report((0..count).map(named).collect())
}
