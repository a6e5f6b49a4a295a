//! What is to be probed, and how.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use serde::Serialize;

use super::Target;

/// What a message may contain to be unique: it is replaced by a token of this run.
pub const TOKEN: &str = "{token}";

/// How long a stage may take unless the caller says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// One probe of one WebSocket endpoint. [`Probe::new`] gives the defaults; change what differs.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The endpoint.
    pub target: Target,
    /// Where to connect instead of the target's host and port. The target still names the server in TLS and in `Host`.
    pub connect_to: Option<Place>,
    /// The address of this machine to connect from; the system chooses without one.
    pub source: Option<IpAddr>,
    /// Who is trusted to vouch for the server's name.
    pub trust: Trust,
    /// Headers to add to the requests, for example a cookie.
    pub headers: HeaderMap<HeaderValue>,
    /// What to send once the connection is open.
    pub message: Message,
    /// How long the connection must survive silence; nothing is held silent without it.
    pub idle: Option<Duration>,
    /// How many connections to open at once (1 or more).
    pub count: u32,
    /// How long a stage may take.
    pub timeout: Duration,
}

/// A host and a port to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// A name or an address, an IPv6 address without brackets.
    pub host: String,
    /// The port (1-65535).
    pub port: u16,
}

/// Who is trusted to vouch for the server's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The roots of this system.
    System,
    /// The certificates of this PEM text, and no others.
    Pem(Vec<u8>),
    /// Anybody: the certificate is looked at, and the connection goes on whatever it says.
    Insecure,
}

/// What is sent once the connection is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A ping, which every server answers and no application sees.
    Ping,
    /// A text, in which [`TOKEN`] is replaced by something unique. A message that contains the token, or the whole text where it has
    /// none, is its echo.
    Text(String),
}

impl Probe {
    /// A probe of one connection: the system's roots, a ping, ten seconds for a stage.
    pub fn new(target: Target) -> Self {
        Probe {
            target,
            connect_to: None,
            source: None,
            trust: Trust::System,
            headers: HeaderMap::new(),
            message: Message::Ping,
            idle: None,
            count: 1,
            timeout: PATIENCE,
        }
    }

    /// Where to connect.
    pub fn place(&self) -> Place {
        self.connect_to.clone().unwrap_or_else(|| Place { host: self.target.host().to_owned(), port: self.target.port() })
    }
}

/// As people write it: an IPv6 address in brackets.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
