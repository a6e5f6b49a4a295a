//! A server certificate, as the service that stores it describes it.

use jiff::Timestamp;

/// The common name of the root that a sandbox makes at its start: who meets it knows where to get that root.
pub const SANDBOX_ROOT: &str = "elbws sandbox root";

/// What matters about a certificate that listeners use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    /// Its state in ACM, for example `ISSUED`; absent for IAM, which knows no states.
    pub status: Option<String>,
    /// Until when it is valid; absent while it is not issued.
    pub not_after: Option<Timestamp>,
    /// Its key, as ACM spells it (`RSA-2048`, `EC-prime256v1`); absent where the service does not say.
    pub key_algorithm: Option<String>,
}

impl ServerCertificate {
    /// Whether a Classic balancer can take the certificate from ACM by the kind of its key: RSA of at most 2048 bits
    /// (elb-facts 2.6). True where the key is not known.
    pub fn has_usable_key(&self) -> bool {
        let Some(algorithm) = &self.key_algorithm else { return true };
        // The service writes both RSA-2048 and RSA_2048.
        matches!(algorithm.replace('_', "-").as_str(), "RSA-1024" | "RSA-2048")
    }
}
