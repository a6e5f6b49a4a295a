//! Counts calls by action.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A counter that clones share.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls(Arc<Mutex<BTreeMap<String, u64>>>);

impl Calls {
    /// Counts one call of an action.
    pub(super) fn count(&self, action: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(action.to_owned()).or_default() += 1;
    }

    /// The calls so far.
    pub(super) fn so_far(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
