//! The idle timeout, which ends WebSockets on which nothing is said.

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};

pub(super) const SHORT: Check = Check {
    rule: Rule {
        id: "ELBWS011",
        severity: Severity::Warning,
        title: "Idle timeout too short for WebSockets",
        why: "The balancer closes a connection that carries no payload for this long (60 s by default); clients see close code \
              1006. TCP keep-alive does not count as payload; WebSocket pings do. A WebSocket on which nobody happens to speak is \
              cut.",
        remedy: "Raise it above the longest silence you expect: `elbws apply --idle-timeout 3600`. Raise the server's own timeout as \
                 well (nginx: proxy_read_timeout), and send pings more often than the shorter of the two. `--min-idle-timeout` \
                 says from where on this rule is content; 300 s if it is not given.",
        needs: &[Read::Attributes],
        fixed_by_apply: false,
    },
    sources: &[Source::Attributes],
    look: short,
};

fn short(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let (found, least) = (subject.attributes()?.idle_timeout, subject.min_idle_timeout);
    if found < least {
        findings
            .note(Place::Balancer, format!("connections are closed after {found} s without payload; {least} s are wanted"));
    }
    Ok(())
}
