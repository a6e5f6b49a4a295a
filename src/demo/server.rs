//! The chat's server: a loopback socket, HTTP, and the handshake that turns a request into a WebSocket.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::arrival::{Front, forwarded_for, read_proxy_line};
use super::page::{Answer, page, text};
use super::room::{MAX_CLIENTS, Room};
use super::session;

/// Where the WebSocket is.
pub const SOCKET_PATH: &str = "/ws";
/// Where a health check gets status 200.
pub const HEALTH_PATH: &str = "/elb-status";

/// Connections at the same time: every client's, and as many for pages and health checks.
const MAX_CONNECTIONS: usize = 2 * MAX_CLIENTS;
/// How long a connection may take to say whose it is, and a request to be complete.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running chat. It ends when it is dropped.
#[derive(Debug)]
pub struct Chat {
    address: SocketAddr,
    front: watch::Sender<Front>,
    server: JoinHandle<()>,
}

impl Chat {
    /// Starts a chat on any free port of 127.0.0.1.
    pub async fn start(front: Front) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (front, expected) = watch::channel(front);
        let server = tokio::spawn(accept(listener, expected));
        Ok(Chat { address, front, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What new connections come through from now on. Those that are open stay as they are.
    pub fn expect(&self, front: Front) {
        self.front.send_replace(front);
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, front: watch::Receiver<Front>) {
    let room = Arc::new(Room::new());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // Dropped with this task, and its connections with it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, most likely: some come back when a client goes.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        // A connection too many is closed at once.
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let (front, room) = (*front.borrow(), room.clone());
        connections.spawn(async move {
            let _place = place;
            if let Err(error) = connection(stream, peer, front, room).await {
                tracing::debug!(%error, %peer, "a connection to the chat failed");
            }
        });
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, front: Front, room: Arc<Room>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let client = match front {
        Front::Http => None,
        Front::ProxyProtocol => match timeout(PATIENCE, read_proxy_line(&mut stream, peer)).await?? {
            Some(client) => Some(client),
            None => return Ok(()),
        },
    };
    let handshake = Mutex::new(None);
    let service = service_fn(|mut request: Request<Incoming>| {
        let answer = answer(&request);
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let client = client.clone().or_else(|| forwarded_for(request.headers()));
            let upgrade = hyper::upgrade::on(&mut request);
            *handshake.lock().unwrap_or_else(PoisonError::into_inner) = Some((upgrade, client));
        }
        async { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    served.await.map_err(io::Error::other)?;
    if let Some((upgrade, client)) = handshake.into_inner().unwrap_or_else(PoisonError::into_inner) {
        session::serve(upgrade, client.unwrap_or_else(|| peer.to_string()), &room).await;
    }
    Ok(())
}

fn answer(request: &Request<Incoming>) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/") => page(),
        (&Method::GET | &Method::HEAD, HEALTH_PATH) => text(StatusCode::OK, "ok\n"),
        (&Method::GET, SOCKET_PATH) => handshake(request.headers()),
        (_, "/" | HEALTH_PATH | SOCKET_PATH) => text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here\n"),
        _ => text(StatusCode::NOT_FOUND, "there is nothing here\n"),
    }
}

/// The answer to a request for the WebSocket (RFC 6455, section 4.2).
fn handshake(headers: &HeaderMap) -> Answer {
    if !has_token(headers, &UPGRADE, "websocket") || !has_token(headers, &CONNECTION, "upgrade") {
        return text(StatusCode::BAD_REQUEST, "this is a WebSocket: the request's Upgrade header is missing\n");
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut answer = text(StatusCode::UPGRADE_REQUIRED, "only version 13 of the WebSocket protocol is spoken here\n");
        answer.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return answer;
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let Some(Ok(accept)) = key.map(HeaderValue::try_from) else {
        return text(StatusCode::BAD_REQUEST, "the request's Sec-WebSocket-Key is missing\n");
    };
    let mut answer = text(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = answer.headers_mut();
    headers.remove(CONTENT_TYPE);
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    answer
}

/// Whether a header, a list of tokens, has this one.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}
