//! The URL of a WebSocket endpoint (RFC 6455 section 3).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;
use serde::{Serialize, Serializer};

/// A `ws://` or `wss://` URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    secure: bool,
    host: String,
    port: u16,
    path: String,
}

/// A text that is no such URL, with what is wrong and what is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the URL of a WebSocket: {why}; give wss://host[:port]/path or ws://host[:port]/path")]
pub struct InvalidTarget {
    text: String,
    why: String,
}

impl Target {
    /// Whether the connection is made with TLS: `wss://`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host: a name in lower case, or an address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port (1-65535); 443 or 80 where the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, beginning with a slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host as an address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// What the `Host` header says: the port is there only if it is not the scheme's.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port == default_port(self.secure) {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let wrong = |why: &str| InvalidTarget { text: text.to_owned(), why: why.to_owned() };
        if !text.is_ascii() {
            return Err(wrong("a name with other than ASCII letters must be given in its xn-- form"));
        }
        if text.contains('#') {
            return Err(wrong("it must have no fragment (#)"));
        }
        let uri: Uri = text.parse().map_err(|error| wrong(&format!("{error}")))?;
        let secure = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("wss") => true,
            Some("ws") => false,
            Some("https" | "http") => return Err(wrong("the scheme is that of a page")),
            Some(_) => return Err(wrong("the scheme is another")),
            None => return Err(wrong("it has no scheme")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it must have no user name; give credentials with --header"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        // `http` takes a port that is no number for none at all.
        let named = authority.as_str().strip_prefix(authority.host()).is_some_and(|rest| !rest.is_empty());
        let port = match (named, authority.port_u16()) {
            (false, _) => default_port(secure),
            (true, Some(port)) if port != 0 => port,
            (true, _) => return Err(wrong("the port is not a number from 1 to 65535")),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Target { secure, host, port, path })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, host, port, path, shown) in [
            ("wss://chat.example.com/ws/", "chat.example.com", 443, "/ws/", "wss://chat.example.com/ws/"),
            ("WSS://Chat.Example.com", "chat.example.com", 443, "/", "wss://chat.example.com/"),
            ("ws://127.0.0.1:8080?room=1", "127.0.0.1", 8080, "/?room=1", "ws://127.0.0.1:8080/?room=1"),
            ("wss://[::1]:9443/a", "::1", 9443, "/a", "wss://[::1]:9443/a"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!((target.host(), target.port(), target.path()), (host, port, path), "{text}");
            assert_eq!(target.to_string(), shown);
            assert_eq!(target.to_string().parse::<Target>().unwrap(), target);
        }
    }

    #[test]
    fn what_is_no_url_is_refused_with_the_reason() {
        for (text, why) in [
            ("chat.example.com", "no scheme"),
            ("https://chat.example.com/", "that of a page"),
            ("ftp://chat.example.com/", "another"),
            ("wss://", "not the URL"),
            ("wss:///ws", "not the URL"),
            ("wss://chat.example.com:99999/", "not the URL"),
            ("wss://chat.example.com:0/", "1 to 65535"),
            ("wss://chat.example.com:/", "1 to 65535"),
            ("wss://user:password@chat.example.com/", "user name"),
            ("wss://chat.example.com/#top", "fragment"),
            ("wss://plauder\u{e9}cke.example/", "xn--"),
        ] {
            let error = text.parse::<Target>().expect_err(text).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
