//! Certificates: each of ACM's by its ARN, all of IAM's in one list.

use std::collections::BTreeMap;

use aws_sdk_acm::types::CertificateDetail;
use jiff::Timestamp;

use crate::cloud::aws::error::bad_reply;
use crate::cloud::aws::markers::Markers;
use crate::cloud::aws::{Aws, config};
use crate::cloud::{Action, CloudError, CloudErrorKind};
use crate::model::{CertificateArn, ServerCertificate};

const DESCRIBE: Action = Action::DescribeCertificate;
const LIST: Action = Action::ListServerCertificates;

impl Aws {
    pub(super) async fn describe_in_acm(&self, arn: &CertificateArn) -> Result<Option<ServerCertificate>, CloudError> {
        let client = aws_sdk_acm::Client::from_conf(config::acm(&self.sdk, arn.region().unwrap_or(&self.region)));
        let reply = match self.call(DESCRIBE, client.describe_certificate().certificate_arn(arn.as_str()).send()).await {
            Ok(reply) => reply,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        match reply.certificate() {
            Some(found) if found.certificate_arn().is_some_and(|found| CertificateArn::observed(found) == *arn) => {
                Ok(Some(details(found)))
            }
            _ => Err(bad_reply(DESCRIBE, format!("the answer is not about {arn}"))),
        }
    }

    pub(super) async fn list_in_iam(&self) -> Result<BTreeMap<CertificateArn, ServerCertificate>, CloudError> {
        let (mut found, mut markers, mut marker) = (BTreeMap::new(), Markers::default(), None);
        loop {
            let reply = self.call(LIST, self.iam.list_server_certificates().set_marker(marker).send()).await?;
            for one in reply.server_certificate_metadata_list() {
                let not_after = one.expiration().and_then(|moment| timestamp(moment.secs()));
                let certificate = ServerCertificate { status: None, not_after, key_algorithm: None };
                found.insert(CertificateArn::observed(one.arn()), certificate);
            }
            marker = markers.next(LIST, reply.marker().filter(|_| reply.is_truncated()))?;
            if marker.is_none() {
                return Ok(found);
            }
        }
    }
}

/// ACM says "not found" of an ARN in its region, and "invalid" of one that it could never have made.
fn is_absent(error: &CloudError) -> bool {
    let absent = ["ResourceNotFoundException", "InvalidArnException"];
    error.kind == CloudErrorKind::Refused && error.code.as_deref().is_some_and(|code| absent.contains(&code))
}

fn details(found: &CertificateDetail) -> ServerCertificate {
    ServerCertificate {
        status: found.status().map(|status| status.as_str().to_owned()),
        not_after: found.not_after().and_then(|moment| timestamp(moment.secs())),
        key_algorithm: found.key_algorithm().map(|algorithm| algorithm.as_str().to_owned()),
    }
}

fn timestamp(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}
