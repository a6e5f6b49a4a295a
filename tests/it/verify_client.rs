//! The prober against servers that misbehave in every way a stage can meet.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use elbws::verify::{self, Cause, Message, Outcome, Place, Probe, Severity, Stage, Trust, Verdict};
use futures::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message as Frame, handshake::derive_accept_key};
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::support::nginx::{application, read_head};

const NAME: &str = "chat.example.com";

/// A server that does the same with every connection.
async fn server<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

fn probe(scheme: &str, address: SocketAddr) -> Probe {
    Probe {
        connect_to: Some(Place { host: address.ip().to_string(), port: address.port() }),
        timeout: Duration::from_secs(2),
        ..Probe::new(format!("{scheme}://{NAME}/ws").parse().unwrap())
    }
}

async fn run(probe: &Probe) -> Verdict {
    verify::run(probe, None, |_| {}).await.unwrap()
}

#[track_caller]
fn is(verdict: &Verdict, cause: Cause, stage: Stage) {
    let found = verdict.diagnoses.first().map(|diagnosis| diagnosis.cause);
    assert_eq!((verdict.proven, found, verdict.seen.failed()), (false, Some(cause), Some(stage)), "{verdict:#?}");
}

// Names and ports.

#[tokio::test]
async fn a_name_that_does_not_exist_ends_the_run() {
    let verdict = run(&Probe::new("wss://nowhere.invalid/".parse().unwrap())).await;
    is(&verdict, Cause::NameNotFound, Stage::Name);
    assert_eq!(verdict.seen.stages.len(), 1);
}

#[tokio::test]
async fn a_port_where_nothing_listens_is_refused() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let verdict = run(&probe("wss", closed)).await;
    is(&verdict, Cause::PortRefused, Stage::Tcp);
    let summary = &verdict.diagnoses[0].sentence;
    assert!(summary.contains(&closed.to_string()), "it says where it looked: {summary}");
}

#[tokio::test]
async fn a_source_that_is_not_this_machines_is_told_apart() {
    let probe = Probe { source: Some("192.0.2.1".parse().unwrap()), ..probe("ws", application().await) };
    is(&run(&probe).await, Cause::LocalTrouble, Stage::Tcp);
}

// Certificates.

/// A certificate authority, and what it issues.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    fn trust(&self) -> Trust {
        Trust::Pem(self.pem.clone().into_bytes())
    }

    /// A certificate for a name that is valid from so many days ago for so many days.
    fn issue(&self, name: &str, from: i64, days: i64) -> Identity {
        let (mut params, key) = certificate(name, from, days);
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity { chain: vec![certificate.der().clone()], key: private(&key) }
    }
}

fn certificate(name: &str, from: i64, days: i64) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    let date = |days: i64| {
        let date = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        let date = date.to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(date.year().into(), date.month().try_into().unwrap(), date.day().try_into().unwrap())
    };
    params.not_before = date(-from);
    params.not_after = date(-from + days);
    (params, KeyPair::generate().unwrap())
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap()
}

/// Terminates TLS before the application. Counts the bytes that clients sent after the handshake.
async fn tls(identity: Identity, sent: Arc<AtomicUsize>) -> SocketAddr {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(identity.chain, identity.key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let application = application().await;
    server(move |stream| {
        let (acceptor, sent) = (acceptor.clone(), sent.clone());
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            let mut inner = TcpStream::connect(application).await.unwrap();
            if let Ok((up, _)) = tokio::io::copy_bidirectional(&mut stream, &mut inner).await {
                sent.fetch_add(up.try_into().unwrap(), Ordering::Relaxed);
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_certificate_that_is_trusted_is_described() {
    let authority = Authority::new("test root");
    let address = tls(authority.issue(NAME, 1, 90), Arc::default()).await;
    let verdict = run(&Probe { trust: authority.trust(), ..probe("wss", address) }).await;
    assert!(verdict.proven && verdict.diagnoses.is_empty(), "{verdict:#?}");
    let tls = verdict.seen.tls().unwrap();
    assert_eq!(tls.protocol.as_deref(), Some("TLSv1.3"));
    assert!(tls.cipher.as_ref().unwrap().starts_with("TLS_"), "{tls:?}");
    let certificate = &tls.certificates[0];
    assert_eq!((certificate.names.as_slice(), certificate.issuer.as_str()), (&[NAME.to_owned()][..], "CN=test root"));
    // The certificate ends at midnight.
    assert!((88..=89).contains(&certificate.days_left), "{certificate:?}");
}

#[tokio::test]
async fn each_certificate_that_cannot_be_trusted_is_explained_and_nothing_is_sent() {
    let authority = Authority::new("test root");
    let other = Authority::new("another root");
    let (params, key) = certificate(NAME, 1, 90);
    let self_signed = Identity { chain: vec![params.self_signed(&key).unwrap().der().clone()], key: private(&key) };
    let mut whole = other.issue(NAME, 1, 90);
    whole.chain.push(CertificateDer::from_pem_slice(other.pem.as_bytes()).unwrap());
    for (identity, cause, says) in [
        (authority.issue(NAME, 100, 90), Cause::CertificateExpired, "expired 1"),
        (authority.issue(NAME, -10, 90), Cause::CertificateNotYetValid, "not valid before"),
        (
            authority.issue("other.example.com", 1, 90),
            Cause::CertificateWrongName,
            "is for other.example.com, not for chat.example.com",
        ),
        (self_signed, Cause::CertificateSelfSigned, "signed by itself"),
        (other.issue(NAME, 1, 90), Cause::CertificateChainIncomplete, "its issuer CN=another root"),
        (whole, Cause::CertificateUntrusted, "leads to CN=another root"),
    ] {
        let sent = Arc::new(AtomicUsize::new(0));
        let address = tls(identity, sent.clone()).await;
        let verdict = run(&Probe { trust: authority.trust(), ..probe("wss", address) }).await;
        is(&verdict, cause, Stage::Tls);
        assert!(verdict.diagnoses[0].sentence.contains(says), "{}", verdict.diagnoses[0].sentence);
        let tls = verdict.seen.tls().unwrap();
        assert!(tls.protocol.is_some() && !tls.certificates.is_empty(), "the facts are told all the same: {tls:?}");
        assert_eq!(verdict.seen.stages.len(), 3, "no stage after TLS");
        assert_eq!(sent.load(Ordering::Relaxed), 0, "something was sent");

        // Told to, it goes on, and says so.
        let verdict = run(&Probe { trust: Trust::Insecure, ..probe("wss", address) }).await;
        assert!(verdict.proven, "{verdict:#?}");
        let warning = &verdict.diagnoses[0];
        assert_eq!((warning.cause, warning.severity), (Cause::CertificateIgnored, Severity::Warning));
    }
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_a_warning() {
    let authority = Authority::new("test root");
    let address = tls(authority.issue(NAME, 80, 85), Arc::default()).await;
    let verdict = run(&Probe { trust: authority.trust(), ..probe("wss", address) }).await;
    assert!(verdict.proven);
    assert_eq!(verdict.diagnoses[0].cause, Cause::CertificateExpiresSoon);
}

// Handshakes.

#[tokio::test]
async fn what_answers_a_handshake_otherwise_is_told_apart() {
    let closes = server(|mut stream| async move { drop(stream.read(&mut [0; 4096]).await) }).await;
    is(&run(&probe("wss", closes)).await, Cause::TlsCutOff, Stage::Tls);

    let greets =
        server(|mut stream| async move { stream.write_all(b"220 mail.example.com ESMTP\r\n").await.unwrap() }).await;
    let verdict = run(&probe("wss", greets)).await;
    is(&verdict, Cause::PortIsPlain, Stage::Tls);
    assert!(verdict.diagnoses[0].evidence[0].contains("220 mail.example.com"), "{verdict:#?}");

    // An alert as RFC 8446 section 6 has it: fatal, protocol_version.
    let old = server(|mut stream| async move {
        let _ = stream.read_u8().await;
        let _ = stream.write_all(&[21, 3, 1, 0, 2, 2, 70]).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    is(&run(&probe("wss", old)).await, Cause::TlsNothingInCommon, Stage::Tls);

    let silent = server(|mut stream| async move { drop(stream.read_to_end(&mut Vec::new()).await) }).await;
    let probe = Probe { timeout: Duration::from_millis(300), ..probe("wss", silent) };
    is(&run(&probe).await, Cause::TlsHangs, Stage::Tls);
}

// Requests.

/// Answers every request with the same bytes.
async fn answers(reply: &'static [u8]) -> SocketAddr {
    server(move |mut stream| async move {
        if read_head(&mut stream).await.is_some() {
            let _ = stream.write_all(reply).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await
}

#[tokio::test]
async fn each_reply_to_the_upgrade_has_its_diagnosis() {
    for (reply, cause) in [
        (
            &b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"[..],
            Cause::BadUpgrade,
        ),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", Cause::BadUpgrade),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Cause::NotHttp),
        (b"\x15\x03\x01\x00\x02\x02\x46", Cause::PortIsEncrypted),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 45\r\n\r\nThe plain HTTP request was sent to HTTPS port",
            Cause::PortIsEncrypted,
        ),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Cause::Refused),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Cause::ServerError),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", Cause::Redirected),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Cause::HttpListener),
    ] {
        is(&run(&probe("ws", answers(reply).await)).await, cause, Stage::Upgrade);
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_not_waited_for_for_ever() {
    let probe = Probe { timeout: Duration::from_millis(300), ..probe("ws", answers(b"").await) };
    is(&run(&probe).await, Cause::NoReply, Stage::Upgrade);
}

/// A server that finds a PROXY line instead of a request has answered before the request comes.
#[tokio::test]
async fn an_answer_that_comes_before_the_request_is_read() {
    let hasty = server(|mut stream| async move {
        let page = "<hr><center>nginx/1.22.1</center>";
        let reply = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        let _ = stream.write_all(reply.as_bytes()).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    for _ in 0..20 {
        is(&run(&probe("ws", hasty)).await, Cause::UnexpectedProxyLine, Stage::Upgrade);
    }
}

#[tokio::test]
async fn the_servers_cookies_are_not_repeated() {
    let address = answers(b"HTTP/1.1 200 OK\r\nSet-Cookie: session=s3cr3t\r\nContent-Length: 0\r\n\r\n").await;
    let verdict = serde_json::to_string(&run(&probe("ws", address)).await).unwrap();
    assert!(verdict.contains("set-cookie") && !verdict.contains("s3cr3t"), "{verdict}");
}

/// A reply without an end, in headers or body, is bounded.
#[tokio::test]
async fn an_endless_reply_ends() {
    for head in [&b"HTTP/1.1 200 OK\r\nX: "[..], b"HTTP/1.1 200 OK\r\n\r\n"] {
        let endless = server(move |mut stream| async move {
            if read_head(&mut stream).await.is_some() && stream.write_all(head).await.is_ok() {
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
            }
        })
        .await;
        assert!(!run(&probe("ws", endless)).await.proven);
    }
}

/// Servers of WebSockets alone close at a plain request; that proves nothing.
#[tokio::test]
async fn a_server_of_websockets_alone_is_proven() {
    let address = server(|stream| async move {
        if let Ok(mut socket) = accept_async(stream).await {
            while let Some(Ok(_)) = socket.next().await {}
        }
    })
    .await;
    let verdict = run(&probe("ws", address)).await;
    assert!(verdict.proven && verdict.diagnoses.is_empty(), "{verdict:#?}");
    let http = verdict.seen.stages.iter().find(|stage| stage.seen.stage() == Stage::Http).unwrap();
    assert_eq!(http.outcome, Outcome::Inconclusive);
}

// Messages.

/// A server that does something of its own with every WebSocket.
async fn sockets<F>(serve: impl Fn(WebSocketStream<TcpStream>) -> F + Clone + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    server(move |stream| {
        let serve = serve.clone();
        async move {
            if let Ok(socket) = accept_async(stream).await {
                serve(socket).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn an_echo_may_come_inside_another_message() {
    let address = sockets(|mut socket| async move {
        let _ = socket.send(Frame::text("welcome")).await;
        while let Some(Ok(frame)) = socket.next().await {
            if let Frame::Text(text) = frame {
                let said = serde_json::json!({ "say": { "name": "somebody", "msg": text.as_str() } });
                let _ = socket.send(Frame::text(said.to_string())).await;
            }
        }
    })
    .await;
    for text in ["{\"say\":\"{token}\"}", "no token, but \"quotes\" and \u{fc}mlauts"] {
        let verdict = run(&Probe { message: Message::Text(text.to_owned()), ..probe("ws", address) }).await;
        assert!(verdict.proven, "{verdict:#?}");
        assert!(verdict.seen.message().unwrap().echo.is_some());
    }
}

#[tokio::test]
async fn each_way_of_not_answering_is_told_apart() {
    let silent = sockets(|mut socket| async move { while let Some(Ok(_)) = socket.next().await {} }).await;
    let asks = Probe { message: Message::Text("{token}".to_owned()), ..probe("ws", silent) };
    is(&run(&Probe { timeout: Duration::from_millis(500), ..asks }).await, Cause::NoEcho, Stage::Message);

    // It upgrades, and reads nothing.
    let deaf = server(|mut stream| async move {
        if let Some(head) = read_head(&mut stream).await {
            let key = head.lines().find_map(|line| line.strip_prefix("Sec-Websocket-Key: ")).unwrap_or_default().to_owned();
            let accept = derive_accept_key(key.as_bytes());
            let reply = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            let _ = stream.write_all(reply.as_bytes()).await;
            std::future::pending::<()>().await;
        }
    })
    .await;
    let verdict = run(&Probe { timeout: Duration::from_millis(500), ..probe("ws", deaf) }).await;
    is(&verdict, Cause::NoAnswer, Stage::Message);

    let leaves = sockets(|mut socket| async move {
        let frame = CloseFrame { code: CloseCode::Policy, reason: "log in first".into() };
        let _ = socket.close(Some(frame)).await;
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    let verdict = run(&probe("ws", leaves)).await;
    is(&verdict, Cause::NoAnswer, Stage::Message);
    assert!(verdict.diagnoses[0].evidence[0].contains("code 1008: log in first"), "{verdict:#?}");

    // Masked frames from a server are against the RFC.
    let masked = server(|mut stream| async move {
        if let Some(head) = read_head(&mut stream).await {
            let key = head.lines().find_map(|line| line.strip_prefix("Sec-Websocket-Key: ")).unwrap_or_default().to_owned();
            let accept = derive_accept_key(key.as_bytes());
            let reply = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            let _ = stream.write_all(reply.as_bytes()).await;
            let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
            let _ = socket.send(Frame::text("masked")).await;
            std::future::pending::<()>().await;
        }
    })
    .await;
    is(&run(&probe("ws", masked)).await, Cause::NoAnswer, Stage::Message);
}

// Time and number.

#[tokio::test]
async fn an_application_that_says_goodbye_is_not_taken_for_a_balancer() {
    let address = sockets(|mut socket| async move {
        loop {
            match tokio::time::timeout(Duration::from_secs(1), socket.next()).await {
                Ok(Some(Ok(_))) => {}
                Ok(_) => return,
                Err(_) => {
                    let frame = CloseFrame { code: CloseCode::Away, reason: "idle".into() };
                    let _ = socket.close(Some(frame)).await;
                    while let Some(Ok(_)) = socket.next().await {}
                    return;
                }
            }
        }
    })
    .await;
    let verdict = run(&Probe { idle: Some(Duration::from_secs(20)), ..probe("ws", address) }).await;
    is(&verdict, Cause::ServerIdleTimeout, Stage::Idle);
    assert!(verdict.diagnoses[0].evidence.iter().any(|line| line.contains("code 1001")), "{verdict:#?}");
    assert!(verdict.seen.pings().is_some_and(|pings| pings.closed.is_none()), "pings kept it open: {verdict:#?}");
}

#[tokio::test]
async fn a_limit_on_age_is_not_cured_by_pings() {
    let address = sockets(|mut socket| async move {
        let age = tokio::time::timeout(Duration::from_secs(1), async { while let Some(Ok(_)) = socket.next().await {} });
        let _ = age.await;
    })
    .await;
    let verdict = run(&Probe { idle: Some(Duration::from_secs(20)), ..probe("ws", address) }).await;
    let causes: Vec<Cause> = verdict.diagnoses.iter().map(|diagnosis| diagnosis.cause).collect();
    assert_eq!(causes, [Cause::IdleTimeout, Cause::PingsDoNotHelp], "{verdict:#?}");
}

#[tokio::test]
async fn many_connections_are_counted_and_failures_have_reasons() {
    let served = Arc::new(AtomicUsize::new(0));
    let address = server(move |stream| {
        let served = served.clone();
        async move {
            // The plain request, the first upgrade, and three more.
            if served.fetch_add(1, Ordering::Relaxed) < 5
                && let Ok(mut socket) = accept_async(stream).await
            {
                while let Some(Ok(_)) = socket.next().await {}
            }
        }
    })
    .await;
    let verdict = run(&Probe { count: 10, ..probe("ws", address) }).await;
    is(&verdict, Cause::NotAllOpen, Stage::Count);
    let many = verdict.seen.count().unwrap();
    assert_eq!((many.asked, many.open, many.failures.values().sum::<u32>()), (10, 3, 7));

    let verdict = run(&Probe { count: 200, ..probe("ws", application().await) }).await;
    assert!(verdict.proven && verdict.seen.count().unwrap().open == 200, "{verdict:#?}");
}
