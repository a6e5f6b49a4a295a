//! A check: a rule with the sources it draws on and the function that looks. And what becomes of checks on one subject.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Missing, Place, Rule, Source, Subject};

/// A rule and its function.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// What it is called and says.
    pub rule: Rule,
    /// What it may draw on beside the listing.
    pub sources: &'static [Source],
    /// Looks at a subject. What it notes before it fails is kept.
    pub(super) look: fn(&Subject, &mut Findings<'_>) -> Result<(), Missing>,
}

/// The findings of one check, in the making.
pub(super) struct Findings<'a> {
    rule: &'a Rule,
    noted: &'a mut Vec<Finding>,
}

impl Findings<'_> {
    /// Notes a finding of the rule's own severity that `apply` does not repair.
    pub(super) fn note(&mut self, place: Place, message: impl Into<String>) -> &mut Finding {
        self.noted.push(Finding {
            rule: self.rule.id,
            severity: self.rule.severity,
            place,
            message: message.into(),
            fixed_by_apply: false,
            suppressed: None,
        });
        let last = self.noted.len() - 1;
        &mut self.noted[last]
    }
}

/// What checks found on one subject, and which could not see what they need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// The findings, the worst first, then by rule and place.
    pub findings: Vec<Finding>,
    /// Rules that could not be checked, by what was missing.
    pub unchecked: BTreeMap<Source, BTreeSet<&'static str>>,
}

/// Runs checks on a subject.
pub fn examine(subject: &Subject, checks: &[&Check]) -> Examination {
    let mut findings = Vec::new();
    let mut unchecked: BTreeMap<Source, BTreeSet<&'static str>> = BTreeMap::new();
    for check in checks {
        let looked = (check.look)(subject, &mut Findings { rule: &check.rule, noted: &mut findings });
        if let Err(Missing(source)) = looked {
            unchecked.entry(source).or_default().insert(check.rule.id);
        }
    }
    let order = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.rule, finding.place.clone());
    findings.sort_by_cached_key(order);
    Examination { findings, unchecked }
}
