//! A moto server with its Classic ELB corrected: an implementation of the API that is not ours.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::story::venv;

/// A running server; it ends when this is dropped, since it watches its standard input.
pub(crate) struct Moto {
    child: Child,
    pub(crate) endpoint: String,
}

impl Moto {
    pub(crate) fn start() -> Self {
        let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/server.py");
        let mut command = Command::new(venv("python"));
        command.arg(server).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("tests/run has installed moto");
        let mut endpoint = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut endpoint).expect("it prints its address");
        assert!(endpoint.starts_with("http://127.0.0.1:"), "moto did not start: {endpoint:?}");
        Moto { child, endpoint: endpoint.trim().to_owned() }
    }

    /// The binary or another program, pointed at moto.
    pub(crate) fn run(&self, program: &Path, arguments: &[&str]) -> (i32, String, String) {
        self.run_with(program, arguments, &[])
    }

    /// The same with other variables in its environment.
    pub(crate) fn run_with(
        &self,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> (i32, String, String) {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs([
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]);
        command.envs([
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]);
        command.envs(environment.iter().copied());
        let output = command.stdin(Stdio::null()).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }

    #[track_caller]
    pub(crate) fn aws(&self, arguments: &[&str]) -> serde_json::Value {
        let (status, stdout, stderr) = self.run(&venv("aws"), &[arguments, &["--output", "json"]].concat());
        assert_eq!(status, 0, "{arguments:?}: {stderr}");
        serde_json::from_str(&stdout).unwrap_or_default()
    }

    /// Actions called since the last time this was asked.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.control("DELETE", "/_calls", "").lines().map(str::to_owned).collect()
    }

    /// Asks something of the server itself.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> String {
        let address = self.endpoint.strip_prefix("http://").expect("it is an HTTP server");
        let mut stream = TcpStream::connect(address).expect("it listens");
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}")
            .expect("it listens");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it speaks HTTP");
        assert!(head.contains(" 200 "), "{answer}");
        body.to_owned()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if self.child.wait().is_err() {
            // It is gone already, which is what was wanted.
        }
    }
}
