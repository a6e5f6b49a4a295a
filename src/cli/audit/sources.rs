//! What could not be read in an account and region, and so need not be tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::audit::{Part, Source};
use crate::cloud::{CloudError, CloudErrorKind};

/// The sources of one account and region: which are wanted, and which do not answer.
pub(super) struct Sources {
    wanted: BTreeSet<Source>,
    failed: Mutex<BTreeMap<Source, String>>,
}

impl Sources {
    pub(super) fn new(wanted: &BTreeSet<Source>) -> Self {
        Sources { wanted: wanted.clone(), failed: Mutex::default() }
    }

    /// Whether a source is to be asked: a rule wants it, and it has not failed for good.
    pub(super) fn asks(&self, source: Source) -> bool {
        self.wanted.contains(&source) && !self.reasons().contains_key(&source)
    }

    /// Why sources do not answer.
    pub(super) fn reasons(&self) -> BTreeMap<Source, String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives a source up for this account and region.
    pub(super) fn give_up(&self, source: Source, error: &CloudError) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        // The first reason stays, whichever of several calls at the same time comes second.
        failed.entry(source).or_insert_with(|| error.to_string());
    }

    /// Asks a source about one balancer. Denied access holds for all balancers, since descriptions cannot be allowed one by one
    /// (elb-facts 5), so it is noted once; any other failure is this balancer's.
    pub(super) async fn ask<T>(
        &self,
        source: Source,
        call: impl Future<Output = Result<T, CloudError>>,
    ) -> Result<Part<T>, CloudError> {
        if !self.asks(source) {
            return Ok(Part::NotRead);
        }
        match call.await {
            Ok(answer) => Ok(Part::Read(answer)),
            Err(error) if error.kind == CloudErrorKind::AccessDenied => {
                self.give_up(source, &error);
                Ok(Part::NotRead)
            }
            Err(error) => Err(error),
        }
    }
}
