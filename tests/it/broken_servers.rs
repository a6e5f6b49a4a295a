//! Servers that are slow or broken, against the binary: one clear error within a bounded time and a bounded memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::raw_server::serve;

/// A call ends after 60 seconds at the latest (`OPERATION_TIMEOUT` in src/cloud/aws/config.rs); the rest is for a busy machine.
const BOUND: Duration = Duration::from_secs(80);
/// What the process may need at most, in KiB. It makes four calls at once, and each answer has at most 32 MiB.
const MEMORY: u64 = 400 << 10;

const DOCUMENT: &str = "<DescribeLoadBalancersResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/\">\
    <DescribeLoadBalancersResult><LoadBalancerDescriptions/></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>";

/// What a server does with a connection after it has read the request. An error means that the client has gone.
type Behaviour = fn(&mut TcpStream) -> std::io::Result<()>;

/// Until the client has gone.
fn wait(stream: &mut TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 64])? > 0 {}
    Ok(())
}

fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n")?;
    stream.write_all(body)
}

fn ok(stream: &mut TcpStream, body: &[u8]) -> std::io::Result<()> {
    answer(stream, "200 OK", "Content-Type: text/xml\r\n", body)
}

fn trickle(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<()> {
    for byte in text.iter().cycle() {
        stream.write_all(&[*byte])?;
        stream.flush()?;
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Without end, a thousand times a second at most.
fn drip(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(text)?;
        thread::sleep(Duration::from_millis(1));
    }
}

/// Without end: the same bytes again and again.
fn flood(stream: &mut TcpStream, text: &[u8]) -> std::io::Result<()> {
    let many = text.repeat(64 * 1024 / text.len());
    loop {
        stream.write_all(&many)?;
    }
}

/// What a server does, how it is called, and what the error says.
const CASES: [(&str, Behaviour, &str); 22] = [
    ("silent", wait, "no answer in time"),
    ("closes at once", |_| Ok(()), "no connection to"),
    ("not HTTP", |stream| stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "no connection to"),
    ("trickles its head", |stream| trickle(stream, b"X-Header: value\r\n"), "no connection to"),
    (
        "trickles the head of an answer",
        |stream| stream.write_all(b"HTTP/1.1 200 OK\r\n").and_then(|()| trickle(stream, b"X: y\r\n")),
        "no answer in time",
    ),
    (
        "trickles its body",
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")?;
            trickle(stream, DOCUMENT.as_bytes())
        },
        "",
    ),
    (
        "stops in the middle of its body",
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")?;
            stream.write_all(DOCUMENT.as_bytes())?;
            wait(stream)
        },
        "",
    ),
    (
        "closes in the middle of its body",
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")?;
            stream.write_all(DOCUMENT.as_bytes())
        },
        "not one of the service",
    ),
    ("half a document", |stream| ok(stream, &DOCUMENT.as_bytes()[..DOCUMENT.len() - 20]), "stops in the middle"),
    ("no document", |stream| ok(stream, b""), "not one of the service"),
    ("a web page", |stream| ok(stream, b"<!DOCTYPE html><html><p>Sign in<br></html>"), "a document of another kind, `html`"),
    (
        "a web page of a gateway",
        |stream| answer(stream, "503 Service Unavailable", "", b"<html>\x1b]0;pwned\x07</html>"),
        "HTTP status 503",
    ),
    (
        "a redirect",
        |stream| answer(stream, "302 Found", "Location: http://127.0.0.1:1/elsewhere\r\n", b"<html>moved</html>"),
        "HTTP status 302",
    ),
    (
        "a compressed answer",
        |stream| {
            answer(stream, "200 OK", "Content-Encoding: gzip\r\n", b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0")
        },
        "compressed",
    ),
    (
        "an error with the status of a success",
        |stream| ok(stream, b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"),
        "a document of another kind, `ErrorResponse`",
    ),
    (
        "another API",
        |stream| ok(stream, DOCUMENT.replace("2012-06-01", "2015-12-01").as_bytes()),
        "another API than that of Classic Load Balancers",
    ),
    (
        "a body without end",
        |stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n<DescribeLoadBalancersResponse>")?;
            flood(stream, b"<member>more</member>")
        },
        "larger than 32 MiB",
    ),
    (
        "a head without end",
        |stream| stream.write_all(b"HTTP/1.1 200 OK\r\n").and_then(|()| flood(stream, b"X-Header: value\r\n")),
        "no connection to",
    ),
    (
        "one line without end",
        |stream| stream.write_all(b"HTTP/1.1 200 OK\r\nX-Header: ").and_then(|()| flood(stream, b"value")),
        "no connection to",
    ),
    ("a promise without end", |stream| drip(stream, b"HTTP/1.1 100 Continue\r\n\r\n"), "no answer in time"),
    (
        "elements in each other without end",
        |stream| {
            let (head, _) = DOCUMENT.split_once("/>").expect("it is an empty list");
            ok(stream, format!("{head}><member>{}", "<a>".repeat(1 << 20)).as_bytes())
        },
        "not well-formed XML",
    ),
    (
        "entities of entities",
        |stream| {
            let more: String = (1..40).map(|n| format!("<!ENTITY e{n} \"&e{};&e{};\">", n - 1, n - 1)).collect();
            ok(stream, format!("<!DOCTYPE x [<!ENTITY e0 \"ha\">{more}]><DescribeLoadBalancersResponse>&e39;</DescribeLoadBalancersResponse>").as_bytes())
        },
        "not one of the service",
    ),
];

/// The most memory a running process has had, in KiB; 0 once it has ended.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn meets(name: &str, behave: Behaviour, says: &str) -> Result<(), String> {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.args(["plan", "--elb", "chat"]).env_clear().env("HOME", home.path());
    command.env("AWS_ENDPOINT_URL", serve(move |stream, _| behave(stream))).env("AWS_REGION", "eu-west-1");
    command.env("AWS_ACCESS_KEY_ID", "AKIDBROKEN").env("AWS_SECRET_ACCESS_KEY", "secret-of-broken");
    let started = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut memory = 0;
    while child.try_wait().expect("it is our child").is_none() {
        memory = memory.max(peak(&child));
        if started.elapsed() > BOUND || memory > MEMORY {
            let _ = child.kill();
        }
        thread::sleep(Duration::from_millis(20));
    }
    let took = started.elapsed();
    let output = child.wait_with_output().expect("it has ended");
    let stderr = String::from_utf8(output.stderr).expect("it is text");
    let found = format!("{name}: {} after {took:?} with {memory} KiB: {stderr}", output.status);
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    let clear =
        errors == 1 && stderr.contains(says) && stderr.lines().count() <= 3 && !stderr.contains(['{', '\u{1b}', '\u{7}']);
    let right = output.status.code() == Some(1) && output.stdout.is_empty() && clear && took < BOUND && memory < MEMORY;
    match right {
        true => Ok(()),
        false => Err(found),
    }
}

#[test]
fn every_broken_server_gets_one_clear_error_in_time() {
    let running = CASES.map(|(name, behave, says)| thread::spawn(move || meets(name, behave, says)));
    let wrong: Vec<String> = running.into_iter().filter_map(|case| case.join().expect("no panic").err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
