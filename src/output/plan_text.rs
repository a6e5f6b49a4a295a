//! A plan as a person reads it before agreeing.

use anstyle::Style;

use super::page::{BAD, CHANGED, FAINT, GOOD, Page, STRONG};
use crate::plan::{Action, Address, Change, NoteKind, Plan};

/// The balancer, its changes, the summary, and what to know before applying.
pub fn plan_text(plan: &Plan, region: &str) -> String {
    let mut page = Page::default();
    page.styled(STRONG, &plan.balancer).plain("  ").plain(region).plain("  ").plain(&plan.before.dns_name).end().end();
    let width = plan.changes.iter().map(|change| change.address.to_string().len()).max().unwrap_or_default();
    for change in &plan.changes {
        write_change(&mut page, change, width);
    }
    if !plan.changes.is_empty() {
        page.end();
    }
    page.plain(&summary(plan)).end();
    for note in &plan.notes {
        let (style, label) = match note.kind {
            NoteKind::Before => (CHANGED, "Before you apply:"),
            NoteKind::Warning => (BAD, "Warning:"),
            NoteKind::Note => (FAINT, "Note:"),
        };
        page.styled(style, label).plain(" ").plain(&note.text).plain(".").end();
    }
    page.finish()
}

fn write_change(page: &mut Page, change: &Change, width: usize) {
    let Change { address, action, before, after, reason, interrupts } = change;
    let (style, sign) = sign(*action);
    let indent = " ".repeat(width + 8);
    page.styled(style, sign).plain(&format!(" {address:width$}  "));
    match (before, after) {
        (Some(before), Some(after)) => page.plain(before).plain(" -> ").plain(after),
        (Some(only), None) | (None, Some(only)) => page.plain(only),
        (None, None) => page,
    };
    page.end();
    if let Some(reason) = reason {
        page.plain(&indent).styled(FAINT, reason).end();
    }
    for port in interrupts {
        let while_what = match (action, address) {
            (Action::Remove, Address::Listener(_)) => "stops answering",
            _ => "is interrupted while the listener is replaced",
        };
        page.plain(&indent).styled(CHANGED, &format!("port {port} {while_what}")).end();
    }
}

fn sign(action: Action) -> (Style, &'static str) {
    match action {
        Action::Add => (GOOD, "   + "),
        Action::Change => (CHANGED, "   ~ "),
        Action::Replace => (CHANGED, "  -/+"),
        Action::Remove => (BAD, "   - "),
    }
}

/// `Plan: 1 to add, 2 to change, 1 to replace. Interrupts port 443.`
pub(super) fn summary(plan: &Plan) -> String {
    if plan.no_op {
        return "Nothing to do: the balancer is as asked for.".to_owned();
    }
    let counts =
        [(Action::Add, "add"), (Action::Change, "change"), (Action::Replace, "replace"), (Action::Remove, "remove")];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(action, _)| plan.count(*action) > 0)
        .map(|(action, verb)| format!("{} to {verb}", plan.count(action)))
        .collect();
    let interrupts = match plan.interrupts.as_slice() {
        [] => "Interrupts nothing.".to_owned(),
        [port] => format!("Interrupts port {port}."),
        ports => {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            format!("Interrupts ports {}.", ports.join(", "))
        }
    };
    format!("Plan: {}. {interrupts}", counts.join(", "))
}
