//! HTTP and HTTPS listeners: what an instance receives, and what a client gets when no instance answers.

use elbws::sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite;

use crate::support::traffic::{
    Acceptor, INSTANCE, TlsAcceptor, address, call, echo, exchange, instances, logged, read_all, seed, soon, start,
    start_at, tls,
};

/// Everything up to the empty line.
async fn read_head(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let head = async {
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.unwrap());
        }
    };
    soon("the head of a message", head).await;
    String::from_utf8(bytes).unwrap()
}

/// The header lines, sorted, in lower case up to the colon.
fn lines(head: &str) -> Vec<String> {
    let mut lines: Vec<String> = head
        .trim_end()
        .lines()
        .skip(1)
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| format!("{}: {value}", name.to_lowercase()))
        .collect();
    lines.sort();
    lines
}

async fn sandbox(listener: &str, proxied: &[u16]) -> (Sandbox, Acceptor) {
    let backend = Acceptor::start().await;
    let plain = echo().await;
    let sandbox = start(&seed(&[listener], proxied, &[INSTANCE], "TCP:81"), &[(80, backend.address), (81, plain)]).await;
    (sandbox, backend)
}

const HANDSHAKE: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: chat.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade, X-Hop\r\n\
                         X-Hop: 1\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                         X-Forwarded-For: 192.0.2.1\r\n\r\n";

#[tokio::test]
async fn an_instance_sees_who_came_and_how_but_no_upgrade_and_no_proxy_line() {
    let (sandbox, mut backend) = sandbox("HTTPS:443/HTTP:80", &[80]).await;
    let mut client = tls(&sandbox, 443, "chat.example.com").await.unwrap();
    client.write_all(HANDSHAKE.as_bytes()).await.unwrap();
    client.flush().await.unwrap();
    let mut instance = backend.next().await;
    let head = read_head(&mut instance).await;
    assert_eq!(head.lines().next().unwrap(), "GET /chat?room=1 HTTP/1.1", "the first bytes are the request's");
    let expected = [
        "host: chat.example.com",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version: 13",
        "x-forwarded-for: 192.0.2.1, 127.0.0.1",
        "x-forwarded-port: 443",
        "x-forwarded-proto: https",
    ];
    assert_eq!(lines(&head), expected);
    instance
        .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 10\r\nKeep-Alive: timeout=5\r\n\r\nno upgrade")
        .await
        .unwrap();
    let head = read_head(&mut client).await;
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head}");
    assert_eq!(lines(&head), ["content-length: 10"]);
}

#[tokio::test]
async fn a_web_socket_through_an_http_listener_fails_and_through_a_tcp_listener_works() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = server.accept().await {
            tokio::spawn(async move {
                let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
                use futures::{SinkExt, StreamExt};
                while let Some(Ok(message)) = socket.next().await {
                    let _ = socket.send(message).await;
                }
            });
        }
    });
    let seed = seed(&["HTTP:8080/HTTP:80", "TCP:8081/TCP:80"], &[], &[INSTANCE], "TCP:80");
    let sandbox = start(&seed, &[(80, at)]).await;
    let connect = |port| {
        let address = address(&sandbox, port);
        async move {
            let stream = TcpStream::connect(address).await.unwrap();
            soon("a handshake", tokio_tungstenite::client_async("ws://chat.example.com/", stream)).await
        }
    };
    // What a server without an upgrade answers is its own affair; that it is no success is the balancer's.
    match connect(8080).await {
        Err(tungstenite::Error::Http(response)) => assert!(!response.status().is_success(), "{response:?}"),
        other => panic!("{other:?}"),
    }
    use futures::{SinkExt, StreamExt};
    let (mut socket, _) = connect(8081).await.unwrap();
    socket.send("hello".into()).await.unwrap();
    assert_eq!(soon("the echo", socket.next()).await.unwrap().unwrap().into_text().unwrap(), "hello");
}

#[tokio::test]
async fn one_connection_carries_many_requests_with_bodies() {
    let (sandbox, mut backend) = sandbox("HTTP:8080/HTTP:80", &[]).await;
    let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    client.write_all(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").await.unwrap();
    let mut instance = backend.next().await;
    assert!(lines(&read_head(&mut instance).await).contains(&"x-forwarded-proto: http".to_owned()));
    crate::support::traffic::expect(&mut instance, "hello").await;
    instance.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nworld\r\n0\r\n\r\n").await.unwrap();
    assert!(lines(&read_head(&mut client).await).contains(&"transfer-encoding: chunked".to_owned()));
    crate::support::traffic::expect(&mut client, "5\r\nworld\r\n0\r\n\r\n").await;

    client
        .write_all(b"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .await
        .unwrap();
    let mut instance = backend.next().await;
    let head = read_head(&mut instance).await;
    assert!(head.starts_with("POST /2 HTTP/1.1\r\n"), "{head}");
    crate::support::traffic::expect(&mut instance, "3\r\nabc\r\n0\r\n\r\n").await;
    instance.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    assert!(read_head(&mut client).await.starts_with("HTTP/1.1 204 "));
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

async fn answer_to(sandbox: &Sandbox, request: &str) -> String {
    exchange(TcpStream::connect(address(sandbox, 8080)).await.unwrap(), request).await
}

#[tokio::test]
async fn a_client_hears_why_nobody_answers() {
    let (sandbox, mut backend) = sandbox("HTTP:8080/HTTP:80", &[]).await;
    let instance = async |answer: &'static [u8], backend: &mut Acceptor| {
        let mut instance = backend.next().await;
        read_head(&mut instance).await;
        instance.write_all(answer).await.unwrap();
    };
    for (answer, expected) in [
        (&b"nonsense\r\n\r\n"[..], "HTTP/1.1 502 BAD_GATEWAY\r\n"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP/1.1 502 BAD_GATEWAY\r\n"),
        // It closes without an answer.
        (b"", "HTTP/1.1 504 GATEWAY_TIMEOUT\r\n"),
    ] {
        let (reply, ()) = tokio::join!(answer_to(&sandbox, GET), instance(answer, &mut backend));
        assert!(reply.starts_with(expected), "{reply}");
    }
    call(&sandbox, "Action=ModifyLoadBalancerAttributes&LoadBalancerAttributes.ConnectionSettings.IdleTimeout=1").await;
    let (reply, instance) = tokio::join!(answer_to(&sandbox, GET), backend.next());
    assert!(reply.starts_with("HTTP/1.1 504 GATEWAY_TIMEOUT\r\n"), "{reply}");
    logged(&sandbox, "nothing came for 1 seconds").await;
    drop(instance);

    call(&sandbox, "Action=DeregisterInstancesFromLoadBalancer&Instances.member.1.InstanceId=i-00000001").await;
    let reply = answer_to(&sandbox, GET).await;
    assert!(reply.starts_with("HTTP/1.1 503 Service Unavailable: Back-end server is at capacity\r\n"), "{reply}");
}

#[tokio::test]
async fn an_instance_that_refuses_is_no_instance() {
    let plain = echo().await;
    let places = instances(&[(INSTANCE, &[(80, "127.0.0.1:1".parse().unwrap()), (81, plain)])]);
    let seed = seed(&["HTTP:8080/HTTP:80"], &[], &[INSTANCE], "TCP:81");
    let sandbox = start_at(std::net::Ipv4Addr::LOCALHOST.into(), &seed, places).await;
    crate::support::traffic::in_service(&sandbox, INSTANCE).await;
    assert!(answer_to(&sandbox, GET).await.starts_with("HTTP/1.1 503 "));
    logged(&sandbox, "does not accept: Connection refused").await;
}

#[tokio::test]
async fn requests_that_are_too_large_or_wrong_are_refused() {
    let (sandbox, _backend) = sandbox("HTTP:8080/HTTP:80", &[]).await;
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n", "x".repeat(100_000));
    assert!(answer_to(&sandbox, &large).await.starts_with("HTTP/1.1 431 "));
    assert!(answer_to(&sandbox, "nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    let long = format!("{} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "X".repeat(128));
    assert!(answer_to(&sandbox, &long).await.starts_with("HTTP/1.1 405 METHOD_NOT_ALLOWED\r\n"));
    // The PROXY line of a hop in front is no request.
    let line = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(answer_to(&sandbox, line).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn an_encrypted_back_end_gets_the_request_inside_tls() {
    let mut backend = TlsAcceptor::start().await;
    let seed = seed(&["HTTP:8080/HTTPS:80"], &[80], &[INSTANCE], "SSL:80");
    let sandbox = start(&seed, &[(80, backend.address)]).await;
    let answer = async {
        let (mut instance, first) = backend.next().await;
        assert!(first.starts_with("GET / HTTP/1.1\r\n"), "{first}");
        instance.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
        instance.shutdown().await.unwrap();
        read_all(&mut instance).await;
    };
    let (reply, ()) = tokio::join!(answer_to(&sandbox, GET), answer);
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("\r\n\r\nhi"), "{reply}");
}
