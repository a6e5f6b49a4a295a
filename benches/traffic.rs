//! The sandbox's data plane beside HAProxy, through TLS to TCP with the PROXY line: bytes per second, TLS handshakes per second,
//! and memory for each idle WebSocket connection.
//!
//!     cargo bench --bench traffic                     all three
//!     cargo bench --bench traffic -- idle 10000       one of: bytes, handshakes, idle; and how many connections
//!
//! Both balancers, the back end and the client are processes of their own, so that memory is the balancer's alone and the limit of
//! open files is each one's own. Everything shares this machine: ratios mean more than figures.

#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long each figure is measured, and how often; the middle one counts.
const SPAN: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

fn main() {
    // Cargo passes `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match words.as_slice() {
        ["backend"] => runtime.block_on(backend()),
        [] => runtime.block_on(compare(&["bytes", "handshakes", "idle"], 10_000)),
        [one] => runtime.block_on(compare(&[one], 10_000)),
        [one, count, ..] => runtime.block_on(compare(&[one], count.parse().unwrap())),
    }
}

/// A process that ends with this.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Balancer {
    name: &'static str,
    process: Process,
    address: SocketAddr,
    connector: TlsConnector,
}

async fn compare(figures: &[&str], connections: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap()).arg("backend").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _backend = Process(child);
    let backend: SocketAddr = line.trim().parse().unwrap();
    let balancers = [sandbox(folder.path(), backend).await, haproxy(folder.path(), backend).await];
    for figure in figures {
        match *figure {
            "bytes" => rates(&balancers, "MB/s through TLS to TCP, 8 connections", 1e-6, bytes).await,
            "handshakes" => rates(&balancers, "connections per second, each with a TLS handshake", 1.0, handshakes).await,
            "idle" => idle(&balancers, connections).await,
            other => panic!("{other}: give bytes, handshakes or idle"),
        }
    }
}

/// Measures both balancers in turns, and prints the middle figures and their ratio.
async fn rates<F: Future<Output = u64>>(
    balancers: &[Balancer; 2],
    what: &str,
    unit: f64,
    measure: impl Fn(SocketAddr, TlsConnector) -> F,
) {
    let mut found = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (balancer, found) in balancers.iter().zip(&mut found) {
            let count = measure(balancer.address, balancer.connector.clone()).await;
            found.push(count as f64 * unit / SPAN.as_secs_f64());
        }
    }
    let [ours, theirs] = found.map(|mut found| {
        found.sort_by(f64::total_cmp);
        found[found.len() / 2]
    });
    println!("{what}: sandbox {ours:.0}, HAProxy {theirs:.0}, ratio {:.2}", ours / theirs);
}

async fn connect(address: SocketAddr, connector: &TlsConnector) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    connector.connect("chat.example.com".try_into().unwrap(), stream).await
}

/// Bytes that eight clients receive.
async fn bytes(address: SocketAddr, connector: TlsConnector) -> u64 {
    concurrently(8, move |total| {
        let connector = connector.clone();
        async move {
            let mut stream = connect(address, &connector).await.unwrap();
            stream.write_all(b"D").await.unwrap();
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let count = stream.read(&mut buffer).await.unwrap();
                assert!(count > 0, "the back end never ends");
                total.fetch_add(count as u64, Ordering::Relaxed);
            }
        }
    })
    .await
}

/// Connections that carry one byte there and back.
async fn handshakes(address: SocketAddr, connector: TlsConnector) -> u64 {
    concurrently(16, move |total| {
        let connector = connector.clone();
        async move {
            loop {
                let mut stream = connect(address, &connector).await.unwrap();
                stream.write_all(b"E").await.unwrap();
                assert_eq!(stream.read_u8().await.unwrap(), b'E');
                total.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await
}

/// What so many tasks count within the span.
async fn concurrently<F: Future<Output = ()> + Send + 'static>(tasks: usize, work: impl Fn(Arc<AtomicU64>) -> F) -> u64 {
    let total = Arc::new(AtomicU64::new(0));
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        running.spawn(work(total.clone()));
    }
    let failed = tokio::time::timeout(SPAN, running.join_next()).await;
    assert!(failed.is_err(), "a client ended: {failed:?}");
    let counted = total.load(Ordering::Relaxed);
    running.shutdown().await;
    counted
}

/// Opens WebSocket connections, measures the balancer's memory, and proves that each connection still carries messages.
async fn idle(balancers: &[Balancer; 2], wanted: usize) {
    let files = rlimit::getrlimit(rlimit::Resource::NOFILE).unwrap().1;
    let possible = usize::try_from(files.saturating_sub(200) / 2).unwrap_or(usize::MAX);
    let count = wanted.min(possible);
    if count < wanted {
        println!("the limit of {files} open files allows {count} connections of a balancer instead of {wanted}");
    }
    for Balancer { name, process, address, connector } in balancers {
        let before = memory(process);
        let begin = Instant::now();
        let opening = futures::stream::iter(0..count).map(|_| async {
            let stream = connect(*address, connector).await.unwrap();
            tokio_tungstenite::client_async("wss://chat.example.com/", stream).await.unwrap().0
        });
        let mut sockets: Vec<_> = opening.buffer_unordered(64).collect().await;
        let opened = begin.elapsed().as_secs_f64();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let after = memory(process);
        let each = (after.saturating_sub(before)) as f64 / count as f64;
        for socket in &mut sockets {
            socket.send("still here".into()).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap().into_text().unwrap(), "still here");
        }
        println!(
            "{name}: {count} idle WebSocket connections, {each:.1} KiB each ({before} KiB before, {after} KiB with them), \
             opened in {opened:.0} s; each still carries messages, {} KiB afterwards",
            memory(process)
        );
    }
}

/// The resident memory of a process, in KiB.
fn memory(process: &Process) -> u64 {
    let output = Command::new("ps").args(["-o", "rss=", "-p", &process.0.id().to_string()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

async fn sandbox(folder: &Path, backend: SocketAddr) -> Balancer {
    let seed = "region = \"eu-west-1\"\n\
        [[certificates]]\nname = \"chat\"\nstore = \"iam\"\ndomain = \"chat.example.com\"\n\
        [[balancers]]\nname = \"chat\"\nhealth_check = \"TCP:80\"\ninstances = [\"i-00000001\"]\n\
        listeners = [{ protocol = \"SSL\", load_balancer_port = 443, instance_protocol = \"TCP\", instance_port = 80, \
        certificate = \"chat\" }]\nattributes = { idle_timeout = 3600 }\n\
        [balancers.policies.proxy]\ntype = \"ProxyProtocolPolicyType\"\nattributes = { ProxyProtocol = \"true\" }\n\
        [balancers.backend_policies]\n80 = [\"proxy\"]\n";
    let (path, root) = (folder.join("seed.toml"), folder.join("root.pem"));
    std::fs::write(&path, seed).unwrap();
    let instance = format!("i-00000001={},80={}", backend.ip(), backend.port());
    let mut command = Command::new(env!("CARGO_BIN_EXE_elbws"));
    command
        .args(["sandbox", "--listen", "127.0.0.1:0", "--instance", &instance])
        .arg("--seed")
        .arg(path)
        .arg("--ca")
        .arg(&root);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = said.find_map(|line| line.unwrap().rsplit_once(" at ").map(|(_, at)| at.parse().unwrap())).unwrap();
    // It says no more; should it, nobody is to be blocked.
    std::thread::spawn(move || said.for_each(drop));
    let balancer = Balancer { name: "sandbox", process: Process(child), address, connector: connector(&root) };
    ready(&balancer).await;
    balancer
}

async fn haproxy(folder: &Path, backend: SocketAddr) -> Balancer {
    let made = rcgen::generate_simple_self_signed(["chat.example.com".to_owned()]).unwrap();
    let (pem, root, path) = (folder.join("haproxy.pem"), folder.join("haproxy-root.pem"), folder.join("haproxy.cfg"));
    std::fs::write(&pem, made.cert.pem() + &made.signing_key.serialize_pem()).unwrap();
    std::fs::write(&root, made.cert.pem()).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let files = rlimit::getrlimit(rlimit::Resource::NOFILE).unwrap().1;
    let config = format!(
        "global\n maxconn {}\n ssl-default-bind-options ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2\n\
         defaults\n mode tcp\n timeout connect 5s\n timeout client 1h\n timeout server 1h\n\
         listen chat\n bind {address} ssl crt {} ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384\n\
         server i {backend} send-proxy\n",
        (files - 100) / 2 - 20,
        pem.display()
    );
    std::fs::write(&path, config).unwrap();
    let child = Command::new("haproxy").arg("-db").arg("-f").arg(path).stderr(Stdio::null()).spawn().unwrap();
    let balancer = Balancer { name: "HAProxy", process: Process(child), address, connector: connector(&root) };
    ready(&balancer).await;
    balancer
}

/// Waits until a balancer carries bytes.
async fn ready(balancer: &Balancer) {
    let begin = Instant::now();
    loop {
        let attempt = async {
            let mut stream = connect(balancer.address, &balancer.connector).await?;
            stream.write_all(b"E").await?;
            stream.read_u8().await
        };
        match attempt.await {
            Ok(_) => return,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(60), "{}: {error}", balancer.name),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A client that trusts a root, speaks TLS 1.2 and never resumes a session. The certificate of HAProxy is its own root.
fn connector(root: &Path) -> TlsConnector {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    TlsConnector::from(Arc::new(config))
}

/// The back end: reads the PROXY line, then pours bytes for a `D`, is a WebSocket server for a `G`, and else sends back what comes.
async fn backend() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream));
    }
}

async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    while stream.read_u8().await? != b'\n' {}
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(());
    }
    match first[0] {
        b'D' => {
            let block = vec![0; 64 * 1024];
            loop {
                stream.write_all(&block).await?;
            }
        }
        b'G' => {
            let mut socket = tokio_tungstenite::accept_async(stream).await.map_err(std::io::Error::other)?;
            while let Some(Ok(message)) = socket.next().await {
                socket.send(message).await.map_err(std::io::Error::other)?;
            }
        }
        _ => {
            let (mut read, mut write) = stream.split();
            tokio::io::copy(&mut read, &mut write).await?;
        }
    }
    Ok(())
}
