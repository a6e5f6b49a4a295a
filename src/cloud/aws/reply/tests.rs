//! Replies as the SDK hands them over, right and wrong.

use super::*;

fn listener(load_balancer_port: i32, instance_port: i32) -> sdk::ListenerDescription {
    let listener = sdk::Listener::builder()
        .protocol("SSL")
        .load_balancer_port(load_balancer_port)
        .instance_protocol("tcp")
        .instance_port(instance_port)
        .ssl_certificate_id("arn:aws:iam::1:server-certificate/c")
        .build()
        .unwrap();
    sdk::ListenerDescription::builder().listener(listener).policy_names("tls").build()
}

fn described() -> sdk::builders::LoadBalancerDescriptionBuilder {
    sdk::LoadBalancerDescription::builder().load_balancer_name("chat").dns_name("chat.example").scheme("internal")
}

fn backend(port: i32, names: &[&str]) -> sdk::BackendServerDescription {
    let names = names.iter().map(ToString::to_string).collect();
    sdk::BackendServerDescription::builder().instance_port(port).set_policy_names(Some(names)).build()
}

fn refused(description: sdk::builders::LoadBalancerDescriptionBuilder) -> String {
    only("chat", &[description.build()]).unwrap_err()
}

#[test]
fn a_balancer_is_kept_whole() {
    let description = described()
        .vpc_id("vpc-1")
        .listener_descriptions(listener(443, 80))
        .listener_descriptions(listener(8443, 81))
        .backend_server_descriptions(backend(80, &["pp", "auth"]))
        .backend_server_descriptions(backend(81, &[]))
        .instances(sdk::Instance::builder().instance_id("i-1").build())
        .build();
    let found = only("chat", &[description]).unwrap();
    assert_eq!(found.listeners.keys().copied().collect::<Vec<_>>(), [443, 8443]);
    let listener = &found.listeners[&443];
    assert_eq!(listener.to_string(), "SSL:443/TCP:80");
    assert_eq!(listener.policies, BTreeSet::from(["tls".to_owned()]));
    assert_eq!(found.backend_policies, BTreeMap::from([(80, BTreeSet::from(["auth".to_owned(), "pp".to_owned()]))]));
    assert_eq!(found.instances, BTreeSet::from(["i-1".to_owned()]));
    assert_eq!(found.vpc.as_deref(), Some("vpc-1"));
    assert_eq!(found.health_check, None);
}

#[test]
fn what_this_version_does_not_know_is_kept() {
    let odd = sdk::Listener::builder().protocol("quic").load_balancer_port(443).instance_protocol("MQTT").instance_port(80);
    let odd = sdk::ListenerDescription::builder().listener(odd.build().unwrap()).build();
    let found = only("chat", &[described().scheme("galactic").listener_descriptions(odd).build()]).unwrap();
    assert_eq!(found.listeners[&443].to_string(), "QUIC:443/MQTT:80");
    assert_eq!(found.scheme, "galactic");

    let attribute = |name: &str, value: &str| {
        sdk::PolicyAttributeDescription::builder().attribute_name(name).attribute_value(value).build()
    };
    let policy = sdk::PolicyDescription::builder()
        .policy_name("p")
        .policy_type_name("QuantumPolicyType")
        .policy_attribute_descriptions(attribute("Spin", "up"))
        .policy_attribute_descriptions(attribute("Spin", "down"))
        .build();
    let found = policies(&[policy]).unwrap();
    assert_eq!(found["p"].policy_type, "QuantumPolicyType");
    assert_eq!(found["p"].attributes["Spin"], BTreeSet::from(["down".to_owned(), "up".to_owned()]));
}

#[test]
fn another_balancer_or_none_is_refused() {
    assert_eq!(only("chat", &[]).unwrap_err(), "asked for chat, 0 balancers are described");
    assert_eq!(refused(described().load_balancer_name("mail")), "asked for chat, mail is described");
    assert_eq!(refused(described().dns_name("")), "the balancer has no DNS name");
}

#[test]
fn a_port_out_of_range_is_refused() {
    let with = |listener| refused(described().listener_descriptions(listener));
    assert_eq!(with(listener(0, 80)), "a listener's load balancer port is missing or 0");
    assert_eq!(with(listener(443, 65536)), "the instance port of listener 443 is 65536, which is no port");
    assert_eq!(with(listener(-1, 80)), "a listener's load balancer port is -1, which is no port");
}

#[test]
fn what_is_described_twice_must_agree() {
    let twice = described().listener_descriptions(listener(443, 80)).listener_descriptions(listener(443, 80));
    assert_eq!(refused(twice), "listener 443 is described twice");
    let same = described().backend_server_descriptions(backend(80, &["a"])).backend_server_descriptions(backend(80, &["a"]));
    assert!(only("chat", &[same.build()]).is_ok());
    let other =
        described().backend_server_descriptions(backend(80, &["a"])).backend_server_descriptions(backend(80, &["b"]));
    assert_eq!(refused(other), "the policies of instance port 80 are described twice, differently");
}

#[test]
fn a_health_check_must_make_sense() {
    let check = |target: &str, interval| {
        let check = sdk::HealthCheck::builder().target(target).interval(interval).timeout(5);
        described().health_check(check.unhealthy_threshold(2).healthy_threshold(10).build().unwrap())
    };
    let found = only("chat", &[check("HTTP:80/up", 30).build()]).unwrap().health_check.unwrap();
    assert_eq!((found.target.to_string().as_str(), found.interval), ("HTTP:80/up", 30));
    assert_eq!(refused(check("TCP:80", 0)), "the health check's interval is missing or 0");
    assert!(refused(check("GOPHER:70", 30)).starts_with("the health check cannot be read: `GOPHER:70`"));
}

#[test]
fn attributes_that_are_missing_are_not_made_up() {
    assert_eq!(attributes(None).unwrap_err(), "the reply holds no attributes");
    let empty = sdk::LoadBalancerAttributes::builder().build();
    assert_eq!(attributes(Some(&empty)).unwrap_err(), "the idle timeout is missing");
}

#[test]
fn tags_of_another_balancer_are_no_answer() {
    let tag = sdk::Tag::builder().key("team").value("chat").build().unwrap();
    let described = [sdk::TagDescription::builder().load_balancer_name("chat").tags(tag).build()];
    assert_eq!(tags("chat", &described).unwrap(), BTreeMap::from([("team".to_owned(), "chat".to_owned())]));
    assert_eq!(tags("mail", &described).unwrap_err(), "the tags of mail are not in the reply");
}
