//! A real nginx for the demo: unprivileged, in a folder of its own, on a port of 127.0.0.1.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use super::super::error::CliError;
use crate::demo::HEALTH_PATH;

/// How long nginx may take to start or to load a configuration.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is asked whether it has.
const PACE: Duration = Duration::from_millis(10);
/// Everything but the site: what nginx writes stays in its folder.
const MAIN: &str = "\
daemon off;
pid nginx.pid;
error_log error.log notice;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include site.conf;
}
";

/// A running nginx. It ends when this is dropped.
pub(super) struct Nginx {
    process: Child,
    folder: tempfile::TempDir,
    address: SocketAddr,
}

impl Nginx {
    /// Finds a free port for it. Nothing runs yet.
    pub(super) async fn free_address() -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port is free")?;
        listener.local_addr().context("no port is free")
    }

    /// Starts it with a site that listens on `address`.
    pub(super) async fn start(address: SocketAddr, site: &str) -> Result<Self, CliError> {
        let folder = tempfile::tempdir().context("cannot make a folder for nginx")?;
        fs::write(folder.path().join("nginx.conf"), MAIN).context("cannot write nginx's configuration")?;
        fs::write(folder.path().join("site.conf"), site).context("cannot write nginx's configuration")?;
        let process = command(folder.path()).spawn().map_err(|error| not_started(&error))?;
        let mut nginx = Nginx { process, folder, address };
        nginx.until_it_answers("", 0).await?;
        Ok(nginx)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Loads another site, as `nginx -s reload` does everywhere. The new one must expect the PROXY header.
    pub(super) async fn reload(&mut self, site: &str) -> Result<(), CliError> {
        let ended = self.ended_workers();
        fs::write(self.folder.path().join("site.conf"), site).context("cannot write nginx's configuration")?;
        let reloaded = command(self.folder.path()).args(["-s", "reload"]).status().map_err(|error| not_started(&error))?;
        if !reloaded.success() {
            return Err(self.failed("nginx refuses its new configuration"));
        }
        // The worker with the old configuration goes on accepting until it ends.
        self.until_it_answers("PROXY TCP4 127.0.0.1 127.0.0.1 1 443\r\n", ended + 1).await
    }

    /// Waits until the health check's page is answered, asked for after `line`, and so many workers have ended.
    async fn until_it_answers(&mut self, line: &str, ended: usize) -> Result<(), CliError> {
        let end = Instant::now() + PATIENCE;
        while self.ended_workers() < ended || !answers(self.address, line).await.is_ok_and(|answers| answers) {
            if self.process.try_wait().context("cannot watch nginx")?.is_some() {
                return Err(self.failed("nginx has ended"));
            }
            if Instant::now() > end {
                return Err(self.failed("nginx does not answer"));
            }
            sleep(PACE).await;
        }
        Ok(())
    }

    /// What nginx has written to its log.
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }

    /// How many workers have ended since the start.
    fn ended_workers(&self) -> usize {
        self.log().matches(" exited with code ").count()
    }

    /// An error with what nginx says of it.
    fn failed(&self, what: &str) -> CliError {
        let log = self.log();
        let last = log.lines().rfind(|line| line.contains("[emerg]") || line.contains("[error]")).unwrap_or_default();
        CliError::failed(format!("{what}\n{last}").trim_end()).hint("the demo works without it: leave --nginx out")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killing the master would leave its workers behind; only if it cannot be told to stop is there nothing better.
        if !command(self.folder.path()).args(["-s", "stop"]).status().is_ok_and(|stopped| stopped.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

async fn answers(address: SocketAddr, line: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("{line}GET {HEALTH_PATH} HTTP/1.0\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200 "))
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "error.log"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn not_started(error: &io::Error) -> CliError {
    let failed = CliError::failed(format!("cannot run nginx: {error}"));
    match error.kind() {
        ErrorKind::NotFound => failed
            .hint("install it: `apt-get install nginx-light` on Debian and Ubuntu, `brew install nginx` on macOS")
            .hint("or leave --nginx out: the chat then reads the PROXY header itself"),
        _ => failed,
    }
}
