//! What happens to the connections of an instance that is taken out: they end at once, or later if the balancer drains (elb-facts
//! 2.5).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::model::ConnectionDraining;

/// The draining timeout where the attributes name none.
const DEFAULT_TIMEOUT: u32 = 300;

/// An instance as one balancer has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct InstanceKey {
    pub(super) region: String,
    pub(super) balancer: String,
    pub(super) instance: String,
}

/// The ends of registrations that are to come.
#[derive(Debug, Default)]
pub(super) struct Registrations(Mutex<HashMap<InstanceKey, CancellationToken>>);

impl Registrations {
    /// The token of a connection to an instance: it is cancelled when the connection must end.
    pub(super) fn token(&self, key: InstanceKey) -> CancellationToken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// Ends a registration. Later connections, should the instance be registered again, have nothing to do with it.
    pub(super) fn end(&self, key: &InstanceKey) -> Option<CancellationToken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }
}

/// How long connections outlive the registration.
pub(super) fn patience(draining: &ConnectionDraining) -> Duration {
    let ConnectionDraining { enabled, timeout } = draining;
    match enabled {
        true => Duration::from_secs(timeout.unwrap_or(DEFAULT_TIMEOUT).into()),
        false => Duration::ZERO,
    }
}
