//! A plain request, and the request that makes a WebSocket of a connection (RFC 6455 section 4).

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::ext::ReasonPhrase;
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SET_COOKIE, UPGRADE, USER_AGENT};
use hyper::{Error, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::task::AbortOnDropHandle;

use super::message::WebSocket;
use super::seen::{ExchangeFailure, ExchangeFailureKind, HttpSeen, Reply};
use super::socket::{ByteStream, Heard, Listened};
use super::target::Target;

/// How much of a body is kept for the diagnosis, in bytes, and how long its end is waited for.
const BODY: usize = 2048;
const BODY_PATIENCE: Duration = Duration::from_secs(1);
/// The most headers that are told of.
const MOST_HEADERS: usize = 50;
/// The largest message that is taken in, in bytes.
const LARGEST_MESSAGE: usize = 1 << 20;

/// A connection on which a request can be sent.
pub(super) struct Connection {
    stream: Box<dyn ByteStream>,
    local: Option<SocketAddr>,
    heard: Heard,
}

impl Connection {
    /// A connection over a stream, plain or encrypted.
    pub(super) fn new(stream: impl ByteStream + 'static, local: Option<SocketAddr>) -> Self {
        let (stream, heard) = Listened::new(stream);
        Connection { stream: Box::new(stream), local, heard }
    }
}

/// Sends a plain request and reads how the reply begins.
pub(super) async fn exchange(
    connection: Connection,
    target: &Target,
    headers: &HeaderMap<HeaderValue>,
    path: &str,
    patience: Duration,
) -> HttpSeen {
    send(connection, target, headers, path, None, patience).await.0
}

/// Asks for the upgrade, and gives the WebSocket if the reply is what the RFC wants.
pub(super) async fn upgrade(
    connection: Connection,
    target: &Target,
    headers: &HeaderMap<HeaderValue>,
    patience: Duration,
) -> (HttpSeen, Option<WebSocket>) {
    let key = generate_key();
    let (mut seen, response) = send(connection, target, headers, target.path(), Some(&key), patience).await;
    let Some(response) = response else { return (seen, None) };
    if let Some(wrong) = wrong_upgrade(&response, &key) {
        seen.failure = Some(failure(ExchangeFailureKind::BadUpgrade, wrong));
        return (seen, None);
    }
    match timeout(patience, hyper::upgrade::on(response)).await {
        Ok(Ok(upgraded)) => {
            let config = WebSocketConfig::default()
                .max_message_size(Some(LARGEST_MESSAGE))
                .max_frame_size(Some(LARGEST_MESSAGE))
                // The default of 128 KiB is too much for thousands of connections.
                .read_buffer_size(4096);
            let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, Some(config)).await;
            (seen, Some(socket))
        }
        Ok(Err(error)) => {
            seen.failure = Some(failure(ExchangeFailureKind::BadUpgrade, words(&error)));
            (seen, None)
        }
        Err(_) => {
            seen.failure = Some(late(patience));
            (seen, None)
        }
    }
}

/// Sends a request. Gives the response itself only if it switches protocols.
async fn send(
    connection: Connection,
    target: &Target,
    headers: &HeaderMap<HeaderValue>,
    path: &str,
    key: Option<&str>,
    patience: Duration,
) -> (HttpSeen, Option<Response<Incoming>>) {
    let Connection { stream, local, heard } = connection;
    let mut seen = HttpSeen { request: format!("GET {path}"), local, reply: None, failure: None };
    let exchanged = async {
        let request = request(target, headers, path, key).map_err(|error| error.to_string()).map_err(Wrong::Request)?;
        let handshake = http1::Builder::new().title_case_headers(true).handshake(TokioIo::new(stream)).await;
        let (mut sender, driven) = handshake.map_err(Wrong::Exchange)?;
        // An error of the connection is also the error of the request.
        let driver = AbortOnDropHandle::new(tokio::spawn(async move { drop(driven.with_upgrades().await) }));
        let response = sender.send_request(request).await.map_err(Wrong::Exchange)?;
        Ok((response, driver, sender))
    };
    match timeout(patience, exchanged).await {
        Err(_) => seen.failure = Some(late(patience)),
        Ok(Err(Wrong::Request(text))) => seen.failure = Some(failure(ExchangeFailureKind::NotConnected, text)),
        Ok(Err(Wrong::Exchange(error))) => seen.failure = Some(no_reply(&error, &heard)),
        Ok(Ok((response, driver, sender))) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            seen.reply = Some(reply(&response, String::new()));
            // It ends by itself when it has handed the connection over.
            drop(driver.detach());
            drop(sender);
            return (seen, Some(response));
        }
        Ok(Ok((mut response, _driver, _sender))) => {
            let body = body(response.body_mut()).await;
            seen.reply = Some(reply(&response, body));
        }
    }
    (seen, None)
}

enum Wrong {
    Request(String),
    Exchange(Error),
}

fn request(
    target: &Target,
    headers: &HeaderMap<HeaderValue>,
    path: &str,
    key: Option<&str>,
) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
    let mut request =
        Request::get(path).header(HOST, target.authority()).header(USER_AGENT, concat!("elbws/", env!("CARGO_PKG_VERSION")));
    if let Some(key) = key {
        request = request
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", key);
    }
    let mut request = request.body(Empty::new())?;
    for name in headers.keys() {
        // What the caller gives stands instead of what is said by default.
        request.headers_mut().remove(name);
        for value in headers.get_all(name) {
            request.headers_mut().append(name.clone(), value.clone());
        }
    }
    Ok(request)
}

/// What is wrong with a reply of status 101 (RFC 6455 section 4.1).
fn wrong_upgrade(response: &Response<Incoming>, key: &str) -> Option<String> {
    let has = |name, token: &str| {
        let values = response.headers().get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    if !has(UPGRADE, "websocket") {
        return Some("the reply 101 does not upgrade to `websocket`".to_owned());
    }
    if !has(CONNECTION, "upgrade") {
        return Some("the reply 101 lacks `Connection: Upgrade`".to_owned());
    }
    let accept = response.headers().get(SEC_WEBSOCKET_ACCEPT);
    if accept.is_none_or(|accept| accept.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes()) {
        return Some("the reply 101 does not answer this request's Sec-WebSocket-Key: a cache may have given it".to_owned());
    }
    None
}

fn reply(response: &Response<Incoming>, body: String) -> Reply {
    let reason = match response.extensions().get::<ReasonPhrase>() {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => response.status().canonical_reason().unwrap_or_default().to_owned(),
    };
    let headers = response.headers().iter().take(MOST_HEADERS);
    let headers = headers.map(|(name, value)| match name {
        // A verdict is kept in logs, where no session belongs.
        &SET_COOKIE => (name.to_string(), "(not shown)".to_owned()),
        name => (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()),
    });
    Reply { status: response.status().as_u16(), reason, headers: headers.collect(), body }
}

/// How a body begins. Its end may never come, and an error in it says nothing that the reply does not.
async fn body(body: &mut Incoming) -> String {
    let mut kept = Vec::new();
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            kept.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            if kept.len() >= BODY {
                break;
            }
        }
    };
    drop(timeout(BODY_PATIENCE, read).await);
    kept.truncate(BODY);
    String::from_utf8_lossy(&kept).into_owned()
}

fn failure(kind: ExchangeFailureKind, text: String) -> ExchangeFailure {
    ExchangeFailure { kind, text, received: None }
}

fn late(patience: Duration) -> ExchangeFailure {
    failure(ExchangeFailureKind::TimedOut, format!("no reply in {} s", patience.as_secs_f32()))
}

fn no_reply(error: &Error, heard: &Heard) -> ExchangeFailure {
    match error.is_parse() {
        true => ExchangeFailure {
            kind: ExchangeFailureKind::NotHttp,
            text: "the answer is no HTTP".to_owned(),
            received: heard.preview(),
        },
        false => failure(ExchangeFailureKind::Closed, words(error)),
    }
}

/// An error and its causes.
fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let is_end = |error: &(dyn std::error::Error + 'static)| {
        error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::UnexpectedEof)
    };
    // rustls explains this with the address of a manual.
    if causes.clone().any(is_end) {
        return "the connection was closed without a goodbye of TLS".to_owned();
    }
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
