//! `elbws sandbox` as a person runs it: what it prints, where its listeners are, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::support::sandbox::authorization;

/// The running binary; it ends when this is dropped.
struct Running {
    child: Child,
    stderr: mpsc::Receiver<String>,
    endpoint: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_elbws")), arguments)
    }

    /// Where no more than so many files may be open.
    fn start_with_files(files: u32) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {files} && exec \"$@\""), "sh", env!("CARGO_BIN_EXE_elbws")]);
        Self::spawn(command, &[])
    }

    fn spawn(mut command: Command, arguments: &[&str]) -> Self {
        command.args(["sandbox", "--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let endpoint =
            first.trim().strip_prefix("export AWS_ENDPOINT_URL=http://").unwrap_or_else(|| panic!("{first}")).to_owned();
        let (sender, stderr) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Running { child, stderr, endpoint }
    }

    /// The next line on stderr that has this text.
    fn says(&self, text: &str) -> String {
        let mut before = Vec::new();
        while let Ok(line) = self.stderr.recv_timeout(Duration::from_secs(20)) {
            if line.contains(text) {
                return line;
            }
            before.push(line);
        }
        panic!("{text:?} is not in {before:#?}")
    }

    /// The real address of a listener, from the next line about it.
    fn address(&self, listener: &str) -> SocketAddr {
        let line = self.says(listener);
        line.rsplit_once(" at ").unwrap_or_else(|| panic!("{line}")).1.parse().unwrap()
    }

    fn request(&self, head: &str, body: &str) -> String {
        let length = body.len();
        let request =
            format!("{head}Host: {}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}", self.endpoint);
        let mut stream = TcpStream::connect(&self.endpoint).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        reply
    }

    fn call(&self, parameters: &str) {
        let head = format!("POST / HTTP/1.1\r\n{}", authorization("elasticloadbalancing"));
        self.request(&head, &format!("Version=2012-06-01&LoadBalancerName=chat&{parameters}"));
    }
}

/// A back end that answers everything with 200 and closes.
fn back_end() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        }
    });
    port
}

fn get(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: chat.example.com\r\nConnection: close\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

#[test]
fn it_says_where_listeners_are_and_carries_their_traffic() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    let instance = format!("i-0c4a7000000000001=127.0.0.1,80={}", back_end());
    let running = Running::start(&["--instance", &instance, "--ca", root.to_str().unwrap()]);
    let http = running.address("eu-west-1  chat  HTTP:80/HTTP:80");
    assert_eq!(http.port() % 1000, 80, "the port plus thousands");
    let https = running.address("HTTPS:443/HTTP:80");
    assert!(std::fs::read_to_string(&root).unwrap().starts_with("-----BEGIN CERTIFICATE-----"));

    let listed = running.request("GET /_elbws/listeners HTTP/1.1\r\n", "");
    assert!(listed.contains(&format!("\"state\":\"open\",\"address\":\"{https}\"")), "{listed}");
    // Once a second an instance is checked, ten times until it is in service.
    let served = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        get(http).ends_with("\r\n\r\nhello")
    });
    assert!(served, "{}", running.request("GET /_elbws/traffic-log HTTP/1.1\r\n", ""));

    running.call("Action=DeleteLoadBalancerListeners&LoadBalancerPorts.member.1=443");
    running.call(
        "Action=CreateLoadBalancerListeners&Listeners.member.1.Protocol=TCP&Listeners.member.1.LoadBalancerPort=443\
         &Listeners.member.1.InstanceProtocol=TCP&Listeners.member.1.InstancePort=80",
    );
    assert_eq!(running.address("TCP:443/TCP:80"), https, "it changed, and says so");
    assert!(get(https).ends_with("\r\n\r\nhello"));
}

#[test]
fn without_traffic_no_listener_is_opened() {
    let running = Running::start(&["--no-traffic"]);
    running.says("Ctrl-C ends it.");
    let listed = running.request("GET /_elbws/listeners HTTP/1.1\r\n", "");
    assert!(listed.ends_with("\r\n\r\n[]"), "{listed}");
}

#[test]
fn an_instance_that_the_seed_does_not_have_is_told_of() {
    let running = Running::start(&["--instance", "i-0c4a7000000000001=127.0.0.1", "--instance", "i-nope=127.0.0.1"]);
    let warning = running.says("warning:");
    assert!(warning.contains("--instance i-nope: no instance of the example"), "{warning}");
}

#[test]
fn it_ends_with_open_connections() {
    let instance = format!("i-0c4a7000000000001=127.0.0.1,80={}", back_end());
    let mut running = Running::start(&["--instance", &instance]);
    let mut open = TcpStream::connect(running.address("HTTP:80/HTTP:80")).unwrap();
    open.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    let kill = Command::new("kill").args(["-TERM", &running.child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert!(running.child.wait().unwrap().success());
    let _ = open.read(&mut [0; 16]);
}

/// Opens connections and leaves them silent.
fn crowd(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| TcpStream::connect(address).unwrap()).collect()
}

/// Waits until a listener answers, if only that no instance is in service.
fn answers_again(address: SocketAddr) {
    let answered = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        let Ok(mut stream) = TcpStream::connect(address) else { return false };
        let mut reply = Vec::new();
        let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        asked.and_then(|()| stream.read_to_end(&mut reply)).is_ok() && reply.starts_with(b"HTTP/1.1 503")
    });
    assert!(answered, "{address} never answers again");
}

#[test]
fn a_connection_too_many_is_closed_and_the_others_stay() {
    // 64 files are kept for all else; each connection may need two of the others.
    let running = Running::start_with_files(128);
    let listener = running.address("HTTP:80/HTTP:80");
    let mut crowd = crowd(listener, 32);
    let mut late = TcpStream::connect(listener).unwrap();
    late.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(matches!(late.read(&mut [0; 16]), Ok(0)), "it is closed");
    let first = &mut crowd[0];
    first.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut status = [0; 12];
    first.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 503", "one that was there before is served");
    drop(crowd);
    answers_again(listener);
    let said = running.request("GET /_elbws/traffic-log HTTP/1.1\r\n", "");
    assert!(said.contains("a connection was closed: there are too many"), "{said}");
}

#[test]
fn an_error_of_accepting_does_not_end_a_listener() {
    // Fewer files than the sandbox reckons with: accepting fails before the connections are too many.
    let running = Running::start_with_files(24);
    let listener = running.address("HTTP:80/HTTP:80");
    let crowd = crowd(listener, 24);
    std::thread::sleep(Duration::from_millis(300));
    drop(crowd);
    answers_again(listener);
    let said = running.request("GET /_elbws/traffic-log HTTP/1.1\r\n", "");
    assert!(said.contains("a connection was not accepted: "), "{said}");
}

#[test]
fn a_wrong_instance_is_wrong_usage() {
    for (wrong, complaint) in [
        ("i-0abc", "there is no `=`"),
        ("i-0abc=nowhere", "`nowhere` is not an IP address"),
        ("i-0abc=127.0.0.1,80=x", "`80=x` is not a pair of ports"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
        let output = command.args(["sandbox", "--listen", "127.0.0.1:0", "--instance", wrong]).output().unwrap();
        assert_eq!(output.status.code(), Some(64));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(complaint), "{stderr}");
    }
}
