//! A real nginx or HAProxy as back end, the application behind it, and clients that speak the PROXY protocol.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use elbws::backend::Server;
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::traffic::soon;

/// A running web server. It ends when this is dropped.
pub(crate) struct WebServer {
    server: Server,
    process: Child,
    folder: tempfile::TempDir,
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Everything around a site that lets nginx run without privileges.
fn nginx_main(folder: &Path, site: &str) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"))
        .collect();
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr warn;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{site}\n}}\n"
    )
}

fn command(server: Server, folder: &Path, site: &str) -> Command {
    let file = folder.join("configuration");
    let (program, text, arguments): (_, _, &[&str]) = match server {
        Server::Nginx => ("nginx", nginx_main(folder, site), &["-e", "stderr", "-c"]),
        Server::Haproxy => ("haproxy", site.to_owned(), &["-db", "-f"]),
    };
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(file).stdin(Stdio::null());
    command
}

/// What the web server itself says of a configuration: an error if it refuses it, or warns.
pub(crate) fn accepts(server: Server, site: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(server, folder.path(), site);
    let output = command.arg(if server == Server::Nginx { "-t" } else { "-c" }).output().expect("tests/run installs it");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    match output.status.success() && !said.to_lowercase().contains("warn") {
        true => Ok(()),
        false => Err(format!("{said}\n{site}")),
    }
}

/// What `nginx -T` prints of a site.
pub(crate) fn dumped(site: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = command(Server::Nginx, folder.path(), site).arg("-T").output().expect("tests/run installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl WebServer {
    /// Starts a web server and waits until it listens on a port.
    pub(crate) async fn start(server: Server, site: &str, port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = command(server, folder.path(), site);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("tests/run installs it");
        let listens = async {
            // It has no way to say that it is ready.
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon(&format!("{server} listening on {port}, with\n{site}"), listens).await;
        WebServer { server, process, folder }
    }

    /// Loads another site without an interruption, and waits until a port of the old one is closed. Only nginx can.
    pub(crate) async fn reload(&self, site: &str, closed: u16) {
        let mut command = command(self.server, self.folder.path(), site);
        assert!(command.args(["-s", "reload"]).status().unwrap().success(), "{site}");
        let closes = async {
            while TcpStream::connect(("127.0.0.1", closed)).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon(&format!("the end of port {closed}"), closes).await;
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An application that tells what it was sent: to a request it answers with the request; on a WebSocket that is the first
/// message, and then it repeats what it hears.
pub(crate) async fn application(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(name, stream));
        }
    });
    address
}

async fn serve(name: &'static str, mut stream: TcpStream) {
    let mut head = vec![0; 16 << 10];
    let length = loop {
        match stream.peek(&mut head).await {
            Ok(length @ 1..) if head[..length].windows(4).any(|window| window == b"\r\n\r\n") => break length,
            Ok(1..) => tokio::task::yield_now().await,
            _ => return,
        }
    };
    let text = String::from_utf8_lossy(&head[..length]).to_lowercase();
    if !text.contains("upgrade: websocket") {
        stream.read_exact(&mut head[..length]).await.unwrap();
        let body = format!("application: {name}\n{text}");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        let _ = stream.write_all(answer.as_bytes()).await;
        return;
    }
    #[allow(clippy::result_large_err)] // The library's own signature.
    let accept = |_: &Request, response: Response| -> Result<Response, ErrorResponse> { Ok(response) };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, accept).await.unwrap();
    let _ = socket.send(Message::text(format!("application: {name}\n{text}"))).await;
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// The PROXY line of a client at 203.0.113.9 that came through a listener.
pub(crate) fn proxy_line(load_balancer_port: u16) -> String {
    format!("PROXY TCP4 203.0.113.9 10.0.0.1 55555 {load_balancer_port}\r\n")
}

/// Opens a WebSocket on a connection, claiming to be somebody else; gives what the application was sent.
pub(crate) async fn websocket<S>(stream: S, path: &str) -> Result<String, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = format!("ws://chat.example.com{path}").into_client_request().unwrap();
    for (name, value) in CLAIMS {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let connected = soon("the handshake", tokio_tungstenite::client_async(request, stream)).await;
    let (mut socket, _) = connected.map_err(|error| error.to_string())?;
    let sent = next(&mut socket).await;
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(next(&mut socket).await, "hello");
    Ok(sent)
}

/// What a client claims about itself, all of it false.
const CLAIMS: [(&str, &str); 4] = [
    ("x-forwarded-for", "198.51.100.66"),
    ("x-real-ip", "198.51.100.66"),
    ("x-forwarded-proto", "gopher"),
    ("forwarded", "for=198.51.100.66"),
];

async fn next<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>) -> String {
    let message = soon("a message", socket.next()).await.expect("the socket is open").unwrap();
    message.into_text().unwrap().to_string()
}

/// Sends a request after a line and gives back everything that is answered.
pub(crate) async fn get(port: u16, line: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("{line}GET {path} HTTP/1.1\r\nHost: chat.example.com\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    super::traffic::read_all(&mut stream).await
}

/// The values of a header in what an application was sent.
pub(crate) fn header(sent: &str, name: &str) -> Vec<String> {
    let value = |line: &str| line.strip_prefix(&format!("{name}: ")).map(|value| value.trim_end().to_owned());
    sent.lines().filter_map(value).collect()
}
