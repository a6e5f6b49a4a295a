//! A sandbox with traffic, back ends that record what they receive, and clients.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use elbws::sandbox::{self, Backend, InstanceState, ListenerPorts, Options, Sandbox, Seed, Traffic};
use rcgen::PublicKeyData;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;

/// The one region and balancer of these tests, and an instance.
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const INSTANCE: &str = "i-00000001";

/// How long anything may take that is awaited.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen"),
    }
}

/// A seed with one balancer `chat`: listeners such as `SSL:443/TCP:80`, instance ports with the proxy policy, a health check.
pub(crate) fn seed(listeners: &[&str], proxied: &[u16], instances: &[&str], health_check: &str) -> String {
    let entries: Vec<String> = listeners
        .iter()
        .map(|route| {
            let (front, back) = route.split_once('/').unwrap();
            let ((protocol, port), (instance_protocol, instance_port)) =
                (front.split_once(':').unwrap(), back.split_once(':').unwrap());
            let certificate = if matches!(protocol, "SSL" | "HTTPS") { ", certificate = \"chat\"" } else { "" };
            format!(
                "{{ protocol = \"{protocol}\", load_balancer_port = {port}, instance_protocol = \"{instance_protocol}\", \
                 instance_port = {instance_port}{certificate} }}"
            )
        })
        .collect();
    let mut seed = format!(
        "region = \"{REGION}\"\n\
         [[certificates]]\nname = \"chat\"\nstore = \"acm\"\ndomain = \"chat.example.com\"\n\
         alternative_names = [\"localhost\", \"127.0.0.1\"]\n\
         [[certificates]]\nname = \"next\"\nstore = \"iam\"\ndomain = \"next.example.com\"\n"
    );
    let list = |list: &[&str]| list.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ");
    seed += &format!(
        "[[balancers]]\nname = \"chat\"\nlisteners = [{}]\nhealth_check = \"{health_check}\"\ninstances = [{}]\n",
        entries.join(", "),
        list(instances)
    );
    if !proxied.is_empty() {
        seed +=
            "[balancers.policies.proxy]\ntype = \"ProxyProtocolPolicyType\"\nattributes = { ProxyProtocol = \"true\" }\n";
        seed += "[balancers.backend_policies]\n";
        for port in proxied {
            seed += &format!("{port} = [\"proxy\"]\n");
        }
    }
    seed
}

/// Where instances are: each of them at 127.0.0.1 with real ports by instance port.
pub(crate) fn instances(all: &[(&str, &[(u16, SocketAddr)])]) -> BTreeMap<String, Backend> {
    let backend = |ports: &[(u16, SocketAddr)]| Backend {
        address: ports.first().map_or(Ipv4Addr::LOCALHOST.into(), |(_, real)| real.ip()),
        ports: ports.iter().map(|(port, real)| (*port, real.port())).collect(),
    };
    all.iter().map(|(id, ports)| ((*id).to_owned(), backend(ports))).collect()
}

/// Starts a sandbox with traffic on free ports and health checks in quick succession.
pub(crate) async fn start_at(address: IpAddr, seed: &str, instances: BTreeMap<String, Backend>) -> Sandbox {
    let health_check_pace = Some(Duration::from_millis(5));
    let traffic = Traffic { ports: ListenerPorts::Free, instances, health_check_pace };
    let options = Options { listen: (address, 0).into(), traffic: Some(traffic) };
    let sandbox = sandbox::start(options, Seed::from_toml(seed).unwrap()).await.unwrap();
    sandbox.settled().await;
    sandbox
}

/// Starts a sandbox whose one instance serves its ports at the real addresses, and waits until it is in service.
pub(crate) async fn start(seed: &str, ports: &[(u16, SocketAddr)]) -> Sandbox {
    let sandbox = start_at(Ipv4Addr::LOCALHOST.into(), seed, instances(&[(INSTANCE, ports)])).await;
    in_service(&sandbox, INSTANCE).await;
    sandbox
}

/// Waits until health checks have put an instance into service.
pub(crate) async fn in_service(sandbox: &Sandbox, instance: &str) {
    health(sandbox, instance, InstanceState::InService).await;
}

/// Waits until health checks have given an instance a state.
pub(crate) async fn health(sandbox: &Sandbox, instance: &str, state: InstanceState) {
    let mut worlds = sandbox.subscribe();
    let reached = worlds.wait_for(|world| {
        let health = &world.regions[REGION].load_balancers["chat"].health;
        health.get(instance).is_some_and(|health| health.state == state)
    });
    soon(&format!("{instance} {state:?}"), reached).await.unwrap();
}

/// Where a listener of `chat` is.
pub(crate) fn address(sandbox: &Sandbox, port: u16) -> SocketAddr {
    sandbox.listener_address(REGION, "chat", port).unwrap_or_else(|| panic!("{port} is not open: {:?}", sandbox.traffic()))
}

/// A back end that hands over every connection it accepts.
pub(crate) struct Acceptor {
    pub(crate) address: SocketAddr,
    connections: mpsc::UnboundedReceiver<TcpStream>,
}

impl Acceptor {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if sender.send(stream).is_err() {
                    return;
                }
            }
        });
        Acceptor { address, connections }
    }

    /// The next connection, whatever it carries.
    pub(crate) async fn any(&mut self) -> TcpStream {
        self.connections.recv().await.expect("the acceptor lives")
    }

    /// The next connection that carries anything but a health check's nothing: a TCP check connects and leaves.
    pub(crate) async fn next(&mut self) -> TcpStream {
        let next = async {
            loop {
                let stream = self.connections.recv().await.expect("the acceptor lives");
                let mut byte = [0];
                if matches!(stream.peek(&mut byte).await, Ok(1..)) {
                    return stream;
                }
            }
        };
        soon("a connection to the back end", next).await
    }
}

/// A back end that sends back what it receives, after whatever line comes first; it ends its side when the client does.
pub(crate) async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
                let _ = write.shutdown().await;
            });
        }
    });
    address
}

/// Everything that comes until the other side ends.
pub(crate) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    // A peer that leaves without a goodbye has said what it had to say.
    let _ = soon("the end of a stream", stream.read_to_end(&mut bytes)).await;
    String::from_utf8(bytes).unwrap()
}

/// The next bytes, as many as this text has; they must be this text.
pub(crate) async fn expect(stream: &mut (impl AsyncRead + Unpin), text: &str) {
    let mut bytes = vec![0; text.len()];
    soon(&format!("{text:?}"), stream.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

/// A TLS client that trusts the sandbox.
pub(crate) fn connector(sandbox: &Sandbox) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    let root = rustls::pki_types::CertificateDer::from_pem_slice(sandbox.authority().root_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// A TLS connection to a listener, verified for a name.
pub(crate) async fn tls(
    sandbox: &Sandbox,
    port: u16,
    name: &str,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address(sandbox, port)).await?;
    connector(sandbox).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

/// Sends a request and gives back everything that is answered until the connection closes.
pub(crate) async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    read_all(&mut stream).await
}

/// A back end that speaks TLS with a certificate nobody knows, and hands over every connection that says something, with what it
/// says first: an SSL check says nothing.
pub(crate) struct TlsAcceptor {
    pub(crate) address: SocketAddr,
    /// The certificate's public key in Base64.
    pub(crate) public_key: String,
    connections: mpsc::UnboundedReceiver<(TlsServer, String)>,
}

type TlsServer = tokio_rustls::server::TlsStream<TcpStream>;

impl TlsAcceptor {
    pub(crate) async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["instance.internal".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut first = vec![0; 1024];
                    if let Ok(count @ 1..) = stream.read(&mut first).await {
                        first.truncate(count);
                        let _ = sender.send((stream, String::from_utf8(first).unwrap()));
                    }
                });
            }
        });
        let public_key = data_encoding::BASE64.encode(&made.signing_key.subject_public_key_info());
        TlsAcceptor { address, public_key, connections }
    }

    /// The next connection that says something, and what it says first.
    pub(crate) async fn next(&mut self) -> (TlsServer, String) {
        soon("a connection to the back end", self.connections.recv()).await.expect("the acceptor lives")
    }
}

/// A call of ELB that must succeed; what it did to the listeners is done.
pub(crate) async fn call(sandbox: &Sandbox, parameters: &str) -> String {
    let reply = crate::support::sandbox::query(sandbox, &format!("{parameters}&LoadBalancerName=chat")).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    sandbox.settled().await;
    reply
}

/// Attaches policies to instance port 80; none clears it.
pub(crate) async fn set_backend_policies(sandbox: &Sandbox, names: &[&str]) {
    let list: String = (1..).zip(names).map(|(n, name): (u32, _)| format!("&PolicyNames.member.{n}={name}")).collect();
    let list = if names.is_empty() { "&PolicyNames=".to_owned() } else { list };
    call(sandbox, &format!("Action=SetLoadBalancerPoliciesForBackendServer&InstancePort=80{list}")).await;
}

/// Creates a policy.
pub(crate) async fn create_policy(sandbox: &Sandbox, name: &str, policy_type: &str, attributes: &[(&str, &str)]) {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let list = (1..).zip(attributes).map(|(n, (name, value)): (u32, _)| {
        let (name, value) = (encode(name), encode(value));
        format!("&PolicyAttributes.member.{n}.AttributeName={name}&PolicyAttributes.member.{n}.AttributeValue={value}")
    });
    let list: String = list.collect();
    call(sandbox, &format!("Action=CreateLoadBalancerPolicy&PolicyName={name}&PolicyTypeName={policy_type}{list}")).await;
}

/// Waits until the traffic log says something.
pub(crate) async fn logged(sandbox: &Sandbox, text: &str) {
    let said = async {
        while !sandbox.traffic_log().iter().any(|note| note.message.contains(text)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, said).await;
    assert!(waited.is_ok(), "{text:?} is not in {:#?}", sandbox.traffic_log());
}
