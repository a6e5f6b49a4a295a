//! Programs that are not ours, through the sandbox: HAProxy as the reference for what back ends receive, and clients.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use elbws::sandbox::Sandbox;
use futures::{SinkExt, StreamExt};
use rcgen::generate_simple_self_signed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::story::venv;
use crate::support::traffic::{Acceptor, INSTANCE, address, echo, read_all, seed, soon, start};

/// Runs a program to its end; its standard output.
async fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("tests/run has installed it");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = soon("the end of a program", output).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn root(sandbox: &Sandbox, folder: &Path) -> String {
    let path = folder.join("root.pem");
    std::fs::write(&path, sandbox.authority().root_pem()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A HAProxy of its own; it ends when this is dropped.
struct HaProxy(Child);

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl HaProxy {
    /// Listens like the sandbox: a TCP and an SSL listener before one back end, the PROXY line where it says so.
    async fn start(folder: &Path, tcp: u16, ssl: u16, backend: SocketAddr) -> Self {
        let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let pem = folder.join("haproxy.pem");
        std::fs::write(&pem, made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
        let config = format!(
            "defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n\
             frontend tcp\n bind 127.0.0.1:{tcp}\n default_backend instance\n\
             frontend ssl\n bind 127.0.0.1:{ssl} ssl crt {}\n default_backend instance\n\
             backend instance\n server i {backend} send-proxy\n",
            pem.display()
        );
        let path = folder.join("haproxy.cfg");
        std::fs::write(&path, config).unwrap();
        let child = Command::new("haproxy").arg("-db").arg("-f").arg(path).stdout(Stdio::null()).spawn();
        let haproxy = HaProxy(child.expect("tests/run has installed it"));
        let open = async {
            while TcpStream::connect(("127.0.0.1", ssl)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        soon("HAProxy listens", open).await;
        haproxy
    }
}

/// Ports that were free a moment ago.
async fn free_ports() -> [u16; 2] {
    let (one, two) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    [one.local_addr().unwrap().port(), two.local_addr().unwrap().port()]
}

/// A TLS client that believes anything, for a certificate that HAProxy made up.
fn believer() -> tokio_rustls::TlsConnector {
    #[derive(Debug)]
    struct Believer(rustls::crypto::CryptoProvider);
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};
    type Signed = Result<HandshakeSignatureValid, Error>;
    impl ServerCertVerifier for Believer {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Signed {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(&self, _: &[u8], _: &CertificateDer<'_>, _: &DigitallySignedStruct) -> Signed {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = rustls::ClientConfig::builder_with_provider(provider.clone().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(std::sync::Arc::new(Believer(provider)))
        .with_no_client_auth();
    tokio_rustls::TlsConnector::from(std::sync::Arc::new(config))
}

/// What a back end receives in its first read before the client says anything, and in all, with the ports replaced.
async fn received(at: SocketAddr, secure: bool, listener_port: u16, backend: &mut Acceptor) -> (String, String) {
    let stream = TcpStream::connect(at).await.unwrap();
    let client_port = stream.local_addr().unwrap().port();
    let mut client: Box<dyn AsyncReadWrite> = match secure {
        false => Box::new(stream),
        true => Box::new(believer().connect("localhost".try_into().unwrap(), stream).await.unwrap()),
    };
    let mut instance = backend.next().await;
    let mut bytes = vec![0; 4096];
    let count = instance.read(&mut bytes).await.unwrap();
    let first = String::from_utf8(bytes[..count].to_vec()).unwrap();
    for part in ["GET /chat HTTP/1.1\r\n", "Upgrade: websocket\r\n\r\n", "\u{0}\u{1}binary"] {
        client.write_all(part.as_bytes()).await.unwrap();
        client.flush().await.unwrap();
    }
    client.shutdown().await.unwrap();
    let rest = read_all(&mut instance).await;
    let neutral = |text: &str| {
        text.replace(&format!(" {client_port} "), " CLIENT ").replace(&format!(" {listener_port}\r\n"), " LISTENER\r\n")
    };
    (neutral(&first), neutral(&(first.clone() + &rest)))
}

trait AsyncReadWrite: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin {}
impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> AsyncReadWrite for S {}

#[tokio::test]
#[ignore = "needs haproxy: run ./tests/run"]
async fn a_back_end_receives_from_the_sandbox_what_it_receives_from_haproxy() {
    let (mut backend, plain) = (Acceptor::start().await, echo().await);
    let folder = tempfile::tempdir().unwrap();
    let [tcp, ssl] = free_ports().await;
    let _haproxy = HaProxy::start(folder.path(), tcp, ssl, backend.address).await;
    let seed = seed(&["TCP:8080/TCP:80", "SSL:443/TCP:80"], &[80], &[INSTANCE], "TCP:81");
    let sandbox = start(&seed, &[(80, backend.address), (81, plain)]).await;
    // The connection that only looked whether HAProxy listens.
    while tokio::time::timeout(Duration::from_millis(300), backend.any()).await.is_ok() {}
    for (secure, ours, theirs) in [(false, 8080, tcp), (true, 443, ssl)] {
        let ours = received(address(&sandbox, ours), secure, ours, &mut backend).await;
        let theirs = received(([127, 0, 0, 1], theirs).into(), secure, theirs, &mut backend).await;
        assert_eq!(ours, theirs);
        assert_eq!(ours.0, "PROXY TCP4 127.0.0.1 127.0.0.1 CLIENT LISTENER\r\n");
    }
}

#[tokio::test]
#[ignore = "needs curl: run ./tests/run"]
async fn curl_gets_a_page_through_an_ssl_listener() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = server.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            let mut bytes = vec![0; 4096];
            let Ok(count @ 1..) = stream.read(&mut bytes).await else { continue };
            let (line, request) = std::str::from_utf8(&bytes[..count]).unwrap().split_once("\r\n").unwrap();
            let (line, mut request) = (line.to_owned(), request.to_owned());
            while !request.ends_with("\r\n\r\n") {
                let count = stream.read(&mut bytes).await.unwrap();
                request.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
            let length = line.len();
            let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{line}").as_bytes()).await;
        }
    });
    let plain = echo().await;
    let seed = seed(&["SSL:443/TCP:80"], &[80], &[INSTANCE], "TCP:81");
    let sandbox = start(&seed, &[(80, backend), (81, plain)]).await;
    let folder = tempfile::tempdir().unwrap();
    let port = address(&sandbox, 443).port();
    let resolve = format!("chat.example.com:{port}:127.0.0.1");
    let url = format!("https://chat.example.com:{port}/");
    let root = root(&sandbox, folder.path());
    let page = run("curl", &["-sS", "--fail", "--cacert", &root, "--resolve", &resolve, &url], "").await;
    assert!(page.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 ") && page.ends_with(" 443"), "{page}");
}

#[tokio::test]
#[ignore = "needs openssl: run ./tests/run"]
async fn openssl_verifies_the_listener_and_carries_bytes() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = server.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            let mut said = String::new();
            // The PROXY line, and the client's.
            while said.lines().count() < 2 || !said.ends_with('\n') {
                match stream.read_u8().await {
                    Ok(byte) => said.push(byte.into()),
                    Err(_) => break,
                }
            }
            let _ = stream.write_all(said.as_bytes()).await;
        }
    });
    let sandbox = start(&seed(&["SSL:443/TCP:80"], &[80], &[INSTANCE], "TCP:80"), &[(80, backend)]).await;
    let folder = tempfile::tempdir().unwrap();
    let (root, at) = (root(&sandbox, folder.path()), address(&sandbox, 443).to_string());
    let name = "chat.example.com";
    let strict = ["-verify_return_error", "-verify_hostname", name, "-CAfile", &root];
    let arguments = ["s_client", "-quiet", "-connect", &at, "-servername", name];
    let said = run("openssl", &[&arguments[..], &strict].concat(), "hello\n").await;
    assert!(said.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 ") && said.ends_with(" 443\r\nhello\n"), "{said}");
}

/// A WebSocket server that sends every message back, behind a PROXY line if there is one.
async fn websocket_echo(proxied: bool) -> SocketAddr {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = server.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = server.accept().await {
            tokio::spawn(async move {
                while proxied && !matches!(stream.read_u8().await, Ok(b'\n') | Err(_)) {}
                let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
                while let Some(Ok(message)) = socket.next().await {
                    let _ = socket.send(message).await;
                }
            });
        }
    });
    at
}

#[tokio::test]
#[ignore = "needs Python's websockets: run ./tests/run"]
async fn a_web_socket_client_of_another_make_fails_before_and_works_after() {
    let (plain, proxied) = (websocket_echo(false).await, websocket_echo(true).await);
    let seed = seed(&["HTTPS:443/HTTP:80", "SSL:8443/TCP:81"], &[81], &[INSTANCE], "TCP:80");
    let sandbox = start(&seed, &[(80, plain), (81, proxied)]).await;
    let folder = tempfile::tempdir().unwrap();
    let root = root(&sandbox, folder.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/websocket.py");
    let script = script.to_str().unwrap();
    for (port, expected) in [(443, "refused server rejected WebSocket connection: HTTP "), (8443, "echoed hello\n")] {
        let real = address(&sandbox, port).port().to_string();
        let said = run(venv("python"), &[script, "wss://chat.example.com/", "127.0.0.1", &real, &root], "").await;
        assert!(said.starts_with(expected), "{port}: {said}");
    }
}
