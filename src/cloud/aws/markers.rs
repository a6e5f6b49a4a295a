//! Goes from page to page, and notices a list that never ends.

use std::collections::BTreeSet;

use super::error::bad_reply;
use crate::cloud::{Action, CloudError};

/// The markers that led to the pages so far.
#[derive(Debug, Default)]
pub(super) struct Markers(BTreeSet<String>);

impl Markers {
    /// The marker of the next page; `None` after the last, whose marker is absent or empty (elb-facts 1.2).
    pub(super) fn next(&mut self, action: Action, marker: Option<&str>) -> Result<Option<String>, CloudError> {
        let Some(marker) = marker.filter(|marker| !marker.is_empty()) else { return Ok(None) };
        match self.0.insert(marker.to_owned()) {
            true => Ok(Some(marker.to_owned())),
            false => Err(bad_reply(action, format!("the list never ends: the marker {marker} came twice"))),
        }
    }
}
