//! Identifiers that are the same in every run: derived from what they identify, never random.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The first bytes of a hash over the parts, as hexadecimal digits (at most 64).
pub(crate) fn hex(parts: &[&str], digits: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.truncate(digits);
    text
}

/// A decimal number of up to ten digits, as in the DNS name of a balancer.
pub(crate) fn digits(parts: &[&str]) -> u64 {
    u64::from_str_radix(&hex(parts, 16), 16).unwrap_or_default() % 10_000_000_000
}

/// A name in the form of a UUID, as request ids and ACM certificates have.
pub fn uuid(parts: &[&str]) -> String {
    let hex = hex(parts, 32);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
