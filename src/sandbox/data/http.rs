//! HTTP and HTTPS listeners: each request goes to the next instance, over a connection of its own, and never with a PROXY line.
//!
//! The service keeps connections to instances and uses them again; here every request gets a fresh one.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1 as client;
use hyper::ext::ReasonPhrase;
use hyper::header::{HOST, HeaderValue};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;

use super::connection::Connection;
use super::idle::{Activity, Watched};
use super::relay::Stream;
use super::route::Route;
use super::{backend_tls, balance, forwarding};

/// The largest header of a request or a response, in bytes.
const MAX_HEADER: usize = 64 * 1024;

/// The longest method, in bytes.
const MAX_METHOD: usize = 127;

/// How long the TLS handshake with an instance may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

type Body = Either<Incoming, Empty<Bytes>>;

/// A client's connection while it is served.
struct Front {
    connection: Connection,
    activity: Arc<Activity>,
    /// Whether an instance is to answer: then its time is measured, not the client's.
    waiting: AtomicBool,
}

/// Serves the requests of a connection, until it ends or is silent for too long.
pub(super) async fn serve(connection: Connection, stream: Stream) {
    let Some(idle_timeout) = connection.route().map(|route| route.idle_timeout) else { return };
    let activity = Arc::new(Activity::new());
    let stop = connection.stop.clone();
    let front = Arc::new(Front { connection, activity: activity.clone(), waiting: AtomicBool::new(false) });
    let service = service_fn(|request| {
        let front = front.clone();
        async move { Ok::<_, Infallible>(front.answer(request).await) }
    });
    let served = server::Builder::new()
        .preserve_header_case(true)
        // A client that has said all it wants to say may close its half and wait for the answer.
        .half_close(true)
        .auto_date_header(false)
        .max_header_size(MAX_HEADER)
        .serve_connection(TokioIo::new(Watched::new(stream, activity.clone())), service);
    tokio::pin!(served);
    let mut stopping = false;
    loop {
        tokio::select! {
            // An error is the client's: it sent nonsense and was told so, or it went away.
            _ = served.as_mut() => return,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                served.as_mut().graceful_shutdown();
            }
            () = front.idle(idle_timeout) => return,
        }
    }
}

impl Front {
    /// Waits until the client's connection is idle.
    async fn idle(&self, limit: Duration) {
        loop {
            self.activity.idle_for(limit).await;
            if !self.waiting.load(Ordering::Relaxed) {
                return;
            }
            // The answer that is due now counts as activity.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        if request.method().as_str().len() > MAX_METHOD || request.method() == Method::CONNECT {
            return refusal(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
        }
        let Some(route) = self.connection.route() else { return unavailable() };
        self.waiting.store(true, Ordering::Relaxed);
        let response = self.forward(route, request).await;
        self.activity.mark();
        self.waiting.store(false, Ordering::Relaxed);
        response
    }

    async fn forward(&self, route: Route, mut request: Request<Incoming>) -> Response<Body> {
        let connection = &self.connection;
        let port = connection.key.load_balancer_port;
        if !request.headers().contains_key(HOST)
            && let Ok(host) = HeaderValue::from_str(&route.dns_name)
        {
            request.headers_mut().insert(HOST, host);
        }
        *request.version_mut() = Version::HTTP_11;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let Ok(path) = path.parse::<Uri>() else { return refusal(StatusCode::BAD_REQUEST, "BAD_REQUEST") };
        *request.uri_mut() = path;
        forwarding::forward(request.headers_mut(), connection.client.ip(), route.protocol.is_secure(), port);
        let Some(chosen) = balance::connect(&connection.plane, &connection.key, &route).await else { return unavailable() };
        let instance = chosen.instance.clone();
        let failed = |why: String, is_nonsense: bool| {
            connection.note(format!("instance {instance} port {} did not answer: {why}", route.instance_port));
            match is_nonsense {
                true => refusal(StatusCode::BAD_GATEWAY, "BAD_GATEWAY"),
                false => refusal(StatusCode::GATEWAY_TIMEOUT, "GATEWAY_TIMEOUT"),
            }
        };
        let mut sender = match self.open(&route, chosen).await {
            Ok(sender) => sender,
            Err(error) => return failed(error.to_string(), false),
        };
        let answered = tokio::select! {
            answered = sender.send_request(request) => answered,
            () = self.activity.idle_for(route.idle_timeout) => {
                return failed(format!("nothing came for {} seconds", route.idle_timeout.as_secs()), false);
            }
        };
        match answered {
            Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                failed("it switched protocols without being asked to".to_owned(), true)
            }
            Ok(mut response) => {
                forwarding::remove_hop_by_hop(response.headers_mut());
                *response.version_mut() = Version::HTTP_11;
                response.map(Either::Left)
            }
            // An instance that closes instead of answering counts as one that answers too late (elb-facts, HTTP 504).
            Err(error) => failed(error.to_string(), error.is_parse()),
        }
    }

    /// Opens the connection to an instance for one request.
    async fn open(&self, route: &Route, chosen: balance::Chosen) -> std::io::Result<client::SendRequest<Incoming>> {
        let connection = &self.connection;
        let gone = || std::io::Error::other("it is not registered any more");
        let registration = connection.registration(&chosen.instance).ok_or_else(gone)?;
        let stream: Stream = match route.instance_protocol.is_secure() {
            true => {
                let address = chosen.stream.peer_addr()?.ip();
                let handshake = backend_tls::connect(chosen.stream, address, route.keys.clone());
                tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await??
            }
            false => Box::new(chosen.stream),
        };
        let io = TokioIo::new(Watched::new(stream, self.activity.clone()));
        let mut builder = client::Builder::new();
        builder.preserve_header_case(true).max_header_size(MAX_HEADER);
        let (sender, exchange) = builder.handshake(io).await.map_err(std::io::Error::other)?;
        let cut = connection.plane.cut.clone();
        connection.plane.tasks.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = registration.cancelled() => {}
                // Errors reach whoever waits for the response or reads its body.
                _ = exchange => {}
            }
        });
        Ok(sender)
    }
}

/// What the service answers when no instance can be asked.
fn unavailable() -> Response<Body> {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable: Back-end server is at capacity")
}

fn refusal(status: StatusCode, reason: &'static str) -> Response<Body> {
    let mut response = Response::new(Either::Right(Empty::new()));
    *response.status_mut() = status;
    response.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
    response
}
