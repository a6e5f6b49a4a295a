//! An error as a person reads it: what happened, and what to do next.

use super::page::{BAD, CHANGED, GOOD, Page};

/// `warning: ...`, on one line.
pub fn warning_text(message: &str) -> String {
    let mut page = Page::default();
    page.styled(CHANGED, "warning:").plain(" ").plain(message).end();
    page.finish()
}

/// `error: ...`, then a line for each hint.
pub fn error_text(message: &str, hints: &[String]) -> String {
    let mut page = Page::default();
    for (index, line) in message.lines().enumerate() {
        match index {
            0 => page.styled(BAD, "error:").plain(" "),
            _ => page.plain("  "),
        };
        page.plain(line).end();
    }
    for hint in hints {
        page.styled(GOOD, "hint:").plain(" ").plain(hint).end();
    }
    page.finish()
}
