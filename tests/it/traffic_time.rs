//! What ends by the clock: idle connections, slow handshakes, draining, shutdown.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::sandbox::{element, query};
use crate::support::traffic::{INSTANCE, REGION, address, call, echo, expect, logged, read_all, seed, soon, start, tls};

const IDLE: &str = "Action=ModifyLoadBalancerAttributes&LoadBalancerAttributes.ConnectionSettings.IdleTimeout=1";

#[tokio::test]
async fn a_silent_connection_ends_and_payload_in_either_direction_keeps_it() {
    let backend = echo().await;
    let seed = seed(&["TCP:8080/TCP:80", "SSL:443/TCP:80", "HTTP:8081/HTTP:80"], &[], &[INSTANCE], "TCP:80");
    let sandbox = start(&seed, &[(80, backend)]).await;
    call(&sandbox, IDLE).await;
    let begin = Instant::now();
    let mut silent = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    let mut secret = tls(&sandbox, 443, "localhost").await.unwrap();
    let mut browser = TcpStream::connect(address(&sandbox, 8081)).await.unwrap();
    let mut lively = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    let life = async {
        for _ in 0..10 {
            lively.write_all(b"ping").await.unwrap();
            expect(&mut lively, "ping").await;
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        lively.write_all(b"alive").await.unwrap();
        expect(&mut lively, "alive").await;
    };
    let silence = async {
        assert_eq!(read_all(&mut silent).await, "");
        // The idle timeout says goodbye: an end without an error.
        assert_eq!(secret.read(&mut [0; 8]).await.unwrap(), 0);
        assert_eq!(read_all(&mut browser).await, "");
        let passed = begin.elapsed();
        assert!(passed >= Duration::from_secs(1) && passed < Duration::from_millis(2300), "{passed:?}");
    };
    tokio::join!(life, silence);
}

#[tokio::test]
async fn a_client_that_never_finishes_its_handshake_is_sent_away() {
    let backend = echo().await;
    let sandbox = start(&seed(&["SSL:443/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    let mut silent = TcpStream::connect(address(&sandbox, 443)).await.unwrap();
    let mut slow = TcpStream::connect(address(&sandbox, 443)).await.unwrap();
    // A handshake record that promises more than comes.
    slow.write_all(&[22, 3, 1, 1, 0, 1]).await.unwrap();
    let begin = Instant::now();
    for client in [&mut silent, &mut slow] {
        // The end may come as a reset, since not all was read.
        let end = soon("the end", client.read(&mut [0; 8])).await;
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
    assert!(begin.elapsed() > Duration::from_secs(9), "within the ten seconds that a handshake may take");
    logged(&sandbox, "took too long").await;
}

#[tokio::test]
async fn payload_in_one_direction_alone_keeps_a_connection() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = server.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            tokio::spawn(async move {
                for _ in 0..9 {
                    let _ = stream.write_all(b"tick").await;
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            });
        }
    });
    let sandbox = start(&seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    call(&sandbox, IDLE).await;
    let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
    assert_eq!(read_all(&mut client).await, "tick".repeat(9));
}

fn draining(enabled: bool, seconds: u32) -> String {
    format!(
        "Action=ModifyLoadBalancerAttributes&LoadBalancerAttributes.ConnectionDraining.Enabled={enabled}\
         &LoadBalancerAttributes.ConnectionDraining.Timeout={seconds}"
    )
}

#[tokio::test]
async fn connections_of_a_deregistered_instance_end_at_once_or_after_the_draining_timeout() {
    for (enabled, seconds) in [(false, 0.0), (true, 1.0)] {
        let backend = echo().await;
        let sandbox = start(&seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
        call(&sandbox, &draining(enabled, 1)).await;
        let mut client = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
        client.write_all(b"one").await.unwrap();
        expect(&mut client, "one").await;
        let begin = Instant::now();
        call(&sandbox, &format!("Action=DeregisterInstancesFromLoadBalancer&Instances.member.1.InstanceId={INSTANCE}"))
            .await;
        let health = format!("Action=DescribeInstanceHealth&Instances.member.1.InstanceId={INSTANCE}");
        if enabled {
            let reply = call(&sandbox, &health).await;
            assert_eq!(element(&reply, "State"), "InService");
            assert_eq!(element(&reply, "Description"), "Instance deregistration currently in progress.");
            client.write_all(b"two").await.unwrap();
            expect(&mut client, "two").await;
        }
        let mut refused = TcpStream::connect(address(&sandbox, 8080)).await.unwrap();
        assert_eq!(read_all(&mut refused).await, "", "new connections have nowhere to go");
        assert_eq!(read_all(&mut client).await, "");
        let passed = begin.elapsed().as_secs_f64();
        assert!(passed >= seconds && passed < seconds + 1.0, "{passed}");
        let mut worlds = sandbox.subscribe();
        let drained = worlds.wait_for(|world| world.regions[REGION].load_balancers["chat"].draining.is_empty());
        soon("the end of draining", drained).await.unwrap();
        let reply = query(&sandbox, &format!("{health}&LoadBalancerName=chat")).await;
        assert_eq!(element(&reply, "Code"), "InvalidInstance");
    }
}

#[tokio::test]
async fn shutdown_waits_a_moment_for_what_is_under_way_and_then_ends_it() {
    let backend = echo().await;
    let sandbox = start(&seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    let at = address(&sandbox, 8080);
    let mut client = TcpStream::connect(at).await.unwrap();
    client.write_all(b"one").await.unwrap();
    expect(&mut client, "one").await;
    let ending = tokio::spawn(sandbox.shutdown());
    while TcpStream::connect(at).await.is_ok() {}
    client.write_all(b"two").await.unwrap();
    expect(&mut client, "two").await;
    assert_eq!(read_all(&mut client).await, "");
    soon("the end of the sandbox", ending).await.unwrap();
}

#[tokio::test]
async fn a_sandbox_that_is_dropped_closes_its_sockets() {
    let backend = echo().await;
    let sandbox = start(&seed(&["TCP:8080/TCP:80"], &[], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    let at = address(&sandbox, 8080);
    let mut client = TcpStream::connect(at).await.unwrap();
    drop(sandbox);
    assert_eq!(read_all(&mut client).await, "");
    let closed = async { while TcpStream::connect(at).await.is_ok() {} };
    soon("the socket closes", closed).await;
}
