//! Switches: what AWS leaves undocumented, or documents in two ways, one named choice each (elb-facts 7).
//!
//! A default is the likelier behaviour; a client that is to be trusted must work with both sides.

use serde::{Deserialize, Serialize};

/// How the sandbox behaves where the real service's behaviour is not known for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The highest idle timeout in seconds: 3600 (the service model) or 4000 (the user guide; the default).
    pub idle_timeout_ceiling: u32,
    /// The most tags a balancer can have: 10 (the service model) or 50 (the user guide; the default).
    pub tag_quota: u32,
    /// Setting policies on an instance port that no listener uses: accepted (the default) or refused.
    pub unused_instance_port: UnusedInstancePort,
    /// `CreateLoadBalancerPolicy` repeated with the same content: silent (the default) or `DuplicatePolicyName`.
    pub identical_policy: IdenticalPolicy,
    /// The casing in which boolean policy attributes read back: as they were sent (the default) or in lower case.
    pub boolean_echo: BooleanEcho,
    /// Whether `CreateLoadBalancerListeners` for a port in use is `DuplicateListener` when only the instance protocol
    /// differs: true (the default), or false: the call succeeds and changes nothing.
    pub instance_protocol_makes_duplicate: bool,
    /// The instance protocol of a listener that is created without one.
    pub instance_protocol_default: InstanceProtocolDefault,
    /// Whether a TCP health check of an instance port with a proxy policy sends the PROXY line: true (the default, which one
    /// capture shows), or false: it connects and says nothing.
    pub tcp_check_sends_proxy: bool,
    /// Open connections of a listener that is deleted: cut (the default) or kept.
    pub deleted_listener: DeletedListener,
}

/// Setting policies on an instance port that no listener uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnusedInstancePort {
    /// The policies are set and wait for a listener.
    Accept,
    /// `InvalidConfigurationRequest`; clearing a port is accepted all the same, since policies outlive listeners.
    Reject,
}

/// What creating a policy again with the same content does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdenticalPolicy {
    /// Nothing, successfully.
    Silent,
    /// `DuplicatePolicyName`.
    Error,
}

/// The casing in which boolean policy attributes read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BooleanEcho {
    /// `True` stays `True`.
    AsSent,
    /// `True` becomes `true`.
    LowerCase,
}

/// Open connections of a listener that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletedListener {
    /// They are closed.
    CutsConnections,
    /// TCP and SSL connections go on until they end by themselves; HTTP connections end after the request under way.
    KeepsConnections,
}

/// The instance protocol of a listener that is created without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceProtocolDefault {
    /// The listener's own protocol: SSL gives SSL, HTTPS gives HTTPS.
    SameProtocol,
    /// The plain protocol of its layer: SSL gives TCP, HTTPS gives HTTP.
    PlainProtocol,
}

impl Default for Switches {
    fn default() -> Self {
        Switches {
            idle_timeout_ceiling: 4000,
            tag_quota: 50,
            unused_instance_port: UnusedInstancePort::Accept,
            identical_policy: IdenticalPolicy::Silent,
            boolean_echo: BooleanEcho::AsSent,
            instance_protocol_makes_duplicate: true,
            instance_protocol_default: InstanceProtocolDefault::SameProtocol,
            tcp_check_sends_proxy: true,
            deleted_listener: DeletedListener::CutsConnections,
        }
    }
}
