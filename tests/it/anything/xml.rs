//! The XML that the adapter reads, through the real SDK: a server answers one of the four reads with any bytes, and the adapter
//! either understands a whole balancer or says what is wrong, soon.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use elbws::cloud::aws::{Aws, AwsOptions, StaticCredentials};
use elbws::cloud::{Cloud, CloudErrorKind};
use elbws::model::Balancer;

/// The reads of a balancer, and what a healthy service answers.
pub(crate) const READS: [(&str, &str); 4] = [
    ("DescribeLoadBalancers", include_str!("../../fuzz/seeds/reply/DescribeLoadBalancers.xml")),
    ("DescribeLoadBalancerPolicies", include_str!("../../fuzz/seeds/reply/DescribeLoadBalancerPolicies.xml")),
    ("DescribeLoadBalancerAttributes", include_str!("../../fuzz/seeds/reply/DescribeLoadBalancerAttributes.xml")),
    ("DescribeTags", include_str!("../../fuzz/seeds/reply/DescribeTags.xml")),
];

/// The number of the read that bytes look like the answer of.
pub(crate) fn read_of(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    let named = READS.iter().position(|(action, _)| text.contains(&format!("<{action}Response")));
    named.unwrap_or(bytes.len() % READS.len())
}

/// Longer than any answer that came may take to be understood.
const PATIENCE: Duration = Duration::from_secs(10);

type Answers = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// A server and the adapter that asks it.
pub(crate) struct Reader {
    aws: Aws,
    answers: Answers,
}

impl Reader {
    pub(crate) async fn start() -> Self {
        let answers = Answers::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(answers.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let (access_key_id, secret_access_key) = ("AKIDLOCAL".to_owned(), "secret".to_owned());
        let options = AwsOptions {
            region: Some("eu-anything-1".to_owned()),
            endpoint_url: Some(url),
            credentials: Some(StaticCredentials { access_key_id, secret_access_key }),
            profile: None,
        };
        Reader { aws: Aws::connect(&options).await.unwrap(), answers }
    }

    /// Answers the read of this number with these bytes, the others as a healthy service would.
    pub(crate) async fn check(&self, read: usize, bytes: &[u8]) {
        let healthy = READS.iter().map(|(action, text)| ((*action).to_owned(), text.as_bytes().to_vec()));
        let mut answers: BTreeMap<_, _> = healthy.collect();
        let (action, text) = READS[read % READS.len()];
        answers.insert(action.to_owned(), bytes.to_vec());
        *self.answers.lock().unwrap() = answers;
        let read = tokio::time::timeout(PATIENCE, self.aws.read("chat")).await.expect("it ends in time");
        match read {
            Ok(balancer) => {
                let json = serde_json::to_string(&balancer).expect("a balancer is JSON");
                assert_eq!(serde_json::from_str::<Balancer>(&json).expect("what was written can be read"), balancer);
            }
            Err(error) => {
                assert_ne!(bytes, text.as_bytes(), "a healthy answer is refused: {error}");
                assert_eq!(error.kind, CloudErrorKind::BadReply, "{error}");
                let tame = error.message.chars().all(|c| !c.is_control()) && error.message.len() < 3000;
                assert!(tame && !error.message.is_empty(), "{error}");
            }
        }
    }
}

async fn answer(State(answers): State<Answers>, body: Bytes) -> (StatusCode, Vec<u8>) {
    let body = String::from_utf8_lossy(&body).into_owned();
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default();
    match answers.lock().unwrap().get(action) {
        Some(bytes) => (StatusCode::OK, bytes.clone()),
        None => (StatusCode::NOT_FOUND, Vec::new()),
    }
}
