//! A configuration with all its includes, as one tree; every directive remembers its file and line.

use super::dump::Dump;
use super::parse::{Directive, SourceFile, parse};

/// Why a configuration cannot be read: the file, the line, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct SourceError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

/// The whole of a configuration.
#[derive(Debug)]
pub(super) struct Loaded {
    /// The directives of the main file, with what it includes in the places of its `include` directives.
    pub(super) directives: Vec<Directive>,
    /// The files by number.
    pub(super) names: Vec<String>,
}

/// Files that include each other come to an end here.
const DEEPEST: usize = 20;
/// The most files that are read.
const MOST_FILES: usize = 2000;

type Include<'a> = dyn FnMut(&str) -> Result<Vec<SourceFile>, String> + 'a;

/// Reads the main file and all that it includes.
pub(super) fn load(main: SourceFile, include: &mut Include<'_>) -> Result<Loaded, SourceError> {
    let mut loader = Loader { names: Vec::new() };
    let directives = match Dump::of(&main.text) {
        Some(dump) => {
            let first = dump.main().clone();
            loader.file(first, &mut |pattern: &str| dump.find(pattern), 0)?
        }
        None => loader.file(main, include, 0)?,
    };
    Ok(Loaded { directives, names: loader.names })
}

struct Loader {
    names: Vec<String>,
}

impl Loader {
    fn file(&mut self, file: SourceFile, include: &mut Include<'_>, depth: usize) -> Result<Vec<Directive>, SourceError> {
        let number = self.names.len();
        self.names.push(file.name.clone());
        let directives =
            parse(&file.text, number).map_err(|(line, why)| SourceError { file: file.name.clone(), line, why })?;
        self.expand(directives, include, depth)
    }

    fn expand(
        &mut self,
        directives: Vec<Directive>,
        include: &mut Include<'_>,
        depth: usize,
    ) -> Result<Vec<Directive>, SourceError> {
        let mut expanded = Vec::with_capacity(directives.len());
        for mut directive in directives {
            if directive.name == "include" && directive.args.len() == 1 && directive.block.is_none() {
                expanded.extend(self.included(&directive, include, depth)?);
                continue;
            }
            directive.block = match directive.block {
                Some(block) => Some(self.expand(block, include, depth)?),
                None => None,
            };
            expanded.push(directive);
        }
        Ok(expanded)
    }

    fn included(
        &mut self,
        directive: &Directive,
        include: &mut Include<'_>,
        depth: usize,
    ) -> Result<Vec<Directive>, SourceError> {
        let file = self.names.get(directive.at.file).cloned().unwrap_or_default();
        let wrong = |why: String| SourceError { file: file.clone(), line: directive.at.line, why };
        if depth >= DEEPEST {
            return Err(wrong("files include each other without end".to_owned()));
        }
        let mut directives = Vec::new();
        for found in include(directive.arg(0)).map_err(wrong)? {
            if self.names.len() >= MOST_FILES {
                return Err(wrong(format!("more than {MOST_FILES} files are included")));
            }
            directives.extend(self.file(found, include, depth + 1)?);
        }
        Ok(directives)
    }
}
