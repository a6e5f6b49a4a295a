//! Server certificates: what IAM and ACM keep, read from PEM and checked.
//!
//! The private key is kept for the data plane, which terminates TLS with it. It must never reach a reply or a log: it has a type
//! of its own that does not print itself.

use std::fmt;

use jiff::Timestamp;
use rcgen::KeyPair;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use crate::model::CertificateArn;

/// A private key in PEM. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(String);

impl PrivateKey {
    /// The PEM text, for whoever terminates TLS with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(not shown)")
    }
}

/// A certificate that a listener can use.
#[derive(Debug, Clone)]
pub struct ServerCertificate {
    /// Its ARN, in IAM or ACM.
    pub arn: CertificateArn,
    /// The name: IAM's, or the identifier in ACM's ARN.
    pub name: String,
    /// IAM's path, `/` by default; `/` in ACM.
    pub path: String,
    /// The certificate, one PEM block.
    pub body: String,
    /// The certificates between it and the root, PEM blocks; may be empty.
    pub chain: String,
    /// Its private key.
    pub key: PrivateKey,
    /// What is written in the certificate.
    pub facts: Facts,
    /// When it was uploaded or imported.
    pub uploaded: Timestamp,
    /// Whether the sandbox issued it, as opposed to a user who brought it.
    pub issued_here: bool,
}

/// What is written in a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The subject's distinguished name.
    pub subject: String,
    /// The issuer's distinguished name.
    pub issuer: String,
    /// The first DNS name, or the subject's common name.
    pub domain: String,
    /// All DNS names.
    pub alternative_names: Vec<String>,
    /// The serial number, colon-separated.
    pub serial: String,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// The key's kind, as ACM spells it: `RSA_2048`, `EC_prime256v1`.
    pub key_algorithm: String,
}

/// Why PEM text is not a usable certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The certificate cannot be read.
    #[error("Unable to parse certificate. Please ensure the certificate is in PEM format.")]
    Body,
    /// The chain cannot be read.
    #[error("Unable to parse certificate chain. Please ensure the chain is in PEM format.")]
    Chain,
    /// The private key cannot be read; perhaps it is encrypted.
    #[error("Unable to parse private key. Please ensure it is an unencrypted private key in PEM format.")]
    Key,
    /// The key belongs to another certificate.
    #[error("Public key in certificate and private key do not match.")]
    Mismatch,
}

/// Reads a certificate, its chain and its key, and checks that they belong together.
pub fn read(body: &str, chain: &str, key: &str) -> Result<(Facts, PrivateKey), Unusable> {
    let blocks = blocks(body).ok_or(Unusable::Body)?;
    let [block] = blocks.as_slice() else { return Err(Unusable::Body) };
    let (_, certificate) = X509Certificate::from_der(&block.contents).map_err(|_| Unusable::Body)?;
    if !chain.trim().is_empty() {
        let blocks = self::blocks(chain).ok_or(Unusable::Chain)?;
        if blocks.is_empty() || blocks.iter().any(|block| X509Certificate::from_der(&block.contents).is_err()) {
            return Err(Unusable::Chain);
        }
    }
    let pair = KeyPair::from_pem(key).map_err(|_| Unusable::Key)?;
    if pair.public_key_raw() != certificate.public_key().subject_public_key.data.as_ref() {
        return Err(Unusable::Mismatch);
    }
    let facts = facts(&certificate).ok_or(Unusable::Body)?;
    Ok((facts, PrivateKey(key.to_owned())))
}

/// The certificate blocks of a PEM text; `None` if anything in it is not one.
fn blocks(text: &str) -> Option<Vec<Pem>> {
    Pem::iter_from_buffer(text.as_bytes()).map(|block| block.ok().filter(|block| block.label == "CERTIFICATE")).collect()
}

fn facts(certificate: &X509Certificate<'_>) -> Option<Facts> {
    let names = certificate.subject_alternative_name().ok()?;
    let alternative_names: Vec<String> = names
        .into_iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect();
    let common_name = certificate.subject().iter_common_name().find_map(|name| name.as_str().ok());
    let domain = alternative_names.first().map(String::as_str).or(common_name).unwrap_or_default().to_owned();
    let moment = |seconds| Timestamp::from_second(seconds).ok();
    Some(Facts {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        domain,
        alternative_names,
        serial: certificate.raw_serial_as_string(),
        not_before: moment(certificate.validity().not_before.timestamp())?,
        not_after: moment(certificate.validity().not_after.timestamp())?,
        key_algorithm: key_algorithm(certificate)?,
    })
}

fn key_algorithm(certificate: &X509Certificate<'_>) -> Option<String> {
    Some(match certificate.public_key().parsed().ok()? {
        PublicKey::RSA(key) => format!("RSA_{}", key.key_size()),
        PublicKey::EC(key) => match key.key_size() {
            256 => "EC_prime256v1".to_owned(),
            384 => "EC_secp384r1".to_owned(),
            // A P-521 point is counted in whole bytes.
            521 | 528 => "EC_secp521r1".to_owned(),
            size => format!("EC_{size}"),
        },
        _ => "UNKNOWN".to_owned(),
    })
}
