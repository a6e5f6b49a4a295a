//! TCP and SSL listeners: the PROXY line where a policy asks for it, then the client's bytes as they are, both ways.

use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::connection::Connection;
use super::drain::Registration;
use super::relay::{End, Stream, relay};
use super::route::Route;
use super::{backend_tls, balance, proxy_protocol};
use crate::model::Protocol;

/// How long the TLS handshake with an instance may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long both sides may take to hear that a connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Carries a connection to an instance, until it ends.
pub(super) async fn carry(connection: Connection, mut client: Stream) {
    let Some((mut instance, idle_timeout, registration)) = Box::pin(open(&connection)).await else { return };
    // What is kept while the connection lives is kept ten thousand times.
    drop(connection);
    let _counted = registration.connections.token();
    let end = tokio::select! {
        end = relay(&mut client, &mut instance, idle_timeout) => end,
        () = registration.cut.cancelled() => End::Idle,
    };
    if end == End::Idle {
        let farewell = async { tokio::join!(client.shutdown(), instance.shutdown()) };
        // Whoever does not listen any more is not waited for.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// Opens the connection to an instance and says who the client is.
async fn open(connection: &Connection) -> Option<(Stream, Duration, Registration)> {
    let route = connection.route()?;
    let chosen = balance::connect(&connection.plane, &connection.key, &route).await?;
    let registration = connection.registration(&chosen.instance)?;
    let instance = chosen.instance.clone();
    match begin(connection, &route, chosen).await {
        Ok(stream) => Some((stream, route.idle_timeout, registration)),
        Err(error) => {
            let port = route.instance_port;
            connection.note(format!("the connection to instance {instance} port {port} failed: {error}"));
            None
        }
    }
}

async fn begin(connection: &Connection, route: &Route, chosen: balance::Chosen) -> std::io::Result<Stream> {
    let mut stream: Stream = match route.instance_protocol {
        Protocol::Ssl => {
            let address = chosen.stream.peer_addr()?.ip();
            let handshake = backend_tls::connect(chosen.stream, address, route.keys.clone());
            tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await??
        }
        _ => Box::new(chosen.stream),
    };
    if route.proxied {
        // The first bytes, in one write: receivers such as nginx parse only what they read first. Within the TLS stream of an
        // encrypted back end, as the service does it (elb-facts 2.2).
        let line = proxy_protocol::line(connection.client, connection.local, connection.key.load_balancer_port);
        stream.write_all(line.as_bytes()).await?;
        stream.flush().await?;
    }
    Ok(stream)
}
