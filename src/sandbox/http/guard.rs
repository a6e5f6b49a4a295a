//! Who may talk to the sandbox: programs on this machine. A web page in somebody's browser may not, even though it can reach
//! loopback, by rebinding its name's address or by posting across origins.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Refuses requests that are addressed to any name but this machine's own.
pub(super) async fn loopback_host(request: Request, next: Next) -> Response {
    match is_for_loopback(request.headers()) {
        true => next.run(request).await,
        false => refuse("the Host header must name a loopback address or localhost"),
    }
}

/// Refuses requests that a web page sent.
pub(super) async fn no_web_page(request: Request, next: Next) -> Response {
    match request.headers().contains_key(ORIGIN) {
        false => next.run(request).await,
        true => refuse("web pages may not drive the sandbox (the request has an Origin header)"),
    }
}

fn refuse(why: &'static str) -> Response {
    (StatusCode::FORBIDDEN, format!("{why}\n")).into_response()
}

fn is_for_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Ok(host) = host.to_str() else { return false };
    // An IPv6 address stands in brackets; only behind them can a colon begin a port.
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':').unwrap_or(port)),
        None => host.split_once(':').unwrap_or((host, "")),
    };
    let is_loopback = name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    port.bytes().all(|byte| byte.is_ascii_digit()) && (is_loopback || name.eq_ignore_ascii_case("localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(host: &str) -> bool {
        is_for_loopback(&HeaderMap::from_iter([(HOST, host.parse().unwrap())]))
    }

    #[test]
    fn only_names_of_this_machine_pass() {
        for host in ["127.0.0.1", "127.0.0.1:4566", "127.1.2.3:1", "localhost:80", "LocalHost", "[::1]", "[::1]:8080"] {
            assert!(passes(host), "{host}");
        }
        for host in
            ["example.com", "127.0.0.1.example.com", "localhost.example.com:80", "10.0.0.1", "[::2]", "", "127.0.0.1:x"]
        {
            assert!(!passes(host), "{host}");
        }
        assert!(!is_for_loopback(&HeaderMap::new()));
    }
}
