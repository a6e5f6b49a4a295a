//! Server certificates in IAM and ACM, through the real clients, and who may use them.

use aws_sdk_acm::primitives::Blob;
use aws_sdk_acm::types::{Filters, KeyAlgorithm};
use elbws::sandbox::authority::{Authority, Issued, KeyKind};

use crate::support::sandbox::{CHAT, certificate, client, config, failure, listener, start};

fn issue(kind: KeyKind) -> Issued {
    let now = jiff::Timestamp::now();
    Authority::new(now).unwrap().issue(&["own.example".to_owned()], kind, now).unwrap()
}

#[tokio::test]
async fn a_certificate_of_iam_is_uploaded_used_kept_and_deleted() {
    let sandbox = start(CHAT).await;
    let iam = aws_sdk_iam::Client::new(&config(&sandbox, "us-east-1").await);
    let own = issue(KeyKind::EcdsaP256);
    let upload = |name: &str| {
        iam.upload_server_certificate()
            .server_certificate_name(name)
            .certificate_body(&own.certificate)
            .private_key(&own.key)
    };
    let arn = upload("own").send().await.unwrap().server_certificate_metadata().unwrap().arn().to_owned();
    assert_eq!(arn, "arn:aws:iam::123456789012:server-certificate/own");
    assert_eq!(failure(upload("OWN").send().await), ("EntityAlreadyExists".to_owned(), 409));
    let got = iam.get_server_certificate().server_certificate_name("own").send().await.unwrap();
    assert_eq!(got.server_certificate().unwrap().certificate_body(), own.certificate.trim_end_matches('\r'));
    let with_path = upload("deep").path("/cloud/").send().await.unwrap();
    assert!(with_path.server_certificate_metadata().unwrap().arn().ends_with("server-certificate/cloud/deep"));
    let listed = iam.list_server_certificates().path_prefix("/cloud/").send().await.unwrap();
    assert_eq!(listed.server_certificate_metadata_list().len(), 1);

    let elb = client(&sandbox).await;
    let call = elb.create_load_balancer_listeners().load_balancer_name("chat");
    call.listeners(listener("SSL:8443/TCP:80", Some(&arn))).send().await.unwrap();
    let delete = || iam.delete_server_certificate().server_certificate_name("own").send();
    assert_eq!(failure(delete().await), ("DeleteConflict".to_owned(), 409));
    let call = elb.delete_load_balancer_listeners().load_balancer_name("chat").load_balancer_ports(8443);
    call.send().await.unwrap();
    delete().await.unwrap();
    assert_eq!(failure(delete().await), ("NoSuchEntity".to_owned(), 404));
    let call = elb.create_load_balancer_listeners().load_balancer_name("chat");
    let gone = call.listeners(listener("SSL:8443/TCP:80", Some(&arn))).send().await;
    assert_eq!(failure(gone), ("CertificateNotFound".to_owned(), 400));
}

#[tokio::test]
async fn what_is_not_a_certificate_is_not_uploaded() {
    let sandbox = start("").await;
    let iam = aws_sdk_iam::Client::new(&config(&sandbox, "us-east-1").await);
    let (own, other) = (issue(KeyKind::EcdsaP256), issue(KeyKind::EcdsaP256));
    let twice = format!("{}{}", own.certificate, own.certificate);
    for (name, body, chain, key, code) in [
        ("own", "text", None, own.key.as_str(), "MalformedCertificate"),
        ("own", twice.as_str(), None, own.key.as_str(), "MalformedCertificate"),
        ("own", own.key.as_str(), None, own.key.as_str(), "MalformedCertificate"),
        ("own", own.certificate.as_str(), None, "text", "MalformedCertificate"),
        ("own", own.certificate.as_str(), Some("text"), own.key.as_str(), "MalformedCertificate"),
        ("own", own.certificate.as_str(), None, other.key.as_str(), "KeyPairMismatch"),
        ("a b", own.certificate.as_str(), None, own.key.as_str(), "ValidationError"),
    ] {
        let call = iam.upload_server_certificate().server_certificate_name(name).certificate_body(body).private_key(key);
        let (found, status) = failure(call.set_certificate_chain(chain.map(str::to_owned)).send().await);
        assert_eq!((found.as_str(), status), (code, 400));
    }
}

#[tokio::test]
async fn a_certificate_is_imported_into_acm_described_and_listed() {
    let sandbox = start(CHAT).await;
    let acm = aws_sdk_acm::Client::new(&config(&sandbox, "eu-west-1").await);
    let import = |issued: &Issued| {
        let call = acm.import_certificate().certificate(Blob::new(issued.certificate.as_bytes()));
        call.private_key(Blob::new(issued.key.as_bytes()))
    };
    let rsa = issue(KeyKind::Rsa2048);
    let reply = import(&rsa).send().await.unwrap();
    let arn = reply.certificate_arn().unwrap();
    assert!(arn.starts_with("arn:aws:acm:eu-west-1:123456789012:certificate/"));
    let again = import(&rsa).certificate_arn(arn).send().await.unwrap();
    assert_eq!(again.certificate_arn(), Some(arn), "a certificate is imported anew under its ARN");
    let described = acm.describe_certificate().certificate_arn(arn).send().await.unwrap();
    let described = described.certificate().unwrap();
    assert_eq!((described.domain_name(), described.r#type().unwrap().as_str()), (Some("own.example"), "IMPORTED"));
    assert!(described.not_after().unwrap().secs() > described.not_before().unwrap().secs());
    assert!(described.in_use_by().is_empty());
    let seeded = acm.describe_certificate().certificate_arn(certificate(&sandbox)).send().await.unwrap();
    let users = seeded.certificate().unwrap().in_use_by().to_vec();
    assert_eq!(users, ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/chat"]);

    let ecdsa = import(&issue(KeyKind::EcdsaP256)).send().await.unwrap();
    let ecdsa = ecdsa.certificate_arn().unwrap();
    assert_eq!(
        acm.list_certificates().send().await.unwrap().certificate_summary_list().len(),
        2,
        "RSA keys only, unless asked"
    );
    let ec = Filters::builder().key_types(KeyAlgorithm::EcPrime256v1).build();
    let listed = acm.list_certificates().includes(ec).send().await.unwrap();
    assert_eq!(listed.certificate_summary_list()[0].certificate_arn(), Some(ecdsa));

    let elb = client(&sandbox).await;
    let create = |arn: &str| {
        elb.create_load_balancer_listeners()
            .load_balancer_name("chat")
            .listeners(listener("SSL:8443/TCP:80", Some(arn)))
            .send()
    };
    assert_eq!(failure(create(ecdsa).await), ("InvalidConfigurationRequest".to_owned(), 409), "no EC keys from ACM");
    create(arn).await.unwrap();
    let elsewhere = aws_sdk_acm::Client::new(&config(&sandbox, "us-east-1").await);
    let (code, _) = failure(elsewhere.describe_certificate().certificate_arn(arn).send().await);
    assert_eq!(code, "ResourceNotFoundException", "a certificate belongs to its region");
    let mismatch = Issued { certificate: rsa.certificate, key: issue(KeyKind::EcdsaP256).key };
    assert_eq!(failure(import(&mismatch).send().await).0, "ValidationException");
}

#[tokio::test]
async fn everybody_is_the_sandboxs_user() {
    let sandbox = start("account = '210987654321'").await;
    let sts = aws_sdk_sts::Client::new(&config(&sandbox, "eu-west-1").await);
    let identity = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("210987654321"));
    assert_eq!(identity.arn(), Some("arn:aws:iam::210987654321:user/sandbox"));
}
