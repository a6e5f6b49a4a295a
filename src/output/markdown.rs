//! A plan as Markdown, for a comment on a pull request.

use super::mermaid::flowchart;
use super::page::clean;
use super::plan_text::summary;
use crate::plan::{Action, Address, Change, NoteKind, Plan};

/// A heading, a table of the changes, the notes, and a picture before and after.
pub fn plan_markdown(plan: &Plan, region: &str) -> String {
    let mut text = format!("### {} ({})\n\n{}\n", escape(&plan.balancer), escape(region), summary(plan));
    if !plan.changes.is_empty() {
        text.push_str("\n| | what | before | after | why |\n| --- | --- | --- | --- | --- |\n");
        plan.changes.iter().for_each(|change| text.push_str(&row(change)));
    }
    for note in &plan.notes {
        let label = match note.kind {
            NoteKind::Before => "Before you apply",
            NoteKind::Warning => "Warning",
            NoteKind::Note => "Note",
        };
        text.push_str(&format!("\n**{label}:** {}.\n", escape(&note.text)));
    }
    if !plan.no_op {
        let picture = |title: &str, chart: String| format!("\n**{title}**\n\n```mermaid\n{chart}\n```\n");
        text.push_str(&picture("Before", flowchart(&plan.before)));
        text.push_str(&picture("After", flowchart(&plan.after)));
    }
    text
}

fn row(change: &Change) -> String {
    let Change { address, action, before, after, reason, interrupts } = change;
    let action = match action {
        Action::Add => "add",
        Action::Change => "change",
        Action::Replace => "replace",
        Action::Remove => "remove",
    };
    let what = match address {
        Address::Policy(name) => format!("policy {name}"),
        other => other.to_string(),
    };
    let mut why: Vec<String> = reason.iter().cloned().collect();
    why.extend(interrupts.iter().map(|port| format!("port {port} is interrupted")));
    let cell = |text: &Option<String>| text.as_deref().map(escape).unwrap_or_default();
    let cells = [action.to_owned(), escape(&what), cell(before), cell(after), escape(&why.join("; "))];
    format!("| {} |\n", cells.join(" | "))
}

/// Text in which nothing is Markdown or HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}
