//! `elbws demo` as a person runs it: the story in the right order, a real nginx, and a chat that stays until Ctrl-C.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary without credentials, a home or a region: nothing of AWS is needed.
fn elbws(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    elbws(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The texts follow each other.
#[track_caller]
fn tells(story: &str, texts: &[&str]) {
    let mut rest = story;
    for text in texts {
        let (_, after) = rest.split_once(text).unwrap_or_else(|| panic!("`{text}` is missing, or too early, in\n{story}"));
        rest = after;
    }
}

/// The chapters, with what a run must say in each.
const STORY: [&str; 12] = [
    "1. A chat behind an HTTPS listener",
    "443 HTTPS ─┘",
    "2. A client connects, and fails",
    "FAIL  upgrade",
    "the HTTPS listener on port 443 swallows the upgrade",
    "3. What has to change",
    "Plan: 1 to add, 2 to change, 2 to replace. Interrupts ports 80, 443.",
    "4. First the web server",
    "Applied. Balancer chat is as asked for",
    "6. The same client connects, and chats",
    "GET /ws: 101 Switching Protocols",
    "The server saw the client at 127.0.0.7",
];

#[test]
fn the_story_is_told_within_ten_seconds() {
    let begun = Instant::now();
    let output = run(&["demo"]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    tells(stdout, &STORY);
    tells(stdout, &["Proven: the WebSocket works.", "The application knows its client: 127.0.0.7:"]);
    assert!(!stdout.contains('\u{1b}') && !stderr.contains('\u{1b}'), "a pipe gets no colours");
    tells(stderr, &["delete listener 443", "create listener SSL:443/TCP:80"]);
    assert_eq!(text(&run(&["demo", "--quiet"]).stderr), "");
}

#[test]
#[ignore = "needs nginx: run ./tests/run"]
fn a_real_nginx_stands_between() {
    let output = run(&["demo", "--nginx"]);
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}{}", text(&output.stderr));
    tells(stdout, &STORY);
    tells(
        stdout,
        &["400 Bad Request, server nginx/", "101 Switching Protocols, server nginx/", "Proven: the WebSocket works."],
    );
}

#[test]
fn a_missing_nginx_is_named_with_what_installs_it() {
    let output = elbws(&["demo", "--nginx"]).env("PATH", "").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    tells(text(&output.stderr), &["cannot run nginx", "apt-get install nginx", "leave --nginx out"]);
}

#[test]
fn what_makes_no_sense_is_wrong_usage() {
    for arguments in [&["demo", "--ca", "ca.pem"][..], &["demo", "--region", "eu-west-1"], &["demo", "--sandbox"]] {
        assert_eq!(run(arguments).status.code(), Some(64), "{arguments:?}");
    }
}

/// Ends with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_stays_until_ctrl_c_and_others_can_join() {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    let mut command = elbws(&["demo", "--keep", "--ca", path(&authority)]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.into_iter().find(|line| line.trim_start().starts_with("or try ")).expect("it says what to try");
    let host = line.split("wss://").nth(1).and_then(|rest| rest.split('/').next()).expect("a URL");

    let url = format!("wss://{host}/ws");
    let verified = run(&["verify", &url, "--ca", path(&authority), "--message", r#"{"say":"{token}"}"#]);
    let said = text(&verified.stdout);
    assert_eq!(verified.status.code(), Some(0), "{said}{}", text(&verified.stderr));
    tells(said, &["the message came back", "Proven: the WebSocket works."]);

    let interrupted = Command::new("kill").args(["-INT", &running.0.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
    assert!(TcpStream::connect(host).is_err(), "nothing stays behind");
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
