//! What can go wrong with a call to the service, in words of our own.

use std::fmt;

/// A failed call: which one, what kind of failure, and what the service said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudError {
    /// The IAM name of the action, for example `elasticloadbalancing:DescribeTags`: the action called or, where access was
    /// denied, the one that is missing. Empty where nothing could be called at all.
    pub action: String,
    /// What kind of failure it is.
    pub kind: CloudErrorKind,
    /// The service's error code, if it answered with one.
    pub code: Option<String>,
    /// What the service, or the way to it, said; one line, control characters removed.
    pub message: String,
    /// The AWS request id, if there was an answer.
    pub request_id: Option<String>,
}

/// Kinds of failure that a caller treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudErrorKind {
    /// The balancer does not exist in this account and region.
    LoadBalancerNotFound,
    /// The certificate does not exist, or the balancer cannot see it yet (elb-facts 2.6).
    CertificateNotFound,
    /// The load balancer port is taken, perhaps by a listener just deleted (elb-facts 1.5).
    DuplicateListener,
    /// There is no listener on the load balancer port, perhaps not yet.
    ListenerNotFound,
    /// A policy of this name exists.
    DuplicatePolicyName,
    /// A policy of this name does not exist, perhaps not yet.
    PolicyNotFound,
    /// The caller may not call the action.
    AccessDenied,
    /// No region is set.
    NoRegion,
    /// The settings cannot be used: a profile that does not exist, an endpoint URL that is none. Nothing was called.
    Configuration,
    /// There are no credentials, or they are expired or wrong.
    Credentials,
    /// Too many calls, still after the SDK's own retries.
    Throttled,
    /// No answer: name resolution, connection or time-out. A change may have taken effect.
    Unreachable,
    /// The service failed (HTTP 5xx). A change may have taken effect.
    ServiceFault,
    /// The reply is not one of the service, stops in the middle, or does not make sense. A change may have taken effect.
    BadReply,
    /// Any other refusal; the code says which.
    Refused,
}

impl CloudError {
    /// Whether the call may have taken effect although it failed.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self.kind, CloudErrorKind::Unreachable | CloudErrorKind::ServiceFault | CloudErrorKind::BadReply)
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CloudError { action, kind: _, code, message, request_id } = self;
        let call = action.split_once(':').map_or(action.as_str(), |(_, call)| call);
        if !call.is_empty() {
            write!(f, "{call} failed: ")?;
        }
        match code {
            Some(code) => write!(f, "{code}: {message}")?,
            None => write!(f, "{message}")?,
        }
        match request_id {
            Some(id) => write!(f, " (request id {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CloudError {}
