//! Why no configuration can be written.

use std::collections::BTreeSet;

use ipnet::IpNet;

/// Why no configuration can be written for a balancer; each says what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// No address range is trusted, so no client's address would be believed.
    #[error("no address range is trusted: name those that the balancer's connections come from")]
    NothingTrusted,
    /// A trusted range holds every address, so anybody could claim to be any client.
    #[error("{0} is every address there is: trust the ranges of the balancer's subnets")]
    TrustsEverybody(IpNet),
    /// The balancer's name could end a comment or an identifier.
    #[error("the balancer's name `{0}` is not one that a configuration can hold")]
    Name(String),
    /// The health check's path could end a directive.
    #[error(
        "the health check's path `{0}` has characters that a configuration file gives a meaning to: \
         choose one of letters, digits and / . _ ~ - @ : +"
    )]
    HealthCheckPath(String),
    /// No listener reaches a port on which HTTP arrives in plain.
    #[error("no listener of the balancer reaches an instance port on which HTTP could arrive in plain")]
    NothingToServe,
    /// HTTP and TCP listeners share a port with a proxy policy (elb-facts 2.2).
    #[error(
        "no configuration serves instance port {port}: connections of listener {transport} begin with the PROXY header, \
         requests of listener {http} arrive without it"
    )]
    MixedPort {
        /// The instance port.
        port: u16,
        /// A listener that does not send the header.
        http: String,
        /// A listener that sends it.
        transport: String,
    },
    /// Two states of the balancer need the same port in two ways.
    #[error(
        "no configuration serves instance port {0} both before and after the change: one of the two expects the PROXY header"
    )]
    BothWays(u16),
    /// No port begins to expect the header.
    #[error("there is nothing to cut over: no instance port that is in use begins to expect the PROXY header")]
    NothingToCutOver,
    /// Several ports begin to expect the header, and one new port cannot stand for all.
    #[error("more than one instance port begins to expect the PROXY header ({}): cut over one at a time", list(.0))]
    SeveralToCutOver(BTreeSet<u16>),
    /// The new port is in use.
    #[error("instance port {0} is in use already: choose a free one to cut over to")]
    CutOverPortTaken(u16),
    /// A template is broken; a test renders each.
    #[error("the template is broken: {0}")]
    Template(String),
}

/// `80, 9000`.
fn list(ports: &BTreeSet<u16>) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}
