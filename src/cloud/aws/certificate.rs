//! Looks for a certificate in the service that its ARN names.
//!
//! An ACM certificate is looked for in its own region. Whether a balancer of another region could use it (it could not) is
//! not decided here.

use super::error::bad_reply;
use super::{Aws, config};
use crate::cloud::{Action, CloudError, CloudErrorKind};
use crate::model::{CertificateArn, CertificateStore};

impl Aws {
    /// Whether the certificate exists and, in ACM, is issued; an error when its service cannot say.
    pub(super) async fn find_certificate(&self, arn: &CertificateArn) -> Result<bool, CloudError> {
        match arn.store() {
            Some(CertificateStore::Acm) => self.find_in_acm(arn).await,
            Some(CertificateStore::Iam) => self.find_in_iam(arn).await,
            // The service accepts certificates of ACM and IAM alone (elb-facts 2.6).
            None => Ok(false),
        }
    }

    async fn find_in_acm(&self, arn: &CertificateArn) -> Result<bool, CloudError> {
        const ACTION: Action = Action::DescribeCertificate;
        let region = arn.region().unwrap_or(&self.region);
        let client = aws_sdk_acm::Client::from_conf(config::acm(&self.sdk, region));
        let reply = match self.call(ACTION, client.describe_certificate().certificate_arn(arn.as_str()).send()).await {
            Ok(reply) => reply,
            Err(error) => return absent(error, "ResourceNotFoundException"),
        };
        let found = reply.certificate().and_then(|certificate| certificate.certificate_arn());
        match found {
            // One that is still being validated, has expired or was revoked is refused by a listener.
            Some(found) if CertificateArn::observed(found) == *arn => {
                let status = reply.certificate().and_then(|certificate| certificate.status());
                Ok(status.is_none_or(|status| *status == aws_sdk_acm::types::CertificateStatus::Issued))
            }
            Some(found) => Err(bad_reply(ACTION, format!("asked for {arn}, the answer describes {found}"))),
            None => Err(bad_reply(ACTION, format!("the answer about {arn} names no certificate"))),
        }
    }

    async fn find_in_iam(&self, arn: &CertificateArn) -> Result<bool, CloudError> {
        const ACTION: Action = Action::GetServerCertificate;
        let Some(name) = arn.iam_name().filter(|name| !name.is_empty()) else { return Ok(false) };
        let reply = match self.call(ACTION, self.iam.get_server_certificate().server_certificate_name(name).send()).await {
            Ok(reply) => reply,
            Err(error) => return absent(error, "NoSuchEntity"),
        };
        let found = reply.server_certificate().and_then(|certificate| certificate.server_certificate_metadata());
        match found {
            // Names are unique in an account, so another ARN means another account or path: not the certificate asked for.
            Some(found) => Ok(CertificateArn::observed(found.arn()) == *arn),
            None => Err(bad_reply(ACTION, format!("the answer about {arn} names no certificate"))),
        }
    }
}

/// One error code says "there is none"; every other failure stays one.
fn absent(error: CloudError, code: &str) -> Result<bool, CloudError> {
    match error.kind == CloudErrorKind::Refused && error.code.as_deref() == Some(code) {
        true => Ok(false),
        false => Err(error),
    }
}
