//! Finds what would break between an nginx configuration and a balancer, with file and line.
//!
//! It reads what nginx would read: blocks, includes, and which directive a location inherits. It says nothing about what has no
//! bearing on the balancer, and it is no replacement for `nginx -t`.

mod configuration;
mod dump;
mod finding;
mod forwarded;
mod listens;
mod parse;
mod scheme;
mod server;
mod source;
mod upgrade;

pub use finding::Finding;
pub use parse::SourceFile;
pub use source::SourceError;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::BackendError;
use super::arrival::{Arrival, arrival, listeners};
use crate::model::Balancer;
use configuration::Configuration;
use finding::Findings;
use server::Server;

/// What a configuration is held against.
#[derive(Debug, Clone)]
pub struct Expectation<'a> {
    /// The balancer, in the state that the configuration is for.
    pub balancer: &'a Balancer,
    /// Ranges that its connections come from.
    pub trusted: BTreeSet<IpNet>,
    /// Instance ports that are somebody else's, such as SSH's.
    pub leave_out: BTreeSet<u16>,
}

/// Why a configuration could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The configuration cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The balancer has no web server's side that could be right.
    #[error(transparent)]
    Balancer(#[from] BackendError),
}

/// What would break, in the order of files and lines. `include` gives the files that an `include` directive's pattern names.
///
/// The output of `nginx -T` is recognised; its includes are found within it.
pub fn check(
    expectation: &Expectation<'_>,
    main: SourceFile,
    include: &mut dyn FnMut(&str) -> Result<Vec<SourceFile>, String>,
) -> Result<Vec<Finding>, CheckError> {
    let loaded = source::load(main, include)?;
    let subject = Subject::new(expectation)?;
    let configuration = Configuration::new(&loaded.directives);
    let mut findings = Findings::default();
    listens::check(&subject, &configuration, &mut findings);
    for server in &configuration.servers {
        let ports = subject.ports_of(server);
        if server.is_stream || ports.is_empty() {
            continue;
        }
        forwarded::check(&subject, server, &ports, &mut findings);
        upgrade::check(&subject, &configuration, server, &ports, &mut findings);
        scheme::check(&configuration, server, &ports, &mut findings);
    }
    Ok(findings.finish(&loaded.names))
}

/// The balancer, as far as a web server meets it.
struct Subject<'a> {
    balancer: &'a Balancer,
    trusted: &'a BTreeSet<IpNet>,
    ports: BTreeMap<u16, PortFacts>,
}

/// What is known of an instance port.
#[derive(Debug, Clone, Copy)]
struct PortFacts {
    port: u16,
    arrival: Arrival,
    /// Whether clients reach it with TLS through some listener.
    secure: bool,
}

impl<'a> Subject<'a> {
    fn new(expectation: &'a Expectation<'_>) -> Result<Self, BackendError> {
        let Expectation { balancer, trusted, leave_out } = expectation;
        let mut ports = BTreeMap::new();
        for port in balancer.listeners.values().map(|listener| listener.instance_port) {
            let secure = listeners(balancer, port).any(|listener| listener.protocol.is_secure());
            if let Some(arrival) = arrival(balancer, port)?.filter(|_| !leave_out.contains(&port)) {
                ports.insert(port, PortFacts { port, arrival, secure });
            }
        }
        Ok(Subject { balancer, trusted, ports })
    }

    fn idle_timeout(&self) -> u32 {
        self.balancer.attributes.idle_timeout
    }

    /// The instance ports that a server listens on where the balancer can reach it.
    fn ports_of(&self, server: &Server<'_>) -> Vec<PortFacts> {
        let listens = |port: u16| server.listens.iter().any(|listen| listen.is_reachable() && listen.ports.contains(&port));
        let local = |port: u16| server.listens.iter().any(|listen| listen.is_tcp() && listen.ports.contains(&port));
        let facts = |wanted: &dyn Fn(u16) -> bool| -> Vec<PortFacts> {
            self.ports.values().filter(|facts| wanted(facts.port)).copied().collect()
        };
        match facts(&listens) {
            none if none.is_empty() => facts(&local),
            reachable => reachable,
        }
    }
}
