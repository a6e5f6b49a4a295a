//! The HTTP half: requests in, replies out, and nothing decided about load balancers.
//!
//! One endpoint serves every service at `POST /`, as the services' own clients expect when an endpoint URL is set. The paths
//! under `/_elbws/` are the sandbox's own.

mod admin;
mod call;
mod guard;
mod reply;
mod scope;
mod xml;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Router, middleware};
use jiff::Timestamp;

use self::call::Call;
use self::reply::Wire;
use super::control::{ApiError, Element};
use super::faults::{FaultError, FaultKind};
use super::log::LogEntry;
use super::shared::Shared;

/// The largest body of a request, in bytes; an upload of a certificate with its chain stays far below.
const MAX_BODY: usize = 1024 * 1024;

/// Everything the sandbox answers.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let admin = Router::new()
        .route("/reset", post(admin::reset))
        .route("/faults", get(admin::faults).post(admin::inject).delete(admin::clear_faults))
        .route("/log", get(admin::log).delete(admin::clear_log))
        .route("/counts", get(admin::counts))
        .route("/listeners", get(admin::listeners))
        .route("/traffic-log", get(admin::traffic_log))
        .route("/switches", get(admin::switches).put(admin::set_switches))
        .layer(middleware::from_fn(guard::no_web_page));
    Router::new()
        .route("/", any(serve))
        .nest("/_elbws", admin)
        .layer(middleware::from_fn(guard::loopback_host))
        .with_state(shared)
}

/// Reads a body that is not too large.
async fn read_body(body: Body) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::with_status("RequestEntityTooLarge", 413, format!("A request has at most {MAX_BODY} bytes"));
    axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| too_large())
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if request.method() != axum::http::Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "The sandbox speaks the AWS query protocol: POST /\n").into_response();
    }
    let (head, body) = request.into_parts();
    let id = shared.next_request_id();
    let mut entry = LogEntry {
        time: Timestamp::now(),
        request_id: id,
        service: None,
        action: None,
        region: None,
        balancer: None,
        status: 0,
        error: None,
        mutating: false,
    };
    let call = match read_body(body).await {
        Ok(body) => Call::read(&head.headers, &body, entry.time),
        Err(error) => Err((Wire::of_headers(&head.headers), error)),
    };
    let (wire, action, outcome) = match call {
        Err((wire, error)) => (wire, None, Some(Err(error))),
        Ok(call) => {
            call.describe(&mut entry);
            (call.wire, Some(call.action.name), run(&shared, &call).await)
        }
    };
    let Some(outcome) = outcome else {
        shared.record(entry);
        return disconnect();
    };
    let outcome = outcome.map_err(|error| wire.name(error));
    entry.status = outcome.as_ref().map_or_else(|error| error.status, |_| 200);
    entry.error = outcome.as_ref().err().map(|error| error.code.clone());
    let response = reply::write(wire, action.unwrap_or_default(), &entry.request_id, outcome);
    tracing::debug!(action = ?entry.action, balancer = ?entry.balancer, status = entry.status, error = ?entry.error, "sandbox");
    shared.record(entry);
    response
}

/// Runs a call and whatever fault waits for it. `None` means: close the connection without an answer.
async fn run(shared: &Shared, call: &Call) -> Option<Result<Element, ApiError>> {
    let verdict = shared.strike(call.action.name);
    if verdict.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(verdict.latency_ms)).await;
    }
    let injected = |error: FaultError| ApiError::with_status(&error.code, error.status, error.message);
    match verdict.kind {
        Some(FaultKind::ErrorBefore(error)) => Some(Err(injected(error))),
        Some(FaultKind::DisconnectBefore) => None,
        Some(FaultKind::ErrorAfter(error)) => {
            Some(shared.answer(call.action, &call.request).and_then(|_| Err(injected(error))))
        }
        Some(FaultKind::DisconnectAfter) => {
            // The caller will never learn how it ended.
            let _ = shared.answer(call.action, &call.request);
            None
        }
        Some(FaultKind::LatencyMs(_)) | None => Some(shared.answer(call.action, &call.request)),
    }
}

/// A response that breaks off before its first byte: its body fails before anything of it was sent.
fn disconnect() -> Response {
    let broken = std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "injected");
    Response::new(Body::from_stream(futures::stream::once(async { Err::<Bytes, _>(broken) })))
}
