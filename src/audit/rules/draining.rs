//! Connection draining: what a deployment does to open WebSockets.

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};

pub(super) const OFF: Check = Check {
    rule: Rule {
        id: "ELBWS205",
        severity: Severity::Warning,
        title: "Connection draining off",
        why: "When an instance is deregistered, as every deployment does, its open connections are cut at once. Balancers created \
              through the API start like this.",
        remedy: "Switch it on: `aws elb modify-load-balancer-attributes --load-balancer-attributes \
                 ConnectionDraining={Enabled=true,Timeout=300}`, and let the server close its WebSockets meanwhile, so that clients \
                 reconnect elsewhere.",
        needs: &[Read::Attributes],
        fixed_by_apply: false,
    },
    sources: &[Source::Attributes],
    look: off,
};

pub(super) const SHORT: Check = Check {
    rule: Rule {
        id: "ELBWS206",
        severity: Severity::Note,
        title: "Connection draining shorter than the idle timeout",
        why: "A quiet WebSocket may live as long as the idle timeout without a word, and is cut by force when draining ends before \
              that.",
        remedy: "Let draining last as long as the idle timeout (at most 3600 s), or let the server close its WebSockets when it \
                 is about to go.",
        needs: &[Read::Attributes],
        fixed_by_apply: false,
    },
    sources: &[Source::Attributes],
    look: short,
};

fn off(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    if !subject.attributes()?.connection_draining.enabled {
        findings.note(Place::Balancer, "connection draining is off: a deployment cuts open connections");
    }
    Ok(())
}

fn short(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let attributes = subject.attributes()?;
    let (draining, idle) = (&attributes.connection_draining, attributes.idle_timeout);
    if let Some(timeout) = draining.timeout.filter(|timeout| draining.enabled && *timeout < idle) {
        findings.note(Place::Balancer, format!("draining ends after {timeout} s, and connections may be idle for {idle} s"));
    }
    Ok(())
}
