//! A connection is held: in silence, to find when somebody closes it, or with pings, to show that they keep it open.

use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use tokio::time::{MissedTickBehavior, interval_at, sleep_until};
use tokio_tungstenite::tungstenite::Message as Frame;

use super::message::{WebSocket, closed, ping};
use super::seen::{Closed, HoldSeen};

/// How often a holder is told how long it has been.
const TICK: Duration = Duration::from_millis(250);

/// Holds a connection without sending anything. `told` hears from time to time how long it has been.
pub(super) async fn silence(socket: &mut WebSocket, asked: Duration, told: &mut impl FnMut(Duration)) -> HoldSeen {
    hold(socket, asked, None, told).await
}

/// Holds a connection with a ping every so often. A ping that is not answered before the next is due ends it.
pub(super) async fn pings(
    socket: &mut WebSocket,
    asked: Duration,
    every: Duration,
    told: &mut impl FnMut(Duration),
) -> HoldSeen {
    hold(socket, asked, Some(every), told).await
}

async fn hold(
    socket: &mut WebSocket,
    asked: Duration,
    ping_every: Option<Duration>,
    told: &mut impl FnMut(Duration),
) -> HoldSeen {
    let begun = Instant::now();
    let end = begun + asked;
    let mut seen = HoldSeen { asked, held: Duration::ZERO, ping_every, closed: None, server_spoke: false };
    let mut ticks = interval_at((begun + TICK).into(), TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut next_ping = ping_every.map(|every| begun + every);
    let mut answered = true;
    seen.closed = loop {
        let due = next_ping.unwrap_or(end).min(end);
        tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Frame::Pong(_))) => answered = true,
                Some(Ok(Frame::Close(frame))) => {
                    let code = frame.as_ref().map(|frame| u16::from(frame.code));
                    let reason = frame.map(|frame| frame.reason.to_string()).unwrap_or_default();
                    break Some(Closed::Frame { code, reason });
                }
                Some(Ok(_)) => seen.server_spoke = true,
                Some(Err(error)) => break Some(closed(&error)),
                None => break Some(Closed::EndOfStream),
            },
            _ = ticks.tick() => told(begun.elapsed()),
            () = sleep_until(due.into()) => {
                if due == end {
                    break None;
                }
                if !answered {
                    break Some(Closed::NoPong);
                }
                answered = false;
                if let Err(error) = socket.send(ping("elbws")).await {
                    break Some(closed(&error));
                }
                next_ping = ping_every.map(|every| due + every);
            }
        }
    };
    seen.held = begun.elapsed();
    seen
}
