//! `elbws verify` against what really goes wrong: the real binary, the sandbox's traffic, a real nginx. The numbers are those of
//! elb-facts section 4.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use elbws::sandbox::{InstanceState, Sandbox};
use serde_json::Value;

use crate::support::nginx::{Nginx, PASS_UPGRADE, application};
use crate::support::traffic::{INSTANCE, health, instances, seed, start, start_at};

const URL: &str = "wss://chat.example.com/ws";

/// What `elbws verify` says as JSON, and its exit code.
struct Verdict {
    json: Value,
    status: i32,
    stderr: String,
}

impl Verdict {
    fn cause(&self) -> &str {
        self.json["diagnoses"][0]["cause"].as_str().unwrap_or_default()
    }

    #[track_caller]
    fn is(&self, status: i32, cause: &str, certain: bool) -> &Self {
        assert_eq!((self.status, self.cause()), (status, cause), "{:#}\n{}", self.json, self.stderr);
        assert_eq!(self.json["diagnoses"][0]["certain"], certain, "{:#}", self.json);
        self
    }

    #[track_caller]
    fn says(&self, text: &str) -> &Self {
        let diagnosis = self.json["diagnoses"][0].to_string();
        assert!(diagnosis.contains(text), "`{text}` is not in {diagnosis}");
        self
    }

    #[track_caller]
    fn works(&self) -> &Self {
        assert_eq!((self.status, &self.json["proven"]), (0, &Value::Bool(true)), "{:#}\n{}", self.json, self.stderr);
        self
    }
}

/// Runs the binary beside a sandbox, with its environment and its root.
async fn elbws(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("root.pem"), sandbox.authority().root_pem()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.args(arguments).env_clear().envs(sandbox.environment()).current_dir(folder.path());
    tokio::task::spawn_blocking(move || {
        let output = command.output().unwrap();
        drop(folder);
        output
    })
    .await
    .unwrap()
}

/// Verifies with both views.
async fn verify(sandbox: &Sandbox, arguments: &[&str]) -> Verdict {
    verify_url(sandbox, URL, &[&["--elb", "chat", "--ca", "root.pem"], arguments].concat()).await
}

/// Verifies as a client does who knows nothing of the balancer.
async fn verify_alone(sandbox: &Sandbox, port: u16, arguments: &[&str]) -> Verdict {
    let place = crate::support::traffic::address(sandbox, port).to_string();
    verify_url(sandbox, URL, &[&["--connect-to", &place, "--ca", "root.pem"], arguments].concat()).await
}

async fn verify_url(sandbox: &Sandbox, url: &str, arguments: &[&str]) -> Verdict {
    let output = elbws(sandbox, &[&["verify", url, "--format", "json", "--timeout", "5s"], arguments].concat()).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    Verdict { json, status: output.status.code().unwrap(), stderr }
}

/// A sandbox whose instance port 80 is at an address.
async fn balancer(listeners: &[&str], proxied: &[u16], at: SocketAddr) -> Sandbox {
    start(&seed(listeners, proxied, &[INSTANCE], "TCP:80"), &[(80, at)]).await
}

async fn balancer_with_idle_timeout(seconds: u32, at: SocketAddr) -> Sandbox {
    let seed = seed(&["SSL:443/TCP:80"], &[80], &[INSTANCE], "TCP:80");
    let idle = format!("name = \"chat\"\nattributes = {{ idle_timeout = {seconds} }}\nlisteners");
    start(&seed.replace("name = \"chat\"\nlisteners", &idle), &[(80, at)]).await
}

/// An nginx as it should be, before the application; `listen` and `extra` make it otherwise.
fn nginx(listen: &str, extra: &str, application: SocketAddr) -> Nginx {
    Nginx::start(listen, &format!("{extra} location / {{ proxy_pass http://{application}; {PASS_UPGRADE} }}"))
}

const TRUSTED: &str = "set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;";

#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn what_works_is_proven_with_the_clients_address() {
    let nginx = nginx("proxy_protocol", TRUSTED, application().await);
    let sandbox = balancer(&["SSL:443/TCP:80"], &[80], nginx.address).await;
    let verdict = verify(&sandbox, &["--message", "{\"say\":\"{token}\"}", "--count", "20"]).await;
    assert_eq!(verdict.works().json["client_address"]["is"], "this_machine", "{:#}", verdict.json);
    assert_eq!(verdict.json["diagnoses"], serde_json::json!([]));
    let stages: Vec<&str> =
        verdict.json["stages"].as_array().unwrap().iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["name", "tcp", "tls", "http", "upgrade", "message", "count"]);
    assert_eq!(verdict.json["stages"][6]["open"], 20);

    let text = elbws(&sandbox, &["verify", URL, "--elb", "chat", "--ca", "root.pem"]).await;
    let text = String::from_utf8(text.stdout).unwrap();
    for line in
        ["101 Switching Protocols", "200 OK, server nginx/", "this machine's address", "Proven: the WebSocket works."]
    {
        assert!(text.contains(line), "`{line}` is not in\n{text}");
    }
}

/// 1: what users know as "Unexpected response code: 400", or 426.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn an_https_listener_swallows_the_upgrade() {
    let nginx = nginx("", "", application().await);
    let sandbox = balancer(&["HTTPS:443/HTTP:80"], &[], nginx.address).await;
    verify(&sandbox, &[])
        .await
        .is(1, "http_listener", true)
        .says("HTTPS listener on port 443")
        .says("elbws apply --elb chat");
    verify_alone(&sandbox, 443, &[]).await.is(1, "http_listener", false).says("--elb NAME");
}

/// 2: 400 to every request, and `PROXY TCP4` in the access log.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn an_nginx_that_does_not_expect_the_proxy_line_refuses_everything() {
    let nginx = nginx("", "", application().await);
    let sandbox = balancer(&["SSL:443/TCP:80"], &[80], nginx.address).await;
    verify(&sandbox, &[])
        .await
        .is(1, "unexpected_proxy_line", true)
        .says("to instance port 80, and nginx there does not expect it")
        .says("listen 80 proxy_protocol");
    assert!(nginx.log("access.log").contains("\"PROXY TCP4 "), "{}", nginx.log("access.log"));
    verify_alone(&sandbox, 443, &[]).await.is(1, "unexpected_proxy_line", false);
}

/// 3: an empty reply, and `broken header` in the error log.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn an_nginx_that_expects_the_proxy_line_closes_without_it() {
    let nginx = nginx("proxy_protocol", TRUSTED, application().await);
    let sandbox = balancer(&["SSL:443/TCP:80"], &[], nginx.address).await;
    verify(&sandbox, &[])
        .await
        .is(1, "missing_proxy_line", true)
        .says("instance port 80 has no policy that sends it")
        .says("elbws apply --elb chat");
    assert!(nginx.log("error.log").contains("broken header: \"GET / HTTP/1.1"), "{}", nginx.log("error.log"));
    verify_alone(&sandbox, 443, &[]).await.is(1, "missing_proxy_line", false);
    // The policy is there, but on a port that the listener does not reach.
    let elsewhere = balancer(&["SSL:443/TCP:80", "TCP:8080/TCP:8080"], &[8080], nginx.address).await;
    verify(&elsewhere, &[]).await.is(1, "missing_proxy_line", true).says("attached to instance port 8080");
}

/// 4: the check has no header, the instance is out of service, and nobody is connected to it.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn an_http_health_check_on_a_proxy_port_takes_the_instance_out() {
    let nginx = nginx("proxy_protocol", TRUSTED, application().await);
    let seed = seed(&["SSL:443/TCP:80"], &[80], &[INSTANCE], "HTTP:80/");
    let places = instances(&[(INSTANCE, &[(80, nginx.address)])]);
    let sandbox = start_at([127, 0, 0, 1].into(), &seed, places).await;
    // Out of service from the start for want of checks; what is waited for is that one was made, and refused.
    let begun = Instant::now();
    while !nginx.log("error.log").contains("broken header") {
        assert!(begun.elapsed() < Duration::from_secs(20), "no check was made");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    health(&sandbox, INSTANCE, InstanceState::OutOfService).await;
    verify(&sandbox, &[])
        .await
        .is(1, "health_check_on_proxy_port", true)
        .says("HTTP:80/ cannot pass")
        .says("i-00000001 is out of service");
}

/// 5: the header travels inside TLS; nginx finds binary bytes where it should be, or takes it for a request.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn a_proxy_line_inside_tls_reaches_nobody() {
    let pem = rcgen::generate_simple_self_signed(vec!["instance".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, pem.cert.pem()).unwrap();
    std::fs::write(&key, pem.signing_key.serialize_pem()).unwrap();
    let tls = format!("ssl_certificate {}; ssl_certificate_key {};", certificate.display(), key.display());
    for listen in ["ssl proxy_protocol", "ssl"] {
        let nginx = nginx(listen, &tls, application().await);
        let sandbox = balancer(&["SSL:443/SSL:80"], &[80], nginx.address).await;
        verify(&sandbox, &[])
            .await
            .is(1, "proxy_line_inside_tls", true)
            .says("encrypts to instance port 80")
            .says("--listener SSL:443/TCP:80");
        let broken = nginx.log("error.log").contains("broken header: \"") || nginx.log("access.log").contains("PROXY TCP4");
        assert!(broken, "{}\n{}", nginx.log("error.log"), nginx.log("access.log"));
    }
}

/// 7: the balancer's idle timeout, to the second; and pings keep the connection open.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn the_balancers_idle_timeout_is_measured_and_pings_cure_it() {
    let nginx = nginx("proxy_protocol", TRUSTED, application().await);
    let sandbox = balancer_with_idle_timeout(2, nginx.address).await;
    let verdict = verify(&sandbox, &["--idle", "30s"]).await;
    verdict
        .is(1, "balancer_idle_timeout", true)
        .says("silent for 2 s: its idle timeout")
        .says("with a ping every 1 s it stayed open for 3 s")
        .says("--idle-timeout 40");
    let held = verdict.json["stages"][6]["held_ms"].as_f64().unwrap();
    assert!((1900.0..2400.0).contains(&held), "{held} ms");
    let alone = verify_alone(&sandbox, 443, &["--idle", "30s"]).await;
    alone.is(1, "idle_timeout", false);
    // A silence that is shorter than the timeout is survived.
    verify(&sandbox, &["--idle", "500ms"]).await.works();
}

/// 9: the balancer would wait, nginx does not.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn a_server_that_is_less_patient_than_the_balancer_is_found() {
    let nginx = nginx("proxy_protocol", &format!("{TRUSTED} proxy_read_timeout 1s;"), application().await);
    let sandbox = balancer_with_idle_timeout(60, nginx.address).await;
    verify(&sandbox, &["--idle", "30s"])
        .await
        .is(1, "server_idle_timeout", true)
        .says("before the balancer would after 60 s")
        .says("proxy_read_timeout")
        .says("it stayed open");
}

/// 10: everybody seems to come from the balancer.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn an_nginx_that_ignores_the_clients_address_is_found() {
    let application = application().await;
    let source = ["--source", "127.0.0.2"];
    let trusting = nginx("proxy_protocol", TRUSTED, application);
    let sandbox = balancer(&["SSL:443/TCP:80"], &[80], trusting.address).await;
    let verdict = verify(&sandbox, &source).await;
    assert_eq!(verdict.works().json["client_address"]["address"], "127.0.0.2");
    assert_eq!(verdict.json["client_address"]["is"], "this_machine");

    let ignoring = nginx("proxy_protocol", "", application);
    let sandbox = balancer(&["SSL:443/TCP:80"], &[80], ignoring.address).await;
    let verdict = verify(&sandbox, &source).await;
    verdict.works().is(0, "client_address_lost", true).says("takes 127.0.0.1").says("real_ip_header proxy_protocol");

    let plain = nginx("", "", application);
    let sandbox = balancer(&["SSL:443/TCP:80"], &[], plain.address).await;
    let verdict = verify(&sandbox, &source).await;
    verdict.works().is(0, "client_address_lost", true).says("sends no PROXY line");
    verify_alone(&sandbox, 443, &source).await.works().is(0, "client_address_lost", true);
}

/// 11: nobody sets X-Forwarded-Proto on a stream.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn an_endless_redirect_is_found() {
    let redirect = "if ($http_x_forwarded_proto != 'https') { return 301 https://$host$request_uri; }";
    let nginx = nginx("proxy_protocol", &format!("{TRUSTED} {redirect}"), application().await);
    let sandbox = balancer(&["SSL:443/TCP:80", "TCP:80/TCP:80"], &[80], nginx.address).await;
    verify(&sandbox, &[]).await.is(1, "redirect_loop", true).says("$proxy_protocol_server_port");
    verify_alone(&sandbox, 443, &[]).await.is(1, "redirect_loop", true);
    // From the plain port the same redirect is right.
    verify_url(&sandbox, "ws://chat.example.com/ws", &["--elb", "chat"])
        .await
        .is(1, "redirected", true)
        .says("connect with wss://");
}

/// 21: one listener works, the other does not.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn an_http_listener_beside_a_tcp_one_on_a_proxy_port_is_found_from_both_sides() {
    let nginx = nginx("proxy_protocol", TRUSTED, application().await);
    let sandbox = balancer(&["SSL:443/TCP:80", "HTTP:80/HTTP:80"], &[80], nginx.address).await;
    let works = verify(&sandbox, &[]).await;
    works.works().is(0, "mixed_listeners", true).says("HTTP:80/HTTP:80 shares its instance port");
    verify_url(&sandbox, "ws://chat.example.com/ws", &["--elb", "chat"])
        .await
        .is(1, "mixed_listeners", true)
        .says("HTTP listener on port 80 does not send it")
        .says("SSL:443/TCP:80 shares the instance port");
}

/// 23: the application gets a plain GET.
#[tokio::test]
#[ignore = "needs nginx: run ./tests/run"]
async fn an_nginx_that_does_not_pass_the_upgrade_on_is_found() {
    let application = application().await;
    let nginx = Nginx::start("proxy_protocol", &format!("{TRUSTED} location / {{ proxy_pass http://{application}; }}"));
    let sandbox = balancer(&["SSL:443/TCP:80"], &[80], nginx.address).await;
    verify(&sandbox, &[])
        .await
        .is(1, "server_does_not_upgrade", true)
        .says("426 Upgrade Required by nginx/")
        .says("proxy_set_header Upgrade $http_upgrade");
    // Without the balancer it looks like an HTTP listener, and is said to be uncertain.
    verify_alone(&sandbox, 443, &[]).await.is(1, "http_listener", false);
}

/// The address that the sandbox prints is not the balancer's.
#[tokio::test]
async fn a_port_of_the_sandbox_is_no_port_of_the_balancer() {
    let sandbox = balancer(&["SSL:443/TCP:80"], &[], application().await).await;
    let url = format!("wss://localhost:{}/ws", crate::support::traffic::address(&sandbox, 443).port());
    let output = elbws(&sandbox, &["verify", &url, "--elb", "chat", "--ca", "root.pem"]).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for says in ["its listeners are on 443", "wss://HOST/ws --elb chat"] {
        assert!(stderr.contains(says), "`{says}` is not in {stderr}");
    }
}

/// Neither the system's roots nor the root of an earlier sandbox are this one's.
#[tokio::test]
async fn a_certificate_of_the_sandbox_is_trusted_with_its_root() {
    let sandbox = balancer(&["SSL:443/TCP:80"], &[], application().await).await;
    let earlier = tempfile::NamedTempFile::new().unwrap();
    let other = balancer(&["SSL:443/TCP:80"], &[], application().await).await;
    std::fs::write(earlier.path(), other.authority().root_pem()).unwrap();
    for ca in [&[][..], &["--ca", earlier.path().to_str().unwrap()]] {
        let verdict = verify_url(&sandbox, URL, &[&["--elb", "chat"], ca].concat()).await;
        verdict.is(1, "certificate_untrusted", true);
        let first = verdict.json["diagnoses"][0]["remedies"][0].as_str().unwrap();
        assert!(first.contains("`elbws sandbox --ca FILE`"), "{first}");
    }
}

/// 24: nothing admits the connection, and nobody says so. A socket whose queue is full drops packets just so.
#[tokio::test]
async fn a_port_that_nobody_admits_hangs() {
    let sandbox = balancer(&["SSL:443/TCP:80"], &[80], application().await).await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(0).unwrap();
    let address = full.local_addr().unwrap();
    let mut queued = Vec::new();
    loop {
        let connecting = tokio::net::TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(300), connecting).await {
            Ok(stream) => queued.push(stream.unwrap()),
            Err(_) => break,
        }
        assert!(queued.len() < 100, "the queue is never full");
    }
    let arguments = ["--elb", "chat", "--ca", "root.pem", "--connect-to", &address.to_string(), "--timeout", "1s"];
    let output = elbws(&sandbox, &[&["verify", URL, "--format", "json"][..], &arguments].concat()).await;
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdict = Verdict { json, status: output.status.code().unwrap(), stderr: String::new() };
    verdict.is(1, "port_hangs", false).says("security groups").says("admit port 443");
    drop((queued, full));
}
