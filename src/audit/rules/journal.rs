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
        let mut parts = rest.split(':');
        let (port, chunk) = (parts.next().unwrap_or_default(), parts.next());
        // The parts of a long definition count as one.
        if chunk.is_some() && tags.contains_key(&format!("{JOURNAL_TAG}{port}")) {
            continue;
        }
        let message = format!("a run that replaced listener {port} did not finish, or is going on");
        let readable = chunk.is_none() && port.parse::<u16>().is_ok_and(|port| port != 0) && is_whole(key, value, tags);
        findings.note(Place::Tag(key.clone()), message).fixed_by_apply = readable;
    }
    Ok(())
}

/// Whether all parts of a definition are there: the first begins with their number. `0` marks a listener that is new.
fn is_whole(key: &str, value: &str, tags: &BTreeMap<String, String>) -> bool {
    if value == "0" {
        return true;
    }
    let count = value.split_once('+').and_then(|(count, _)| count.parse::<usize>().ok());
    count.is_some_and(|count| count >= 1 && (2..=count).all(|part| tags.contains_key(&format!("{key}:{part}"))))
}
