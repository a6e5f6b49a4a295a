//! The credential scope of a signed request: which region and service it is for.
//!
//! The signature itself is not verified: the sandbox has no secrets to protect, and takes any credentials.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::sandbox::control::{ApiError, Service, is_region};

/// What a request was signed for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// The region.
    pub(super) region: String,
    /// The service's signing name.
    service: String,
}

impl Scope {
    /// Reads the `Authorization` header. Errors: `MissingAuthenticationToken` (403), `IncompleteSignature`,
    /// `SignatureDoesNotMatch` (403) for a region or date that cannot be one.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let missing = || ApiError::with_status("MissingAuthenticationToken", 403, "Missing Authentication Token");
        let header = headers.get(AUTHORIZATION).ok_or_else(missing)?;
        let malformed = |why: &str| ApiError::new("IncompleteSignature", format!("The Authorization header {why}"));
        let header = header.to_str().map_err(|_| malformed("is not text"))?;
        let parts = header.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(|| malformed("must begin with AWS4-HMAC-SHA256"))?;
        let part = |name: &str| {
            let found = parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
            found.filter(|value| !value.is_empty()).ok_or_else(|| malformed(&format!("requires '{name}'")))
        };
        part("SignedHeaders")?;
        let signature = part("Signature")?;
        if signature.len() != 64 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(malformed("must have a signature of 64 hexadecimal digits"));
        }
        let scope: Vec<&str> = part("Credential")?.split('/').collect();
        let [key, date, region, service, "aws4_request"] = scope.as_slice() else {
            return Err(malformed("must have a credential KEY/DATE/REGION/SERVICE/aws4_request"));
        };
        if key.is_empty() || service.is_empty() {
            return Err(malformed("must have a credential KEY/DATE/REGION/SERVICE/aws4_request"));
        }
        let mismatch = |what: &str| {
            ApiError::with_status("SignatureDoesNotMatch", 403, format!("Credential should be scoped to {what}"))
        };
        if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(mismatch("a date in the form YYYYMMDD"));
        }
        if !is_region(region) {
            return Err(mismatch("a valid region"));
        }
        Ok(Scope { region: (*region).to_owned(), service: (*service).to_owned() })
    }

    /// Refuses a request that was signed for another service.
    pub(super) fn check(&self, service: Service) -> Result<(), ApiError> {
        let name = service.signing_name();
        if self.service == name {
            return Ok(());
        }
        let message = format!("Credential should be scoped to correct service: '{name}'");
        Err(ApiError::with_status("SignatureDoesNotMatch", 403, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<Scope, ApiError> {
        Scope::of(&HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())]))
    }

    #[test]
    fn a_scope_names_region_and_service() {
        let signature = "a".repeat(64);
        let header = |scope: &str| format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={signature}");
        let scope = read(&header("KEY/20260101/eu-west-1/elasticloadbalancing/aws4_request")).unwrap();
        assert_eq!(scope.region, "eu-west-1");
        scope.check(Service::Elb).unwrap();
        assert_eq!(scope.check(Service::Sts).unwrap_err().code, "SignatureDoesNotMatch");
        for (scope, code) in [
            ("KEY/20260101/eu-west-1/elasticloadbalancing", "IncompleteSignature"),
            ("KEY/20260101/eu-west-1/elasticloadbalancing/aws3", "IncompleteSignature"),
            ("/20260101/eu-west-1/elasticloadbalancing/aws4_request", "IncompleteSignature"),
            ("KEY/2026/eu-west-1/elasticloadbalancing/aws4_request", "SignatureDoesNotMatch"),
            ("KEY/20260101/../elasticloadbalancing/aws4_request", "SignatureDoesNotMatch"),
        ] {
            assert_eq!(read(&header(scope)).unwrap_err().code, code, "{scope}");
        }
        assert_eq!(read("Basic abc").unwrap_err().code, "IncompleteSignature");
        assert_eq!(Scope::of(&HeaderMap::new()).unwrap_err().code, "MissingAuthenticationToken");
    }
}
