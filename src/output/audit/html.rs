//! An audit as one HTML file that needs nothing else: no network, no other file.
//!
//! What comes from outside is escaped by the templates, and stripped of control characters on the way. Should that ever fail, the
//! page's content security policy runs no script but the one whose digest it names, and loads nothing.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use data_encoding::BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior, Value, context, escape_formatter};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::picture::{Picture, WIDTH, picture};
use crate::audit::{AuditedBalancer, Finding, NotChecked, Report, Rule, Scope, Severity, Unreadable};
use crate::output::page::clean;

const STYLE: &str = include_str!("templates/audit.css");
const SCRIPT: &str = include_str!("templates/audit.js");

/// Writes the page balancer by balancer, so that a large one is never held as text. Its size is about four kilobytes a balancer.
pub fn audit_html(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let environment = environment().map_err(io::Error::other)?;
    let mut order: Vec<&AuditedBalancer> = report.balancers.iter().collect();
    order.sort_by_key(|balancer| Reverse(Severity::ALL.map(|severity| counting(balancer, severity)))); // stable
    let mut write = |template: &str, context: Value| -> io::Result<()> {
        let part = environment.get_template(template).and_then(|found| found.render(context)).map_err(io::Error::other)?;
        out.write_all(part.as_bytes())
    };
    let page = Value::from(Serde(PageView::of(report, &order)));
    let head = context! {
        page => page.clone(),
        style => Value::from_safe_string(STYLE.to_owned()),
        script => Value::from_safe_string(SCRIPT.to_owned()),
        style_digest => digest(STYLE),
        script_digest => digest(SCRIPT),
    };
    write("head.html", head)?;
    for (number, balancer) in order.iter().enumerate() {
        let view = BalancerView::of(report, balancer, number);
        write("balancer.html", context! { b => Value::from(Serde(view)), width => WIDTH })?;
    }
    write("tail.html", context! { page => page })
}

/// Templates that escape every value (their names end in `.html`) and drop its control characters.
fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment
        .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => escape_formatter(out, state, &Value::from(clean(text))),
        _ => escape_formatter(out, state, value),
    });
    environment.add_template("head.html", include_str!("templates/head.html"))?;
    environment.add_template("balancer.html", include_str!("templates/balancer.html"))?;
    environment.add_template("tail.html", include_str!("templates/tail.html"))?;
    Ok(environment)
}

/// As a content security policy names a script or style.
fn digest(text: &str) -> Value {
    Value::from_safe_string(format!("sha256-{}", BASE64.encode(&Sha256::digest(text.as_bytes()))))
}

fn counting(balancer: &AuditedBalancer, severity: Severity) -> usize {
    balancer.counting().filter(|finding| finding.severity == severity).count()
}

/// What the page says besides the balancers.
#[derive(Serialize)]
struct PageView<'a> {
    made_at: &'a str,
    elbws_version: &'a str,
    total: String,
    classes: Vec<Class>,
    findings: Vec<(&'static str, String)>,
    suppressed: Vec<SuppressedView<'a>>,
    scopes: &'a [Scope],
    rules: Vec<RuleView<'a>>,
    not_checked: &'a [NotChecked],
    unreadable: &'a [Unreadable],
    calls: &'a BTreeMap<String, u64>,
    calls_total: String,
}

/// The balancers whose worst finding is of one severity, or that have none.
#[derive(Serialize)]
struct Class {
    key: &'static str,
    label: &'static str,
    balancers: usize,
    shown: String,
    /// Where its part of the bar begins and how long it is, of 1,000.
    from: f64,
    length: f64,
}

#[derive(Serialize)]
struct RuleView<'a> {
    rule: &'a Rule,
    index: usize,
    findings: usize,
    balancers: usize,
    /// Whether it was checked wherever it was asked for: nothing found is no pass otherwise.
    checked: bool,
}

#[derive(Serialize)]
struct SuppressedView<'a> {
    balancer: usize,
    name: &'a str,
    finding: &'a Finding,
    place: String,
}

#[derive(Serialize)]
struct BalancerView<'a> {
    number: usize,
    name: &'a str,
    dns_name: &'a str,
    scope: &'a Scope,
    scope_index: usize,
    class: &'static str,
    errors: usize,
    warnings: usize,
    notes: usize,
    suppressed: usize,
    fixable: bool,
    /// Numbers of the rules that fired, for the filter.
    rules: String,
    listeners: String,
    findings: Vec<FindingView<'a>>,
    picture: Picture,
}

#[derive(Serialize)]
struct FindingView<'a> {
    finding: &'a Finding,
    place: String,
    title: &'a str,
}

impl<'a> PageView<'a> {
    fn of(report: &'a Report, order: &[&'a AuditedBalancer]) -> Self {
        let Report { schema_version: _, elbws_version, made_at, .. } = report;
        let Report { rules, scopes, balancers, unreadable, not_checked, calls, .. } = report;
        let suppressed = order.iter().enumerate().flat_map(|(number, balancer)| {
            let hidden = balancer.findings.iter().filter(|finding| finding.suppressed.is_some());
            hidden.map(move |finding| SuppressedView {
                balancer: number,
                name: &balancer.name,
                finding,
                place: finding.place.to_string(),
            })
        });
        PageView {
            made_at,
            elbws_version,
            total: thousands(balancers.len()),
            classes: classes(balancers),
            findings: Severity::ALL.map(|severity| (severity.as_str(), thousands(report.count(severity)))).to_vec(),
            suppressed: suppressed.collect(),
            scopes,
            rules: rules.iter().enumerate().map(|(index, rule)| rule_view(report, rule, index)).collect(),
            not_checked,
            unreadable,
            calls,
            calls_total: thousands(usize::try_from(calls.values().sum::<u64>()).unwrap_or(usize::MAX)),
        }
    }
}

fn rule_view<'a>(report: &Report, rule: &'a Rule, index: usize) -> RuleView<'a> {
    let of_rule = |finding: &&Finding| finding.rule == rule.id;
    RuleView {
        rule,
        index,
        findings: report.findings().filter(of_rule).count(),
        balancers: report.balancers.iter().filter(|balancer| balancer.counting().any(|finding| of_rule(&finding))).count(),
        checked: !report.not_checked.iter().any(|entry| entry.rules.contains(&rule.id)),
    }
}

fn classes(balancers: &[AuditedBalancer]) -> Vec<Class> {
    let kinds = [
        (Some(Severity::Error), "error", "with errors"),
        (Some(Severity::Warning), "warning", "with warnings"),
        (Some(Severity::Note), "note", "with notes"),
        (None, "clean", "clean"),
    ];
    let mut from = 0.0;
    let class = |(worst, key, label)| {
        let count = balancers.iter().filter(|balancer| balancer.worst() == worst).count();
        #[allow(clippy::cast_precision_loss)] // A drawing's length.
        let length = (count as f64 / balancers.len().max(1) as f64 * 10_000.0).round() / 10.0;
        let class = Class { key, label, balancers: count, shown: thousands(count), from, length };
        from += length;
        class
    };
    kinds.into_iter().map(class).collect()
}

impl<'a> BalancerView<'a> {
    fn of(report: &'a Report, balancer: &'a AuditedBalancer, number: usize) -> Self {
        let AuditedBalancer { scope, name, dns_name, topology, findings } = balancer;
        let rule = |finding: &Finding| report.rules.iter().position(|rule| rule.id == finding.rule);
        let mut fired: Vec<usize> = balancer.counting().filter_map(rule).collect();
        fired.sort_unstable();
        fired.dedup();
        let ports =
            topology.listeners.iter().map(|listener| format!("{} {}", listener.protocol, listener.load_balancer_port));
        let view = |finding: &'a Finding| FindingView {
            finding,
            place: finding.place.to_string(),
            title: rule(finding).map_or("", |index| report.rules[index].title),
        };
        BalancerView {
            number,
            name,
            dns_name,
            scope,
            scope_index: report.scopes.iter().position(|known| known == scope).unwrap_or_default(),
            class: balancer.worst().map_or("clean", Severity::as_str),
            errors: counting(balancer, Severity::Error),
            warnings: counting(balancer, Severity::Warning),
            notes: counting(balancer, Severity::Note),
            suppressed: findings.iter().filter(|finding| finding.suppressed.is_some()).count(),
            fixable: balancer.counting().any(|finding| finding.fixed_by_apply),
            rules: fired.iter().map(|index| format!(" {index} ")).collect(),
            listeners: ports.collect::<Vec<_>>().join(", "),
            findings: findings.iter().map(view).collect(),
            picture: picture(balancer),
        }
    }
}

/// `1,000`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
