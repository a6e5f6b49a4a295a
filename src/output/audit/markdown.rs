//! An audit as Markdown, for the summary of a CI job.
//!
//! The size is bounded: GitHub drops a summary of more than 1 MiB whole, so what does not fit is left out and counted.

use std::cmp::Reverse;

use crate::audit::{AuditedBalancer, Finding, NotChecked, Report, Rule, Severity, Unreadable};
use crate::output::markdown::escape;
use crate::output::mermaid::audited_flowchart;

/// What GitHub takes for one step's summary, in bytes,
/// less room for the lines that say what is left out.
const LIMIT: usize = (1 << 20) - 1000;
/// Pictures are drawn for the worst balancers only; each costs the reader's browser an embedded page.
const PICTURES: usize = 10;

/// A headline, the rules that fired, the balancers with findings (the worst first), what was suppressed and what could not be
/// seen, and the rules' texts. At most 1 MiB.
pub fn audit_markdown(report: &Report) -> String {
    let mut page = Bounded { text: headline(report), limit: LIMIT / 4 };
    page.table("Could not be read", "| account | region | balancer | why |", report.unreadable.iter().map(unreadable_row));
    page.table("Not checked", "| account | region | rules | why |", report.not_checked.iter().map(not_checked_row));
    page.table("Rules", "| rule | severity | findings | balancers | what is wrong |", rule_rows(report));
    page.limit = LIMIT / 4 * 3;
    push_balancers(&mut page, report);
    page.limit = LIMIT;
    for rule in report.rules.iter().filter(|rule| report.findings().any(|finding| finding.rule == rule.id)) {
        page.push(&explanation(rule));
    }
    page.table("Suppressed", "| balancer | rule | where | what | reason | until |", suppressed_rows(report));
    page.text
}

/// The balancers with findings, the worst first, as many as fit; then how many do not.
fn push_balancers(page: &mut Bounded, report: &Report) {
    let mut balancers: Vec<&AuditedBalancer> =
        report.balancers.iter().filter(|balancer| balancer.worst().is_some()).collect();
    balancers.sort_by_key(|balancer| Reverse(balancer.worst())); // stable: by scope and name within a severity
    let shown = balancers.iter().enumerate().take_while(|(index, balancer)| page.push(&section(balancer, *index))).count();
    let left_out = &balancers[shown..];
    if !left_out.is_empty() {
        let findings: usize = left_out.iter().map(|balancer| balancer.counting().count()).sum();
        let (balancers, findings) = (counted(left_out.len(), "balancer"), counted(findings, "finding"));
        page.text.push_str(&format!(
            "\n**Left out for want of space: {balancers} with {findings}.** `--format json` and `--format html` show all.\n"
        ));
    }
}

/// Text that does not grow beyond its limit.
struct Bounded {
    text: String,
    /// In bytes.
    limit: usize,
}

impl Bounded {
    /// Adds a piece if it fits.
    fn push(&mut self, piece: &str) -> bool {
        let fits = self.text.len() + piece.len() <= self.limit;
        if fits {
            self.text.push_str(piece);
        }
        fits
    }

    /// Adds a table under a heading, if it has rows, and says how many rows did not fit.
    fn table(&mut self, heading: &str, columns: &str, rows: impl Iterator<Item = String>) {
        let rule = "| --- ".repeat(columns.matches('|').count() - 1);
        let mut rows = rows.peekable();
        if rows.peek().is_none() || !self.push(&format!("\n### {heading}\n\n{columns}\n{rule}|\n")) {
            return;
        }
        let mut left_out = 0_usize;
        for row in rows {
            if left_out > 0 || !self.push(&row) {
                left_out += 1;
            }
        }
        if left_out > 0 {
            self.text.push_str(&format!("\n{left_out} more left out for want of space.\n"));
        }
    }
}

fn headline(report: &Report) -> String {
    let affected = report.balancers.iter().filter(|balancer| balancer.worst().is_some()).count();
    let scopes: Vec<String> =
        report.scopes.iter().map(|scope| format!("{} {}", escape(&scope.account), escape(&scope.region))).collect();
    format!(
        "## {}, {}, {} in {affected} of {}\n\n{}, elbws {}, {}.\n",
        counted(report.count(Severity::Error), "error"),
        counted(report.count(Severity::Warning), "warning"),
        counted(report.count(Severity::Note), "note"),
        counted(report.balancers.len(), "balancer"),
        escape(&report.made_at),
        escape(&report.elbws_version),
        scopes.join(", "),
    )
}

fn rule_rows(report: &Report) -> impl Iterator<Item = String> {
    let mut rules: Vec<&Rule> = report.rules.iter().collect();
    rules.sort_by_key(|rule| Reverse(rule.severity)); // stable: by identifier within a severity
    rules.into_iter().filter_map(|rule| {
        let of_rule = |balancer: &&AuditedBalancer| balancer.counting().any(|finding| finding.rule == rule.id);
        let findings = report.findings().filter(|finding| finding.rule == rule.id).count();
        let balancers = report.balancers.iter().filter(of_rule).count();
        let title = escape(rule.title);
        (findings > 0).then(|| format!("| {} | {} | {findings} | {balancers} | {title} |\n", rule.id, rule.severity))
    })
}

fn section(balancer: &AuditedBalancer, index: usize) -> String {
    let AuditedBalancer { scope, name, dns_name: _, topology, findings: _ } = balancer;
    let mut text = format!("\n### {} ({}, {})\n\n", escape(name), escape(&scope.region), escape(&scope.account));
    text.push_str("| severity | rule | where | what | apply repairs it |\n| --- | --- | --- | --- | --- |\n");
    for Finding { rule, severity, place, message, fixed_by_apply, suppressed: _ } in balancer.counting() {
        let (place, message) = (escape(&place.to_string()), escape(message));
        let repairs = if *fixed_by_apply { "yes" } else { "" };
        text.push_str(&format!("| {severity} | {rule} | {place} | {message} | {repairs} |\n"));
    }
    if index < PICTURES {
        let chart = audited_flowchart(topology);
        text.push_str(&format!("\n<details><summary>Picture</summary>\n\n```mermaid\n{chart}\n```\n\n</details>\n"));
    }
    text
}

fn not_checked_row(entry: &NotChecked) -> String {
    let NotChecked { scope, read: _, rules, reason } = entry;
    format!("| {} | {} | {} | {} |\n", escape(&scope.account), escape(&scope.region), rules.join(" "), escape(reason))
}

fn unreadable_row(entry: &Unreadable) -> String {
    let Unreadable { scope, balancer, reason } = entry;
    let balancer = balancer.as_deref().map_or_else(|| "(all)".to_owned(), escape);
    format!("| {} | {} | {balancer} | {} |\n", escape(&scope.account), escape(&scope.region), escape(reason))
}

fn suppressed_rows(report: &Report) -> impl Iterator<Item = String> {
    let findings = report.balancers.iter().flat_map(|balancer| balancer.findings.iter().map(move |f| (balancer, f)));
    findings.filter_map(|(balancer, finding)| {
        let suppression = finding.suppressed.as_ref()?;
        let until = suppression.until.as_deref().map(escape).unwrap_or_default();
        let (place, message) = (escape(&finding.place.to_string()), escape(&finding.message));
        let (name, reason) = (escape(&balancer.name), escape(&suppression.reason));
        Some(format!("| {name} | {} | {place} | {message} | {reason} | {until} |\n", finding.rule))
    })
}

fn explanation(rule: &Rule) -> String {
    // The texts are ours and may hold Markdown; in a summary it would not be read as such.
    let Rule { id, title, why, remedy, .. } = rule;
    let title = escape(title);
    format!("\n<details><summary>{id}: {title}</summary>\n\n{why}\n\n**What to do:** {remedy}\n\n</details>\n")
}

/// `1 error`, `2 errors`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
