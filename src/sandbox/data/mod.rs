//! The data plane: real traffic through the balancers of the sandbox.
//!
//! The supervisor follows the world and keeps a socket open for each listener; each connection asks the world once where it goes.
//! Nothing here changes the world, except that health checks report what they find.

mod backend_tls;
mod balance;
mod check;
mod connection;
mod drain;
mod forwarding;
mod health;
mod http;
mod idle;
mod listener;
mod listener_tls;
mod plane;
mod proxy_protocol;
mod relay;
mod route;
mod settings;
mod supervisor;
mod transport;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use plane::Plane;
pub use settings::{Backend, ListenerPorts, Traffic};
use supervisor::Supervisor;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::authority::Authority;
use super::shared::Shared;

/// The most connections at once, where the system allows that many open files.
const MAX_CONNECTIONS: u64 = 100_000;

/// Open files that are kept for everything but connections.
const RESERVED_FILES: u64 = 64;

/// The running data plane. It ends when it is dropped, or by [`DataPlane::shutdown`].
pub(super) struct DataPlane {
    stop: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl DataPlane {
    /// Starts to follow the world; listeners get `address`.
    pub(super) fn start(shared: Arc<Shared>, authority: Arc<Authority>, traffic: Traffic, address: IpAddr) -> Self {
        let (stop, cut, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let plane = Arc::new(Plane {
            shared,
            authority,
            traffic,
            registrations: Default::default(),
            permits: Arc::new(Semaphore::new(connections_allowed())),
            tasks: tasks.clone(),
            stop: stop.clone(),
            cut: cut.clone(),
        });
        tasks.spawn(Supervisor::new(plane, address).run());
        DataPlane { stop, cut, tasks }
    }

    /// Closes the sockets, gives what is under way a moment to end, and ends the rest.
    pub(super) async fn shutdown(self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            self.cut.cancel();
            // Each task ends at its next step.
            let _ = tokio::time::timeout(patience, self.tasks.wait()).await;
        }
    }
}

impl Drop for DataPlane {
    fn drop(&mut self) {
        self.stop.cancel();
        self.cut.cancel();
    }
}

/// Raises the limit of open files as far as this user may, and says how many connections that allows: each needs two.
fn connections_allowed() -> usize {
    let wanted = 2 * MAX_CONNECTIONS + RESERVED_FILES;
    // Where the limit cannot even be read, it is what systems commonly have.
    let files = rlimit::increase_nofile_limit(wanted).unwrap_or(1024);
    let connections = (files.saturating_sub(RESERVED_FILES) / 2).clamp(16, MAX_CONNECTIONS);
    usize::try_from(connections).unwrap_or(usize::MAX)
}
