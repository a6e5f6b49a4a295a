//! Why a plan cannot be made: found before the first write, so nothing has changed.

use thiserror::Error;

/// A spec that cannot be met on this balancer. Each message says what, where and why; [`PlanError::hint`] what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Two wanted listeners on one port.
    #[error("load balancer port {0} is named by two listeners")]
    DuplicatePort(u16),
    /// Front end and back end of different layers.
    #[error("listener {0} pairs protocols that do not go together")]
    ProtocolPair(String),
    /// An SSL or HTTPS listener without a certificate.
    #[error("listener {0} needs a certificate, and port {1} has none to take over")]
    MissingCertificate(String, u16),
    /// A certificate for a port that does not terminate TLS.
    #[error("load balancer port {0} has no SSL or HTTPS listener to take the certificate")]
    CertificateWithoutTls(u16),
    /// A certificate, and no listener that terminates TLS.
    #[error("no SSL or HTTPS listener would use the certificate")]
    UnusedCertificate,
    /// A negotiation policy, and no listener that terminates TLS.
    #[error("no SSL or HTTPS listener would use the TLS negotiation policy")]
    UnusedSslPolicy,
    /// Listeners with encrypted and plain back ends on one instance port.
    #[error(
        "instance port {port} would be reached both encrypted ({secure}) and in the clear ({plain}), which the service forbids"
    )]
    SharedInstancePort {
        /// The instance port.
        port: u16,
        /// The listener with the encrypted back end.
        secure: String,
        /// The listener with the plain back end.
        plain: String,
    },
    /// An HTTP listener on an instance port that expects the PROXY header.
    #[error(
        "listener {http} would send requests without the PROXY header to instance port {port}, which expects it because of listener {transport}"
    )]
    HttpOnProxiedPort {
        /// The instance port.
        port: u16,
        /// The HTTP or HTTPS listener.
        http: String,
        /// The TCP or SSL listener.
        transport: String,
    },
    /// A back-end authentication policy on a plain instance port, whose policies are to change.
    #[error(
        "policy `{policy}` on instance port {port} authenticates encrypted back ends, and listener {listener} has a plain one: the service refuses a set of both"
    )]
    BackendAuthentication {
        /// The instance port.
        port: u16,
        /// The policy.
        policy: String,
        /// The listener with the plain back end.
        listener: String,
    },
    /// A policy name that stands for something else.
    #[error("policy `{name}` exists and is no proxy policy that is switched on (its type is {policy_type})")]
    PolicyNameTaken {
        /// The name.
        name: String,
        /// The type of the policy that has it.
        policy_type: String,
    },
    /// A negotiation policy that neither the service nor the balancer has.
    #[error("TLS negotiation policy `{name}` is neither predefined nor one of this balancer's ({})", if .held.is_empty() { "it has none".to_owned() } else { .held.join(", ") })]
    UnknownSslPolicy {
        /// The name asked for.
        name: String,
        /// Names of the negotiation policies the balancer holds.
        held: Vec<String>,
    },
    /// An instance port that no TCP or SSL listener reaches.
    #[error("instance port {0} is not behind a TCP or SSL listener, so a proxy policy on it would have no effect")]
    NotBehindTransport(u16),
    /// An instance port both to include and to leave out.
    #[error("instance port {0} is both to get the PROXY header and to be left without it")]
    IncludedAndSkipped(u16),
    /// The PROXY protocol is to be enabled, and no listener could send the header.
    #[error("the balancer has no TCP or SSL listener, and no other sends the PROXY header")]
    NoTransportListener,
    /// Nothing on the balancer carries WebSockets, and the recipe cannot change that.
    #[error("no listener of this balancer can be made to carry WebSockets by itself:\n{}", .0.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))]
    NothingToConvert(Vec<String>),
    /// A journal tag that cannot be read.
    #[error(
        "tag `{key}` holds the definition of a listener that an interrupted run was replacing, and cannot be read: {why}"
    )]
    BrokenJournal {
        /// The tag's key.
        key: String,
        /// What is wrong with its value.
        why: String,
    },
}

impl PlanError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            PlanError::DuplicatePort(_) => "name each load balancer port once",
            PlanError::ProtocolPair(_) => "pair TCP and SSL with TCP and SSL, HTTP and HTTPS with HTTP and HTTPS",
            PlanError::MissingCertificate(..) => "give one with --certificate ARN (of ACM or IAM)",
            PlanError::CertificateWithoutTls(_) => "`elbws show` lists the listeners and their ports",
            PlanError::UnusedCertificate => "name an SSL listener, for example --listener SSL:443/TCP:80",
            PlanError::UnusedSslPolicy => "name an SSL listener, for example --listener SSL:443/TCP:80",
            PlanError::SharedInstancePort { .. } => "give one of the two listeners another instance port",
            PlanError::HttpOnProxiedPort { .. } => {
                "make it a TCP listener too (`elbws apply` without --listener does), give it another instance port, \
                 or leave the port alone with --skip-instance-port"
            }
            PlanError::BackendAuthentication { .. } => {
                "the policy has no effect there: detach it first (`aws elb set-load-balancer-policies-for-backend-server`), \
                 or leave the port alone with --skip-instance-port"
            }
            PlanError::PolicyNameTaken { .. } => "choose another --policy-name, or leave the flag out",
            PlanError::UnknownSslPolicy { .. } => "for example --ssl-policy ELBSecurityPolicy-TLS-1-2-2017-01",
            PlanError::NotBehindTransport(_) => "`elbws show` lists the instance ports; name a listener with --listener",
            PlanError::IncludedAndSkipped(_) => "name the port once",
            PlanError::NoTransportListener => "`elbws apply` replaces the listeners too",
            PlanError::NothingToConvert(_) => {
                "name what you want, for example --listener SSL:443/TCP:80 (with --certificate ARN where the port has none)"
            }
            PlanError::BrokenJournal { .. } => {
                "if all listeners are as they should be (`elbws show`), remove the tag and run again; \
                 if one is missing, create it first with --listener"
            }
        }
    }
}
