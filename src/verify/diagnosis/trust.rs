//! Causes that lie in the certificate.

use super::scene::{Rule, Scene};
use super::{Cause, Diagnosis, Severity};
use crate::model::SANDBOX_ROOT;
use crate::verify::seen::{CertificateSeen, TlsSeen, TrustFailure, TrustFailureKind};

/// A certificate that is valid for fewer days than this is about to cause an outage. ACM renews 60 days before the end.
const SOON: i64 = 14;

pub(super) const RULES: &[Rule] = &[untrusted, expires_soon];

fn untrusted(scene: &Scene<'_>) -> Option<Diagnosis> {
    let tls = scene.seen.tls()?;
    let failure = tls.trust_failure.as_ref()?;
    let found = explain(scene, tls, failure);
    if !tls.insecure {
        return Some(found);
    }
    Some(Diagnosis {
        severity: Severity::Warning,
        cause: Cause::CertificateIgnored,
        sentence: format!(
            "the connection went on although the certificate is not trusted, as --insecure says: {}",
            found.sentence
        ),
        ..found
    })
}

fn explain(scene: &Scene<'_>, tls: &TlsSeen, failure: &TrustFailure) -> Diagnosis {
    let replace = format!("elbws certificate --elb {} ARN", scene.view.map_or("NAME", |view| view.balancer.name.as_str()));
    let found = match failure.kind {
        TrustFailureKind::Expired => expired(tls).remedy(format!("renew it, and give it to the listener: {replace}")),
        TrustFailureKind::NotYetValid => {
            let from = leaf(tls).map(|leaf| leaf.not_before.as_str()).unwrap_or_default();
            Diagnosis::failure(Cause::CertificateNotYetValid, format!("the certificate is not valid before {from}"))
                .remedy("is the clock of this machine right?")
        }
        TrustFailureKind::WrongName => {
            let names = leaf(tls).map(|leaf| leaf.names.join(", ")).unwrap_or_default();
            Diagnosis::failure(
                Cause::CertificateWrongName,
                format!("the certificate is for {names}, not for {}", tls.server_name),
            )
            .remedy(format!("use a name that the certificate is for, or give the listener another: {replace}"))
        }
        TrustFailureKind::UnknownIssuer | TrustFailureKind::NoRoots | TrustFailureKind::Other if is_of_a_sandbox(tls) => {
            Diagnosis::failure(
                Cause::CertificateUntrusted,
                "the certificate is of the sandbox's own authority, and its root is not one that is trusted here",
            )
            .remedy("give the root that `elbws sandbox --ca FILE` writes: --ca FILE")
            .remedy("each start of the sandbox makes a new root: a file of an earlier one is of no use")
        }
        TrustFailureKind::UnknownIssuer => unknown_issuer(tls, &replace),
        TrustFailureKind::NoRoots => Diagnosis::failure(
            Cause::CertificateUntrusted,
            "this machine has no certificate authorities to trust, so that no certificate can be verified",
        )
        .remedy("install the system's CA certificates (Debian: ca-certificates), or give --ca FILE"),
        TrustFailureKind::Other => {
            Diagnosis::failure(Cause::CertificateUntrusted, "the certificate cannot be trusted").remedy(replace)
        }
    };
    found.seen(&failure.text)
}

fn leaf(tls: &TlsSeen) -> Option<&CertificateSeen> {
    tls.certificates.first()
}

fn is_of_a_sandbox(tls: &TlsSeen) -> bool {
    tls.certificates.last().is_some_and(|last| last.issuer == format!("CN={SANDBOX_ROOT}"))
}

fn expired(tls: &TlsSeen) -> Diagnosis {
    match tls.certificates.iter().find(|certificate| certificate.days_left < 0) {
        Some(certificate) => Diagnosis::failure(
            Cause::CertificateExpired,
            format!(
                "the certificate {} expired {} ago, on {}",
                certificate.subject,
                days(-certificate.days_left),
                certificate.not_after
            ),
        ),
        None => Diagnosis::failure(Cause::CertificateExpired, "a certificate of the chain has expired"),
    }
}

fn unknown_issuer(tls: &TlsSeen, replace: &str) -> Diagnosis {
    let own_ca = "if the authority is your own, give its certificate with --ca FILE";
    match tls.certificates.as_slice() {
        [only] if only.is_self_issued => Diagnosis::failure(
            Cause::CertificateSelfSigned,
            format!("the certificate {} is signed by itself, and no browser trusts it", only.subject),
        )
        .remedy(format!("get one from an authority (ACM gives them for nothing): {replace}"))
        .remedy("to trust it here: --ca FILE with the certificate"),
        [only] => Diagnosis::failure(
            Cause::CertificateChainIncomplete,
            format!(
                "the server sends its own certificate alone, and its issuer {} is not one this machine trusts",
                only.issuer
            ),
        )
        .probably()
        .remedy("upload the certificate to IAM with its chain (--certificate-chain)")
        .remedy(own_ca),
        chain => {
            let issuer = chain.last().map(|last| last.issuer.as_str()).unwrap_or_default();
            Diagnosis::failure(
                Cause::CertificateUntrusted,
                format!("the certificate leads to {issuer}, which this machine does not trust"),
            )
            .remedy(own_ca)
        }
    }
}

fn expires_soon(scene: &Scene<'_>) -> Option<Diagnosis> {
    let tls = scene.seen.tls().filter(|tls| tls.trust_failure.is_none())?;
    let first = tls.certificates.iter().min_by_key(|certificate| certificate.days_left)?;
    if !(0..SOON).contains(&first.days_left) {
        return None;
    }
    Some(
        Diagnosis::warning(
            Cause::CertificateExpiresSoon,
            format!("the certificate {} expires in {}, on {}", first.subject, days(first.days_left), first.not_after),
        )
        .remedy("renew it now: ACM renews its own 60 days ahead, imported ones and those of IAM are yours to renew"),
    )
}

fn days(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}
