//! A stage of a probe, for a person: a line, and below it what is worth knowing.

use std::time::Duration;

use crate::output::page::{BAD, CHANGED, FAINT, GOOD, Page};
use crate::verify::{
    Attempt, CertificateSeen, Closed, ExchangeFailure, HoldSeen, HttpSeen, ManySeen, MessageSeen, NameSeen, Outcome, Reply,
    Seen, Sent, StageResult, TcpSeen, TlsSeen,
};

/// The line of a stage, and the lines below it.
pub fn stage_text(result: &StageResult) -> String {
    let StageResult { outcome, took, seen } = result;
    let mut page = Page::default();
    page.plain("  ");
    match outcome {
        Outcome::Passed => page.styled(GOOD, "ok  "),
        Outcome::Failed => page.styled(BAD, "FAIL"),
        Outcome::Inconclusive => page.styled(CHANGED, "?   "),
    };
    let (line, more) = lines(seen);
    page.plain(&format!("  {:<8}", seen.stage().as_str())).styled(FAINT, &format!("{:>9}  ", time(*took)));
    page.plain(&line).end();
    for line in more {
        page.plain(&" ".repeat(27)).styled(FAINT, &line).end();
    }
    page.finish()
}

/// A time as a person measures it: `0.4 ms`, `12 ms`, `1.2 s`.
pub(super) fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        ..0.01 => format!("{:.1} ms", seconds * 1e3),
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

fn lines(seen: &Seen) -> (String, Vec<String>) {
    match seen {
        Seen::Name(seen) => name(seen),
        Seen::Tcp(seen) => tcp(seen),
        Seen::Tls(seen) => tls(seen),
        Seen::Http(seen) | Seen::Upgrade(seen) => http(seen),
        Seen::Message(seen) => message(seen),
        Seen::Idle(seen) | Seen::Pings(seen) => hold(seen),
        Seen::Count(seen) => many(seen),
    }
}

fn name(seen: &NameSeen) -> (String, Vec<String>) {
    let NameSeen { name, addresses, failure } = seen;
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let line = match failure {
        Some(why) => format!("{name}: {why}"),
        None if addresses.first() == Some(name) => name.clone(),
        None => format!("{name} is {}", addresses.join(", ")),
    };
    (line, Vec::new())
}

fn tcp(seen: &TcpSeen) -> (String, Vec<String>) {
    let TcpSeen { attempts, peer } = seen;
    let failed: Vec<String> = attempts
        .iter()
        .filter_map(|Attempt { address, took, failure }| {
            failure.as_ref().map(|failure| format!("{address}: {} ({})", failure.text, time(*took)))
        })
        .collect();
    let accepted = attempts.len() - failed.len();
    match (peer, attempts.len()) {
        (Some(peer), 1) => (format!("connected to {peer}"), failed),
        (Some(peer), all) => (format!("connected to {peer}; {accepted} of {all} addresses accept connections"), failed),
        (None, _) => ("no connection".to_owned(), failed),
    }
}

fn tls(seen: &TlsSeen) -> (String, Vec<String>) {
    let TlsSeen { server_name, protocol, cipher, certificates, trust_failure, failure, insecure } = seen;
    let mut line = match (failure, protocol, cipher) {
        (Some(failure), _, _) => failure.text.clone(),
        (None, protocol, cipher) => {
            let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
            format!("{} {}", part(protocol), part(cipher))
        }
    };
    match (trust_failure, insecure) {
        (None, _) if certificates.is_empty() => {}
        (None, _) => line.push_str(&format!(", trusted for {server_name}")),
        (Some(_), true) => line.push_str(", NOT TRUSTED, and used all the same (--insecure)"),
        (Some(_), false) => line.push_str(", not trusted"),
    }
    let mut more: Vec<String> = trust_failure.iter().map(|failure| failure.text.clone()).collect();
    more.extend(certificates.iter().map(certificate));
    (line, more)
}

/// `CN=chat for chat.example.com, expires in 61 days (2027-01-31), issued by CN=Somebody`.
fn certificate(seen: &CertificateSeen) -> String {
    const MOST_NAMES: usize = 6;
    let CertificateSeen { subject, issuer, names, not_before: _, not_after, days_left, is_self_issued } = seen;
    let mut text = subject.clone();
    if !names.is_empty() {
        text.push_str(&format!(" for {}", names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ")));
        if names.len() > MOST_NAMES {
            text.push_str(&format!(" and {} more", names.len() - MOST_NAMES));
        }
    }
    let day = not_after.split('T').next().unwrap_or_default();
    text.push_str(&match days_left {
        i64::MIN..=-1 => format!(", EXPIRED on {day}"),
        0 => format!(", expires today ({day})"),
        1 => format!(", expires in 1 day ({day})"),
        _ => format!(", expires in {days_left} days ({day})"),
    });
    text.push_str(&if *is_self_issued { ", its own issuer".to_owned() } else { format!(", issued by {issuer}") });
    text
}

fn http(seen: &HttpSeen) -> (String, Vec<String>) {
    let HttpSeen { request, local: _, reply, failure } = seen;
    let answer = match reply {
        Some(reply) => {
            let Reply { status: _, reason: _, headers: _, body: _ } = reply;
            let server = reply.header("server").map(|server| format!(", server {server}")).unwrap_or_default();
            let location = reply.header("location").map(|location| format!(", to {location}")).unwrap_or_default();
            format!("{}{server}{location}", reply.line())
        }
        None => "no reply".to_owned(),
    };
    (format!("{request}: {answer}"), failure.iter().map(described).collect())
}

fn described(failure: &ExchangeFailure) -> String {
    let ExchangeFailure { kind: _, text, received } = failure;
    match received {
        Some(received) => format!("{text}; it begins with {received}"),
        None => text.clone(),
    }
}

fn message(seen: &MessageSeen) -> (String, Vec<String>) {
    let MessageSeen { sent, echo, pong, received, failure } = seen;
    let line = match (sent, echo, pong) {
        (Sent::Text(_), Some(echo), _) => format!("the message came back in {}", time(*echo)),
        (Sent::Ping, _, Some(pong)) => format!("a ping was answered in {}", time(*pong)),
        (Sent::Text(_), None, Some(_)) => "the message did not come back, although pings are answered".to_owned(),
        (Sent::Text(_) | Sent::Ping, ..) => "no answer".to_owned(),
    };
    let mut more: Vec<String> = failure.iter().map(described).collect();
    let others = received.len();
    match others {
        0 => {}
        1 => more.push("1 message came".to_owned()),
        _ => more.push(format!("{others} messages came")),
    }
    (line, more)
}

fn hold(seen: &HoldSeen) -> (String, Vec<String>) {
    let HoldSeen { asked: _, held, ping_every, closed, server_spoke } = seen;
    let how = match ping_every {
        Some(every) => format!("with a ping every {}", time(*every)),
        None if *server_spoke => "without a word from this side, although the server spoke".to_owned(),
        None => "of silence".to_owned(),
    };
    let held = time(*held);
    let line = match closed {
        None => format!("still open after {held} {how}"),
        Some(Closed::Frame { code, reason }) => {
            let code = code.map(|code| format!(" with code {code}")).unwrap_or_default();
            format!("closed by the server{code} after {held} {how} {reason}").trim_end().to_owned()
        }
        Some(Closed::EndOfStream) => format!("cut off after {held} {how}"),
        Some(Closed::Reset) => format!("reset after {held} {how}"),
        Some(Closed::NoPong) => format!("no pong any more after {held} {how}"),
        Some(Closed::NotConnected { why }) => format!("the connection could not be opened: {why}"),
        Some(Closed::Other { why }) => format!("broken after {held} {how}: {why}"),
    };
    (line, Vec::new())
}

fn many(seen: &ManySeen) -> (String, Vec<String>) {
    let ManySeen { asked, open, failures, fastest, median, slowest } = seen;
    let times =
        format!("each open after {} at best, {} in the median, {} at worst", time(*fastest), time(*median), time(*slowest));
    let mut more: Vec<String> = (*open > 0).then_some(times).into_iter().collect();
    more.extend(failures.iter().map(|(why, times)| format!("{times} times: {why}")));
    (format!("{open} of {asked} connections open at the same time"), more)
}
