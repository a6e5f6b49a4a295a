//! Ctrl-C and SIGTERM: while nothing is being changed they end the command; while a plan is applied, the first finishes the
//! current group and the second stops at once.

use super::error::{CliError, Exit};
use crate::apply::{Level, Stop, StopSwitch};
use crate::output::sink;

/// Watches for signals while a plan is applied.
pub(super) struct Watch {
    stop: Stop,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    /// Starts to watch.
    pub(super) fn start() -> Self {
        let (switch, stop) = StopSwitch::new();
        let task = tokio::spawn(async move {
            loop {
                signal().await;
                match switch.ask() {
                    Level::Run | Level::AfterGroup => {
                        sink::message("\nStopping after the current group; once more stops at once.\n")
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
        () = signal() => Err(CliError { exit: Exit::Interrupted, ..CliError::failed("interrupted: nothing was changed") }),
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn signal() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        // Without a handler the signal still ends the process, as it does by default.
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
