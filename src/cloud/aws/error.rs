//! Turns every failure of an SDK call into a [`CloudError`]: kind, code, one line of message, request id.
//!
//! Nothing of the SDK's own wording gets out but its innermost cause, and nothing that might hold a credential.

use std::error::Error;
use std::time::Instant;

use aws_config::imds::client::error::ImdsError;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_elasticloadbalancing::config::http::HttpResponse;
use aws_sdk_elasticloadbalancing::error::{BuildError, ConnectorError, ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_elasticloadbalancing::operation::RequestId;

use super::Aws;
use super::refusal::refusal;
use super::whole::root;
use crate::cloud::{Action, CloudError, CloudErrorKind};

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 600;

impl Aws {
    /// Waits for a call to `action`, and notes for `--verbose` how long it took and how it ended.
    pub(super) async fn call<T, E>(
        &self,
        action: Action,
        reply: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, CloudError>
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let action = action.name();
        let (service, call) = action.split_once(':').unwrap_or(("", action));
        self.calls.count(action);
        let started = Instant::now();
        let result = reply.await.map_err(|error| from_sdk(action, &self.place(service), error));
        let elapsed = started.elapsed().as_millis();
        match &result {
            Ok(_) => tracing::debug!("{call} {elapsed} ms"),
            Err(error) => tracing::debug!("{call} {elapsed} ms: {}", error.code.as_deref().unwrap_or(&error.message)),
        }
        result
    }
}

/// A reply that the SDK could read and that makes no sense.
pub(super) fn bad_reply(action: Action, message: impl Into<String>) -> CloudError {
    failure(action.name(), CloudErrorKind::BadReply, &message.into())
}

/// A request whose arguments the SDK refuses to send; a step is complete, so this does not happen.
pub(super) fn unbuildable(action: Action, error: BuildError) -> CloudError {
    failure(action.name(), CloudErrorKind::Refused, &format!("the request cannot be made: {}", innermost(&error)))
}

/// Settings under which no call can be made.
pub(super) fn unusable(kind: CloudErrorKind, message: impl Into<String>) -> CloudError {
    failure("", kind, &message.into())
}

/// A failure without an answer of the service.
fn failure(action: &str, kind: CloudErrorKind, message: &str) -> CloudError {
    CloudError { action: action.to_owned(), kind, code: None, message: one_line(message), request_id: None }
}

/// What went wrong at the bottom: the last of the chain of causes, which is what a person can act on.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

fn from_sdk<E>(action: &str, place: &str, error: SdkError<E, HttpResponse>) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let request_id = error.request_id().map(one_line);
    let mut failed = match &error {
        SdkError::ServiceError(answer) => from_answer(action, place, answer.err(), answer.raw()),
        SdkError::ResponseError(answer) => unreadable(action, place, answer.raw(), &innermost(&error)),
        SdkError::TimeoutError(_) => {
            failure(action, CloudErrorKind::Unreachable, &format!("no answer in time from {place}"))
        }
        SdkError::DispatchFailure(dispatch) => match dispatch.as_connector_error() {
            Some(connector) => from_connector(action, place, connector),
            None => {
                failure(action, CloudErrorKind::Unreachable, &format!("no connection to {place}: {}", innermost(&error)))
            }
        },
        // The request could not be built, so it was never sent.
        _ => match credentials_problem(&error) {
            Some(problem) => problem_with_credentials(action, problem),
            None => failure(action, CloudErrorKind::Refused, &format!("the request cannot be made: {}", innermost(&error))),
        },
    };
    failed.request_id = request_id;
    failed
}

/// The service answered with an error; or something on the way did, without an error code.
fn from_answer<E>(action: &str, place: &str, error: &E, raw: &HttpResponse) -> CloudError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = raw.status().as_u16();
    if let Some(code) = error.code().filter(|code| !code.is_empty()) {
        return refused(action, status, code, error.message().unwrap_or_default());
    }
    // With the status of a success it is unknown whether something changed, whatever the document says.
    let found = raw.body().bytes().filter(|_| !raw.status().is_success()).and_then(refusal);
    match found {
        Some(found) => refused(action, status, &found.code, &found.message),
        None if status >= 500 => {
            let message = format!("HTTP status {status} from {place}, without an error code");
            failure(action, CloudErrorKind::ServiceFault, &message)
        }
        None if causes(error).any(|cause| cause.is::<ErrorMetadata>()) => {
            unreadable(action, place, raw, "it names no error code")
        }
        None => unreadable(action, place, raw, &innermost(error)),
    }
}

/// An error with its code and message as the service wrote them.
fn refused(action: &str, status: u16, code: &str, message: &str) -> CloudError {
    let kind = kind_of_code(code, status);
    let said = match message.is_empty() {
        true => format!("HTTP status {status}, without a message"),
        false => one_line(message),
    };
    CloudError {
        action: match kind {
            CloudErrorKind::AccessDenied => denied_action(&said).unwrap_or(action).to_owned(),
            _ => action.to_owned(),
        },
        kind,
        code: Some(one_line(code)),
        message: match kind {
            // The service quotes the signed request in these, session token included.
            CloudErrorKind::Credentials => explain_credentials(code).to_owned(),
            _ => said,
        },
        request_id: None,
    }
}

/// The kind of failure that an error code means; the HTTP status decides only where the code does not.
fn kind_of_code(code: &str, status: u16) -> CloudErrorKind {
    match code {
        "LoadBalancerNotFound" => CloudErrorKind::LoadBalancerNotFound,
        "CertificateNotFound" | "CertificateNotFoundException" => CloudErrorKind::CertificateNotFound,
        "DuplicateListener" => CloudErrorKind::DuplicateListener,
        "ListenerNotFound" => CloudErrorKind::ListenerNotFound,
        "DuplicatePolicyName" => CloudErrorKind::DuplicatePolicyName,
        "PolicyNotFound" => CloudErrorKind::PolicyNotFound,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => CloudErrorKind::AccessDenied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "UnrecognizedClientException"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => CloudErrorKind::Credentials,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "DependencyThrottle"
        | "SlowDown" => CloudErrorKind::Throttled,
        _ if status >= 500 => CloudErrorKind::ServiceFault,
        _ => CloudErrorKind::Refused,
    }
}

fn explain_credentials(code: &str) -> &'static str {
    match code {
        "ExpiredToken" | "ExpiredTokenException" => "the AWS credentials have expired",
        "RequestExpired" => "the AWS credentials have expired, or this machine's clock is wrong",
        "SignatureDoesNotMatch" | "InvalidSignatureException" => {
            "the secret access key does not belong to the access key id, or this machine's clock is wrong"
        }
        "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => "the request arrived without a complete signature",
        _ => "AWS does not accept the access key or session token: it is mistyped, deactivated, or of another partition",
    }
}

/// The action that the service says is missing; a call may need permissions of another service too (elb-facts 5).
fn denied_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    let action = rest.split([' ', ',']).next()?.trim_end_matches('.');
    let (service, call) = action.split_once(':')?;
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (word(service) && word(call)).then_some(action)
}

/// An answer in no form that the service uses: a web page, half a document, nothing at all.
fn unreadable(action: &str, place: &str, raw: &HttpResponse, why: &str) -> CloudError {
    let status = raw.status().as_u16();
    let body = raw.body().bytes().unwrap_or_default();
    // The SDK shows the insides of its parser where it meets an element that it did not expect.
    let why = match (raw.headers().get("content-encoding"), why.contains("StartEl"), root(body)) {
        (Some(encoding), ..) => format!("it is compressed ({encoding}), which was not asked for"),
        (None, true, Some(root)) => format!("it is a document of another kind, `{root}`"),
        (None, true, None) => "it is no document".to_owned(),
        (None, false, _) => why.to_owned(),
    };
    failure(
        action,
        CloudErrorKind::BadReply,
        &format!("the answer of {place} (HTTP status {status}) is not one of the service: {why}"),
    )
}

fn from_connector(action: &str, place: &str, error: &ConnectorError) -> CloudError {
    if let Some(problem) = credentials_problem(error) {
        return problem_with_credentials(action, problem);
    }
    if error.is_timeout() {
        return failure(action, CloudErrorKind::Unreachable, &format!("no answer in time from {place}"));
    }
    let cause = innermost(error);
    failure(action, CloudErrorKind::Unreachable, &format!("no connection to {place}: {cause}"))
}

/// The failure to find credentials that hides behind a failed call.
fn credentials_problem<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())
}

fn problem_with_credentials(action: &str, problem: &CredentialsError) -> CloudError {
    // The metadata service of EC2 is asked last, so its failure means that nothing before it had any.
    let was_last = causes(problem).any(|cause| cause.is::<ImdsError>());
    let message = match problem {
        CredentialsError::CredentialsNotLoaded(_) => "no AWS credentials were found".to_owned(),
        _ if was_last => "no AWS credentials were found, and the EC2 metadata service offers none".to_owned(),
        CredentialsError::ProviderTimedOut(_) => "the source of the AWS credentials gave no answer in time".to_owned(),
        CredentialsError::InvalidConfiguration(_) => {
            format!("the AWS credentials are not set up properly: {}", why(problem))
        }
        _ => format!("the AWS credentials could not be loaded: {}", why(problem)),
    };
    failure(action, CloudErrorKind::Credentials, &message)
}

/// The innermost cause with the one around it, which says what was tried: "failed to read `file`: no such file".
fn why(problem: &CredentialsError) -> String {
    let mut texts: Vec<String> = causes(problem).skip(1).map(ToString::to_string).collect();
    texts.dedup_by(|inner, outer| outer.contains(inner.as_str()));
    let why = texts.split_off(texts.len().saturating_sub(2)).join(": ");
    match why.split_once(" Stderr:") {
        // A program that makes credentials may quote them where it fails.
        Some((why, _)) => format!("{why} (run the credential process by itself to see what it says)"),
        None => why,
    }
}

/// Text from outside as one line of bounded length: control characters and runs of white space become one space, and what quotes
/// the signed request is cut off.
fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = without_signature(&spaced).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// The text up to where it begins to quote the headers of a signed request. Services and proxies do that to explain themselves,
/// and one of those headers is the session token.
fn without_signature(text: &str) -> String {
    const QUOTED: [&str; 5] = ["authorization:", "aws4-hmac-sha256", "credential=", "signature=", "x-amz-security-token"];
    let lower = text.to_ascii_lowercase();
    match QUOTED.iter().filter_map(|part| lower.find(part)).min() {
        Some(start) => format!("{} (the rest quotes the signed request)", &text[..start]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_becomes_one_line() {
        assert_eq!(one_line(" a\r\n\x1b[31mb\t\tc\0 "), "a [31mb c");
        assert_eq!(one_line(&"é".repeat(1000)).chars().count(), LONGEST_MESSAGE + 3);
    }

    #[test]
    fn a_quoted_request_is_cut_off() {
        let quoted = "wrong: X-Amz-Security-Token:HUSH Authorization: AWS4-HMAC-SHA256 Credential=A, Signature=0";
        assert_eq!(one_line(quoted), "wrong: (the rest quotes the signed request)");
    }

    #[test]
    fn a_denial_names_the_action_that_is_missing() {
        let said =
            |action: &str| format!("User: arn:aws:iam::1:user/u is not authorized to perform: {action} because no policy");
        assert_eq!(denied_action(&said("ec2:DescribeSecurityGroups")), Some("ec2:DescribeSecurityGroups"));
        assert_eq!(
            denied_action("is not authorized to perform: iam:GetServerCertificate."),
            Some("iam:GetServerCertificate")
        );
        assert_eq!(denied_action("no"), None);
        assert_eq!(denied_action("not authorized to perform: <b>"), None);
    }

    #[test]
    fn the_code_goes_before_the_status() {
        assert_eq!(kind_of_code("Throttling", 503), CloudErrorKind::Throttled);
        assert_eq!(kind_of_code("Internal", 500), CloudErrorKind::ServiceFault);
        assert_eq!(kind_of_code("InvalidConfigurationRequest", 409), CloudErrorKind::Refused);
    }
}
