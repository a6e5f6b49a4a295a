//! What an audit comes to: findings by balancer, what could not be seen, and what it cost.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Finding, Read, Rule, Severity, Topology};

/// An account and region that was audited.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Scope {
    /// The twelve digits of the account.
    pub account: String,
    /// The region, for example `eu-west-1`.
    pub region: String,
}

/// A balancer that was audited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditedBalancer {
    /// Where it is.
    pub scope: Scope,
    /// Its name.
    pub name: String,
    /// Its DNS name.
    pub dns_name: String,
    /// Its picture.
    pub topology: Topology,
    /// What was found, the worst first; suppressed findings included.
    pub findings: Vec<Finding>,
}

/// A balancer, or a whole scope, that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Where it is.
    pub scope: Scope,
    /// The balancer; absent where the scope as a whole could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balancer: Option<String>,
    /// Why.
    pub reason: String,
}

/// Rules that could not be checked in a scope because something they need could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// Where.
    pub scope: Scope,
    /// What could not be read.
    pub read: Read,
    /// The rules, by identifier.
    pub rules: Vec<&'static str>,
    /// Why, with the call and its error.
    pub reason: String,
}

/// Everything an audit has to say. Its order is that of scopes, names and severities, whatever order replies came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The version of this structure in JSON; a change that breaks readers raises it.
    pub schema_version: u32,
    /// The version of elbws.
    pub elbws_version: String,
    /// When the audit was made, in UTC (RFC 3339).
    pub made_at: String,
    /// The rules that were asked for.
    pub rules: Vec<Rule>,
    /// The accounts and regions.
    pub scopes: Vec<Scope>,
    /// The balancers, by scope and name.
    pub balancers: Vec<AuditedBalancer>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Which rules could not be checked.
    pub not_checked: Vec<NotChecked>,
    /// How many calls were made, by IAM action.
    pub calls: BTreeMap<String, u64>,
}

impl AuditedBalancer {
    /// The findings that count: those that are not suppressed.
    pub fn counting(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.suppressed.is_none())
    }

    /// How bad the worst finding that counts is; absent if none counts.
    pub fn worst(&self) -> Option<Severity> {
        self.counting().map(|finding| finding.severity).max()
    }
}

impl Report {
    /// How many findings of a severity count: those that are not suppressed.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings().filter(|finding| finding.severity == severity).count()
    }

    /// The findings that count, of all balancers.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.balancers.iter().flat_map(AuditedBalancer::counting)
    }
}
