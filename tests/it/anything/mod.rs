//! Anything at all: what is read from outside is drawn, mangled and fed to its reader.
//!
//! `PROPTEST_CASES` says how many inputs each reader gets; `tests/fuzz` feeds the same checks from a fuzzer, whose seeds and findings
//! are looked at here too.

mod checks;
mod xml;

use std::collections::BTreeMap;

use elbws::model::{Balancer, Listener};
use elbws::plan::{PlanFile, plan};
use elbws::spec::{Spec, observed_toml};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::balancers::{any_balancer, seed};
use crate::support::specs::any_spec;

/// One change of a text.
#[derive(Debug, Clone)]
enum Edit {
    Delete(Index, usize),
    Repeat(Index, usize),
    Insert(Index, String),
    Replace(Index, char),
}

/// Words that mean something to some reader.
const WORDS: [&str; 30] = [
    "0",
    "-1",
    "65535",
    "65536",
    "4294967296",
    "99999999999999999999",
    "1e999",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "=",
    "&",
    "+",
    "%",
    "%ff",
    ".member.1",
    ".member.",
    "elbws:listener:443",
    "elbws:listener:443:2",
    "1+",
    "50+SSL:443/TCP:80+-",
    "@",
    "@ZZ",
    "SSL:443/TCP:80",
    "<member/>",
    "&#0;",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "]]>",
];

fn any_edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>();
    let word = prop_oneof![select(WORDS.to_vec()).prop_map(str::to_owned), "\\PC{0,12}"];
    prop_oneof![
        (place.clone(), 1..40_usize).prop_map(|(place, length)| Edit::Delete(place, length)),
        (place.clone(), 1..80_usize).prop_map(|(place, length)| Edit::Repeat(place, length)),
        (place.clone(), word).prop_map(|(place, word)| Edit::Insert(place, word)),
        (place, any::<char>()).prop_map(|(place, c)| Edit::Replace(place, c)),
    ]
}

fn any_edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(any_edit(), 0..5)
}

fn mangled(text: &str, edits: &[Edit]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for edit in edits {
        let place = |index: &Index| index.index(text.len() + 1);
        match edit {
            Edit::Delete(index, length) => {
                let start = place(index);
                text.drain(start..text.len().min(start + length));
            }
            Edit::Repeat(index, length) => {
                let start = place(index);
                let part = text[start..text.len().min(start + length)].to_vec();
                text.splice(start..start, part);
            }
            Edit::Insert(index, word) => {
                let start = place(index);
                text.splice(start..start, word.chars());
            }
            Edit::Replace(index, c) => {
                let start = place(index);
                if let Some(found) = text.get_mut(start) {
                    *found = *c;
                }
            }
        }
    }
    text.into_iter().collect()
}

/// Inputs for each reader: a short run, or as many as `PROPTEST_CASES` says.
fn config(short: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(short);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Journal tags as a run leaves them: those of a listener with a long definition.
fn journal_tags() -> BTreeMap<String, String> {
    let tags = [
        ("elbws:listener:443", "2+HTTPS:443/HTTP:80+arn:aws:iam::123456789012:server-certificate/chat+tls"),
        ("elbws:listener:443:2", "-policy+other"),
        ("elbws:listener:8443", "0"),
        ("team", "chat"),
    ];
    tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn the_listener_grammar(
        text in prop_oneof![select(vec!["SSL:443/TCP:80", "443:80", "HTTP:8081/health?a=b", "arn:aws:acm:eu-west-1:1:certificate/a"])],
        edits in any_edits(),
    ) {
        checks::listener_grammar(&mangled(text, &edits));
    }

    #[test]
    fn the_spec_file(balancer in any_balancer(), edits in any_edits()) {
        let text = observed_toml(&[balancer]).expect("a balancer can be written");
        checks::spec_file(&text);
        checks::spec_file(&mangled(&text, &edits));
    }

    #[test]
    fn the_plan_file_and_the_planner(live in any_balancer(), spec in any_spec(), edits in any_edits()) {
        checks::planner(&live, &spec);
        let pair = serde_json::to_string(&(&live, &spec)).expect("it is JSON");
        checks::planner_json(&mangled(&pair, &edits));
        if let Ok(made) = plan(&live, &spec) {
            let file = PlanFile::new(Some("123456789012".to_owned()), "eu-west-1", vec![made]);
            checks::plan_file(&mangled(&serde_json::to_string(&file).expect("a plan is JSON"), &edits));
        }
    }

    #[test]
    fn the_journal(live in any_balancer(), tags in prop::collection::btree_map(0..4_usize, any_edits(), 0..4)) {
        for listener in live.listeners.values() {
            checks::journalled(listener);
        }
        let mut journal: Vec<(String, String)> = journal_tags().into_iter().collect();
        for (number, edits) in tags {
            let (key, value) = &mut journal[number];
            let (of_key, of_value) = edits.split_at(edits.len() / 2);
            *key = mangled(key, of_key);
            *value = mangled(value, of_value);
        }
        checks::journal(journal.into_iter().collect(), &live);
    }

    #[test]
    fn the_query(edits in any_edits(), balancer in any_balancer()) {
        let world = crate::simulation::world_of(&balancer);
        checks::queries(&world, &mangled(include_str!("../../fuzz/seeds/query/queries.txt"), &edits));
    }
}

/// Policy names and protocols that the service would never have, in a journal.
#[test]
fn a_listener_with_odd_names_is_kept_in_tags() {
    let balancer = seed();
    let listener = &balancer.listeners[&443];
    for name in ["a+b@c d", "ünïcödé", "-", "x".repeat(2000).as_str()] {
        checks::journalled(&Listener { policies: [name.to_owned()].into(), ..listener.clone() });
    }
    checks::journalled(&Listener { protocol: "GRPC".into(), instance_protocol: "GRPC/2:3".into(), ..listener.clone() });
}

/// What the fuzzer begins with is what it is meant to be, and what it once found stays mended.
#[test]
fn the_seeds_of_the_fuzzer() {
    let world = crate::simulation::world_of(&seed());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reader = runtime.block_on(xml::Reader::start());
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds");
    let mut seen = 0;
    for target in std::fs::read_dir(seeds).unwrap() {
        let target = target.unwrap();
        for file in std::fs::read_dir(target.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            match target.file_name().to_str().unwrap() {
                "listener" => checks::listener_grammar(&text),
                "spec_file" => checks::spec_file(&text),
                "plan_file" => checks::plan_file(&text),
                "planner" => checks::planner_json(&text),
                "journal" => checks::journal(checks::tags(&text), &seed()),
                "query" => checks::queries(&world, &text),
                "reply" => runtime.block_on(reader.check(xml::read_of(&bytes), &bytes)),
                other => panic!("there is no target {other}"),
            }
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
    let plan = include_str!("../../fuzz/seeds/plan_file/recipe.json");
    PlanFile::parse(plan).expect("a plan of this version: make it anew with elbws plan --elb chat --sandbox --out");
    let pair = include_str!("../../fuzz/seeds/planner/recipe.json");
    serde_json::from_str::<(Balancer, Spec)>(pair).expect("`before` and `spec` of that plan");
}

/// Mangled answers of every read, and each cut off after every byte.
#[test]
fn the_xml_of_the_service() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reader = runtime.block_on(xml::Reader::start());
    for (number, (_, text)) in xml::READS.into_iter().enumerate() {
        runtime.block_on(reader.check(number, text.as_bytes()));
        for end in (0..text.len()).step_by(16) {
            runtime.block_on(reader.check(number, &text.as_bytes()[..end]));
        }
    }
    proptest!(config(200), |(number in 0..4_usize, edits in any_edits())| {
        let text = mangled(xml::READS[number].1, &edits);
        runtime.block_on(reader.check(number, text.as_bytes()));
    });
}
