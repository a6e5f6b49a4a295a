//! The AWS adapter over the wire: what it sends, how it reads, and what becomes of every kind of broken answer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use elbws::cloud::aws::{Aws, AwsOptions};
use elbws::cloud::{Cloud, CloudErrorKind};
use elbws::model::{CertificateArn, Listener, Protocol};
use elbws::plan::Step;

use crate::support::wire::{Answers, Wire, options};

/// A region of its own for every test whose service misbehaves.
const REGION: &str = "eu-west-1";

fn reply(action: &str, content: &str) -> (u16, String) {
    let body = format!(
        r#"<{action}Response xmlns="http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/"><{action}Result>{content}</{action}Result><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{action}Response>"#
    );
    (200, body)
}

fn refusal(status: u16, code: &str, message: &str) -> (u16, String) {
    let body = format!(
        r#"<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"#
    );
    (status, body)
}

const BALANCER: &str = "<LoadBalancerDescriptions><member><LoadBalancerName>chat</LoadBalancerName><DNSName>chat.example</DNSName>\
    <Scheme>internet-facing</Scheme><ListenerDescriptions><member><Listener><Protocol>SSL</Protocol>\
    <LoadBalancerPort>443</LoadBalancerPort><InstanceProtocol>TCP</InstanceProtocol><InstancePort>80</InstancePort>\
    <SSLCertificateId>arn:aws:iam::1:server-certificate/c</SSLCertificateId></Listener>\
    <PolicyNames><member>tls</member></PolicyNames></member><member><Listener><Protocol>QUIC</Protocol>\
    <LoadBalancerPort>8443</LoadBalancerPort><InstanceProtocol>QUIC</InstanceProtocol><InstancePort>81</InstancePort>\
    </Listener><PolicyNames/></member></ListenerDescriptions><BackendServerDescriptions><member>\
    <InstancePort>80</InstancePort><PolicyNames><member>warp</member></PolicyNames></member></BackendServerDescriptions>\
    <HealthCheck><Target>TCP:80</Target><Interval>30</Interval><Timeout>5</Timeout><UnhealthyThreshold>2</UnhealthyThreshold>\
    <HealthyThreshold>10</HealthyThreshold></HealthCheck><Instances/><SecurityGroups/><Subnets/><AvailabilityZones/>\
    <SomethingNew>1</SomethingNew></member></LoadBalancerDescriptions>";

const POLICIES: &str = "<PolicyDescriptions><member><PolicyName>warp</PolicyName><PolicyTypeName>WarpPolicyType</PolicyTypeName>\
    <PolicyAttributeDescriptions><member><AttributeName>Factor</AttributeName><AttributeValue>9</AttributeValue></member>\
    </PolicyAttributeDescriptions></member></PolicyDescriptions>";

const ATTRIBUTES: &str = "<LoadBalancerAttributes><CrossZoneLoadBalancing><Enabled>true</Enabled></CrossZoneLoadBalancing>\
    <AccessLog><Enabled>false</Enabled></AccessLog><ConnectionDraining><Enabled>false</Enabled><Timeout>300</Timeout>\
    </ConnectionDraining><ConnectionSettings><IdleTimeout>60</IdleTimeout></ConnectionSettings><AdditionalAttributes><member>\
    <Key>elb.http.new</Key><Value>odd</Value></member></AdditionalAttributes></LoadBalancerAttributes>";

const TAGS: &str = "<TagDescriptions><member><LoadBalancerName>chat</LoadBalancerName><Tags><member><Key>team</Key>\
    <Value>chat</Value></member></Tags></member></TagDescriptions>";

fn healthy() -> BTreeMap<&'static str, (u16, String)> {
    BTreeMap::from([
        ("DescribeLoadBalancers", reply("DescribeLoadBalancers", BALANCER)),
        ("DescribeLoadBalancerPolicies", reply("DescribeLoadBalancerPolicies", POLICIES)),
        ("DescribeLoadBalancerAttributes", reply("DescribeLoadBalancerAttributes", ATTRIBUTES)),
        ("DescribeTags", reply("DescribeTags", TAGS)),
    ])
}

async fn wire(by_action: BTreeMap<&'static str, (u16, String)>) -> Wire {
    Wire::start(Answers { by_action, ..Answers::default() }).await
}

/// The healthy service with one action answering otherwise.
async fn wire_but(action: &'static str, answer: (u16, String)) -> Wire {
    let mut answers = healthy();
    answers.insert(action, answer);
    wire(answers).await
}

#[tokio::test]
async fn a_read_is_one_round_trip_deep_and_keeps_what_it_does_not_know() {
    let latency = Duration::from_millis(300);
    let wire = Wire::start(Answers { by_action: healthy(), latency }).await;
    let aws = wire.connect(REGION).await;
    let start = Instant::now();
    let balancer = aws.read("chat").await.unwrap();
    let took = start.elapsed();
    assert!(took >= latency && took < latency * 2, "four calls at once take one latency, not {took:?}");

    let actions: BTreeSet<String> = wire.calls().into_iter().map(|call| call.action).collect();
    assert_eq!(actions, healthy().keys().map(ToString::to_string).collect());
    assert_eq!(wire.calls().len(), 4);
    assert_eq!(balancer.listeners[&8443].protocol, Protocol::Other("QUIC".to_owned()));
    assert_eq!(balancer.policies["warp"].policy_type, "WarpPolicyType");
    assert_eq!(balancer.attributes.additional, BTreeMap::from([("elb.http.new".to_owned(), "odd".to_owned())]));
    assert_eq!(balancer.tags, BTreeMap::from([("team".to_owned(), "chat".to_owned())]));
    // Attached, but not described: the name stays.
    assert!(balancer.listeners[&443].policies.contains("tls"));
}

#[tokio::test]
async fn the_user_agent_names_the_program() {
    let wire = wire(healthy()).await;
    wire.connect(REGION).await.read("chat").await.unwrap();
    let wanted = format!("elbws/{}", env!("CARGO_PKG_VERSION"));
    for call in wire.calls() {
        assert!(call.user_agent.contains(&wanted), "{}: {}", call.action, call.user_agent);
    }
}

#[tokio::test]
async fn access_denied_names_the_action_called() {
    let wire = wire_but("DescribeTags", refusal(403, "AccessDenied", "User: u is not\nallowed")).await;
    let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::AccessDenied);
    assert_eq!(error.action, "elasticloadbalancing:DescribeTags");
    assert_eq!(error.to_string(), "DescribeTags failed: AccessDenied: User: u is not allowed (request id r-2)");
}

#[tokio::test]
async fn access_denied_names_an_action_of_another_service() {
    let said = "User: u is not authorized to perform: ec2:DescribeSecurityGroups because no policy allows it";
    let wire = wire_but("DescribeLoadBalancers", refusal(403, "AccessDenied", said)).await;
    let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
    assert_eq!(error.action, "ec2:DescribeSecurityGroups");
}

#[tokio::test]
async fn a_balancer_that_does_not_exist_goes_before_other_failures() {
    let mut answers = healthy();
    answers.insert(
        "DescribeLoadBalancers",
        refusal(400, "LoadBalancerNotFound", "There is no ACTIVE Load Balancer named 'chat'"),
    );
    answers.insert("DescribeLoadBalancerAttributes", (500, "<html>".to_owned()));
    let start = Instant::now();
    let error = wire(answers).await.connect("missing-1").await.read("chat").await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::LoadBalancerNotFound);
    assert!(start.elapsed() < Duration::from_secs(2), "it does not wait for the retries of the others");
}

#[tokio::test]
async fn a_failed_part_is_never_an_absent_one() {
    for action in ["DescribeLoadBalancerPolicies", "DescribeLoadBalancerAttributes", "DescribeTags"] {
        let wire = wire_but(action, refusal(400, "ValidationError", "no")).await;
        let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (CloudErrorKind::Refused, Some("ValidationError")));
        assert_eq!(error.action, format!("elasticloadbalancing:{action}"));
    }
}

#[tokio::test]
async fn a_web_page_is_no_answer() {
    for status in [200, 302, 404] {
        let page = "<!DOCTYPE html><html><body>Sign in to\x07 the hotel wifi</body></html>".to_owned();
        let wire = wire_but("DescribeLoadBalancers", (status, page)).await;
        let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
        assert_eq!(error.kind, CloudErrorKind::BadReply, "{error}");
        assert!(error.message.contains(&format!("HTTP status {status}")) && error.message.contains("127.0.0.1"), "{error}");
        assert!(!error.message.contains(char::is_control));
    }
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let (_, whole) = reply("DescribeLoadBalancers", BALANCER);
    // Cut behind the first listener, where the SDK itself would see a balancer with one listener.
    let first_listener = whole.find("</member><member><Listener>").unwrap() + "</member>".len();
    for end in [first_listener, whole.len() / 2, whole.len() - 1] {
        let wire = wire_but("DescribeLoadBalancers", (200, whole[..end].to_owned())).await;
        let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
        assert_eq!(error.kind, CloudErrorKind::BadReply, "{error}");
        assert!(error.message.contains("stops in the middle"), "{error}");
    }
    let wire = wire_but("DescribeLoadBalancers", (200, String::new())).await;
    let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::BadReply, "{error}");
}

#[tokio::test]
async fn an_answer_about_nothing_is_refused() {
    let wire = wire_but("DescribeLoadBalancers", reply("DescribeLoadBalancers", "<LoadBalancerDescriptions/>")).await;
    let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::BadReply);
    assert_eq!(error.to_string(), "DescribeLoadBalancers failed: asked for chat, 0 balancers are described");
    let wire = wire_but("DescribeLoadBalancers", (200, refusal(400, "AccessDenied", "no").1)).await;
    let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::BadReply, "a refusal with the status of a success: {error}");
}

#[tokio::test]
async fn credentials_that_are_refused_are_explained_without_being_shown() {
    let quoted =
        "The Canonical String should have been x-amz-security-token:SESSIONSECRET Credential=AKIDLOCAL very-secret-key";
    for code in ["SignatureDoesNotMatch", "InvalidClientTokenId", "ExpiredToken", "IncompleteSignature"] {
        let wire = wire_but("DescribeLoadBalancers", refusal(403, code, quoted)).await;
        let error = wire.connect(REGION).await.read("chat").await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (CloudErrorKind::Credentials, Some(code)));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("SESSIONSECRET") && !shown.contains("very-secret-key"), "{shown}");
    }
}

#[tokio::test]
async fn throttling_for_ever_ends_as_throttled() {
    let one = async |region: &str, code: &str| {
        let wire = wire_but("DescribeLoadBalancers", refusal(400, code, "Rate exceeded")).await;
        let start = Instant::now();
        let error = wire.connect(region).await.names().await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (CloudErrorKind::Throttled, Some(code)), "{error}");
        assert!(wire.calls().len() > 3, "{code} is retried");
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    };
    tokio::join!(one("throttled-1", "Throttling"), one("throttled-2", "DependencyThrottle"));
}

#[tokio::test]
async fn a_failing_service_is_retried_and_then_ambiguous() {
    let wire = wire_but("DeleteLoadBalancerListeners", (503, "<html>Service Unavailable</html>".to_owned())).await;
    let aws = wire.connect("failing-1").await;
    let error = aws.perform("chat", &Step::DeleteListener { load_balancer_port: 443 }).await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::ServiceFault);
    assert!(error.is_ambiguous() && wire.calls().len() > 1, "{error}");
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_says_where() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let aws = Aws::connect(&options(&url, "nobody-1")).await.unwrap();
    let error = aws.read("chat").await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::Unreachable);
    assert!(error.message.contains(&url) && error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn an_empty_set_and_the_instance_protocol_are_sent() {
    let wire = wire(BTreeMap::from([
        ("SetLoadBalancerPoliciesForBackendServer", reply("SetLoadBalancerPoliciesForBackendServer", "")),
        ("SetLoadBalancerPoliciesOfListener", reply("SetLoadBalancerPoliciesOfListener", "")),
        ("CreateLoadBalancerListeners", reply("CreateLoadBalancerListeners", "")),
        ("ModifyLoadBalancerAttributes", reply("ModifyLoadBalancerAttributes", "")),
    ]))
    .await;
    let aws = wire.connect(REGION).await;
    let listener = Listener {
        protocol: Protocol::Tcp,
        load_balancer_port: 443,
        instance_protocol: Protocol::Tcp,
        instance_port: 80,
        certificate: None,
        policies: BTreeSet::new(),
    };
    for step in [
        Step::SetBackendPolicies { instance_port: 80, policies: BTreeSet::new() },
        Step::SetListenerPolicies { load_balancer_port: 443, policies: BTreeSet::new() },
        Step::CreateListener { listener },
        Step::SetIdleTimeout { seconds: 3600 },
    ] {
        aws.perform("chat", &step).await.unwrap();
    }
    let bodies: Vec<String> = wire.calls().into_iter().map(|call| format!("{}&", call.body)).collect();
    assert!(bodies[0].contains("&InstancePort=80&PolicyNames=&"), "{}", bodies[0]);
    assert!(bodies[1].contains("&LoadBalancerPort=443&PolicyNames=&"), "{}", bodies[1]);
    assert!(bodies[2].contains("InstanceProtocol=TCP&"), "{}", bodies[2]);
    assert!(!bodies[2].contains("SSLCertificateId"), "{}", bodies[2]);
    let sent = "&LoadBalancerName=chat&LoadBalancerAttributes.ConnectionSettings.IdleTimeout=3600&";
    assert!(bodies[3].ends_with(sent), "only what changes is sent: {}", bodies[3]);
}

#[tokio::test]
async fn an_endless_list_of_names_is_refused() {
    let page = format!("{BALANCER}<NextMarker>again</NextMarker>");
    let wire = wire_but("DescribeLoadBalancers", reply("DescribeLoadBalancers", &page)).await;
    let error = wire.connect(REGION).await.names().await.unwrap_err();
    assert_eq!(error.kind, CloudErrorKind::BadReply);
    let last = wire_but("DescribeLoadBalancers", reply("DescribeLoadBalancers", &format!("{BALANCER}<NextMarker/>"))).await;
    assert_eq!(last.connect(REGION).await.names().await.unwrap(), ["chat"]);
}

#[tokio::test]
async fn a_certificate_is_there_or_not_or_not_known() {
    let acm: CertificateArn = "arn:aws:acm:eu-west-1:1:certificate/x".parse().unwrap();
    let found = r#"{"Certificate":{"CertificateArn":"arn:aws:acm:eu-west-1:1:certificate/x","KeyAlgorithm":"RSA_9999"}}"#;
    let missing = r#"{"__type":"ResourceNotFoundException","message":"no"}"#;
    let denied = r#"{"__type":"AccessDeniedException","message":"no"}"#;
    for (status, body, wanted) in [
        (200, found, Ok(true)),
        (400, missing, Ok(false)),
        (400, denied, Err((CloudErrorKind::AccessDenied, "acm:DescribeCertificate".to_owned()))),
    ] {
        let wire = wire(BTreeMap::from([("DescribeCertificate", (status, body.to_owned()))])).await;
        let result = wire.connect(REGION).await.has_certificate(&acm).await;
        assert_eq!(result.map_err(|error| (error.kind, error.action)), wanted);
    }

    let iam: CertificateArn = "arn:aws:iam::1:server-certificate/c".parse().unwrap();
    let metadata = |account| {
        reply(
            "GetServerCertificate",
            &format!(
                "<ServerCertificate><ServerCertificateMetadata><Path>/</Path><ServerCertificateName>c</ServerCertificateName>\
                 <ServerCertificateId>ASCA</ServerCertificateId><Arn>arn:aws:iam::{account}:server-certificate/c</Arn>\
                 </ServerCertificateMetadata><CertificateBody>x</CertificateBody></ServerCertificate>"
            ),
        )
    };
    for (answer, wanted) in
        [(metadata(1), true), (metadata(2), false), (refusal(404, "NoSuchEntity", "cannot be found"), false)]
    {
        let wire = wire(BTreeMap::from([("GetServerCertificate", answer)])).await;
        assert_eq!(wire.connect(REGION).await.has_certificate(&iam).await.unwrap(), wanted);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_before_any_call() {
    let refused = async |options: AwsOptions| Aws::connect(&options).await.map(|_| ()).unwrap_err();
    let local = || options("http://127.0.0.1:1", REGION);

    let error = refused(AwsOptions { region: None, ..local() }).await;
    assert_eq!((error.kind, error.to_string().as_str()), (CloudErrorKind::NoRegion, "no region is set"));

    let error = refused(options("localhost:5000", REGION)).await;
    assert_eq!(error.kind, CloudErrorKind::Configuration);
    assert!(error.to_string().starts_with("`localhost:5000` is not an endpoint URL"), "{error}");

    let error = refused(AwsOptions { profile: Some("no-such-profile".to_owned()), credentials: None, ..local() }).await;
    assert_eq!(error.kind, CloudErrorKind::Configuration);
    assert!(error.to_string().starts_with("there is no AWS profile `no-such-profile`"), "{error}");
}

/// The program with nothing in its environment but a home folder of its own.
fn elbws(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.env_clear().env("HOME", home).envs(environment.iter().copied()).args(arguments).stdin(Stdio::null());
    let output = command.output().expect("it runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("it is text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_profile_goes_before_credentials_in_the_environment() {
    let wire = wire(healthy()).await;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let profile = "[profile p]\nregion = eu-west-3\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\n";
    std::fs::write(home.path().join(".aws/config"), profile).unwrap();
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_REGION", "eu-west-1")];
    let signed_by = |arguments: &[&str]| {
        let (status, said) = elbws(home.path(), arguments, &keys);
        assert_eq!(status, Some(0), "{said}");
        wire.calls().pop().unwrap().authorization
    };
    let authorization = signed_by(&["show", "--elb", "chat", "--endpoint-url", wire.url(), "--profile", "p"]);
    assert!(authorization.contains("AKIDPROFILE"), "{authorization}");
    let authorization = signed_by(&["show", "--elb", "chat", "--endpoint-url", wire.url()]);
    assert!(authorization.contains("AKIDENVIRONMENT"), "{authorization}");
}

#[test]
fn without_credentials_the_program_says_so_within_seconds() {
    // A metadata service that accepts connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let home = tempfile::tempdir().unwrap();
    for (arguments, wanted) in [
        (vec!["plan", "--elb", "chat"], "no region is set"),
        (vec!["plan", "--elb", "chat", "--region", "eu-west-1"], "no AWS credentials were found"),
    ] {
        let start = Instant::now();
        let (status, said) = elbws(home.path(), &arguments, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.as_str())]);
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(wanted), "{said}");
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    }
}
