//! The seed story with traffic: the chat behind a sandbox's balancer, with a real nginx between them or without one.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use elbws::backend::{self, Request, Server};
use elbws::demo::{Chat, Front, HEALTH_PATH};
use elbws::model::Balancer;
use elbws::plan::plan;
use elbws::sandbox::{Backend, InstanceState, ListenerPorts, Options, Traffic};
use elbws::spec::Spec;

use super::story::Story;

const REGION: &str = "eu-west-1";
/// The instances of the seed story.
const INSTANCES: [&str; 2] = ["i-0c4a7000000000001", "i-0c4a7000000000002"];

/// The chat, the balancer in front of it, and what is between them.
pub(crate) struct Site {
    /// Dropped first: its folder is the story's, and the chat runs on the story's runtime.
    nginx: Option<Nginx>,
    chat: Chat,
    pub(crate) story: Story,
}

impl Site {
    /// The site of before: an HTTPS listener, and a back end that expects plain HTTP.
    ///
    /// Clients come over `::1` and the balancer goes to its instances over 127.0.0.1, so that one is never taken for the other.
    pub(crate) fn begin(with_nginx: bool) -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let chat = runtime.block_on(Chat::start(Front::Http)).expect("the chat starts");
        let real = if with_nginx { free_address() } else { chat.address() };
        let backend = Backend { address: real.ip(), ports: BTreeMap::from([(80, real.port())]) };
        let traffic = Traffic {
            ports: ListenerPorts::Free,
            instances: INSTANCES.map(|id| (id.to_owned(), backend.clone())).into(),
            health_check_pace: Some(Duration::from_millis(5)),
        };
        let options = Options { listen: (Ipv6Addr::LOCALHOST, 0).into(), traffic: Some(traffic) };
        let story = Story::on(runtime, include_str!("../../../fixtures/chat.toml"), options);
        let nginx = with_nginx.then(|| Nginx::start(&story.folder.path().join("nginx"), real));
        let site = Site { nginx, chat, story };
        if let Some(nginx) = &site.nginx {
            nginx.use_configuration(&site.configuration(&site.balancer()), false);
        }
        site.wait_for_health();
        site
    }

    /// Tells the web server, which is nginx or else the chat itself, to expect the PROXY line.
    pub(crate) fn expect_proxy_protocol(&self) {
        match &self.nginx {
            Some(nginx) => {
                let after = plan(&self.balancer(), &Spec::websocket()).expect("it can be planned").after;
                nginx.use_configuration(&self.configuration(&after), true);
            }
            None => self.chat.expect(Front::ProxyProtocol),
        }
    }

    /// Where a listener really is.
    pub(crate) fn listener(&self, port: u16) -> SocketAddr {
        self.story.block_on(self.story.sandbox.settled());
        self.story.sandbox.listener_address(REGION, "chat", port).expect("the listener is open")
    }

    fn balancer(&self) -> Balancer {
        self.story.sandbox.world().regions[REGION].load_balancers["chat"].balancer.clone()
    }

    /// What `elbws backend nginx` writes for a state of the balancer. Its connections come from this machine.
    fn configuration(&self, balancer: &Balancer) -> String {
        let nginx = self.nginx.as_ref().expect("there is one");
        let trusted = vec!["127.0.0.1/32".parse().expect("a range")];
        let mut request = Request::new(balancer, trusted, self.chat.address().into());
        request.listen.address = Some(nginx.address.ip());
        request.listen.ports = BTreeMap::from([(80, nginx.address.port())]);
        backend::generate(Server::Nginx, &request).expect("it can be written").text
    }

    /// Waits until the balancer's instances are in service.
    pub(crate) fn wait_for_health(&self) {
        let mut worlds = self.story.sandbox.subscribe();
        let healthy = worlds.wait_for(|world| {
            let health = &world.regions[REGION].load_balancers["chat"].health;
            INSTANCES.iter().all(|id| health.get(*id).is_some_and(|health| health.state == InstanceState::InService))
        });
        let healthy = async { tokio::time::timeout(Duration::from_secs(30), healthy).await.map(drop) };
        self.story
            .block_on(healthy)
            .unwrap_or_else(|_| panic!("the instances never got into service:\n{:#?}", self.story.sandbox.traffic_log()));
    }
}

/// An nginx of its own, unprivileged, in a folder.
struct Nginx {
    process: Child,
    folder: PathBuf,
    address: SocketAddr,
}

impl Nginx {
    /// Starts nginx with no site yet.
    fn start(folder: &Path, address: SocketAddr) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|kind| format!("{kind}_temp_path {kind};"));
        let main = format!(
            "daemon off; pid nginx.pid; error_log stderr; worker_processes 1;\nevents {{ worker_connections 256; }}\n\
             http {{ access_log off; {} include site.conf; }}\n",
            temporary.join(" ")
        );
        std::fs::write(folder.join("nginx.conf"), main).expect("it is writable");
        std::fs::write(folder.join("site.conf"), "").expect("it is writable");
        let process = command(folder).stdin(Stdio::null()).spawn();
        let process = process.expect("Debian's package nginx-light is installed: run ./tests/run");
        let nginx = Nginx { process, folder: folder.to_owned(), address };
        nginx.until("nginx runs", || folder.join("nginx.pid").metadata().is_ok_and(|file| file.len() > 0));
        nginx
    }

    /// Loads a site, and waits until nginx answers as it says.
    fn use_configuration(&self, site: &str, proxy_protocol: bool) {
        std::fs::write(self.folder.join("site.conf"), site).expect("it is writable");
        let reload = command(&self.folder).args(["-s", "reload"]).status().expect("nginx can be run");
        assert!(reload.success(), "nginx does not take this:\n{site}");
        let line = if proxy_protocol { "PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n" } else { "" };
        let request = format!("{line}GET {HEALTH_PATH} HTTP/1.0\r\n\r\n");
        self.until("nginx answers", || answers(self.address, &request));
    }

    fn until(&self, what: &str, mut reached: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !reached() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{what}: not yet, in {}", self.folder.display());
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if !command(&self.folder).args(["-s", "stop"]).status().is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr"]);
    command
}

fn answers(address: SocketAddr, request: &str) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(address) else { return false };
    let mut answer = String::new();
    let exchanged = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    exchanged.is_ok() && answer.contains(" 200 ")
}

/// An address that nobody listens on.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((IpAddr::from([127, 0, 0, 1]), 0)).expect("a free port");
    listener.local_addr().expect("it has an address")
}
