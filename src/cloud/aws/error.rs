//! The SDK's errors in our words.

use std::error::Error;
use std::time::Instant;

use aws_sdk_elasticloadbalancing::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_elasticloadbalancing::operation::RequestId;

use crate::cloud::{CloudError, CloudErrorKind};

/// The HTTP reply of a failed call, as far as it is needed here.
type Reply = aws_sdk_elasticloadbalancing::config::http::HttpResponse;

/// A failed call as our error. `action` is its IAM name.
pub(super) fn failed<E>(action: &str, error: SdkError<E, Reply>) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|reply| reply.status().as_u16());
    let code = error.as_service_error().and_then(|error| error.code()).map(str::to_owned);
    let request_id = error.request_id().map(str::to_owned);
    let kind = match (&error, code.as_deref(), status) {
        (_, Some(code), _) if kind_of(code).is_some() => kind_of(code).unwrap_or(CloudErrorKind::Refused),
        (SdkError::ServiceError(_), _, Some(500..)) => CloudErrorKind::ServiceFault,
        (SdkError::ServiceError(_), Some(_), _) => CloudErrorKind::Refused,
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), ..) => CloudErrorKind::BadReply,
        (SdkError::ConstructionFailure(_), ..) => CloudErrorKind::Refused,
        (SdkError::DispatchFailure(_), ..) if is_about_credentials(&error) => CloudErrorKind::Credentials,
        _ => CloudErrorKind::Unreachable,
    };
    let message = match (error.as_service_error().and_then(|error| error.message()), kind, status) {
        (Some(message), ..) => message.to_owned(),
        (None, CloudErrorKind::Credentials, _) => "no AWS credentials were found".to_owned(),
        (None, CloudErrorKind::BadReply | CloudErrorKind::ServiceFault, Some(status)) => {
            format!("the answer (HTTP {status}) is not one of the AWS API: {}", innermost(&error))
        }
        (None, ..) => innermost(&error),
    };
    CloudError { action: action.to_owned(), kind, code, message: one_line(&message), request_id }
}

/// A reply that came through and makes no sense.
pub(super) fn bad_reply(action: &str, message: impl AsRef<str>) -> CloudError {
    CloudError {
        action: action.to_owned(),
        kind: CloudErrorKind::BadReply,
        code: None,
        message: one_line(message.as_ref()),
        request_id: None,
    }
}

/// Notes a call for `--verbose`: its name, how long it took, and how it ended.
pub(super) fn trace<T>(call: &str, started: Instant, result: &Result<T, CloudError>) {
    let elapsed = started.elapsed().as_millis();
    match result {
        Ok(_) => tracing::debug!("{call} {elapsed} ms"),
        Err(error) => tracing::debug!("{call} {elapsed} ms: {}", error.code.as_deref().unwrap_or(&error.message)),
    }
}

/// Kinds by the service's error code (elb-facts 1.1).
fn kind_of(code: &str) -> Option<CloudErrorKind> {
    Some(match code {
        "LoadBalancerNotFound" | "AccessPointNotFound" => CloudErrorKind::LoadBalancerNotFound,
        "CertificateNotFound" => CloudErrorKind::CertificateNotFound,
        "DuplicateListener" => CloudErrorKind::DuplicateListener,
        "DuplicatePolicyName" => CloudErrorKind::DuplicatePolicyName,
        "PolicyNotFound" => CloudErrorKind::PolicyNotFound,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => CloudErrorKind::AccessDenied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "IncompleteSignature"
        | "AuthFailure"
        | "InvalidAccessKeyId"
        | "OptInRequired" => CloudErrorKind::Credentials,
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "DependencyThrottle" => CloudErrorKind::Throttled,
        _ => return None,
    })
}

fn is_about_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        let text = current.to_string();
        if text.contains("credentials") || text.contains("identity") {
            return true;
        }
        cause = current.source();
    }
    false
}

/// What lies at the bottom of a chain of causes, which is what a person can act on.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}

fn one_line(text: &str) -> String {
    const LONGEST: usize = 600;
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
