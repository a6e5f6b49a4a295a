//! The certificates of listeners that terminate TLS.

use jiff::{SignedDuration, Timestamp};

use crate::audit::check::Findings;
use crate::audit::{Check, Found, Missing, Place, Read, Rule, Severity, Source, Subject};
use crate::model::{CertificateArn, CertificateStore};

/// How long before its end a certificate counts as expiring.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

const BOTH: &[Source] = &[Source::AcmCertificates, Source::IamCertificates];
const NEEDS: &[Read] = &[Read::Listing, Read::Certificates];

pub(super) const EXPIRED: Check = Check {
    rule: Rule {
        id: "ELBWS101",
        severity: Severity::Error,
        title: "Certificate expired",
        why: "Clients refuse the connection before anything of the application is reached. Many WebSocket clients report only \
              that the connection was closed.",
        remedy: "Request or import a new certificate and swap it in place, without interruption: `elbws certificate --elb NAME \
                 ARN`. A certificate that ACM issued and could not renew mostly lacks its DNS validation record.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: BOTH,
    look: expired,
};

pub(super) const EXPIRING: Check = Check {
    rule: Rule {
        id: "ELBWS102",
        severity: Severity::Warning,
        title: "Certificate expires within 30 days",
        why: "ACM renews certificates it issued 60 days before their end, so one that is this late is not going to renew by \
              itself. Imported certificates and those in IAM are never renewed.",
        remedy: "Renew it now and swap it in place: `elbws certificate --elb NAME ARN`. Importing under the same ARN in ACM needs \
                 no swap.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: BOTH,
    look: expiring,
};

pub(super) const UNUSABLE: Check = Check {
    rule: Rule {
        id: "ELBWS103",
        severity: Severity::Error,
        title: "Certificate unknown or not issued",
        why: "The service that the listener's ARN names does not have this certificate, or has not issued it, or has revoked it. \
              What was loaded earlier may go on working until the listener is touched; then nothing can bring it back.",
        remedy: "Give the listener a certificate that exists: `elbws certificate --elb NAME ARN`.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: BOTH,
    look: unusable,
};

pub(super) const OTHER_REGION: Check = Check {
    rule: Rule {
        id: "ELBWS104",
        severity: Severity::Error,
        title: "Certificate of another region",
        why: "A Classic balancer can use ACM certificates of its own region only. A listener that names another region's cannot be \
              created again once it is gone.",
        remedy: "Request or import the certificate in the balancer's region, or upload it to IAM, which serves all regions; then \
                 `elbws certificate --elb NAME ARN`.",
        needs: &[Read::Listing],
        fixed_by_apply: false,
    },
    sources: &[],
    look: other_region,
};

pub(super) const KEY_TYPE: Check = Check {
    rule: Rule {
        id: "ELBWS105",
        severity: Severity::Error,
        title: "Certificate with a key that Classic balancers cannot take from ACM",
        why: "From ACM, Classic balancers take RSA keys of at most 2048 bits. Elliptic-curve keys and longer RSA keys are refused, so \
              a listener with such a certificate cannot be created again once it is gone.",
        remedy: "Request a certificate with an RSA 2048 key, or upload this one to IAM, from where Classic balancers take every kind; \
                 then `elbws certificate --elb NAME ARN`.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: &[Source::AcmCertificates],
    look: key_type,
};

fn expired(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    ends(subject, findings, |end, now| end <= now, "expired")
}

fn expiring(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    ends(subject, findings, |end, now| now < end && end.duration_since(now) <= SOON, "expires")
}

fn ends(
    subject: &Subject,
    findings: &mut Findings<'_>,
    is_it: impl Fn(Timestamp, Timestamp) -> bool,
    verb: &str,
) -> Result<(), Missing> {
    each(
        subject,
        |_| true,
        |arn, ports, found| {
            if let Found::Certificate(certificate) = found
                && let Some(end) = certificate.not_after.filter(|end| is_it(*end, subject.now))
            {
                let day = end.strftime("%Y-%m-%d");
                findings.note(place(arn), format!("the certificate of {} {verb} on {day}", listeners(ports)));
            }
        },
    )
}

fn unusable(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    each(
        subject,
        |_| true,
        |arn, ports, found| {
            let of = listeners(ports);
            match found {
                Found::Nothing => {
                    let store = match arn.store() {
                        Some(CertificateStore::Acm) => "ACM",
                        Some(CertificateStore::Iam) => "IAM",
                        None => "neither ACM nor IAM, the only services a balancer takes certificates from,",
                    };
                    let verb = if arn.store().is_some() { "does not have" } else { "has" };
                    findings.note(place(arn), format!("{store} {verb} the certificate of {of}"));
                }
                Found::Certificate(certificate) => {
                    // An expired one is reported as such.
                    let status = certificate.status.as_deref().filter(|status| !matches!(*status, "ISSUED" | "EXPIRED"));
                    if let Some(status) = status {
                        findings.note(place(arn), format!("the certificate of {of} has the status {status} in ACM"));
                    }
                }
            }
        },
    )
}

fn other_region(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    for (arn, ports) in subject.certificates() {
        let (here, of) = (&subject.scope.region, listeners(&ports));
        if let Some(region) = arn.region().filter(|region| is_of_acm(arn) && region != here) {
            findings.note(place(arn), format!("the certificate of {of} is of {region}, and the balancer is in {here}"));
        }
    }
    Ok(())
}

fn key_type(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    // From IAM every kind is taken, so its certificates need not be looked at.
    each(subject, is_of_acm, |arn, ports, found| {
        if let Found::Certificate(certificate) = found
            && !certificate.has_usable_key()
        {
            let key = certificate.key_algorithm.as_deref().unwrap_or_default();
            findings.note(place(arn), format!("the certificate of {} has a key of type {key}", listeners(ports)));
        }
    })
}

/// Looks at every certificate in question that can be looked at; then fails if one could not.
fn each(
    subject: &Subject,
    in_question: impl Fn(&CertificateArn) -> bool,
    mut look: impl FnMut(&CertificateArn, &[u16], Found<'_>),
) -> Result<(), Missing> {
    let mut result = Ok(());
    for (arn, ports) in subject.certificates().into_iter().filter(|(arn, _)| in_question(arn)) {
        match subject.certificate(arn) {
            Ok(found) => look(arn, &ports, found),
            Err(missing) => result = Err(missing),
        }
    }
    result
}

fn is_of_acm(arn: &CertificateArn) -> bool {
    arn.store() == Some(CertificateStore::Acm)
}

fn place(arn: &CertificateArn) -> Place {
    Place::Certificate(arn.to_string())
}

fn listeners(ports: &[u16]) -> String {
    let numbers: Vec<String> = ports.iter().map(u16::to_string).collect();
    format!("listener{} {}", if ports.len() == 1 { "" } else { "s" }, numbers.join(", "))
}
