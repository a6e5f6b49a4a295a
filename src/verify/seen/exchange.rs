//! What a request or a message saw.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use super::some_milliseconds;

/// What a request saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HttpSeen {
    /// The request line.
    pub request: String,
    /// This machine's end of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<SocketAddr>,
    /// The reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Why there is none, or why it is no upgrade although its status says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<ExchangeFailure>,
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The words beside it.
    pub reason: String,
    /// Headers in lower case, in the order of the reply.
    pub headers: Vec<(String, String)>,
    /// How the body begins.
    pub body: String,
}

impl Reply {
    /// The first header of a name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Status and reason: `400 Bad Request`.
    pub fn line(&self) -> String {
        format!("{} {}", self.status, self.reason).trim_end().to_owned()
    }
}

/// Why a request or a message got no proper answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangeFailure {
    /// The kind of failure.
    pub kind: ExchangeFailureKind,
    /// What happened.
    pub text: String,
    /// How what the server sent begins, if it is no HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
}

/// Kinds of failed exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeFailureKind {
    /// The connection was closed or reset without an answer.
    Closed,
    /// There was no answer in time.
    TimedOut,
    /// The answer was no HTTP.
    NotHttp,
    /// The reply says that it switches protocols, but not to this WebSocket.
    BadUpgrade,
    /// The other side does not keep to the WebSocket protocol.
    BadFrame,
    /// There was another answer, but not to what was sent.
    NoEcho,
    /// The connection for it could not be made, although one was made before.
    NotConnected,
}

/// What was sent on the open WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// A ping.
    Ping,
    /// A text.
    Text(String),
}

/// What a message saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessageSeen {
    /// What was sent.
    pub sent: Sent,
    /// How long the echo of the text took, in milliseconds.
    #[serde(rename = "echo_ms", serialize_with = "some_milliseconds", skip_serializing_if = "Option::is_none")]
    pub echo: Option<Duration>,
    /// How long the pong took, in milliseconds, if a ping was sent.
    #[serde(rename = "pong_ms", serialize_with = "some_milliseconds", skip_serializing_if = "Option::is_none")]
    pub pong: Option<Duration>,
    /// The first messages that came, each cut at a sane length.
    pub received: Vec<String>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<ExchangeFailure>,
}
