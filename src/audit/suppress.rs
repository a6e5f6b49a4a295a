//! Suppressions: findings that somebody has decided to live with, for a reason and for a while.

use std::collections::BTreeSet;

use globset::GlobMatcher;
use jiff::civil::Date;

use super::{Finding, Suppression};

/// Findings that shall not count.
#[derive(Debug, Clone)]
pub struct Ignore {
    /// The rule's identifier.
    pub rule: String,
    /// The names of the balancers.
    pub balancers: GlobMatcher,
    /// Why.
    pub reason: String,
    /// The last day on which it holds; absent if it holds for ever.
    pub until: Option<Date>,
}

/// All suppressions of an audit, and the day it is made.
#[derive(Debug, Clone)]
pub struct Suppressions {
    ignores: Vec<Ignore>,
    today: Date,
}

impl Suppressions {
    /// Suppressions as of a day, in UTC.
    pub fn new(ignores: Vec<Ignore>, today: Date) -> Self {
        Suppressions { ignores, today }
    }

    /// Marks the findings of a balancer that do not count. Gives the positions of expired suppressions that would have
    /// matched one that therefore counts.
    pub fn apply(&self, balancer: &str, findings: &mut [Finding]) -> BTreeSet<usize> {
        let mut expired = BTreeSet::new();
        for finding in findings {
            let matching = self.ignores.iter().enumerate();
            let mut matching =
                matching.filter(|(_, ignore)| ignore.rule == finding.rule && ignore.balancers.is_match(balancer));
            let holds = |ignore: &Ignore| ignore.until.is_none_or(|until| self.today <= until);
            match matching.clone().find(|(_, ignore)| holds(ignore)) {
                Some((_, ignore)) => {
                    let until = ignore.until.map(|until| until.to_string());
                    finding.suppressed = Some(Suppression { reason: ignore.reason.clone(), until });
                }
                None => expired.extend(matching.next().map(|(position, _)| position)),
            }
        }
        expired
    }

    /// The suppression at a position.
    pub fn get(&self, position: usize) -> Option<&Ignore> {
        self.ignores.get(position)
    }
}
