//! The AWS adapter over the wire, against servers that answer in ways the sandbox never would.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use elbws::cloud::aws::{Aws, AwsOptions, StaticCredentials};
use elbws::cloud::{Cloud, CloudError, CloudErrorKind};
use elbws::model::{Protocol, policy_type};

/// An answer: the status and the body.
type Answer = (u16, String);

/// A server that answers every action alike or each in its own way, after a while, and keeps what clients say of themselves.
struct Server {
    address: SocketAddr,
    user_agents: Arc<Mutex<Vec<String>>>,
}

async fn serve(delay: Duration, answers: BTreeMap<&'static str, Answer>) -> Server {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let user_agents = Arc::new(Mutex::new(Vec::new()));
    let heard = user_agents.clone();
    let answer = move |headers: HeaderMap, body: String| {
        let (answers, heard) = (answers.clone(), heard.clone());
        async move {
            let says = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            heard.lock().expect("unharmed").push(format!("{} {}", says("user-agent"), says("x-amz-user-agent")));
            tokio::time::sleep(delay).await;
            let action = body.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default().to_owned();
            let (status, body) = answers.get(action.as_str()).or(answers.get("*")).cloned().unwrap_or((404, String::new()));
            (StatusCode::from_u16(status).expect("a status"), [("x-amzn-requestid", "r-2")], body).into_response()
        }
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    Server { address, user_agents }
}

async fn client(server: &Server) -> Aws {
    let credentials =
        StaticCredentials { access_key_id: "AKIDPLANTED".to_owned(), secret_access_key: "planted-secret".to_owned() };
    let options = AwsOptions {
        region: Some("eu-west-1".to_owned()),
        endpoint_url: Some(format!("http://{}", server.address)),
        credentials: Some(credentials),
        profile: None,
    };
    Aws::connect(&options).await.expect("a region is set")
}

fn reply(action: &str, result: &str) -> Answer {
    let namespace = "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/";
    let metadata = "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>";
    (
        200,
        format!(
            "<{action}Response xmlns=\"{namespace}\"><{action}Result>{result}</{action}Result>{metadata}</{action}Response>"
        ),
    )
}

/// A balancer with a protocol, a policy type and attributes that no version knows.
fn odd_balancer() -> BTreeMap<&'static str, Answer> {
    let listener = "<member><Listener><Protocol>quic</Protocol><LoadBalancerPort>443</LoadBalancerPort><InstanceProtocol>QUIC</InstanceProtocol><InstancePort>80</InstancePort></Listener><PolicyNames/></member>";
    let balancer = format!(
        "<LoadBalancerDescriptions><member><LoadBalancerName>chat</LoadBalancerName><ListenerDescriptions>{listener}</ListenerDescriptions>\
         <BackendServerDescriptions><member><InstancePort>80</InstancePort><PolicyNames><member>future</member></PolicyNames></member><member><InstancePort>81</InstancePort><PolicyNames/></member></BackendServerDescriptions>\
         <Scheme>sideways</Scheme></member></LoadBalancerDescriptions>"
    );
    let policies = "<PolicyDescriptions><member><PolicyName>future</PolicyName><PolicyTypeName>FuturePolicyType</PolicyTypeName><PolicyAttributeDescriptions><member><AttributeName>Key</AttributeName><AttributeValue>1</AttributeValue></member><member><AttributeName>Key</AttributeName><AttributeValue>2</AttributeValue></member></PolicyAttributeDescriptions></member></PolicyDescriptions>";
    let attributes = "<LoadBalancerAttributes><ConnectionSettings><IdleTimeout>60</IdleTimeout></ConnectionSettings></LoadBalancerAttributes>";
    BTreeMap::from([
        ("DescribeLoadBalancers", reply("DescribeLoadBalancers", &balancer)),
        ("DescribeLoadBalancerPolicies", reply("DescribeLoadBalancerPolicies", policies)),
        ("DescribeLoadBalancerAttributes", reply("DescribeLoadBalancerAttributes", attributes)),
        ("DescribeTags", reply("DescribeTags", "<TagDescriptions/>")),
    ])
}

#[tokio::test]
async fn unknown_values_are_kept() {
    let server = serve(Duration::ZERO, odd_balancer()).await;
    let balancer = client(&server).await.read("chat").await.expect("it is readable");
    assert_eq!(balancer.listeners[&443].protocol, Protocol::Other("QUIC".to_owned()));
    assert_eq!(balancer.policies["future"].policy_type, "FuturePolicyType");
    assert_eq!(balancer.policies["future"].attributes["Key"].len(), 2);
    assert_ne!(balancer.policies["future"].policy_type, policy_type::PROXY_PROTOCOL);
    assert_eq!(balancer.scheme, "sideways");
    assert_eq!(balancer.backend_policies.keys().collect::<Vec<_>>(), [&80], "a port without policies has no entry");
    assert_eq!(balancer.health_check, None);
}

#[tokio::test]
async fn the_reads_of_a_balancer_go_out_at_the_same_time() {
    let server = serve(Duration::from_millis(400), odd_balancer()).await;
    let client = client(&server).await;
    let started = Instant::now();
    client.read("chat").await.expect("it is readable");
    assert!(started.elapsed() < Duration::from_millis(800), "four calls took {:?}: two in a row", started.elapsed());
}

#[tokio::test]
async fn the_user_agent_names_elbws() {
    let server = serve(Duration::ZERO, odd_balancer()).await;
    client(&server).await.read("chat").await.expect("it is readable");
    let heard = server.user_agents.lock().expect("unharmed").clone();
    let ours = format!("elbws/{}", env!("CARGO_PKG_VERSION"));
    assert!(heard.len() == 4 && heard.iter().all(|agent| agent.contains(&ours)), "{heard:?}");
}

/// The error of reading a balancer from a server that answers everything with this.
async fn error_of(answer: Answer) -> CloudError {
    let server = serve(Duration::ZERO, BTreeMap::from([("*", answer)])).await;
    let started = Instant::now();
    let error = client(&server).await.read("chat").await.expect_err("the answer is wrong");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    let text = format!("{error} {error:?}");
    assert!(!text.contains("planted") && !text.contains("PLANTED"), "a credential is in {text}");
    assert!(!error.message.contains(['\n', '\u{1b}']), "{:?}", error.message);
    error
}

fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r-2</RequestId></ErrorResponse>"
    )
}

#[tokio::test]
async fn refusals_keep_code_message_and_request_id() {
    let error = error_of((403, refusal("AccessDenied", "User: x is not authorized\n to perform"))).await;
    assert_eq!(error.kind, CloudErrorKind::AccessDenied);
    assert_eq!(error.action, "elasticloadbalancing:DescribeLoadBalancers");
    assert_eq!(
        error.to_string(),
        "DescribeLoadBalancers failed: AccessDenied: User: x is not authorized to perform (request id r-2)"
    );
    for (code, kind) in [
        ("LoadBalancerNotFound", CloudErrorKind::LoadBalancerNotFound),
        ("ExpiredToken", CloudErrorKind::Credentials),
        ("InvalidClientTokenId", CloudErrorKind::Credentials),
        ("DependencyThrottle", CloudErrorKind::Throttled),
        ("SomethingNew", CloudErrorKind::Refused),
    ] {
        assert_eq!(error_of((400, refusal(code, "no"))).await.kind, kind, "{code}");
    }
}

#[tokio::test]
async fn broken_answers_are_one_clear_error() {
    for (answer, kind) in [
        ((200, "<html><body>Sign in to the hotel's network</body></html>".to_owned()), CloudErrorKind::BadReply),
        ((200, "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><Load".to_owned()), CloudErrorKind::BadReply),
        ((200, refusal("AccessDenied", "no")), CloudErrorKind::BadReply),
        ((302, String::new()), CloudErrorKind::BadReply),
        (reply("DescribeLoadBalancers", "<LoadBalancerDescriptions/>"), CloudErrorKind::BadReply),
    ] {
        let body = answer.1.clone();
        assert_eq!(error_of(answer).await.kind, kind, "{body}");
    }
    assert_eq!(error_of((503, "<html>busy</html>".to_owned())).await.kind, CloudErrorKind::ServiceFault);
}

#[tokio::test]
async fn an_endpoint_where_nobody_listens_is_unreachable() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let server = Server { address: free, user_agents: Arc::default() };
    let error = client(&server).await.read("chat").await.expect_err("nobody listens");
    assert_eq!(error.kind, CloudErrorKind::Unreachable, "{error}");
}
