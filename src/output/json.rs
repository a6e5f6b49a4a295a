//! Plans, balancers and events as JSON, and how any document is written.

use std::io::{self, Write};

use serde::Serialize;

use super::page::{escaped, is_hostile};
use crate::apply::Event;
use crate::model::Balancer;
use crate::plan::{FORMAT_VERSION, PlanFile};

/// Plans, indented: the same document that `plan --out` saves.
pub fn plan_json(file: &PlanFile) -> serde_json::Result<String> {
    indented(file)
}

/// Balancers as they are, indented.
pub fn balancer_json(balancers: &[Balancer], region: &str) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Document<'a> {
        format_version: u32,
        region: &'a str,
        balancers: &'a [Balancer],
    }
    indented(&Document { format_version: FORMAT_VERSION, region, balancers })
}

/// An event on one line.
pub fn event_json(event: &Event) -> serde_json::Result<String> {
    Ok(escaped(&serde_json::to_string(event)?) + "\n")
}

/// Escapes on the way what acts on a terminal. Whoever writes to it must not cut a character in two; half of one is an error.
struct Escaping<'a>(&'a mut dyn Write);

impl Write for Escaping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        match text.contains(|c| is_hostile(c) && c != '\n') {
            true => self.0.write_all(escaped(text).as_bytes())?,
            false => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes any document as [`indented`] has it, as it is made: the report of a large account is never held as text.
pub(super) fn write_indented(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(Escaping(out), document)?;
    out.write_all(b"\n")
}

/// Any document, indented, with everything escaped that acts on a terminal.
pub(super) fn indented(document: &impl Serialize) -> serde_json::Result<String> {
    Ok(escaped(&serde_json::to_string_pretty(document)?) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_means_the_same() {
        let text = "a\u{1b}[31m\u{9b}2J\u{7f}\u{202e}\u{2028}\nb";
        let json = indented(&[text]).unwrap();
        assert!(!json.trim_end().contains(|c| is_hostile(c) && c != '\n'), "{json:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
    }
}
