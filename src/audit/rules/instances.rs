//! Whether there is anybody behind the balancer.

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};

pub(super) const NONE: Check = Check {
    rule: Rule {
        id: "ELBWS201",
        severity: Severity::Warning,
        title: "No instances registered",
        why: "Connections are accepted and closed, requests are answered with status 503. A balancer without instances is either \
              forgotten, and costs money, or its auto-scaling group does not know it.",
        remedy: "Attach the balancer to its auto-scaling group, or register instances: `aws elb \
                 register-instances-with-load-balancer`. Delete it if nobody needs it.",
        needs: &[Read::Listing],
        fixed_by_apply: false,
    },
    sources: &[],
    look: none,
};

pub(super) const NONE_IN_SERVICE: Check = Check {
    rule: Rule {
        id: "ELBWS202",
        severity: Severity::Error,
        title: "No instance in service",
        why: "Every registered instance fails the health check or is still being registered, so nobody gets an answer.",
        remedy: "Look at the health check first (rules ELBWS009, ELBWS010 and ELBWS302), then at the server: does it listen on the \
                 port, and does it answer within the timeout? `aws elb describe-instance-health` gives a reason per instance.",
        needs: &[Read::Listing, Read::InstanceHealth],
        fixed_by_apply: false,
    },
    sources: &[Source::InstanceHealth],
    look: none_in_service,
};

fn none(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    if subject.listed.instances.is_empty() {
        findings.note(Place::Balancer, "no instance is registered");
    }
    Ok(())
}

fn none_in_service(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    if subject.listed.instances.is_empty() {
        return Ok(());
    }
    let health = subject.health()?;
    if health.values().any(|health| health.is_in_service()) {
        return Ok(());
    }
    let count = subject.listed.instances.len();
    let all = if count == 1 { "the only instance is".to_owned() } else { format!("none of {count} instances is") };
    let not = if count == 1 { " not" } else { "" };
    let why = health.values().map(|health| &health.description).find(|text| !text.is_empty() && *text != "N/A");
    let why = why.map(|text| format!(": {}", text.trim_end_matches('.'))).unwrap_or_default();
    findings.note(Place::Balancer, format!("{all}{not} in service{why}"));
    Ok(())
}
