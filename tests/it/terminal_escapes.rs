//! Names, tags and messages that would act on the terminal: they are shown, and do nothing.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::raw_server::serve;
use crate::support::story::{Ran, Story};

/// Control sequences that XML can carry: C1 controls (CSI, OSC), DEL, and what reverses the direction of writing. The escape
/// character itself is illegal in XML; some servers send it all the same.
const HOSTILE: &str = "a\u{9b}31m\u{9b}2Jb\u{9d}0;title\u{9c}c\u{7f}d\u{202e}e\u{2066}f\u{85}g\u{2028}h\u{200f}i";

fn document(action: &str, content: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/\"><{action}Result>{content}</{action}Result>\
         <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// A service whose balancer has hostile text wherever it can be.
fn hostile_service(request: &str) -> (u16, String) {
    let action =
        request.rsplit("\r\n\r\n").next().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("Action="));
    let h = HOSTILE;
    let content = match action.unwrap_or_default() {
        "DescribeLoadBalancers" => format!(
            "<LoadBalancerDescriptions><member><LoadBalancerName>chat</LoadBalancerName><DNSName>dns{h}</DNSName>\
             <Scheme>internet-facing{h}</Scheme><VPCId>vpc{h}</VPCId><ListenerDescriptions><member><Listener><Protocol>HTTPS</Protocol>\
             <LoadBalancerPort>443</LoadBalancerPort><InstanceProtocol>HTTP</InstanceProtocol><InstancePort>80</InstancePort>\
             <SSLCertificateId>arn:aws:iam::1:server-certificate/{h}</SSLCertificateId></Listener><PolicyNames><member>tls{h}</member>\
             </PolicyNames></member><member><Listener><Protocol>QU{h}</Protocol><LoadBalancerPort>8443</LoadBalancerPort>\
             <InstanceProtocol>QU{h}</InstanceProtocol><InstancePort>81</InstancePort></Listener><PolicyNames/></member>\
             </ListenerDescriptions><BackendServerDescriptions><member><InstancePort>80</InstancePort><PolicyNames><member>back{h}</member>\
             </PolicyNames></member></BackendServerDescriptions><HealthCheck><Target>HTTP:80/status</Target><Interval>30</Interval>\
             <Timeout>5</Timeout><UnhealthyThreshold>2</UnhealthyThreshold><HealthyThreshold>10</HealthyThreshold></HealthCheck>\
             <Instances><member><InstanceId>i-{h}</InstanceId></member></Instances><SecurityGroups><member>sg-{h}</member></SecurityGroups>\
             <Subnets><member>subnet-{h}</member></Subnets><AvailabilityZones><member>zone{h}</member></AvailabilityZones></member>\
             </LoadBalancerDescriptions>"
        ),
        "DescribeLoadBalancerPolicies" => {
            let policy = |name: &str, policy_type: &str| {
                format!(
                    "<member><PolicyName>{name}{h}</PolicyName><PolicyTypeName>{policy_type}</PolicyTypeName><PolicyAttributeDescriptions>\
                     <member><AttributeName>Name{h}</AttributeName><AttributeValue>value{h}</AttributeValue></member>\
                     </PolicyAttributeDescriptions></member>"
                )
            };
            let policies = policy("tls", "SSLNegotiationPolicyType") + &policy("back", &format!("Type{h}"));
            format!("<PolicyDescriptions>{policies}</PolicyDescriptions>")
        }
        "DescribeLoadBalancerAttributes" => format!(
            "<LoadBalancerAttributes><CrossZoneLoadBalancing><Enabled>true</Enabled></CrossZoneLoadBalancing><AccessLog><Enabled>true</Enabled>\
             <S3BucketName>bucket{h}</S3BucketName><S3BucketPrefix>prefix{h}</S3BucketPrefix></AccessLog><ConnectionDraining>\
             <Enabled>false</Enabled></ConnectionDraining><ConnectionSettings><IdleTimeout>60</IdleTimeout></ConnectionSettings>\
             <AdditionalAttributes><member><Key>key{h}</Key><Value>value{h}</Value></member></AdditionalAttributes></LoadBalancerAttributes>"
        ),
        "DescribeTags" => format!(
            "<TagDescriptions><member><LoadBalancerName>chat</LoadBalancerName><Tags><member><Key>key{h}</Key><Value>value{h}</Value>\
             </member></Tags></member></TagDescriptions>"
        ),
        _ => {
            let error = format!(
                "<Error><Type>Sender</Type><Code>Code{h}</Code><Message>\u{1b}[31mmessage{h}\u{7}</Message></Error>"
            );
            return (400, format!("<ErrorResponse>{error}</ErrorResponse>"));
        }
    };
    (200, document(action.unwrap_or_default(), &content))
}

/// Whether a character may act on a terminal. Not taken from the program: the two are to agree.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
        || ['\u{200e}', '\u{200f}', '\u{61c}', '\u{2028}', '\u{2029}'].contains(&c)
}

#[track_caller]
fn is_harmless(what: &str, ran: &Ran) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        let found: Vec<char> = text.chars().filter(|c| acts(*c)).collect();
        assert!(found.is_empty(), "{what}: {stream} holds {found:?}:\n{}", text.escape_debug());
    }
}

fn run(home: &Path, arguments: &[&str], endpoint: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.args(arguments).env_clear().env("HOME", home).current_dir(home).env("AWS_ENDPOINT_URL", endpoint);
    command.env("AWS_REGION", "eu-west-1").env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    Ran::of(command.stdin(Stdio::null()))
}

#[test]
fn a_hostile_balancer_is_shown_and_does_nothing() {
    let endpoint = serve(|stream, request| {
        let (status, body) = hostile_service(request);
        // Latin-1 for the C1 controls of a header: 0x9b is CSI.
        write!(stream, "HTTP/1.1 {status} X\r\nx-amzn-requestid: r")?;
        stream.write_all(b"\x9b31m")?;
        write!(stream, "\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    });
    let home = tempfile::tempdir().unwrap();
    for (arguments, status, shows) in [
        (&["show", "--elb", "chat", "-v"][..], 0, "dns"),
        (&["show", "--elb", "chat", "--format", "json"], 0, "dns"),
        (&["show", "--elb", "chat", "--format", "toml"], 0, "QU"),
        (&["plan", "--elb", "chat", "-v"], 0, "dns"),
        (&["plan", "--elb", "chat", "--format", "json"], 0, "dns"),
        (&["plan", "--elb", "chat", "--format", "markdown"], 0, "chat"),
        // The call that it begins with is refused with a hostile message.
        (&["apply", "--elb", "chat", "-v"], 1, "dns"),
        (&["apply", "--elb", "chat", "--format", "json", "-v"], 1, "message"),
        (&["plan", "--elb", "chat", "--out", "chat.plan"], 1, ""),
    ] {
        let ran = run(home.path(), arguments, &endpoint).exits(status);
        is_harmless(&format!("{arguments:?}"), &ran);
        assert!(ran.stdout.contains(shows), "{arguments:?}: {}", ran.stdout);
        assert!(status == 0 || ran.stderr.contains("message"), "{arguments:?}: {}", ran.stderr);
    }
}

/// A report is made of the same hostile names, and of reads that fail with hostile messages.
#[test]
fn a_hostile_account_is_audited_and_does_nothing() {
    let endpoint = serve(|stream, request| {
        let (status, body) = match request.contains("Action=GetCallerIdentity") {
            true => (200, document("GetCallerIdentity", &format!("<Account>123456789012</Account><Arn>{HOSTILE}</Arn>"))),
            false => hostile_service(request),
        };
        write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    });
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["audit", "-v"][..],
        &["audit", "--format", "json"],
        &["audit", "--format", "markdown"],
        &["audit", "--format", "html"],
        &["audit", "--format", "sarif"],
        &["audit", "--format", "junit"],
        &["audit", "--elb", "chat"],
        &["backend", "nginx", "--elb", "chat"],
        &["backend", "haproxy", "--elb", "chat", "--trust", "10.0.0.0/8"],
        &["verify", "--elb", "chat", "wss://127.0.0.1:1/"],
    ] {
        let ran = run(home.path(), arguments, &endpoint);
        is_harmless(&format!("{arguments:?}"), &ran);
        assert!(ran.stdout.contains("chat") || ran.stderr.contains("chat"), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn what_a_person_mistypes_does_nothing_either() {
    let story = Story::begin();
    let hostile = "\u{1b}[31m\u{9b}2J";
    std::fs::write(story.file("config.toml"), format!("\"{HOSTILE}\" = 1\n")).unwrap();
    std::fs::write(story.file("bad.plan"), format!("{{\"{HOSTILE}\": 1}}")).unwrap();
    for arguments in [
        &["plan", "--config", "config.toml"][..],
        &["plan", "--config", &format!("{hostile}.toml")],
        &["apply", "bad.plan"],
        &["apply", &format!("{hostile}.plan")],
        &["plan", "--elb", "chat", "--region", hostile],
        &["plan", "--elb", "chat", "--endpoint-url", hostile],
        &["plan", "--elb", "chat", "--profile", hostile],
        &["plan", "--elb", "chat", "--ssl-policy", hostile],
        &["show", "--elb", "chat", "--sandbox=config.toml"],
        &["man", hostile],
    ] {
        let ran = story.elbws(arguments);
        assert_ne!(ran.status, 0, "{arguments:?}");
        is_harmless(&format!("{arguments:?}"), &ran);
    }
    let named = story.command(&["plan"]).env("ELB_NAME", hostile).output().unwrap();
    assert!(!String::from_utf8(named.stderr).unwrap().contains(acts));
}
