//! The sandbox's HTTP side under whatever can be sent to it: calls that nearly make sense, and bytes that do not. The real binary
//! must go on answering, without a fault and within a bounded memory.
//!
//! `SANDBOX_FUZZ_SECONDS=3600 cargo test --test it sandbox_fuzz` goes on for an hour; `SANDBOX_FUZZ_SEED` repeats a run
//! of the same length, as far as the order of its two clients allows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use elbws::sandbox::control::{ACTIONS, Service};

use crate::support::chance::{Chance, number};
use crate::support::tell;

/// The most memory that the sandbox may need, in KiB.
const MEMORY: u64 = 512 << 10;
/// How soon it must answer a well-formed request, whatever else is going on.
const PATIENCE: Duration = Duration::from_secs(20);

const NAMES: [&str; 34] = [
    "LoadBalancerName",
    "LoadBalancerNames.member.1",
    "LoadBalancerNames.member.2",
    "LoadBalancerPort",
    "LoadBalancerPorts.member.1",
    "InstancePort",
    "PolicyName",
    "PolicyNames.member.1",
    "PolicyNames",
    "PolicyTypeName",
    "PolicyTypeNames.member.1",
    "PolicyAttributes.member.1.AttributeName",
    "PolicyAttributes.member.1.AttributeValue",
    "Listeners.member.1.Protocol",
    "Listeners.member.1.LoadBalancerPort",
    "Listeners.member.1.InstanceProtocol",
    "Listeners.member.1.InstancePort",
    "Listeners.member.1.SSLCertificateId",
    "SSLCertificateId",
    "HealthCheck.Target",
    "HealthCheck.Interval",
    "HealthCheck.Timeout",
    "Tags.member.1.Key",
    "Tags.member.1.Value",
    "Instances.member.1.InstanceId",
    "Subnets.member.1",
    "SecurityGroups.member.1",
    "AvailabilityZones.member.1",
    "LoadBalancerAttributes.ConnectionSettings.IdleTimeout",
    "LoadBalancerAttributes.AdditionalAttributes.member.1.Key",
    "CookieExpirationPeriod",
    "ServerCertificateName",
    "Marker",
    "PageSize",
];

const VALUES: [&str; 46] = [
    "chat",
    "mail",
    "fuzz-1",
    "fuzz-2",
    "80",
    "443",
    "8080",
    "0",
    "-1",
    "65535",
    "65536",
    "2147483648",
    "99999999999999999999",
    "1e9",
    "SSL",
    "TCP",
    "HTTP",
    "HTTPS",
    "ssl",
    "TCP:80",
    "HTTP:80/",
    "HTTP:80/\u{0}",
    "HTTPS:443/é",
    "ProxyProtocolPolicyType",
    "SSLNegotiationPolicyType",
    "PublicKeyPolicyType",
    "ProxyProtocol",
    "Reference-Security-Policy",
    "ELBSecurityPolicy-TLS-1-2-2017-01",
    "true",
    "TRUE",
    "chat-proxy-protocol",
    "i-0c4a7000000000001",
    "i-nonsense",
    "subnet-0c4a7000000000001",
    "sg-0c4a7000000000001",
    "eu-west-1a",
    "arn:aws:acm:eu-west-1:123456789012:certificate/x",
    "arn:aws:iam::123456789012:server-certificate/chat",
    "arn:::::",
    "",
    " ",
    "\u{202e}\u{1b}[2J",
    "]]>\"'<&",
    "%00%ff",
    "../../etc/passwd",
];

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn value(chance: &mut Chance) -> String {
    match chance.below(12) {
        0 => chance.pick(&VALUES).repeat(1 + chance.below(2000)),
        1 => chance.next().to_string(),
        _ => (*chance.pick(&VALUES)).to_owned(),
    }
}

fn parameters(chance: &mut Chance) -> String {
    let mut text = String::new();
    for _ in 0..chance.below(8) {
        let mut name = (*chance.pick(&NAMES)).to_owned();
        match chance.below(10) {
            0 => name = name.replace(".1", &format!(".{}", chance.next() >> (chance.below(64)))),
            1 => name = format!("{name}.member.1.{name}"),
            _ => {}
        }
        text.push_str(&format!("&{}={}", encoded(&name), encoded(&value(chance))));
    }
    // Most calls are about something that is there.
    if chance.below(3) > 0 {
        text.push_str("&LoadBalancerName=chat");
    }
    text
}

fn authorization(chance: &mut Chance, service: Service) -> String {
    let (region, service) = match chance.below(8) {
        0 => (value(chance).replace(['\r', '\n', '\0'], ""), "elasticloadbalancing".to_owned()),
        _ => ("eu-west-1".to_owned(), service.signing_name().to_owned()),
    };
    let signature = "0".repeat(if chance.below(20) == 0 { chance.below(100) } else { 64 });
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=sandbox/20260101/{region}/{service}/aws4_request, SignedHeaders=host, \
         Signature={signature}\r\n"
    )
}

fn json(chance: &mut Chance, depth: usize) -> String {
    match chance.below(if depth > 6 { 5 } else { 8 }) {
        0 => "null".to_owned(),
        1 => (chance.next() as i64).to_string(),
        2 => "1e400".to_owned(),
        3 | 4 => serde_json::to_string(&value(chance)).expect("a text"),
        5 => format!("[{}]", (0..chance.below(4)).map(|_| json(chance, depth + 1)).collect::<Vec<_>>().join(",")),
        6 => "[".repeat(1 + chance.below(100_000)),
        _ => {
            let names = ["CertificateArn", "action", "times", "kind", "tag_quota", "code", "Certificate", "PrivateKey"];
            let members = (0..chance.below(4)).map(|_| format!("\"{}\":{}", chance.pick(&names), json(chance, depth + 1)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

/// A call that nearly makes sense.
fn call(chance: &mut Chance) -> (String, String, String) {
    let action = chance.pick(ACTIONS);
    let signed = authorization(chance, action.service);
    let version = match action.service {
        Service::Elb => "2012-06-01",
        Service::Ec2 => "2016-11-15",
        Service::Iam => "2010-05-08",
        Service::Sts => "2011-06-15",
        Service::Acm => {
            let target = format!("{signed}X-Amz-Target: CertificateManager.{}\r\n", action.name);
            return ("POST /".to_owned(), target, json(chance, 0));
        }
    };
    let body = format!("Action={}&Version={version}{}", action.name, parameters(chance));
    ("POST /".to_owned(), signed, body)
}

/// A request to the sandbox's own paths.
fn administration(chance: &mut Chance) -> (String, String, String) {
    let path = chance.pick(&["faults", "log", "counts", "switches", "reset", "traffic", "instances", "x", "..%2f.."]);
    let method = chance.pick(&["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]);
    let body = match chance.below(3) {
        // Never a latency: it would slow the fuzzer, not the sandbox.
        0 => format!(r#"[{{"action":"{}","times":2,"kind":"disconnect_before"}}]"#, chance.pick(ACTIONS).name),
        1 => format!(r#"{{"tag_quota":{}}}"#, chance.next()),
        _ => json(chance, 0).replace("latency_ms", "latency"),
    };
    (format!("{method} /_elbws/{path}"), String::new(), body)
}

/// A request as bytes, and often not quite.
fn request(chance: &mut Chance, host: SocketAddr) -> Vec<u8> {
    let (line, headers, body) = match chance.below(5) {
        0 => administration(chance),
        _ => call(chance),
    };
    let host = match chance.below(12) {
        0 => format!(
            "Host: {}\r\n",
            chance.pick(&["evil.example", "127.0.0.1.evil.example", "[::1", "localhost:99999999", "\u{ff}"])
        ),
        1 => String::new(),
        _ => format!("Host: {host}\r\n"),
    };
    let length = match chance.below(15) {
        0 => format!("Content-Length: {}\r\n", value(chance)),
        1 => format!("Content-Length: {}\r\nContent-Length: 1\r\n", body.len()),
        2 => "Transfer-Encoding: chunked\r\n".to_owned(),
        3 => "X-Long: ".to_owned() + &"x".repeat(chance.below(200_000)) + "\r\n",
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    let mut bytes = format!("{line} HTTP/1.1\r\n{host}{headers}{length}Connection: close\r\n\r\n{body}").into_bytes();
    for _ in 0..[0, 0, 0, 1, 3, 30][chance.below(6)] {
        if bytes.is_empty() {
            break;
        }
        let place = chance.below(bytes.len());
        match chance.below(4) {
            0 => bytes[place] = chance.next() as u8,
            1 if bytes.len() > 1 => drop(bytes.remove(place)),
            2 => bytes.insert(place, chance.next() as u8),
            _ => bytes.truncate(place.max(1)),
        }
    }
    bytes
}

/// Sends bytes and takes what comes, if it comes soon.
fn send(address: SocketAddr, bytes: &[u8]) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    // Half a request gets no answer, so this waits for it only a moment.
    let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(std::net::Shutdown::Write));
    let mut answer = [0; 4096];
    while matches!(stream.read(&mut answer), Ok(1..)) {}
}

/// The status of a well-formed request.
fn ask(address: SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the sandbox listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
    write!(stream, "{line} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{line} is not answered: {error}"));
    answer.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

fn resident(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it is running");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux says so");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn the_sandbox_outlives_whatever_is_sent_to_it() {
    let seconds = number("SANDBOX_FUZZ_SECONDS", 5);
    let seed = number("SANDBOX_FUZZ_SEED", u64::from(std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.args(["sandbox", "--listen", "127.0.0.1:0"]).env_clear().stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut line = String::new();
    while !line.contains("AWS_ENDPOINT_URL=") {
        line.clear();
        assert!(stdout.read_line(&mut line).expect("text") > 0, "it says where it listens");
    }
    let address: SocketAddr = line.trim().rsplit("//").next().unwrap_or_default().parse().expect("an address");
    std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    let said = Arc::new(Mutex::new(String::new()));
    let (listener, mut stderr) = (said.clone(), child.stderr.take().expect("it is piped"));
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = stderr.read(&mut buffer) {
            let mut said = listener.lock().expect("no panic");
            said.push_str(&String::from_utf8_lossy(&buffer[..read]));
            assert!(said.len() < 64 << 20, "it says too much");
        }
    });

    let (over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut peak = 0;
    std::thread::scope(|scope| {
        for client in 0..2 {
            let (over, sent) = (&over, &sent);
            scope.spawn(move || {
                let mut chance = Chance::new(seed.wrapping_mul(31).wrapping_add(client));
                while !over.load(Ordering::Relaxed) {
                    send(address, &request(&mut chance, address));
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let started = Instant::now();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while started.elapsed() < Duration::from_secs(seconds) {
                std::thread::sleep(Duration::from_millis(200));
                assert_eq!(ask(address, "GET /_elbws/counts"), "200");
                peak = peak.max(resident(&child));
                assert!(peak < MEMORY, "it has {peak} KiB");
                assert!(!said.lock().expect("no panic").contains("a fault in elbws"), "it has a fault");
                assert!(child.try_wait().expect("it is our child").is_none(), "it has ended");
            }
        }));
        over.store(true, Ordering::Relaxed);
        if let Err(failure) = result {
            let said = said.lock().map(|said| said.clone()).unwrap_or_default();
            tell(&format!("SANDBOX_FUZZ_SEED={seed}, after {} requests; it said:\n{said}", sent.load(Ordering::Relaxed)));
            let _ = child.kill();
            std::panic::resume_unwind(failure);
        }
    });
    assert_eq!(ask(address, "POST /_elbws/reset"), "204", "it can begin anew");
    let sent = sent.into_inner();
    child.kill().expect("it is running");
    child.wait().expect("it is gone");
    assert!(!said.lock().expect("no panic").contains("a fault in elbws"), "SANDBOX_FUZZ_SEED={seed}: it had a fault");
    assert!(sent > 50 * seconds / 5, "only {sent} requests in {seconds} s");
    tell(&format!("{sent} requests in {seconds} s, at most {} MiB (SANDBOX_FUZZ_SEED={seed})", peak >> 10));
}
