//! Causes that show over time, or with many connections.

use std::time::Duration;

use super::scene::{Rule, Scene, first, seconds};
use super::{Cause, Diagnosis};
use crate::model::IDLE_TIMEOUT_SECONDS;
use crate::verify::seen::{Closed, HoldSeen};

/// The longest idle timeout of a balancer, in seconds.
const LONGEST: u64 = *IDLE_TIMEOUT_SECONDS.end() as u64;

pub(super) const RULES: &[Rule] = &[silence, pings_do_not_help, not_all_open];

/// Who closed a silent connection. One explanation is enough.
fn silence(scene: &Scene<'_>) -> Option<Diagnosis> {
    let found = first(scene, &[not_held, said_goodbye, server_idle_timeout, balancer_idle_timeout, idle_timeout])?;
    Some(cure(scene, found))
}

fn broken_silence<'a>(scene: &Scene<'a>) -> Option<(&'a HoldSeen, &'a Closed)> {
    let idle = scene.seen.idle()?;
    Some((idle, idle.closed.as_ref()?))
}

/// The balancer's idle timeout, and how far a measured time may be from it.
fn limit(scene: &Scene<'_>) -> Option<(Duration, Duration)> {
    let limit = Duration::from_secs(scene.view?.balancer.attributes.idle_timeout.into());
    Some((limit, Duration::from_millis(500).max(limit / 20)))
}

/// What the pings showed, and what to do about any idle timeout.
fn cure(scene: &Scene<'_>, found: Diagnosis) -> Diagnosis {
    let Some((idle, _)) = broken_silence(scene).filter(|(idle, _)| !idle.held.is_zero()) else { return found };
    let found = match scene.seen.pings() {
        Some(HoldSeen { ping_every: Some(every), held, closed: None, .. }) => {
            found.seen(format!("with a ping every {} it stayed open for {}", seconds(*every), seconds(*held)))
        }
        _ => found,
    };
    found
        .remedy(format!("let the application send a WebSocket ping every {} or more often", seconds(idle.held / 2)))
        .remedy("TCP keepalive does not help: only payload counts")
}

fn evidence(idle: &HoldSeen, closed: &Closed) -> String {
    let held = seconds(idle.held);
    match closed {
        Closed::Frame { code, reason } => {
            let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
            format!("after {held} of silence the server said goodbye{code} {reason}").trim_end().to_owned()
        }
        Closed::EndOfStream => {
            format!("after {held} of silence the connection ended without a goodbye (browsers report code 1006)")
        }
        Closed::Reset => format!("after {held} of silence the connection was reset (browsers report code 1006)"),
        Closed::NoPong => format!("after {held} a ping was not answered"),
        Closed::NotConnected { why } | Closed::Other { why } => format!("after {held}: {why}"),
    }
}

fn not_held(scene: &Scene<'_>) -> Option<Diagnosis> {
    let (_, closed) = broken_silence(scene)?;
    let Closed::NotConnected { why } = closed else { return None };
    Some(
        Diagnosis::failure(Cause::Unsteady, "a connection was opened before, and the next one to hold in silence was not")
            .seen(why)
            .remedy("try again; if it persists, instances or the balancer are overloaded"),
    )
}

/// A balancer of streams cannot say goodbye: it does not know that there are WebSockets in them.
fn said_goodbye(scene: &Scene<'_>) -> Option<Diagnosis> {
    let (idle, closed) = broken_silence(scene)?;
    if !matches!(closed, Closed::Frame { .. }) {
        return None;
    }
    Some(
        Diagnosis::failure(
            Cause::ServerIdleTimeout,
            format!("the application closes a connection that is silent for {}", seconds(idle.held)),
        )
        .seen(evidence(idle, closed))
        .remedy("raise the application's own timeout"),
    )
}

fn server_idle_timeout(scene: &Scene<'_>) -> Option<Diagnosis> {
    let (idle, closed) = broken_silence(scene)?;
    let (limit, tolerance) = limit(scene)?;
    if idle.held + tolerance >= limit {
        return None;
    }
    Some(
        Diagnosis::failure(
            Cause::ServerIdleTimeout,
            format!(
                "the server closes a connection that is silent for {}, before the balancer would after {}",
                seconds(idle.held),
                seconds(limit)
            ),
        )
        .seen(evidence(idle, closed))
        .seen(format!("the balancer's idle timeout is {}", seconds(limit)))
        .remedy(format!(
            "nginx: raise proxy_read_timeout and proxy_send_timeout (60 s by default) above {}",
            seconds(limit)
        )),
    )
}

fn balancer_idle_timeout(scene: &Scene<'_>) -> Option<Diagnosis> {
    let (idle, closed) = broken_silence(scene)?;
    let (limit, tolerance) = limit(scene)?;
    if idle.held > limit + tolerance {
        return None;
    }
    let remedy = match longer(idle.asked) {
        Some(raise) => format!("raise it: {} --idle-timeout {raise}; and the web server's timeouts above it", scene.apply()),
        None => {
            format!("it can be no longer than {LONGEST} s: only a ping keeps a connection open for as long as was asked")
        }
    };
    Some(
        Diagnosis::failure(
            Cause::BalancerIdleTimeout,
            format!("the balancer closes a connection that is silent for {}: its idle timeout", seconds(limit)),
        )
        .seen(evidence(idle, closed))
        .remedy(remedy),
    )
}

/// A round idle timeout in seconds that survives a silence with some to spare; none where the service has none as long.
fn longer(silence: Duration) -> Option<u64> {
    let silence = silence.as_secs();
    let spare = 5.max(silence / 10);
    (silence < LONGEST).then(|| (silence + spare).next_multiple_of(10).min(LONGEST))
}

/// Without the balancer's own number, or with one that does not fit.
fn idle_timeout(scene: &Scene<'_>) -> Option<Diagnosis> {
    let (idle, closed) = broken_silence(scene)?;
    let found =
        Diagnosis::failure(Cause::IdleTimeout, format!("a connection that is silent for {} is closed", seconds(idle.held)))
            .probably()
            .seen(evidence(idle, closed));
    let found = match idle.held.as_secs_f64().round() as u64 {
        60 => found.seen("60 s is what both the balancer's idle timeout and nginx's proxy_read_timeout are by default"),
        _ => found,
    };
    Some(found.remedy("the smaller of the balancer's idle timeout and the web server's timeouts decides: raise both; --elb NAME tells which"))
}

fn pings_do_not_help(scene: &Scene<'_>) -> Option<Diagnosis> {
    let pings = scene.seen.pings()?;
    let closed = pings.closed.as_ref()?;
    let what = match closed {
        Closed::Frame { .. } => "the server said goodbye",
        Closed::EndOfStream => "the connection ended",
        Closed::Reset => "the connection was reset",
        Closed::NoPong => "a ping was not answered",
        Closed::NotConnected { .. } => "it could not be opened",
        Closed::Other { .. } => "it broke",
    };
    Some(
        Diagnosis::failure(Cause::PingsDoNotHelp, "pings do not keep the connection open: its age counts, not its silence")
            .probably()
            .seen(format!(
                "with a ping every {} {what} after {}",
                seconds(pings.ping_every.unwrap_or_default()),
                seconds(pings.held)
            ))
            .remedy(
                "look for a limit on the age of connections in the web server or the application; clients must reconnect",
            ),
    )
}

fn not_all_open(scene: &Scene<'_>) -> Option<Diagnosis> {
    let many = scene.seen.count()?;
    if many.open == many.asked {
        return None;
    }
    let found = Diagnosis::failure(
        Cause::NotAllOpen,
        format!("of {} connections {} were open at the same time", many.asked, many.open),
    );
    let found = many.failures.iter().fold(found, |found, (why, times)| found.seen(format!("{times} times: {why}")));
    let local = many.failures.keys().any(|why| why.contains("os error 24") || why.contains("os error 99"));
    Some(match local {
        true => found.remedy("this machine has no more descriptors or ports: raise `ulimit -n`, or ask for fewer"),
        false => found.remedy("look at worker_connections and the open-file limits of the web server and the application"),
    })
}
