//! A page of text with colours, on which nothing that came from outside can act on the terminal.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

/// Bold, for names.
pub(super) const STRONG: Style = Style::new().bold();
/// Dim, for explanations.
pub(super) const FAINT: Style = Style::new().dimmed();
/// Something new, or good.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Something that changes, or a warning.
pub(super) const CHANGED: Style = AnsiColor::Yellow.on_default();
/// Something that goes, or an error.
pub(super) const BAD: Style = AnsiColor::Red.on_default();

/// Text in the making. The sink removes the colours where they are not wanted.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// Adds text as it is, less control characters.
    pub fn plain(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&clean(text));
        self
    }

    /// Adds text in a style, less control characters.
    pub fn styled(&mut self, style: Style, text: &str) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{style}{}{style:#}", clean(text));
        self
    }

    /// Ends the line; spaces at its end go.
    pub fn end(&mut self) -> &mut Self {
        self.0.truncate(self.0.trim_end_matches(' ').len());
        self.0.push('\n');
        self
    }

    /// The finished text.
    pub fn finish(self) -> String {
        self.0
    }
}

/// Text without control characters, so that a name, a tag or a message cannot move the cursor, recolour the terminal or show
/// itself in another order than it has.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_hostile(c) { '\u{fffd}' } else { c }).collect()
}

/// A JSON or TOML document that means the same, with nothing in its strings that acts on a terminal. The formats themselves ask
/// for that below U+0020 alone.
pub fn escaped(document: &str) -> String {
    let mut escaped = String::with_capacity(document.len());
    for c in document.chars() {
        match c {
            '\n' => escaped.push(c),
            c if is_hostile(c) => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Whether a character acts on a terminal: control characters, line separators, and what reverses the direction of writing.
pub(super) fn is_hostile(c: char) -> bool {
    let directs = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || directs || matches!(c, '\u{2028}' | '\u{2029}')
}
