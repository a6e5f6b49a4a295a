//! A service that answers each action with what a test prepared, and remembers what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use elbws::cloud::aws::{Aws, AwsOptions, StaticCredentials};

/// Answers by action; an action without one gets HTTP 404 and an empty body.
#[derive(Default)]
pub(crate) struct Answers {
    /// HTTP status and body.
    pub(crate) by_action: BTreeMap<&'static str, (u16, String)>,
    /// How long every answer takes.
    pub(crate) latency: Duration,
}

/// A running service; it ends with the test's runtime.
pub(crate) struct Wire {
    url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// One request that arrived.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) action: String,
    pub(crate) body: String,
    pub(crate) user_agent: String,
    pub(crate) authorization: String,
}

impl Wire {
    pub(crate) async fn start(answers: Answers) -> Wire {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state((Arc::new(answers), calls.clone()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Wire { url, calls }
    }

    /// The adapter, pointed here. Regions keep the SDK's shared retry budget of one test from another's.
    pub(crate) async fn connect(&self, region: &str) -> Aws {
        Aws::connect(&options(&self.url, region)).await.unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

/// Keys that any local service accepts.
pub(crate) fn options(url: &str, region: &str) -> AwsOptions {
    AwsOptions {
        region: Some(region.to_owned()),
        endpoint_url: Some(url.to_owned()),
        credentials: Some(StaticCredentials {
            access_key_id: "AKIDLOCAL".to_owned(),
            secret_access_key: "very-secret-key".to_owned(),
        }),
        profile: None,
    }
}

type Shared = (Arc<Answers>, Arc<Mutex<Vec<Call>>>);

async fn answer(State((answers, calls)): State<Shared>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let body = String::from_utf8(body.to_vec()).unwrap();
    // The query protocol names the action in the body, the JSON protocol in a header.
    let named = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned);
    let target = text("x-amz-target").rsplit('.').next().unwrap_or_default().to_owned();
    let action = named.unwrap_or(target);
    let (user_agent, authorization) = (text("user-agent"), text("authorization"));
    calls.lock().unwrap().push(Call { action: action.clone(), body, user_agent, authorization });
    tokio::time::sleep(answers.latency).await;
    let (status, body) = answers.by_action.get(action.as_str()).cloned().unwrap_or((404, String::new()));
    (StatusCode::from_u16(status).unwrap(), [("x-amzn-requestid", "r-2")], body)
}
