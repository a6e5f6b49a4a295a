//! How a connection reaches the chat, and whose it is: from the PROXY line or from the header of a proxy.
//!
//! A port expects the PROXY line or it does not; guessing would let any client name itself (elb-facts 2.3).

use std::io;
use std::net::SocketAddr;

use hyper::HeaderMap;
use ppp::v1;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The longest PROXY v1 line with its CRLF, in bytes (PROXY protocol, section 2.1).
const LONGEST_LINE: u64 = 107;

/// What stands in front of the chat, and so where it reads the client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// Something that speaks HTTP: an HTTP or HTTPS listener, or a web server. The address is in `X-Forwarded-For`.
    Http,
    /// A TCP or SSL listener whose instance port has a proxy policy: every connection begins with the PROXY line.
    ProxyProtocol,
}

/// Whose connection it is, as its first line says: none for a connection that ends before it says anything, as that of a health
/// check does. Errors: anything that is no PROXY v1 line.
pub(super) async fn read_proxy_line(
    stream: &mut (impl AsyncBufRead + Unpin),
    peer: SocketAddr,
) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    stream.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    let header = v1::Header::try_from(line.as_slice()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Some(match header.addresses {
        v1::Addresses::Tcp4(line) => format!("{}:{}", line.source_address, line.source_port),
        v1::Addresses::Tcp6(line) => format!("[{}]:{}", line.source_address, line.source_port),
        // The balancer does not know either; the specification says to use the address of the connection.
        v1::Addresses::Unknown => peer.to_string(),
    }))
}

/// Whose request it is, as the nearest proxy says: it appends the address it saw, so the last one is its own.
pub(super) fn forwarded_for(headers: &HeaderMap) -> Option<String> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?.rsplit(',').next()?.trim();
    let longest = "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535".len();
    (!last.is_empty() && last.len() <= longest).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose(bytes: &[u8]) -> Result<(Option<String>, String), io::ErrorKind> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut stream = bytes;
            let client = read_proxy_line(&mut stream, SocketAddr::from(([127, 0, 0, 1], 9))).await;
            client.map(|client| (client, String::from_utf8_lossy(stream).into_owned())).map_err(|error| error.kind())
        })
    }

    #[test]
    fn the_proxy_line_says_whose_a_connection_is() {
        let rest = "GET / HTTP/1.1\r\n".to_owned();
        let after = |line: &str| whose(format!("{line}\r\n{rest}").as_bytes());
        let is = |client: &str| Ok((Some(client.to_owned()), rest.clone()));
        assert_eq!(after("PROXY TCP4 198.51.100.7 10.0.1.9 51234 443"), is("198.51.100.7:51234"));
        assert_eq!(after("PROXY TCP6 2001:db8::7 2001:db8::1 51234 443"), is("[2001:db8::7]:51234"));
        assert_eq!(after("PROXY UNKNOWN"), is("127.0.0.1:9"));
        assert_eq!(whose(b""), Ok((None, String::new())), "a health check connects and goes");
        assert_eq!(whose(b"GET / HTTP/1.1\r\n"), Err(io::ErrorKind::InvalidData));
        assert_eq!(whose(&[b'x'; 4000]), Err(io::ErrorKind::InvalidData), "it stops reading in time");
    }

    #[test]
    fn the_nearest_proxy_says_whose_a_request_is() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", value.parse().expect("a value"));
            forwarded_for(&headers)
        };
        assert_eq!(of("203.0.113.9, 198.51.100.7").as_deref(), Some("198.51.100.7"));
        assert_eq!(of(" "), None);
        assert_eq!(of(&"1".repeat(500)), None);
        assert_eq!(forwarded_for(&HeaderMap::new()), None);
    }
}
