//! IAM server certificates: upload, get, list, delete. They are global to the account, whatever the region of the call.

use std::sync::Arc;

use super::certificates::{self, ServerCertificate, Unusable};
use super::{ApiError, Element, Request, World, ids};
use crate::model::CertificateArn;

/// The most server certificates an account can have; the service's default quota is 20.
const QUOTA: usize = 20;

pub(crate) fn upload(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.any_members();
    let name = input.required("ServerCertificateName")?;
    let path = input.text("Path")?.unwrap_or_else(|| "/".to_owned());
    let body = input.required("CertificateBody")?;
    let key = input.required("PrivateKey")?;
    let chain = input.text("CertificateChain")?.unwrap_or_default();
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if !(1..=128).contains(&name.len()) || !name.bytes().all(legal) {
        return Err(ApiError::validation(
            "The specified value for serverCertificateName is invalid: 1-128 letters, digits and _+=,.@-",
        ));
    }
    let clean = path.bytes().all(|byte| (b'!'..=b'~').contains(&byte)) && path.len() <= 512;
    if !clean || !path.starts_with('/') || !path.ends_with('/') {
        return Err(ApiError::validation("The specified value for path is invalid: it must begin and end with /"));
    }
    if world.server_certificates.contains_key(&name.to_ascii_lowercase()) {
        let message = format!("The Server Certificate with name {name} already exists.");
        return Err(ApiError::with_status("EntityAlreadyExists", 409, message));
    }
    if world.server_certificates.len() >= QUOTA {
        let message = format!("Cannot exceed quota for ServerCertificatesPerAccount: {QUOTA}");
        return Err(ApiError::with_status("LimitExceeded", 409, message));
    }
    let (facts, key) = certificates::read(&body, &chain, &key).map_err(|unusable| {
        let code = match unusable {
            Unusable::Mismatch => "KeyPairMismatch",
            Unusable::Body | Unusable::Chain | Unusable::Key => "MalformedCertificate",
        };
        ApiError::new(code, unusable.to_string())
    })?;
    let arn = CertificateArn::observed(format!("arn:aws:iam::{}:server-certificate{path}{name}", world.account));
    let certificate =
        ServerCertificate { arn, name, path, body, chain, key, facts, uploaded: request.at, issued_here: false };
    let reply = Element::new().with("ServerCertificateMetadata", metadata(&certificate));
    world.server_certificates.insert(certificate.name.to_ascii_lowercase(), Arc::new(certificate));
    Ok(reply)
}

pub(crate) fn get(world: &World, request: &Request) -> Result<Element, ApiError> {
    let name = request.params.any_members().required("ServerCertificateName")?;
    let certificate = find(world, &name)?;
    let chain = (!certificate.chain.is_empty()).then_some(&certificate.chain);
    let content = Element::new()
        .with("ServerCertificateMetadata", metadata(certificate))
        .with("CertificateBody", &certificate.body)
        .maybe("CertificateChain", chain);
    Ok(Element::new().with("ServerCertificate", content))
}

pub(crate) fn list(world: &World, request: &Request) -> Result<Element, ApiError> {
    let prefix = request.params.any_members().text("PathPrefix")?.unwrap_or_else(|| "/".to_owned());
    let certificates = world.server_certificates.values().filter(|certificate| certificate.path.starts_with(&prefix));
    // The quota is below the service's page size, so that one page always holds them all.
    Ok(Element::new()
        .with("ServerCertificateMetadataList", Element::List(certificates.map(|one| metadata(one)).collect()))
        .with("IsTruncated", false))
}

pub(crate) fn delete(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let name = request.params.any_members().required("ServerCertificateName")?;
    let certificate = find(world, &name)?;
    if let Some(user) = world.users_of(&certificate.arn).first() {
        let id = id(certificate);
        return Err(ApiError::with_status(
            "DeleteConflict",
            409,
            format!("Certificate: {id} is currently in use by {user}. Please remove it first before deleting it from IAM."),
        ));
    }
    world.server_certificates.remove(&name.to_ascii_lowercase());
    Ok(Element::new())
}

fn find<'a>(world: &'a World, name: &str) -> Result<&'a ServerCertificate, ApiError> {
    world.server_certificates.get(&name.to_ascii_lowercase()).map(Arc::as_ref).ok_or_else(|| {
        let message = format!("The Server Certificate with name {name} cannot be found.");
        ApiError::with_status("NoSuchEntity", 404, message)
    })
}

fn id(certificate: &ServerCertificate) -> String {
    let unique = ids::hex(&[certificate.arn.as_str(), &certificate.uploaded.to_string()], 17);
    format!("ASCA{}", unique.to_ascii_uppercase())
}

fn metadata(certificate: &ServerCertificate) -> Element {
    Element::new()
        .with("Path", &certificate.path)
        .with("ServerCertificateName", &certificate.name)
        .with("ServerCertificateId", id(certificate))
        .with("Arn", certificate.arn.as_str())
        .with("UploadDate", certificate.uploaded)
        .with("Expiration", certificate.facts.not_after)
}
