//! The chat's answers to plain HTTP: the page, the health check, and why a request is no WebSocket.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};

/// The whole page: markup, style and script, with nothing to load from elsewhere.
const PAGE: &str = include_str!("page.html");

/// Nothing but what is in the page itself, and its own WebSocket.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// An answer that fits in memory.
pub(super) type Answer = Response<Full<Bytes>>;

/// The page.
pub(super) fn page() -> Answer {
    let mut answer = answer(StatusCode::OK, "text/html; charset=utf-8", PAGE);
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    answer
}

/// A line of text.
pub(super) fn text(status: StatusCode, line: &'static str) -> Answer {
    answer(status, "text/plain; charset=utf-8", line)
}

fn answer(status: StatusCode, kind: &'static str, body: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
