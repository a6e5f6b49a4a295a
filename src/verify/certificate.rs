//! What a certificate says, for people.

use jiff::Timestamp;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::seen::CertificateSeen;

const SECONDS_A_DAY: i64 = 86_400;

/// The most certificates and names of one that are told of.
const MOST: usize = 100;

/// Reads a chain. A certificate that cannot be read is told of as such.
pub(super) fn read_chain<'a>(chain: impl IntoIterator<Item = &'a [u8]>, now: Timestamp) -> Vec<CertificateSeen> {
    chain.into_iter().take(MOST).map(|der| read(der, now)).collect()
}

fn read(der: &[u8], now: Timestamp) -> CertificateSeen {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return CertificateSeen {
            subject: "a certificate that cannot be read".to_owned(),
            issuer: String::new(),
            names: Vec::new(),
            not_before: String::new(),
            not_after: String::new(),
            days_left: 0,
            is_self_issued: false,
        };
    };
    let not_before = certificate.validity().not_before.timestamp();
    let not_after = certificate.validity().not_after.timestamp();
    CertificateSeen {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        names: names(&certificate),
        not_before: date(not_before),
        not_after: date(not_after),
        // The whole day in which it expires is day 0; a second later the days are negative.
        days_left: (not_after - now.as_second()).div_euclid(SECONDS_A_DAY),
        is_self_issued: certificate.subject() == certificate.issuer(),
    }
}

fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds} s after 1970"), |date| date.to_string())
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    names.take(MOST).collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(four).to_string());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| std::net::Ipv6Addr::from(sixteen).to_string())
}
