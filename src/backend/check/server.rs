//! Server blocks: where they listen, and what holds in each of their locations.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

use super::parse::{At, Directive};

/// A server block with the blocks around it.
pub(super) struct Server<'a> {
    pub(super) at: At,
    /// Whether it stands in `stream`, where nothing is HTTP.
    pub(super) is_stream: bool,
    pub(super) listens: Vec<Listen>,
    /// What is in force in the server itself.
    pub(super) scope: Scope<'a>,
}

/// A block and those around it, the innermost last: what a directive is looked up in.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) at: At,
    levels: Vec<&'a [Directive]>,
}

/// One `listen` of a server.
#[derive(Debug, Clone)]
pub(super) struct Listen {
    pub(super) at: At,
    /// As it is written.
    pub(super) text: String,
    host: Host,
    pub(super) ports: RangeInclusive<u16>,
    pub(super) proxy_protocol: bool,
    pub(super) ssl: bool,
    pub(super) default_server: bool,
    /// Options of the socket, which may be set once for each socket.
    pub(super) socket_options: Vec<String>,
    udp: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Name(String),
    Unix,
}

impl<'a> Scope<'a> {
    pub(super) fn new(at: At, levels: Vec<&'a [Directive]>) -> Self {
        Scope { at, levels }
    }

    /// The scope of a block within.
    pub(super) fn within(&self, block: &'a Directive) -> Scope<'a> {
        let mut levels = self.levels.clone();
        levels.push(block.children());
        Scope { at: block.at, levels }
    }

    /// The block's own directives.
    pub(super) fn own(&self) -> &'a [Directive] {
        self.levels.last().copied().unwrap_or_default()
    }

    /// A directive that is inherited from the nearest block that has it.
    pub(super) fn one(&self, name: &str) -> Option<&'a Directive> {
        self.all(name).into_iter().next()
    }

    /// A directive that may be repeated: all of the nearest block that has any, since one hides those further out.
    pub(super) fn all(&self, name: &str) -> Vec<&'a Directive> {
        self.inheritance(name).into_iter().next().unwrap_or_default()
    }

    /// The directives of a name, block by block, the innermost first; blocks without are left out.
    pub(super) fn inheritance(&self, name: &str) -> Vec<Vec<&'a Directive>> {
        let of = |level: &'a [Directive]| level.iter().filter(|directive| directive.name == name).collect::<Vec<_>>();
        self.levels.iter().rev().map(|level| of(level)).filter(|found| !found.is_empty()).collect()
    }

    /// This scope and those of all blocks within, such as locations and ifs.
    pub(super) fn with_inner(&self) -> Vec<Scope<'a>> {
        let mut all = vec![self.clone()];
        for directive in self.own().iter().filter(|directive| is_block_of_server(directive)) {
            all.extend(self.within(directive).with_inner());
        }
        all
    }
}

fn is_block_of_server(directive: &Directive) -> bool {
    matches!(directive.name.as_str(), "location" | "if" | "limit_except") && directive.block.is_some()
}

impl Listen {
    /// Reads a directive; `None` for one that makes no sense, which `nginx -t` reports.
    pub(super) fn read(directive: &Directive) -> Option<Listen> {
        let text = directive.arg(0);
        let (host, ports) = match text.rsplit_once(':') {
            _ if text.starts_with("unix:") => (Host::Unix, 0..=0),
            Some((host, port)) if !text.ends_with(']') => (host_of(host)?, ports_of(port)?),
            _ => match ports_of(text) {
                Some(ports) => (host_of("*")?, ports),
                None => (host_of(text)?, 80..=80),
            },
        };
        let options = directive.args.iter().skip(1);
        let has = |name: &str| options.clone().any(|option| option == name);
        const SOCKET: [&str; 11] = [
            "setfib",
            "fastopen",
            "backlog",
            "rcvbuf",
            "sndbuf",
            "accept_filter",
            "deferred",
            "bind",
            "ipv6only",
            "reuseport",
            "so_keepalive",
        ];
        let of_socket = |option: &&String| SOCKET.contains(&option.split('=').next().unwrap_or_default());
        Some(Listen {
            at: directive.at,
            text: text.to_owned(),
            host,
            ports,
            proxy_protocol: has("proxy_protocol"),
            ssl: has("ssl"),
            default_server: has("default_server") || has("default"),
            socket_options: options.clone().filter(of_socket).cloned().collect(),
            udp: has("udp") || has("quic"),
        })
    }

    /// What nginx does in a server without any: it listens on port 80.
    pub(super) fn implied(at: At) -> Listen {
        Listen {
            at,
            text: "80".to_owned(),
            host: Host::Address(Ipv4Addr::UNSPECIFIED.into()),
            ports: 80..=80,
            proxy_protocol: false,
            ssl: false,
            default_server: false,
            socket_options: Vec::new(),
            udp: false,
        }
    }

    /// Whether it is a TCP port.
    pub(super) fn is_tcp(&self) -> bool {
        !self.udp && self.host != Host::Unix
    }

    /// Whether a balancer can reach it: its connections to instances are IPv4 and come from outside (elb-facts 2.3).
    pub(super) fn is_reachable(&self) -> bool {
        let dual = self.socket_options.iter().any(|option| option == "ipv6only=off");
        self.is_tcp()
            && match &self.host {
                Host::Address(IpAddr::V4(address)) => !address.is_loopback(),
                Host::Address(IpAddr::V6(address)) => address.is_unspecified() && dual,
                Host::Name(name) => name != "localhost",
                Host::Unix => false,
            }
    }

    /// Whether both are one socket.
    pub(super) fn is_same_socket(&self, other: &Listen) -> bool {
        self.is_tcp() && other.is_tcp() && self.host == other.host && self.ports == other.ports
    }
}

fn host_of(text: &str) -> Option<Host> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    Some(match (text, bare.map(str::parse)) {
        ("*", _) => Host::Address(Ipv4Addr::UNSPECIFIED.into()),
        (_, Some(Ok(address))) => Host::Address(IpAddr::V6(address)),
        (_, Some(Err(_))) => return None,
        (name, None) if name.is_empty() => return None,
        (name, None) => name.parse().map_or_else(|_| Host::Name(name.to_ascii_lowercase()), Host::Address),
    })
}

/// `80`, or `8000-8010`.
fn ports_of(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
    Some(port(first)?..=port(last)?)
}
