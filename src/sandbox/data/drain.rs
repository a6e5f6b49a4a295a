//! What happens to the connections of an instance that is taken out: they end at once, or later if the balancer drains (elb-facts
//! 2.5).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::ConnectionDraining;
use crate::sandbox::shared::Shared;

/// The draining timeout where the attributes name none.
const DEFAULT_TIMEOUT: u32 = 300;

/// An instance as one balancer has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct InstanceKey {
    pub(super) region: String,
    pub(super) balancer: String,
    pub(super) instance: String,
}

/// The registered instances, with the connections they have.
#[derive(Debug, Default)]
pub(super) struct Registrations(Mutex<HashMap<InstanceKey, Registration>>);

/// An instance's registration, as its connections see it.
#[derive(Debug, Clone, Default)]
pub(super) struct Registration {
    /// Cancelled when the connections must end.
    pub(super) cut: CancellationToken,
    /// Counts the connections: each holds a token of it.
    pub(super) connections: TaskTracker,
}

impl Registrations {
    /// The registration that a new connection belongs to.
    pub(super) fn of(&self, key: InstanceKey) -> Registration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// Ends a registration. Later connections, should the instance be registered again, have nothing to do with it.
    pub(super) fn end(&self, key: &InstanceKey) -> Option<Registration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}

/// Ends the connections of an instance that was taken out, as the balancer's attributes say. While they drain, the API says so.
/// A cancelled `cut` ends the draining.
pub(super) fn drain(
    shared: &Arc<Shared>,
    cut: &CancellationToken,
    key: InstanceKey,
    registration: Registration,
    draining: &ConnectionDraining,
) {
    let ConnectionDraining { enabled, timeout } = draining;
    registration.connections.close();
    if !enabled || registration.connections.is_empty() {
        registration.cut.cancel();
        return;
    }
    let patience = Duration::from_secs(timeout.unwrap_or(DEFAULT_TIMEOUT).into());
    let (shared, cut) = (shared.clone(), cut.clone());
    let InstanceKey { region, balancer, instance } = key;
    shared.report_draining(&region, &balancer, &instance, true);
    tokio::spawn(async move {
        tokio::select! {
            () = cut.cancelled() => {}
            () = registration.connections.wait() => {}
            () = tokio::time::sleep(patience) => registration.cut.cancel(),
        }
        shared.report_draining(&region, &balancer, &instance, false);
    });
}
