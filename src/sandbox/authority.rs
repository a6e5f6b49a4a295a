//! The sandbox's own certificate authority: a root made at start, which issues the certificates that a seed asks for.
//!
//! The root lives in memory only. Whoever is to trust the sandbox's listeners gets the root's PEM; nobody gets its key.

use std::fmt;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};

use crate::model::SANDBOX_ROOT;

/// The kind of key a certificate is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with 2048 bits: the only kind that a Classic Load Balancer takes from ACM.
    Rsa2048,
    /// ECDSA on P-256: quick to make, and taken from IAM.
    EcdsaP256,
}

/// A certificate and its key, both in PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS #8).
    pub key: String,
}

/// A certificate authority.
pub struct Authority {
    root: String,
    issuer: Issuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a root that is valid for ten years from a day before `now`.
    pub fn new(now: Timestamp) -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, SANDBOX_ROOT);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        set_validity(&mut params, now, 10);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let root = params.self_signed(&key)?.pem();
        Ok(Authority { root, issuer: Issuer::new(params, key) })
    }

    /// The root certificate in PEM.
    pub fn root_pem(&self) -> &str {
        &self.root
    }

    /// Issues a server certificate for DNS names and addresses, valid for a year from a day before `now`.
    pub fn issue(&self, names: &[String], kind: KeyKind, now: Timestamp) -> Result<Issued, rcgen::Error> {
        let mut params = CertificateParams::new(names)?;
        if let Some(name) = names.first() {
            params.distinguished_name.push(DnType::CommonName, name.as_str());
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, 1);
        let key = match kind {
            KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?,
            KeyKind::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        };
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Issued { certificate, key: key.serialize_pem() })
    }
}

fn set_validity(params: &mut CertificateParams, now: Timestamp, years: i16) {
    let today = now.to_zoned(TimeZone::UTC).date();
    // Saturating: a clock at the end of time still gives a certificate.
    let day = |date: Date| rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs());
    params.not_before = day(today.saturating_sub(1.day()));
    params.not_after = day(today.saturating_add(years.years()));
}
