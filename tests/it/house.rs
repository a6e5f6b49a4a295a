//! The house rules that a machine can hold: who may import whom, how long a file may be, and that each says what it is for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms and the rooms they may use; `cli` may use all.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("model", &[]),
    ("audit", &["model"]),
    ("backend", &["model"]),
    ("spec", &["model"]),
    ("plan", &["model", "spec"]),
    ("cloud", &["model", "plan"]),
    ("apply", &["plan", "cloud", "model"]),
    ("sandbox", &["model"]),
    ("demo", &[]),
    ("verify", &["model"]),
    ("output", &["model", "plan", "apply", "audit", "verify", "backend"]),
    ("cli", &["model", "spec", "plan", "cloud", "apply", "audit", "verify", "backend", "sandbox", "demo", "output"]),
];

/// Crates that only one folder may name.
const ONLY_IN: [(&str, &str); 4] =
    [("aws_", "src/cloud/aws/"), ("axum", "src/sandbox/"), ("indicatif", "src/output/"), ("clap", "src/cli/")];

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("the entry is there").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("it is text");
                let root = Path::new(env!("CARGO_MANIFEST_DIR"));
                found.push((path.strip_prefix(root).expect("below the root").to_owned(), text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// Lines of code: no comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let rules: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let mut parts = path.components().skip(1).map(|part| part.as_os_str().to_string_lossy().into_owned());
        let room = parts.next().expect("a file below src");
        if parts.next().is_none() {
            continue; // main.rs and lib.rs
        }
        let allowed = rules.get(room.as_str()).unwrap_or_else(|| panic!("room `{room}` has no rule"));
        for line in code(&text) {
            for used in line.split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                if used != room && rules.contains_key(used) && !allowed.contains(&used) {
                    wrong.push(format!("{}: uses {used}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn crates_stay_in_their_folders() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (name, folder) in ONLY_IN {
            let named = |line: &str| {
                line.contains(&format!("{name}::"))
                    || (name == "aws_" && line.contains("aws_sdk") || line.contains(&format!("use {name}")))
            };
            if !path.starts_with(folder) && code(&text).any(|line| named(line) && !line.contains('"')) {
                wrong.push(format!("{}: names {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if text.lines().count() > 400 {
            wrong.push(format!("{}: {} lines", path.display(), text.lines().count()));
        }
        if !text.starts_with("//! ") {
            wrong.push(format!("{}: no header", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
