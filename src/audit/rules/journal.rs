//! What an interrupted run of elbws left in a balancer's tags.

use std::collections::BTreeMap;

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};
use crate::model::names::JOURNAL_TAG;

pub(super) const UNFINISHED: Check = Check {
    rule: Rule {
        id: "ELBWS403",
        severity: Severity::Warning,
        title: "Unfinished run of elbws",
        why: "While elbws replaces a listener it keeps the old one's definition in the balancer's tags, and removes them at the end. \
              Tags that are still there are of a run that died or that is going on right now; a listener may be missing.",
        remedy: "If no run is going on, `elbws plan` shows what is left and `elbws apply` finishes it. A tag that cannot be read any \
                 more has to be removed by hand: `aws elb remove-tags`.",
        needs: &[Read::Tags],
        fixed_by_apply: true,
    },
    sources: &[Source::Tags],
    look: unfinished,
};

fn unfinished(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let tags = subject.tags()?;
    for (key, value) in tags {
        let Some(rest) = key.strip_prefix(JOURNAL_TAG) else { continue };
        // The parts of a long definition count as one.
        let port = match rest.split_once(':') {
            Some((port, _)) if tags.contains_key(&format!("{JOURNAL_TAG}{port}")) => continue,
            Some((port, _)) => port,
            None => rest,
        };
        let message = format!("a run that replaced listener {port} did not finish, or is going on");
        findings.note(Place::Tag(key.clone()), message).fixed_by_apply = is_readable(key, value, tags);
    }
    Ok(())
}

/// Whether the tags hold a definition that cannot be read any more, so that `elbws apply` refuses the balancer.
pub(in crate::audit) fn is_broken(tags: &BTreeMap<String, String>) -> bool {
    tags.iter().any(|(key, value)| key.starts_with(JOURNAL_TAG) && !is_readable(key, value, tags))
}

/// Whether a tag begins a definition that is whole, or is a later part of one: what is left of an older, longer one does no harm.
fn is_readable(key: &str, value: &str, tags: &BTreeMap<String, String>) -> bool {
    let rest = key.strip_prefix(JOURNAL_TAG).unwrap_or_default();
    let (port, is_first) = rest.split_once(':').map_or((rest, true), |(port, _)| (port, false));
    port.parse::<u16>().is_ok() && (!is_first || is_whole(key, value, tags))
}

/// Whether all parts of a definition are there: the first begins with their number. `0` marks a listener that is new.
fn is_whole(key: &str, value: &str, tags: &BTreeMap<String, String>) -> bool {
    if value == "0" {
        return true;
    }
    let count = value.split_once('+').and_then(|(count, _)| count.parse::<usize>().ok());
    count.is_some_and(|count| count >= 1 && (2..=count).all(|part| tags.contains_key(&format!("{key}:{part}"))))
}
