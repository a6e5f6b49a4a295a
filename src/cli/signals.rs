//! Ctrl-C, SIGTERM and a terminal that is closed: while nothing is being changed they end the command; while a plan is applied,
//! the first finishes the current group and the second stops at once.

use std::io;
use std::sync::OnceLock;

use tokio::signal::unix::{Signal, SignalKind};
use tokio::sync::Semaphore;

use super::error::{CliError, Exit};
use crate::apply::{Level, Stop, StopSwitch};
use crate::output::sink;

/// Signals that came and that nobody has acted on. One that comes between two waits is not lost: the next wait gets it.
static ARRIVED: Semaphore = Semaphore::const_new(0);

/// Has signals counted instead of ending the process, from the first call on. False where that cannot be: they go on ending it.
fn counted() -> bool {
    static COUNTED: OnceLock<bool> = OnceLock::new();
    *COUNTED.get_or_init(|| {
        let Ok(mut signals) = Signals::listen() else { return false };
        tokio::spawn(async move {
            loop {
                signals.next().await;
                ARRIVED.add_permits(1);
            }
        });
        true
    })
}

/// Waits for Ctrl-C, SIGTERM or a terminal that is closed.
pub(super) async fn signal() {
    match (counted(), ARRIVED.acquire().await) {
        (true, Ok(arrived)) => arrived.forget(),
        _ => std::future::pending().await,
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Absent where it is ignored, as under `nohup`.
    hangup: Option<Signal>,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let interrupt = tokio::signal::unix::signal(SignalKind::interrupt())?;
        let terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
        let hangup = (!ignores_hangup()).then(|| tokio::signal::unix::signal(SignalKind::hangup())).transpose()?;
        Ok(Signals { interrupt, terminate, hangup })
    }

    async fn next(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether whoever started this process has it ignore SIGHUP; a handler would undo that. Linux alone says so in a file.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    // Bit 0 is signal 1, which is SIGHUP.
    mask & 1 != 0
}

/// Watches for signals while a plan is applied.
pub(super) struct Watch {
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    /// Starts to watch.
    pub(super) fn start() -> Self {
        let (switch, stop) = StopSwitch::new();
        // From now on, not only from when the task first runs.
        counted();
        let task = tokio::spawn(async move {
            loop {
                signal().await;
                match switch.ask() {
                    Level::Run | Level::AfterGroup => {
                        sink::message("\nStopping after the current group; once more stops at once.\n");
                    }
                    Level::Now => sink::message("\nStopping now.\n"),
                }
            }
        });
        Watch { stop, task }
    }

    /// What a run asks whether to go on.
    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs something that changes nothing, until it is done or a signal comes.
pub(super) async fn interruptible<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::select! {
        result = work => result,
        () = signal() => {
            // The terminal has echoed ^C on the line of the question.
            sink::message("\n");
            Err(CliError { exit: Exit::Interrupted, ..CliError::failed("interrupted: nothing was changed") })
        }
    }
}
