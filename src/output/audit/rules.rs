//! The rules of the audit: at length, as a list, and as the README's table.

use crate::audit::{Read, Rule, Severity, rules};
use crate::output::page::{BAD, CHANGED, FAINT, Page, STRONG};

/// Columns of a paragraph.
const WIDTH: usize = 100;

/// One rule at length.
pub fn explain_rule(rule: &Rule) -> String {
    let Rule { id, severity, title, why, remedy, needs, fixed_by_apply } = rule;
    let mut page = Page::default();
    page.styled(STRONG, id).plain("  ").styled(style(*severity), severity.as_str()).plain("  ").plain(title).end().end();
    paragraph(&mut page, why);
    page.end();
    paragraph(&mut page, remedy);
    page.end();
    let reads: Vec<&str> = needs.iter().map(|read| describe(*read)).collect();
    page.styled(FAINT, &format!("Reads: {}.", reads.join(", "))).end();
    let fixes = if *fixed_by_apply { "`elbws apply` repairs it where it can." } else { "`elbws apply` does not change it." };
    page.styled(FAINT, fixes).end();
    page.finish()
}

/// All rules, a line each, by family.
pub fn list_rules() -> String {
    let mut page = Page::default();
    for family in &rules::FAMILIES {
        page.styled(STRONG, family.name).plain("  ").styled(FAINT, family.about).end();
        for check in family.checks {
            let rule = &check.rule;
            page.plain("  ").plain(rule.id).plain("  ");
            page.styled(style(rule.severity), &format!("{:<8}", rule.severity.as_str())).plain(rule.title).end();
        }
        page.end();
    }
    page.styled(FAINT, "`elbws audit --explain ELBWS001` says why it matters and what to do.").end();
    page.finish()
}

/// All rules as a Markdown table, as the README holds it.
pub fn rule_table() -> String {
    let mut table =
        "| rule | severity | what is wrong | reads | `apply` repairs it |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for check in rules::all() {
        let Rule { id, severity, title, why: _, remedy: _, needs, fixed_by_apply } = check.rule;
        let reads: Vec<&str> = needs.iter().map(|read| describe(*read)).collect();
        let fixed = if fixed_by_apply { "yes" } else { "" };
        table.push_str(&format!("| {id} | {severity} | {title} | {} | {fixed} |\n", reads.join(", ")));
    }
    table
}

fn describe(read: Read) -> &'static str {
    match read {
        Read::Listing => "listing",
        Read::Policies => "policies",
        Read::Attributes => "attributes",
        Read::Tags => "tags",
        Read::InstanceHealth => "instance health",
        Read::Network => "EC2",
        Read::Certificates => "certificates",
    }
}

fn style(severity: Severity) -> anstyle::Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning => CHANGED,
        Severity::Note => FAINT,
    }
}

fn paragraph(page: &mut Page, text: &str) {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
            page.plain(&std::mem::take(&mut line)).end();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    page.plain(&line).end();
}
