//! The AWS adapter against moto, an implementation of the API that is not ours: every kind of step, and what it reads back.

use std::collections::{BTreeMap, BTreeSet};

use elbws::cloud::aws::Aws;
use elbws::cloud::{Cloud, CloudErrorKind};
use elbws::model::{CertificateArn, HealthCheck, HealthCheckTarget, Policy};
use elbws::plan::Step;

use crate::support::balancers::listener;
use crate::support::moto::Moto;
use crate::support::wire::options;

const IAM: &str = "arn:aws:iam::123456789012:server-certificate/chat";

/// A server that holds balancer `chat` with HTTPS:443/HTTP:80 and HTTP:80/HTTP:80, and the adapter pointed at it.
async fn chat() -> (Moto, Aws) {
    let moto = Moto::start();
    let vpc = moto.aws(&["ec2", "create-vpc", "--cidr-block", "10.0.0.0/16"])["Vpc"]["VpcId"].clone();
    let vpc = vpc.as_str().expect("moto makes a VPC");
    let subnet = moto.aws(&["ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", "10.0.1.0/24"]);
    let subnet = subnet["Subnet"]["SubnetId"].as_str().expect("moto makes a subnet").to_owned();
    moto.aws(&[
        "elb",
        "create-load-balancer",
        "--load-balancer-name",
        "chat",
        "--subnets",
        &subnet,
        "--listeners",
        &format!("Protocol=HTTPS,LoadBalancerPort=443,InstanceProtocol=HTTP,InstancePort=80,SSLCertificateId={IAM}"),
        "Protocol=HTTP,LoadBalancerPort=80,InstanceProtocol=HTTP,InstancePort=80",
        "--tags",
        "Key=team,Value=chat",
    ]);
    let aws = Aws::connect(&options(&moto.endpoint, "eu-west-1")).await.expect("it connects");
    (moto, aws)
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: run ./tests/run"]
async fn a_new_balancer_is_read() {
    let (moto, aws) = chat().await;
    let balancer = aws.read("chat").await.expect("it is read");
    let routes: Vec<String> = balancer.listeners.values().map(ToString::to_string).collect();
    assert_eq!(routes, ["HTTP:80/HTTP:80", "HTTPS:443/HTTP:80"]);
    assert_eq!(balancer.listeners[&443].certificate, Some(CertificateArn::observed(IAM)));
    assert_eq!((balancer.scheme.as_str(), balancer.attributes.idle_timeout), ("internet-facing", 60));
    assert_eq!((balancer.subnets.len(), balancer.security_groups.len()), (1, 1));
    assert_eq!(balancer.tags, BTreeMap::from([("team".to_owned(), "chat".to_owned())]));
    assert!(balancer.vpc.is_some() && balancer.policies.is_empty() && balancer.backend_policies.is_empty());

    assert_eq!(aws.names().await.expect("they are listed"), ["chat"]);
    assert_eq!(aws.identity().await.expect("it is told").account, "123456789012");
    moto.calls();
    let error = aws.read("mail").await.expect_err("there is no such balancer");
    assert_eq!(error.kind, CloudErrorKind::LoadBalancerNotFound, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: run ./tests/run"]
async fn every_step_is_one_call_and_does_what_it_says() {
    let (moto, aws) = chat().await;
    let check = HealthCheck {
        target: HealthCheckTarget::tcp(8080),
        interval: 20,
        timeout: 4,
        unhealthy_threshold: 3,
        healthy_threshold: 5,
    };
    let other = CertificateArn::observed("arn:aws:iam::123456789012:server-certificate/path/other");
    let proxy = || Policy::proxy_protocol();
    let mut ssl = listener("SSL:443/TCP:8080");
    ssl.certificate = Some(CertificateArn::observed(IAM));
    let steps = [
        Step::ConfigureHealthCheck { health_check: check.clone() },
        Step::SetIdleTimeout { seconds: 3600 },
        Step::CreatePolicy { name: "pp".to_owned(), policy: proxy() },
        Step::CreatePolicy { name: "spare".to_owned(), policy: proxy() },
        Step::CreatePolicy { name: "tls".to_owned(), policy: Policy::negotiation("ELBSecurityPolicy-TLS-1-2-2017-01") },
        Step::DeleteListener { load_balancer_port: 443 },
        Step::CreateListener { listener: ssl },
        Step::SetListenerPolicies { load_balancer_port: 443, policies: set(["tls"]) },
        Step::SetBackendPolicies { instance_port: 8080, policies: set(["pp", "spare"]) },
        Step::SetBackendPolicies { instance_port: 80, policies: set(["pp"]) },
        Step::SetBackendPolicies { instance_port: 80, policies: set([]) },
        Step::SetBackendPolicies { instance_port: 8080, policies: set(["pp"]) },
        Step::DeletePolicy { name: "spare".to_owned() },
        Step::SetListenerCertificate { load_balancer_port: 443, certificate: other.clone() },
        Step::AddTags {
            tags: BTreeMap::from([("elbws:a".to_owned(), "1 + 2/3".to_owned()), ("elbws:b".to_owned(), "x".to_owned())]),
        },
        Step::RemoveTags { keys: set(["elbws:b"]) },
    ];
    let before = aws.read("chat").await.expect("it is read");
    moto.calls();
    for step in &steps {
        aws.perform("chat", step).await.unwrap_or_else(|error| panic!("{step}: {error}"));
    }
    assert_eq!(moto.calls(), steps.iter().map(|step| step.action().to_owned()).collect::<Vec<_>>());

    let after = aws.read("chat").await.expect("it is read");
    let mut wanted = before;
    wanted.health_check = Some(check);
    wanted.attributes.idle_timeout = 3600;
    // moto adds this one at any change of an attribute (elb-facts 6).
    wanted.attributes.additional.insert("elb.http.desyncmitigationmode".to_owned(), "defensive".to_owned());
    wanted.policies = BTreeMap::from([
        ("pp".to_owned(), proxy()),
        ("tls".to_owned(), Policy::negotiation("ELBSecurityPolicy-TLS-1-2-2017-01")),
    ]);
    let mut ssl = listener("SSL:443/TCP:8080");
    ssl.certificate = Some(other);
    ssl.policies = set(["tls"]);
    wanted.listeners.insert(443, ssl);
    wanted.backend_policies = BTreeMap::from([(8080, set(["pp"]))]);
    wanted.tags.insert("elbws:a".to_owned(), "1 + 2/3".to_owned());
    assert_eq!(after, wanted);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: run ./tests/run"]
async fn refusals_have_their_kind() {
    let (_moto, aws) = chat().await;
    let policy = Step::CreatePolicy { name: "pp".to_owned(), policy: Policy::proxy_protocol() };
    aws.perform("chat", &policy).await.expect("it is created");
    let twice = Step::CreatePolicy { name: "pp".to_owned(), policy: Policy::negotiation("ELBSecurityPolicy-2016-08") };
    for (balancer, step, wanted) in [
        ("chat", twice, CloudErrorKind::DuplicatePolicyName),
        ("chat", Step::CreateListener { listener: listener("TCP:443/TCP:80") }, CloudErrorKind::DuplicateListener),
        ("chat", Step::SetBackendPolicies { instance_port: 80, policies: set(["gone"]) }, CloudErrorKind::PolicyNotFound),
        ("mail", Step::SetIdleTimeout { seconds: 60 }, CloudErrorKind::LoadBalancerNotFound),
        ("mail", Step::DeleteListener { load_balancer_port: 443 }, CloudErrorKind::LoadBalancerNotFound),
    ] {
        let error = aws.perform(balancer, &step).await.expect_err("it is refused");
        assert_eq!(error.kind, wanted, "{step}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs moto: run ./tests/run"]
async fn certificates_are_looked_for_where_they_are_kept() {
    let (moto, aws) = chat().await;
    let requested = moto.aws(&["acm", "request-certificate", "--domain-name", "chat.example"]);
    let requested: CertificateArn = requested["CertificateArn"].as_str().expect("an ARN").parse().expect("an ARN");
    assert!(!aws.has_certificate(&requested).await.expect("it can say"), "it still waits for its validation");

    let key = rcgen::generate_simple_self_signed(["chat.example".to_owned()]).expect("a certificate");
    let (body, private_key) = (key.cert.pem(), key.signing_key.serialize_pem());
    let imported = moto.aws(&["acm", "import-certificate", "--certificate", &body, "--private-key", &private_key]);
    let imported = imported["CertificateArn"].as_str().expect("an ARN").parse().expect("an ARN");
    assert!(aws.has_certificate(&imported).await.expect("it can say"));

    let uploaded = moto.aws(&[
        "iam",
        "upload-server-certificate",
        "--server-certificate-name",
        "chat",
        "--certificate-body",
        &body,
        "--private-key",
        &private_key,
    ]);
    let uploaded = uploaded["ServerCertificateMetadata"]["Arn"].as_str().expect("an ARN").parse().expect("an ARN");
    assert!(aws.has_certificate(&uploaded).await.expect("it can say"));

    for absent in [
        "arn:aws:acm:eu-west-1:123456789012:certificate/00000000-0000-0000-0000-000000000000",
        "arn:aws:iam::123456789012:server-certificate/no-such",
        "arn:aws:iam::999999999999:server-certificate/chat",
    ] {
        assert!(!aws.has_certificate(&absent.parse().expect(absent)).await.expect("it can say"), "{absent}");
    }
}
