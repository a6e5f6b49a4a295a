//! Both sides of every switch.

use elbws::sandbox::{BooleanEcho, IdenticalPolicy, InstanceProtocolDefault, Sandbox, Switches, UnusedInstancePort};

use crate::support::sandbox::{CHAT, certificate, element, query, start};

/// The code of a call's error; `OK` if it succeeds.
async fn code(sandbox: &Sandbox, call: &str) -> String {
    let reply = query(sandbox, call).await;
    if reply.starts_with("HTTP/1.1 200") { "OK".to_owned() } else { element(&reply, "Code").to_owned() }
}

async fn chat(change: impl FnOnce(&mut Switches)) -> Sandbox {
    let sandbox = start(CHAT).await;
    let mut switches = Switches::default();
    change(&mut switches);
    sandbox.set_switches(switches);
    sandbox
}

fn proxy(value: &str) -> String {
    format!(
        "Action=CreateLoadBalancerPolicy&LoadBalancerName=chat&PolicyName=proxy&PolicyTypeName=ProxyProtocolPolicyType\
         &PolicyAttributes.member.1.AttributeName=ProxyProtocol&PolicyAttributes.member.1.AttributeValue={value}"
    )
}

#[tokio::test]
async fn the_idle_timeout_ends_at_3600_or_4000() {
    let set = |seconds: u32| {
        format!(
            "Action=ModifyLoadBalancerAttributes&LoadBalancerName=chat&LoadBalancerAttributes.ConnectionSettings.IdleTimeout={seconds}"
        )
    };
    for ceiling in [3600, 4000] {
        let sandbox = chat(|switches| switches.idle_timeout_ceiling = ceiling).await;
        assert_eq!(code(&sandbox, &set(ceiling)).await, "OK");
        assert_eq!(code(&sandbox, &set(ceiling + 1)).await, "ValidationError");
    }
}

#[tokio::test]
async fn a_balancer_has_10_or_50_tags() {
    for quota in [10, 50] {
        let sandbox = chat(|switches| switches.tag_quota = quota).await;
        // The seed gives the balancer one tag.
        let tags: String = (1..quota).map(|number| format!("&Tags.member.{number}.Key=k{number}")).collect();
        assert_eq!(code(&sandbox, &format!("Action=AddTags&LoadBalancerNames.member.1=chat{tags}")).await, "OK");
        let more = "Action=AddTags&LoadBalancerNames.member.1=chat&Tags.member.1.Key=more";
        assert_eq!(code(&sandbox, more).await, "TooManyTags");
    }
}

#[tokio::test]
async fn an_instance_port_without_listeners_takes_policies_or_not() {
    let set = |policies: &str| {
        format!("Action=SetLoadBalancerPoliciesForBackendServer&LoadBalancerName=chat&InstancePort=8080&{policies}")
    };
    for (side, expected) in [(UnusedInstancePort::Accept, "OK"), (UnusedInstancePort::Reject, "InvalidConfigurationRequest")]
    {
        let sandbox = chat(|switches| switches.unused_instance_port = side).await;
        assert_eq!(code(&sandbox, &proxy("true")).await, "OK");
        assert_eq!(code(&sandbox, &set("PolicyNames.member.1=proxy")).await, expected);
        assert_eq!(code(&sandbox, &set("PolicyNames=")).await, "OK", "clearing is always accepted");
        let used = set("PolicyNames.member.1=proxy").replace("8080", "80");
        assert_eq!(code(&sandbox, &used).await, "OK", "a port that a listener uses always takes them");
    }
}

#[tokio::test]
async fn creating_the_same_policy_again_is_silent_or_an_error() {
    for (side, expected) in [(IdenticalPolicy::Silent, "OK"), (IdenticalPolicy::Error, "DuplicatePolicyName")] {
        let sandbox = chat(|switches| switches.identical_policy = side).await;
        assert_eq!(code(&sandbox, &proxy("true")).await, "OK");
        assert_eq!(code(&sandbox, &proxy("true")).await, expected);
        assert_eq!(code(&sandbox, &proxy("false")).await, "DuplicatePolicyName", "different content is always an error");
    }
}

#[tokio::test]
async fn booleans_read_back_as_sent_or_in_lower_case() {
    for (side, expected) in [(BooleanEcho::AsSent, "True"), (BooleanEcho::LowerCase, "true")] {
        let sandbox = chat(|switches| switches.boolean_echo = side).await;
        assert_eq!(code(&sandbox, &proxy("True")).await, "OK");
        let call = "Action=DescribeLoadBalancerPolicies&LoadBalancerName=chat&PolicyNames.member.1=proxy";
        assert_eq!(element(&query(&sandbox, call).await, "AttributeValue"), expected);
    }
}

#[tokio::test]
async fn another_instance_protocol_alone_is_a_duplicate_or_nothing() {
    for (side, expected) in [(true, "DuplicateListener"), (false, "OK")] {
        let sandbox = chat(|switches| switches.instance_protocol_makes_duplicate = side).await;
        let certificate = certificate(&sandbox);
        let call = format!(
            "Action=CreateLoadBalancerListeners&LoadBalancerName=chat&Listeners.member.1.Protocol=HTTPS\
             &Listeners.member.1.LoadBalancerPort=443&Listeners.member.1.InstanceProtocol=HTTPS\
             &Listeners.member.1.InstancePort=80&Listeners.member.1.SSLCertificateId={certificate}"
        );
        assert_eq!(code(&sandbox, &call).await, expected);
        let listener = &sandbox.world().regions["eu-west-1"].load_balancers["chat"].balancer.listeners[&443];
        assert_eq!(listener.to_string(), "HTTPS:443/HTTP:80");
    }
}

#[tokio::test]
async fn a_listener_without_an_instance_protocol_gets_its_own_or_the_plain_one() {
    let sides = [
        (InstanceProtocolDefault::SameProtocol, ["SSL", "HTTPS"]),
        (InstanceProtocolDefault::PlainProtocol, ["TCP", "HTTP"]),
    ];
    for (side, expected) in sides {
        let sandbox = chat(|switches| switches.instance_protocol_default = side).await;
        let certificate = certificate(&sandbox);
        for (protocol, port, expected) in [("SSL", 8001, expected[0]), ("HTTPS", 8002, expected[1])] {
            let call = format!(
                "Action=CreateLoadBalancerListeners&LoadBalancerName=chat&Listeners.member.1.Protocol={protocol}\
                 &Listeners.member.1.LoadBalancerPort={port}&Listeners.member.1.InstancePort={port}\
                 &Listeners.member.1.SSLCertificateId={certificate}"
            );
            assert_eq!(code(&sandbox, &call).await, "OK");
            let listener = &sandbox.world().regions["eu-west-1"].load_balancers["chat"].balancer.listeners[&port];
            assert_eq!(listener.instance_protocol.to_string(), expected);
        }
    }
}
