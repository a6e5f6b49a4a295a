//! Further connections to the address that the first stages chose.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;

use super::connect::connect;
use super::http::{Connection, exchange, upgrade};
use super::message::WebSocket;
use super::seen::{ExchangeFailure, ExchangeFailureKind, HttpSeen};
use super::tls::{Encrypted, Tls};
use super::{Probe, Target};

/// How further connections are made.
#[derive(Clone)]
pub(super) struct Dialer {
    /// The address.
    pub(super) peer: SocketAddr,
    /// The address of this machine to connect from.
    pub(super) source: Option<IpAddr>,
    /// TLS, if the target wants it.
    pub(super) tls: Option<Tls>,
    /// How long each of connecting, TLS and a reply may take.
    pub(super) patience: Duration,
}

impl Dialer {
    /// A new connection, as far as a request can be sent on it.
    pub(super) async fn dial(&self) -> Result<Connection, ExchangeFailure> {
        let failed = |text| ExchangeFailure { kind: ExchangeFailureKind::NotConnected, text, received: None };
        let stream = connect(self.peer, self.source, self.patience)
            .await
            .map_err(|failure| failed(format!("no second connection to {}: {}", self.peer, failure.text)))?;
        let local = stream.local_addr().ok();
        match &self.tls {
            None => Ok(plain(stream)),
            Some(tls) => {
                let stream = tls.connect(stream, self.patience).await;
                let stream = stream.map_err(|failure| failed(format!("no second TLS handshake: {}", failure.text)))?;
                Ok(Connection::new(stream, local))
            }
        }
    }

    /// A plain request, on a connection that is there already if there is one.
    pub(super) async fn request(&self, probe: &Probe, path: &str, connection: Option<Connection>) -> HttpSeen {
        let connection = match connection {
            Some(connection) => Ok(connection),
            None => self.dial().await,
        };
        match connection {
            Ok(connection) => exchange(connection, &probe.target, &probe.headers, path, self.patience).await,
            Err(failure) => HttpSeen { request: format!("GET {path}"), local: None, reply: None, failure: Some(failure) },
        }
    }

    /// A new connection that becomes a WebSocket.
    pub(super) async fn open(&self, probe: &Probe) -> (HttpSeen, Option<WebSocket>) {
        let target: &Target = &probe.target;
        match self.dial().await {
            Ok(connection) => upgrade(connection, target, &probe.headers, self.patience).await,
            Err(failure) => {
                let request = format!("GET {}", target.path());
                (HttpSeen { request, local: None, reply: None, failure: Some(failure) }, None)
            }
        }
    }
}

/// A plain connection.
pub(super) fn plain(stream: TcpStream) -> Connection {
    let local = stream.local_addr().ok();
    Connection::new(stream, local)
}

/// An encrypted connection that was examined.
pub(super) fn encrypted(stream: Encrypted, local: Option<SocketAddr>) -> Connection {
    Connection::new(stream, local)
}
