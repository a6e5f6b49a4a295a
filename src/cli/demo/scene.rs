//! What the demo plays on: the chat, perhaps an nginx, the sandbox with the balancer in front of them, and a client.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context;
use tokio::time::timeout;

use super::super::connection::Connection;
use super::super::error::CliError;
use super::super::{reading, sandbox};
use super::nginx::Nginx;
use crate::backend::{self, Request, Server};
use crate::demo::{Chat, Front, SOCKET_PATH};
use crate::model::Balancer;
use crate::sandbox::{Backend, InstanceState, ListenerPorts, Options, Sandbox, Seed, Traffic};
use crate::verify::{self, BalancerView, Message, Place, Probe, Trust, Verdict};

/// The balancer of the example seed, what clients call it, and the ports that matter.
pub(super) const BALANCER: &str = "chat";
pub(super) const HOST: &str = "chat.example.com";
const HTTPS: u16 = 443;
const INSTANCE_PORT: u16 = 80;
/// The client's own address, so that nobody takes the balancer's 127.0.0.1 for it. Linux has all of 127.0.0.0/8, others may not.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 7));
/// The time between health checks, so that nobody waits minutes for ten of them.
const PACE: Duration = Duration::from_millis(10);
/// How long the instances may take to get into service.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that runs.
pub(super) struct Scene {
    sandbox: Sandbox,
    pub(super) connection: Connection,
    chat: Chat,
    nginx: Option<Nginx>,
}

impl Scene {
    /// Starts everything as it is before: an HTTPS listener, and a web server that knows nothing of the PROXY protocol.
    pub(super) async fn set(with_nginx: bool) -> Result<Self, CliError> {
        let chat = Chat::start(Front::Http).await.context("cannot start the chat")?;
        let real = if with_nginx { Nginx::free_address().await? } else { chat.address() };
        let seed = Seed::from_toml(sandbox::EXAMPLE).map_err(|error| CliError::failed(error.to_string()))?;
        let backend = Backend { address: real.ip(), ports: BTreeMap::from([(INSTANCE_PORT, real.port())]) };
        let traffic = Traffic {
            ports: ListenerPorts::Shifted,
            instances: seed.instances.into_iter().map(|instance| (instance.id, backend.clone())).collect(),
            health_check_pace: Some(PACE),
        };
        let options = Options { traffic: Some(traffic), ..Options::default() };
        let sandbox = sandbox::open(None, options).await?;
        let connection = Connection::to_sandbox(&sandbox).await?;
        let mut scene = Scene { sandbox, connection, chat, nginx: None };
        if with_nginx {
            let site = scene.site(&scene.balancer().await?, real)?;
            scene.nginx = Some(Nginx::start(real, &site).await?);
        }
        scene.get_into_service().await?;
        Ok(scene)
    }

    /// The balancer as it is.
    pub(super) async fn balancer(&self) -> Result<Balancer, CliError> {
        reading::read(self.connection.cloud(), BALANCER).await
    }

    /// Tells the web server to expect the PROXY line, as it will be sent by the balancer in the state `after`.
    pub(super) async fn expect_proxy_protocol(&mut self, after: &Balancer) -> Result<(), CliError> {
        let Some(address) = self.nginx.as_ref().map(Nginx::address) else {
            self.chat.expect(Front::ProxyProtocol);
            return Ok(());
        };
        let site = self.site(after, address)?;
        match &mut self.nginx {
            Some(nginx) => nginx.reload(&site).await,
            None => Ok(()),
        }
    }

    /// Connects as a client does, and says how far it gets.
    pub(super) async fn connect(&self) -> Result<Verdict, CliError> {
        let target = format!("wss://{HOST}{SOCKET_PATH}").parse().map_err(|error| CliError::usage(format!("{error}")))?;
        let address = self.listener().await?;
        let mut probe = Probe::new(target);
        probe.connect_to = Some(Place { host: address.ip().to_string(), port: address.port() });
        probe.source = std::net::TcpListener::bind((CLIENT, 0)).is_ok().then_some(CLIENT);
        probe.trust = Trust::Pem(self.authority().as_bytes().to_vec());
        probe.message = Message::Text(r#"{"say": "{token}"}"#.to_owned());
        let view = BalancerView { balancer: self.balancer().await?, instances: None };
        verify::run(&probe, Some(&view), |_| {}).await.map_err(|error| CliError::failed(error.to_string()))
    }

    /// Where the HTTPS or SSL listener really is.
    async fn listener(&self) -> Result<SocketAddr, CliError> {
        self.sandbox.settled().await;
        let address = self.sandbox.listener_address(self.sandbox.region(), BALANCER, HTTPS);
        address.ok_or_else(|| self.troubled("the sandbox does not listen for the balancer"))
    }

    /// Host and port that a browser on this machine can open.
    pub(super) async fn url_host(&self) -> Result<String, CliError> {
        Ok(format!("localhost:{}", self.listener().await?.port()))
    }

    /// The certificate to trust, in PEM.
    pub(super) fn authority(&self) -> &str {
        self.sandbox.authority().root_pem()
    }

    /// The chat's own address, behind everything.
    pub(super) fn chat(&self) -> SocketAddr {
        self.chat.address()
    }

    /// Ends everything.
    pub(super) async fn close(self) {
        self.sandbox.shutdown().await;
    }

    /// The configuration of nginx for a state of the balancer, whose connections come from this machine.
    fn site(&self, balancer: &Balancer, address: SocketAddr) -> Result<String, CliError> {
        let mut request = Request::new(balancer, vec![IpAddr::V4(Ipv4Addr::LOCALHOST).into()], self.chat.address().into());
        request.listen.address = Some(address.ip());
        request.listen.ports = BTreeMap::from([(INSTANCE_PORT, address.port())]);
        let written = backend::generate(Server::Nginx, &request);
        Ok(written.map_err(|error| CliError::failed(error.to_string()))?.text)
    }

    /// Waits until the balancer sends connections to every instance.
    pub(super) async fn get_into_service(&self) -> Result<(), CliError> {
        let mut worlds = self.sandbox.subscribe();
        let served = worlds.wait_for(|world| {
            let region = world.regions.get(self.sandbox.region());
            let health = region.and_then(|region| region.load_balancers.get(BALANCER)).map(|balancer| &balancer.health);
            health.is_some_and(|health| {
                !health.is_empty() && health.values().all(|health| health.state == InstanceState::InService)
            })
        });
        match timeout(PATIENCE, served).await {
            Ok(_) => Ok(()),
            Err(_) => Err(self.troubled("the balancer's instances do not get into service")),
        }
    }

    /// An error with what the sandbox says of it.
    fn troubled(&self, what: &str) -> CliError {
        let notes: Vec<String> = self.sandbox.traffic_log().iter().map(|note| note.message.clone()).collect();
        CliError::failed(format!("{what}\n{}", notes.join("\n")).trim_end())
    }
}
