//! All that a probe saw, with one question for each stage.

use serde::Serialize;

use super::probe::Place;
use super::seen::{
    HoldSeen, HttpSeen, ManySeen, MessageSeen, NameSeen, Outcome, Seen, Stage, StageResult, TcpSeen, TlsSeen,
};
use super::target::Target;

/// The target, and the stages in the order they were run. A stage that was not reached is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Observations {
    /// The endpoint.
    pub target: Target,
    /// Where the connection was made to instead, if not to the target's own host and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_to: Option<Place>,
    /// The stages.
    pub stages: Vec<StageResult>,
}

/// A question for what one stage saw.
macro_rules! seen_by {
    ($($(#[$about:meta])* $name:ident: $variant:ident($seen:ty);)*) => {
        impl Observations {
            $($(#[$about])*
            pub fn $name(&self) -> Option<&$seen> {
                self.stages.iter().find_map(|stage| match &stage.seen {
                    Seen::$variant(seen) => Some(seen),
                    _ => None,
                })
            })*
        }
    };
}

seen_by! {
    /// What name resolution saw.
    name: Name(NameSeen);
    /// What connecting saw.
    tcp: Tcp(TcpSeen);
    /// What the TLS handshake saw.
    tls: Tls(TlsSeen);
    /// What the plain request saw.
    http: Http(HttpSeen);
    /// What the upgrade saw.
    upgrade: Upgrade(HttpSeen);
    /// What the message saw.
    message: Message(MessageSeen);
    /// What the silence saw.
    idle: Idle(HoldSeen);
    /// What the pings saw.
    pings: Pings(HoldSeen);
    /// What many connections saw.
    count: Count(ManySeen);
}

impl Observations {
    /// Whether a stage was run and passed.
    pub fn passed(&self, stage: Stage) -> bool {
        self.stages.iter().any(|result| result.seen.stage() == stage && result.outcome == Outcome::Passed)
    }

    /// The first stage that failed.
    pub fn failed(&self) -> Option<Stage> {
        self.stages.iter().find(|result| result.outcome == Outcome::Failed).map(|result| result.seen.stage())
    }
}
