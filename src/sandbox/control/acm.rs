//! AWS Certificate Manager: import, describe, list. Certificates belong to a region.

use std::sync::Arc;

use data_encoding::BASE64;

use super::certificates::{self, ServerCertificate};
use super::{ApiError, Element, Reader, Request, World, ids};
use crate::model::CertificateArn;

/// The most certificates a region holds.
const QUOTA: usize = 100;

pub(crate) fn import(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.any_members();
    let body = blob(&input, "Certificate")?.ok_or_else(|| ApiError::missing("certificate"))?;
    let key = blob(&input, "PrivateKey")?.ok_or_else(|| ApiError::missing("privateKey"))?;
    let chain = blob(&input, "CertificateChain")?.unwrap_or_default();
    let (facts, key) =
        certificates::read(&body, &chain, &key).map_err(|unusable| ApiError::validation(unusable.to_string()))?;
    let again = input.text("CertificateArn")?;
    let arn = match &again {
        Some(arn) => find(world, request, arn)?.arn.clone(),
        None => {
            let serial = world.next_serial();
            let id = ids::uuid(&[&world.account, &request.region, "acm", &serial]);
            CertificateArn::observed(format!("arn:aws:acm:{}:{}:certificate/{id}", request.region, world.account))
        }
    };
    let region = world.region_mut(request);
    if again.is_none() && region.certificates.len() >= QUOTA {
        return Err(ApiError::new("LimitExceededException", format!("The region already holds {QUOTA} certificates.")));
    }
    let name = arn.as_str().rsplit('/').next().unwrap_or_default().to_owned();
    let path = "/".to_owned();
    let reply = Element::new().with("CertificateArn", arn.as_str());
    let certificate =
        ServerCertificate { arn, name, path, body, chain, key, facts, uploaded: request.at, issued_here: false };
    region.certificates.insert(certificate.arn.as_str().to_owned(), Arc::new(certificate));
    Ok(reply)
}

pub(crate) fn describe(world: &World, request: &Request) -> Result<Element, ApiError> {
    let arn = request.params.any_members().text("CertificateArn")?.ok_or_else(|| ApiError::missing("certificateArn"))?;
    let certificate = find(world, request, &arn)?;
    let facts = &certificate.facts;
    let moment = if certificate.issued_here { "IssuedAt" } else { "ImportedAt" };
    let described = Element::new()
        .with("CertificateArn", certificate.arn.as_str())
        .with("DomainName", &facts.domain)
        .with("SubjectAlternativeNames", Element::texts(&facts.alternative_names))
        .with("Serial", &facts.serial)
        .with("Subject", &facts.subject)
        .with("Issuer", &facts.issuer)
        .with(moment, certificate.uploaded)
        .with("Status", "ISSUED")
        .with("NotBefore", facts.not_before)
        .with("NotAfter", facts.not_after)
        .with("KeyAlgorithm", &facts.key_algorithm)
        .with("InUseBy", Element::texts(world.users_of(&certificate.arn)))
        .with("Type", kind(certificate))
        .with("RenewalEligibility", "INELIGIBLE");
    Ok(Element::new().with("Certificate", described))
}

/// Lists certificates. Without a filter only those with RSA keys of up to 2048 bits are listed: the service does the same.
pub(crate) fn list(world: &World, request: &Request) -> Result<Element, ApiError> {
    let includes = request.params.any_members().structure("Includes")?;
    let key_types = includes.map(|includes| includes.texts("keyTypes")).transpose()?.flatten();
    let key_types = key_types.unwrap_or_else(|| vec!["RSA_1024".to_owned(), "RSA_2048".to_owned()]);
    let region = world.region(request);
    let wanted = region.certificates.values().filter(|one| key_types.contains(&one.facts.key_algorithm));
    let summaries = wanted.map(|certificate| {
        let facts = &certificate.facts;
        Element::new()
            .with("CertificateArn", certificate.arn.as_str())
            .with("DomainName", &facts.domain)
            .with("SubjectAlternativeNameSummaries", Element::texts(&facts.alternative_names))
            .with("Status", "ISSUED")
            .with("Type", kind(certificate))
            .with("KeyAlgorithm", &facts.key_algorithm)
            .with("InUse", !world.users_of(&certificate.arn).is_empty())
            .with("NotBefore", facts.not_before)
            .with("NotAfter", facts.not_after)
    });
    Ok(Element::new().with("CertificateSummaryList", Element::List(summaries.collect())))
}

fn kind(certificate: &ServerCertificate) -> &'static str {
    if certificate.issued_here { "AMAZON_ISSUED" } else { "IMPORTED" }
}

fn find<'a>(world: &'a World, request: &Request, arn: &str) -> Result<&'a ServerCertificate, ApiError> {
    let region = world.regions.get(&request.region);
    region.and_then(|region| region.certificates.get(arn)).map(Arc::as_ref).ok_or_else(|| {
        let message = format!("Could not find certificate {arn} in account {}.", world.account);
        ApiError::new("ResourceNotFoundException", message)
    })
}

/// A binary member: JSON carries it in Base64. The value never appears in the message, since it may be a private key.
fn blob(input: &Reader<'_>, name: &str) -> Result<Option<String>, ApiError> {
    let Some(text) = input.text(name)? else { return Ok(None) };
    let decoded = BASE64.decode(text.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let wrong = || ApiError::validation(format!("The member {name} is not PEM text encoded in Base64"));
    decoded.ok_or_else(wrong).map(Some)
}
