//! Whether a certificate exists in ACM or IAM.

use crate::cloud::CloudError;
use crate::model::{CertificateArn, CertificateStore};

use super::error::failed;

/// Asks the service that the ARN names. An ARN of any other service names no certificate a balancer can use.
pub(super) async fn exists(
    acm: &aws_sdk_acm::Client,
    iam: &aws_sdk_iam::Client,
    arn: &CertificateArn,
) -> Result<bool, CloudError> {
    match arn.store() {
        Some(CertificateStore::Acm) => match acm.describe_certificate().certificate_arn(arn.as_str()).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => Ok(false),
            Err(error) => Err(failed("acm:DescribeCertificate", error)),
        },
        Some(CertificateStore::Iam) => {
            let name = arn.iam_name().unwrap_or_default();
            match iam.get_server_certificate().server_certificate_name(name).send().await {
                Ok(reply) => {
                    let metadata = reply.server_certificate.and_then(|certificate| certificate.server_certificate_metadata);
                    Ok(metadata.is_some_and(|metadata| CertificateArn::observed(metadata.arn) == *arn))
                }
                Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_entity_exception()) => Ok(false),
                Err(error) => Err(failed("iam:GetServerCertificate", error)),
            }
        }
        None => Ok(false),
    }
}
