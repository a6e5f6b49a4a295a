//! The security groups of the balancer itself.

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};

pub(super) const LISTENER_CLOSED: Check = Check {
    rule: Rule {
        id: "ELBWS301",
        severity: Severity::Error,
        title: "Security group does not admit a listener's port",
        why: "Adding a listener does not touch security groups. Where none of the balancer's groups lets anybody in on the port, \
              connections hang until the client gives up, and the balancer's own metrics show nothing.",
        remedy: "Add a rule to one of the balancer's groups: `aws ec2 authorize-security-group-ingress --group-id ID --protocol tcp \
                 --port PORT --cidr RANGE`.",
        needs: &[Read::Listing, Read::Network],
        fixed_by_apply: false,
    },
    sources: &[Source::SecurityGroups],
    look: listener_closed,
};

fn listener_closed(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let mut groups = Vec::new();
    for id in &subject.listed.security_groups {
        match subject.security_group(id)? {
            Some(group) => groups.push(group),
            // What a group that EC2 does not describe lets in is not known, so nothing can be said.
            None => return Ok(()),
        }
    }
    // A balancer in EC2-Classic has no groups of its own.
    if groups.is_empty() {
        return Ok(());
    }
    for (port, listener) in &subject.listed.listeners {
        if !groups.iter().any(|group| group.ingress.iter().any(|rule| rule.covers(*port))) {
            let message = format!("no security group of the balancer admits anybody on port {port} ({listener})");
            findings.note(Place::Listener(*port), message);
        }
    }
    Ok(())
}
