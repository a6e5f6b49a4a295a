//! The journal: while a listener is replaced, its definition is kept in the balancer's own tags.
//!
//! A run that dies between delete and create leaves the tags behind, and any later run, on any machine, knows what was there.
//! A new listener that terminates TLS is marked too, so that a later run still gives it the TLS policy of new listeners.
//! A tag value is at most 255 characters from a small alphabet (elb-facts 1.6), so a long definition takes several tags:
//! `elbws:listener:443`, `elbws:listener:443:2` and so on. The first value begins with their number.

use std::collections::{BTreeMap, BTreeSet};

use super::PlanError;
use super::listener_policies::{is_negotiation, may_have, without_default_policy};
use crate::model::names::JOURNAL_TAG as PREFIX;
use crate::model::{Balancer, CertificateArn, DEFAULT_NEGOTIATION_POLICY, Listener, Protocol};

/// Characters of one tag value; the limit is 255 in the guide and 256 in the model.
const CHUNK: usize = 250;

/// The value that marks a listener as new: there was none on its port.
const NEW: &str = "0";

/// What follows the port in the key of a tag that marks a new listener whose definition is kept all the same: it is replaced before
/// the run that made it was finished.
const STILL_NEW: &str = ":new";

/// More tags than a balancer can have.
const MAX_CHUNKS: usize = 50;

/// Whether a tag is one of ours.
pub fn is_journal_tag(key: &str) -> bool {
    key.starts_with(PREFIX)
}

/// Definitions of listeners that an interrupted run was replacing, by load balancer port.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Journal {
    pub(super) listeners: BTreeMap<u16, Listener>,
    /// Load balancer ports that had no listener before the interrupted run.
    pub(super) new: BTreeSet<u16>,
    /// The tags they were read from, by load balancer port, including chunks of an older, longer definition.
    pub(super) keys: BTreeMap<u16, BTreeSet<String>>,
}

impl Journal {
    /// Reads what is left in a balancer's tags.
    pub(super) fn read(tags: &BTreeMap<String, String>) -> Result<Self, PlanError> {
        let mut journal = Journal::default();
        for key in tags.keys().filter(|key| is_journal_tag(key)) {
            let broken = |why: &str| PlanError::BrokenJournal { key: key.clone(), why: why.to_owned() };
            let rest = &key[PREFIX.len()..];
            let number = rest.split(':').next().unwrap_or_default();
            let port: u16 = number.parse().map_err(|_| broken("its key names no load balancer port"))?;
            journal.keys.entry(port).or_default().insert(key.clone());
            if rest == number && tags[key] == NEW || rest.strip_prefix(number) == Some(STILL_NEW) {
                journal.new.insert(port);
            } else if rest == number {
                let listener = decode(port, key, tags).map_err(|why| broken(&why))?;
                journal.listeners.insert(port, listener);
            }
        }
        Ok(journal)
    }

    /// The live balancer with what the interrupted run took away: listeners that are gone, and policies of listeners that
    /// were created again but had not got theirs back.
    pub(super) fn restored(&self, live: &Balancer) -> Balancer {
        let mut known = live.clone();
        for missing in self.listeners.values().filter(|old| !live.listeners.contains_key(&old.load_balancer_port)) {
            self.make_room(&mut known, missing);
        }
        for (port, journalled) in &self.listeners {
            let listener = known.listeners.entry(*port).or_insert_with(|| journalled.clone());
            if without_default_policy(&listener.policies).is_empty() {
                let mut names = journalled.policies.clone();
                names.retain(|name| {
                    let policy = live.policies.get(name);
                    policy.is_some() && may_have(&listener.protocol, name, policy)
                });
                // The service's own choice gives way: a listener has one negotiation policy.
                if names.iter().any(|name| is_negotiation(name, live.policies.get(name))) {
                    listener.policies.remove(DEFAULT_NEGOTIATION_POLICY);
                }
                listener.policies.extend(names);
            }
        }
        known
    }

    /// Takes back what the interrupted run put in the way of a listener that it deleted: encrypted and plain back ends on one
    /// instance port, which the service refuses (elb-facts 1.3).
    fn make_room(&self, known: &mut Balancer, missing: &Listener) {
        let is_in_the_way = |other: &Listener| {
            other.instance_port == missing.instance_port
                && other.instance_protocol.is_secure() != missing.instance_protocol.is_secure()
        };
        let ports: Vec<u16> =
            known.listeners.values().filter(|other| is_in_the_way(other)).map(|l| l.load_balancer_port).collect();
        for port in ports {
            if let Some(before) = self.listeners.get(&port) {
                known.listeners.insert(port, before.clone());
            } else if self.new.contains(&port) {
                known.listeners.remove(&port);
            }
        }
    }
}

/// The tags that mark a listener as new.
pub(super) fn encode_new(load_balancer_port: u16) -> BTreeMap<String, String> {
    BTreeMap::from([(key(load_balancer_port, 1), NEW.to_owned())])
}

/// The tag that marks a listener as new beside those that keep its definition.
pub(super) fn encode_still_new(load_balancer_port: u16) -> (String, String) {
    (format!("{PREFIX}{load_balancer_port}{STILL_NEW}"), NEW.to_owned())
}

/// The tags that keep a listener's definition.
pub(super) fn encode(listener: &Listener) -> BTreeMap<String, String> {
    let certificate = listener.certificate.as_ref().map_or("-", CertificateArn::as_str);
    let route = listener.to_string();
    // The service gives its default policy back by itself, but not beside others: a set is written whole.
    let others = without_default_policy(&listener.policies);
    let policies = if others.is_empty() { &others } else { &listener.policies };
    let tokens = [route.as_str(), certificate].into_iter().chain(policies.iter().map(String::as_str));
    let definition = tokens.map(escape).collect::<Vec<_>>().join("+");
    // Escaped text is ASCII, so any byte is a place to cut. The room for the count is the same for one digit or two.
    let mut chunks: Vec<&str> = vec![&definition[..definition.len().min(CHUNK - 3)]];
    let mut rest = &definition[chunks[0].len()..];
    while !rest.is_empty() {
        let (chunk, more) = rest.split_at(rest.len().min(CHUNK));
        chunks.push(chunk);
        rest = more;
    }
    let count = chunks.len();
    let port = listener.load_balancer_port;
    let value = |(index, chunk): (usize, &str)| match index {
        0 => (key(port, 1), format!("{count}+{chunk}")),
        _ => (key(port, index + 1), chunk.to_owned()),
    };
    chunks.into_iter().enumerate().map(value).collect()
}

fn key(port: u16, chunk: usize) -> String {
    match chunk {
        1 => format!("{PREFIX}{port}"),
        _ => format!("{PREFIX}{port}:{chunk}"),
    }
}

fn decode(port: u16, first: &str, tags: &BTreeMap<String, String>) -> Result<Listener, String> {
    let (count, head) = tags[first].split_once('+').ok_or("it does not begin with a number of tags")?;
    let count: usize =
        count.parse().ok().filter(|count| (1..=MAX_CHUNKS).contains(count)).ok_or("its number of tags is wrong")?;
    let mut definition = head.to_owned();
    for chunk in 2..=count {
        let key = key(port, chunk);
        definition.push_str(tags.get(&key).ok_or_else(|| format!("tag `{key}` is missing"))?);
    }
    let mut tokens = definition.split('+').map(unescape);
    let mut next = || tokens.next().flatten().ok_or_else(|| "it is cut off".to_owned());
    let (protocol, instance_protocol, instance_port) = route(port, &next()?).ok_or("it defines no listener of this port")?;
    let certificate = next()?;
    let policies = tokens.collect::<Option<BTreeSet<_>>>().ok_or("a policy name cannot be read")?;
    Ok(Listener {
        protocol,
        load_balancer_port: port,
        instance_protocol,
        instance_port,
        certificate: (certificate != "-").then(|| CertificateArn::observed(certificate)),
        policies,
    })
}

/// Reads the route of a listener on this port, `SSL:443/TCP:80`. Any protocol will do, since the service had it before.
fn route(port: u16, text: &str) -> Option<(Protocol, Protocol, u16)> {
    let (rest, instance_port) = text.rsplit_once(':')?;
    let (protocol, instance_protocol) = rest.split_once(&format!(":{port}/"))?;
    let instance_port = instance_port.parse().ok().filter(|instance_port| *instance_port != 0)?;
    let named = !protocol.is_empty() && !instance_protocol.is_empty();
    named.then(|| (Protocol::from(protocol), Protocol::from(instance_protocol), instance_port))
}

/// Writes a token in the alphabet of tag values, less `+`, which separates tokens: any other byte becomes `@XX`.
fn escape(token: &str) -> String {
    let mut text = String::with_capacity(token.len());
    for byte in token.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' | b'/' => text.push(char::from(byte)),
            _ => text.push_str(&format!("@{byte:02X}")),
        }
    }
    text
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'@' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok().filter(|token| !token.is_empty())
}
