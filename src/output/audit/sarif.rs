//! An audit as SARIF 2.1.0, the format in which code scanning services take findings.
//!
//! A balancer is no file, yet GitHub shows only results that have a file: each result names the path
//! `aws/ACCOUNT/REGION/elb/BALANCER`, the same in every run, besides its logical location. Results are never left out; GitHub takes
//! 25,000 a run.

use std::collections::BTreeMap;
use std::io::{self, Write};

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::audit::{AuditedBalancer, Finding, NotChecked, Place, Report, Rule, Scope, Severity, Unreadable};
use crate::output::json::write_indented;
use crate::output::page::clean;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// Writes the log with one run, indented, result by result.
pub fn audit_sarif(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Log<'a> {
        #[serde(rename = "$schema")]
        schema: &'static str,
        version: &'static str,
        runs: [Run<'a>; 1],
    }
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run(report)] };
    write_indented(&log, out)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    automation_details: Value,
    invocations: [Value; 1],
    results: Results<'a>,
}

/// All findings, made one after the other, since there can be many.
struct Results<'a> {
    report: &'a Report,
    index: BTreeMap<&'static str, usize>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.report.balancers.iter().flat_map(|balancer| results(balancer, &self.index)))
    }
}

/// One finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Value>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Value,
    logical_locations: [LogicalLocation; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    account: &'a str,
    region: &'a str,
    balancer: &'a str,
    fixed_by_apply: bool,
}

fn run(report: &Report) -> Run<'_> {
    let index: BTreeMap<&'static str, usize> =
        report.rules.iter().enumerate().map(|(index, rule)| (rule.id, index)).collect();
    let notifications: Vec<Value> = report
        .not_checked
        .iter()
        .flat_map(|entry| not_checked(entry, &index))
        .chain(report.unreadable.iter().map(unreadable))
        .collect();
    let something_was_read = !report.balancers.is_empty() || report.unreadable.is_empty();
    Run {
        tool: json!({"driver": {
            "name": "elbws",
            "version": clean(&report.elbws_version),
            "rules": report.rules.iter().map(descriptor).collect::<Vec<_>>(),
            "notifications": [
                {"id": "not-checked", "shortDescription": {"text": "A rule could not be checked"}},
                {"id": "unreadable", "shortDescription": {"text": "A balancer could not be read"}},
            ],
        }}),
        automation_details: json!({"id": "elbws-audit/"}),
        invocations: [json!({
            "executionSuccessful": something_was_read,
            "toolExecutionNotifications": notifications,
        })],
        results: Results { report, index },
    }
}

fn descriptor(rule: &Rule) -> Value {
    let Rule { id, severity, title, why, remedy, needs: _, fixed_by_apply } = rule;
    let repair = if *fixed_by_apply { " `elbws apply` repairs it." } else { "" };
    json!({
        "id": id,
        "shortDescription": {"text": title},
        "fullDescription": {"text": why},
        "help": {
            "text": format!("{why}\n\nWhat to do: {remedy}{repair}"),
            "markdown": format!("{why}\n\n**What to do:** {remedy}{repair}"),
        },
        "defaultConfiguration": {"level": level(*severity)},
        "properties": {"problem.severity": problem(*severity), "tags": ["aws", "elb", "websocket"], "fixedByApply": fixed_by_apply},
    })
}

fn results<'a>(balancer: &'a AuditedBalancer, index: &BTreeMap<&'static str, usize>) -> Vec<SarifResult<'a>> {
    let Scope { account, region } = &balancer.scope;
    let mut seen: BTreeMap<(&str, &Place), usize> = BTreeMap::new();
    let mut results = Vec::with_capacity(balancer.findings.len());
    for finding in &balancer.findings {
        let Finding { rule, severity, place, message, fixed_by_apply, suppressed } = finding;
        let occurrence = seen.entry((*rule, place)).and_modify(|count| *count += 1).or_insert(1);
        let suppression = suppressed.as_ref().map(|suppression| {
            let until = suppression.until.as_ref().map(|until| format!(" (until {until})")).unwrap_or_default();
            json!({"kind": "external", "status": "accepted", "justification": clean(&format!("{}{until}", suppression.reason))})
        });
        results.push(SarifResult {
            rule_id: rule,
            rule_index: index.get(rule).copied(),
            level: level(*severity),
            message: Message { text: clean(&format!("{}: {message}", balancer.name)) },
            locations: [location(&balancer.scope, &balancer.name, place)],
            partial_fingerprints: fingerprints(balancer, rule, place, *occurrence),
            suppressions: suppression.into_iter().collect(),
            properties: Properties { account, region, balancer: &balancer.name, fixed_by_apply: *fixed_by_apply },
        });
    }
    results
}

/// The message is left out: it may hold a number that changes daily, and the finding is the same.
fn fingerprints(balancer: &AuditedBalancer, rule: &str, place: &Place, occurrence: usize) -> BTreeMap<&'static str, String> {
    let Scope { account, region } = &balancer.scope;
    // Each part with its length, so that no two findings share their text.
    let parts = [account.as_str(), region, &balancer.name, rule, kind(place), &place.to_string()];
    let text: String = parts.iter().map(|part| format!("{}:{part},", part.len())).collect();
    let digest = HEXLOWER.encode(&Sha256::digest(format!("{text}{occurrence}").as_bytes())[..16]);
    // GitHub looks at no other key than the first.
    BTreeMap::from([("primaryLocationLineHash", format!("{digest}:1")), ("elbwsFinding/v1", digest)])
}

fn location(scope: &Scope, balancer: &str, place: &Place) -> Location {
    let Scope { account, region } = scope;
    let whole = format!("{account}/{region}/{balancer}");
    let (name, fully_qualified_name) = match place {
        Place::Balancer => (balancer.to_owned(), whole),
        part => (part.to_string(), format!("{whole}/{part}")),
    };
    let logical =
        LogicalLocation { name: clean(&name), fully_qualified_name: clean(&fully_qualified_name), kind: kind(place) };
    let uri = format!("aws/{}/{}/elb/{}", path_part(account), path_part(region), path_part(balancer));
    let physical_location = json!({"artifactLocation": {"uri": uri}, "region": {"startLine": 1}});
    Location { physical_location, logical_locations: [logical] }
}

/// Percent-encodes everything but RFC 3986's unreserved characters, and dots, so that no part climbs out of the path.
fn path_part(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

fn not_checked(entry: &NotChecked, index: &BTreeMap<&str, usize>) -> Vec<Value> {
    let NotChecked { scope, read: _, rules, reason } = entry;
    let Scope { account, region } = scope;
    let notification = |rule: &&'static str| {
        let mut associated = json!({"id": rule});
        if let Some(index) = index.get(rule) {
            associated["index"] = json!(index);
        }
        json!({
            "descriptor": {"id": "not-checked", "index": 0},
            "associatedRule": associated,
            "level": "warning",
            "message": {"text": clean(&format!("{rule} was not checked in {account} {region}: {reason}"))},
        })
    };
    rules.iter().map(notification).collect()
}

fn unreadable(entry: &Unreadable) -> Value {
    let Unreadable { scope, balancer, reason } = entry;
    let Scope { account, region } = scope;
    let what =
        balancer.as_ref().map_or_else(|| format!("{account} {region}"), |name| format!("{name} in {account} {region}"));
    let mut notification = json!({
        "descriptor": {"id": "unreadable", "index": 1},
        "level": "error",
        "message": {"text": clean(&format!("{what} could not be read: {reason}"))},
    });
    if let Some(name) = balancer {
        notification["locations"] = json!([location(scope, name, &Place::Balancer)]);
    }
    notification
}

fn kind(place: &Place) -> &'static str {
    match place {
        Place::Balancer => "loadBalancer",
        Place::Listener(_) => "listener",
        Place::InstancePort(_) => "instancePort",
        Place::HealthCheck => "healthCheck",
        Place::Policy(_) => "policy",
        Place::Certificate(_) => "certificate",
        Place::Instance(_) => "instance",
        Place::SecurityGroup(_) => "securityGroup",
        Place::Subnet(_) => "subnet",
        Place::Tag(_) => "tag",
    }
}

fn level(severity: Severity) -> &'static str {
    severity.as_str() // SARIF's words are the same three.
}

/// GitHub's own word for a rule's severity.
fn problem(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "recommendation",
    }
}
