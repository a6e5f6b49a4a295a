//! The files of an nginx configuration, for the checker, which reads none itself.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use globset::{GlobBuilder, GlobMatcher};

use crate::backend::check::SourceFile;
use crate::cli::target::read_bounded;

/// A configuration file is far smaller than this many bytes; a dump of a large site may have some.
const MOST_BYTES: u64 = 16 << 20;

/// The file to check; `-` is stdin.
pub(super) fn read_main(path: &Path) -> anyhow::Result<SourceFile> {
    if path != Path::new("-") {
        return Ok(SourceFile { name: path.display().to_string(), text: read_bounded(path, MOST_BYTES)? });
    }
    let mut text = String::new();
    std::io::stdin().take(MOST_BYTES + 1).read_to_string(&mut text).context("cannot read stdin")?;
    anyhow::ensure!(text.len() as u64 <= MOST_BYTES, "stdin is larger than {} MiB", MOST_BYTES >> 20);
    Ok(SourceFile { name: "-".to_owned(), text })
}

/// The files that a pattern of an `include` names, sorted. nginx takes a relative one from its main file's folder. `main` may be
/// that file, or one in a folder below, as those of `conf.d` are.
pub(super) fn included(main: &Path, pattern: &str) -> Result<Vec<SourceFile>, String> {
    let folder = main.parent().unwrap_or(Path::new(""));
    let mut found = files(&folder.join(pattern));
    if let Some(above) = folder.canonicalize().ok().and_then(|folder| folder.parent().map(Path::to_owned))
        && found.is_empty()
    {
        found = files(&above.join(pattern));
    }
    if found.is_empty() && !has_wildcard(pattern) {
        return Err(format!("the included file {pattern} does not exist"));
    }
    let read = |path: PathBuf| {
        let text = read_bounded(&path, MOST_BYTES).map_err(|error| format!("{error:#}"))?;
        Ok(SourceFile { name: path.display().to_string(), text })
    };
    found.into_iter().map(read).collect()
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The paths that a pattern names, as glob(3) finds them: folder by folder, no hidden ones unless the pattern says so.
fn files(pattern: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::from([PathBuf::new()]);
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        let matcher = match part {
            Component::Normal(_) if has_wildcard(&text) => matcher(&text),
            _ => None,
        };
        found = match matcher {
            None => found.into_iter().map(|folder| folder.join(part)).filter(|path| path.exists()).collect(),
            Some(matcher) => found.iter().flat_map(|folder| entries(folder, &matcher, text.starts_with('.'))).collect(),
        };
    }
    found
}

fn matcher(text: &str) -> Option<GlobMatcher> {
    GlobBuilder::new(text).literal_separator(true).build().ok().map(|glob| glob.compile_matcher())
}

fn entries(folder: &Path, matcher: &GlobMatcher, hidden: bool) -> Vec<PathBuf> {
    let read_from = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let names = std::fs::read_dir(read_from).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let wanted =
        names.filter(|name| (hidden || !name.to_string_lossy().starts_with('.')) && matcher.is_match(Path::new(name)));
    wanted.map(|name| folder.join(name)).collect()
}
