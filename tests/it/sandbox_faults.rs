//! Faults, the request log, the counts, and following the state.

use std::time::{Duration, Instant};

use aws_sdk_elasticloadbalancing::types::Tag;
use elbws::sandbox::{Fault, FaultError, FaultKind};

use crate::support::sandbox::{CHAT, client, failure, query, start};

fn fault(kind: FaultKind) -> Vec<Fault> {
    vec![Fault { action: "AddTags".to_owned(), times: Some(1), skip: 0, kind }]
}

const ADD: &str = "Action=AddTags&LoadBalancerNames.member.1=chat&Tags.member.1.Key=k&Tags.member.1.Value=v";

#[tokio::test]
async fn an_error_comes_before_or_after_the_effect() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    let add = || client.add_tags().load_balancer_names("chat").tags(tag.clone()).send();
    let tagged = || sandbox.world().regions["eu-west-1"].load_balancers["chat"].balancer.tags.contains_key("k");
    let error = FaultError { code: "Throttling".to_owned(), status: 503, message: "Rate exceeded".to_owned() };

    sandbox.inject(fault(FaultKind::ErrorBefore(error.clone()))).unwrap();
    assert_eq!(failure(add().await), ("Throttling".to_owned(), 503));
    assert!(!tagged());
    sandbox.inject(fault(FaultKind::ErrorAfter(error))).unwrap();
    assert_eq!(failure(add().await), ("Throttling".to_owned(), 503));
    assert!(tagged());
    add().await.expect("faults are spent");
    assert_eq!(sandbox.counts().of("AddTags"), 3);
    assert_eq!(sandbox.counts().mutating, 3);
}

#[tokio::test]
async fn a_connection_breaks_before_or_after_the_effect() {
    let sandbox = start(CHAT).await;
    let tagged = || sandbox.world().regions["eu-west-1"].load_balancers["chat"].balancer.tags.contains_key("k");
    for (kind, effect) in [(FaultKind::DisconnectBefore, false), (FaultKind::DisconnectAfter, true)] {
        sandbox.inject(fault(kind)).unwrap();
        assert_eq!(query(&sandbox, ADD).await, "", "not one byte of an answer");
        assert_eq!(tagged(), effect);
    }
    assert!(query(&sandbox, ADD).await.starts_with("HTTP/1.1 200"));
    let statuses: Vec<u16> = sandbox.log().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [0, 0, 200]);
}

#[tokio::test]
async fn latency_delays_every_service() {
    let sandbox = start(CHAT).await;
    let latency = Fault { action: "*".to_owned(), times: None, skip: 1, kind: FaultKind::LatencyMs(150) };
    sandbox.inject(vec![latency]).unwrap();
    for slow in [false, true, true] {
        let begin = Instant::now();
        query(&sandbox, "Action=DescribeLoadBalancers").await;
        assert!(!slow || begin.elapsed() >= Duration::from_millis(150));
    }
    assert_eq!(sandbox.faults().len(), 1, "without a number it goes on");
}

#[tokio::test]
async fn the_log_tells_what_was_called_and_no_parameters() {
    let sandbox = start(CHAT).await;
    query(&sandbox, ADD).await;
    query(&sandbox, "Action=DescribeLoadBalancerAttributes&LoadBalancerName=nope").await;
    query(&sandbox, "Action=Nonsense").await;
    let log = sandbox.log();
    assert_eq!(log.len(), 3);
    let first = &log[0];
    assert_eq!((first.service.as_deref(), first.action.as_deref()), (Some("elasticloadbalancing"), Some("AddTags")));
    assert_eq!((first.region.as_deref(), first.balancer.as_deref()), (Some("eu-west-1"), Some("chat")));
    assert_eq!((first.status, first.error.as_deref(), first.mutating), (200, None, true));
    assert_eq!((log[1].status, log[1].error.as_deref(), log[1].mutating), (400, Some("LoadBalancerNotFound"), false));
    assert_eq!((log[2].action.as_deref(), log[2].error.as_deref()), (None, Some("InvalidAction")));
    let counts = sandbox.counts();
    assert_eq!((counts.mutating, counts.total, counts.of("AddTags")), (1, 3, 1));

    let body =
        "Action=UploadServerCertificate&Version=2010-05-08&ServerCertificateName=x&CertificateBody=b&PrivateKey=SECRET";
    let headers = crate::support::sandbox::authorization("iam");
    let reply = crate::support::sandbox::raw(&sandbox, "POST", "/", &headers, body).await;
    assert!(reply.contains("MalformedCertificate") && !reply.contains("SECRET"), "{reply}");
    assert!(!format!("{:?}", sandbox.log()).contains("SECRET"));
}

#[tokio::test]
async fn whoever_follows_the_state_wakes_after_a_change_and_only_then() {
    let sandbox = start(CHAT).await;
    let mut follower = sandbox.subscribe();
    follower.borrow_and_update();
    query(&sandbox, "Action=DescribeLoadBalancers").await;
    query(&sandbox, "Action=DeleteLoadBalancerPolicy&LoadBalancerName=nope&PolicyName=x").await;
    assert!(!follower.has_changed().unwrap());
    query(&sandbox, "Action=DeleteLoadBalancer&LoadBalancerName=chat").await;
    assert!(follower.has_changed().unwrap());
    assert!(follower.borrow_and_update().regions["eu-west-1"].load_balancers.is_empty());
}

#[tokio::test]
async fn a_sandbox_that_is_shut_down_answers_no_more() {
    let sandbox = start("").await;
    let address = sandbox.endpoint().strip_prefix("http://").unwrap().to_owned();
    let idle = tokio::net::TcpStream::connect(&address).await.unwrap();
    let begin = Instant::now();
    sandbox.shutdown().await;
    assert!(begin.elapsed() < Duration::from_secs(5));
    assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    drop(idle);
}
