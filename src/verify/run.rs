//! The stages in their order. Each ends with a result that is told at once; the first that makes the next impossible ends the run.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::address::{ClientAddress, client_address};
use super::connect::connect_all;
use super::diagnosis::{BalancerView, Diagnosis, Severity, diagnose};
use super::dial::{Dialer, encrypted, plain};
use super::hold;
use super::http::Connection;
use super::many::open_many;
use super::message::{WebSocket, close, talk_and_listen};
use super::observations::Observations;
use super::probe::Probe;
use super::resolve::resolve;
use super::seen::{Closed, HoldSeen, Outcome, Seen, Stage, StageResult};
use super::tls::{Tls, TlsSetupError};

/// The path of the plain request: what any server answers, whatever its WebSockets do.
const PLAIN_PATH: &str = "/";

/// What happens during a run.
#[derive(Debug)]
pub enum Event<'a> {
    /// A stage begins.
    Begun(Stage),
    /// A connection is still held.
    Holding {
        /// In silence or with pings.
        stage: Stage,
        /// How long it has been.
        held: Duration,
        /// How long it is to be.
        asked: Duration,
    },
    /// Of many connections, so many are open.
    Opened {
        /// So many.
        open: u32,
        /// Of so many.
        asked: u32,
    },
    /// A stage has ended.
    Done(&'a StageResult),
}

/// What a probe comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether everything that was asked for works.
    pub proven: bool,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Observations,
    /// The client address that the server saw, where it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_address: Option<ClientAddress>,
    /// What is wrong, the gravest first.
    pub diagnoses: Vec<Diagnosis>,
}

/// Probes, and tells what happens. With the balancer's own state the diagnosis joins both views.
///
/// Errors: the probe cannot be made at all, because the host cannot be named in TLS or the trusted certificates cannot be read.
pub async fn run(
    probe: &Probe,
    view: Option<&BalancerView>,
    listen: impl FnMut(Event<'_>),
) -> Result<Verdict, TlsSetupError> {
    let tls = match probe.target.is_secure() {
        true => Some(Tls::new(probe.target.host(), &probe.trust)?),
        false => None,
    };
    let mut run = Run {
        probe,
        listen,
        seen: Observations { target: probe.target.clone(), connect_to: probe.connect_to.clone(), stages: Vec::new() },
        begun: Instant::now(),
    };
    run.stages(tls).await;
    let seen = run.seen;
    let diagnoses = diagnose(&seen, view);
    let failed = seen.failed().is_some() || diagnoses.iter().any(|diagnosis| diagnosis.severity == Severity::Failure);
    Ok(Verdict { proven: !failed, client_address: client_address(&seen), diagnoses, seen })
}

struct Run<'a, L> {
    probe: &'a Probe,
    listen: L,
    seen: Observations,
    /// When the stage began that is running.
    begun: Instant,
}

impl<L: FnMut(Event<'_>)> Run<'_, L> {
    async fn stages(&mut self, tls: Option<Tls>) -> Option<()> {
        let (dialer, connection) = self.reach(tls).await?;
        self.plain_request(&dialer, connection).await;
        let socket = self.upgrade(&dialer).await?;
        self.message(socket).await?;
        if let Some(asked) = self.probe.idle {
            self.idle(&dialer, asked).await;
        }
        if self.probe.count > 1 {
            self.count(&dialer).await;
        }
        Some(())
    }

    /// The first three stages.
    async fn reach(&mut self, tls: Option<Tls>) -> Option<(Dialer, Connection)> {
        let patience = self.probe.timeout;
        let place = self.probe.place();
        self.begin(Stage::Name);
        let name = resolve(&place, patience).await;
        let addresses = name.addresses.clone();
        self.end(passed_if(name.failure.is_none()), Seen::Name(name))?;

        self.begin(Stage::Tcp);
        let (tcp, stream) = connect_all(&addresses, place.port, self.probe.source, patience).await;
        let peer = tcp.peer;
        self.end(passed_if(peer.is_some()), Seen::Tcp(tcp))?;
        let (stream, peer) = stream.zip(peer)?;
        let local = stream.local_addr().ok();
        let dialer = Dialer { peer, source: self.probe.source, tls: tls.clone(), patience };

        let Some(tls) = tls else { return Some((dialer, plain(stream))) };
        self.begin(Stage::Tls);
        let (seen, stream) = tls.examine(stream, patience).await;
        self.end(passed_if(stream.is_some()), Seen::Tls(seen))?;
        Some((dialer, encrypted(stream?, local)))
    }

    async fn plain_request(&mut self, dialer: &Dialer, connection: Connection) {
        self.begin(Stage::Http);
        let seen = dialer.request(self.probe, PLAIN_PATH, Some(connection)).await;
        let outcome = if seen.reply.is_some() { Outcome::Passed } else { Outcome::Inconclusive };
        self.end(outcome, Seen::Http(seen));
    }

    async fn upgrade(&mut self, dialer: &Dialer) -> Option<WebSocket> {
        self.begin(Stage::Upgrade);
        let (seen, socket) = dialer.open(self.probe).await;
        self.end(passed_if(socket.is_some()), Seen::Upgrade(seen))?;
        socket
    }

    async fn message(&mut self, mut socket: WebSocket) -> Option<()> {
        self.begin(Stage::Message);
        let seen = talk_and_listen(&mut socket, &self.probe.message, &generate_key(), self.probe.timeout).await;
        // The answer is what is timed, not the moment that a greeting is waited for.
        let took = seen.echo.or(seen.pong).filter(|_| seen.failure.is_none());
        let passed = self.end_after(took, passed_if(seen.failure.is_none()), Seen::Message(seen));
        close(socket).await;
        passed
    }

    /// Silence; and where that ends the connection, pings at half the time that it took.
    async fn idle(&mut self, dialer: &Dialer, asked: Duration) {
        self.begin(Stage::Idle);
        let seen = self.hold(dialer, Stage::Idle, asked, None).await;
        let held = seen.held;
        let closed = seen.closed.clone();
        self.end(passed_if(closed.is_none()), Seen::Idle(seen));
        // Only where it was open for a while is there a silence to break.
        if held.is_zero() || !matches!(closed, Some(closed) if !matches!(closed, Closed::NotConnected { .. })) {
            return;
        }
        self.begin(Stage::Pings);
        let seen = self.hold(dialer, Stage::Pings, held + held / 2, Some(held / 2)).await;
        self.end(passed_if(seen.closed.is_none()), Seen::Pings(seen));
    }

    async fn hold(&mut self, dialer: &Dialer, stage: Stage, asked: Duration, ping_every: Option<Duration>) -> HoldSeen {
        let (seen, socket) = dialer.open(self.probe).await;
        let Some(mut socket) = socket else {
            let why = seen.failure.map(|failure| failure.text).or(seen.reply.map(|reply| reply.line())).unwrap_or_default();
            let closed = Some(Closed::NotConnected { why });
            return HoldSeen { asked, held: Duration::ZERO, ping_every, closed, server_spoke: false };
        };
        let listen = &mut self.listen;
        let mut told = |held| listen(Event::Holding { stage, held, asked });
        let seen = match ping_every {
            None => hold::silence(&mut socket, asked, &mut told).await,
            Some(every) => hold::pings(&mut socket, asked, every, &mut told).await,
        };
        if seen.closed.is_none() {
            close(socket).await;
        }
        seen
    }

    async fn count(&mut self, dialer: &Dialer) {
        self.begin(Stage::Count);
        let asked = self.probe.count;
        let listen = &mut self.listen;
        let mut told = |open| listen(Event::Opened { open, asked });
        let seen = open_many(dialer, self.probe, &generate_key(), &mut told).await;
        self.end(passed_if(seen.open == asked), Seen::Count(seen));
    }

    fn begin(&mut self, stage: Stage) {
        self.begun = Instant::now();
        (self.listen)(Event::Begun(stage));
    }

    /// Ends a stage; nothing if it failed.
    fn end(&mut self, outcome: Outcome, seen: Seen) -> Option<()> {
        self.end_after(None, outcome, seen)
    }

    /// The same, with a time of its own.
    fn end_after(&mut self, took: Option<Duration>, outcome: Outcome, seen: Seen) -> Option<()> {
        let result = StageResult { outcome, took: took.unwrap_or_else(|| self.begun.elapsed()), seen };
        (self.listen)(Event::Done(&result));
        self.seen.stages.push(result);
        (outcome != Outcome::Failed).then_some(())
    }
}

fn passed_if(passed: bool) -> Outcome {
    if passed { Outcome::Passed } else { Outcome::Failed }
}
