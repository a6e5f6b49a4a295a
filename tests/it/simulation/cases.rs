//! What is simulated: any balancer, any spec, whatever an interrupted run left behind, and how the cases are drawn from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use elbws::model::{Balancer, DEFAULT_NEGOTIATION_POLICY, Policy};
use elbws::plan::plan;
use elbws::sandbox::control::{LoadBalancer, World};
use elbws::sandbox::{Options, Seed, Switches};
use elbws::spec::Spec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use crate::support::balancers::{CERTIFICATE, OTHER_CERTIFICATE, any_balancer};
use crate::support::specs::any_spec;
use crate::support::tell;

/// A balancer and what is asked of it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) balancer: Balancer,
    pub(crate) spec: Spec,
    /// Another wish, of somebody else or from an earlier day.
    pub(crate) other: Spec,
    /// Whether that wish was interrupted before, and after how many calls that changed something.
    pub(crate) left_behind: Option<usize>,
    /// Decides everything else.
    pub(crate) seed: u64,
}

impl Case {
    pub(crate) fn name(&self) -> &str {
        &self.balancer.name
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Case { balancer, spec, other, left_behind, seed } = self;
        let json = |value: serde_json::Result<String>| value.expect("it is JSON");
        writeln!(f, "balancer {}", json(serde_json::to_string(balancer)))?;
        writeln!(f, "spec {}", json(serde_json::to_string(spec)))?;
        writeln!(f, "other {}", json(serde_json::to_string(other)))?;
        write!(f, "left behind {left_behind:?}, seed {seed}")
    }
}

pub(crate) fn any_case() -> impl Strategy<Value = Case> {
    let names = select(vec!["chat", "chat", "Chat-PROD-0"]);
    let tags = select(vec![
        vec![],
        vec![("elbws:note", "not a journal tag"), ("Name", "Größe = 1")],
        vec![("elbws:listener", "8"), ("kubernetes.io/cluster/x", "owned")],
    ]);
    let left_behind = prop_oneof![Just(None), (1..12_usize).prop_map(Some)];
    let specs = (any_spec(), any_spec());
    let seed = any::<u64>().no_shrink();
    let cases = (any_balancer(), names, tags, specs, left_behind, seed).prop_map(
        |(balancer, name, tags, (spec, other), left_behind, seed)| {
            let tags = balancer.tags.into_iter().chain(tags.into_iter().map(|(key, value)| (key.into(), value.into())));
            let balancer = Balancer { name: name.to_owned(), tags: tags.collect(), ..balancer };
            let journal = |spec| Spec { journal: true, ..spec };
            Case { balancer, spec: journal(spec), other: journal(other), left_behind, seed }
        },
    );
    // A plan that is refused is of interest only where something was left behind.
    cases.prop_filter("the planner refuses it", |case| {
        case.left_behind.is_some() || plan(&case.balancer, &case.spec).is_ok_and(|made| !made.no_op)
    })
}

/// The world of every case, before the balancer is in it: the certificates, two of which no listener has at first.
static TEMPLATE: LazyLock<World> = LazyLock::new(|| {
    let seed = format!(
        "[[certificates]]\nname = \"one\"\narn = \"{CERTIFICATE}\"\ndomain = \"one.example.com\"\n\
         [[certificates]]\nname = \"With+odd=name,x@y\"\narn = \"{OTHER_CERTIFICATE}\"\ndomain = \"other.example.com\"\n\
         [[instances]]\nid = \"i-0c4a7000000000001\"\n\
         [[balancers]]\nname = \"template\"\nlisteners = [{{ protocol = \"SSL\", load_balancer_port = 443, \
         instance_protocol = \"TCP\", instance_port = 80, certificate = \"one\" }}]\n"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sandbox = runtime.block_on(elbws::sandbox::start(Options::default(), Seed::from_toml(&seed).unwrap())).unwrap();
    World::clone(&sandbox.world())
});

/// A world with this balancer.
pub(crate) fn world(balancer: &Balancer, switches: Switches) -> World {
    let mut world = TEMPLATE.clone();
    world.switches = switches;
    let created = jiff::Timestamp::UNIX_EPOCH;
    let mut balancer = balancer.clone();
    if let Some(policy) = balancer.policies.get_mut(DEFAULT_NEGOTIATION_POLICY) {
        policy.clone_from(&PREDEFINED);
    }
    let held = LoadBalancer { balancer, created, by_zone: false, health: BTreeMap::new(), draining: BTreeSet::new() };
    let region = world.regions.get_mut("eu-west-1").expect("the template has a region");
    region.load_balancers = BTreeMap::from([(held.balancer.name.clone(), held)]);
    world
}

/// The policy that the service gives a new listener, as it stores it.
static PREDEFINED: LazyLock<Policy> = LazyLock::new(|| {
    let template = &TEMPLATE.regions["eu-west-1"].load_balancers["template"].balancer;
    template.policies[DEFAULT_NEGOTIATION_POLICY].clone()
});

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// One case from a seed.
pub(crate) fn draw<T: Strategy>(strategy: &T, seed: u64) -> T::Value {
    strategy.new_tree(&mut runner(seed)).expect("there is one").current()
}

/// Draws cases and simulates each: as many as `SIMULATION_CASES` says, else `short` for the suite; the first from the seed
/// `SIMULATION_SEED`, each next one from the next number. `what` counts what was done. A case that fails is made as small
/// as possible and shown with the command that repeats it.
pub(crate) fn for_each<T: Strategy>(
    test: &str,
    short: u64,
    strategy: T,
    simulate: impl Fn(&T::Value, &mut Tally) -> Result<(), String>,
) {
    let cases = bounded(short);
    let first = number("SIMULATION_SEED").unwrap_or(1);
    let tally = std::cell::RefCell::new(Tally::default());
    let began = std::time::Instant::now();
    for seed in first..first + cases {
        let result =
            runner(seed).run(&strategy, |case| simulate(&case, &mut tally.borrow_mut()).map_err(TestCaseError::fail));
        match result {
            Ok(()) => {}
            Err(TestError::Fail(why, case)) => panic!(
                "{why}\n\nrepeat it with: SIMULATION_SEED={seed} SIMULATION_CASES=1 cargo test --test it {test}\n{case:#?}"
            ),
            Err(TestError::Abort(why)) => panic!("seed {seed}: {why}"),
        }
    }
    let what = format!("{test}: seeds {first}..{}, {:.1} s", first + cases, began.elapsed().as_secs_f64());
    tally.into_inner().tell(&what);
}

/// What `SIMULATION_CASES` says, or less for the suite.
pub(crate) fn bounded(short: u64) -> u64 {
    number("SIMULATION_CASES").unwrap_or(short)
}

/// How much was simulated.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    pub(crate) fn count(&mut self, what: &'static str, many: usize) {
        *self.0.entry(what).or_default() += many as u64;
    }

    /// Says how much it was, past the test harness, where somebody asked for a number of cases.
    pub(crate) fn tell(&self, what: &str) {
        if number("SIMULATION_CASES").is_some() {
            tell(&format!("{what}: {self}"));
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: Vec<String> = self.0.iter().map(|(what, many)| format!("{many} {what}")).collect();
        f.write_str(&all.join(", "))
    }
}
