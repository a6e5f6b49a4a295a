//! Who goes next: runs take turns call by call, in an order that a seed or an enumeration decides. Nothing else decides
//! anything: no thread, no clock, no runtime.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use super::service::Service;

/// When the simulated clock began.
pub(crate) static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// More calls than any run makes.
const ENDLESS: usize = 5000;

/// Decides which of several things happens next.
pub(crate) trait Choose {
    /// A number below `options`, which is at least 1.
    fn choose(&mut self, options: usize) -> usize;
}

/// The one that was asked for first.
pub(crate) struct First;

impl Choose for First {
    fn choose(&mut self, _: usize) -> usize {
        0
    }
}

/// Numbers from a seed (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Choose for Dice {
    fn choose(&mut self, options: usize) -> usize {
        usize::try_from(self.roll() % options as u64).expect("below a usize")
    }
}

/// Every sequence of choices there is, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Every {
    /// What was chosen, and of how many.
    path: Vec<(usize, usize)>,
    position: usize,
}

impl Every {
    /// Goes to the next sequence; whether there is one.
    pub(crate) fn advance(&mut self) -> bool {
        self.position = 0;
        while let Some((chosen, options)) = self.path.pop() {
            if chosen + 1 < options {
                self.path.push((chosen + 1, options));
                return true;
            }
        }
        false
    }
}

impl Choose for Every {
    fn choose(&mut self, options: usize) -> usize {
        if self.position == self.path.len() {
            self.path.push((0, options));
        }
        let (chosen, recorded) = self.path[self.position];
        assert_eq!(recorded, options, "the simulation is not deterministic");
        self.position += 1;
        chosen
    }
}

pub(crate) type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Lets tasks run until all have ended, or until `after_call` says that the world ends, which drops them where they are.
/// What each returned, if it did.
pub(crate) fn drive<T>(
    service: &Service,
    tasks: Vec<Task<'_, T>>,
    choose: &mut dyn Choose,
    mut after_call: impl FnMut() -> Result<Next, String>,
) -> Result<Vec<Option<T>>, String> {
    let mut context = Context::from_waker(Waker::noop());
    let mut tasks: Vec<(Option<Task<'_, T>>, Option<T>)> = tasks.into_iter().map(|task| (Some(task), None)).collect();
    let mut stopped = after_call()? == Next::Stop;
    while !stopped {
        for (task, output) in &mut tasks {
            if let Some(running) = task
                && let Poll::Ready(result) = running.as_mut().poll(&mut context)
            {
                *output = Some(result);
                *task = None;
            }
        }
        if tasks.iter().all(|(task, _)| task.is_none()) {
            break;
        }
        // With several runs, one may be slow while another one only waits.
        let waiting = service.waiting().len();
        let time = usize::from(tasks.len() > 1 && waiting > 0 && service.is_pausing());
        match waiting + time {
            0 if service.let_time_pass() => continue,
            0 => return Err("a run waits for nothing".to_owned()),
            options => match choose.choose(options) {
                index if index < waiting => service.make(index),
                _ => {
                    service.let_time_pass();
                    continue;
                }
            },
        }
        if service.calls() > ENDLESS {
            return Err("the runs never end".to_owned());
        }
        stopped = after_call()? == Next::Stop;
    }
    Ok(tasks.into_iter().map(|(_, output)| output).collect())
}

/// Whether the simulation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Go,
    /// The processes die.
    Stop,
}
