//! Aims the PROXY protocol: which instance ports get the header, and through which policy.

use std::collections::{BTreeMap, BTreeSet};

use super::digest::content_address;
use super::draft::Draft;
use super::{Address, NoteKind, PlanError};
use crate::model::{Listener, Policy, policy_type};
use crate::spec::recipe::service_without_proxy;
use crate::spec::{ListenerIntent, ProxyProtocolIntent, Spec};

/// Which instance ports a spec wants the PROXY header on.
pub(super) struct Selection<'a> {
    include: &'a BTreeSet<u16>,
    skip: &'a BTreeSet<u16>,
    only: &'a BTreeSet<u16>,
    enable: bool,
}

impl<'a> Selection<'a> {
    pub(super) fn of(spec: &'a Spec) -> Self {
        static NONE: BTreeSet<u16> = BTreeSet::new();
        match &spec.proxy_protocol {
            ProxyProtocolIntent::Enable { policy_name: _, include, skip, only } => {
                Selection { include, skip, only, enable: true }
            }
            ProxyProtocolIntent::Keep | ProxyProtocolIntent::Disable { .. } => {
                Selection { include: &NONE, skip: &NONE, only: &NONE, enable: false }
            }
        }
    }

    fn names(&self, port: u16) -> bool {
        self.include.contains(&port) || self.only.contains(&port)
    }

    /// Whether the port gets the header if a TCP or SSL listener reaches it.
    pub(super) fn wants(&self, port: u16) -> bool {
        self.enable
            && !self.skip.contains(&port)
            && (self.only.is_empty() || self.only.contains(&port))
            && (self.names(port) || service_without_proxy(port).is_none())
    }
}

pub(super) fn aim(draft: &mut Draft) -> Result<(), PlanError> {
    let spec = draft.spec;
    match &spec.proxy_protocol {
        ProxyProtocolIntent::Keep => {}
        ProxyProtocolIntent::Enable { policy_name, .. } => enable(draft, policy_name.as_deref())?,
        ProxyProtocolIntent::Disable { only } => disable(draft, only),
    }
    if spec.prune {
        prune(draft);
    }
    warn_of_leftovers(draft);
    check_backend_authentication(draft)
}

/// A set that changes is written whole, and the service refuses one with back-end authentication where a back end is plain
/// (elb-facts 2.1). Such a policy stays behind when an encrypted listener goes.
fn check_backend_authentication(draft: &Draft) -> Result<(), PlanError> {
    for (port, names) in &draft.target.backend_policies {
        let authenticates = |name: &&String| {
            let policy = draft.target.policies.get(*name);
            policy.is_some_and(|policy| policy.policy_type == policy_type::BACKEND_AUTHENTICATION)
        };
        let mut users = draft.target.listeners.values().filter(|listener| listener.instance_port == *port);
        let plain = users.find(|listener| !listener.instance_protocol.is_secure());
        if *names != draft.live.policies_of_instance_port(*port)
            && let (Some(policy), Some(listener)) = (names.iter().find(authenticates), plain)
        {
            return Err(PlanError::BackendAuthentication {
                port: *port,
                policy: policy.clone(),
                listener: listener.to_string(),
            });
        }
    }
    Ok(())
}

fn enable(draft: &mut Draft, policy_name: Option<&str>) -> Result<(), PlanError> {
    let selection = Selection::of(draft.spec);
    if let Some(port) = selection.include.union(selection.only).find(|port| selection.skip.contains(port)) {
        return Err(PlanError::IncludedAndSkipped(*port));
    }
    let keeps_listeners = draft.spec.listeners == ListenerIntent::Keep;
    if keeps_listeners && !draft.target.listeners.values().any(Listener::is_transport) {
        return Err(PlanError::NoTransportListener);
    }
    let ports = candidates(draft, &selection)?;
    for port in ports {
        check_no_http(draft, port)?;
        if draft.target.is_proxied(port) {
            continue;
        }
        let name = policy(draft, policy_name)?;
        let switched_off: Vec<String> = (draft.known.policies_of_instance_port(port).into_iter())
            .filter(|name| draft.known.policies.get(name).is_some_and(Policy::is_proxy_protocol))
            .collect();
        let attached = draft.target.backend_policies.entry(port).or_default();
        attached.retain(|name| !switched_off.contains(name));
        attached.insert(name);
        if let Some(name) = switched_off.first() {
            let why = format!("{name} is a proxy policy too, but switched off");
            draft.reason(Address::InstancePort(port), why);
        }
        let text = format!(
            "the web server on instance port {port} must accept the PROXY protocol (elbws backend nginx --elb {})",
            draft.live.name
        );
        draft.note(NoteKind::Before, text);
    }
    Ok(())
}

/// Instance ports that shall have the header, with a note for each that the recipe leaves out.
fn candidates(draft: &mut Draft, selection: &Selection) -> Result<BTreeSet<u16>, PlanError> {
    let mut ports = BTreeSet::new();
    let listeners: Vec<Listener> = draft.target.listeners.values().cloned().collect();
    let reached: BTreeSet<u16> = listeners
        .iter()
        .filter(|listener| {
            listener.is_transport()
                && (draft.is_about(listener.load_balancer_port) || selection.names(listener.instance_port))
        })
        .map(|listener| listener.instance_port)
        .collect();
    if let Some(port) = selection.include.union(selection.only).find(|port| !reached.contains(port)) {
        return Err(PlanError::NotBehindTransport(*port));
    }
    for port in reached {
        let encrypted =
            listeners.iter().any(|listener| listener.instance_port == port && listener.instance_protocol.is_secure());
        if !selection.wants(port) {
            let service =
                service_without_proxy(port).filter(|_| !draft.known.is_proxied(port) && !selection.skip.contains(&port));
            if let Some(service) = service.filter(|_| selection.only.is_empty()) {
                draft.note(
                    NoteKind::Note,
                    format!(
                        "instance port {port} gets no PROXY header: {service} cannot read it. \
                         If something else answers there, add --instance-port {port}"
                    ),
                );
            }
        } else if !encrypted {
            ports.insert(port);
        } else if selection.names(port) {
            draft.note(
                NoteKind::Warning,
                format!(
                    "the PROXY header for instance port {port} travels inside the TLS stream, where nginx cannot read it"
                ),
            );
            ports.insert(port);
        }
    }
    Ok(ports)
}

/// An HTTP listener never sends the header, so it must not share an instance port that expects it.
fn check_no_http(draft: &Draft, port: u16) -> Result<(), PlanError> {
    let of_port = || draft.target.listeners.values().filter(move |listener| listener.instance_port == port);
    let http = of_port().find(|listener| listener.protocol.is_application());
    let transport = of_port().find(|listener| listener.is_transport());
    match (http, transport) {
        (Some(http), Some(transport)) => {
            Err(PlanError::HttpOnProxiedPort { port, http: http.to_string(), transport: transport.to_string() })
        }
        _ => Ok(()),
    }
}

/// The proxy policy to attach: one that is there, recognised by type and attribute, or a new one.
fn policy(draft: &mut Draft, wanted: Option<&str>) -> Result<String, PlanError> {
    let policies = &draft.target.policies;
    let default = default_policy_name(&draft.live.name);
    let preferred = wanted.unwrap_or(&default);
    if let Some(taken) = policies.get(preferred).filter(|policy| wanted.is_some() && !policy.enables_proxy_protocol()) {
        return Err(PlanError::PolicyNameTaken { name: preferred.to_owned(), policy_type: taken.policy_type.clone() });
    }
    let fits = |name: &&str| policies.get(*name).is_some_and(Policy::enables_proxy_protocol);
    let adopted = Some(preferred).filter(fits).or_else(|| policies.keys().map(String::as_str).find(fits));
    if let Some(name) = adopted {
        return Ok(name.to_owned());
    }
    let policy = Policy::proxy_protocol();
    let name = match wanted {
        Some(name) => name.to_owned(),
        None if policies.contains_key(&default) => format!("{default}-{}", content_address(&policy)),
        None => default,
    };
    draft.target.policies.insert(name.clone(), policy);
    Ok(name)
}

fn default_policy_name(balancer: &str) -> String {
    format!("{balancer}-proxy-protocol")
}

fn disable(draft: &mut Draft, only: &BTreeSet<u16>) {
    let ports: Vec<u16> = draft.known.backend_policies.keys().copied().collect();
    for port in ports.into_iter().filter(|port| only.is_empty() || only.contains(port)) {
        if draft.known.is_proxied(port) {
            detach(draft, port);
            draft.reason(Address::InstancePort(port), "the PROXY protocol is disabled on this port");
            let text = format!("the web server on instance port {port} must no longer expect the PROXY protocol");
            draft.note(NoteKind::Before, text);
        }
    }
    let without: Vec<u16> = only.iter().copied().filter(|port| !draft.known.is_proxied(*port)).collect();
    for port in without {
        draft.note(NoteKind::Note, format!("instance port {port} has no proxy policy"));
    }
    delete_own_unattached(draft);
}

/// Says where a policy stays on an instance port whose listeners no longer send the header.
fn warn_of_leftovers(draft: &mut Draft) {
    let sends = |listeners: &BTreeMap<u16, Listener>, port: u16| {
        listeners.values().any(|listener| listener.instance_port == port && listener.is_transport())
    };
    let left = draft.target.backend_policies.keys().copied().filter(|port| {
        draft.target.is_proxied(*port) && sends(&draft.known.listeners, *port) && !sends(&draft.target.listeners, *port)
    });
    for port in left.collect::<Vec<_>>() {
        let text = format!(
            "the proxy policy stays on instance port {port}, and no listener sends the header there any more: the web server \
             must no longer expect it. `elbws proxy-protocol disable --instance-port {port}` detaches the policy"
        );
        draft.note(NoteKind::Warning, text);
    }
}

/// Detaches proxy policies from instance ports that no TCP or SSL listener reaches: they outlive their listeners, and would
/// surprise the next one (elb-facts 2.1).
fn prune(draft: &mut Draft) {
    let ports: Vec<u16> = draft.target.backend_policies.keys().copied().collect();
    for port in ports {
        let reached =
            draft.target.listeners.values().any(|listener| listener.instance_port == port && listener.is_transport());
        if !reached && draft.target.is_proxied(port) {
            detach(draft, port);
            draft.reason(Address::InstancePort(port), "no TCP or SSL listener reaches this port");
        }
    }
    delete_own_unattached(draft);
}

fn detach(draft: &mut Draft, port: u16) {
    let proxy: Vec<String> = draft.target.proxy_policies(port).map(str::to_owned).collect();
    if let Some(attached) = draft.target.backend_policies.get_mut(&port) {
        attached.retain(|name| !proxy.contains(name));
    }
    draft.target.backend_policies.retain(|_, names| !names.is_empty());
}

/// Deletes proxy policies under our own name that nothing refers to any more. Their content is known, so this can be put back.
fn delete_own_unattached(draft: &mut Draft) {
    let own = default_policy_name(&draft.live.name);
    let content_addressed = format!("{own}-{}", content_address(&Policy::proxy_protocol()));
    for name in [own, content_addressed] {
        let ours = draft.target.policies.get(&name).is_some_and(Policy::enables_proxy_protocol);
        if ours && !draft.target.is_attached(&name) {
            draft.target.policies.remove(&name);
            draft.reason(Address::Policy(name), "nothing refers to it any more");
        }
    }
}
