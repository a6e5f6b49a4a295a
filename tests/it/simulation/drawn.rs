//! What the cases are made of: a simulation finds nothing in what is never drawn.

use std::collections::BTreeMap;

use elbws::model::{Balancer, Listener, Policy};
use elbws::plan::is_journal_tag;
use elbws::sandbox::Switches;
use elbws::spec::{HealthCheckIntent, ListenerIntent, ProxyProtocolIntent};

use super::cases::{Case, any_case, draw};
use super::crash::{beginning, read};

/// Enough for everything below to come often.
const CASES: u64 = 200;

/// Protocol pairs that the service takes.
const PAIRS: [&str; 8] =
    ["HTTP/HTTP", "HTTP/HTTPS", "HTTPS/HTTP", "HTTPS/HTTPS", "TCP/TCP", "TCP/SSL", "SSL/TCP", "SSL/SSL"];

fn pair(listener: &Listener) -> String {
    format!("{}/{}", listener.protocol, listener.instance_protocol)
}

fn of_balancer(balancer: &Balancer) -> Vec<String> {
    let Balancer { listeners, backend_policies, policies, .. } = balancer;
    let mut found: Vec<String> = listeners.values().map(|listener| format!("a listener {}", pair(listener))).collect();
    let mut has = |what: &str, is: bool| found.extend(is.then(|| what.to_owned()));
    let users = |port: u16| listeners.values().filter(|listener| listener.instance_port == port).count();
    has("a shared instance port", listeners.values().any(|listener| users(listener.instance_port) > 1));
    let is = |name: &String, test: fn(&Policy) -> bool| policies.get(name).is_some_and(test);
    let attached = || backend_policies.values().flatten();
    has("a foreign policy on an instance port", attached().any(|name| !is(name, Policy::is_proxy_protocol)));
    has("a policy on an unused instance port", backend_policies.keys().any(|port| users(*port) == 0));
    let several = |test: fn(&Policy) -> bool| policies.values().filter(|policy| test(policy)).count() > 1;
    has("several proxy policies", several(Policy::is_proxy_protocol));
    has("several proxy policies that are on", several(Policy::enables_proxy_protocol));
    let two =
        backend_policies.values().any(|names| names.iter().filter(|name| is(name, Policy::is_proxy_protocol)).count() > 1);
    has("two proxy policies on one instance port", two);
    has(
        "a proxy policy switched off",
        attached().any(|name| is(name, |it| it.is_proxy_protocol() && !it.enables_proxy_protocol())),
    );
    let of_listeners = || listeners.values().flat_map(|listener| &listener.policies);
    has("stickiness", of_listeners().any(|name| is(name, Policy::is_stickiness)));
    has("stickiness and TLS on one listener", listeners.values().any(|listener| listener.policies.len() > 1));
    has("a policy with a long name", of_listeners().any(|name| name.len() > 150));
    has("a policy with an odd name", of_listeners().any(|name| name.contains(['+', '.'])));
    has("an odd casing of true", policies.values().any(|policy| format!("{policy:?}").contains("\"True\"")));
    has("a name in capital letters", balancer.name.contains(char::is_uppercase));
    has("a policy of a type to come", policies.values().any(|policy| policy.policy_type.contains("Future")));
    found
}

fn of_case(case: &Case) -> Vec<String> {
    let start = read(&beginning(case, Switches::default()).expect("it can begin"), case.name());
    let mut found = of_balancer(&start);
    let mut has = |what: &str, is: bool| found.extend(is.then(|| what.to_owned()));
    has("journal tags left behind", start.tags.keys().any(|key| is_journal_tag(key)));
    let is_missing =
        |port| !start.listeners.contains_key(port) && start.tags.contains_key(&format!("elbws:listener:{port}"));
    has("a listener that only the journal knows", case.balancer.listeners.keys().any(is_missing));
    has(
        "a tag that looks like the journal's",
        start.tags.keys().any(|key| key.starts_with("elbws") && !is_journal_tag(key)),
    );
    let spec = &case.spec;
    has("the recipe", spec.listeners == ListenerIntent::Recipe);
    has("listeners kept", spec.listeners == ListenerIntent::Keep);
    has("another certificate", spec.certificate.is_some());
    has("another TLS policy", spec.ssl_policy.is_some());
    has("pruning", spec.prune);
    has("an idle timeout", spec.idle_timeout.is_some());
    has("a health check kept", spec.health_check == HealthCheckIntent::Keep);
    has("the PROXY protocol disabled", matches!(spec.proxy_protocol, ProxyProtocolIntent::Disable { .. }));
    if let ListenerIntent::Set(requests) = &spec.listeners {
        found.extend(requests.iter().map(|one| format!("a wish for {}/{}", one.protocol, one.instance_protocol)));
    }
    found
}

#[test]
fn the_cases_have_everything() {
    let mut drawn = BTreeMap::<String, u32>::new();
    for seed in 1..=CASES {
        of_case(&draw(&any_case(), seed)).into_iter().for_each(|what| *drawn.entry(what).or_default() += 1);
    }
    let pairs = PAIRS.iter().flat_map(|pair| [format!("a listener {pair}"), format!("a wish for {pair}")]);
    let others = [
        "a shared instance port",
        "a foreign policy on an instance port",
        "a policy on an unused instance port",
        "several proxy policies",
        "several proxy policies that are on",
        "two proxy policies on one instance port",
        "a proxy policy switched off",
        "stickiness",
        "stickiness and TLS on one listener",
        "a policy with a long name",
        "a policy with an odd name",
        "an odd casing of true",
        "a name in capital letters",
        "a policy of a type to come",
        "journal tags left behind",
        "a listener that only the journal knows",
        "a tag that looks like the journal's",
        "the recipe",
        "listeners kept",
        "another certificate",
        "another TLS policy",
        "pruning",
        "an idle timeout",
        "a health check kept",
        "the PROXY protocol disabled",
    ];
    let wanted = pairs.chain(others.map(str::to_owned));
    let rare: Vec<String> = wanted.filter(|what| drawn.get(what).is_none_or(|times| *times < 2)).collect();
    assert!(rare.is_empty(), "hardly ever drawn: {rare:?}, of {drawn:#?}");
}
