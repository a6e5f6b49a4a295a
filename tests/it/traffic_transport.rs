//! TCP and SSL listeners: what a back end receives, byte for byte, and how connections end.

use elbws::sandbox::InstanceState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::traffic::{
    Acceptor, INSTANCE, TlsAcceptor, address, create_policy, echo, expect, health, in_service, instances, logged, read_all,
    seed, set_backend_policies, soon, start, start_at, tls,
};

#[tokio::test]
async fn a_tcp_back_end_receives_the_proxy_line_and_then_the_clients_bytes() {
    let mut backend = Acceptor::start().await;
    let plain = echo().await;
    let seed = seed(&["TCP:8080/TCP:80", "SSL:443/TCP:80"], &[80], &[INSTANCE], "TCP:81");
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
    let seed = seed(&["TCP:8080/TCP:80", "SSL:443/TCP:80"], &[], &[INSTANCE], "TCP:81");
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

#[tokio::test]
async fn the_line_comes_alone_and_first_before_the_client_says_anything() {
    let mut backend = Acceptor::start().await;
    let plain = echo().await;
    let seed = seed(&["TCP:8080/TCP:80"], &[80], &[INSTANCE], "TCP:81");
    let sandbox = start(&seed, &[(80, backend.address), (81, plain)]).await;
    let client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    let line = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {} 8080\r\n", client.local_addr().unwrap().port());
    let mut received = backend.next().await;
    let mut bytes = [0; 1024];
    // One read, as nginx does it.
    let count = received.read(&mut bytes).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes[..count]), line);
}

#[tokio::test]
async fn a_client_over_ipv6_is_written_as_tcp6() {
    let mut backend = Acceptor::start().await;
    let instances = instances(&[(INSTANCE, &[(80, backend.address)])]);
    let seed = seed(&["TCP:8080/TCP:80"], &[80], &[INSTANCE], "TCP:80");
    let sandbox = start_at(std::net::Ipv6Addr::LOCALHOST.into(), &seed, instances).await;
    in_service(&sandbox, INSTANCE).await;
    let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    let line = format!("PROXY TCP6 ::1 ::1 {} 8080\r\n", client.local_addr().unwrap().port());
    client.write_all(b"hello").await.unwrap();
    client.shutdown().await.unwrap();
    let received = async {
        loop {
            // Health checks of this port begin with a line of their own.
            let received = read_all(&mut backend.next().await).await;
            if received.ends_with("hello") {
                return received;
            }
        }
    };
    assert_eq!(soon("the connection", received).await, line + "hello");
}

#[tokio::test]
async fn an_encrypted_back_end_gets_the_line_inside_the_tls_stream() {
    let mut backend = TlsAcceptor::start().await;
    let seed = seed(&["SSL:443/SSL:80", "TCP:8080/SSL:80"], &[80], &[INSTANCE], "SSL:80");
    let sandbox = start(&seed, &[(80, backend.address)]).await;
    let mut client = tls(&sandbox, 443, "localhost").await.unwrap();
    let port = client.get_ref().0.local_addr().unwrap().port();
    let (mut instance, first) = backend.next().await;
    assert_eq!(first, format!("PROXY TCP4 127.0.0.1 127.0.0.1 {port} 443\r\n"), "one TLS record");
    client.write_all(b"question").await.unwrap();
    client.flush().await.unwrap();
    expect(&mut instance, "question").await;
    instance.write_all(b"answer").await.unwrap();
    instance.shutdown().await.unwrap();
    assert_eq!(read_all(&mut client).await, "answer");

    let client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    let port = client.local_addr().unwrap().port();
    let (_, first) = backend.next().await;
    assert_eq!(first, format!("PROXY TCP4 127.0.0.1 127.0.0.1 {port} 8080\r\n"));
}

#[tokio::test]
async fn a_back_end_authentication_policy_pins_the_public_key() {
    let mut backend = TlsAcceptor::start().await;
    let other = TlsAcceptor::start().await;
    let seed = seed(&["TCP:8080/SSL:80"], &[], &[INSTANCE], "SSL:80");
    let sandbox = start(&seed, &[(80, backend.address)]).await;
    for (name, key) in [("right", &backend.public_key), ("wrong", &other.public_key)] {
        create_policy(&sandbox, name, "PublicKeyPolicyType", &[("PublicKey", key)]).await;
        let policy = format!("trust-{name}");
        create_policy(&sandbox, &policy, "BackendServerAuthenticationPolicyType", &[("PublicKeyPolicyName", name)]).await;
    }
    set_backend_policies(&sandbox, &["trust-right"]).await;
    let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    assert_eq!(backend.next().await.1, "hello");

    set_backend_policies(&sandbox, &["trust-wrong"]).await;
    let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    assert_eq!(read_all(&mut client).await, "");
    logged(&sandbox, "its public key is none that the back-end authentication policy allows").await;
}

#[tokio::test]
async fn policies_are_for_connections_that_come_later() {
    let mut backend = Acceptor::start().await;
    let plain = echo().await;
    let seed = seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:81");
    let sandbox = start(&seed, &[(80, backend.address), (81, plain)]).await;
    let mut before = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    before.write_all(b"plain").await.unwrap();
    let mut received = backend.next().await;
    expect(&mut received, "plain").await;

    create_policy(&sandbox, "proxy", "ProxyProtocolPolicyType", &[("ProxyProtocol", "True")]).await;
    set_backend_policies(&sandbox, &["proxy"]).await;
    let _after = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    expect(&mut backend.next().await, "PROXY TCP4 127.0.0.1 127.0.0.1 ").await;
    before.write_all(b" and simple").await.unwrap();
    expect(&mut received, " and simple").await;

    set_backend_policies(&sandbox, &[]).await;
    let mut after = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    after.write_all(b"plain again").await.unwrap();
    expect(&mut backend.next().await, "plain again").await;
}

#[tokio::test]
async fn an_answer_that_comes_before_the_question_ends_is_delivered() {
    let mut backend = Acceptor::start().await;
    let plain = echo().await;
    let seed = seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:81");
    let sandbox = start(&seed, &[(80, backend.address), (81, plain)]).await;
    let client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    let (mut read, mut write) = client.into_split();
    let upload = tokio::spawn(async move {
        // More than all the buffers between hold, until nobody takes it any more.
        while write.write_all(&[b'x'; 64 * 1024]).await.is_ok() {}
    });
    let mut instance = backend.next().await;
    instance.write_all(b"too much").await.unwrap();
    drop(instance);
    assert_eq!(read_all(&mut read).await, "too much");
    drop(read);
    soon("the end of the upload", upload).await.unwrap();
}

#[tokio::test]
async fn much_data_arrives_whole_in_both_directions_at_once() {
    let backend = echo().await;
    let seed = seed(&["SSL:443/TCP:80"], &[], &[INSTANCE], "TCP:80");
    let sandbox = start(&seed, &[(80, backend)]).await;
    let (mut read, mut write) = tokio::io::split(tls(&sandbox, 443, "localhost").await.unwrap());
    let block: Vec<u8> = (0..=250).cycle().take(100_003).collect();
    let sent = block.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..100 {
            write.write_all(&sent).await.unwrap();
        }
        write.shutdown().await.unwrap();
    });
    let mut received = Vec::new();
    soon("all the data", read.read_to_end(&mut received)).await.unwrap();
    assert!(received == block.repeat(100), "{} bytes", received.len());
    writing.await.unwrap();
}

#[tokio::test]
async fn connections_take_turns_over_the_instances_in_service() {
    let (mut one, mut two, plain) = (Acceptor::start().await, Acceptor::start().await, echo().await);
    let (first, second, dead) = ("i-00000001", "i-00000002", "i-00000003");
    let nowhere = Acceptor::start().await.address;
    let places = [(81, plain)];
    let instances = instances(&[
        (first, &[(80, one.address), places[0]]),
        (second, &[(80, two.address), places[0]]),
        // Accepts connections, but its health check fails.
        (dead, &[(80, nowhere), (81, "127.0.0.1:1".parse().unwrap())]),
    ]);
    let seed = seed(&["TCP:8080/TCP:80"], &[], &[first, second, dead], "TCP:81");
    let sandbox = start_at(std::net::Ipv4Addr::LOCALHOST.into(), &seed, instances).await;
    in_service(&sandbox, first).await;
    in_service(&sandbox, second).await;
    health(&sandbox, dead, InstanceState::OutOfService).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        for _ in 0..2 {
            let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
            client.write_all(b"x").await.unwrap();
            clients.push(client);
        }
        // Each pair of connections goes to both.
        one.next().await;
        two.next().await;
    }
}

#[tokio::test]
async fn without_an_instance_in_service_a_connection_is_closed() {
    let seed = seed(&["TCP:8080/TCP:80", "SSL:443/TCP:80"], &[], &[INSTANCE], "TCP:80");
    let nowhere = instances(&[(INSTANCE, &[(80, "127.0.0.1:1".parse().unwrap())])]);
    let sandbox = start_at(std::net::Ipv4Addr::LOCALHOST.into(), &seed, nowhere).await;
    let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    assert_eq!(read_all(&mut client).await, "");
    let mut client = tls(&sandbox, 443, "localhost").await.unwrap();
    assert_eq!(read_all(&mut client).await, "", "the handshake succeeds first");
    logged(&sandbox, "no instance is in service").await;
}
