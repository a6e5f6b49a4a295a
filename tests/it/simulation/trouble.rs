//! What goes wrong with a call, and how the adapter tells of it. `same_as_the_wire` holds this against the real adapter.

use std::time::Duration;

use elbws::cloud::{CloudError, CloudErrorKind};
use elbws::sandbox::control::ApiError;

use super::translation::Call;

/// Something that happens to a call in place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) kind: TroubleKind,
    /// Whether the call takes effect all the same.
    pub(crate) after: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    /// An error with this code and HTTP status.
    Error(&'static str, u16),
    /// The connection is reset.
    Reset,
    /// No answer comes, until the adapter gives up.
    Silence,
    /// The answer breaks off in the middle.
    HalfAnAnswer,
}

/// How long the adapter waits for an answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

impl Trouble {
    pub(crate) fn before(code: &'static str, status: u16) -> Self {
        Trouble { kind: TroubleKind::Error(code, status), after: false }
    }

    /// The error that the adapter makes of it.
    pub(crate) fn error(&self, call: &Call) -> CloudError {
        let (kind, message) = match &self.kind {
            TroubleKind::Error(code, status) => {
                return refused(call, &ApiError::with_status(code, *status, "injected"));
            }
            TroubleKind::Reset => (CloudErrorKind::Unreachable, "no connection"),
            TroubleKind::Silence => (CloudErrorKind::Unreachable, "no answer in time"),
            TroubleKind::HalfAnAnswer => (CloudErrorKind::BadReply, "the document stops in the middle"),
        };
        CloudError { action: call.iam_name(), kind, code: None, message: message.to_owned(), request_id: None }
    }
}

/// The error that the adapter makes of an error reply.
pub(crate) fn refused(call: &Call, error: &ApiError) -> CloudError {
    CloudError {
        action: call.iam_name(),
        kind: kind(&error.code, error.status),
        code: Some(error.code.clone()),
        message: error.message.clone(),
        request_id: None,
    }
}

fn kind(code: &str, status: u16) -> CloudErrorKind {
    match code {
        "LoadBalancerNotFound" => CloudErrorKind::LoadBalancerNotFound,
        "CertificateNotFound" => CloudErrorKind::CertificateNotFound,
        "DuplicateListener" => CloudErrorKind::DuplicateListener,
        "DuplicatePolicyName" => CloudErrorKind::DuplicatePolicyName,
        "PolicyNotFound" => CloudErrorKind::PolicyNotFound,
        "AccessDenied" => CloudErrorKind::AccessDenied,
        "ExpiredToken" => CloudErrorKind::Credentials,
        "Throttling" | "ThrottlingException" | "DependencyThrottle" => CloudErrorKind::Throttled,
        _ if status >= 500 => CloudErrorKind::ServiceFault,
        _ => CloudErrorKind::Refused,
    }
}

/// Every code of the Classic ELB API, modelled or seen, with its HTTP status (elb-facts 1.1).
pub(crate) const CODES: [(&str, u16); 32] = [
    ("LoadBalancerNotFound", 400),
    ("DuplicateLoadBalancerName", 400),
    ("TooManyLoadBalancers", 400),
    ("DuplicateListener", 400),
    ("ListenerNotFound", 400),
    ("CertificateNotFound", 400),
    ("UnsupportedProtocol", 400),
    ("InvalidConfigurationRequest", 409),
    ("PolicyNotFound", 400),
    ("PolicyTypeNotFound", 400),
    ("DuplicatePolicyName", 400),
    ("TooManyPolicies", 400),
    ("InvalidInstance", 400),
    ("InvalidSubnet", 400),
    ("SubnetNotFound", 400),
    ("InvalidSecurityGroup", 400),
    ("InvalidScheme", 400),
    ("LoadBalancerAttributeNotFound", 400),
    ("TooManyTags", 400),
    ("DuplicateTagKeys", 400),
    ("OperationNotPermitted", 400),
    ("DependencyThrottle", 400),
    ("Throttling", 400),
    ("ThrottlingException", 400),
    ("ValidationError", 400),
    ("AccessDenied", 403),
    ("ExpiredToken", 403),
    ("InternalFailure", 500),
    ("InternalError", 502),
    ("ServiceUnavailable", 503),
    ("GatewayTimeout", 504),
    ("SomethingNew", 418),
];
