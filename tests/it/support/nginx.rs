//! A real nginx with a configuration of a test's own, and an application of WebSockets behind it.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// What nginx needs to pass a WebSocket on.
pub(crate) const PASS_UPGRADE: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
     proxy_set_header Connection $connection_upgrade; proxy_set_header X-Client $remote_addr:$remote_port;";

/// A running nginx. It is killed when it is dropped.
pub(crate) struct Nginx {
    pub(crate) address: SocketAddr,
    process: Child,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts nginx with one server: `listen` is what follows the address in its `listen`, `server` the rest of the block.
    pub(crate) fn start(listen: &str, server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let configuration = format!(
            "daemon off; master_process off; pid nginx.pid; error_log error.log info; events {{ worker_connections 512; }}\n\
             http {{ access_log access.log; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n\
             uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n\
             map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}\n\
             server {{ listen {address} {listen};\n{server}\n}} }}\n"
        );
        std::fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let process = Command::new("nginx")
            .args(["-p", folder.path().to_str().unwrap(), "-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed: tests/run does that");
        let mut nginx = Nginx { address, process, folder };
        nginx.wait();
        nginx
    }

    /// Waits until it accepts connections.
    fn wait(&mut self) {
        let begun = Instant::now();
        while std::net::TcpStream::connect(self.address).is_err() {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(20), "{ended:?}: {}", self.log("error.log"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A log file as it is now. It repeats bytes that are no text.
    pub(crate) fn log(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path(name)).unwrap_or_default()).into_owned()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An application: says hello with the client's address as `X-Client` has it, sends back every text, and complains about a request
/// that is no upgrade. `/` is a page.
pub(crate) async fn application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

async fn serve(mut stream: TcpStream) -> Option<()> {
    let head = read_head(&mut stream).await?;
    let header = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let is_upgrade = header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let Some(key) = header("sec-websocket-key").filter(|_| is_upgrade) else {
        let reply = match head.starts_with("GET / ") {
            true => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
            false => "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 12\r\nConnection: close\r\n\r\nno upgrade!\n",
        };
        return stream.write_all(reply.as_bytes()).await.ok();
    };
    let accept = derive_accept_key(key.as_bytes());
    let reply = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(reply.as_bytes()).await.ok()?;
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let hello = serde_json::json!({ "hello": { "address": header("x-client") } });
    socket.send(Message::text(hello.to_string())).await.ok()?;
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() {
            socket.send(message).await.ok()?;
        }
    }
    Some(())
}

/// Reads a request up to the empty line, byte by byte so as to leave what follows.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}
