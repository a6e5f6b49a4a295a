//! The parts of a configuration that matter here: servers, and what variables are made of.

use std::collections::BTreeMap;

use super::parse::Directive;
use super::server::{Listen, Scope, Server};

/// A configuration, looked through.
pub(super) struct Configuration<'a> {
    /// All server blocks, of `http` and of `stream`.
    pub(super) servers: Vec<Server<'a>>,
    /// `map` blocks by the variable they make, without its `$` and in lower case.
    maps: BTreeMap<String, &'a Directive>,
}

/// Variables that are made of variables come to an end here.
const LONGEST_CHAIN: usize = 10;

impl<'a> Configuration<'a> {
    /// Looks through a main file, or through a fragment of what stands in its `http` block.
    pub(super) fn new(directives: &'a [Directive]) -> Self {
        let mut configuration = Configuration { servers: Vec::new(), maps: BTreeMap::new() };
        configuration.look(directives, vec![directives], false);
        for block in directives.iter().filter(|directive| matches!(directive.name.as_str(), "http" | "stream")) {
            configuration.look(block.children(), vec![directives, block.children()], block.name == "stream");
        }
        configuration
    }

    fn look(&mut self, directives: &'a [Directive], levels: Vec<&'a [Directive]>, is_stream: bool) {
        for directive in directives.iter().filter(|directive| directive.block.is_some()) {
            match directive.name.as_str() {
                "server" => {
                    let own = directive.children();
                    let written = own.iter().filter(|directive| directive.name == "listen");
                    let mut listens: Vec<Listen> = written.clone().filter_map(Listen::read).collect();
                    if written.count() == 0 && !is_stream {
                        listens.push(Listen::implied(directive.at));
                    }
                    let mut levels = levels.clone();
                    levels.push(own);
                    let scope = Scope::new(directive.at, levels);
                    self.servers.push(Server { at: directive.at, is_stream, listens, scope });
                }
                "map" => {
                    self.maps.insert(name_of(directive.arg(1)), directive);
                }
                _ => {}
            }
        }
    }

    /// The `map` that makes a variable.
    pub(super) fn map(&self, variable: &str) -> Option<&'a Directive> {
        self.maps.get(&name_of(variable)).copied()
    }

    /// Whether a text depends on a variable, through `map` and, in this scope, `set`.
    pub(super) fn depends(&self, scope: &Scope<'_>, text: &str, variable: &str) -> bool {
        self.depends_within(scope, text, variable, LONGEST_CHAIN)
    }

    fn depends_within(&self, scope: &Scope<'_>, text: &str, variable: &str, left: usize) -> bool {
        left > 0
            && variables(text).any(|name| {
                name == variable
                    || self.map(&name).is_some_and(|map| self.depends_within(scope, map.arg(0), variable, left - 1))
                    || scope
                        .inheritance("set")
                        .into_iter()
                        .flatten()
                        .any(|set| name_of(set.arg(0)) == name && self.depends_within(scope, set.arg(1), variable, left - 1))
            })
    }
}

/// The variables in a text, without `$` and braces, in lower case as nginx compares them.
pub(super) fn variables(text: &str) -> impl Iterator<Item = String> {
    text.split('$').skip(1).map(name_of)
}

fn name_of(text: &str) -> String {
    let text = text.trim_start_matches(['$', '{']);
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text[..end].to_ascii_lowercase()
}
