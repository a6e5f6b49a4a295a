//! What `cargo fuzz` feeds: each function takes any bytes to one reader of text from outside and checks what holds for any input.
//!
//! The checks are those of `tests/it/anything`, and the balancers and specs those of the other tests: nothing is said twice.

#[path = "../../it/anything/checks.rs"]
mod checks;
mod support;
#[path = "../../it/anything/xml.rs"]
mod xml;

use std::sync::LazyLock;

use elbws::model::Balancer;
use elbws::sandbox::control::World;
use elbws::sandbox::{Options, Seed};
use elbws::spec::Spec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::runtime::Runtime;

use support::balancers::{any_balancer, seed};
use support::specs::any_spec;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// The value that the first bytes choose, as the seed of the tests' random numbers.
fn chosen<T: Strategy>(strategy: &T, data: &[u8]) -> Option<T::Value> {
    let mut seed = [0; 32];
    seed.iter_mut().zip(data).for_each(|(place, byte)| *place = *byte);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    Some(strategy.new_tree(&mut runner).ok()?.current())
}

fn text(data: &[u8], check: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(data) {
        check(text);
    }
}

/// The planner, on a balancer and a spec in JSON; bytes that are none choose among those of the tests.
pub fn planner(data: &[u8]) {
    match serde_json::from_slice::<(Balancer, Spec)>(data) {
        Ok(_) => text(data, checks::planner_json),
        Err(_) => {
            if let Some((live, spec)) = chosen(&(any_balancer(), any_spec()), data) {
                checks::planner(&live, &spec);
            }
        }
    }
}

/// The parser of `elbws.toml`.
pub fn spec_file(data: &[u8]) {
    text(data, checks::spec_file);
}

/// The listener grammar, and health check targets and ARNs.
pub fn listener(data: &[u8]) {
    text(data, checks::listener_grammar);
}

/// A saved plan.
pub fn plan_file(data: &[u8]) {
    text(data, checks::plan_file);
}

/// Tags that a run left behind, `key=value` a line; bytes that are no text choose a balancer whose listeners are kept in tags.
pub fn journal(data: &[u8]) {
    match std::str::from_utf8(data) {
        Ok(text) => {
            checks::journal(checks::tags(text), &seed());
        }
        Err(_) => {
            let live = chosen(&any_balancer(), data);
            live.iter().flat_map(|live| live.listeners.values()).for_each(checks::journalled);
        }
    }
}

/// The XML that the adapter reads.
pub fn reply(data: &[u8]) {
    static READER: LazyLock<xml::Reader> = LazyLock::new(|| RUNTIME.block_on(xml::Reader::start()));
    RUNTIME.block_on(READER.check(xml::read_of(data), data));
}

/// The query that the sandbox reads: a request a line.
pub fn query(data: &[u8]) {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        let seed = Seed::from_toml(include_str!("../../../fixtures/chat.toml")).expect("it is a seed");
        let sandbox = RUNTIME.block_on(elbws::sandbox::start(Options::default(), seed)).expect("it starts");
        World::clone(&sandbox.world())
    });
    text(data, |text| checks::queries(&WORLD, text));
}
