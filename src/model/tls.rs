//! What negotiation policies allow: TLS versions and ciphers, of the predefined policies and of the balancer's own.
//!
//! Facts of predefined policies are documented per name (elb-facts 2.6); a policy's own attributes go before them, where the
//! service describes them.

use std::collections::BTreeSet;

use super::{Policy, names, policy_type};

/// The protocol versions below TLS 1.2, as policy attributes name them, with the name a person uses.
const OLD_VERSIONS: [(&str, &str); 4] = [
    ("Protocol-SSLv2", "SSL 2.0"),
    ("Protocol-SSLv3", "SSL 3.0"),
    ("Protocol-TLSv1", "TLS 1.0"),
    ("Protocol-TLSv1.1", "TLS 1.1"),
];

/// Predefined policies that allow less than everything below TLS 1.2: their names, and the old versions they allow. Every
/// other predefined policy allows TLS 1.0 and 1.1.
const STRICT: [(&str, &[&str]); 2] =
    [("ELBSecurityPolicy-TLS-1-2-2017-01", &[]), ("ELBSecurityPolicy-TLS-1-1-2017-01", &["TLS 1.1"])];

/// Parts of a cipher's name that make it weak: broken or too short to be relied on.
const WEAK: [&str; 9] = ["RC4", "DES-CBC", "RC2", "MD5", "NULL", "EXP-", "ADH", "AECDH", "SEED"];

/// Whether a policy sets TLS versions and ciphers. The service may not describe its predefined ones, so their names count too.
pub fn is_negotiation(name: &str, policy: Option<&Policy>) -> bool {
    match policy {
        Some(policy) => policy.policy_type == policy_type::SSL_NEGOTIATION,
        None => names::is_reserved_policy_name(name),
    }
}

/// The protocol versions below TLS 1.2 that a negotiation policy allows, oldest first.
pub fn old_versions(name: &str, policy: Option<&Policy>) -> Vec<&'static str> {
    let described = policy.filter(|policy| policy.attributes.keys().any(|key| key.starts_with("Protocol-")));
    if let Some(policy) = described {
        return OLD_VERSIONS.into_iter().filter(|(key, _)| is_on(policy, key)).map(|(_, version)| version).collect();
    }
    let predefined = policy.and_then(Policy::reference_security_policy).unwrap_or(name);
    if !names::is_reserved_policy_name(predefined) {
        return Vec::new();
    }
    match STRICT.iter().find(|(strict, _)| *strict == predefined) {
        Some((_, versions)) => versions.to_vec(),
        // A policy newer than this list says its version in its name.
        None if predefined.contains("TLS-1-2") || predefined.contains("TLS-1-3") => Vec::new(),
        None => vec!["TLS 1.0", "TLS 1.1"],
    }
}

/// The weak ciphers that a negotiation policy switches on.
pub fn weak_ciphers(policy: &Policy) -> BTreeSet<&str> {
    let is_weak = |cipher: &str| WEAK.iter().any(|part| cipher.contains(part));
    policy.attributes.keys().map(String::as_str).filter(|cipher| is_weak(cipher) && is_on(policy, cipher)).collect()
}

fn is_on(policy: &Policy, attribute: &str) -> bool {
    policy.attributes.get(attribute).is_some_and(|values| values.iter().any(|value| value.eq_ignore_ascii_case("true")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predefined_policies_by_name_and_by_reference() {
        assert_eq!(old_versions("ELBSecurityPolicy-2016-08", None), ["TLS 1.0", "TLS 1.1"]);
        assert_eq!(old_versions("ELBSecurityPolicy-TLS-1-1-2017-01", None), ["TLS 1.1"]);
        assert!(old_versions("ELBSecurityPolicy-TLS-1-2-2017-01", None).is_empty());
        assert!(old_versions("mine", Some(&Policy::negotiation("ELBSecurityPolicy-TLS-1-2-2017-01"))).is_empty());
        assert_eq!(old_versions("mine", Some(&Policy::negotiation("ELBSecurityPolicy-2015-05"))), ["TLS 1.0", "TLS 1.1"]);
        assert!(old_versions("mine", None).is_empty());
    }

    #[test]
    fn attributes_go_before_names() {
        let on = |attributes: &[(&str, &str)]| Policy::new(policy_type::SSL_NEGOTIATION, attributes);
        let policy = on(&[("Protocol-TLSv1", "false"), ("Protocol-TLSv1.1", "True"), ("Protocol-TLSv1.2", "true")]);
        assert_eq!(old_versions("ELBSecurityPolicy-2016-08", Some(&policy)), ["TLS 1.1"]);
        let policy =
            on(&[("RC4-SHA", "true"), ("DES-CBC3-SHA", "false"), ("EDH-RSA-DES-CBC3-SHA", "TRUE"), ("AES128-SHA", "true")]);
        assert_eq!(weak_ciphers(&policy), BTreeSet::from(["EDH-RSA-DES-CBC3-SHA", "RC4-SHA"]));
    }
}
