//! The first stage: a name becomes addresses.

use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::probe::Place;
use super::seen::NameSeen;

/// A name with more addresses than this is no balancer's.
const MOST_ADDRESSES: usize = 32;

/// Resolves a name with the system's resolver. An address is its own result.
pub(super) async fn resolve(place: &Place, patience: Duration) -> NameSeen {
    let found = timeout(patience, lookup_host((place.host.as_str(), place.port))).await;
    let (mut addresses, failure) = match found {
        Ok(Ok(found)) => (found.map(|address| address.ip()).collect::<Vec<_>>(), None),
        Ok(Err(error)) => (Vec::new(), Some(error.to_string())),
        Err(_) => (Vec::new(), Some(format!("no answer from the resolver in {} s", patience.as_secs_f32()))),
    };
    let mut seen = std::collections::BTreeSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses.truncate(MOST_ADDRESSES);
    let failure = failure.or_else(|| addresses.is_empty().then(|| "the name has no address".to_owned()));
    NameSeen { name: place.host.clone(), addresses, failure }
}
