//! The sandbox's own paths, `/_elbws/...`, in JSON: reset, faults, log, counts, switches, listeners, traffic log. They need no signature.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::read_body;
use crate::sandbox::control::Switches;
use crate::sandbox::faults::Fault;
use crate::sandbox::listing::OpenListener;
use crate::sandbox::log::{Counts, LogEntry};
use crate::sandbox::notes::TrafficNote;
use crate::sandbox::shared::Shared;

/// `POST /_elbws/reset`: back to the seed, without faults and with an empty log.
pub(super) async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}

/// `GET /_elbws/faults`: the faults that have not happened yet.
pub(super) async fn faults(State(shared): State<Arc<Shared>>) -> Json<Vec<Fault>> {
    Json(shared.faults())
}

/// `POST /_elbws/faults`: adds a list of faults.
pub(super) async fn inject(State(shared): State<Arc<Shared>>, body: Body) -> Response {
    let faults: Vec<Fault> = match read(body).await {
        Ok(faults) => faults,
        Err(refusal) => return refusal,
    };
    match shared.inject(faults) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refuse(&error.to_string()),
    }
}

/// `DELETE /_elbws/faults`: no more faults.
pub(super) async fn clear_faults(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.clear_faults();
    StatusCode::NO_CONTENT
}

/// `GET /_elbws/log`: the last requests, oldest first.
pub(super) async fn log(State(shared): State<Arc<Shared>>) -> Json<Vec<LogEntry>> {
    Json(shared.log())
}

/// `DELETE /_elbws/log`: empties the log and sets the counts to zero.
pub(super) async fn clear_log(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.clear_log();
    StatusCode::NO_CONTENT
}

/// `GET /_elbws/counts`: calls by action.
pub(super) async fn counts(State(shared): State<Arc<Shared>>) -> Json<Counts> {
    Json(shared.counts())
}

/// `GET /_elbws/listeners`: where each listener really is, or why it is not open.
pub(super) async fn listeners(State(shared): State<Arc<Shared>>) -> Json<Vec<OpenListener>> {
    Json(shared.listing().borrow().listeners.to_vec())
}

/// `GET /_elbws/traffic-log`: what went wrong, or is done otherwise than the service does it; oldest first.
pub(super) async fn traffic_log(State(shared): State<Arc<Shared>>) -> Json<Vec<TrafficNote>> {
    Json(shared.notes().all())
}

/// `GET /_elbws/switches`.
pub(super) async fn switches(State(shared): State<Arc<Shared>>) -> Json<Switches> {
    Json(shared.switches())
}

/// `PUT /_elbws/switches`: sets all switches; those that are not named get their defaults.
pub(super) async fn set_switches(State(shared): State<Arc<Shared>>, body: Body) -> Response {
    match read(body).await {
        Ok(switches) => {
            shared.set_switches(switches);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => refusal,
    }
}

/// Reads a JSON body, whatever content type it claims: `curl -d` claims the wrong one.
async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Response> {
    let body = read_body(body).await.map_err(|error| refuse(&error.message))?;
    serde_json::from_slice(&body).map_err(|error| refuse(&error.to_string()))
}

fn refuse(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response()
}
