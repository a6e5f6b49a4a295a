//! Health checks: what each kind asks for, when an instance goes into service and out of it, and what the API says of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use elbws::sandbox::{InstanceState, Sandbox, Switches};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::support::sandbox::{element, query};
use crate::support::traffic::{
    INSTANCE, TlsAcceptor, call, echo, health, in_service, instances, logged, seed, soon, start, start_at,
};

/// A web server that answers every request with the status it is told, and hands over what it was asked. If `proxy` is set it
/// expects the PROXY line first and closes connections that begin otherwise, as nginx does.
async fn web_server(status: Arc<AtomicU16>, proxy: bool) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4096];
            let Ok(count @ 1..) = stream.read(&mut bytes).await else { continue };
            let request = String::from_utf8_lossy(&bytes[..count]).into_owned();
            if proxy && !request.starts_with("PROXY ") {
                continue;
            }
            let _ = sender.send(request);
            let status = status.load(Ordering::SeqCst);
            let _ = stream.write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok").as_bytes()).await;
        }
    });
    (address, requests)
}

async fn described(sandbox: &Sandbox) -> (String, String, String) {
    let reply = query(sandbox, "Action=DescribeInstanceHealth&LoadBalancerName=chat").await;
    let part = |name| element(&reply, name).to_owned();
    (part("State"), part("ReasonCode"), part("Description"))
}

fn configure(target: &str) -> String {
    format!(
        "Action=ConfigureHealthCheck&HealthCheck.Target={target}&HealthCheck.Interval=5&HealthCheck.Timeout=2\
         &HealthCheck.UnhealthyThreshold=2&HealthCheck.HealthyThreshold=2"
    )
}

#[tokio::test]
async fn an_http_check_wants_exactly_200_and_the_api_tells_what_came_of_it() {
    let status = Arc::new(AtomicU16::new(204));
    let (address, mut requests) = web_server(status.clone(), false).await;
    let places = instances(&[(INSTANCE, &[(80, address)])]);
    let seed = seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "HTTP:80/status?deep=1");
    let sandbox = start_at(std::net::Ipv4Addr::LOCALHOST.into(), &seed, places).await;
    let (state, code, _) = described(&sandbox).await;
    assert_eq!((state.as_str(), code.as_str() != "N/A"), ("OutOfService", true), "not in service before it was checked");
    health(&sandbox, INSTANCE, InstanceState::OutOfService).await;
    logged(&sandbox, "status 204 instead of 200").await;
    let request = soon("a request", requests.recv()).await.unwrap();
    assert!(request.starts_with("GET /status?deep=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("ELB-HealthChecker/1.0\r\n"), "{request}");

    status.store(200, Ordering::SeqCst);
    in_service(&sandbox, INSTANCE).await;
    assert_eq!(described(&sandbox).await, ("InService".into(), "N/A".into(), "N/A".into()));
    status.store(500, Ordering::SeqCst);
    health(&sandbox, INSTANCE, InstanceState::OutOfService).await;
    let why = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.";
    assert_eq!(described(&sandbox).await, ("OutOfService".into(), "Instance".into(), why.into()));
}

#[tokio::test]
async fn thresholds_count_checks_in_a_row() {
    let status = Arc::new(AtomicU16::new(200));
    let (address, mut requests) = web_server(status.clone(), false).await;
    let seed = seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "HTTP:80/");
    let _sandbox = start(&seed, &[(80, address)]).await;
    let mut until_healthy = 0;
    while requests.try_recv().is_ok() {
        until_healthy += 1;
    }
    // The seed's healthy threshold is the service's default; a check may have come since.
    assert!((10..=12).contains(&until_healthy), "{until_healthy}");
}

#[tokio::test]
async fn an_http_check_on_a_port_that_expects_the_line_fails_and_a_tcp_check_passes() {
    let (address, mut requests) = web_server(Arc::new(AtomicU16::new(200)), true).await;
    let places = instances(&[(INSTANCE, &[(80, address)])]);
    let seed = seed(&["TCP:8080/TCP:80"], &[80], &[INSTANCE], "HTTP:80/");
    let sandbox = start_at(std::net::Ipv4Addr::LOCALHOST.into(), &seed, places).await;
    logged(&sandbox, "the connection was closed without an answer").await;
    health(&sandbox, INSTANCE, InstanceState::OutOfService).await;
    assert!(requests.try_recv().is_err());
    call(&sandbox, &configure("TCP:80")).await;
    in_service(&sandbox, INSTANCE).await;
    let line = soon("the line", requests.recv()).await.unwrap();
    assert!(line.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 ") && line.ends_with(" 80\r\n"), "{line}");
}

#[tokio::test]
async fn a_tcp_check_sends_the_line_or_nothing() {
    let (address, mut requests) = web_server(Arc::new(AtomicU16::new(200)), false).await;
    let seed = seed(&["TCP:8080/TCP:80"], &[80], &[INSTANCE], "TCP:80");
    let sandbox = start(&seed, &[(80, address)]).await;
    assert!(soon("the line", requests.recv()).await.unwrap().starts_with("PROXY TCP4 "));
    sandbox.set_switches(Switches { tcp_check_sends_proxy: false, ..sandbox.switches() });
    call(&sandbox, &configure("TCP:81")).await;
    health(&sandbox, INSTANCE, InstanceState::OutOfService).await;
    while requests.try_recv().is_ok() {}
    call(&sandbox, &configure("TCP:80")).await;
    in_service(&sandbox, INSTANCE).await;
    assert!(requests.try_recv().is_err(), "it connects and says nothing");
}

#[tokio::test]
async fn encrypted_checks_need_an_encrypted_port() {
    let mut backend = TlsAcceptor::start().await;
    let plain = echo().await;
    let (secure, open) = ("i-00000001", "i-00000002");
    let places = instances(&[(secure, &[(80, backend.address)]), (open, &[(80, plain)])]);
    let seed = seed(&["TCP:8080/SSL:80"], &[], &[secure, open], "SSL:80");
    let sandbox = start_at(std::net::Ipv4Addr::LOCALHOST.into(), &seed, places).await;
    let serve = tokio::spawn(async move {
        loop {
            let (mut stream, request) = backend.next().await;
            assert!(request.starts_with("GET /up HTTP/1.1\r\n"), "{request}");
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            let _ = stream.shutdown().await;
        }
    });
    for target in ["SSL:80", "HTTPS:80/up"] {
        call(&sandbox, &configure(target)).await;
        in_service(&sandbox, secure).await;
        health(&sandbox, open, InstanceState::OutOfService).await;
        call(&sandbox, &configure("TCP:82")).await;
        health(&sandbox, secure, InstanceState::OutOfService).await;
    }
    serve.abort();
}

#[tokio::test]
async fn an_instance_that_comes_back_is_checked_anew() {
    let backend = echo().await;
    let sandbox = start(&seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    let instance = format!("Instances.member.1.InstanceId={INSTANCE}");
    call(&sandbox, &format!("Action=DeregisterInstancesFromLoadBalancer&{instance}")).await;
    // Down before it is back: an old record must not speak for it.
    call(&sandbox, &configure("TCP:82")).await;
    call(&sandbox, &format!("Action=RegisterInstancesWithLoadBalancer&{instance}")).await;
    assert_eq!(described(&sandbox).await.0, "OutOfService");
    call(&sandbox, &configure("TCP:80")).await;
    in_service(&sandbox, INSTANCE).await;
    sandbox.reset();
    sandbox.settled().await;
    in_service(&sandbox, INSTANCE).await;
}
