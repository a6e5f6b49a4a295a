//! Every rule on a balancer that it is about, and on the nearest one that it is not about.

use std::collections::BTreeSet;

use elbws::audit::{Read, Source, rules};
use elbws::model::{Admission, CertificateArn, Peer, Policy, Protocol, policy_type};

use crate::support::balancers::{OTHER_CERTIFICATE, attach, listener, set_listener_policy};
use crate::support::subjects::{Around, SOURCES, admit, certificate, cidr, health, sound};

/// A rule, a balancer on which it fires and what it then says, and the nearest on which it does not.
struct Case {
    rule: &'static str,
    fires: fn(&mut Around),
    says: &'static [&'static str],
    silent: fn(&mut Around),
}

fn add(around: &mut Around, route: &str) {
    let listener = listener(route);
    around.balancer.listeners.insert(listener.load_balancer_port, listener);
}

/// The balancer of a user who has not met elbws: HTTPS and HTTP on one instance port, nothing attached.
fn unconverted(around: &mut Around) {
    around.balancer.listeners.clear();
    around.balancer.backend_policies.clear();
    around.balancer.policies.clear();
    add(around, "HTTPS:443/HTTP:8080");
    add(around, "HTTP:80/HTTP:8080");
}

fn off() -> Policy {
    Policy::new(policy_type::PROXY_PROTOCOL, &[("ProxyProtocol", "False")])
}

fn tls(around: &mut Around, attributes: &[(&str, &str)]) {
    set_listener_policy(&mut around.balancer, 443, "tls", Policy::new(policy_type::SSL_NEGOTIATION, attributes));
}

fn the_certificate(around: &mut Around, days_left: i64) {
    around.acm.values_mut().for_each(|found| *found = Some(certificate(days_left)));
}

fn use_iam(around: &mut Around) {
    around.balancer.listeners.get_mut(&443).unwrap().certificate = Some(CertificateArn::observed(OTHER_CERTIFICATE));
}

fn detach(around: &mut Around) {
    around.balancer.backend_policies.clear();
    around.balancer.policies.remove("proxy");
}

fn check(around: &mut Around, target: &str) {
    around.balancer.health_check.as_mut().unwrap().target = target.parse().unwrap();
}

const WEBSOCKET: &[Case] = &[
    Case {
        rule: "ELBWS001",
        fires: |around| add(around, "HTTPS:8443/HTTPS:9443"),
        says: &["listener 8443: HTTPS:8443/HTTPS:9443 does not pass the WebSocket upgrade on to the instances"],
        silent: |around| add(around, "SSL:8443/SSL:9443"),
    },
    Case {
        rule: "ELBWS001",
        fires: unconverted,
        says: &["listener 443: HTTPS:443/HTTP:8080 does not pass the WebSocket upgrade on to the instances [apply]"],
        silent: |_| {},
    },
    Case {
        rule: "ELBWS002",
        fires: unconverted,
        says: &["listener 80: HTTP:80/HTTP:8080 does not pass the WebSocket upgrade on to the instances [apply]"],
        silent: |around| add(around, "TCP:81/TCP:8081"),
    },
    Case {
        // An instance port of its own: nothing forces it to become TCP.
        rule: "ELBWS002",
        fires: |around| add(around, "HTTP:81/HTTP:8081"),
        says: &["listener 81: HTTP:81/HTTP:8081 does not pass the WebSocket upgrade on to the instances"],
        // On a proxied port it is worse than that, and the next rule's.
        silent: |around| add(around, "HTTP:81/HTTP:8080"),
    },
    Case {
        rule: "ELBWS003",
        fires: |around| add(around, "HTTP:81/HTTP:8080"),
        says: &[
            "listener 81: HTTP:81/HTTP:8080 sends requests without the PROXY header to instance port 8080, which expects it [apply]",
        ],
        silent: |around| {
            add(around, "HTTP:81/HTTP:8080");
            around.balancer.policies.insert("proxy".to_owned(), off());
        },
    },
    Case {
        rule: "ELBWS004",
        fires: |around| add(around, "TCP:5222/TCP:5222"),
        says: &[
            "instance port 5222: TCP:5222/TCP:5222: no policy makes the balancer send the PROXY header to instance port 5222 [apply]",
        ],
        // Nobody expects the header on the port of SSH.
        silent: |around| add(around, "TCP:22/TCP:22"),
    },
    Case {
        rule: "ELBWS004",
        fires: detach,
        says: &[
            "instance port 8080: TCP:80/TCP:8080 and SSL:443/TCP:8080: no policy makes the balancer send the PROXY header to \
             instance port 8080 [apply]",
        ],
        // Inside the TLS stream to the instance it would do harm.
        silent: |around| {
            detach(around);
            around.balancer.listeners.clear();
            add(around, "SSL:443/SSL:8443");
        },
    },
    Case {
        // A second one that fits is attached nowhere, and nothing needs it.
        rule: "ELBWS005",
        fires: |around| drop(around.balancer.policies.insert("again".to_owned(), Policy::proxy_protocol())),
        says: &["policy again: policy again is attached to no instance port, so it does nothing"],
        silent: |around| drop(around.balancer.policies.insert("again".to_owned(), off())),
    },
    Case {
        rule: "ELBWS005",
        fires: |around| around.balancer.backend_policies.clear(),
        says: &["policy proxy: policy proxy is attached to no instance port, so it does nothing [apply]"],
        silent: |_| {},
    },
    Case {
        rule: "ELBWS006",
        fires: |around| drop(around.balancer.policies.insert("proxy".to_owned(), off())),
        says: &["instance port 8080: instance port 8080 has policy proxy attached, which says ProxyProtocol=false [apply]"],
        // Another one that is attached too switches the header on.
        silent: |around| {
            attach(&mut around.balancer, 8080, "off", off());
            let odd = Policy::new(policy_type::PROXY_PROTOCOL, &[("ProxyProtocol", "TRUE")]);
            around.balancer.policies.insert("proxy".to_owned(), odd);
        },
    },
    Case {
        rule: "ELBWS007",
        fires: |around| {
            add(around, "SSL:8443/SSL:9443");
            attach(&mut around.balancer, 9443, "proxy", Policy::proxy_protocol());
        },
        says: &["instance port 9443: SSL:8443/SSL:9443 sends the PROXY header to instance port 9443 inside the TLS stream"],
        silent: |around| add(around, "SSL:8443/SSL:9443"),
    },
    Case {
        rule: "ELBWS008",
        fires: |around| attach(&mut around.balancer, 9000, "proxy", Policy::proxy_protocol()),
        says: &["instance port 9000: no listener reaches instance port 9000, and policy proxy stays attached to it"],
        silent: |around| {
            add(around, "TCP:9000/TCP:9000");
            attach(&mut around.balancer, 9000, "proxy", Policy::proxy_protocol());
        },
    },
    Case {
        rule: "ELBWS009",
        fires: |around| check(around, "HTTP:8080/health"),
        says: &["health check: an HTTP check carries no PROXY header, and instance port 8080 expects it [apply]"],
        silent: |around| check(around, "HTTP:8081/health"),
    },
    Case {
        rule: "ELBWS009",
        fires: |around| {
            add(around, "HTTP:81/HTTP:8081");
            check(around, "SSL:8081");
        },
        says: &["health check: an SSL check is encrypted, and instance port 8081 answers in plain HTTP"],
        silent: |around| {
            add(around, "TCP:81/TCP:8081");
            check(around, "SSL:8081");
        },
    },
    Case {
        rule: "ELBWS010",
        fires: |around| check(around, "TCP:80"),
        says: &["health check: TCP:80 asks a port that no listener reaches; listeners reach 8080"],
        silent: |around| check(around, "HTTP:80/health"),
    },
    Case {
        rule: "ELBWS011",
        fires: |around| around.balancer.attributes.idle_timeout = 299,
        says: &["balancer: connections are closed after 299 s without payload; 300 s are wanted"],
        silent: |around| around.balancer.attributes.idle_timeout = 300,
    },
];

const TLS: &[Case] = &[
    Case {
        rule: "ELBWS101",
        fires: |around| the_certificate(around, 0),
        says: &["the certificate of listener 443 expired on 2026-06-01"],
        silent: |around| the_certificate(around, 1),
    },
    Case {
        rule: "ELBWS102",
        fires: |around| the_certificate(around, 30),
        says: &["the certificate of listener 443 expires on 2026-07-01"],
        silent: |around| the_certificate(around, 31),
    },
    Case {
        rule: "ELBWS102",
        fires: |around| {
            use_iam(around);
            around.iam.values_mut().for_each(|found| found.not_after = certificate(3).not_after);
        },
        says: &["the certificate of listener 443 expires on 2026-06-04"],
        silent: use_iam,
    },
    Case {
        rule: "ELBWS103",
        fires: |around| around.acm.values_mut().for_each(|found| *found = None),
        says: &["ACM does not have the certificate of listener 443"],
        silent: |_| {},
    },
    Case {
        rule: "ELBWS103",
        fires: |around| {
            around.acm.values_mut().flatten().for_each(|found| found.status = Some("REVOKED".to_owned()));
        },
        says: &["the certificate of listener 443 has the status REVOKED in ACM"],
        // That is the first rule's.
        silent: |around| {
            around.acm.values_mut().flatten().for_each(|found| found.status = Some("EXPIRED".to_owned()));
        },
    },
    Case {
        rule: "ELBWS103",
        fires: |around| {
            use_iam(around);
            around.iam.clear();
        },
        says: &["IAM does not have the certificate of listener 443"],
        silent: use_iam,
    },
    Case {
        rule: "ELBWS104",
        fires: |around| {
            let arn = "arn:aws:acm:us-east-1:123456789012:certificate/0f3a";
            around.balancer.listeners.get_mut(&443).unwrap().certificate = Some(CertificateArn::observed(arn));
        },
        says: &["the certificate of listener 443 is of us-east-1, and the balancer is in eu-west-1"],
        silent: use_iam,
    },
    Case {
        rule: "ELBWS105",
        fires: |around| {
            around.acm.values_mut().flatten().for_each(|found| found.key_algorithm = Some("EC_prime256v1".to_owned()));
        },
        says: &["the certificate of listener 443 has a key of type EC_prime256v1"],
        // From IAM a balancer takes every kind.
        silent: |around| {
            use_iam(around);
            around.iam.values_mut().for_each(|found| found.key_algorithm = Some("EC_prime256v1".to_owned()));
        },
    },
    Case {
        rule: "ELBWS106",
        fires: |around| {
            tls(around, &[("Protocol-TLSv1", "true"), ("Protocol-TLSv1.1", "true"), ("Protocol-TLSv1.2", "true")])
        },
        says: &["listener 443: policy tls allows TLS 1.0 and TLS 1.1"],
        silent: |around| tls(around, &[("Protocol-TLSv1", "false"), ("Protocol-TLSv1.2", "true")]),
    },
    Case {
        rule: "ELBWS107",
        fires: |around| tls(around, &[("Protocol-TLSv1.2", "true"), ("DES-CBC3-SHA", "true"), ("RC4-MD5", "true")]),
        says: &["listener 443: policy tls allows DES-CBC3-SHA, RC4-MD5"],
        silent: |around| tls(around, &[("Protocol-TLSv1.2", "true"), ("DES-CBC3-SHA", "false"), ("AES128-SHA", "true")]),
    },
    Case {
        rule: "ELBWS108",
        fires: |around| drop(around.balancer.listeners.remove(&443)),
        says: &["listener 80: TCP:80/TCP:8080 is not encrypted, and the balancer offers no encrypted way"],
        // The server behind it may speak TLS itself.
        silent: |around| {
            around.balancer.listeners.remove(&443);
            add(around, "TCP:443/TCP:8443");
        },
    },
];

const AVAILABILITY: &[Case] = &[
    Case {
        rule: "ELBWS201",
        fires: |around| around.balancer.instances.clear(),
        says: &["balancer: no instance is registered"],
        silent: |around| drop(around.balancer.instances.pop_last()),
    },
    Case {
        rule: "ELBWS202",
        fires: |around| around.health.values_mut().for_each(|found| *found = health("OutOfService")),
        says: &["balancer: none of 2 instances is in service: Instance has failed health checks"],
        silent: |around| *around.health.values_mut().next().unwrap() = health("OutOfService"),
    },
    Case {
        rule: "ELBWS203",
        fires: |around| drop(around.balancer.availability_zones.pop_last()),
        says: &["balancer: the balancer is in eu-west-1a alone"],
        silent: |_| {},
    },
    Case {
        rule: "ELBWS204",
        fires: |around| {
            around.balancer.attributes.cross_zone = false;
            around.instances.values_mut().for_each(|instance| instance.zone = "eu-west-1a".to_owned());
        },
        says: &["balancer: cross-zone balancing is off and instances are spread unevenly (eu-west-1a: 2, eu-west-1b: 0)"],
        silent: |around| around.balancer.attributes.cross_zone = false,
    },
    Case {
        rule: "ELBWS205",
        fires: |around| around.balancer.attributes.connection_draining.enabled = false,
        says: &["balancer: connection draining is off: a deployment cuts open connections"],
        silent: |around| around.balancer.attributes.connection_draining.timeout = Some(1),
    },
    Case {
        rule: "ELBWS206",
        fires: |around| around.balancer.attributes.connection_draining.timeout = Some(3599),
        says: &["balancer: draining ends after 3599 s, and connections may be idle for 3600 s"],
        silent: |around| {
            around.balancer.attributes.connection_draining.timeout = Some(3599);
            around.balancer.attributes.connection_draining.enabled = false;
        },
    },
];

fn only_rule(around: &mut Around, group: &str, rule: Admission) {
    around.groups.get_mut(group).unwrap().ingress = vec![rule];
}

const NETWORK: &[Case] = &[
    Case {
        rule: "ELBWS301",
        fires: |around| only_rule(around, "sg-0abc", admit(443, cidr("0.0.0.0/0"))),
        says: &["listener 80: no security group of the balancer admits anybody on port 80 (TCP:80/TCP:8080)"],
        silent: |around| only_rule(around, "sg-0abc", Admission { ports: (80, 443), ..admit(80, cidr("10.0.0.0/8")) }),
    },
    Case {
        rule: "ELBWS301",
        fires: |around| only_rule(around, "sg-0abc", Admission { is_tcp: false, ..admit(443, cidr("0.0.0.0/0")) }),
        says: &[
            "listener 80: no security group of the balancer admits anybody on port 80 (TCP:80/TCP:8080)",
            "listener 443: no security group of the balancer admits anybody on port 443 (SSL:443/TCP:8080)",
        ],
        // What a group that EC2 does not describe lets in is not known.
        silent: |around| drop(around.groups.remove("sg-0abc")),
    },
    Case {
        rule: "ELBWS302",
        fires: |around| only_rule(around, "sg-instances", admit(8080, Peer::Group("sg-other".to_owned()))),
        says: &["instance port 8080: sg-instances does not admit the balancer on instance port 8080 (i-0aaa and 1 more)"],
        silent: |around| only_rule(around, "sg-instances", admit(8080, cidr("10.0.0.0/16"))),
    },
    Case {
        // One of the two subnets is let in.
        rule: "ELBWS302",
        fires: |around| only_rule(around, "sg-instances", admit(8080, cidr("10.0.1.0/24"))),
        says: &["instance port 8080: sg-instances does not admit subnet-0b on instance port 8080 (i-0aaa and 1 more)"],
        silent: |around| only_rule(around, "sg-instances", admit(8080, Peer::PrefixList("pl-1".to_owned()))),
    },
    Case {
        rule: "ELBWS302",
        fires: |around| check(around, "HTTP:8081/health"),
        says: &[
            "health check: sg-instances does not admit the balancer on the health check's port 8081 (i-0aaa and 1 more)",
        ],
        silent: |around| {
            check(around, "HTTP:8081/health");
            let also = admit(8081, Peer::Group("sg-0abc".to_owned()));
            around.groups.get_mut("sg-instances").unwrap().ingress.push(also);
        },
    },
    Case {
        rule: "ELBWS303",
        fires: |around| only_rule(around, "sg-instances", admit(8080, cidr("::/0"))),
        says: &["instance port 8080: sg-instances admits everybody on instance port 8080 (i-0aaa and 1 more)"],
        silent: |around| only_rule(around, "sg-instances", admit(8080, cidr("10.0.0.0/8"))),
    },
    Case {
        // Without the header there is nothing to forge.
        rule: "ELBWS303",
        fires: |around| only_rule(around, "sg-instances", Admission { ports: (0, 65535), ..admit(0, cidr("0.0.0.0/0")) }),
        says: &["instance port 8080: sg-instances admits everybody on instance port 8080 (i-0aaa and 1 more)"],
        silent: |around| {
            only_rule(around, "sg-instances", Admission { ports: (0, 65535), ..admit(0, cidr("0.0.0.0/0")) });
            detach(around);
        },
    },
    Case {
        rule: "ELBWS304",
        fires: |around| {
            let mut private = around.tables["rtb-main"].clone();
            (private.is_main, private.leads_to_internet) = (false, false);
            private.subnets = BTreeSet::from(["subnet-0b".to_owned()]);
            around.tables.insert("rtb-private".to_owned(), private);
        },
        says: &["subnet subnet-0b: the route table of subnet-0b has no default route to an internet gateway"],
        silent: |around| {
            around.balancer.scheme = "internal".to_owned();
            around.tables.values_mut().for_each(|table| table.leads_to_internet = false);
        },
    },
];

const HYGIENE: &[Case] = &[
    Case {
        rule: "ELBWS401",
        fires: |around| {
            let key = Policy::new(policy_type::PUBLIC_KEY, &[("PublicKey", "MIIB")]);
            around.balancer.policies.insert("key".to_owned(), key);
        },
        says: &["policy key: policy key (PublicKeyPolicyType) is attached nowhere"],
        // A policy that is attached names it.
        silent: |around| {
            let key = Policy::new(policy_type::PUBLIC_KEY, &[("PublicKey", "MIIB")]);
            around.balancer.policies.insert("key".to_owned(), key);
            let names = Policy::new(policy_type::BACKEND_AUTHENTICATION, &[("PublicKeyPolicyName", "key")]);
            attach(&mut around.balancer, 8080, "auth", names);
        },
    },
    Case {
        rule: "ELBWS402",
        fires: |around| {
            let same = Policy::new(policy_type::PROXY_PROTOCOL, &[("ProxyProtocol", "TRUE")]);
            around.balancer.policies.insert("proxy-2".to_owned(), same);
        },
        says: &["policy proxy-2: policy proxy-2 has the same content as proxy"],
        silent: |around| drop(around.balancer.policies.insert("proxy-2".to_owned(), off())),
    },
    Case {
        rule: "ELBWS403",
        fires: |around| {
            around.balancer.tags.insert("elbws:listener:443".to_owned(), "2+HTTPS:443/HTTP:80".to_owned());
            around.balancer.tags.insert("elbws:listener:443:2".to_owned(), "+-".to_owned());
        },
        says: &["tag elbws:listener:443: a run that replaced listener 443 did not finish, or is going on [apply]"],
        silent: |around| drop(around.balancer.tags.insert("elbws:owner".to_owned(), "me".to_owned())),
    },
    Case {
        // The second part is missing: a person has to look.
        rule: "ELBWS403",
        fires: |around| {
            around.balancer.tags.insert("elbws:listener:443".to_owned(), "2+HTTPS:443/HTTP:80".to_owned());
        },
        says: &["tag elbws:listener:443: a run that replaced listener 443 did not finish, or is going on"],
        silent: |_| {},
    },
    Case {
        rule: "ELBWS404",
        fires: |around| around.balancer.attributes.access_log.enabled = false,
        says: &["balancer: the access log is off"],
        silent: |_| {},
    },
];

fn cases() -> impl Iterator<Item = &'static Case> {
    [WEBSOCKET, TLS, AVAILABILITY, NETWORK, HYGIENE].into_iter().flatten()
}

fn spoiled(spoil: fn(&mut Around)) -> Around {
    let mut around = sound();
    spoil(&mut around);
    around
}

#[test]
fn a_sound_balancer_has_no_findings() {
    let examined = sound().examine();
    assert_eq!(examined.findings, []);
    assert!(examined.unchecked.is_empty(), "{:?}", examined.unchecked);
}

#[test]
fn each_rule_fires_where_it_should_and_nowhere_near() {
    for Case { rule, fires, says, silent } in cases() {
        let found = spoiled(*fires).found(rule);
        assert_eq!(found.len(), says.len(), "{rule}: {found:#?}");
        for (found, said) in found.iter().zip(*says) {
            // Where a certificate is the place, its ARN is not repeated in the table.
            assert!(found == said || (found.starts_with("certificate arn:") && found.ends_with(said)), "{rule}: {found}");
        }
        assert_eq!(spoiled(*silent).found(rule), [""; 0], "{rule} is to be silent");
    }
}

#[test]
fn every_rule_has_a_case() {
    let all: BTreeSet<&str> = rules::all().map(|check| check.rule.id).collect();
    let with: BTreeSet<&str> = cases().map(|case| case.rule).collect();
    assert_eq!(all, with);
    assert_eq!(all.len(), rules::all().count(), "an identifier is used twice");
    let ordered: Vec<&str> = rules::all().map(|check| check.rule.id).collect();
    assert!(ordered.is_sorted(), "{ordered:?}");
}

/// A rule that finds something must not be content when a source it draws on was not read.
#[test]
fn an_unread_part_never_looks_like_a_pass() {
    for Case { rule, fires, .. } in cases() {
        let check = rules::named(rule)[0];
        for source in check.sources {
            let mut around = spoiled(*fires);
            around.unread.insert(*source);
            let whole = spoiled(*fires).found(rule);
            let examined = around.examine();
            let unchecked = examined.unchecked.values().any(|rules| rules.contains(rule));
            assert!(unchecked || around.found(rule) == whole, "{rule} passes without {source:?}");
        }
    }
}

/// Nothing but the declared sources is drawn on, so that reading no more than those is enough.
#[test]
fn the_declared_sources_suffice() {
    for Case { rule, fires, silent, .. } in cases() {
        let check = rules::named(rule)[0];
        for spoil in [fires, silent] {
            let mut around = spoiled(*spoil);
            around.unread = SOURCES.into_iter().filter(|source| !check.sources.contains(source)).collect();
            let unchecked = around.examine().unchecked;
            assert!(
                !unchecked.values().any(|rules| rules.contains(rule)),
                "{rule} draws on more than it says: {unchecked:?}"
            );
        }
        let mut needs: BTreeSet<Read> = check.sources.iter().map(|source: &Source| source.read()).collect();
        let declared: BTreeSet<Read> = check.rule.needs.iter().copied().collect();
        if declared.contains(&Read::Listing) {
            needs.insert(Read::Listing);
        }
        assert_eq!(needs, declared, "{rule}");
    }
}

#[test]
fn an_internal_balancer_without_tls_is_only_a_note() {
    let mut around = sound();
    around.balancer.scheme = "internal".to_owned();
    around.balancer.listeners.retain(|_, listener| listener.protocol == Protocol::Tcp);
    let examined = around.examine();
    let found = examined.findings.iter().find(|finding| finding.rule == "ELBWS108").expect("it is found");
    assert_eq!(found.severity, elbws::audit::Severity::Note);
}

/// Texts are what a person reads in a terminal, in a table and in other tools' windows.
#[test]
fn texts_are_whole() {
    for check in rules::all() {
        let rule = check.rule;
        assert!(!rule.title.ends_with('.') && rule.title.len() < 90, "{}", rule.id);
        for text in [rule.why, rule.remedy] {
            assert!(text.ends_with('.') && text.len() > 60 && !text.contains("  "), "{}: {text}", rule.id);
        }
    }
}
