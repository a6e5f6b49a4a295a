//! Many connections are open at the same time.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::stream::{self, StreamExt};

use super::dial::Dialer;
use super::message::{WebSocket, close, talk};
use super::seen::ManySeen;
use super::{Message, Probe};

/// How many are being opened at the same moment. They stay open, so that all are open in the end; but this machine's own
/// processors must not be what is measured.
const OPENING: usize = 128;
/// How many different reasons of failure are told apart.
const MOST_REASONS: usize = 20;

/// Opens many connections, holds them all, and asks each again once all are open. `told` hears how many are open so far.
pub(super) async fn open_many(dialer: &Dialer, probe: &Probe, token: &str, told: &mut impl FnMut(u32)) -> ManySeen {
    let mut failures = BTreeMap::new();
    let mut sockets = Vec::new();
    let mut times = Vec::new();
    let mut opening = stream::iter(0..probe.count)
        .map(async |_| {
            let begun = Instant::now();
            open_one(dialer, probe, token).await.map(|socket| (socket, begun.elapsed()))
        })
        .buffer_unordered(OPENING);
    while let Some(result) = opening.next().await {
        match result {
            Ok((socket, took)) => {
                sockets.push(socket);
                times.push(took);
                told(u32::try_from(sockets.len()).unwrap_or(u32::MAX));
            }
            Err(why) => count(&mut failures, why),
        }
    }
    drop(opening);
    let mut asked = stream::iter(sockets)
        .map(async |mut socket| {
            let answer = talk(&mut socket, &Message::Ping, token, dialer.patience).await;
            (socket, answer.failure)
        })
        .buffer_unordered(OPENING);
    let mut open = Vec::new();
    while let Some((socket, failure)) = asked.next().await {
        match failure {
            None => open.push(socket),
            Some(failure) => count(&mut failures, format!("closed before all were open: {}", failure.text)),
        }
    }
    drop(asked);
    times.sort_unstable();
    let seen = ManySeen {
        asked: probe.count,
        open: u32::try_from(open.len()).unwrap_or(u32::MAX),
        failures,
        fastest: times.first().copied().unwrap_or_default(),
        median: times.get(times.len() / 2).copied().unwrap_or_default(),
        slowest: times.last().copied().unwrap_or_default(),
    };
    let mut closing = stream::iter(open).map(close).buffer_unordered(OPENING);
    while closing.next().await.is_some() {}
    seen
}

async fn open_one(dialer: &Dialer, probe: &Probe, token: &str) -> Result<WebSocket, String> {
    let (seen, socket) = dialer.open(probe).await;
    let Some(mut socket) = socket else {
        return Err(match (seen.failure, seen.reply) {
            (Some(failure), _) => failure.text,
            (None, Some(reply)) => format!("the upgrade was answered with {}", reply.line()),
            (None, None) => "no reply".to_owned(),
        });
    };
    let answer = talk(&mut socket, &Message::Ping, token, dialer.patience).await;
    match answer.failure {
        None => Ok(socket),
        Some(failure) => Err(failure.text),
    }
}

fn count(failures: &mut BTreeMap<String, u32>, why: String) {
    let why = if failures.len() < MOST_REASONS || failures.contains_key(&why) { why } else { "other reasons".to_owned() };
    *failures.entry(why).or_default() += 1;
}
