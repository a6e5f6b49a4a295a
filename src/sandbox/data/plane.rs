//! What every task of the data plane shares.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::drain::Registrations;
use super::settings::Traffic;
use crate::sandbox::authority::Authority;
use crate::sandbox::notes::Notes;
use crate::sandbox::shared::Shared;

/// The shared part.
pub(super) struct Plane {
    /// The world, the traffic log, the listing.
    pub(super) shared: Arc<Shared>,
    /// Issues certificates for listeners whose own are unknown.
    pub(super) authority: Arc<Authority>,
    /// The settings.
    pub(super) traffic: Traffic,
    /// Whose connections end with which registration.
    pub(super) registrations: Registrations,
    /// Bounds the connections.
    pub(super) permits: Arc<Semaphore>,
    /// Counts the tasks that shutdown waits for.
    pub(super) tasks: TaskTracker,
    /// Cancelled when nothing new is to begin: sockets close, and requests that are being answered are the last.
    pub(super) stop: CancellationToken,
    /// Cancelled when everything is to end at once.
    pub(super) cut: CancellationToken,
}

impl Plane {
    pub(super) fn notes(&self) -> &Notes {
        self.shared.notes()
    }
}
