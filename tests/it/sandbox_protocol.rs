//! What the sandbox does with requests that are not calls, or come from where they should not.

use elbws::sandbox::{self, Options, Seed};

use crate::support::sandbox::{CHAT, authorization, element, query, raw, start};

const BODY: &str = "Action=DescribeLoadBalancers&Version=2012-06-01";

#[tokio::test]
async fn only_loopback_addresses_are_listened_on() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let options = Options { listen: address.parse().unwrap(), traffic: None };
        let error = sandbox::start(options, Seed::default()).await.err().expect("it must not start");
        assert!(error.to_string().contains("loopback only"), "{error}");
    }
}

#[tokio::test]
async fn a_reply_has_one_request_id_in_header_and_body() {
    let sandbox = start("").await;
    for parameters in ["Action=DescribeLoadBalancers", "Action=DescribeLoadBalancers&PageSize=x"] {
        let reply = query(&sandbox, parameters).await;
        let header = reply.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: ")).unwrap();
        assert_eq!(element(&reply, "RequestId"), header.trim());
    }
    let reply = query(&sandbox, "Action=DescribeLoadBalancers&PageSize=x").await;
    let namespace =
        "<ErrorResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/\"><Error><Type>Sender</Type>";
    assert!(reply.contains(namespace), "{reply}");
}

#[tokio::test]
async fn requests_that_are_not_calls_are_refused() {
    let sandbox = start("").await;
    let elb = authorization("elasticloadbalancing");
    let region = elb.replace("eu-west-1", "nowhere");
    let long = format!("{BODY}&Marker={}", "x".repeat(1024 * 1024));
    let many = BODY.to_owned() + &"&a=".repeat(4000);
    let numbered: String = (1..=3100).map(|number| format!("&LoadBalancerNames.member.{number}=x")).collect();
    let numbered = format!("{BODY}{numbered}");
    for (headers, body, status, code) in [
        ("", BODY, 403, "MissingAuthenticationToken"),
        ("Authorization: Basic abc\r\n", BODY, 400, "IncompleteSignature"),
        (&region, BODY, 403, "SignatureDoesNotMatch"),
        (&authorization("sts"), BODY, 403, "SignatureDoesNotMatch"),
        (&elb, "", 400, "MissingAction"),
        (&elb, "Action=DescribeLoadBalancers", 400, "MissingAction"),
        (&elb, "Action=Nonsense&Version=2012-06-01", 400, "InvalidAction"),
        (&elb, "Action=DescribeLoadBalancers&Version=2015-12-01", 400, "InvalidAction"),
        (&elb, "Action=DescribeLoadBalancers&Version=2012-06-01&PageSize=1&PageSize=2", 400, "ValidationError"),
        (&elb, "Action=DescribeLoadBalancers&Version=2012-06-01&LoadBalancerNames.1=x", 400, "ValidationError"),
        (&elb, "Action=DescribeLoadBalancers&Version=2012-06-01&a..b=x", 400, "ValidationError"),
        (&elb, &many, 400, "ValidationError"),
        (&elb, &numbered, 400, "ValidationError"),
        (&elb, &long, 413, "RequestEntityTooLarge"),
    ] {
        let reply = raw(&sandbox, "POST", "/", headers, body).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{code}: {reply}");
        assert_eq!(element(&reply, "Code"), code);
    }
    assert!(raw(&sandbox, "GET", "/", &elb, "").await.starts_with("HTTP/1.1 405"));
    assert!(raw(&sandbox, "POST", "/elsewhere", &elb, BODY).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn other_protocols_have_their_own_errors() {
    let sandbox = start("").await;
    let reply = raw(&sandbox, "POST", "/", &authorization("ec2"), "Action=DescribeVpcs&Version=2016-11-15&VpcId.1=x").await;
    assert!(reply.contains("<Response><Errors><Error><Code>InvalidVpcID.Malformed</Code>"), "{reply}");
    let acm = authorization("acm");
    for (target, body, code) in [
        ("CertificateManager.DescribeCertificate", "{}", "ValidationException"),
        ("CertificateManager.DescribeCertificate", "{\"CertificateArn\":\"x\"}", "ResourceNotFoundException"),
        ("CertificateManager.Nonsense", "{}", "UnknownOperationException"),
        ("Nonsense", "{}", "UnknownOperationException"),
        ("CertificateManager.ListCertificates", "[", "SerializationException"),
        ("CertificateManager.ListCertificates", "[]", "SerializationException"),
    ] {
        let reply = raw(&sandbox, "POST", "/", &format!("{acm}X-Amz-Target: {target}\r\n"), body).await;
        assert!(reply.starts_with("HTTP/1.1 400") && reply.contains(&format!("\"__type\":\"{code}\"")), "{target}: {reply}");
    }
}

#[tokio::test]
async fn a_message_carries_whatever_was_sent_as_legal_xml() {
    let sandbox = start("").await;
    let reply = query(&sandbox, "Action=DescribeLoadBalancers&LoadBalancerNames.member.1=%3Cb%3E%26%01%22").await;
    let message = element(&reply, "Message");
    assert!(message.contains("&lt;b&gt;&amp;\u{fffd}"), "{message}");
}

#[tokio::test]
async fn web_pages_and_rebound_names_are_kept_out() {
    let sandbox = start("").await;
    for path in ["/", "/_elbws/reset"] {
        let reply = raw(&sandbox, "POST", path, "Host: evil.example\r\n", BODY).await;
        assert!(reply.starts_with("HTTP/1.1 403") && reply.contains("Host header"), "{reply}");
    }
    for origin in ["https://evil.example", "null"] {
        let reply = raw(&sandbox, "POST", "/_elbws/reset", &format!("Origin: {origin}\r\n"), "").await;
        assert!(reply.starts_with("HTTP/1.1 403") && reply.contains("web pages"), "{reply}");
    }
    assert!(raw(&sandbox, "POST", "/_elbws/reset", "", "").await.starts_with("HTTP/1.1 204"));
}

#[tokio::test]
async fn the_admin_path_resets_lists_and_switches() {
    let sandbox = start(CHAT).await;
    query(&sandbox, "Action=DeleteLoadBalancer&LoadBalancerName=chat").await;
    let faults = r#"[{"action":"AddTags","times":1,"kind":{"error_before":{"code":"Throttling"}}}]"#;
    assert!(raw(&sandbox, "POST", "/_elbws/faults", "", faults).await.starts_with("HTTP/1.1 204"));
    assert!(raw(&sandbox, "GET", "/_elbws/faults", "", "").await.contains("Throttling"));
    assert!(raw(&sandbox, "GET", "/_elbws/counts", "", "").await.contains("\"DeleteLoadBalancer\":1"));
    assert!(raw(&sandbox, "GET", "/_elbws/log", "", "").await.contains("\"balancer\":\"chat\""));
    assert!(raw(&sandbox, "PUT", "/_elbws/switches", "", r#"{"tag_quota":10}"#).await.starts_with("HTTP/1.1 204"));
    assert!(raw(&sandbox, "GET", "/_elbws/switches", "", "").await.contains("\"tag_quota\":10"));
    assert_eq!(sandbox.switches().tag_quota, 10);
    for (path, body) in [
        ("/_elbws/faults", r#"[{"action":"Nonsense","kind":"disconnect_before"}]"#),
        ("/_elbws/faults", r#"[{"action":"AddTags","kind":{"error_before":{"code":"x","status":200}}}]"#),
        ("/_elbws/faults", "{}"),
    ] {
        let reply = raw(&sandbox, "POST", path, "", body).await;
        assert!(reply.starts_with("HTTP/1.1 400") && reply.contains("\"error\":"), "{reply}");
    }
    assert!(raw(&sandbox, "PUT", "/_elbws/switches", "", r#"{"tag_qota":10}"#).await.contains("unknown field `tag_qota`"));
    assert!(raw(&sandbox, "DELETE", "/_elbws/faults", "", "").await.starts_with("HTTP/1.1 204"));
    assert!(sandbox.faults().is_empty());
    assert!(raw(&sandbox, "DELETE", "/_elbws/log", "", "").await.starts_with("HTTP/1.1 204"));
    assert!(sandbox.log().is_empty());

    assert!(raw(&sandbox, "POST", "/_elbws/reset", "", "").await.starts_with("HTTP/1.1 204"));
    assert!(query(&sandbox, "Action=DescribeLoadBalancers").await.contains("<LoadBalancerName>chat</LoadBalancerName>"));
    assert_eq!(sandbox.switches().tag_quota, 50);
}
