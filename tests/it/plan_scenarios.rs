//! What a person sees for typical balancers: each starts from a plain case, changes one thing, and shows the plan.

use std::collections::BTreeSet;

use elbws::model::{Balancer, CertificateArn, Policy, Protocol, policy_type};
use elbws::output::{plan_json, plan_markdown, plan_text};
use elbws::plan::{PlanFile, plan, predict};
use elbws::spec::{HealthCheckIntent, ListenerIntent, ProxyProtocolIntent, Spec};

use crate::support::balancers::{OTHER_CERTIFICATE, attach, balancer, seed, set_listener_policy};

/// The plan, or why there is none, as text without colours.
fn shown(live: &Balancer, spec: &Spec) -> String {
    match plan(live, spec) {
        Ok(plan) => anstream::adapter::strip_str(&plan_text(&plan, "eu-west-1")).to_string(),
        Err(error) => format!("error: {error}\nhint: {}\n", error.hint()),
    }
}

fn with_listeners(routes: &[&str]) -> Spec {
    let requests = routes.iter().map(|route| route.parse().expect("a literal")).collect();
    Spec { listeners: ListenerIntent::Set(requests), ..Spec::websocket() }
}

fn with_ports(include: &[u16], skip: &[u16]) -> Spec {
    let proxy_protocol = ProxyProtocolIntent::Enable {
        policy_name: None,
        include: include.iter().copied().collect(),
        skip: skip.iter().copied().collect(),
        only: BTreeSet::new(),
    };
    Spec { proxy_protocol, ..Spec::websocket() }
}

fn applied(live: &Balancer) -> Balancer {
    plan(live, &Spec::websocket()).expect("the recipe fits").steps().fold(live.clone(), predict)
}

fn proxy(value: &str) -> Policy {
    Policy::new(policy_type::PROXY_PROTOCOL, &[("ProxyProtocol", value)])
}

macro_rules! scenario {
    ($name:ident, $live:expr, $spec:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(shown(&$live, &$spec));
        }
    };
}

scenario!(seed_story, seed(), Spec::websocket());
scenario!(seed_story_again, applied(&seed()), Spec::websocket());
scenario!(https_alone, balancer(&["HTTPS:443/HTTP:80"], "TCP:80"), Spec::websocket());
scenario!(http_on_another_port_stays, balancer(&["HTTPS:443/HTTP:80", "HTTP:8080/HTTP:8080"], "TCP:80"), Spec::websocket());
scenario!(ssh_is_left_out, balancer(&["HTTPS:443/HTTP:80", "TCP:22/TCP:22"], "TCP:80"), Spec::websocket());
scenario!(ssh_is_included, balancer(&["HTTPS:443/HTTP:80", "TCP:22/TCP:22"], "TCP:80"), with_ports(&[22], &[]));
scenario!(skipped_port_keeps_its_http_listener, seed(), with_ports(&[], &[80]));
scenario!(encrypted_back_end_is_not_guessed, balancer(&["HTTPS:443/HTTPS:443"], "TCP:443"), Spec::websocket());
scenario!(
    encrypted_back_end_beside_another,
    balancer(&["HTTPS:443/HTTP:80", "HTTPS:8443/HTTPS:443"], "TCP:80"),
    Spec::websocket()
);
scenario!(ssl_to_ssl_gets_no_header, balancer(&["SSL:443/SSL:443", "SSL:8443/TCP:80"], "TCP:80"), Spec::websocket());
scenario!(plain_http_alone, balancer(&["HTTP:80/HTTP:80"], "HTTP:80/"), Spec::websocket());
scenario!(ssl_health_check_becomes_tcp, balancer(&["SSL:443/TCP:80"], "SSL:80"), Spec::websocket());
scenario!(health_check_on_another_port_stays, balancer(&["HTTPS:443/HTTP:80"], "HTTP:8081/health"), Spec::websocket());
scenario!(kept_health_check_is_warned_about, seed(), Spec { health_check: HealthCheckIntent::Keep, ..Spec::websocket() });
scenario!(
    new_listener_gets_tls_1_2,
    balancer(&["TCP:80/TCP:80"], "TCP:80"),
    Spec { certificate: Some(CertificateArn::observed(OTHER_CERTIFICATE)), ..with_listeners(&["SSL:443/TCP:80"]) }
);
scenario!(new_listener_needs_a_certificate, balancer(&["TCP:80/TCP:80"], "TCP:80"), with_listeners(&["443:80"]));
scenario!(port_named_twice, seed(), with_listeners(&["443:80", "443:8080"]));
scenario!(unnamed_http_on_a_proxied_port, seed(), with_listeners(&["443:80"]));
scenario!(
    encrypted_and_plain_on_one_port,
    balancer(&["HTTPS:443/HTTPS:443"], "TCP:443"),
    with_listeners(&["TCP:80/TCP:443"])
);
scenario!(prune_removes_what_is_not_named, seed(), Spec { prune: true, ..with_listeners(&["443:80"]) });
scenario!(lost_tls_is_warned_about, seed(), with_listeners(&["TCP:443/TCP:80", "TCP:80/TCP:80"]));
scenario!(
    certificate_alone,
    applied(&seed()),
    Spec { certificate: Some(CertificateArn::observed(OTHER_CERTIFICATE)), ..Spec::nothing() }
);
scenario!(
    certificate_without_tls,
    balancer(&["TCP:80/TCP:80"], "TCP:80"),
    Spec { certificate: Some(CertificateArn::observed(OTHER_CERTIFICATE)), ..Spec::nothing() }
);
scenario!(
    disable,
    applied(&seed()),
    Spec { proxy_protocol: ProxyProtocolIntent::Disable { only: BTreeSet::new() }, ..Spec::nothing() }
);
scenario!(
    two_encrypted_listeners_move_to_plain_together,
    balancer(&["HTTPS:443/HTTPS:8443", "HTTP:80/HTTPS:8443"], "TCP:8443"),
    with_listeners(&["SSL:443/TCP:8443", "TCP:80/TCP:8443"])
);

#[test]
fn an_equivalent_policy_is_adopted() {
    let mut live = seed();
    live.policies.insert("k8s-proxyprotocol-enabled".to_owned(), proxy("True"));
    insta::assert_snapshot!(shown(&live, &Spec::websocket()));
}

#[test]
fn a_taken_name_is_avoided() {
    let mut live = seed();
    live.policies.insert("chat-proxy-protocol".to_owned(), proxy("false"));
    insta::assert_snapshot!(shown(&live, &Spec::websocket()));
}

#[test]
fn a_taken_name_that_was_asked_for_is_an_error() {
    let mut live = seed();
    live.policies.insert("mine".to_owned(), proxy("false"));
    let proxy_protocol = ProxyProtocolIntent::Enable {
        policy_name: Some("mine".to_owned()),
        include: BTreeSet::new(),
        skip: BTreeSet::new(),
        only: BTreeSet::new(),
    };
    insta::assert_snapshot!(shown(&live, &Spec { proxy_protocol, ..Spec::websocket() }));
}

#[test]
fn foreign_policies_stay_on_port_and_listener() {
    let mut live = seed();
    let authentication = Policy::new(policy_type::BACKEND_AUTHENTICATION, &[("PublicKeyPolicyName", "key")]);
    attach(&mut live, 80, "backend-auth", authentication);
    set_listener_policy(&mut live, 443, "custom-tls", Policy::negotiation("ELBSecurityPolicy-TLS-1-1-2017-01"));
    live.listeners.get_mut(&443).expect("the seed has it").policies.remove("ELBSecurityPolicy-2016-08");
    set_listener_policy(&mut live, 443, "sticky", Policy::new(policy_type::LB_COOKIE_STICKINESS, &[]));
    insta::assert_snapshot!(shown(&live, &Spec::websocket()));
}

#[test]
fn a_switched_off_policy_is_replaced() {
    let mut live = balancer(&["SSL:443/TCP:80"], "TCP:80");
    attach(&mut live, 80, "proxy-off", proxy("FALSE"));
    insta::assert_snapshot!(shown(&live, &Spec::websocket()));
}

#[test]
fn an_unknown_protocol_stays() {
    let mut live = seed();
    let mut listener = live.listeners[&80].clone();
    listener.load_balancer_port = 9000;
    listener.instance_port = 9000;
    listener.protocol = Protocol::from("quic");
    listener.instance_protocol = Protocol::from("quic");
    live.listeners.insert(9000, listener);
    insta::assert_snapshot!(shown(&live, &Spec::websocket()));
}

/// A run died after it had deleted listener 443: the recipe alone, with no flags, brings it back in its new form.
#[test]
fn an_interrupted_run_is_finished() {
    let live = seed();
    let undisturbed = plan(&live, &Spec::websocket()).expect("the recipe fits");
    let deleted = undisturbed.steps().position(|step| step.to_string() == "delete listener 443").expect("it is replaced");
    let crashed = undisturbed.steps().take(deleted + 1).fold(live, predict);
    assert!(!crashed.listeners.contains_key(&443));
    insta::assert_snapshot!(shown(&crashed, &Spec::websocket()));
}

#[test]
fn a_broken_journal_is_refused() {
    let mut live = seed();
    live.tags.insert("elbws:listener:443".to_owned(), "1+SSL:443".to_owned());
    insta::assert_snapshot!(shown(&live, &Spec::websocket()));
}

#[test]
fn markdown() {
    let plan = plan(&seed(), &Spec::websocket()).expect("the recipe fits");
    insta::assert_snapshot!(plan_markdown(&plan, "eu-west-1"));
}

#[test]
fn json() {
    let plan = plan(&seed(), &Spec::websocket()).expect("the recipe fits");
    let file = PlanFile::new(Some("123456789012".to_owned()), "eu-west-1", vec![plan]);
    insta::assert_snapshot!(plan_json(&file).expect("it is JSON"));
}

/// Names from outside are inert wherever they are shown.
#[test]
fn hostile_names_are_inert() {
    let mut live = seed();
    live.policies.insert("\u{1b}[31m</td><script>x</script>|`\"".to_owned(), proxy("true"));
    let plan = plan(&live, &Spec::websocket()).expect("the recipe fits");
    let text = anstream::adapter::strip_str(&plan_text(&plan, "eu-west-1")).to_string();
    assert!(!text.contains('\u{1b}'), "{text}");
    let markdown = plan_markdown(&plan, "eu-west-1");
    assert!(
        !markdown.contains("<script>") && !markdown.contains('\u{1b}') && markdown.contains("&lt;script&gt;"),
        "{markdown}"
    );
}

/// A listener that becomes HTTPS and keeps its stickiness still gets its TLS policy if the run dies before it is set.
#[test]
fn a_new_tls_listener_gets_its_policy_after_a_crash() {
    let mut live = balancer(&["HTTP:443/HTTP:80"], "TCP:80");
    set_listener_policy(&mut live, 443, "sticky", Policy::new(policy_type::LB_COOKIE_STICKINESS, &[]));
    let spec =
        Spec { certificate: Some(CertificateArn::observed(OTHER_CERTIFICATE)), ..with_listeners(&["HTTPS:443/HTTP:80"]) };
    let undisturbed = plan(&live, &spec).expect("it is legal");
    let created = undisturbed
        .steps()
        .position(|step| step.to_string() == "create listener HTTPS:443/HTTP:80")
        .expect("it is replaced");
    let crashed = undisturbed.steps().take(created + 1).fold(live, predict);
    let again = plan(&crashed, &spec).expect("it is legal");
    assert_eq!(again.after.listeners[&443].policies, undisturbed.after.listeners[&443].policies);
    assert!(again.after.listeners[&443].policies.contains("chat-TLS-1-2-2017-01"));
}

/// The same where the listener that is replaced was itself new: made by a run that died before it set the policy.
#[test]
fn a_new_tls_listener_that_is_replaced_gets_its_policy_after_a_second_crash() {
    let certificate = Some(CertificateArn::observed(OTHER_CERTIFICATE));
    let wish = |route: &str| Spec { certificate: certificate.clone(), ..with_listeners(&[route]) };
    let crashed = |live: &Balancer, spec: &Spec| {
        let plan = plan(live, spec).expect("it is legal");
        let created = plan.steps().position(|step| step.to_string().starts_with("create listener")).expect("it is made");
        plan.steps().take(created + 1).fold(live.clone(), predict)
    };
    let once = crashed(&balancer(&["HTTP:80/HTTP:80"], "TCP:80"), &wish("HTTPS:8443/HTTPS:443"));
    let spec = wish("SSL:8443/SSL:443");
    let undisturbed = plan(&once, &spec).expect("it is legal");
    let again = plan(&crashed(&once, &spec), &spec).expect("it is legal");
    assert_eq!(again.after.listeners[&8443].policies, undisturbed.after.listeners[&8443].policies);
    assert!(again.after.listeners[&8443].policies.contains("chat-TLS-1-2-2017-01"));
    assert!(!again.after.tags.keys().any(|key| key.starts_with("elbws:")), "{:?}", again.after.tags);
}
