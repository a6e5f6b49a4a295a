//! Seeds: what they can say, and what is said of those that are wrong.

use std::path::Path;

use elbws::sandbox::{self, Options, Seed};

use crate::support::sandbox::{CHAT, client, start};

#[tokio::test]
async fn the_fixture_is_the_story_it_tells() {
    let seed = Seed::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/chat.toml")).unwrap();
    let sandbox = sandbox::start(Options::default(), seed).await.unwrap();
    let world = sandbox.world();
    let balancer = &world.regions["eu-west-1"].load_balancers["chat"].balancer;
    let listeners: Vec<String> = balancer.listeners.values().map(ToString::to_string).collect();
    assert_eq!(listeners, ["HTTP:80/HTTP:80", "HTTPS:443/HTTP:80"]);
    assert_eq!(balancer.health_check.as_ref().unwrap().target.to_string(), "HTTP:80/elb-status");
    assert_eq!((balancer.instances.len(), balancer.subnets.len(), balancer.availability_zones.len()), (2, 2, 2));
    assert_eq!((balancer.security_groups.len(), balancer.tags.len()), (1, 1));
    let certificate = balancer.listeners[&443].certificate.as_ref().unwrap();
    assert!(
        world
            .certificate("eu-west-1", certificate)
            .unwrap()
            .facts
            .alternative_names
            .contains(&"chat.example.com".to_owned())
    );
    assert!(sandbox.log().is_empty(), "what the seed does is no call");
}

#[tokio::test]
async fn toml_and_json_say_the_same() {
    let value: toml::Value = toml::from_str(CHAT).unwrap();
    let json = serde_json::to_string(&value).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for name in ["seed.json", "seed"] {
        let path = folder.path().join(name);
        std::fs::write(&path, &json).unwrap();
        let sandbox = sandbox::start(Options::default(), Seed::load(&path).unwrap()).await.unwrap();
        assert!(sandbox.world().regions["eu-west-1"].load_balancers.contains_key("chat"));
    }
}

#[tokio::test]
async fn a_balancer_can_be_described_in_full() {
    let sandbox = start(
        r#"
        region = "eu-central-1"
        [switches]
        tag_quota = 10
        [[certificates]]
        name = "tls"
        arn = "arn:aws:iam::123456789012:server-certificate/tls"
        domain = "chat.example.com"
        [[instances]]
        id = "i-00000001"
        state = "OutOfService"
        [[balancers]]
        name = "full"
        scheme = "internal"
        availability_zones = ["eu-central-1a", "eu-central-1b"]
        health_check = { target = "HTTP:8081/health", interval = 10, timeout = 3 }
        instances = ["i-00000001"]
        attributes = { idle_timeout = 3600, cross_zone = true, connection_draining = 120, access_log_bucket = "logs" }
        backend_policies = { 80 = ["proxy"] }
        listeners = [
            "TCP:80/TCP:80",
            { protocol = "SSL", load_balancer_port = 443, instance_protocol = "TCP", instance_port = 80, policies = ["modern"] },
        ]
        [balancers.policies.proxy]
        type = "ProxyProtocolPolicyType"
        attributes = { ProxyProtocol = true }
        [balancers.policies.modern]
        type = "SSLNegotiationPolicyType"
        attributes = { Reference-Security-Policy = "ELBSecurityPolicy-TLS-1-2-2017-01" }
        "#,
    )
    .await;
    assert_eq!(sandbox.switches().tag_quota, 10);
    let world = sandbox.world();
    let region = &world.regions["eu-central-1"];
    let found = &region.load_balancers["full"];
    let balancer = &found.balancer;
    assert!(balancer.is_proxied(80));
    assert!(balancer.listeners[&443].policies.contains("modern"));
    let attributes = &balancer.attributes;
    assert_eq!((attributes.idle_timeout, attributes.cross_zone), (3600, true));
    assert_eq!((attributes.connection_draining.enabled, attributes.connection_draining.timeout), (true, Some(120)));
    assert_eq!(attributes.access_log.bucket.as_deref(), Some("logs"));
    assert_eq!(balancer.health_check.as_ref().unwrap().interval, 10);
    assert_eq!(found.health_of("i-00000001", &region.network).state.as_str(), "OutOfService");
    let variables = sandbox.environment();
    assert!(variables.contains(&("AWS_REGION".to_owned(), "eu-central-1".to_owned())));
    assert!(variables.contains(&("AWS_ENDPOINT_URL".to_owned(), sandbox.endpoint())));
}

#[tokio::test]
async fn unlisted_kinds_are_taken_on_trust_and_listed_ones_are_not() {
    let open = start("").await;
    let create = client(&open).await.create_load_balancer().load_balancer_name("b").subnets("subnet-0000dead");
    create.listeners(crate::support::sandbox::listener("TCP:80/TCP:80", None)).send().await.unwrap();
    let call = client(&open).await.register_instances_with_load_balancer().load_balancer_name("b");
    let instance = |id: &str| aws_sdk_elasticloadbalancing::types::Instance::builder().instance_id(id).build();
    call.clone().instances(instance("i-0000dead")).send().await.unwrap();
    call.instances(instance("server")).send().await.expect_err("an identifier must be well formed");
}

#[tokio::test]
async fn what_is_wrong_with_a_seed_is_said_where_it_is() {
    let balancer = |rest: &str| format!("[[balancers]]\nname = 'b'\n{rest}");
    let listeners = "listeners = ['TCP:80/TCP:80']";
    for (seed, expected) in [
        ("regoin = 'x'".to_owned(), vec!["regoin", "unknown field"]),
        ("region = 'mars'".to_owned(), vec!["region", "mars"]),
        ("account = '1'".to_owned(), vec!["account", "twelve digits"]),
        (balancer(""), vec!["balancers[0]", "missing field `listeners`"]),
        (balancer("listeners = ['TCP:80']"), vec!["balancers[0].listeners[0]", "`TCP:80` is not a listener"]),
        (balancer("listeners = [80]"), vec!["balancers[0].listeners[0]", "a listener"]),
        (
            balancer("listeners = [{ protocol = 'TCP', load_balancer_port = 80, instance_port = 80, prot = 1 }]"),
            vec!["unknown field `prot`"],
        ),
        (balancer("listeners = ['SSL:443/TCP:80']"), vec!["balancers.b.definition", "SSLCertificateId"]),
        (balancer(&format!("{listeners}\nhealth_check = 'HTTP:80'")), vec!["balancers[0].health_check", "HTTP:port/path"]),
        (
            balancer(&format!("{listeners}\nhealth_check = {{ target = 'TCP:80', interval = 1 }}")),
            vec!["balancers.b.health_check", "5"],
        ),
        (
            balancer(&format!("{listeners}\nbackend_policies = {{ 80 = ['none'] }}")),
            vec!["balancers.b.backend_policies", "none"],
        ),
        (balancer(&format!("{listeners}\ninstances = ['x']")), vec!["balancers.b.instances", "x"]),
        (
            balancer(&format!("{listeners}\nattributes = {{ idle_timeout = 0 }}")),
            vec!["balancers.b.attributes", "idleTimeout"],
        ),
        (format!("{0}\n{0}", balancer(listeners)), vec!["balancers.b", "given twice"]),
        ("[[subnets]]\nid = 'subnet-1'\nzone = 'eu-west-1a'".to_owned(), vec!["subnets.id", "subnet-1"]),
        ("[[subnets]]\nid = 'subnet-00000001'\nzone = 'us-east-1a'".to_owned(), vec!["subnets.zone", "us-east-1a"]),
        ("[[subnets]]\nid = 'subnet-00000001'\nzone = 'eu-west-1a'\nvpc = 'vpc-00000001'".to_owned(), vec!["subnets.vpc"]),
        (
            "[[security_groups]]\nid = 'sg-00000001'\nname = 'g'\ningress = [{ port = 80 }]".to_owned(),
            vec!["security_groups", "cidr"],
        ),
        ("[[instances]]\nid = 'i-00000001'\nsubnet = 'subnet-00000001'".to_owned(), vec!["instances.subnet"]),
        ("[[certificates]]\nname = 'c'\narn = 'x'\ndomain = 'd'".to_owned(), vec!["certificates.c", "ARN"]),
        (
            "[[certificates]]\nname = 'c'\narn = 'arn:aws:acm:us-east-1:1:certificate/x'\ndomain = 'd'".to_owned(),
            vec!["certificates.c", "eu-west-1"],
        ),
        ("[switches]\nidentical_policy = 'loud'".to_owned(), vec!["switches.identical_policy", "loud"]),
    ] {
        let error = match Seed::from_toml(&seed) {
            Err(error) => error.to_string(),
            Ok(seed) => {
                sandbox::start(Options::default(), seed).await.err().map_or_else(String::new, |error| error.to_string())
            }
        };
        for part in expected {
            assert!(error.contains(part), "`{seed}` gave `{error}`, which does not tell `{part}`");
        }
    }
    let error = Seed::from_json("{\"balancers\": [{\"name\": 1}]}").unwrap_err().to_string();
    assert!(error.contains("balancers[0].name"), "{error}");
    let error = Seed::load(Path::new("no/such/seed.toml")).unwrap_err().to_string();
    assert!(error.contains("no/such/seed.toml"), "{error}");
}
