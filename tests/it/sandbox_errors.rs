//! Every error the service's model names, and what a request must not say: code and status of each, over the wire.

use elbws::sandbox::Sandbox;

use crate::support::sandbox::{CHAT, certificate, client, element, failure, listener, query, start};

const PROXY: &str = "Action=CreateLoadBalancerPolicy&LoadBalancerName=chat&PolicyName=proxy\
    &PolicyTypeName=ProxyProtocolPolicyType&PolicyAttributes.member.1.AttributeName=ProxyProtocol\
    &PolicyAttributes.member.1.AttributeValue=true";
const STICKY: &str = "Action=CreateLBCookieStickinessPolicy&LoadBalancerName=chat&PolicyName=sticky";
const TLS: &str = "Action=CreateLoadBalancerPolicy&LoadBalancerName=chat&PolicyName=tls\
    &PolicyTypeName=SSLNegotiationPolicyType&PolicyAttributes.member.1.AttributeName=Reference-Security-Policy\
    &PolicyAttributes.member.1.AttributeValue=ELBSecurityPolicy-TLS-1-2-2017-01";

/// A network with two VPCs, of which one has no way to the internet.
const NETWORKS: &str = "
    [[vpcs]]
    id = 'vpc-0000000a'
    default = true
    [[vpcs]]
    id = 'vpc-0000000b'
    internet_gateway = false
    [[subnets]]
    id = 'subnet-0000000a'
    zone = 'eu-west-1a'
    vpc = 'vpc-0000000a'
    [[subnets]]
    id = 'subnet-000000a2'
    zone = 'eu-west-1a'
    vpc = 'vpc-0000000a'
    [[subnets]]
    id = 'subnet-0000000b'
    zone = 'eu-west-1b'
    vpc = 'vpc-0000000b'
    [[security_groups]]
    id = 'sg-0000000a'
    name = 'a'
    vpc = 'vpc-0000000a'
    [[security_groups]]
    id = 'sg-0000000b'
    name = 'b'
    vpc = 'vpc-0000000b'
";

/// Goes back to the seed, makes the calls of `before`, which must succeed, and then one that must fail with the code and status.
async fn expect(sandbox: &Sandbox, before: &[&str], call: &str, code: &str, status: u16) {
    sandbox.reset();
    for call in before {
        let reply = query(sandbox, call).await;
        assert!(reply.starts_with("HTTP/1.1 200"), "{call}: {reply}");
    }
    let world = sandbox.world();
    let reply = query(sandbox, call).await;
    assert!(
        reply.starts_with(&format!("HTTP/1.1 {status} ")) && reply.contains(&format!("<Code>{code}</Code>")),
        "{call}: {reply}"
    );
    assert_eq!(element(&reply, "Type"), "Sender");
    assert!(!element(&reply, "Message").is_empty());
    assert!(std::sync::Arc::ptr_eq(&world, &sandbox.world()), "{call}: a call that fails changes nothing");
}

fn create(rest: &str) -> String {
    format!("Action=CreateLoadBalancer&LoadBalancerName=new&{rest}")
}

const TCP: &str =
    "Listeners.member.1.Protocol=TCP&Listeners.member.1.LoadBalancerPort=80&Listeners.member.1.InstancePort=80";
const ZONE: &str = "AvailabilityZones.member.1=eu-west-1a";

#[tokio::test]
async fn no_action_but_deletion_takes_a_balancer_that_is_not_there() {
    let sandbox = start("").await;
    let listener = "Listeners.member.1.Protocol=TCP&Listeners.member.1.LoadBalancerPort=1&Listeners.member.1.InstancePort=1";
    let check = "HealthCheck.Target=TCP:80&HealthCheck.Interval=30&HealthCheck.Timeout=5&HealthCheck.UnhealthyThreshold=2\
                 &HealthCheck.HealthyThreshold=2";
    for (action, rest) in [
        ("ApplySecurityGroupsToLoadBalancer", "SecurityGroups.member.1=sg-00000001"),
        ("AttachLoadBalancerToSubnets", "Subnets.member.1=subnet-00000001"),
        ("ConfigureHealthCheck", check),
        ("CreateAppCookieStickinessPolicy", "PolicyName=p&CookieName=c"),
        ("CreateLBCookieStickinessPolicy", "PolicyName=p"),
        ("CreateLoadBalancerListeners", listener),
        ("CreateLoadBalancerPolicy", "PolicyName=p&PolicyTypeName=ProxyProtocolPolicyType"),
        ("DeleteLoadBalancerListeners", "LoadBalancerPorts.member.1=80"),
        ("DeleteLoadBalancerPolicy", "PolicyName=p"),
        ("DeregisterInstancesFromLoadBalancer", "Instances.member.1.InstanceId=i-00000001"),
        ("DescribeInstanceHealth", ""),
        ("DescribeLoadBalancerAttributes", ""),
        ("DescribeLoadBalancerPolicies", ""),
        ("DetachLoadBalancerFromSubnets", "Subnets.member.1=subnet-00000001"),
        ("DisableAvailabilityZonesForLoadBalancer", ZONE),
        ("EnableAvailabilityZonesForLoadBalancer", ZONE),
        ("ModifyLoadBalancerAttributes", "LoadBalancerAttributes.CrossZoneLoadBalancing.Enabled=true"),
        ("RegisterInstancesWithLoadBalancer", "Instances.member.1.InstanceId=i-00000001"),
        ("SetLoadBalancerListenerSSLCertificate", "LoadBalancerPort=443&SSLCertificateId=arn"),
        ("SetLoadBalancerPoliciesForBackendServer", "InstancePort=80&PolicyNames="),
        ("SetLoadBalancerPoliciesOfListener", "LoadBalancerPort=80&PolicyNames="),
    ] {
        let reply = query(&sandbox, &format!("Action={action}&LoadBalancerName=nope&{rest}")).await;
        assert!(reply.starts_with("HTTP/1.1 400"), "{action}: {reply}");
        assert_eq!(element(&reply, "Code"), "LoadBalancerNotFound", "{action}");
        assert_eq!(element(&reply, "Message"), "There is no ACTIVE Load Balancer named &apos;nope&apos;", "{action}");
    }
    for (action, rest) in [
        ("AddTags", "LoadBalancerNames.member.1=nope&Tags.member.1.Key=k"),
        ("RemoveTags", "LoadBalancerNames.member.1=nope&Tags.member.1.Key=k"),
        ("DescribeTags", "LoadBalancerNames.member.1=nope"),
        ("DescribeLoadBalancers", "LoadBalancerNames.member.1=nope"),
    ] {
        let reply = query(&sandbox, &format!("Action={action}&{rest}")).await;
        assert_eq!(element(&reply, "Code"), "LoadBalancerNotFound", "{action}");
    }
    assert!(query(&sandbox, "Action=DeleteLoadBalancer&LoadBalancerName=nope").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_balancer_is_not_created_from_nonsense() {
    let networks = start(NETWORKS).await;
    let empty = start("").await;
    let missing = "subnet-0000dead";
    for (call, code, status) in [
        (format!("{TCP}&{ZONE}&Scheme=public"), "InvalidScheme", 400),
        (format!("{TCP}&Subnets.member.1={missing}"), "SubnetNotFound", 400),
        (format!("{TCP}&Subnets.member.1=subnet-0000000b"), "InvalidSubnet", 400),
        (
            format!("{TCP}&Subnets.member.1=subnet-0000000a&Subnets.member.2=subnet-000000a2"),
            "InvalidConfigurationRequest",
            409,
        ),
        (
            format!("{TCP}&Subnets.member.1=subnet-0000000a&Subnets.member.2=subnet-0000000b"),
            "InvalidConfigurationRequest",
            409,
        ),
        (format!("{TCP}&{ZONE}&SecurityGroups.member.1=sg-0000000b"), "InvalidSecurityGroup", 400),
        (format!("{TCP}&{ZONE}&SecurityGroups.member.1=sg-0000dead"), "InvalidSecurityGroup", 400),
        (format!("{TCP}&AvailabilityZones.member.1=us-east-1a"), "ValidationError", 400),
        (TCP.to_owned(), "ValidationError", 400),
        (format!("{TCP}&{ZONE}&Subnets.member.1=subnet-0000000a"), "ValidationError", 400),
        (ZONE.to_owned(), "ValidationError", 400),
        (format!("{ZONE}&Listeners="), "ValidationError", 400),
        (format!("{TCP}&{ZONE}&Tags.member.1.Key=k&Tags.member.2.Key=k"), "DuplicateTagKeys", 400),
        (format!("{TCP}&{ZONE}&Tags.member.1.Key=aws:k"), "ValidationError", 400),
        (format!("{TCP}&{ZONE}&Tags.member.1.Key=k&Tags.member.1.Value={}", "v".repeat(257)), "ValidationError", 400),
        (format!("{TCP}&{ZONE}&Tags.member.1.Key=a%3Bb"), "ValidationError", 400),
        (format!("{TCP}&{ZONE}&Speling=1"), "ValidationError", 400),
        (format!("{}&{ZONE}", TCP.replace("TCP", "UDP")), "UnsupportedProtocol", 400),
        (format!("{}&{ZONE}", TCP.replace("TCP", "SSL")), "ValidationError", 400),
        (
            format!(
                "{}&{ZONE}&Listeners.member.1.SSLCertificateId=arn:aws:acm:eu-west-1:1:certificate/x",
                TCP.replace("TCP", "SSL")
            ),
            "CertificateNotFound",
            400,
        ),
        (format!("{TCP}&{ZONE}&Listeners.member.1.InstanceProtocol=HTTP"), "InvalidConfigurationRequest", 409),
        (format!("{}&{ZONE}", TCP.replace("LoadBalancerPort=80", "LoadBalancerPort=0")), "ValidationError", 400),
        (format!("{}&{ZONE}", TCP.replace("InstancePort=80", "InstancePort=65536")), "ValidationError", 400),
        (format!("{}&{ZONE}", TCP.replace("InstancePort=80", "InstancePort=x")), "ValidationError", 400),
    ] {
        expect(&networks, &[], &create(&call), code, status).await;
    }
    let long = "x".repeat(33);
    for name in ["-new", "new-", "a_b", "", &long] {
        let call = format!("Action=CreateLoadBalancer&LoadBalancerName={name}&{TCP}&{ZONE}");
        expect(&empty, &[], &call, "ValidationError", 400).await;
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_with_the_difference() {
    let same = create(&format!("{TCP}&{ZONE}"));
    for (call, difference) in [
        (create(&format!("{}&{ZONE}", TCP.replace("InstancePort=80", "InstancePort=81"))), "listeners"),
        (create(&format!("{TCP}&{ZONE}&Tags.member.1.Key=k")), "tags"),
        (create(&format!("{TCP}&{ZONE}&Scheme=internal")), "scheme"),
        (create(&format!("{TCP}&AvailabilityZones.member.1=eu-west-1b")), "subnets"),
        (create(&format!("{TCP}&{ZONE}&SecurityGroups.member.1=sg-00000001")), "security groups"),
    ] {
        let sandbox = start("").await;
        query(&sandbox, &same).await;
        let reply = query(&sandbox, &call).await;
        assert_eq!(element(&reply, "Code"), "DuplicateLoadBalancerName");
        assert!(element(&reply, "Message").contains(difference), "{reply}");
    }
}

#[tokio::test]
async fn quotas_are_kept() {
    let sandbox = start("").await;
    for number in 0..20 {
        let reply = query(&sandbox, &create(&format!("{TCP}&{ZONE}")).replace("=new", &format!("=b{number}"))).await;
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    }
    assert_eq!(element(&query(&sandbox, &create(&format!("{TCP}&{ZONE}"))).await, "Code"), "TooManyLoadBalancers");

    let sandbox = start(CHAT).await;
    let mut number = 0;
    let refusal = loop {
        let reply = query(&sandbox, &STICKY.replace("sticky", &format!("p{number}"))).await;
        number += 1;
        if !reply.starts_with("HTTP/1.1 200") {
            break reply;
        }
    };
    assert_eq!(element(&refusal, "Code"), "TooManyPolicies");
    let policies = sandbox.world().regions["eu-west-1"].load_balancers["chat"].balancer.policies.len();
    assert_eq!(policies, elbws::sandbox::control::POLICY_QUOTA);
}

#[tokio::test]
async fn listeners_that_do_not_fit_are_refused() {
    let chat = start(CHAT).await;
    let on = |listener: &str| format!("Action=CreateLoadBalancerListeners&LoadBalancerName=chat&{listener}");
    let secure = TCP.replace("LoadBalancerPort=80", "LoadBalancerPort=81") + "&Listeners.member.1.InstanceProtocol=SSL";
    let twice = format!(
        "{}&{}",
        TCP.replace("LoadBalancerPort=80", "LoadBalancerPort=81"),
        TCP.replace("member.1", "member.2")
            .replace("LoadBalancerPort=80", "LoadBalancerPort=81")
            .replace("InstancePort=80", "InstancePort=82")
    );
    expect(&chat, &[], &on(TCP), "DuplicateListener", 400).await;
    expect(&chat, &[], &on(&twice), "DuplicateListener", 400).await;
    // Instance port 80 is used without encryption by the seed's listeners.
    expect(&chat, &[], &on(&secure), "InvalidConfigurationRequest", 409).await;
    let set = "Action=SetLoadBalancerListenerSSLCertificate&LoadBalancerName=chat";
    expect(&chat, &[], &format!("{set}&LoadBalancerPort=444&SSLCertificateId=arn"), "ListenerNotFound", 400).await;
    expect(&chat, &[], &format!("{set}&LoadBalancerPort=443&SSLCertificateId=arn"), "CertificateNotFound", 400).await;
    expect(&chat, &[], &format!("{set}&LoadBalancerPort=80&SSLCertificateId=arn"), "InvalidConfigurationRequest", 409).await;
}

#[tokio::test]
async fn a_tcp_listener_with_a_certificate_fails_the_second_time() {
    let sandbox = start(CHAT).await;
    let client = client(&sandbox).await;
    let certificate = certificate(&sandbox);
    let wanted = listener("TCP:8080/TCP:8080", Some(&certificate));
    let create = || client.create_load_balancer_listeners().load_balancer_name("chat").listeners(wanted.clone()).send();
    create().await.unwrap();
    let (code, status) = failure(create().await);
    assert_eq!((code.as_str(), status), ("DuplicateListener", 400));
}

#[tokio::test]
async fn policies_that_do_not_fit_are_refused() {
    let chat = start(CHAT).await;
    let of = |name: &str, policy_type: &str, attribute: &str, value: &str| {
        format!(
            "Action=CreateLoadBalancerPolicy&LoadBalancerName=chat&PolicyName={name}&PolicyTypeName={policy_type}\
             &PolicyAttributes.member.1.AttributeName={attribute}&PolicyAttributes.member.1.AttributeValue={value}"
        )
    };
    let (proxy, tls) = ("ProxyProtocolPolicyType", "SSLNegotiationPolicyType");
    let invalid = ("InvalidConfigurationRequest", 409);
    for (call, (code, status)) in [
        (of("p", "NoSuchPolicyType", "a", "b"), ("PolicyTypeNotFound", 400)),
        (of("p", proxy, "NoSuchAttribute", "b"), invalid),
        (of("p", proxy, "ProxyProtocol", "maybe"), invalid),
        (
            of("p", proxy, "ProxyProtocol", "true")
                + "&PolicyAttributes.member.2.AttributeName=ProxyProtocol&PolicyAttributes.member.2.AttributeValue=true",
            invalid,
        ),
        (format!("Action=CreateLoadBalancerPolicy&LoadBalancerName=chat&PolicyName=p&PolicyTypeName={proxy}"), invalid),
        (of("ELBSecurityPolicy-mine", proxy, "ProxyProtocol", "true"), invalid),
        (of("a.b", proxy, "ProxyProtocol", "true"), invalid),
        (of("p", tls, "Reference-Security-Policy", "ELBSecurityPolicy-1999"), invalid),
        (of("p", tls, "Protocol-TLSv1.2", "true"), invalid),
        (of("p", tls, "AES128-SHA", "true"), invalid),
        (of("p", "BackendServerAuthenticationPolicyType", "PublicKeyPolicyName", "none"), invalid),
        (of("p", "PublicKeyPolicyType", "PublicKey", "!"), invalid),
        (of("proxy", proxy, "ProxyProtocol", "false"), ("DuplicatePolicyName", 400)),
        (
            "Action=CreateAppCookieStickinessPolicy&LoadBalancerName=chat&PolicyName=p&CookieName=a;b".replace(';', "%3B"),
            invalid,
        ),
        (
            "Action=CreateLBCookieStickinessPolicy&LoadBalancerName=chat&PolicyName=p&CookieExpirationPeriod=0".to_owned(),
            invalid,
        ),
        ("Action=DescribeLoadBalancerPolicyTypes&PolicyTypeNames.member.1=None".to_owned(), ("PolicyTypeNotFound", 400)),
        ("Action=DescribeLoadBalancerPolicies&PolicyNames.member.1=None".to_owned(), ("PolicyNotFound", 400)),
        (
            "Action=DescribeLoadBalancerPolicies&LoadBalancerName=chat&PolicyNames.member.1=None".to_owned(),
            ("PolicyNotFound", 400),
        ),
    ] {
        expect(&chat, &[PROXY], &call, code, status).await;
    }
}

#[tokio::test]
async fn policies_are_set_only_where_they_belong() {
    let chat = start(CHAT).await;
    let listener = |port: u16, name: &str| {
        format!(
            "Action=SetLoadBalancerPoliciesOfListener&LoadBalancerName=chat&LoadBalancerPort={port}&PolicyNames.member.1={name}"
        )
    };
    let backend = |port: u16, name: &str| {
        format!(
            "Action=SetLoadBalancerPoliciesForBackendServer&LoadBalancerName=chat&InstancePort={port}&PolicyNames.member.1={name}"
        )
    };
    let invalid = ("InvalidConfigurationRequest", 409);
    for (call, (code, status)) in [
        (listener(443, "nope"), ("PolicyNotFound", 400)),
        (listener(443, "ELBSecurityPolicy-2015-05"), ("PolicyNotFound", 400)),
        (listener(444, "tls"), ("ListenerNotFound", 400)),
        (listener(443, "proxy"), invalid),
        (listener(80, "tls"), invalid),
        (listener(443, "tls") + "&PolicyNames.member.2=ELBSecurityPolicy-2016-08", invalid),
        (backend(80, "nope"), ("PolicyNotFound", 400)),
        (backend(80, "tls"), invalid),
        (backend(80, "sticky"), invalid),
        (backend(80, "proxy").replace("InstancePort=80", "InstancePort=0"), ("ValidationError", 400)),
        (
            "Action=SetLoadBalancerPoliciesForBackendServer&LoadBalancerName=chat&InstancePort=80".to_owned(),
            ("ValidationError", 400),
        ),
        (
            "Action=SetLoadBalancerPoliciesForBackendServer&LoadBalancerName=chat&InstancePort=80&PolicyNames=proxy"
                .to_owned(),
            ("ValidationError", 400),
        ),
    ] {
        expect(&chat, &[PROXY, STICKY, TLS], &call, code, status).await;
    }
    let sandbox = start(CHAT).await;
    query(&sandbox, PROXY).await;
    let message = query(&sandbox, &listener(443, "proxy")).await;
    assert!(element(&message, "Message").contains("cannot be enabled"), "{message}");
}

#[tokio::test]
async fn a_policy_in_use_is_not_deleted() {
    let chat = start(CHAT).await;
    let delete = |name: &str| format!("Action=DeleteLoadBalancerPolicy&LoadBalancerName=chat&PolicyName={name}");
    let attach =
        "Action=SetLoadBalancerPoliciesForBackendServer&LoadBalancerName=chat&InstancePort=80&PolicyNames.member.1=proxy";
    let invalid = ("InvalidConfigurationRequest", 409);
    expect(&chat, &[PROXY, attach], &delete("proxy"), invalid.0, invalid.1).await;
    expect(&chat, &[], &delete("ELBSecurityPolicy-2016-08"), invalid.0, invalid.1).await;

    let key = "Action=CreateLoadBalancerPolicy&LoadBalancerName=chat&PolicyName=key&PolicyTypeName=PublicKeyPolicyType\
               &PolicyAttributes.member.1.AttributeName=PublicKey&PolicyAttributes.member.1.AttributeValue=AAAA";
    let auth = "Action=CreateLoadBalancerPolicy&LoadBalancerName=chat&PolicyName=auth\
                &PolicyTypeName=BackendServerAuthenticationPolicyType\
                &PolicyAttributes.member.1.AttributeName=PublicKeyPolicyName&PolicyAttributes.member.1.AttributeValue=key";
    let attach = |port| {
        format!(
            "Action=SetLoadBalancerPoliciesForBackendServer&LoadBalancerName=chat&InstancePort={port}&PolicyNames.member.1=auth"
        )
    };
    expect(&chat, &[key, auth, &attach(8443)], &delete("key"), invalid.0, invalid.1).await;
    expect(&chat, &[key, auth], &attach(80), invalid.0, invalid.1).await;

    let sandbox = start(CHAT).await;
    query(&sandbox, PROXY).await;
    query(&sandbox, &attach(80).replace("=auth", "=proxy")).await;
    let reply = query(&sandbox, &delete("proxy")).await;
    let message = "You cannot delete policy [proxy] since it is enabled or referred by other enabled policy";
    assert_eq!(element(&reply, "Message"), message);
}

#[tokio::test]
async fn health_checks_and_attributes_have_bounds() {
    let chat = start(CHAT).await;
    let check = |target: &str, numbers: [u32; 4]| {
        let [interval, timeout, unhealthy, healthy] = numbers;
        format!(
            "Action=ConfigureHealthCheck&LoadBalancerName=chat&HealthCheck.Target={target}&HealthCheck.Interval={interval}\
             &HealthCheck.Timeout={timeout}&HealthCheck.UnhealthyThreshold={unhealthy}&HealthCheck.HealthyThreshold={healthy}"
        )
    };
    let fine = [30, 5, 2, 10];
    for target in ["TCP:0", "TCP:80/path", "HTTP:80", "UDP:80", "80", "TCP:70000", "SSL:x"] {
        expect(&chat, &[], &check(target, fine), "ValidationError", 400).await;
    }
    for numbers in
        [[4, 2, 2, 2], [301, 5, 2, 2], [30, 1, 2, 2], [300, 61, 2, 2], [30, 5, 1, 2], [30, 5, 2, 11], [30, 30, 2, 2]]
    {
        expect(&chat, &[], &check("TCP:80", numbers), "ValidationError", 400).await;
    }
    let missing = check("TCP:80", fine).replace("&HealthCheck.Timeout=5", "");
    expect(&chat, &[], &missing, "ValidationError", 400).await;

    for (attribute, code, status) in [
        ("ConnectionSettings.IdleTimeout=0", "ValidationError", 400),
        ("ConnectionSettings.IdleTimeout=4001", "ValidationError", 400),
        ("ConnectionDraining.Enabled=true&LoadBalancerAttributes.ConnectionDraining.Timeout=3601", "ValidationError", 400),
        ("ConnectionDraining.Timeout=5", "ValidationError", 400),
        ("CrossZoneLoadBalancing.Enabled=perhaps", "ValidationError", 400),
        ("AccessLog.Enabled=true", "InvalidConfigurationRequest", 409),
        ("AccessLog.Enabled=true&LoadBalancerAttributes.AccessLog.EmitInterval=7", "ValidationError", 400),
        (
            "AdditionalAttributes.member.1.Key=no.such&LoadBalancerAttributes.AdditionalAttributes.member.1.Value=x",
            "LoadBalancerAttributeNotFound",
            400,
        ),
        (
            "AdditionalAttributes.member.1.Key=elb.http.desyncmitigationmode&LoadBalancerAttributes.AdditionalAttributes.member.1.Value=x",
            "InvalidConfigurationRequest",
            409,
        ),
    ] {
        let call = format!("Action=ModifyLoadBalancerAttributes&LoadBalancerName=chat&LoadBalancerAttributes.{attribute}");
        expect(&chat, &[], &call, code, status).await;
    }
}

#[tokio::test]
async fn instances_tags_and_network_have_rules() {
    let chat = start(CHAT).await;
    let networks = start(NETWORKS).await;
    let empty = start("").await;
    let unknown = "Instances.member.1.InstanceId=i-0000dead";
    let balancer = "LoadBalancerName=chat";
    let (subnet, other) = ("subnet-0c4a7000000000001", "subnet-0c4a7000000000002");
    for (call, code, status) in [
        (format!("Action=RegisterInstancesWithLoadBalancer&{balancer}&{unknown}"), "InvalidInstance", 400),
        (format!("Action=DeregisterInstancesFromLoadBalancer&{balancer}&{unknown}"), "InvalidInstance", 400),
        (format!("Action=DescribeInstanceHealth&{balancer}&{unknown}"), "InvalidInstance", 400),
        (format!("Action=AttachLoadBalancerToSubnets&{balancer}&Subnets.member.1=subnet-0000dead"), "SubnetNotFound", 400),
        (
            format!("Action=DetachLoadBalancerFromSubnets&{balancer}&Subnets.member.1=subnet-0000dead"),
            "InvalidConfigurationRequest",
            409,
        ),
        (
            format!("Action=DetachLoadBalancerFromSubnets&{balancer}&Subnets.member.1={subnet}&Subnets.member.2={other}"),
            "InvalidConfigurationRequest",
            409,
        ),
        (format!("Action=EnableAvailabilityZonesForLoadBalancer&{balancer}&{ZONE}"), "InvalidConfigurationRequest", 409),
        (
            format!("Action=ApplySecurityGroupsToLoadBalancer&{balancer}&SecurityGroups.member.1=sg-0000dead"),
            "InvalidSecurityGroup",
            400,
        ),
        (format!("Action=ApplySecurityGroupsToLoadBalancer&{balancer}&SecurityGroups="), "InvalidConfigurationRequest", 409),
        (
            "Action=AddTags&LoadBalancerNames.member.1=chat&LoadBalancerNames.member.2=b&Tags.member.1.Key=k".to_owned(),
            "ValidationError",
            400,
        ),
        (
            "Action=AddTags&LoadBalancerNames.member.1=chat&Tags.member.1.Key=k&Tags.member.2.Key=k".to_owned(),
            "DuplicateTagKeys",
            400,
        ),
        ("Action=AddTags&LoadBalancerNames.member.1=chat&Tags=".to_owned(), "ValidationError", 400),
        ("Action=DescribeTags&LoadBalancerNames=".to_owned(), "ValidationError", 400),
        ("Action=DescribeLoadBalancers&PageSize=0".to_owned(), "ValidationError", 400),
        ("Action=DescribeLoadBalancers&PageSize=401".to_owned(), "ValidationError", 400),
        ("Action=DescribeLoadBalancers&Marker=chat".to_owned(), "ValidationError", 400),
    ] {
        expect(&chat, &[], &call, code, status).await;
    }
    let names: String = (1..=21).map(|number| format!("&LoadBalancerNames.member.{number}=chat")).collect();
    expect(&chat, &[], &format!("Action=DescribeTags{names}"), "ValidationError", 400).await;
    let tags: String = (1..=50).map(|number| format!("&Tags.member.{number}.Key=k{number}")).collect();
    expect(&chat, &[], &format!("Action=AddTags&LoadBalancerNames.member.1=chat{tags}"), "TooManyTags", 400).await;
    let last = format!("{}&Subnets.member.1=subnet-0000000a", create(TCP));
    let same_zone = "Action=AttachLoadBalancerToSubnets&LoadBalancerName=new&Subnets.member.1=subnet-000000a2";
    expect(&networks, &[&last], same_zone, "InvalidConfigurationRequest", 409).await;
    let zone = "Action=DisableAvailabilityZonesForLoadBalancer&LoadBalancerName=new&AvailabilityZones.member.1=eu-west-1a";
    expect(&empty, &[&create(&format!("{TCP}&{ZONE}"))], zone, "InvalidConfigurationRequest", 409).await;
}
