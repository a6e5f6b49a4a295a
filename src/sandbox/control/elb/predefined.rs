//! The predefined negotiation policies: `ELBSecurityPolicy-*` and `ELBSample-*`, and the attributes a negotiation policy has.
//!
//! TLS versions are documented (elb-facts 2.6); cipher lists of policies older than 2016 are approximate.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Policy, policy_type};

/// Names of the attributes that are not ciphers, in the order the service lists them.
pub(super) const PROTOCOLS: [&str; 5] =
    ["Protocol-SSLv2", "Protocol-TLSv1", "Protocol-SSLv3", "Protocol-TLSv1.1", "Protocol-TLSv1.2"];

/// The attribute that makes a negotiation policy a copy of a predefined one.
pub(super) const REFERENCE: &str = "Reference-Security-Policy";

/// The attribute that lets the balancer, not the client, choose among the ciphers.
pub(super) const SERVER_ORDER: &str = "Server-Defined-Cipher-Order";

/// Ciphers that need TLS 1.2.
const MODERN: [&str; 12] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-RSA-AES256-SHA384",
    "AES128-GCM-SHA256",
    "AES128-SHA256",
    "AES256-GCM-SHA384",
    "AES256-SHA256",
];

/// Ciphers that also work with TLS 1.0 and 1.1.
const SHA1: [&str; 6] = [
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-RSA-AES256-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "AES128-SHA",
    "AES256-SHA",
];

/// Ciphers that only legacy policies have, or none.
const OLD: [&str; 18] = [
    "DHE-RSA-AES128-SHA",
    "DHE-DSS-AES128-SHA",
    "CAMELLIA128-SHA",
    "EDH-RSA-DES-CBC3-SHA",
    "DES-CBC3-SHA",
    "ECDHE-RSA-RC4-SHA",
    "RC4-SHA",
    "ECDHE-ECDSA-RC4-SHA",
    "DHE-DSS-AES256-GCM-SHA384",
    "DHE-RSA-AES256-GCM-SHA384",
    "DHE-RSA-AES256-SHA256",
    "DHE-DSS-AES256-SHA256",
    "DHE-RSA-AES256-SHA",
    "DHE-DSS-AES256-SHA",
    "DHE-RSA-CAMELLIA256-SHA",
    "CAMELLIA256-SHA",
    "DHE-DSS-AES128-GCM-SHA256",
    "RC4-MD5",
];

/// The ciphers of a policy: everything in `MODERN`, `SHA1` if `sha1`, and some of `OLD`.
struct Predefined {
    name: &'static str,
    protocols: &'static [&'static str],
    sha1: bool,
    old: &'static [&'static str],
}

const TLS_1_0: &[&str] = &["Protocol-TLSv1", "Protocol-TLSv1.1", "Protocol-TLSv1.2"];
const TLS_1_1: &[&str] = &["Protocol-TLSv1.1", "Protocol-TLSv1.2"];
const TLS_1_2: &[&str] = &["Protocol-TLSv1.2"];
const SSL_3: &[&str] = &["Protocol-SSLv3", "Protocol-TLSv1", "Protocol-TLSv1.1", "Protocol-TLSv1.2"];
const RC4: &[&str] = &["ECDHE-RSA-RC4-SHA", "RC4-SHA", "DES-CBC3-SHA"];

const fn of(name: &'static str, protocols: &'static [&'static str], sha1: bool, old: &'static [&'static str]) -> Predefined {
    Predefined { name, protocols, sha1, old }
}

/// All of them, newest first.
const ALL: [Predefined; 13] = [
    of("ELBSecurityPolicy-TLS-1-2-2017-01", TLS_1_2, false, &[]),
    of("ELBSecurityPolicy-TLS-1-1-2017-01", TLS_1_1, true, &[]),
    of("ELBSecurityPolicy-2016-08", TLS_1_0, true, &[]),
    of("ELBSecurityPolicy-2015-05", TLS_1_0, true, &["DES-CBC3-SHA"]),
    of("ELBSecurityPolicy-2015-03", TLS_1_0, true, &["DES-CBC3-SHA", "DHE-RSA-AES128-SHA"]),
    of("ELBSecurityPolicy-2015-02", TLS_1_0, true, &["DHE-RSA-AES128-SHA"]),
    of("ELBSecurityPolicy-2014-10", TLS_1_0, true, RC4),
    of("ELBSecurityPolicy-2014-01", SSL_3, true, RC4),
    of("ELBSecurityPolicy-2011-08", SSL_3, true, OLD.split_at(16).0),
    of("ELBSample-ELBDefaultCipherPolicy", SSL_3, true, OLD.split_at(16).0),
    of("ELBSample-ELBDefaultNegotiationPolicy", SSL_3, true, OLD.split_at(16).0),
    of("ELBSample-OpenSSLDefaultCipherPolicy", SSL_3, true, &OLD),
    of("ELBSample-OpenSSLDefaultNegotiationPolicy", SSL_3, true, &OLD),
];

/// The names of all predefined policies.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|predefined| predefined.name)
}

/// A predefined policy with the attributes that are on.
pub(super) fn policy(name: &str) -> Option<(String, Policy)> {
    let found = ALL.iter().find(|predefined| predefined.name == name)?;
    let sha1: &[&str] = if found.sha1 { &SHA1 } else { &[] };
    let on = found.protocols.iter().chain(&MODERN).chain(sha1).chain(found.old).chain([&SERVER_ORDER]);
    let value = BTreeSet::from(["true".to_owned()]);
    let attributes: BTreeMap<_, _> = on.map(|attribute| ((*attribute).to_owned(), value.clone())).collect();
    Some((name.to_owned(), Policy { policy_type: policy_type::SSL_NEGOTIATION.to_owned(), attributes }))
}

/// Names of the attributes that a negotiation policy switches on, those of a predefined policy that it refers to included.
pub fn negotiation_attributes(policy: &Policy) -> BTreeSet<String> {
    let referred = policy.reference_security_policy().and_then(self::policy).map(|(_, referred)| referred);
    let attributes = referred.as_ref().unwrap_or(policy).attributes.iter();
    let is_on = |values: &BTreeSet<String>| values.iter().any(|value| value.eq_ignore_ascii_case("true"));
    attributes.filter(|(_, values)| is_on(values)).map(|(name, _)| name.clone()).collect()
}

/// Every cipher a policy can name.
pub(super) fn ciphers() -> impl Iterator<Item = &'static str> {
    MODERN.into_iter().chain(SHA1).chain(OLD)
}
