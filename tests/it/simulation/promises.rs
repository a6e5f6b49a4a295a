//! What holds at every moment, whatever happens: nothing that nobody named is lost.

use std::collections::{BTreeMap, BTreeSet};

use elbws::model::{Balancer, DEFAULT_NEGOTIATION_POLICY, Policy};
use elbws::plan::is_journal_tag;
use elbws::spec::{ListenerIntent, ProxyProtocolIntent, Spec};

/// What must survive of a balancer, given what is asked of it.
pub(crate) struct Promises {
    before: Balancer,
    /// Every spec that is being applied, at the same time or one after the other.
    specs: Vec<Spec>,
    /// Whether somebody else may add tags and instances and change attributes.
    beside_others: bool,
}

impl Promises {
    pub(crate) fn new(before: &Balancer, specs: &[&Spec]) -> Self {
        Promises { before: before.clone(), specs: specs.iter().copied().cloned().collect(), beside_others: false }
    }

    /// The same while somebody else adds to the balancer: what was there is there.
    pub(crate) fn beside_others(self) -> Self {
        Promises { beside_others: true, ..self }
    }

    /// Whether nothing is lost now, and what is.
    pub(crate) fn hold(&self, now: &Balancer) -> Result<(), String> {
        self.policies(now)?;
        self.instance_ports(now)?;
        self.listeners(now)?;
        let foreign = |balancer: &Balancer| -> BTreeMap<String, String> {
            balancer.tags.clone().into_iter().filter(|(key, _)| !is_journal_tag(key)).collect()
        };
        let (tags, mut tags_now, mut instances_now) = (foreign(&self.before), foreign(now), now.instances.clone());
        if self.beside_others {
            tags_now.retain(|key, _| tags.contains_key(key));
            instances_now.retain(|id| self.before.instances.contains(id));
        }
        same("tags", &tags, &tags_now)?;
        let Balancer { instances, security_groups, subnets, availability_zones, dns_name, scheme, .. } = &self.before;
        same("instances", instances, &instances_now)?;
        same("security groups", security_groups, &now.security_groups)?;
        same("subnets", subnets, &now.subnets)?;
        same("zones", availability_zones, &now.availability_zones)?;
        same("DNS name", dns_name, &now.dns_name)?;
        same("scheme", scheme, &now.scheme)?;
        let attributes = |balancer: &Balancer| {
            let mut attributes = balancer.attributes.clone();
            attributes.idle_timeout = 0;
            attributes
        };
        same("attributes", &attributes(&self.before), &attributes(now))
    }

    /// No listener that was there is missing, except those that somebody asked to remove.
    pub(crate) fn no_listener_is_missing(&self, now: &Balancer) -> Result<(), String> {
        for (port, listener) in &self.before.listeners {
            let removed = self.specs.iter().any(|spec| spec.prune);
            if !removed && !now.listeners.contains_key(port) {
                return Err(format!("listener {listener} is missing for good"));
            }
        }
        Ok(())
    }

    /// Whether somebody wants proxy policies detached.
    pub(crate) fn detach(&self) -> bool {
        self.specs.iter().any(|spec| spec.prune || matches!(spec.proxy_protocol, ProxyProtocolIntent::Disable { .. }))
    }

    fn policies(&self, now: &Balancer) -> Result<(), String> {
        let own = format!("{}-proxy-protocol", self.before.name);
        for (name, policy) in &self.before.policies {
            match now.policies.get(name) {
                Some(found) if found == policy => {}
                None if name.starts_with(&own) && policy.enables_proxy_protocol() && self.detach() => {}
                other => return Err(format!("policy {name} was {policy:?} and is {other:?}")),
            }
        }
        Ok(())
    }

    fn instance_ports(&self, now: &Balancer) -> Result<(), String> {
        let is_foreign = |name: &&String| !self.before.policies.get(*name).is_some_and(Policy::is_proxy_protocol);
        for (port, names) in &self.before.backend_policies {
            let kept = now.policies_of_instance_port(*port);
            if let Some(lost) = names.iter().filter(is_foreign).find(|name| !kept.contains(*name)) {
                return Err(format!("policy {lost} is no longer on instance port {port}"));
            }
            if self.before.is_proxied(*port) && !now.is_proxied(*port) && !self.detach() {
                return Err(format!("instance port {port} gets no PROXY header any more"));
            }
        }
        Ok(())
    }

    fn listeners(&self, now: &Balancer) -> Result<(), String> {
        for (port, listener) in &self.before.listeners {
            let untouched = self.specs.iter().all(|spec| match &spec.listeners {
                ListenerIntent::Set(requests) => {
                    !spec.prune && requests.iter().all(|request| request.load_balancer_port != *port)
                }
                ListenerIntent::Keep => spec.certificate.is_none() && spec.ssl_policy.is_none(),
                ListenerIntent::Recipe => false,
            });
            let kept = self.specs.iter().all(|spec| match &spec.listeners {
                ListenerIntent::Set(requests) => {
                    !spec.prune && requests.iter().all(|request| request.load_balancer_port != *port)
                }
                ListenerIntent::Keep => true,
                ListenerIntent::Recipe => false,
            });
            let found = now.listeners.get(port);
            if untouched && found != Some(listener) || kept && !found.is_some_and(|found| found.same_route(listener)) {
                return Err(format!("nobody named listener {listener:?}, and it is {found:?}"));
            }
        }
        Ok(())
    }
}

/// The journal tags that are there.
pub(crate) fn journal(balancer: &Balancer) -> BTreeSet<&String> {
    balancer.tags.keys().filter(|key| is_journal_tag(key)).collect()
}

/// Whether two ends are one and the same.
pub(crate) fn same_end(expected: &Balancer, found: &Balancer) -> Result<(), String> {
    let Balancer {
        name: _,
        dns_name: _,
        scheme: _,
        vpc: _,
        listeners,
        backend_policies,
        policies,
        health_check,
        attributes,
        instances: _,
        security_groups: _,
        subnets: _,
        availability_zones: _,
        tags,
    } = expected;
    same("listeners", listeners, &found.listeners)?;
    same("instance ports", backend_policies, &found.backend_policies)?;
    // The service adds its own policy with the first listener that terminates TLS, one that is put back included.
    let without_default = |policies: &BTreeMap<String, Policy>| {
        let mut policies = policies.clone();
        policies.remove(DEFAULT_NEGOTIATION_POLICY);
        policies
    };
    same("policies", &without_default(policies), &without_default(&found.policies))?;
    same("health check", health_check, &found.health_check)?;
    same("attributes", attributes, &found.attributes)?;
    same("tags", tags, &found.tags)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    match expected == found {
        true => Ok(()),
        false => Err(format!("{what}: expected {expected:#?}, found {found:#?}")),
    }
}
