//! The simulated service: the sandbox's state machine, a clock that only the simulation moves, and calls that wait until the
//! simulation lets one of them happen.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use elbws::cloud::CloudError;
use elbws::model::Balancer;
use elbws::sandbox::control::{Element, Outcome, Request, World, answer};

use super::reading;
use super::translation::{Call, reads};
use super::trouble::{PATIENCE, Trouble, TroubleKind, refused};

/// How long a call takes.
const LATENCY: Duration = Duration::from_millis(100);

/// A service that several runs share.
#[derive(Clone)]
pub(crate) struct Service(Arc<Mutex<State>>);

struct State {
    world: Arc<World>,
    /// Every state there was, and since when.
    history: Vec<(Duration, Arc<World>)>,
    clock: Duration,
    next: u64,
    waiting: Vec<Waiting>,
    answers: BTreeMap<u64, Result<Element, CloudError>>,
    timers: BTreeMap<u64, (Duration, Option<Waker>)>,
    weather: Weather,
    log: Vec<Made>,
}

struct Waiting {
    id: u64,
    run: usize,
    call: Call,
    waker: Option<Waker>,
}

/// A call that was made.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    /// Whose it was.
    pub(crate) run: usize,
    pub(crate) label: String,
    pub(crate) mutating: bool,
    /// Whether the state was changed by it.
    pub(crate) took_effect: bool,
    /// The code or message of its failure.
    #[expect(dead_code, reason = "shown when a case fails")]
    pub(crate) failed: Option<String>,
}

/// What makes the service worse than a perfect one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weather {
    pub(crate) fault: Option<Fault>,
    /// Reads show what was there so long ago.
    pub(crate) reads_lag: Duration,
    /// A write is also refused if it would have been refused so long ago.
    pub(crate) writes_lag: Duration,
}

/// Trouble for one call, and for as many repetitions of it as `times` says.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// How many calls are made before it strikes.
    pub(crate) skip: usize,
    pub(crate) times: u32,
    pub(crate) trouble: Trouble,
    /// The call it struck.
    pub(crate) struck: Option<String>,
}

impl Fault {
    pub(crate) fn new(skip: usize, times: u32, trouble: Trouble) -> Self {
        Fault { skip, times, trouble, struck: None }
    }
}

impl Service {
    pub(crate) fn new(world: World, weather: Weather) -> Self {
        let world = Arc::new(world);
        Service(Arc::new(Mutex::new(State {
            history: vec![(Duration::ZERO, world.clone())],
            world,
            clock: Duration::ZERO,
            next: 0,
            waiting: Vec::new(),
            answers: BTreeMap::new(),
            timers: BTreeMap::new(),
            weather,
            log: Vec::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn world(&self) -> World {
        World::clone(&self.state().world)
    }

    /// The balancer as anybody would read it now, if it is there.
    pub(crate) fn balancer(&self, name: &str) -> Option<Balancer> {
        let state = self.state();
        let replies = reads(name).map(|call| answer(&state.world, call.action, &request(&call)).reply.ok());
        let [Some(described), Some(policies), Some(attributes), Some(tags)] = &replies else { return None };
        Some(reading::balancer([described, policies, attributes, tags]))
    }

    pub(crate) fn clock(&self) -> Duration {
        self.state().clock
    }

    pub(crate) fn log(&self) -> Vec<Made> {
        self.state().log.clone()
    }

    /// How many calls have changed something.
    pub(crate) fn effects(&self) -> usize {
        self.state().log.iter().filter(|made| made.took_effect).count()
    }

    pub(crate) fn calls(&self) -> usize {
        self.state().log.len()
    }

    /// The call that the fault struck, if it did.
    pub(crate) fn struck(&self) -> Option<String> {
        self.state().weather.fault.as_ref().and_then(|fault| fault.struck.clone())
    }

    /// The same service, with its past, in other weather and with nobody waiting.
    pub(crate) fn goes_on(&self, weather: Weather) -> Service {
        let next = Service::new(self.world(), weather);
        let (mut state, past) = (next.state(), self.state());
        state.history.clone_from(&past.history);
        state.clock = past.clock;
        drop(state);
        drop(past);
        next
    }

    /// Whose calls wait to be made, in the order in which they were asked for.
    pub(crate) fn waiting(&self) -> Vec<usize> {
        self.state().waiting.iter().map(|waiting| waiting.run).collect()
    }

    /// Makes one of the waiting calls.
    pub(crate) fn make(&self, index: usize) {
        let mut state = self.state();
        let Waiting { id, run, call, waker } = state.waiting.remove(index);
        state.clock += LATENCY;
        let trouble = state.trouble(&call);
        let silent = trouble.as_ref().is_some_and(|trouble| trouble.kind == TroubleKind::Silence);
        let (reply, took_effect) = match &trouble {
            Some(trouble) if !trouble.after => (Err(trouble.error(&call)), false),
            Some(trouble) => {
                let (reply, took_effect) = state.answer(&call);
                // What is refused is refused; only a success can get lost on the way.
                (reply.and_then(|_| Err(trouble.error(&call))), took_effect)
            }
            None => state.answer(&call),
        };
        if silent {
            state.clock += PATIENCE;
        }
        let failed = reply.as_ref().err().map(|error| error.code.clone().unwrap_or_else(|| error.message.clone()));
        let mutating = call.action.is_mutating();
        state.log.push(Made { run, label: call.label, mutating, took_effect, failed });
        state.answers.insert(id, reply);
        drop(state);
        waker.into_iter().for_each(Waker::wake);
    }

    /// Lets time pass until the next pause is over. Whether anybody was waiting for that.
    pub(crate) fn let_time_pass(&self) -> bool {
        let mut state = self.state();
        let Some((id, moment)) =
            state.timers.iter().map(|(id, (moment, _))| (*id, *moment)).min_by_key(|(id, at)| (*at, *id))
        else {
            return false;
        };
        state.clock = state.clock.max(moment);
        let waker = state.timers.get_mut(&id).and_then(|(_, waker)| waker.take());
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        true
    }

    /// Whether a pause is over or may be let pass.
    pub(crate) fn is_pausing(&self) -> bool {
        !self.state().timers.is_empty()
    }

    /// A call, answered once the simulation has made it.
    pub(crate) fn call(&self, run: usize, call: Call) -> Asked {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        state.waiting.push(Waiting { id, run, call, waker: None });
        drop(state);
        Asked { service: self.clone(), id }
    }

    pub(crate) fn pause(&self, duration: Duration) -> Pause {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        let moment = state.clock + duration;
        state.timers.insert(id, (moment, None));
        drop(state);
        Pause { service: self.clone(), id }
    }
}

impl State {
    fn trouble(&mut self, call: &Call) -> Option<Trouble> {
        let made = self.log.len();
        let fault = self.weather.fault.as_mut()?;
        if fault.struck.is_none() && made >= fault.skip {
            fault.struck = Some(call.label.clone());
        }
        if fault.struck.as_ref() != Some(&call.label) || fault.times == 0 {
            return None;
        }
        fault.times -= 1;
        Some(fault.trouble.clone())
    }

    /// The answer to a call, and whether anything changed.
    fn answer(&mut self, call: &Call) -> (Result<Element, CloudError>, bool) {
        let request = request(call);
        let before = |lag: Duration| {
            let moment = self.clock.saturating_sub(lag);
            let past = self.history.iter().rev().find(|(since, _)| *since <= moment).or(self.history.first());
            past.map_or_else(|| self.world.clone(), |(_, world)| world.clone())
        };
        if !call.action.is_mutating() {
            let reply = answer(&before(self.weather.reads_lag), call.action, &request).reply;
            return (reply.map_err(|error| refused(call, &error)), false);
        }
        if self.weather.writes_lag > Duration::ZERO
            && let Err(error) = answer(&before(self.weather.writes_lag), call.action, &request).reply
        {
            return (Err(refused(call, &error)), false);
        }
        let Outcome { world, reply } = answer(&self.world, call.action, &request);
        let changed = world.is_some();
        if let Some(world) = world {
            self.world = Arc::new(world);
            self.history.push((self.clock, self.world.clone()));
        }
        (reply.map_err(|error| refused(call, &error)), changed)
    }
}

fn request(call: &Call) -> Request {
    Request { region: call.region.clone(), params: call.params.clone(), at: jiff::Timestamp::UNIX_EPOCH }
}

/// A call that was asked for. Dropped before it was made, it is never made.
pub(crate) struct Asked {
    service: Service,
    id: u64,
}

impl Future for Asked {
    type Output = Result<Element, CloudError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.service.state();
        if let Some(answer) = state.answers.remove(&self.id) {
            return Poll::Ready(answer);
        }
        if let Some(waiting) = state.waiting.iter_mut().find(|waiting| waiting.id == self.id) {
            waiting.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.service.state().waiting.retain(|waiting| waiting.id != self.id);
    }
}

/// A wait for the simulation's clock.
pub(crate) struct Pause {
    service: Service,
    id: u64,
}

impl Future for Pause {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.service.state();
        let clock = state.clock;
        match state.timers.get_mut(&self.id) {
            Some((moment, waker)) if *moment > clock => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.service.state().timers.remove(&self.id);
    }
}
