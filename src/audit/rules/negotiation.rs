//! What the TLS policies of listeners allow.

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};
use crate::model::tls::{is_negotiation, old_versions, weak_ciphers};
use crate::model::{Listener, Policy};

const NEEDS: &[Read] = &[Read::Listing, Read::Policies];

pub(super) const OLD_VERSIONS: Check = Check {
    rule: Rule {
        id: "ELBWS106",
        severity: Severity::Warning,
        title: "TLS policy allows versions below 1.2",
        why: "TLS 1.0 and 1.1 were withdrawn in 2021 (RFC 8996) and fail most compliance scans. A listener that is created \
              without a policy gets ELBSecurityPolicy-2016-08, which still allows both.",
        remedy: "Set a policy that allows TLS 1.2 alone: `elbws apply --ssl-policy ELBSecurityPolicy-TLS-1-2-2017-01`. Clients \
                 older than 2013 will no longer connect. Classic balancers do not speak TLS 1.3.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: &[Source::Policies],
    look: versions,
};

pub(super) const WEAK_CIPHERS: Check = Check {
    rule: Rule {
        id: "ELBWS107",
        severity: Severity::Warning,
        title: "TLS policy allows weak ciphers",
        why: "RC4, DES, 3DES, MD5 and export ciphers can be broken, or soon will be. Policies with a list of their own keep them for \
              ever, since a policy never changes.",
        remedy: "Set a predefined policy: `elbws apply --ssl-policy ELBSecurityPolicy-TLS-1-2-2017-01`, then delete this one.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: &[Source::Policies],
    look: ciphers,
};

fn versions(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    each(subject, |listener, name, policy| {
        let versions = old_versions(name, policy);
        if !versions.is_empty() {
            let message = format!("policy {name} allows {}", versions.join(" and "));
            findings.note(Place::Listener(listener.load_balancer_port), message);
        }
    })
}

fn ciphers(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    each(subject, |listener, name, policy| {
        let weak: Vec<&str> = policy.map(weak_ciphers).unwrap_or_default().into_iter().collect();
        if !weak.is_empty() {
            let message = format!("policy {name} allows {}", weak.join(", "));
            findings.note(Place::Listener(listener.load_balancer_port), message);
        }
    })
}

/// Every negotiation policy of every listener that terminates TLS.
fn each(subject: &Subject, mut look: impl FnMut(&Listener, &str, Option<&Policy>)) -> Result<(), Missing> {
    for listener in subject.listed.listeners.values().filter(|listener| listener.protocol.is_secure()) {
        for name in &listener.policies {
            let policy = subject.policies()?.get(name);
            if is_negotiation(name, policy) {
                look(listener, name, policy);
            }
        }
    }
    Ok(())
}
