//! What holds for any input at all, of every reader that text or bytes from outside reach: no panic, no hang, and nothing is
//! accepted that cannot be written back.
//!
//! The tests feed these with drawn and mangled inputs, the targets of `cargo fuzz` with whatever finds new paths.

use std::collections::{BTreeMap, BTreeSet};

use elbws::model::{Balancer, CertificateArn, HealthCheckTarget, Listener};
use elbws::plan::{PlanError, PlanFile, Progress, Step, differences, plan, predict, progress};
use elbws::sandbox::control::{Action, Outcome, Params, Request, Service, World, answer};
use elbws::spec::config::Config;
use elbws::spec::{ListenerIntent, ListenerRequest, Spec, observed_toml};

/// The listener grammar, and its neighbours on the command line: read, written and read again they are the same.
pub(crate) fn listener_grammar(text: &str) {
    if let Ok(request) = text.parse::<ListenerRequest>() {
        assert_eq!(request.to_string().parse::<ListenerRequest>().as_ref(), Ok(&request), "{text}");
    }
    if let Ok(target) = text.parse::<HealthCheckTarget>() {
        assert_eq!(target.to_string().parse::<HealthCheckTarget>().as_ref(), Ok(&target), "{text}");
    }
    if let Ok(arn) = text.parse::<CertificateArn>() {
        assert_eq!(arn.as_str(), text);
    }
}

/// An `elbws.toml`: what is accepted can be written and read again, and asks for the same.
pub(crate) fn spec_file(text: &str) {
    let Ok(config) = Config::parse(text) else { return };
    let written = toml::to_string(&config).expect("what was read can be written");
    let again = Config::parse(&written).expect("what was written can be read");
    assert_eq!(config, again);
    for balancer in &config.balancers {
        if let Ok(spec) = balancer.spec() {
            let json = serde_json::to_string(&spec).expect("a spec is JSON");
            assert_eq!(serde_json::from_str::<Spec>(&json).expect("it is a spec"), spec);
        }
    }
}

/// A saved plan: what is accepted says, written, the same again.
pub(crate) fn plan_file(text: &str) {
    if let Ok(file) = PlanFile::parse(text) {
        let written = serde_json::to_string(&file).expect("a plan is JSON");
        assert_eq!(PlanFile::parse(&written).expect("what was written can be read"), file);
    }
}

/// A balancer and a spec in JSON, as a plan file holds them: the planner answers, and what it plans it can do.
pub(crate) fn planner_json(text: &str) {
    if let Ok((live, spec)) = serde_json::from_str::<(Balancer, Spec)>(text)
        && fits_together(&live)
    {
        planner(&live, &spec);
    }
}

/// Whether the keys of the maps are those of what they hold, as every reader makes them.
fn fits_together(live: &Balancer) -> bool {
    live.listeners.iter().all(|(port, listener)| *port == listener.load_balancer_port)
}

/// Any balancer and any spec: an error in words, or a plan that a file brings back, that resumes at its beginning and its end,
/// and whose steps leave nothing to do.
pub(crate) fn planner(live: &Balancer, spec: &Spec) {
    let _ = observed_toml(std::slice::from_ref(live));
    let made = match plan(live, spec) {
        Ok(made) => made,
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.hint().is_empty());
            return;
        }
    };
    let file = PlanFile::new(Some("123456789012".to_owned()), "eu-west-1", vec![made.clone()]);
    let text = serde_json::to_string(&file).expect("a plan is JSON");
    assert_eq!(PlanFile::parse(&text).expect("a saved plan is read"), file);
    assert_eq!(made.no_op, made.changes.is_empty(), "{:?}", made.changes);
    let after = made.steps().fold(live.clone(), predict);
    assert_eq!(differences(&after, &made.after), Vec::<String>::new());
    assert_eq!(progress(&made, &after), Progress::Remaining(Vec::new()));
    match plan(&after, spec) {
        Ok(again) => assert!(again.no_op, "left: {:#?}", again.changes),
        // What an interrupted run left is put back, and then the recipe is refused for good.
        Err(_) => assert_ne!(live.tags, after.tags),
    }
}

/// Tags, `key=value` a line.
pub(crate) fn tags(text: &str) -> BTreeMap<String, String> {
    let tags = text.lines().filter_map(|line| line.split_once('='));
    tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Tags of a balancer: what is left of a journal is understood or refused by name; what is understood is written again as it was
/// meant.
pub(crate) fn journal(tags: BTreeMap<String, String>, live: &Balancer) {
    let balancer = Balancer { tags, ..live.clone() };
    match plan(&balancer, &Spec::nothing()) {
        Err(PlanError::BrokenJournal { key, why }) => {
            assert!(balancer.tags.contains_key(&key) && !why.is_empty(), "{key}: {why}");
        }
        Err(_) => {}
        Ok(made) => {
            for step in made.steps() {
                if let Step::CreateListener { listener } = step {
                    journalled(listener);
                }
            }
        }
    }
}

/// A listener with all it has is kept in tags and brought back by whoever comes next.
pub(crate) fn journalled(listener: &Listener) {
    let port = listener.load_balancer_port;
    let live = Balancer { listeners: BTreeMap::from([(port, listener.clone())]), ..empty() };
    let other_port = if listener.instance_port == 1 { 2 } else { 1 };
    let request = format!("TCP:{port}/TCP:{other_port}").parse().expect("a route");
    let spec = Spec { listeners: ListenerIntent::Set(vec![request]), ..Spec::nothing() };
    let Ok(made) = plan(&live, &spec) else { return };
    let mut crashed = live.clone();
    for step in made.steps() {
        crashed = predict(crashed, step);
        if let Step::DeleteListener { .. } = step {
            break;
        }
    }
    assert!(crashed.listeners.is_empty(), "it is to be deleted: {made:?}");
    for value in crashed.tags.values() {
        let legal = |c: char| c.is_ascii_alphanumeric() || "_.:/=+-@".contains(c);
        assert!(value.len() <= 255 && value.chars().all(legal), "{value} is no tag value");
    }
    let back = plan(&crashed, &Spec::nothing()).expect("a journal of ours can be read");
    let mut found = back.after.listeners[&port].clone();
    // Policies that the balancer does not hold cannot be set, so the journal's word for them is not taken.
    found.policies.clone_from(&listener.policies);
    assert_eq!(found, Listener { certificate: listener.certificate.clone(), ..listener.clone() });
}

fn empty() -> Balancer {
    Balancer {
        name: "chat".to_owned(),
        dns_name: "chat.example".to_owned(),
        scheme: "internal".to_owned(),
        vpc: None,
        listeners: BTreeMap::new(),
        backend_policies: BTreeMap::new(),
        policies: BTreeMap::new(),
        health_check: None,
        attributes: Default::default(),
        instances: BTreeSet::new(),
        security_groups: BTreeSet::new(),
        subnets: BTreeSet::new(),
        availability_zones: BTreeSet::new(),
        tags: BTreeMap::new(),
    }
}

/// Requests of the query protocol, one a line: each is answered or refused, a refusal changes nothing, and whatever the calls made
/// of the balancers, they can be described.
pub(crate) fn queries(world: &World, text: &str) {
    let mut world = world.clone();
    for line in text.lines().take(20) {
        let mut params = Params::default();
        let pairs: Vec<_> = form_urlencoded::parse(line.as_bytes()).take(200).collect();
        if pairs.iter().any(|(path, value)| params.insert(path, value.as_ref()).is_err()) {
            continue;
        }
        let service = params.top("Version").and_then(Service::of_version).unwrap_or(Service::Elb);
        let Some(action) = params.top("Action").and_then(|name| Action::find(service, name)) else { continue };
        let request = Request { region: "eu-west-1".to_owned(), params, at: jiff::Timestamp::UNIX_EPOCH };
        let Outcome { world: next, reply } = answer(&world, action, &request);
        assert!(next.is_none() || reply.is_ok(), "{line}: a refusal changed something");
        if let Some(next) = next {
            assert!(action.is_mutating(), "{line}: a read changed something");
            world = next;
        }
    }
    let names = world.regions.get("eu-west-1").map(|region| region.load_balancers.keys().cloned().collect::<Vec<_>>());
    for name in names.unwrap_or_default() {
        for action in ["DescribeLoadBalancerPolicies", "DescribeLoadBalancerAttributes", "DescribeInstanceHealth"] {
            let params = Params::default().set("LoadBalancerName", &name);
            let request = Request { region: "eu-west-1".to_owned(), params, at: jiff::Timestamp::UNIX_EPOCH };
            let action = Action::find(Service::Elb, action).expect("the sandbox serves it");
            answer(&world, action, &request).reply.expect("a balancer that is there can be described");
        }
    }
}
