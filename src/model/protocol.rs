//! Protocols of a listener's front end and back end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A protocol that a listener or a health check speaks.
///
/// The service accepts any casing and answers in upper case (elb-facts 1.4). A protocol that this version does not know is
/// kept as it came, so that nothing is guessed about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Protocol {
    /// Plain HTTP, with `X-Forwarded-*` headers and no WebSocket upgrade.
    Http,
    /// HTTP over TLS.
    Https,
    /// A plain byte stream.
    Tcp,
    /// A byte stream over TLS.
    Ssl,
    /// A protocol that this version does not know, in upper case.
    Other(String),
}

/// The layer at which a protocol is balanced: a listener's two ends must agree on it (elb-facts 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// HTTP and HTTPS: requests.
    Application,
    /// TCP and SSL: connections. Only these can carry the PROXY header.
    Transport,
}

impl Protocol {
    /// The layer the protocol is balanced at; `None` for a protocol that this version does not know.
    pub fn layer(&self) -> Option<Layer> {
        match self {
            Protocol::Http | Protocol::Https => Some(Layer::Application),
            Protocol::Tcp | Protocol::Ssl => Some(Layer::Transport),
            Protocol::Other(_) => None,
        }
    }

    /// Whether the protocol is TCP or SSL, the two that can carry the PROXY header.
    pub fn is_transport(&self) -> bool {
        self.layer() == Some(Layer::Transport)
    }

    /// Whether the protocol is HTTP or HTTPS.
    pub fn is_application(&self) -> bool {
        self.layer() == Some(Layer::Application)
    }

    /// Whether the protocol is encrypted: HTTPS or SSL. As a front end these need a certificate.
    pub fn is_secure(&self) -> bool {
        matches!(self, Protocol::Https | Protocol::Ssl)
    }
}

impl From<&str> for Protocol {
    fn from(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "HTTP" => Protocol::Http,
            "HTTPS" => Protocol::Https,
            "TCP" => Protocol::Tcp,
            "SSL" => Protocol::Ssl,
            other => Protocol::Other(other.to_owned()),
        }
    }
}

impl From<String> for Protocol {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Protocol> for String {
    fn from(protocol: Protocol) -> Self {
        protocol.to_string()
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Protocol::Http => "HTTP",
            Protocol::Https => "HTTPS",
            Protocol::Tcp => "TCP",
            Protocol::Ssl => "SSL",
            Protocol::Other(name) => name,
        })
    }
}
