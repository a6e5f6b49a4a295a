//! What `verify --elb` takes from the balancer: its state, its instances' health, and where to connect.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::cli::connection::Connection;
use crate::cli::error::CliError;
use crate::cli::{Global, reading};
use crate::cloud::{Account, Cloud};
use crate::model::Balancer;
use crate::output::{sink, warning_text};
use crate::sandbox::{ListenerState, OpenListener};
use crate::verify::{BalancerView, InstanceSeen, Place};

/// How long a sandbox on this machine may take to say where its listeners are, and how long its answer may be.
const PATIENCE: Duration = Duration::from_secs(5);
const LARGEST_LISTING: usize = 1 << 20;

/// Reads a balancer, how its instances are doing, and in which region. Without that health the diagnosis knows less, which is no reason to give up.
pub(super) async fn look_at(global: &Global, name: &str) -> Result<(BalancerView, String), CliError> {
    if global.sandbox.is_some() {
        return Err(CliError::usage("--sandbox is a sandbox inside this process, which nobody can connect to")
            .hint("run `elbws sandbox` in another terminal, and give this command its environment"));
    }
    let connection = Connection::open(global).await?;
    let cloud = connection.cloud();
    let (balancer, health) = tokio::join!(reading::read(cloud, name), cloud.instance_health(name));
    let balancer = balancer?;
    let instances = match health {
        Ok(health) => {
            let seen = health.into_iter().map(|(id, health)| InstanceSeen {
                id,
                in_service: health.is_in_service(),
                description: health.description,
            });
            Some(seen.collect())
        }
        Err(error) => {
            sink::message(&warning_text(&format!("balancer `{name}`: the instances' health could not be read: {error}")));
            None
        }
    };
    Ok((BalancerView { balancer, instances }, cloud.region().to_owned()))
}

/// Where to connect to a listener of a balancer: the balancer's own name, or where a sandbox on this machine has put the listener.
pub(super) async fn place_of(global: &Global, region: &str, balancer: &Balancer, port: u16) -> Result<Place, CliError> {
    let own = Place { host: balancer.dns_name.clone(), port };
    let Some(endpoint) = endpoint(global) else { return Ok(own) };
    // Only a sandbox is asked; what speaks AWS's protocol elsewhere has real names.
    let Some(listeners) = listeners(endpoint).await else { return Ok(own) };
    let is_mine =
        |one: &OpenListener| one.region == region && one.balancer == balancer.name && one.load_balancer_port == port;
    match listeners.into_iter().find(is_mine).map(|one| one.state) {
        Some(ListenerState::Open { address }) => Ok(Place { host: address.ip().to_string(), port: address.port() }),
        Some(ListenerState::NotOpen { reason }) => {
            Err(CliError::failed(format!("the sandbox has not opened the listener on port {port}: {reason}")))
        }
        None => {
            let ports: Vec<String> = balancer.listeners.keys().map(u16::to_string).collect();
            Err(CliError::failed(format!("balancer `{}` has no listener on port {port}", balancer.name))
                .hint(format!("its listeners are on {}", ports.join(", ")))
                .hint(format!(
                    "give the balancer's own port in the URL, as in wss://HOST/ws --elb {} for 443; where the sandbox really \
                     listens is found by itself",
                    balancer.name
                )))
        }
    }
}

/// The endpoint of the service, if it is on this machine.
fn endpoint(global: &Global) -> Option<SocketAddr> {
    let url = global.endpoint_url.clone().or_else(|| std::env::var("AWS_ENDPOINT_URL").ok())?;
    let uri: Uri = url.parse().ok()?;
    let address: SocketAddr = uri.authority()?.as_str().parse().ok()?;
    address.ip().is_loopback().then_some(address)
}

/// The listeners of the sandbox at an address; nothing if there is none, or one without traffic.
async fn listeners(address: SocketAddr) -> Option<Vec<OpenListener>> {
    let asked = async {
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::get("/_elbws/listeners").header("host", address.to_string()).body(Empty::<Bytes>::new())?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let body = Limited::new(response.into_body(), LARGEST_LISTING).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
            serde_json::from_slice::<Vec<OpenListener>>(&body).context("another answer than a sandbox gives")
        };
        tokio::select! {
            answer = answer => answer,
            ended = connection => Err(ended.err().map_or_else(|| anyhow::anyhow!("the connection ended"), Into::into)),
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.ok()?.ok().filter(|listeners| !listeners.is_empty())
}
