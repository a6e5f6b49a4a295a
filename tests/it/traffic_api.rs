//! The API decides which sockets are open, and what their TLS is.

use std::net::Ipv4Addr;
use std::time::Duration;

use elbws::sandbox::{self, DeletedListener, ListenerPorts, ListenerState, OpenListener, Options, Seed, Switches, Traffic};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::support::sandbox::raw;
use crate::support::traffic::{
    Acceptor, INSTANCE, REGION, address, call, create_policy, echo, expect, logged, read_all, seed, start, tls,
};

fn create_listener(protocol: &str, port: u16, instance_protocol: &str, certificate: &str) -> String {
    format!(
        "Action=CreateLoadBalancerListeners&Listeners.member.1.Protocol={protocol}&Listeners.member.1.LoadBalancerPort={port}\
         &Listeners.member.1.InstanceProtocol={instance_protocol}&Listeners.member.1.InstancePort=80{certificate}"
    )
}

fn delete_listener(port: u16) -> String {
    format!("Action=DeleteLoadBalancerListeners&LoadBalancerPorts.member.1={port}")
}

#[tokio::test]
async fn a_socket_opens_with_its_listener_and_closes_with_it() {
    let backend = echo().await;
    let sandbox = start(&seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    assert_eq!(sandbox.listener_address(REGION, "chat", 9090), None);
    call(&sandbox, &create_listener("TCP", 9090, "TCP", "")).await;
    let opened = address(&sandbox, 9090);
    let mut client = TcpStream::connect(opened).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    expect(&mut client, "hello").await;
    call(&sandbox, &delete_listener(9090)).await;
    assert_eq!(sandbox.listener_address(REGION, "chat", 9090), None);
    assert!(TcpStream::connect(opened).await.is_err());
    assert!(TcpStream::connect(address(&sandbox, 8080)).await.is_ok(), "the other one stays");

    let remaining = address(&sandbox, 8080);
    call(&sandbox, "Action=DeleteLoadBalancer").await;
    assert!(sandbox.traffic().is_empty());
    assert!(TcpStream::connect(remaining).await.is_err());
    sandbox.reset();
    sandbox.settled().await;
    assert_eq!(address(&sandbox, 8080), remaining, "what comes back is where it was");
}

#[tokio::test]
async fn a_listener_that_is_replaced_keeps_its_place() {
    let mut backend = Acceptor::start().await;
    let plain = echo().await;
    let seed = seed(&["HTTPS:443/HTTP:80"], &[], &[INSTANCE], "TCP:81");
    let sandbox = start(&seed, &[(80, backend.address), (81, plain)]).await;
    let before = address(&sandbox, 443);
    let arn = sandbox.world().regions[REGION].load_balancers["chat"].balancer.listeners[&443].certificate.clone().unwrap();
    call(&sandbox, &delete_listener(443)).await;
    // Whoever has the port for a moment does not change where clients find the listener.
    let taken = TcpListener::bind(before).await.unwrap();
    let passing = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(taken);
    });
    call(&sandbox, &create_listener("SSL", 443, "TCP", &format!("&Listeners.member.1.SSLCertificateId={arn}"))).await;
    passing.await.unwrap();
    assert_eq!(address(&sandbox, 443), before);
    let mut client = tls(&sandbox, 443, "chat.example.com").await.unwrap();
    client.write_all(b"no HTTP at all").await.unwrap();
    client.flush().await.unwrap();
    expect(&mut backend.next().await, "no HTTP at all").await;
}

#[tokio::test]
async fn the_connections_of_a_deleted_listener_are_cut_or_kept() {
    for side in [DeletedListener::CutsConnections, DeletedListener::KeepsConnections] {
        let backend = echo().await;
        let sandbox = start(&seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
        sandbox.set_switches(Switches { deleted_listener: side, ..sandbox.switches() });
        let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
        client.write_all(b"one").await.unwrap();
        expect(&mut client, "one").await;
        call(&sandbox, &delete_listener(8080)).await;
        match side {
            DeletedListener::CutsConnections => assert_eq!(read_all(&mut client).await, ""),
            DeletedListener::KeepsConnections => {
                client.write_all(b"two").await.unwrap();
                expect(&mut client, "two").await;
            }
        }
    }
}

#[tokio::test]
async fn another_certificate_is_for_connections_that_come_later() {
    let backend = echo().await;
    let sandbox = start(&seed(&["SSL:443/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    let mut before = tls(&sandbox, 443, "chat.example.com").await.unwrap();
    assert!(tls(&sandbox, 443, "next.example.com").await.is_err());
    let next = "arn:aws:iam::123456789012:server-certificate/next";
    call(&sandbox, &format!("Action=SetLoadBalancerListenerSSLCertificate&LoadBalancerPort=443&SSLCertificateId={next}"))
        .await;
    assert!(tls(&sandbox, 443, "chat.example.com").await.is_err());
    let mut after = tls(&sandbox, 443, "next.example.com").await.unwrap();
    for client in [&mut before, &mut after] {
        client.write_all(b"still here").await.unwrap();
        client.flush().await.unwrap();
        expect(client, "still here").await;
    }
}

#[tokio::test]
async fn a_negotiation_policy_decides_versions_and_ciphers_as_far_as_they_exist() {
    let backend = echo().await;
    let sandbox = start(&seed(&["SSL:443/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    let negotiated = |stream: &tokio_rustls::client::TlsStream<TcpStream>| {
        let session = stream.get_ref().1;
        (session.protocol_version().unwrap(), session.negotiated_cipher_suite().unwrap().suite())
    };
    let (version, _) = negotiated(&tls(&sandbox, 443, "localhost").await.unwrap());
    assert_eq!(version, rustls::ProtocolVersion::TLSv1_2, "the service has no TLS 1.3");
    logged(&sandbox, "the listener's policy allows TLSv1, TLSv1.1, which the sandbox does not have").await;

    let set =
        |name: &str| format!("Action=SetLoadBalancerPoliciesOfListener&LoadBalancerPort=443&PolicyNames.member.1={name}");
    let negotiation = "SSLNegotiationPolicyType";
    let one = [("Protocol-TLSv1.2", "true"), ("ECDHE-RSA-AES256-GCM-SHA384", "true")];
    create_policy(&sandbox, "one-cipher", negotiation, &one).await;
    call(&sandbox, &set("one-cipher")).await;
    let (_, cipher) = negotiated(&tls(&sandbox, 443, "localhost").await.unwrap());
    assert_eq!(cipher, rustls::CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384);

    create_policy(&sandbox, "old", negotiation, &[("Protocol-TLSv1", "true"), ("AES128-SHA", "true")]).await;
    call(&sandbox, &set("old")).await;
    assert!(tls(&sandbox, 443, "localhost").await.is_err());
    logged(&sandbox, "its policy does not allow TLS 1.2").await;
    create_policy(&sandbox, "cbc", negotiation, &[("Protocol-TLSv1.2", "true"), ("AES128-SHA", "true")]).await;
    call(&sandbox, &set("cbc")).await;
    assert!(tls(&sandbox, 443, "localhost").await.is_err());
    logged(&sandbox, "its policy allows no cipher that the sandbox has").await;

    create_policy(&sandbox, "strict", negotiation, &[("Reference-Security-Policy", "ELBSecurityPolicy-TLS-1-2-2017-01")])
        .await;
    call(&sandbox, &set("strict")).await;
    tls(&sandbox, 443, "localhost").await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_opened_is_listed_with_the_reason_and_tried_again() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let route = format!("TCP:{port}/TCP:80");
    let seed = Seed::from_toml(&seed(&[&route], &[], &[INSTANCE], "TCP:80")).unwrap();
    let traffic = Traffic { ports: ListenerPorts::Exact, ..Traffic::default() };
    let options = Options { listen: (Ipv4Addr::LOCALHOST, 0).into(), traffic: Some(traffic) };
    let sandbox = sandbox::start(options, seed).await.unwrap();
    sandbox.settled().await;
    let reply = raw(&sandbox, "GET", "/_elbws/listeners", "", "").await;
    let (_, body) = reply.split_once("\r\n\r\n").unwrap();
    let listed: Vec<OpenListener> = serde_json::from_str(body).unwrap();
    assert_eq!(listed, sandbox.traffic());
    let reason = format!("port {port} of 127.0.0.1 is in use");
    assert_eq!(listed[0].state, ListenerState::NotOpen { reason });
    assert_eq!(sandbox.listener_address(REGION, "chat", port), None);

    drop(taken);
    call(&sandbox, "Action=RegisterInstancesWithLoadBalancer&Instances.member.1.InstanceId=i-00000009").await;
    assert_eq!(address(&sandbox, port).port(), port);
}

#[tokio::test]
async fn shifted_ports_step_aside_for_each_other() {
    let two = |first: &str, second: &str| {
        let balancer = |name: &str, port: &str| {
            format!("[[balancers]]\nname = \"{name}\"\nlisteners = [\"TCP:{port}/TCP:80\"]\nhealth_check = \"TCP:80\"\n")
        };
        format!("region = \"{REGION}\"\n{}{}", balancer("a", first), balancer("b", second))
    };
    let seed = Seed::from_toml(&two("443", "443")).unwrap();
    let options = Options { listen: (Ipv4Addr::LOCALHOST, 0).into(), traffic: Some(Traffic::default()) };
    let sandbox = sandbox::start(options, seed).await.unwrap();
    sandbox.settled().await;
    let real = |balancer| sandbox.listener_address(REGION, balancer, 443).unwrap().port();
    // Another program may hold some of them; the steps are what is promised.
    assert!(real("a") >= 10443 && (real("a") - 443) % 1000 == 0, "{}", real("a"));
    assert!(real("b") > real("a") && (real("b") - 443) % 1000 == 0, "{}", real("b"));
}
