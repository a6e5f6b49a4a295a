//! What all connections share: the world, the faults, the log. Every change of the world passes through here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::control::{Action, ApiError, Element, InstanceHealth, LoadBalancer, Request, Switches, World, answer, uuid};
use super::faults::{Fault, Faults, InvalidFault, Verdict};
use super::listing::Listing;
use super::log::{Counts, Log, LogEntry};
use super::notes::Notes;

/// The shared state of a running sandbox.
pub(super) struct Shared {
    world: watch::Sender<Arc<World>>,
    seeded: Arc<World>,
    faults: Mutex<Faults>,
    log: Mutex<Log>,
    listing: watch::Sender<Listing>,
    notes: Notes,
    requests: AtomicU64,
}

/// A lock that a panic elsewhere does not take away.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        let seeded = Arc::new(world);
        Shared {
            world: watch::Sender::new(seeded.clone()),
            seeded,
            faults: Mutex::default(),
            log: Mutex::default(),
            listing: watch::Sender::default(),
            notes: Notes::default(),
            requests: AtomicU64::new(0),
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<World>> {
        self.world.subscribe()
    }

    pub(super) fn world(&self) -> Arc<World> {
        self.world.borrow().clone()
    }

    /// Answers a request. Changes happen one after the other, each on the state the one before left.
    pub(super) fn answer(&self, action: &Action, request: &Request) -> Result<Element, ApiError> {
        if !action.is_mutating() {
            return answer(&self.world(), action, request).reply;
        }
        let mut reply = Ok(Element::new());
        self.world.send_if_modified(|world| {
            let outcome = answer(world, action, request);
            reply = outcome.reply;
            outcome.world.map(|next| *world = Arc::new(next)).is_some()
        });
        reply
    }

    /// Notes an instance's health. Nothing happens if the balancer is gone or the instance not registered.
    pub(super) fn report_health(&self, region: &str, balancer: &str, instance: &str, health: InstanceHealth) {
        self.world.send_if_modified(|world| {
            let found = world.regions.get(region).and_then(|region| region.load_balancers.get(balancer));
            let news = |found: &&LoadBalancer| {
                found.balancer.instances.contains(instance) && found.health.get(instance) != Some(&health)
            };
            // Looked up twice, so that a report that changes nothing copies nothing.
            if found.filter(news).is_none() {
                return false;
            }
            let region = Arc::make_mut(world).regions.get_mut(region);
            let found = region.and_then(|region| region.load_balancers.get_mut(balancer));
            found.map(|found| found.health.insert(instance.to_owned(), health)).is_some()
        });
    }

    /// Notes whether connections of an instance that is not registered any more are draining.
    pub(super) fn report_draining(&self, region: &str, balancer: &str, instance: &str, is_draining: bool) {
        self.world.send_if_modified(|world| {
            let found = world.regions.get(region).and_then(|region| region.load_balancers.get(balancer));
            if found.is_none_or(|found| found.draining.contains(instance) == is_draining) {
                return false;
            }
            let region = Arc::make_mut(world).regions.get_mut(region);
            let found = region.and_then(|region| region.load_balancers.get_mut(balancer));
            found.is_some_and(|found| match is_draining {
                true => found.draining.insert(instance.to_owned()),
                false => found.draining.remove(instance),
            })
        });
    }

    pub(super) fn reset(&self) {
        lock(&self.faults).clear();
        lock(&self.log).clear();
        self.world.send_replace(self.seeded.clone());
    }

    pub(super) fn switches(&self) -> Switches {
        self.world().switches
    }

    pub(super) fn set_switches(&self, switches: Switches) {
        self.world.send_modify(|world| Arc::make_mut(world).switches = switches);
    }

    pub(super) fn inject(&self, faults: Vec<Fault>) -> Result<(), InvalidFault> {
        let knows = |name: &str| super::control::ACTIONS.iter().any(|action| action.name == name);
        lock(&self.faults).inject(faults, knows)
    }

    pub(super) fn faults(&self) -> Vec<Fault> {
        lock(&self.faults).waiting()
    }

    pub(super) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    pub(super) fn strike(&self, action: &str) -> Verdict {
        lock(&self.faults).strike(action)
    }

    /// The listeners, as the data plane last published them.
    pub(super) fn listing(&self) -> watch::Receiver<Listing> {
        self.listing.subscribe()
    }

    pub(super) fn publish(&self, listing: Listing) {
        self.listing.send_replace(listing);
    }

    /// The traffic log.
    pub(super) fn notes(&self) -> &Notes {
        &self.notes
    }

    pub(super) fn record(&self, entry: LogEntry) {
        lock(&self.log).record(entry);
    }

    pub(super) fn log(&self) -> Vec<LogEntry> {
        lock(&self.log).entries()
    }

    pub(super) fn counts(&self) -> Counts {
        lock(&self.log).counts()
    }

    pub(super) fn clear_log(&self) {
        lock(&self.log).clear();
    }

    /// The id of the next request: in the form of the services', and the same in every run, so that outputs can be compared.
    pub(super) fn next_request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        uuid(&["request", &number.to_string()])
    }
}
