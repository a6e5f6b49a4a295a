//! How a run is told to stop: once to finish the current group, twice to stop at once.

use tokio::sync::watch;

/// How far a stop goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nobody has asked to stop.
    Run,
    /// Finish the groups under way, start no other.
    AfterGroup,
    /// Drop the calls under way.
    Now,
}

/// The side that asks to stop.
#[derive(Debug)]
pub struct StopSwitch(watch::Sender<Level>);

/// The side that is asked.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<Level>);

impl StopSwitch {
    /// A switch and what listens to it.
    pub fn new() -> (StopSwitch, Stop) {
        let (sender, receiver) = watch::channel(Level::Run);
        (StopSwitch(sender), Stop(receiver))
    }

    /// Asks once more: the first time to finish the current group, from then on to stop at once. Returns what was asked.
    pub fn ask(&self) -> Level {
        let level = match *self.0.borrow() {
            Level::Run => Level::AfterGroup,
            Level::AfterGroup | Level::Now => Level::Now,
        };
        self.0.send_replace(level);
        level
    }
}

impl Stop {
    /// What has been asked so far.
    pub fn level(&self) -> Level {
        *self.0.borrow()
    }

    /// Waits until a stop at this level, or beyond, is asked for; for ever if nobody can ask any more.
    pub async fn reached(&self, level: Level) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|asked| *asked >= level).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
