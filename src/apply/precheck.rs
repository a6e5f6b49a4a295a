//! What can be known to fail before the first write: a certificate that is not there.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::cloud::{Cloud, CloudError, CloudErrorKind};
use crate::model::CertificateArn;
use crate::plan::{Plan, Step};

/// A plan that would fail half-way.
#[derive(Debug, Error)]
pub enum PrecheckError {
    /// The certificate does not exist.
    #[error("certificate {0} does not exist, or is not issued")]
    NoCertificate(CertificateArn),
    /// The certificate belongs to another region.
    #[error("certificate {certificate} belongs to another region than the balancer, which is in {region}")]
    OtherRegion {
        /// The certificate.
        certificate: CertificateArn,
        /// The balancer's region.
        region: String,
    },
    /// Whether it exists could not be found out, and a listener would be deleted for it.
    #[error(
        "whether certificate {certificate} exists could not be checked, and listener {listener} would be deleted before it is used"
    )]
    Unchecked {
        /// The certificate.
        certificate: CertificateArn,
        /// The load balancer port of the listener.
        listener: u16,
        /// Why it could not be found out.
        source: CloudError,
    },
    /// The question got no answer.
    #[error(transparent)]
    Cloud(CloudError),
}

/// Checks that every certificate a plan brings to the balancer exists, so that no listener is deleted which could then not be
/// created again. A certificate that a listener has already needs no check, and costs no call.
///
/// Returns warnings: certificates that could not be checked for want of permission where nothing is deleted for them.
pub async fn precheck(cloud: &impl Cloud, plan: &Plan) -> Result<Vec<String>, PrecheckError> {
    let mut warnings = Vec::new();
    for (certificate, ports) in new_certificates(plan) {
        if certificate.region().is_some_and(|region| region != cloud.region()) {
            return Err(PrecheckError::OtherRegion { certificate, region: cloud.region().to_owned() });
        }
        match cloud.has_certificate(&certificate).await {
            Ok(true) => {}
            Ok(false) => return Err(PrecheckError::NoCertificate(certificate)),
            Err(source) if source.kind != CloudErrorKind::AccessDenied => return Err(PrecheckError::Cloud(source)),
            Err(source) => match ports.iter().find(|port| deletes(plan, **port)) {
                Some(port) => return Err(PrecheckError::Unchecked { certificate, listener: *port, source }),
                None => warnings.push(format!("certificate {certificate} could not be checked: {source}")),
            },
        }
    }
    Ok(warnings)
}

/// Certificates that no live listener has, each with the load balancer ports it is for.
fn new_certificates(plan: &Plan) -> BTreeMap<CertificateArn, BTreeSet<u16>> {
    let mut new: BTreeMap<CertificateArn, BTreeSet<u16>> = BTreeMap::new();
    for step in plan.steps() {
        let (certificate, port) = match step {
            Step::CreateListener { listener } => (listener.certificate.as_ref(), listener.load_balancer_port),
            Step::SetListenerCertificate { load_balancer_port, certificate } => (Some(certificate), *load_balancer_port),
            _ => continue,
        };
        let held = |certificate: &CertificateArn| {
            plan.before.listeners.values().any(|listener| listener.certificate.as_ref() == Some(certificate))
        };
        if let Some(certificate) = certificate.filter(|certificate| !held(certificate)) {
            new.entry(certificate.clone()).or_default().insert(port);
        }
    }
    new
}

fn deletes(plan: &Plan, port: u16) -> bool {
    plan.steps().any(|step| matches!(step, Step::DeleteListener { load_balancer_port } if *load_balancer_port == port))
}
