//! The errors the API answers with: a wire code, an HTTP status and a message (elb-facts 1.1).
//!
//! One constructor per code that several actions share, so that code, status and wording stay together. This file must not
//! know how an error is written on the wire.

use std::fmt;

/// An error reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The wire code, such as `LoadBalancerNotFound`.
    pub code: String,
    /// The HTTP status: 409 for `InvalidConfigurationRequest`, 400 for most others.
    pub status: u16,
    /// What a person reads.
    pub message: String,
}

impl ApiError {
    /// An error with HTTP status 400, which is what nearly every code has.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        ApiError::with_status(code, 400, message)
    }

    /// An error with another HTTP status.
    pub fn with_status(code: &str, status: u16, message: impl Into<String>) -> Self {
        ApiError { code: code.to_owned(), status, message: message.into() }
    }

    /// A request that does not satisfy the action's input.
    pub fn validation(message: impl Into<String>) -> Self {
        ApiError::new("ValidationError", message)
    }

    /// A member that breaks a constraint, in the service's own phrasing.
    pub(crate) fn constraint(value: Option<&str>, path: &str, constraint: &str) -> Self {
        let value = value.map_or_else(|| "null".to_owned(), |value| format!("'{value}'"));
        ApiError::validation(format!(
            "1 validation error detected: Value {value} at '{path}' failed to satisfy constraint: {constraint}"
        ))
    }

    /// A required member that was not sent.
    pub(crate) fn missing(path: &str) -> Self {
        ApiError::constraint(None, path, "Member must not be null")
    }

    /// An invalid combination or state: the one modelled error with status 409.
    pub fn invalid_configuration(message: impl Into<String>) -> Self {
        ApiError::with_status("InvalidConfigurationRequest", 409, message)
    }

    /// No balancer of that name in the region.
    pub fn load_balancer_not_found(name: &str) -> Self {
        ApiError::new("LoadBalancerNotFound", format!("There is no ACTIVE Load Balancer named '{name}'"))
    }

    /// No listener on that load balancer port.
    pub(crate) fn listener_not_found(name: &str, port: u16) -> Self {
        ApiError::new("ListenerNotFound", format!("Load balancer {name} does not have a listener configured at port {port}"))
    }

    /// No policy of that name on the balancer.
    pub(crate) fn policy_not_found(name: &str, policy: &str) -> Self {
        ApiError::new("PolicyNotFound", format!("There is no policy with name {policy} for load balancer {name}"))
    }

    /// A certificate that neither IAM nor ACM of the region knows.
    pub(crate) fn certificate_not_found(arn: &str) -> Self {
        ApiError::new("CertificateNotFound", format!("Server Certificate not found for the key: {arn}"))
    }

    /// An instance that is unknown or not registered.
    pub(crate) fn invalid_instance(id: &str) -> Self {
        ApiError::new("InvalidInstance", format!("Could not find EC2 instance {id}."))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.message)
    }
}

impl std::error::Error for ApiError {}
