//! Arbitrary specs: what a user could ask for.

use std::collections::BTreeSet;

use elbws::model::CertificateArn;
use elbws::spec::{HealthCheckIntent, ListenerIntent, ListenerRequest, ProxyProtocolIntent, Spec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::balancers::{CERTIFICATE, OTHER_CERTIFICATE};

fn any_listeners() -> impl Strategy<Value = ListenerIntent> {
    let routes = vec![
        "SSL:443/TCP:80",
        "TCP:80/TCP:80",
        "443:8080",
        "HTTPS:443/HTTP:80",
        "SSL:8443/SSL:443",
        "TCP:22/TCP:22",
        "SSL:80/TCP:9000",
        "HTTP:8080/HTTP:8080",
        "HTTPS:8443/HTTPS:443",
        "TCP:5222/SSL:443",
        "HTTP:8080/HTTPS:443",
    ];
    let set = subsequence(routes, 1..=4).prop_map(|routes| {
        let mut requests: Vec<ListenerRequest> = routes.iter().map(|route| route.parse().expect("a literal")).collect();
        let mut seen = BTreeSet::new();
        requests.retain(|request| seen.insert(request.load_balancer_port));
        ListenerIntent::Set(requests)
    });
    prop_oneof![3 => Just(ListenerIntent::Recipe), 1 => Just(ListenerIntent::Keep), 3 => set]
}

fn any_proxy_protocol() -> impl Strategy<Value = ProxyProtocolIntent> {
    let ports = || prop::collection::btree_set(select(vec![22u16, 80, 8080]), 0..=1);
    let name = select(vec![None, None, Some("wanted".to_owned()), Some("EnableProxyProtocol".to_owned())]);
    let enable = (name, ports(), ports()).prop_map(|(policy_name, include, skip)| ProxyProtocolIntent::Enable {
        policy_name,
        include,
        skip,
        only: BTreeSet::new(),
    });
    let disable = ports().prop_map(|only| ProxyProtocolIntent::Disable { only });
    prop_oneof![6 => enable, 3 => Just(ProxyProtocolIntent::enable()), 1 => Just(ProxyProtocolIntent::Keep), 1 => disable]
}

pub(crate) fn any_spec() -> impl Strategy<Value = Spec> {
    let certificate = select(vec![None, None, Some(CERTIFICATE), Some(OTHER_CERTIFICATE)]);
    let ssl_policy = select(vec![None, None, Some("ELBSecurityPolicy-TLS-1-2-2017-01"), Some("custom-tls")]);
    let health_check = select(vec![
        HealthCheckIntent::Adapt,
        HealthCheckIntent::Adapt,
        HealthCheckIntent::Keep,
        HealthCheckIntent::Set("TCP:8080".parse().expect("a literal")),
    ]);
    (
        any_listeners(),
        certificate,
        ssl_policy,
        any_proxy_protocol(),
        health_check,
        select(vec![None, Some(3600)]),
        any::<[bool; 2]>(),
    )
        .prop_map(|(listeners, certificate, ssl_policy, proxy_protocol, health_check, idle_timeout, [prune, journal])| {
            Spec {
                listeners,
                certificate: certificate.map(CertificateArn::observed),
                certificate_ports: BTreeSet::new(),
                ssl_policy: ssl_policy.map(str::to_owned),
                proxy_protocol,
                health_check,
                idle_timeout,
                prune,
                journal,
            }
        })
        // No command disables the PROXY protocol while it derives listeners that need it.
        .prop_map(|spec| match spec.proxy_protocol {
            ProxyProtocolIntent::Disable { .. } => Spec { listeners: ListenerIntent::Keep, ..spec },
            _ => spec,
        })
}
