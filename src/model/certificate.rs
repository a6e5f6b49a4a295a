//! The ARN of a server certificate, and the service that stores it.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Malformed;

/// The ARN of a certificate in ACM or IAM.
///
/// Compared without regard to case, as other controllers of Classic Load Balancers do (elb-facts 1.4): IAM names are unique
/// regardless of case, so two ARNs that differ only in case name one certificate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CertificateArn(String);

/// The service that stores a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateStore {
    /// AWS Certificate Manager; a certificate belongs to one region.
    Acm,
    /// IAM server certificates, global to the account.
    Iam,
}

impl CertificateArn {
    /// Keeps an ARN as the service reported it, whatever its form.
    pub fn observed(arn: impl Into<String>) -> Self {
        CertificateArn(arn.into())
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service that stores the certificate; `None` for an ARN of another service.
    pub fn store(&self) -> Option<CertificateStore> {
        match self.part(2)? {
            "acm" => Some(CertificateStore::Acm),
            "iam" => Some(CertificateStore::Iam),
            _ => None,
        }
    }

    /// The region of an ACM certificate; `None` for IAM, which has none.
    pub fn region(&self) -> Option<&str> {
        self.part(3).filter(|region| !region.is_empty())
    }

    /// The name of an IAM server certificate: the last part of its path.
    pub fn iam_name(&self) -> Option<&str> {
        (self.store()? == CertificateStore::Iam).then(|| self.0.rsplit('/').next()).flatten()
    }

    fn part(&self, index: usize) -> Option<&str> {
        self.0.split(':').nth(index)
    }
}

impl FromStr for CertificateArn {
    type Err = Malformed;

    /// Reads an ARN that a person gave: it must be of an ACM certificate or an IAM server certificate.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let arn = CertificateArn(text.to_owned());
        let resource = arn.0.splitn(6, ':').nth(5).unwrap_or_default();
        let right = text.starts_with("arn:")
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
            && match arn.store() {
                Some(CertificateStore::Acm) => {
                    arn.region().is_some() && resource.strip_prefix("certificate/").is_some_and(|id| !id.is_empty())
                }
                Some(CertificateStore::Iam) => {
                    resource.strip_prefix("server-certificate/").is_some_and(|name| !name.is_empty() && !name.ends_with('/'))
                }
                None => false,
            };
        if right {
            return Ok(arn);
        }
        Err(Malformed(format!(
            "`{text}` is not the ARN of a certificate: give arn:aws:acm:REGION:ACCOUNT:certificate/ID \
             or arn:aws:iam::ACCOUNT:server-certificate/NAME"
        )))
    }
}

impl fmt::Display for CertificateArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for CertificateArn {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for CertificateArn {}

impl Ord for CertificateArn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.to_ascii_lowercase().cmp(&other.0.to_ascii_lowercase())
    }
}

impl PartialOrd for CertificateArn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
