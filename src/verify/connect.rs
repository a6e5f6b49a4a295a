//! The second stage: a TCP connection, to every address of the name.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use futures::future::join_all;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::seen::{Attempt, ConnectFailure, ConnectFailureKind, TcpSeen};

/// Connects to all addresses at once, and keeps the first in the resolver's order that accepted.
pub(super) async fn connect_all(
    addresses: &[IpAddr],
    port: u16,
    source: Option<IpAddr>,
    patience: Duration,
) -> (TcpSeen, Option<TcpStream>) {
    let attempts = addresses.iter().map(async |address| {
        let address = SocketAddr::new(*address, port);
        let begun = Instant::now();
        let result = connect(address, source, patience).await;
        (address, begun.elapsed(), result)
    });
    let mut kept = None;
    let mut seen = TcpSeen { attempts: Vec::new(), peer: None };
    for (address, took, result) in join_all(attempts).await {
        let failure = match result {
            Ok(stream) if kept.is_none() => {
                seen.peer = Some(address);
                kept = Some(stream);
                None
            }
            Ok(_) => None,
            Err(failure) => Some(failure),
        };
        seen.attempts.push(Attempt { address, took, failure });
    }
    (seen, kept)
}

/// Connects to one address.
pub(super) async fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
    patience: Duration,
) -> Result<TcpStream, ConnectFailure> {
    let connected = async {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(local)?;
        if let Some(source) = source {
            socket.bind(SocketAddr::new(source, 0)).map_err(local)?;
        }
        let stream =
            socket.connect(address).await.map_err(|error| ConnectFailure { kind: kind(&error), text: error.to_string() })?;
        // What is sent is small, and its time is measured.
        stream.set_nodelay(true).map_err(local)?;
        Ok(stream)
    };
    timeout(patience, connected).await.unwrap_or_else(|_| {
        let text = format!("no answer in {} s", patience.as_secs_f32());
        Err(ConnectFailure { kind: ConnectFailureKind::TimedOut, text })
    })
}

fn local(error: io::Error) -> ConnectFailure {
    ConnectFailure { kind: ConnectFailureKind::Local, text: error.to_string() }
}

fn kind(error: &io::Error) -> ConnectFailureKind {
    match error.kind() {
        ErrorKind::ConnectionRefused => ConnectFailureKind::Refused,
        ErrorKind::TimedOut => ConnectFailureKind::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => {
            ConnectFailureKind::Unreachable
        }
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse => ConnectFailureKind::Local,
        _ => ConnectFailureKind::Other,
    }
}
