//! The policy that makes the balancer send the PROXY header, and the instance ports it is, or is not, attached to.

use crate::audit::check::Findings;
use crate::audit::repair::Repair;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};
use crate::model::names::list;
use crate::model::{Policy, service_without_proxy};

const POLICIES: &[Source] = &[Source::Policies];
const NEEDS: &[Read] = &[Read::Listing, Read::Policies];

pub(super) const NO_HEADER: Check = Check {
    rule: Rule {
        id: "ELBWS004",
        severity: Severity::Error,
        title: "TCP or SSL listener without the PROXY header",
        why: "A TCP or SSL listener adds no X-Forwarded-For. Without a policy of type ProxyProtocolPolicyType on its instance port \
              the server sees the balancer's address in place of every client's: logs, rate limits and bans are about the \
              balancer. And a server that already expects the PROXY header closes every connection that comes without it.",
        remedy: "Make the server accept the PROXY protocol, then attach the policy to the instance port: `elbws apply`, or \
                 `elbws proxy-protocol enable`. The AWS console cannot attach it. Ports of SSH, databases and other well-known \
                 services that cannot read the header are never reported.",
        needs: NEEDS,
        fixed_by_apply: true,
    },
    sources: POLICIES,
    look: no_header,
};

pub(super) const ATTACHED_NOWHERE: Check = Check {
    rule: Rule {
        id: "ELBWS005",
        severity: Severity::Warning,
        title: "PROXY protocol policy attached nowhere",
        why: "A policy does nothing until it is attached to an instance port, in a call of its own. One that merely exists is \
              mostly a set-up that stopped half-way: it looks right in the list of policies, and no header is sent.",
        remedy: "Attach it (`elbws apply` adopts it where an instance port needs one), or delete it: `aws elb \
                 delete-load-balancer-policy`.",
        needs: NEEDS,
        fixed_by_apply: true,
    },
    sources: POLICIES,
    look: attached_nowhere,
};

pub(super) const SWITCHED_OFF: Check = Check {
    rule: Rule {
        id: "ELBWS006",
        severity: Severity::Error,
        title: "PROXY protocol policy attached with ProxyProtocol=false",
        why: "The policy's type and place look right, and its one attribute says false: no header is sent.",
        remedy: "Policies cannot be edited. Create one with ProxyProtocol=true and attach it in place of this one, as `elbws \
                 apply` does.",
        needs: NEEDS,
        fixed_by_apply: true,
    },
    sources: POLICIES,
    look: switched_off,
};

pub(super) const INSIDE_TLS: Check = Check {
    rule: Rule {
        id: "ELBWS007",
        severity: Severity::Error,
        title: "PROXY header inside the TLS stream to the instance",
        why: "With an SSL back end the balancer opens TLS to the instance and sends the PROXY header inside it. nginx and most \
              other servers expect the header before TLS begins, and fail with \"broken header\" and binary bytes.",
        remedy: "Let the back end be TCP on the server's plain port, for example `elbws apply --listener SSL:443/TCP:80`; or \
                 detach the policy from this instance port.",
        needs: NEEDS,
        fixed_by_apply: false,
    },
    sources: POLICIES,
    look: inside_tls,
};

pub(super) const WITHOUT_LISTENER: Check = Check {
    rule: Rule {
        id: "ELBWS008",
        severity: Severity::Warning,
        title: "Policy on an instance port that no listener reaches",
        why: "Policies of an instance port outlive its listeners. The next listener that is created for the port finds them there \
              and sends a PROXY header that its server may not expect.",
        remedy: "Clear the port: `elbws proxy-protocol disable --instance-port PORT`, or `elbws apply --prune`. Before that, make \
                 sure that the listener was removed on purpose.",
        needs: &[Read::Listing],
        fixed_by_apply: false,
    },
    sources: &[],
    look: without_listener,
};

fn no_header(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let proxied = subject.proxied_ports()?;
    let repair = Repair::of(subject)?;
    for port in subject.listed.instance_ports() {
        let names: Vec<String> = (subject.listed.reaching(port))
            .filter(|listener| listener.is_transport() && !listener.instance_protocol.is_secure())
            .map(ToString::to_string)
            .collect();
        let excused = proxied.contains(&port) || service_without_proxy(port).is_some();
        if names.is_empty() || excused || !switched_off_policies(subject, port)?.is_empty() {
            continue;
        }
        let names = names.join(" and ");
        let message = format!("{names}: no policy makes the balancer send the PROXY header to instance port {port}");
        findings.note(Place::InstancePort(port), message).fixed_by_apply = repair.attaches(port);
    }
    Ok(())
}

fn attached_nowhere(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    if subject.listed.policy_names.is_empty() {
        return Ok(());
    }
    let adopted = Repair::of(subject)?.adopts(subject)?;
    for (name, policy) in subject.policies()? {
        if policy.enables_proxy_protocol() && !subject.listed.is_attached(name) {
            let message = format!("policy {name} is attached to no instance port, so it does nothing");
            findings.note(Place::Policy(name.clone()), message).fixed_by_apply = adopted == Some(name.as_str());
        }
    }
    Ok(())
}

fn switched_off(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let proxied = subject.proxied_ports()?;
    let repair = Repair::of(subject)?;
    for port in subject.listed.instance_ports().into_iter().filter(|port| !proxied.contains(port)) {
        let off = switched_off_policies(subject, port)?;
        if !off.is_empty() {
            let message =
                format!("instance port {port} has policy {} attached, which says ProxyProtocol=false", off.join(", "));
            findings.note(Place::InstancePort(port), message).fixed_by_apply = repair.attaches(port);
        }
    }
    Ok(())
}

/// Names of policies on an instance port that are of the right type and do not enable.
fn switched_off_policies(subject: &Subject, port: u16) -> Result<Vec<&str>, Missing> {
    let Some(attached) = subject.listed.backend_policies.get(&port) else { return Ok(Vec::new()) };
    let policies = subject.policies()?;
    let off = |policy: &Policy| policy.is_proxy_protocol() && !policy.enables_proxy_protocol();
    Ok(attached.iter().filter(|name| policies.get(*name).is_some_and(off)).map(String::as_str).collect())
}

fn inside_tls(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    for port in subject.proxied_ports()? {
        let encrypted = subject.listed.reaching(port).find(|one| one.is_transport() && one.instance_protocol.is_secure());
        if let Some(listener) = encrypted {
            let message = format!("{listener} sends the PROXY header to instance port {port} inside the TLS stream");
            findings.note(Place::InstancePort(port), message);
        }
    }
    Ok(())
}

fn without_listener(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    for (port, names) in &subject.listed.backend_policies {
        if subject.listed.reaching(*port).next().is_none() {
            let message =
                format!("no listener reaches instance port {port}, and policy {} stays attached to it", list(names));
            findings.note(Place::InstancePort(*port), message);
        }
    }
    Ok(())
}
