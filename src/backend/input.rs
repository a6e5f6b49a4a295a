//! What a person names for the configuration: the application, its WebSocket paths, host names.
//!
//! Nothing gets past here that a web server's grammar gives a meaning to: no white space, quotes, semicolons, braces, `$` or `#`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use crate::model::Malformed;

/// Where an application listens: an address or a host name, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream(String);

/// A path on which WebSockets reach an application of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocketRoute {
    path: String,
    upstream: Upstream,
}

/// A host name that clients use, with `*.` in front for all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerName(String);

impl Upstream {
    /// The address as a configuration writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<SocketAddr> for Upstream {
    fn from(address: SocketAddr) -> Self {
        Upstream(address.to_string())
    }
}

impl FromStr for Upstream {
    type Err = Malformed;

    /// Reads `HOST:PORT`, where HOST is a name, an IPv4 address, or an IPv6 address in brackets.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            if address.port() != 0 {
                return Ok(address.into());
            }
        } else if let Some((host, port)) = text.rsplit_once(':') {
            let port = port.parse::<u16>().ok().filter(|number| *number != 0 && !port.starts_with('+'));
            if let Some(port) = port.filter(|_| is_host_name(host)) {
                return Ok(Upstream(format!("{host}:{port}")));
            }
        }
        Err(Malformed(format!("`{text}` is not where an application listens: give HOST:PORT, for example 127.0.0.1:8000")))
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl WebSocketRoute {
    /// The path and everything below it go to `upstream`.
    ///
    /// # Errors
    ///
    /// A path that does not begin with a slash, or holds anything but letters, digits and `/ . _ ~ - @ : +`.
    pub fn new(path: &str, upstream: Upstream) -> Result<Self, Malformed> {
        match is_plain_path(path) {
            true => Ok(WebSocketRoute { path: path.to_owned(), upstream }),
            false => Err(Malformed(format!(
                "`{path}` is not a path that can be routed: begin it with /, and use letters, digits and / . _ ~ - @ : +"
            ))),
        }
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where it leads.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }
}

impl FromStr for WebSocketRoute {
    type Err = Malformed;

    /// Reads `PATH=HOST:PORT`.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (path, upstream) = text.split_once('=').ok_or_else(|| {
            Malformed(format!("`{text}` is not a route: give PATH=HOST:PORT, for example /ws/=127.0.0.1:9000"))
        })?;
        WebSocketRoute::new(path, upstream.parse()?)
    }
}

impl ServerName {
    /// The name as a configuration writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerName {
    type Err = Malformed;

    /// Reads `chat.example.com` or `*.example.com`.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        match is_host_name(text.strip_prefix("*.").unwrap_or(text)) {
            true => Ok(ServerName(text.to_ascii_lowercase())),
            false => {
                Err(Malformed(format!("`{text}` is not a host name: give one such as chat.example.com or *.example.com")))
            }
        }
    }
}

/// Letters, digits, hyphens and underscores between dots; an address of numbers alone must be one (RFC 1123 section 2.1).
fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (1..=253).contains(&text.len()) && text.split('.').all(label) && (!numeric || text.parse::<IpAddr>().is_ok())
}

/// Whether a path means itself to every web server: nothing is decoded, quoted or expanded in it.
pub(super) fn is_plain_path(path: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'~' | b'-' | b'@' | b':' | b'+');
    path.starts_with('/') && path.len() <= 1024 && path.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_grammar_gives_a_meaning_to_is_refused() {
        for hostile in ["", " ", "a b", "a;b", "a{", "}", "a'", "\"", "a\nb", "a\0", "$host", "#", "a\\b", "é", "a\u{2028}b"]
        {
            assert!(hostile.parse::<ServerName>().is_err(), "{hostile:?}");
            assert!(format!("{hostile}:80").parse::<Upstream>().is_err(), "{hostile:?}");
            assert!(WebSocketRoute::new(&format!("/{hostile} "), SocketAddr::from(([127, 0, 0, 1], 1)).into()).is_err());
            assert!(format!("{hostile}=127.0.0.1:80").parse::<WebSocketRoute>().is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn addresses_names_and_paths_are_read() {
        for right in ["127.0.0.1:8000", "[::1]:80", "app:8000", "app_1.internal:65535"] {
            assert_eq!(right.parse::<Upstream>().map(|upstream| upstream.to_string()), Ok(right.to_owned()));
        }
        for wrong in ["127.0.0.1", "127.0.0.1:0", "300.1.1.1:80", ":80", "app:", "app:+80", "app:65536", "::1:80", "unix:/x"]
        {
            assert!(wrong.parse::<Upstream>().is_err(), "{wrong}");
        }
        for right in ["chat.example.com", "*.example.com", "LOCALHOST", "127.0.0.1"] {
            assert!(right.parse::<ServerName>().is_ok(), "{right}");
        }
        for wrong in ["~^www", "*", "*.", "-a", "a..b", ".example.com", "_"] {
            assert!(wrong.parse::<ServerName>().is_err() || wrong == "_", "{wrong}");
        }
        let route: WebSocketRoute = "/ws/=127.0.0.1:9000".parse().unwrap();
        assert_eq!((route.path(), route.upstream().as_str()), ("/ws/", "127.0.0.1:9000"));
    }
}
