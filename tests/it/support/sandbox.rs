//! A sandbox to call, the real clients that call it, and a client that can say what they cannot.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_elasticloadbalancing::Client;
use aws_sdk_elasticloadbalancing::config::Credentials;
use aws_sdk_elasticloadbalancing::config::http::HttpResponse;
use aws_sdk_elasticloadbalancing::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_elasticloadbalancing::types::Listener;
use elbws::sandbox::{self, Options, Sandbox, Seed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The seed that most tests begin with.
pub(crate) const CHAT: &str = include_str!("../../../fixtures/chat.toml");

pub(crate) async fn start(seed: &str) -> Sandbox {
    sandbox::start(Options::default(), Seed::from_toml(seed).unwrap()).await.unwrap()
}

/// How the SDK is configured by somebody who pasted the sandbox's environment, without retries.
pub(crate) async fn config(sandbox: &Sandbox, region: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(sandbox.endpoint())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new("sandbox", "sandbox", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .load()
        .await
}

pub(crate) async fn client(sandbox: &Sandbox) -> Client {
    Client::new(&config(sandbox, "eu-west-1").await)
}

/// The code and status of a call that must fail.
pub(crate) fn failure<T: std::fmt::Debug, E>(result: Result<T, SdkError<E, HttpResponse>>) -> (String, u16)
where
    E: ProvideErrorMetadata,
{
    let error = result.expect_err("the call must fail");
    let status = error.raw_response().expect("a reply").status().as_u16();
    (error.code().expect("a code").to_owned(), status)
}

/// A listener in the grammar of `--listener`, with a certificate if there is one.
pub(crate) fn listener(route: &str, certificate: Option<&str>) -> Listener {
    let (front, back) = route.split_once('/').unwrap();
    let (protocol, load_balancer_port) = front.split_once(':').unwrap();
    let (instance_protocol, instance_port) = back.split_once(':').unwrap();
    Listener::builder()
        .protocol(protocol)
        .load_balancer_port(load_balancer_port.parse().unwrap())
        .instance_protocol(instance_protocol)
        .instance_port(instance_port.parse().unwrap())
        .set_ssl_certificate_id(certificate.map(str::to_owned))
        .build()
        .unwrap()
}

/// The ARN of the seed's certificate, as its HTTPS listener has it.
pub(crate) fn certificate(sandbox: &Sandbox) -> String {
    let world = sandbox.world();
    let listener = &world.regions["eu-west-1"].load_balancers["chat"].balancer.listeners[&443];
    listener.certificate.as_ref().unwrap().to_string()
}

/// The header of a request that is signed for a service, as far as the sandbox looks.
pub(crate) fn authorization(service: &str) -> String {
    let signature = "0".repeat(64);
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=sandbox/20260101/eu-west-1/{service}/aws4_request, \
         SignedHeaders=host, Signature={signature}\r\n"
    )
}

/// Sends bytes to the sandbox and gives back what comes, until the connection closes.
pub(crate) async fn raw(sandbox: &Sandbox, method: &str, path: &str, headers: &str, body: &str) -> String {
    let address = sandbox.endpoint().strip_prefix("http://").unwrap().to_owned();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    let length = body.len();
    let request =
        format!("{method} {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before everything was sent.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply).await;
    String::from_utf8(reply).unwrap()
}

/// A call of ELB with exactly these parameters.
pub(crate) async fn query(sandbox: &Sandbox, parameters: &str) -> String {
    raw(sandbox, "POST", "/", &authorization("elasticloadbalancing"), &format!("Version=2012-06-01&{parameters}")).await
}

/// The text between `<name>` and `</name>`.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let after = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}")).1;
    after.split_once(&format!("</{name}>")).unwrap().0
}
