//! Starting a sandbox, and the handle of a running one.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::authority::Authority;
use super::control::{InstanceHealth, Switches, World};
use super::data::{DataPlane, Traffic};
use super::faults::{Fault, InvalidFault};
use super::http;
use super::listing::{Listing, OpenListener};
use super::log::{Counts, LogEntry};
use super::notes::TrafficNote;
use super::seed::{self, Seed, SeedError};
use super::shared::Shared;

/// How long a shutdown waits for requests that are being answered.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a sandbox is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; a loopback address. Port 0 takes any free port.
    pub listen: SocketAddr,
    /// Whether and how listeners carry traffic, at the same address; `None`: the API only, and every instance is in service.
    pub traffic: Option<Traffic>,
}

impl Default for Options {
    /// Any free port of 127.0.0.1, and no traffic.
    fn default() -> Self {
        Options { listen: (Ipv4Addr::LOCALHOST, 0).into(), traffic: None }
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The address is not a loopback address.
    #[error("the sandbox listens on loopback only, not on {0}: give an address such as 127.0.0.1:4567")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The certificate authority cannot be made.
    #[error("cannot make the sandbox's certificate authority: {0}")]
    Authority(#[from] rcgen::Error),
    /// The seed cannot be used.
    #[error(transparent)]
    Seed(#[from] SeedError),
}

/// A running sandbox. It stops when it is dropped, or by [`Sandbox::shutdown`].
pub struct Sandbox {
    shared: Arc<Shared>,
    authority: Arc<Authority>,
    region: String,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    data: Option<DataPlane>,
}

/// Starts a sandbox with what the seed describes.
pub async fn start(options: Options, seed: Seed) -> Result<Sandbox, SandboxError> {
    if !options.listen.ip().is_loopback() {
        return Err(SandboxError::NotLoopback(options.listen));
    }
    let now = Timestamp::now();
    let authority = Arc::new(Authority::new(now)?);
    let mut world = seed::build(&seed, &authority, now)?;
    if options.traffic.is_some() {
        world.check_health();
    }
    let shared = Arc::new(Shared::new(world));
    let unavailable = |source| SandboxError::Listen { address: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(unavailable)?;
    let address = listener.local_addr().map_err(unavailable)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let router = http::router(shared.clone());
    let server = tokio::spawn(async move {
        let stopped = async {
            // A dropped sender says the same as a sent value.
            let _ = stopped.await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!(%error, "the sandbox's server stopped");
        }
    });
    let data =
        options.traffic.map(|traffic| DataPlane::start(shared.clone(), authority.clone(), traffic, options.listen.ip()));
    Ok(Sandbox { shared, authority, region: seed.region, address, stop: Some(stop), server, data })
}

impl Sandbox {
    /// The URL to give clients as the endpoint of every service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The environment variables that point the AWS CLI and the SDKs at the sandbox. The credentials mean nothing.
    pub fn environment(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", "sandbox".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The region of the seed.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The authority that issued the seed's certificates.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The state as it is now.
    pub fn world(&self) -> Arc<World> {
        self.shared.world()
    }

    /// Follows the state: the receiver wakes after every change.
    pub fn subscribe(&self) -> watch::Receiver<Arc<World>> {
        self.shared.subscribe()
    }

    /// Says how an instance is doing, as `DescribeInstanceHealth` is to tell it. Nothing happens if it is not registered.
    pub fn report_health(&self, region: &str, balancer: &str, instance: &str, health: InstanceHealth) {
        self.shared.report_health(region, balancer, instance, health);
    }

    /// Where a listener really listens; `None` if it is not open, for a reason that [`Sandbox::traffic`] gives.
    pub fn listener_address(&self, region: &str, balancer: &str, load_balancer_port: u16) -> Option<SocketAddr> {
        let listing = self.shared.listing().borrow().clone();
        let found = |one: &&OpenListener| {
            one.region == region && one.balancer == balancer && one.load_balancer_port == load_balancer_port
        };
        listing.listeners.iter().find(found)?.address()
    }

    /// All listeners, in the order of regions, balancers and ports; none without traffic.
    pub fn traffic(&self) -> Vec<OpenListener> {
        self.shared.listing().borrow().listeners.to_vec()
    }

    /// Follows the listeners: calls `changed` with all of them now and after every change, for as long as it is awaited.
    pub async fn follow_traffic(&self, mut changed: impl FnMut(&[OpenListener])) {
        let mut listings = self.shared.listing();
        let mut last = None;
        loop {
            let Listing { listeners, world } = listings.borrow_and_update().clone();
            if world.is_some() && last.as_ref() != Some(&listeners) {
                changed(&listeners);
                last = Some(listeners);
            }
            if listings.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until the sockets are what the API last made of the listeners. Returns at once without traffic.
    pub async fn settled(&self) {
        if self.data.is_none() {
            return;
        }
        let is_settled = |listing: &Listing| listing.world.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, &self.world()));
        // It fails only when the sandbox is gone, and then there is nothing to wait for.
        let _ = self.shared.listing().wait_for(is_settled).await;
    }

    /// The traffic log: what went wrong, or is done otherwise than the service does it; oldest first.
    pub fn traffic_log(&self) -> Vec<TrafficNote> {
        self.shared.notes().all()
    }

    /// Goes back to the seed: balancers, switches, certificates. Faults, log and counts are cleared.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Adds faults. Errors: an unknown action, a status that is no error, too many faults.
    pub fn inject(&self, faults: Vec<Fault>) -> Result<(), InvalidFault> {
        self.shared.inject(faults)
    }

    /// The faults that have not happened yet.
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.faults()
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.clear_faults();
    }

    /// The last requests, oldest first.
    pub fn log(&self) -> Vec<LogEntry> {
        self.shared.log()
    }

    /// Calls by action since the start or the last clearing.
    pub fn counts(&self) -> Counts {
        self.shared.counts()
    }

    /// Empties the log and sets the counts to zero.
    pub fn clear_log(&self) {
        self.shared.clear_log();
    }

    /// The switches as they are now.
    pub fn switches(&self) -> Switches {
        self.shared.switches()
    }

    /// Sets the switches.
    pub fn set_switches(&self, switches: Switches) {
        self.shared.set_switches(switches);
    }

    /// Stops listening, waits a moment for requests that are being answered and connections that are about to end, and ends the
    /// others.
    pub async fn shutdown(mut self) {
        self.stop = None;
        if let Some(data) = self.data.take() {
            data.shutdown(PATIENCE).await;
        }
        if tokio::time::timeout(PATIENCE, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}
