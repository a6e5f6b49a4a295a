//! The real binary against a sandbox with the seed story, over the wire.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use elbws::sandbox::{Counts, Fault, Options, Sandbox, Seed};
use tokio::runtime::Runtime;

/// A sandbox with a seed, and a folder of its own for the files of a test.
pub(crate) struct Story {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: tempfile::TempDir,
    /// Dropped last: the sandbox runs on it.
    runtime: Runtime,
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is UTF-8");
        Ran { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        Ran::new(command.output().expect("it runs"))
    }

    /// Stdout, stderr and status together, for a snapshot; what differs from run to run is replaced.
    pub(crate) fn snapshot(&self) -> String {
        let request_id = |text: &str| {
            let mut parts = text.split("(request id ");
            let mut kept = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                kept.push_str("(request id ...)");
                kept.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
            }
            kept
        };
        format!("{}---- stderr\n{}---- status {}\n", self.stdout, request_id(&self.stderr), self.status)
    }

    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in stderr:\n{}", self.stderr);
        self
    }
}

impl Story {
    /// The seed story of `fixtures/chat.toml`.
    pub(crate) fn begin() -> Self {
        Story::with(include_str!("../../../fixtures/chat.toml"))
    }

    /// The seed story with another certificate in IAM, `arn:aws:iam::123456789012:server-certificate/next`.
    pub(crate) fn with_a_second_certificate() -> Self {
        let next = "[[certificates]]\nname = \"next\"\nstore = \"iam\"\ndomain = \"chat.example.com\"\n\n[[instances]]";
        let https = "{ protocol = \"HTTPS\", load_balancer_port = 443, instance_protocol = \"HTTP\", instance_port = 80, \
                     certificate = \"chat\" }";
        let seed = include_str!("../../../fixtures/chat.toml").replacen("[[instances]]", next, 1);
        Story::with(&seed.replace("\"HTTPS:443/HTTP:80\"", https))
    }

    pub(crate) fn with(seed: &str) -> Self {
        Story::on(Runtime::new().expect("a runtime"), seed, Options::default())
    }

    pub(crate) fn on(runtime: Runtime, seed: &str, options: Options) -> Self {
        let seed = Seed::from_toml(seed).expect("the seed is right");
        let sandbox = runtime.block_on(elbws::sandbox::start(options, seed)).expect("the sandbox starts");
        Story { sandbox, folder: tempfile::tempdir().expect("a folder"), runtime }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The binary, with the sandbox's environment and nothing of this process's but PATH.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_elbws")), arguments)
    }

    pub(crate) fn elbws(&self, arguments: &[&str]) -> Ran {
        Ran::new(self.command(arguments).output().expect("the binary runs"))
    }

    /// A Python program of the tests' virtual environment, such as `aws`.
    pub(crate) fn python(&self, program: &str, arguments: &[&str]) -> Ran {
        Ran::new(self.program(&venv(program), arguments).output().expect("tests/run has installed it"))
    }

    /// The AWS CLI's reply as JSON.
    pub(crate) fn aws(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments = [arguments, &["--output", "json"]].concat();
        let ran = self.python("aws", &arguments).exits(0);
        serde_json::from_str(&ran.stdout).unwrap_or_default()
    }

    fn program(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.sandbox.environment()).current_dir(self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.folder.path());
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn fault(&self, action: &str, skip: u32, times: Option<u32>, kind: elbws::sandbox::FaultKind) {
        let fault = Fault { action: action.to_owned(), times, skip, kind };
        self.sandbox.inject(vec![fault]).expect("the fault is right");
    }

    /// Calls since the last time this was asked.
    pub(crate) fn counts(&self) -> Counts {
        let counts = self.sandbox.counts();
        self.sandbox.clear_log();
        counts
    }

    /// The balancer, as the binary shows it.
    pub(crate) fn state(&self) -> String {
        self.elbws(&["show", "--elb", "chat", "--format", "json"]).exits(0).stdout
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A program of the virtual environment that `tests/run` makes.
pub(crate) fn venv(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.venv/bin").join(program)
}
