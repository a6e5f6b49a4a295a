//! TCP and SSL listeners: what a back end receives, byte for byte, and how connections end.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::traffic::{Acceptor, address, echo, expect, read_all, seed, start, tls};

#[tokio::test]
async fn a_tcp_back_end_receives_the_proxy_line_and_then_the_clients_bytes() {
    let mut backend = Acceptor::start().await;
    let plain = echo().await;
    let seed = seed(&["TCP:8080/TCP:80", "SSL:443/TCP:80"], &[80], &["i-00000001"], "TCP:81");
    let sandbox = start(&seed, &[(80, backend.address), (81, plain)]).await;

    let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    let port = client.local_addr().unwrap().port();
    client.write_all(b"hello").await.unwrap();
    client.shutdown().await.unwrap();
    let mut received = backend.next().await;
    assert_eq!(read_all(&mut received).await, format!("PROXY TCP4 127.0.0.1 127.0.0.1 {port} 8080\r\nhello"));

    let mut client = tls(&sandbox, 443, "chat.example.com").await.unwrap();
    let port = client.get_ref().0.local_addr().unwrap().port();
    client.write_all(b"secret").await.unwrap();
    client.shutdown().await.unwrap();
    let mut received = backend.next().await;
    assert_eq!(read_all(&mut received).await, format!("PROXY TCP4 127.0.0.1 127.0.0.1 {port} 443\r\nsecret"));
}

#[tokio::test]
async fn either_side_may_end_its_half_and_go_on_reading() {
    let mut backend = Acceptor::start().await;
    let plain = echo().await;
    let seed = seed(&["TCP:8080/TCP:80", "SSL:443/TCP:80"], &[], &["i-00000001"], "TCP:81");
    let sandbox = start(&seed, &[(80, backend.address), (81, plain)]).await;

    // The client ends first and still gets the answer.
    let mut client = tls(&sandbox, 443, "localhost").await.unwrap();
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut instance = backend.next().await;
    assert_eq!(read_all(&mut instance).await, "question");
    instance.write_all(b"answer").await.unwrap();
    drop(instance);
    assert_eq!(read_all(&mut client).await, "answer");

    // The back end ends first and still gets the rest.
    let mut client = tls(&sandbox, 443, "localhost").await.unwrap();
    client.write_all(b"?").await.unwrap();
    let mut instance = backend.next().await;
    instance.write_all(b"greeting").await.unwrap();
    instance.shutdown().await.unwrap();
    assert_eq!(read_all(&mut client).await, "greeting");
    expect(&mut instance, "?").await;
    client.write_all(b"the rest").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(read_all(&mut instance).await, "the rest");
}
