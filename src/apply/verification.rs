//! The end of a run: read again, plan again, and find nothing to do.

use std::time::Duration;

use super::Ending;
use crate::cloud::Cloud;
use crate::plan::{Change, Plan, plan};

/// Pauses between reads, because the service may show a change only after a while.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Whether the balancer is as planned: planning again for the same spec finds nothing to do.
pub(super) async fn verify(cloud: &impl Cloud, applied: &Plan) -> Ending {
    let mut pauses = PAUSES.into_iter();
    loop {
        let live = match cloud.read(&applied.balancer).await {
            Ok(live) => live,
            Err(error) => return Ending::Unverified(error),
        };
        let left: Vec<Change> = match plan(&live, &applied.spec) {
            Ok(again) if again.no_op => return Ending::Converged,
            Ok(again) => again.changes,
            Err(error) => return Ending::NoLongerFits(error),
        };
        match pauses.next() {
            Some(pause) => cloud.pause(pause).await,
            None => return Ending::NotConverged(left),
        }
    }
}
