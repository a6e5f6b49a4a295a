//! A report as a person reads it: the findings by balancer, what could not be seen, and a summary.

use std::collections::BTreeSet;
use std::io::{self, Write};

use anstyle::Style;

use crate::audit::{AuditedBalancer, Finding, Report, Severity};
use crate::output::page::{BAD, CHANGED, FAINT, GOOD, Page, STRONG};

/// Writes the report balancer by balancer, so that a large one is never held as text.
pub fn audit_text(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for balancer in report.balancers.iter().filter(|balancer| !balancer.findings.is_empty()) {
        out.write_all(section(balancer).as_bytes())?;
    }
    let mut page = Page::default();
    for unread in &report.unreadable {
        let what = unread.balancer.as_deref().unwrap_or("everything else");
        let at = format!("{} in {} {}", what, unread.scope.account, unread.scope.region);
        page.styled(BAD, "Not read:").plain(" ").plain(&at).plain(": ").plain(&unread.reason).end();
    }
    for skipped in &report.not_checked {
        let at = format!("{} in {} {}", skipped.rules.join(", "), skipped.scope.account, skipped.scope.region);
        page.styled(CHANGED, "Not checked:").plain(" ").plain(&at).plain(": ").plain(&skipped.reason).end();
    }
    if !report.unreadable.is_empty() || !report.not_checked.is_empty() {
        page.end();
    }
    out.write_all(page.finish().as_bytes())?;
    out.write_all(audit_summary(report).as_bytes())
}

fn section(balancer: &AuditedBalancer) -> String {
    let AuditedBalancer { scope, name, dns_name, topology: _, findings } = balancer;
    let mut page = Page::default();
    page.styled(STRONG, name).plain("  ").plain(&scope.region).plain("  ").plain(&scope.account).plain("  ").plain(dns_name);
    page.end().end();
    let width = findings.iter().map(|finding| place(finding).chars().count()).max().unwrap_or_default();
    for finding in findings {
        let Finding { rule, severity, place: _, message, fixed_by_apply, suppressed } = finding;
        let style = if suppressed.is_some() { FAINT } else { style(*severity) };
        page.plain("   ").styled(style, &format!("{:<8}", severity.as_str())).plain(rule).plain("  ");
        page.plain(&format!("{:<width$}  ", place(finding)));
        if suppressed.is_some() {
            page.styled(FAINT, message)
        } else {
            page.plain(message)
        };
        if *fixed_by_apply && suppressed.is_none() {
            page.plain("  ").styled(GOOD, "(apply repairs it)");
        }
        page.end();
        if let Some(suppression) = suppressed {
            let until = suppression.until.as_ref().map(|until| format!(" until {until}")).unwrap_or_default();
            let text = format!("suppressed{until}: {}", suppression.reason);
            page.plain(&" ".repeat(width + 23)).styled(FAINT, &text).end();
        }
    }
    page.end();
    page.finish()
}

/// The place in few words: an ARN is shortened to its end, since the whole stands in the JSON.
fn place(finding: &Finding) -> String {
    use crate::audit::Place;
    match &finding.place {
        Place::Certificate(arn) => {
            let end = arn.rsplit('/').next().unwrap_or_default();
            format!("certificate {}", end.get(..13).filter(|_| end.len() > 20).unwrap_or(end))
        }
        other => other.to_string(),
    }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning => CHANGED,
        Severity::Note => FAINT,
    }
}

/// What it comes to, in a line or two.
pub fn audit_summary(report: &Report) -> String {
    let many = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let all = report.balancers.len();
    let clean =
        report.balancers.iter().filter(|one| one.findings.iter().all(|finding| finding.suppressed.is_some())).count();
    let suppressed = report.balancers.iter().flat_map(|one| &one.findings).filter(|one| one.suppressed.is_some()).count();
    let fixed = report.findings().filter(|finding| finding.fixed_by_apply).count();
    let scopes = match report.scopes.as_slice() {
        [only] => format!("{} {}", only.account, only.region),
        scopes => {
            let accounts: BTreeSet<&str> = scopes.iter().map(|scope| scope.account.as_str()).collect();
            let regions: BTreeSet<&str> = scopes.iter().map(|scope| scope.region.as_str()).collect();
            format!("{} and {}", many(accounts.len(), "account"), many(regions.len(), "region"))
        }
    };
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|one| many(report.count(one), one.as_str()));
    let mut text = match all {
        0 => format!("No balancers in {scopes}."),
        _ => format!("{} in {scopes}: {}", many(all, "balancer"), counts.join(", ")),
    };
    if suppressed > 0 {
        text.push_str(&format!(" ({suppressed} suppressed)"));
    }
    if all > 0 {
        text.push_str(&format!("; {clean} without a finding."));
    }
    if !report.unreadable.is_empty() {
        text.push_str(&format!(" Not read: {}.", report.unreadable.len()));
    }
    let unchecked: BTreeSet<&str> = report.not_checked.iter().flat_map(|one| &one.rules).copied().collect();
    if !unchecked.is_empty() {
        text.push_str(&format!(" {} not checked everywhere.", many(unchecked.len(), "rule")));
    }
    text.push('\n');
    if fixed > 0 {
        text.push_str(&format!("`elbws apply` repairs {fixed} of them; "));
    }
    if let Some(finding) = report.findings().next() {
        text.push_str(&format!("`elbws audit --explain {}` says more about a rule.\n", finding.rule));
    }
    text
}
