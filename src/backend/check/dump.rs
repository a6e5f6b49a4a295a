//! The output of `nginx -T`: every file of a configuration, one after another.

use globset::GlobBuilder;

use super::parse::SourceFile;

/// Begins each file.
const MARK: &str = "# configuration file ";

/// The files of a dump, the main one first.
pub(super) struct Dump(Vec<SourceFile>);

impl Dump {
    /// The files, if the text is a dump: its first line that is not a report of `nginx -t` begins a file.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut files: Vec<SourceFile> = Vec::new();
        for line in text.split_inclusive('\n') {
            let name = line.strip_prefix(MARK).and_then(|rest| rest.trim_end().strip_suffix(':'));
            match (name, files.last_mut()) {
                (Some(name), _) => files.push(SourceFile { name: name.to_owned(), text: String::new() }),
                (None, Some(file)) => file.text.push_str(line),
                (None, None) if line.starts_with("nginx: ") || line.trim().is_empty() => {}
                (None, None) => return None,
            }
        }
        (!files.is_empty()).then_some(Dump(files))
    }

    /// The main file.
    pub(super) fn main(&self) -> &SourceFile {
        &self.0[0]
    }

    /// The files that a pattern names. A relative one is taken from the main file's folder, as nginx does.
    pub(super) fn find(&self, pattern: &str) -> Result<Vec<SourceFile>, String> {
        let folder = self.main().name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let pattern = if pattern.starts_with('/') { pattern.to_owned() } else { format!("{folder}/{pattern}") };
        let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
        let matcher = glob.map_err(|_| format!("`{pattern}` is not a pattern of files"))?.compile_matcher();
        let found: Vec<SourceFile> = self.0.iter().filter(|file| matcher.is_match(&file.name)).cloned().collect();
        match found.is_empty() && !pattern.contains(['*', '?', '[']) {
            true => Err(format!("{pattern} is not in this dump")),
            false => Ok(found),
        }
    }
}
