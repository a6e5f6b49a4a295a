//! The simulation tells the truth about the adapter: the same run through the real SDK, over HTTP, against a sandbox in the same
//! state makes the same calls, reads the same and ends the same; and every failure looks the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use elbws::apply::{Applying, Ending, apply, precheck};
use elbws::cloud::Cloud;
use elbws::cloud::aws::Aws;
use elbws::model::{Balancer, CertificateArn, DEFAULT_NEGOTIATION_POLICY, Policy, names, policy_type};
use elbws::plan::{Step, plan};
use elbws::sandbox::{self, OneOrMore, Options, Sandbox, Seed, SeedBalancer, SeedHealthCheck, SeedListener, SeedPolicy};

use super::cases::{Case, any_case, draw};
use super::client::Client;
use super::runner::{run, undisturbed};
use super::schedule::{First, Next, drive};
use super::service::{Service, Weather};
use super::translation;
use super::trouble::{CODES, Trouble, TroubleKind};
use crate::support::balancers::{CERTIFICATE, OTHER_CERTIFICATE};
use crate::support::wire::{Answers, Wire, options};

/// How many runs are made both ways: the most balancers that a region holds.
const RUNS: usize = 20;

/// The calls that a step can be.
const ACTIONS: usize = 11;

/// With as much stack as the binary has: unoptimised, the futures of the SDK in those of a run take more than a test thread's.
#[test]
fn the_same_run_over_http_makes_the_same_calls_and_ends_the_same() {
    let runs = || tokio::runtime::Runtime::new().unwrap().block_on(compare());
    std::thread::Builder::new().stack_size(8 << 20).spawn(runs).unwrap().join().unwrap();
}

async fn compare() {
    let cases = cases();
    let sandbox = sandbox::start(Options::default(), seed_of(&cases)).await.unwrap();
    let mut actions = BTreeMap::<String, usize>::new();
    for case in &cases {
        let calls = both_ways(case, &sandbox).await;
        calls.into_iter().for_each(|action| *actions.entry(action).or_default() += 1);
    }
    assert_eq!(actions.len(), ACTIONS, "some step was never made: {actions:?}");
}

/// Cases with something to do, each with a name of its own; first those that make a call which none before them makes, until every
/// call is made.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut made = BTreeSet::new();
    for seed in 1.. {
        let case = renamed(creatable(draw(&any_case(), seed)), cases.len());
        let Ok(plan) = plan(&case.balancer, &case.spec) else { continue };
        let before = made.len();
        made.extend(plan.steps().map(Step::action));
        if made.len() > before || before == ACTIONS && !plan.no_op {
            cases.push(case);
        }
        if cases.len() == RUNS {
            break;
        }
    }
    cases
}

/// The case of another balancer, with the policy that elbws would have made for it.
fn renamed(case: Case, number: usize) -> Case {
    let name = format!("case-{number}");
    let (old, new) = (format!("{}-proxy-protocol", case.balancer.name), format!("{name}-proxy-protocol"));
    let mut balancer = Balancer { name, ..case.balancer };
    if let Some(policy) = balancer.policies.remove(&old) {
        balancer.policies.insert(new.clone(), policy);
    }
    for attached in balancer.backend_policies.values_mut() {
        if attached.remove(&old) {
            attached.insert(new.clone());
        }
    }
    Case { balancer, ..case }
}

/// Makes the run both ways. The actions that changed something.
async fn both_ways(case: &Case, sandbox: &Sandbox) -> Vec<String> {
    let name = case.name();
    let service = Service::new(elbws::sandbox::control::World::clone(&sandbox.world()), Weather::default());
    let aws = Aws::connect(&options(&sandbox.endpoint(), "eu-west-1")).await.unwrap();
    let live = aws.read(name).await.unwrap();
    assert_eq!(live, service.balancer(name).unwrap());
    for arn in [CERTIFICATE, OTHER_CERTIFICATE, "arn:aws:acm:eu-west-1:123456789012:certificate/none"] {
        let arn = CertificateArn::observed(arn);
        let client = Client::new(&service, 0);
        let there = drive(&service, vec![Box::pin(client.has_certificate(&arn))], &mut First, || Ok(Next::Go));
        assert_eq!(there.unwrap().pop().flatten().unwrap().unwrap(), aws.has_certificate(&arn).await.unwrap());
    }
    let made = plan(&live, &case.spec).unwrap();
    let service = Service::new(service.world(), Weather::default());
    let client = Client::new(&service, 0);
    let stop = undisturbed();
    let ended = drive(&service, vec![Box::pin(run(&client, name, &case.spec, &stop))], &mut First, || Ok(Next::Go));
    assert_eq!(ended.unwrap().pop().flatten().unwrap().exit(), 0);

    sandbox.clear_log();
    precheck(&aws, &made).await.unwrap();
    let retry_for = Duration::from_secs(5);
    let applying = Applying { plan: &made, stages: &made.stages, retry_for, stop: &stop, listen: &|_| {} };
    let outcome = apply(&aws, applying).await;
    assert!(matches!(outcome.ending, Ending::Converged), "{outcome:?}");
    assert_eq!(aws.read(name).await.unwrap(), service.balancer(name).unwrap());
    let mut over_http: Vec<String> =
        sandbox.log().into_iter().filter(|entry| entry.mutating).filter_map(|entry| entry.action).collect();
    let action = |label: &str| label.split(' ').next().unwrap_or_default().to_owned();
    let mut simulated: Vec<String> =
        service.log().iter().filter(|made| made.mutating).map(|made| action(&made.label)).collect();
    // Groups of a stage are made at the same time.
    over_http.sort_unstable();
    simulated.sort_unstable();
    assert_eq!(over_http, simulated);
    simulated
}

/// The case without what the API would refuse to create: names and types that it does not know, and authentication of back ends
/// that are plain.
fn creatable(mut case: Case) -> Case {
    let balancer = &mut case.balancer;
    let key = Policy::new(policy_type::PUBLIC_KEY, &[("PublicKey", "MIIB")]);
    balancer.policies.insert("a-key".to_owned(), key);
    if let Some(policy) = balancer.policies.get_mut("backend-auth") {
        *policy = Policy::new(policy_type::BACKEND_AUTHENTICATION, &[("PublicKeyPolicyName", "a-key")]);
    }
    balancer.policies.retain(|name, policy| {
        name == DEFAULT_NEGOTIATION_POLICY
            || names::check_policy_name(name).is_ok() && !policy.policy_type.contains("Future")
    });
    let policies = &balancer.policies;
    for listener in balancer.listeners.values_mut() {
        listener.policies.retain(|name| policies.contains_key(name));
        if listener.protocol.is_secure() && listener.policies.is_empty() {
            listener.policies.insert(DEFAULT_NEGOTIATION_POLICY.to_owned());
        }
    }
    let listeners = &balancer.listeners;
    for (port, attached) in &mut balancer.backend_policies {
        let mut users = listeners.values().filter(|listener| listener.instance_port == *port);
        let is_plain = users.any(|listener| !listener.instance_protocol.is_secure());
        attached.retain(|name| !is_plain || policies[name].policy_type != policy_type::BACKEND_AUTHENTICATION);
    }
    balancer.backend_policies.retain(|_, attached| !attached.is_empty());
    case
}

/// A seed with the balancers of the cases.
fn seed_of(cases: &[Case]) -> Seed {
    let certificates = format!(
        "[[certificates]]\nname = \"one\"\narn = \"{CERTIFICATE}\"\ndomain = \"one.example.com\"\n\
         [[certificates]]\nname = \"With+odd=name,x@y\"\narn = \"{OTHER_CERTIFICATE}\"\ndomain = \"other.example.com\"\n"
    );
    let balancers = cases.iter().map(|case| seeded(&case.balancer)).collect();
    Seed { balancers, ..Seed::from_toml(&certificates).unwrap() }
}

fn seeded(balancer: &Balancer) -> SeedBalancer {
    let listeners = balancer.listeners.values().map(|listener| SeedListener {
        protocol: listener.protocol.to_string(),
        load_balancer_port: listener.load_balancer_port,
        instance_protocol: Some(listener.instance_protocol.to_string()),
        instance_port: listener.instance_port,
        certificate: listener.certificate.as_ref().map(ToString::to_string),
        policies: Some(listener.policies.iter().cloned().collect()),
    });
    let check = balancer.health_check.as_ref().expect("every generated balancer has one");
    let values = |values: &BTreeSet<String>| OneOrMore::List(values.iter().cloned().collect());
    let seed_policy = |policy: &Policy| SeedPolicy {
        policy_type: policy.policy_type.clone(),
        attributes: policy.attributes.iter().map(|(name, all)| (name.clone(), values(all))).collect(),
    };
    let own = balancer.policies.iter().filter(|(name, _)| *name != DEFAULT_NEGOTIATION_POLICY);
    SeedBalancer {
        name: balancer.name.clone(),
        scheme: None,
        listeners: listeners.collect(),
        health_check: Some(SeedHealthCheck {
            target: check.target.to_string(),
            interval: Some(check.interval),
            timeout: Some(check.timeout),
            unhealthy_threshold: Some(check.unhealthy_threshold),
            healthy_threshold: Some(check.healthy_threshold),
        }),
        policies: own.map(|(name, policy)| (name.clone(), seed_policy(policy))).collect(),
        backend_policies: balancer
            .backend_policies
            .iter()
            .map(|(port, names)| (port.to_string(), names.iter().cloned().collect()))
            .collect(),
        attributes: Default::default(),
        instances: Vec::new(),
        subnets: Vec::new(),
        availability_zones: Vec::new(),
        security_groups: Vec::new(),
        tags: balancer.tags.clone(),
    }
}

/// Every code, a connection that is closed and half an answer: the adapter's error is the simulation's.
#[tokio::test]
async fn every_failure_looks_the_same() {
    let step = Step::CreatePolicy { name: "proxy".to_owned(), policy: Policy::proxy_protocol() };
    let call = translation::step("chat", &step);
    let refusal = |code: &str| {
        format!(
            "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/\"><Error><Type>Sender</Type>\
                 <Code>{code}</Code><Message>injected</Message></Error><RequestId>r-2</RequestId></ErrorResponse>"
        )
    };
    let half = "<CreateLoadBalancerPolicyResponse><CreateLoadBalancerPolicyResult/>".to_owned();
    let mut expected: Vec<(Trouble, (u16, String))> =
        CODES.iter().map(|(code, status)| (Trouble::before(code, *status), (*status, refusal(code)))).collect();
    expected.push((Trouble { kind: TroubleKind::HalfAnAnswer, after: false }, (200, half)));
    let each = expected.into_iter().enumerate().map(|(number, (trouble, answer))| {
        let (step, call) = (step.clone(), call.clone());
        // A region of its own, since clients of one region share what retries they have left.
        tokio::spawn(async move {
            let by_action = BTreeMap::from([("CreateLoadBalancerPolicy", answer)]);
            let wire = Wire::start(Answers { by_action, ..Answers::default() }).await;
            let aws = wire.connect(&format!("eu-same-{number}")).await;
            let found = aws.perform("chat", &step).await.unwrap_err();
            let simulated = trouble.error(&call);
            assert_eq!(
                (found.kind, found.code.is_some(), found.action),
                (simulated.kind, simulated.code.is_some(), simulated.action),
                "{trouble:?}: {}",
                found.message
            );
        })
    });
    for result in futures::future::join_all(each).await {
        result.unwrap();
    }
    let closed = Trouble { kind: TroubleKind::Reset, after: false };
    let aws = Aws::connect(&options("http://127.0.0.1:9", "eu-same-99")).await.unwrap();
    assert_eq!(aws.perform("chat", &step).await.unwrap_err().kind, closed.error(&call).kind);
}
