//! What reaching the server saw: its name, its addresses, its TLS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::Serialize;

use super::milliseconds;

/// What name resolution saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NameSeen {
    /// The name or address that was looked up.
    pub name: String,
    /// Its addresses, in the resolver's order.
    pub addresses: Vec<IpAddr>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// What connecting saw. Every address is tried, since a balancer has one in each zone and one of them may be out of reach.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TcpSeen {
    /// One attempt an address, in the resolver's order.
    pub attempts: Vec<Attempt>,
    /// The address that the other stages use: the first that accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
}

/// A connection to one address.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Attempt {
    /// The address.
    pub address: SocketAddr,
    /// How long it took, in milliseconds.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<ConnectFailure>,
}

/// Why an address could not be connected to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectFailure {
    /// The kind of failure.
    pub kind: ConnectFailureKind,
    /// The system's words.
    pub text: String,
}

/// Kinds of failed connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectFailureKind {
    /// Nothing listens there, and the machine says so.
    Refused,
    /// Nothing answered.
    TimedOut,
    /// There is no way there.
    Unreachable,
    /// This machine has no descriptor, port or address left to connect from.
    Local,
    /// Something else.
    Other,
}

/// What the TLS handshake saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TlsSeen {
    /// The name that the certificate must be for.
    pub server_name: String,
    /// The version, for example `TLSv1.2`; absent if there was no agreement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The cipher suite, for example `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
    /// The chain as the server sent it, its own certificate first.
    pub certificates: Vec<CertificateSeen>,
    /// Why the chain cannot be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust_failure: Option<TrustFailure>,
    /// Why the handshake did not finish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<TlsFailure>,
    /// Whether the connection went on whatever the certificate said.
    pub insecure: bool,
}

/// A certificate of the chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CertificateSeen {
    /// Whom it is about.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The names and addresses it is for.
    pub names: Vec<String>,
    /// From when it is valid (RFC 3339, UTC).
    pub not_before: String,
    /// Until when it is valid (RFC 3339, UTC).
    pub not_after: String,
    /// Whole days until it expires; negative once it has.
    pub days_left: i64,
    /// Whether it names itself as its issuer.
    pub is_self_issued: bool,
}

/// Why a chain cannot be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrustFailure {
    /// The kind of failure.
    pub kind: TrustFailureKind,
    /// The verifier's words.
    pub text: String,
}

/// Kinds of chains that cannot be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustFailureKind {
    /// A certificate has expired.
    Expired,
    /// A certificate is not valid yet.
    NotYetValid,
    /// The certificate is for other names.
    WrongName,
    /// Nobody trusted vouches for it.
    UnknownIssuer,
    /// This machine has no roots to trust.
    NoRoots,
    /// Something else.
    Other,
}

/// Why a TLS handshake did not finish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TlsFailure {
    /// The kind of failure.
    pub kind: TlsFailureKind,
    /// What happened, in the library's or system's words.
    pub text: String,
    /// How what the server sent begins, if it sent something that is no TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
}

/// Kinds of failed handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsFailureKind {
    /// The server answered with something that is no TLS.
    NotTls,
    /// The server closed the connection without a word.
    Closed,
    /// No version or cipher suite is common to both.
    NothingInCommon,
    /// The server did not answer in time.
    TimedOut,
    /// The connection for it could not be made again.
    NotConnected,
    /// Something else.
    Other,
}
