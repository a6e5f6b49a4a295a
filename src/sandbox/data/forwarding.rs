//! What a Classic Load Balancer changes in a request's and a response's header. `Upgrade` is among what goes: that is how a
//! WebSocket handshake is lost.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{self, HeaderName, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Headers that are about one connection only (RFC 9110 section 7.6.1). `Expect` is answered here.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Removes what is about one connection only, the headers that `Connection` names included.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    headers.remove("proxy-connection");
}

/// Makes a client's request one that the balancer sends on: who the client is, and how it came.
pub(super) fn forward(headers: &mut HeaderMap, client: IpAddr, is_secure: bool, load_balancer_port: u16) {
    remove_hop_by_hop(headers);
    headers.remove(header::EXPECT);
    let client = client.to_canonical().to_string();
    let known = headers.get_all(X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = known.chain([client.as_str()]).collect();
    let set = [
        (X_FORWARDED_FOR, chain.join(", ")),
        (X_FORWARDED_PROTO, if is_secure { "https" } else { "http" }.to_owned()),
        (X_FORWARDED_PORT, load_balancer_port.to_string()),
    ];
    for (name, value) in set {
        // Made of text that was a header before, and of digits.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_handshake_loses_its_upgrade_and_gains_the_client() {
        let mut found = headers(&[
            ("host", "chat.example.com"),
            ("connection", "Upgrade, X-Private"),
            ("upgrade", "websocket"),
            ("x-private", "1"),
            ("sec-websocket-version", "13"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-for", "192.0.2.2, 192.0.2.3"),
            ("x-forwarded-proto", "gopher"),
        ]);
        forward(&mut found, "::ffff:127.0.0.1".parse().unwrap(), true, 443);
        let expected = headers(&[
            ("host", "chat.example.com"),
            ("sec-websocket-version", "13"),
            ("x-forwarded-for", "192.0.2.1, 192.0.2.2, 192.0.2.3, 127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "443"),
        ]);
        assert_eq!(found, expected);
    }
}
