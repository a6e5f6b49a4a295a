//! Which client address the server saw, where it says so, and what can be concluded from it.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use serde::Serialize;

use super::Observations;
use super::seen::Sent;

/// Headers of replies that hold addresses of other things.
const OTHER_ADDRESSES: [&str; 4] = ["host", "location", "server", "via"];

/// The client address that the server told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientAddress {
    /// The address.
    pub address: IpAddr,
    /// The port, where it told that too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// This machine's end of the same connection.
    pub local: SocketAddr,
    /// Whose it is.
    pub is: ClientAddressIs,
}

/// Whose address the server saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAddressIs {
    /// This machine's: the server knows its clients.
    ThisMachine,
    /// Not this machine's, and no translation on the way explains it.
    SomebodyElse,
    /// It cannot be said: a router may have translated this machine's address, or client and balancer share one.
    Unknown,
}

/// What an address and perhaps a port in a text look like.
type Told = (IpAddr, Option<u16>);

/// The client address that the server told in a header or in a message. Where it told several, that of this machine counts;
/// otherwise nothing does, since any of them may be anybody's.
pub(super) fn client_address(seen: &Observations) -> Option<ClientAddress> {
    let upgrade = seen.upgrade()?;
    let local = upgrade.local?;
    let mut told = BTreeSet::new();
    for (name, value) in upgrade.reply.iter().flat_map(|reply| &reply.headers) {
        if !OTHER_ADDRESSES.contains(&name.as_str()) {
            told.extend(address(value));
        }
    }
    if let Some(message) = seen.message() {
        let sent = if let Sent::Text(text) = &message.sent { text.as_str() } else { "" };
        let told_in = message.received.iter().flat_map(|text| addresses_in(text));
        // What we said ourselves proves nothing when it comes back.
        told.extend(told_in.filter(|(address, _)| !sent.contains(&address.to_string())));
    }
    let exact = told.iter().find(|(address, port)| *address == local.ip() && *port == Some(local.port()));
    let same = told.iter().find(|(address, _)| *address == local.ip());
    let only = if told.len() == 1 { told.first() } else { None };
    let (address, port) = exact.or(same).or(only).copied()?;
    let peer = seen.tcp().and_then(|tcp| tcp.peer).map(|peer| peer.ip());
    Some(ClientAddress { address, port, local, is: whose(address, port, local, peer) })
}

/// Whose an address is, that the server saw on a connection from `local` to a balancer at `peer`.
fn whose(address: IpAddr, port: Option<u16>, local: SocketAddr, peer: Option<IpAddr>) -> ClientAddressIs {
    if address == local.ip() {
        return match port {
            Some(port) if port == local.port() => ClientAddressIs::ThisMachine,
            // From the same machine, but another connection: a balancer's own, if it runs here.
            Some(_) if peer.is_some_and(|peer| peer == address) => ClientAddressIs::SomebodyElse,
            None if peer.is_some_and(|peer| peer == address) => ClientAddressIs::Unknown,
            Some(_) | None => ClientAddressIs::ThisMachine,
        };
    }
    // Nothing translates a loopback address; and on the way to a public address, none becomes a private one.
    let peer_is_public = peer.is_some_and(|peer| !is_private(peer));
    match local.ip().is_loopback() || (peer_is_public && is_private(address)) {
        true => ClientAddressIs::SomebodyElse,
        false => ClientAddressIs::Unknown,
    }
}

/// Whether an address is used inside networks only: loopback, link-local, private (RFC 1918, RFC 6598, RFC 4193).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// The addresses in a message: every string of a JSON document that is one, or every word of another text.
fn addresses_in(text: &str) -> Vec<Told> {
    let mut found = Vec::new();
    match serde_json::from_str(text) {
        Ok(document) => collect(&document, &mut found),
        Err(_) => found.extend(words(text)),
    }
    found
}

fn collect(value: &serde_json::Value, found: &mut Vec<Told>) {
    match value {
        serde_json::Value::String(text) => found.extend(words(text)),
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        serde_json::Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn words(text: &str) -> impl Iterator<Item = Told> {
    let is_of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':' | '[' | ']');
    text.split(move |c| !is_of_address(c)).filter_map(|word| address(word.trim_end_matches(['.', ':'])))
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; an IPv4 address in IPv6 clothes as IPv4.
fn address(text: &str) -> Option<Told> {
    let text = text.trim();
    // `::` alone is in many texts and no client's.
    let real = |address: &IpAddr| !address.is_unspecified();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical()).filter(real).map(|address| (address, None));
    }
    let socket: SocketAddr = text.parse().ok()?;
    Some(socket.ip().to_canonical()).filter(real).map(|address| (address, Some(socket.port())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_messages() {
        for (text, found) in [
            (r#"{"hello":{"name":"a","address":"192.0.2.7"}}"#, &["192.0.2.7"][..]),
            (r#"{"hello":"you are 192.0.2.7:4711."}"#, &["192.0.2.7:4711"]),
            ("hello 192.0.2.7, and 2001:db8::1", &["192.0.2.7", "2001:db8::1"]),
            ("[2001:db8::1]:80", &["[2001:db8::1]:80"]),
            ("::ffff:192.0.2.7", &["192.0.2.7"]),
            ("version 1.2.3 at 12:30, bad :: face 1.2.3.4.5", &[]),
        ] {
            let found: Vec<Told> = found.iter().map(|text| address(text).unwrap()).collect();
            assert_eq!(addresses_in(text), found, "{text}");
        }
    }

    #[test]
    fn nothing_is_claimed_that_is_not_certain() {
        let whose = |told: &str, local: &str, peer: &str| {
            let (told, port) = address(told).unwrap();
            whose(told, port, local.parse().unwrap(), Some(peer.parse().unwrap()))
        };
        for (told, local, peer, is) in [
            ("127.0.0.1:4711", "127.0.0.1:4711", "127.0.0.1", ClientAddressIs::ThisMachine),
            ("127.0.0.1:9999", "127.0.0.1:4711", "127.0.0.1", ClientAddressIs::SomebodyElse),
            ("127.0.0.1", "127.0.0.1:4711", "127.0.0.1", ClientAddressIs::Unknown),
            ("127.0.0.1", "127.0.0.2:4711", "127.0.0.1", ClientAddressIs::SomebodyElse),
            ("127.0.0.2", "127.0.0.2:4711", "127.0.0.1", ClientAddressIs::ThisMachine),
            ("198.51.100.9", "192.168.1.5:4711", "203.0.113.1", ClientAddressIs::Unknown),
            ("10.0.1.23", "192.168.1.5:4711", "203.0.113.1", ClientAddressIs::SomebodyElse),
            ("10.0.1.23", "10.0.7.5:4711", "10.0.1.99", ClientAddressIs::Unknown),
            ("198.51.100.9", "198.51.100.9:4711", "203.0.113.1", ClientAddressIs::ThisMachine),
        ] {
            assert_eq!(whose(told, local, peer), is, "told {told}, from {local} to {peer}");
        }
    }
}
