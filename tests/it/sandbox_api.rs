//! The sandbox's API through the real client: what each of the 29 actions does.

use aws_sdk_elasticloadbalancing::Client;
use aws_sdk_elasticloadbalancing::types::{
    AdditionalAttribute, ConnectionDraining, ConnectionSettings, CrossZoneLoadBalancing, HealthCheck, Instance,
    LoadBalancerAttributes, LoadBalancerDescription, PolicyAttribute, Tag, TagKeyOnly,
};
use elbws::sandbox::InstanceState;

use crate::support::sandbox::{CHAT, certificate, client, config, listener, start};

async fn describe(client: &Client, name: &str) -> LoadBalancerDescription {
    let reply = client.describe_load_balancers().load_balancer_names(name).send().await.unwrap();
    reply.load_balancer_descriptions()[0].clone()
}

/// The listener on a port: its route, and its policies.
fn listener_of(description: &LoadBalancerDescription, port: i32) -> Option<(String, Vec<String>)> {
    let found =
        description.listener_descriptions().iter().find(|one| one.listener().unwrap().load_balancer_port() == port)?;
    let listener = found.listener().unwrap();
    let route = format!(
        "{}:{}/{}:{}",
        listener.protocol(),
        listener.load_balancer_port(),
        listener.instance_protocol().unwrap(),
        listener.instance_port()
    );
    Some((route, found.policy_names().to_vec()))
}

fn backend_of(description: &LoadBalancerDescription, port: i32) -> Vec<String> {
    let found = description.backend_server_descriptions().iter().find(|one| one.instance_port() == Some(port));
    found.map(|found| found.policy_names().to_vec()).unwrap_or_default()
}

fn attribute(name: &str, value: &str) -> PolicyAttribute {
    PolicyAttribute::builder().attribute_name(name).attribute_value(value).build()
}

async fn create_policy(client: &Client, name: &str, policy_type: &str, attributes: &[(&str, &str)]) {
    let attributes = attributes.iter().map(|(name, value)| attribute(name, value)).collect();
    let call = client.create_load_balancer_policy().load_balancer_name("chat").policy_name(name);
    call.policy_type_name(policy_type).set_policy_attributes(Some(attributes)).send().await.unwrap();
}

async fn set_backend(client: &Client, port: i32, policies: &[&str]) {
    let policies = policies.iter().map(|name| (*name).to_owned()).collect();
    let call = client.set_load_balancer_policies_for_backend_server().load_balancer_name("chat").instance_port(port);
    call.set_policy_names(Some(policies)).send().await.unwrap();
}

async fn set_listener(client: &Client, port: i32, policies: &[&str]) {
    let policies = policies.iter().map(|name| (*name).to_owned()).collect();
    let call = client.set_load_balancer_policies_of_listener().load_balancer_name("chat").load_balancer_port(port);
    call.set_policy_names(Some(policies)).send().await.unwrap();
}

#[tokio::test]
async fn a_new_balancer_has_the_services_defaults() {
    let sandbox = start("").await;
    let client = client(&sandbox).await;
    let created = client
        .create_load_balancer()
        .load_balancer_name("new")
        .listeners(listener("http:80/http:8080", None))
        .availability_zones("eu-west-1a")
        .send()
        .await
        .unwrap();
    let description = describe(&client, "new").await;
    assert_eq!(description.dns_name(), created.dns_name());
    assert!(created.dns_name().unwrap().ends_with(".eu-west-1.elb.amazonaws.com"));
    assert_eq!(listener_of(&description, 80).unwrap(), ("HTTP:80/HTTP:8080".to_owned(), vec![]));
    assert_eq!(description.scheme(), Some("internet-facing"));
    assert_eq!(description.availability_zones(), ["eu-west-1a"]);
    assert_eq!(description.subnets().len(), 1);
    assert!(description.vpc_id().unwrap().starts_with("vpc-"));
    assert!(description.source_security_group().unwrap().group_name().unwrap().starts_with("default_elb_"));
    assert!(description.created_time().is_some());
    let check = description.health_check().unwrap();
    let numbers = (check.interval(), check.timeout(), check.unhealthy_threshold(), check.healthy_threshold());
    assert_eq!((check.target(), numbers), ("TCP:80", (30, 5, 2, 10)));

    let attributes = client.describe_load_balancer_attributes().load_balancer_name("new").send().await.unwrap();
    let attributes = attributes.load_balancer_attributes().unwrap();
    assert_eq!(attributes.connection_settings().unwrap().idle_timeout(), 60);
    assert!(!attributes.cross_zone_load_balancing().unwrap().enabled());
    assert!(!attributes.access_log().unwrap().enabled());
    let draining = attributes.connection_draining().unwrap();
    assert_eq!((draining.enabled(), draining.timeout()), (false, Some(300)));
    let desync = &attributes.additional_attributes()[0];
    assert_eq!((desync.key(), desync.value()), (Some("elb.http.desyncmitigationmode"), Some("defensive")));
}

#[tokio::test]
async fn creating_again_with_the_same_settings_answers_the_same_name() {
    let sandbox = start("").await;
    let client = client(&sandbox).await;
    let create = || {
        let call = client.create_load_balancer().load_balancer_name("twice").subnets("subnet-00000001");
        call.listeners(listener("TCP:80/TCP:80", None)).tags(Tag::builder().key("a").value("b").build().unwrap()).send()
    };
    let first = create().await.unwrap();
    let second = create().await.unwrap();
    assert_eq!(first.dns_name(), second.dns_name());
    client.delete_load_balancer().load_balancer_name("twice").send().await.unwrap();
    client.delete_load_balancer().load_balancer_name("twice").send().await.unwrap();
    let third = create().await.unwrap();
    assert_ne!(first.dns_name(), third.dns_name(), "a balancer that is created anew has a name of its own");
}

#[tokio::test]
async fn listeners_are_created_once_and_deleted_all_at_a_time() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let certificate = certificate(&sandbox);
    let call = client.create_load_balancer_listeners().load_balancer_name("chat");
    let call = call.listeners(listener("ssl:8443/tcp:8080", Some(&certificate)));
    call.listeners(listener("TCP:8081/TCP:8080", Some("arn:of:nothing"))).send().await.unwrap();
    let description = describe(&client, "chat").await;
    let default = vec!["ELBSecurityPolicy-2016-08".to_owned()];
    assert_eq!(listener_of(&description, 8443).unwrap(), ("SSL:8443/TCP:8080".to_owned(), default));
    assert_eq!(listener_of(&description, 8081).unwrap(), ("TCP:8081/TCP:8080".to_owned(), vec![]));
    let plain = description.listener_descriptions().iter().map(|one| one.listener().unwrap());
    let plain = plain.into_iter().find(|listener| listener.load_balancer_port() == 8081).unwrap();
    assert_eq!(plain.ssl_certificate_id(), None, "a TCP listener discards a certificate");

    let again = listener("TCP:8081/TCP:8080", None);
    let call = client.create_load_balancer_listeners().load_balancer_name("chat").listeners(again);
    call.send().await.expect("an identical listener is no error");

    let call = client.delete_load_balancer_listeners().load_balancer_name("chat");
    call.load_balancer_ports(8443).load_balancer_ports(8081).load_balancer_ports(9999).send().await.unwrap();
    let description = describe(&client, "chat").await;
    assert_eq!(description.listener_descriptions().len(), 2);
}

#[tokio::test]
async fn a_certificate_is_swapped_in_place() {
    let other = "[[certificates]]\nname = \"other\"\nstore = \"iam\"\ndomain = \"b.example\"\n";
    let named = "{ protocol = \"HTTPS\", load_balancer_port = 443, instance_protocol = \"HTTP\", instance_port = 80, \
                 certificate = \"chat\" }";
    let sandbox = start(&format!("{}\n{other}", CHAT.replace("\"HTTPS:443/HTTP:80\"", named))).await;
    let client = client(&sandbox).await;
    let other = "arn:aws:iam::123456789012:server-certificate/other";
    let call = client.set_load_balancer_listener_ssl_certificate().load_balancer_name("chat");
    call.load_balancer_port(443).ssl_certificate_id(other).send().await.unwrap();
    assert_eq!(certificate(&sandbox), other);
    assert_eq!(listener_of(&describe(&client, "chat").await, 443).unwrap().1, ["ELBSecurityPolicy-2016-08"]);
}

#[tokio::test]
async fn policies_of_an_instance_port_are_replaced_cleared_and_outlive_the_listener() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    create_policy(&client, "proxy", "ProxyProtocolPolicyType", &[("ProxyProtocol", "true")]).await;
    create_policy(&client, "off", "ProxyProtocolPolicyType", &[("ProxyProtocol", "false")]).await;
    set_backend(&client, 80, &["proxy", "off"]).await;
    set_backend(&client, 80, &["proxy"]).await;
    assert_eq!(backend_of(&describe(&client, "chat").await, 80), ["proxy"], "the set is replaced, not merged");

    let call = client.delete_load_balancer_listeners().load_balancer_name("chat");
    call.load_balancer_ports(80).load_balancer_ports(443).send().await.unwrap();
    assert_eq!(backend_of(&describe(&client, "chat").await, 80), ["proxy"], "the policy outlives the listeners");

    set_backend(&client, 80, &[]).await;
    assert!(describe(&client, "chat").await.backend_server_descriptions().is_empty());
    client.delete_load_balancer_policy().load_balancer_name("chat").policy_name("proxy").send().await.unwrap();
    client.delete_load_balancer_policy().load_balancer_name("chat").policy_name("proxy").send().await.unwrap();
    let policies = describe(&client, "chat").await;
    assert_eq!(policies.policies().unwrap().other_policies(), ["ELBSecurityPolicy-2016-08", "off"]);
}

#[tokio::test]
async fn policies_of_a_listener_are_replaced_stickiness_included() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let call = client.create_app_cookie_stickiness_policy().load_balancer_name("chat").policy_name("app");
    call.cookie_name("SESSION").send().await.unwrap();
    let call = client.create_lb_cookie_stickiness_policy().load_balancer_name("chat").policy_name("lb");
    call.cookie_expiration_period(60).send().await.unwrap();
    let call = client.create_lb_cookie_stickiness_policy().load_balancer_name("chat").policy_name("session");
    call.send().await.unwrap();
    let reference = [("Reference-Security-Policy", "ELBSecurityPolicy-TLS-1-2-2017-01")];
    create_policy(&client, "tls12", "SSLNegotiationPolicyType", &reference).await;
    set_listener(&client, 443, &["app", "tls12"]).await;
    assert_eq!(listener_of(&describe(&client, "chat").await, 443).unwrap().1, ["app", "tls12"]);
    set_listener(&client, 443, &["tls12"]).await;
    let description = describe(&client, "chat").await;
    assert_eq!(listener_of(&description, 443).unwrap().1, ["tls12"], "stickiness is lost when it is not sent again");
    set_listener(&client, 443, &[]).await;
    assert!(listener_of(&describe(&client, "chat").await, 443).unwrap().1.is_empty());

    let policies = description.policies().unwrap();
    let app = &policies.app_cookie_stickiness_policies()[0];
    assert_eq!((app.policy_name(), app.cookie_name()), (Some("app"), Some("SESSION")));
    let periods: Vec<_> =
        policies.lb_cookie_stickiness_policies().iter().map(|one| one.cookie_expiration_period()).collect();
    assert_eq!(periods, [Some(60), None]);
    assert_eq!(policies.other_policies(), ["ELBSecurityPolicy-2016-08", "tls12"]);
}

#[tokio::test]
async fn policies_and_their_types_are_described() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let types = client.describe_load_balancer_policy_types().send().await.unwrap();
    let names: Vec<_> = types.policy_type_descriptions().iter().filter_map(|one| one.policy_type_name()).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    let call = client.describe_load_balancer_policy_types().policy_type_names("ProxyProtocolPolicyType");
    let proxy = call.send().await.unwrap();
    let attribute = &proxy.policy_type_descriptions()[0].policy_attribute_type_descriptions()[0];
    let said = (attribute.attribute_name(), attribute.attribute_type(), attribute.cardinality());
    assert_eq!(said, (Some("ProxyProtocol"), Some("Boolean"), Some("ONE")));

    let samples = client.describe_load_balancer_policies().send().await.unwrap();
    let names: Vec<_> = samples.policy_descriptions().iter().filter_map(|one| one.policy_name()).collect();
    assert!(names.contains(&"ELBSecurityPolicy-2016-08") && names.iter().any(|name| name.starts_with("ELBSample-")));

    let reference = [("Reference-Security-Policy", "ELBSecurityPolicy-TLS-1-2-2017-01")];
    create_policy(&client, "tls12", "SSLNegotiationPolicyType", &reference).await;
    let call = client.describe_load_balancer_policies().load_balancer_name("chat").policy_names("tls12");
    let described = call.send().await.unwrap();
    let attributes = described.policy_descriptions()[0].policy_attribute_descriptions();
    let value =
        |name: &str| attributes.iter().find(|one| one.attribute_name() == Some(name)).and_then(|one| one.attribute_value());
    assert_eq!(value("Reference-Security-Policy"), Some("ELBSecurityPolicy-TLS-1-2-2017-01"));
    assert_eq!((value("Protocol-TLSv1.1"), value("Protocol-TLSv1.2")), (Some("false"), Some("true")));

    let all = client.describe_load_balancer_policies().load_balancer_name("chat").send().await.unwrap();
    let names: Vec<_> = all.policy_descriptions().iter().filter_map(|one| one.policy_name()).collect();
    assert_eq!(names, ["ELBSecurityPolicy-2016-08", "tls12"]);
}

#[tokio::test]
async fn the_health_check_is_replaced_as_a_whole() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let check = HealthCheck::builder().target("tcp:80").interval(10).timeout(3).unhealthy_threshold(4).healthy_threshold(5);
    let call = client.configure_health_check().load_balancer_name("chat").health_check(check.build().unwrap());
    let reply = call.send().await.unwrap();
    assert_eq!(reply.health_check().unwrap().target(), "TCP:80");
    assert_eq!(describe(&client, "chat").await.health_check(), reply.health_check());
}

#[tokio::test]
async fn attributes_are_modified_one_by_one() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let modify = |attributes: LoadBalancerAttributes| {
        client.modify_load_balancer_attributes().load_balancer_name("chat").load_balancer_attributes(attributes).send()
    };
    let settings = ConnectionSettings::builder().idle_timeout(3600).build().unwrap();
    let reply = modify(LoadBalancerAttributes::builder().connection_settings(settings).build()).await.unwrap();
    assert_eq!(reply.load_balancer_name(), Some("chat"));
    let echoed = reply.load_balancer_attributes().unwrap();
    assert!(echoed.cross_zone_load_balancing().is_none(), "only what was sent is answered");
    let cross_zone = CrossZoneLoadBalancing::builder().enabled(true).build();
    modify(LoadBalancerAttributes::builder().cross_zone_load_balancing(cross_zone).build()).await.unwrap();
    for (enabled, timeout) in [(true, 60), (false, 120)] {
        let draining = ConnectionDraining::builder().enabled(enabled).timeout(timeout).build();
        modify(LoadBalancerAttributes::builder().connection_draining(draining).build()).await.unwrap();
    }
    let desync = AdditionalAttribute::builder().key("elb.http.desyncmitigationmode").value("strictest").build();
    for _ in 0..2 {
        modify(LoadBalancerAttributes::builder().additional_attributes(desync.clone()).build()).await.unwrap();
    }
    let reply = client.describe_load_balancer_attributes().load_balancer_name("chat").send().await.unwrap();
    let attributes = reply.load_balancer_attributes().unwrap();
    assert_eq!(attributes.connection_settings().unwrap().idle_timeout(), 3600);
    assert!(attributes.cross_zone_load_balancing().unwrap().enabled());
    let draining = attributes.connection_draining().unwrap();
    assert_eq!((draining.enabled(), draining.timeout()), (false, Some(60)), "the timeout changes only while enabled");
    assert_eq!(attributes.additional_attributes(), [desync], "an attribute that is set twice is there once");
}

#[tokio::test]
async fn tags_are_added_overwritten_and_removed() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let call = client.add_tags().load_balancer_names("chat").tags(tag("team", "other")).tags(tag("empty", ""));
    call.send().await.unwrap();
    let gone = TagKeyOnly::builder().key("absent").build();
    client.remove_tags().load_balancer_names("chat").tags(gone).send().await.unwrap();
    let reply = client.describe_tags().load_balancer_names("chat").send().await.unwrap();
    let tags = reply.tag_descriptions()[0].tags();
    assert_eq!(tags, [tag("empty", ""), tag("team", "other")]);
    let gone = TagKeyOnly::builder().key("team").build();
    client.remove_tags().load_balancer_names("chat").tags(gone).send().await.unwrap();
    let reply = client.describe_tags().load_balancer_names("chat").send().await.unwrap();
    assert_eq!(reply.tag_descriptions()[0].tags(), [tag("empty", "")]);
}

#[tokio::test]
async fn instances_come_go_and_have_a_health() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let (one, two) = ("i-0c4a7000000000001", "i-0c4a7000000000002");
    let instance = |id: &str| Instance::builder().instance_id(id).build();
    let call = client.deregister_instances_from_load_balancer().load_balancer_name("chat");
    let reply = call.instances(instance(one)).send().await.unwrap();
    assert_eq!(reply.instances(), [instance(two)]);
    for _ in 0..2 {
        let call = client.register_instances_with_load_balancer().load_balancer_name("chat");
        let reply = call.instances(instance(one)).send().await.unwrap();
        assert_eq!(reply.instances(), [instance(one), instance(two)], "the reply is the whole list");
    }
    sandbox.report_health("eu-west-1", "chat", two, InstanceState::OutOfService.into());
    let reply = client.describe_instance_health().load_balancer_name("chat").send().await.unwrap();
    let states: Vec<_> = reply.instance_states().iter().map(|one| (one.instance_id(), one.state())).collect();
    assert_eq!(states, [(Some(one), Some("InService")), (Some(two), Some("OutOfService"))]);
    assert_eq!(reply.instance_states()[1].reason_code(), Some("Instance"));
    let call = client.describe_instance_health().load_balancer_name("chat").instances(instance(one));
    assert_eq!(call.send().await.unwrap().instance_states().len(), 1);
}

#[tokio::test]
async fn subnets_zones_and_groups_change() {
    let sandbox = start("").await;
    let client = client(&sandbox).await;
    let create =
        |name: &str| client.create_load_balancer().load_balancer_name(name).listeners(listener("TCP:80/TCP:80", None));
    create("subnets").subnets("subnet-00000001").scheme("internal").send().await.unwrap();
    let call = client.attach_load_balancer_to_subnets().load_balancer_name("subnets").subnets("subnet-00000002");
    assert_eq!(call.send().await.unwrap().subnets(), ["subnet-00000001", "subnet-00000002"]);
    assert_eq!(describe(&client, "subnets").await.availability_zones(), ["eu-west-1a", "eu-west-1b"]);
    let call = client.detach_load_balancer_from_subnets().load_balancer_name("subnets").subnets("subnet-00000001");
    assert_eq!(call.send().await.unwrap().subnets(), ["subnet-00000002"]);
    let description = describe(&client, "subnets").await;
    assert_eq!(description.availability_zones(), ["eu-west-1b"]);
    assert!(description.dns_name().unwrap().starts_with("internal-"));
    let call = client.apply_security_groups_to_load_balancer().load_balancer_name("subnets");
    assert_eq!(call.security_groups("sg-00000001").send().await.unwrap().security_groups(), ["sg-00000001"]);

    create("zones").availability_zones("eu-west-1a").send().await.unwrap();
    let call = client.enable_availability_zones_for_load_balancer().load_balancer_name("zones");
    let reply = call.availability_zones("eu-west-1c").send().await.unwrap();
    assert_eq!(reply.availability_zones(), ["eu-west-1a", "eu-west-1c"]);
    let call = client.disable_availability_zones_for_load_balancer().load_balancer_name("zones");
    let reply = call.availability_zones("eu-west-1a").send().await.unwrap();
    assert_eq!(reply.availability_zones(), ["eu-west-1c"]);
    let subnets = describe(&client, "zones").await.subnets().to_vec();
    assert!(subnets.len() == 1 && !subnets[0].starts_with("subnet-0000"), "{subnets:?}: one default subnet, nobody's own");
}

#[tokio::test]
async fn balancers_and_limits_come_in_pages() {
    let sandbox = start("").await;
    let client = client(&sandbox).await;
    for number in 0..5 {
        let call = client.create_load_balancer().load_balancer_name(format!("b{number}")).availability_zones("eu-west-1a");
        call.listeners(listener("TCP:80/TCP:80", None)).send().await.unwrap();
    }
    let (mut names, mut pages, mut marker) = (Vec::new(), 0, None);
    loop {
        let reply = client.describe_load_balancers().page_size(2).set_marker(marker).send().await.unwrap();
        names
            .extend(reply.load_balancer_descriptions().iter().filter_map(|one| one.load_balancer_name().map(str::to_owned)));
        pages += 1;
        marker = reply.next_marker().map(str::to_owned);
        match &marker {
            None => break,
            Some(marker) => assert!(!names.contains(marker), "a marker is opaque: {marker}"),
        }
    }
    assert_eq!((names.join(" "), pages), ("b0 b1 b2 b3 b4".to_owned(), 3));
    let twice = client.describe_load_balancers().load_balancer_names("b1").load_balancer_names("b1").send().await.unwrap();
    assert_eq!(twice.load_balancer_descriptions().len(), 1);

    let limits = client.describe_account_limits().page_size(2).send().await.unwrap();
    let rest = client.describe_account_limits().set_marker(limits.next_marker().map(str::to_owned)).send().await.unwrap();
    let all: Vec<_> =
        limits.limits().iter().chain(rest.limits()).map(|one| (one.name().unwrap(), one.max().unwrap())).collect();
    assert_eq!(
        all,
        [("classic-load-balancers", "20"), ("classic-listeners", "100"), ("classic-registered-instances", "1000")]
    );
}

#[tokio::test]
async fn a_region_does_not_see_another_regions_balancers() {
    let sandbox = start(CHAT).await;
    let elsewhere = Client::new(&config(&sandbox, "us-east-1").await);
    assert!(elsewhere.describe_load_balancers().send().await.unwrap().load_balancer_descriptions().is_empty());
    let error = elsewhere.describe_load_balancers().load_balancer_names("chat").send().await.unwrap_err();
    assert!(error.into_service_error().is_access_point_not_found_exception());
}
