//! Balancers to test with: the seed story's, and arbitrary ones.

use std::collections::{BTreeMap, BTreeSet};

use elbws::model::{
    Attributes, Balancer, CertificateArn, DEFAULT_NEGOTIATION_POLICY, HealthCheck, Listener, Policy, Protocol, policy_type,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

pub(crate) const CERTIFICATE: &str = "arn:aws:acm:eu-west-1:123456789012:certificate/0f3a";
pub(crate) const OTHER_CERTIFICATE: &str = "arn:aws:iam::123456789012:server-certificate/path/With+odd=name,x@y";

/// A listener from `SSL:443/TCP:80`, with a certificate where it needs one.
pub(crate) fn listener(route: &str) -> Listener {
    let request: elbws::spec::ListenerRequest = route.parse().expect(route);
    Listener {
        certificate: request.protocol.is_secure().then(|| CertificateArn::observed(CERTIFICATE)),
        protocol: request.protocol,
        load_balancer_port: request.load_balancer_port,
        instance_protocol: request.instance_protocol,
        instance_port: request.instance_port,
        policies: BTreeSet::new(),
    }
}

/// A balancer `chat` with these listeners, a health check, and nothing else.
pub(crate) fn balancer(routes: &[&str], health_check: &str) -> Balancer {
    let listeners: BTreeMap<u16, Listener> =
        routes.iter().map(|route| listener(route)).map(|listener| (listener.load_balancer_port, listener)).collect();
    let mut balancer = Balancer {
        name: "chat".to_owned(),
        dns_name: "chat-1234567890.eu-west-1.elb.amazonaws.com".to_owned(),
        scheme: "internet-facing".to_owned(),
        vpc: Some("vpc-0a1b2c3d".to_owned()),
        listeners,
        backend_policies: BTreeMap::new(),
        policies: BTreeMap::new(),
        health_check: Some(HealthCheck {
            target: health_check.parse().expect(health_check),
            interval: 30,
            timeout: 5,
            unhealthy_threshold: 2,
            healthy_threshold: 10,
        }),
        attributes: Attributes::default(),
        instances: BTreeSet::from(["i-0aaa".to_owned(), "i-0bbb".to_owned()]),
        security_groups: BTreeSet::from(["sg-0abc".to_owned()]),
        subnets: BTreeSet::from(["subnet-0a".to_owned(), "subnet-0b".to_owned()]),
        availability_zones: BTreeSet::from(["eu-west-1a".to_owned(), "eu-west-1b".to_owned()]),
        tags: BTreeMap::from([("team".to_owned(), "chat".to_owned())]),
    };
    let secure: Vec<u16> =
        balancer.listeners.values().filter(|listener| listener.protocol.is_secure()).map(|l| l.load_balancer_port).collect();
    for port in secure {
        set_listener_policy(&mut balancer, port, DEFAULT_NEGOTIATION_POLICY, default_negotiation());
    }
    balancer
}

/// The balancer of the seed story.
pub(crate) fn seed() -> Balancer {
    balancer(&["HTTPS:443/HTTP:80", "HTTP:80/HTTP:80"], "HTTP:80/elb-status")
}

pub(crate) fn set_listener_policy(balancer: &mut Balancer, port: u16, name: &str, policy: Policy) {
    balancer.policies.insert(name.to_owned(), policy);
    balancer.listeners.get_mut(&port).expect("the listener exists").policies.insert(name.to_owned());
}

pub(crate) fn attach(balancer: &mut Balancer, instance_port: u16, name: &str, policy: Policy) {
    balancer.policies.insert(name.to_owned(), policy);
    balancer.backend_policies.entry(instance_port).or_default().insert(name.to_owned());
}

pub(crate) fn default_negotiation() -> Policy {
    Policy::new(policy_type::SSL_NEGOTIATION, &[("Protocol-TLSv1.2", "true"), ("ECDHE-RSA-AES128-GCM-SHA256", "true")])
}

/// Policies of every type, among them proxy policies on and off, in odd casing and under our own name.
fn pool(switched_off_own_name: bool) -> BTreeMap<String, Policy> {
    let proxy = |value| Policy::new(policy_type::PROXY_PROTOCOL, &[("ProxyProtocol", value)]);
    let cookie = Policy::new(policy_type::LB_COOKIE_STICKINESS, &[("CookieExpirationPeriod", "60")]);
    BTreeMap::from([
        ("EnableProxyProtocol".to_owned(), proxy("True")),
        ("k8s-proxyprotocol-enabled".to_owned(), proxy("true")),
        ("proxy-off".to_owned(), proxy("false")),
        ("chat-proxy-protocol".to_owned(), proxy(if switched_off_own_name { "FALSE" } else { "true" })),
        ("sticky".to_owned(), cookie),
        ("backend-auth".to_owned(), Policy::new(policy_type::BACKEND_AUTHENTICATION, &[("PublicKeyPolicyName", "key")])),
        ("key".to_owned(), Policy::new(policy_type::PUBLIC_KEY, &[("PublicKey", "MIIB")])),
        ("strict".to_owned(), Policy::negotiation("ELBSecurityPolicy-TLS-1-2-2017-01")),
        ("custom-tls".to_owned(), default_negotiation()),
        ("future".to_owned(), Policy::new("SomeFuturePolicyType", &[("Key", "Value")])),
        ("Odd_name.with+Signs".to_owned(), Policy::negotiation("ELBSecurityPolicy-2015-05")),
        // Its definition takes more than one journal tag.
        ("long-".repeat(40), Policy::negotiation("ELBSecurityPolicy-TLS-1-1-2017-01")),
    ])
}

/// Any balancer the service could hold: every legal protocol pair, shared instance ports, foreign policies on listeners and
/// instance ports, several proxy policies.
pub(crate) fn any_balancer() -> impl Strategy<Value = Balancer> {
    let ports = subsequence(vec![22u16, 80, 443, 5222, 8080, 8443], 1..=5);
    let names: Vec<String> = pool(false).into_keys().collect();
    let listener =
        (0..8usize, select(vec![22u16, 80, 443, 6379, 8080, 9000]), any::<bool>(), subsequence(names.clone(), 0..=3));
    let listeners = ports.prop_flat_map(move |ports| {
        let count = ports.len();
        (Just(ports), prop::collection::vec(listener.clone(), count))
    });
    let backends = prop::collection::btree_map(
        select(vec![22u16, 80, 443, 8080, 9000, 9999]),
        subsequence(names.clone(), 1..=3),
        0..=3,
    );
    let checks = select(vec!["TCP:80", "HTTP:80/status", "HTTPS:443/", "SSL:443", "HTTP:8080/a", "TCP:9000"]);
    (listeners, backends, subsequence(names, 0..=8), checks, any::<bool>(), select(vec![60u32, 300, 3600])).prop_map(
        |((ports, shapes), backends, held, check, off, idle_timeout)| {
            let mut balancer = balancer(&[], check);
            balancer.attributes.idle_timeout = idle_timeout;
            let pool = pool(off);
            balancer.policies.extend(held.into_iter().map(|name| (name.clone(), pool[&name].clone())));
            for (port, (pair, instance_port, other, names)) in ports.into_iter().zip(shapes) {
                add_listener(&mut balancer, &pool, port, pair, instance_port, other, names);
            }
            for (port, names) in backends {
                for name in names.into_iter().filter(|name| attachable(&pool[name])) {
                    attach(&mut balancer, port, &name, pool[&name].clone());
                }
            }
            balancer
        },
    )
}

fn attachable(policy: &Policy) -> bool {
    policy.policy_type == policy_type::PROXY_PROTOCOL || policy.policy_type == policy_type::BACKEND_AUTHENTICATION
}

fn add_listener(
    balancer: &mut Balancer,
    pool: &BTreeMap<String, Policy>,
    port: u16,
    pair: usize,
    instance_port: u16,
    other_certificate: bool,
    names: Vec<String>,
) {
    use Protocol::{Http, Https, Ssl, Tcp};
    let pairs = [(Http, Http), (Http, Https), (Https, Http), (Https, Https), (Tcp, Tcp), (Tcp, Ssl), (Ssl, Tcp), (Ssl, Ssl)];
    let (protocol, instance_protocol) = pairs[pair].clone();
    let mut users = balancer.listeners.values().filter(|listener| listener.instance_port == instance_port);
    if users.any(|listener| listener.instance_protocol.is_secure() != instance_protocol.is_secure()) {
        return;
    }
    let secure = protocol.is_secure();
    let arn = if other_certificate { OTHER_CERTIFICATE } else { CERTIFICATE };
    let certificate = secure.then(|| CertificateArn::observed(arn));
    let sticky = protocol.is_application();
    let listener = Listener {
        protocol,
        load_balancer_port: port,
        instance_protocol,
        instance_port,
        certificate,
        policies: BTreeSet::new(),
    };
    balancer.listeners.insert(port, listener);
    let negotiation = names.iter().find(|name| pool[*name].policy_type == policy_type::SSL_NEGOTIATION).filter(|_| secure);
    if let Some(name) = negotiation {
        set_listener_policy(balancer, port, name, pool[name].clone());
    } else if secure {
        set_listener_policy(balancer, port, DEFAULT_NEGOTIATION_POLICY, default_negotiation());
    }
    if sticky && names.iter().any(|name| name == "sticky") {
        set_listener_policy(balancer, port, "sticky", pool["sticky"].clone());
    }
}
