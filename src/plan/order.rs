//! The order of the steps, each rule with its reason.
//!
//! 1. Journal first: nothing may be deleted whose definition is not kept, and a run that may not write tags fails here,
//!    before it has changed anything.
//! 2. Health check, idle timeout, policies: they harm nobody, and what follows needs them. An HTTP check must be gone before
//!    the header arrives, since it takes every instance out of service.
//! 3. Attach to instance ports that carry no TCP or SSL traffic yet: an HTTP listener never sends the header (elb-facts 2.2),
//!    so this is invisible until the listener is replaced, and then the first connection already has the header.
//!    In-place changes of listeners go with it.
//! 4. Remove listeners, then replace and create them one at a time, so that at most one port is closed. Listeners that change an
//!    instance port from plain to encrypted or back go together: the service refuses a mixture (elb-facts 1.3).
//! 5. Attach where TCP or SSL traffic is live: from here on new connections carry the header.
//! 6. Detach, then delete policies: the service refuses to delete an attached one (elb-facts 2.1).
//! 7. Remove what an interrupted run left in the tags: all is in place now.

use std::collections::{BTreeMap, BTreeSet};

use super::digest::comparable;
use super::draft::Draft;
use super::listener_policies::without_default_policy;
use super::{Address, Group, Stage, Step, journal};
use crate::model::{Balancer, Listener, policy_type};

pub(super) fn stages(draft: &Draft) -> Vec<Stage> {
    let difference = Difference { draft, live: comparable(draft.live), target: comparable(&draft.target) };
    let mut stages = vec![difference.journal(), difference.preparations()];
    let (attach_now, attach_live, detach) = difference.attachments();
    let mut in_place = difference.in_place();
    in_place.extend(attach_now);
    stages.push(in_place);
    stages.push(difference.removals());
    stages.extend(difference.clusters().iter().map(|ports| vec![difference.replacement(ports)]));
    stages.extend([attach_live, detach, difference.stale_policies(), difference.leftovers()]);
    stages.retain(|groups| !groups.is_empty());
    stages.into_iter().map(|groups| Stage { groups }).collect()
}

/// What the steps have to bridge; both sides in the form in which equal means equivalent.
struct Difference<'a> {
    draft: &'a Draft<'a>,
    live: Balancer,
    target: Balancer,
}

/// A group of one call.
fn group(about: impl ToString, step: Step) -> Group {
    Group { about: about.to_string(), steps: vec![step], restore: Vec::new() }
}

impl Difference<'_> {
    /// Load balancer ports whose listener is deleted and created again.
    fn replaced(&self) -> BTreeSet<u16> {
        let differs = |(port, live): (&u16, &Listener)| {
            self.target.listeners.get(port).is_some_and(|target| !target.same_route(live)).then_some(*port)
        };
        self.live.listeners.iter().filter_map(differs).collect()
    }

    /// Load balancer ports that get a listener and have none.
    fn created(&self) -> BTreeSet<u16> {
        self.target.listeners.keys().filter(|port| !self.live.listeners.contains_key(port)).copied().collect()
    }

    /// The tags to write for a load balancer port before its listener is touched: the definition of one that is deleted, a
    /// mark for a new one that terminates TLS or could stand in the way of one that is deleted.
    fn journal_tags(&self, port: u16) -> BTreeMap<String, String> {
        let known = self.draft.known.listeners.get(&port);
        let live = self.live.listeners.get(&port);
        match (known, live, self.target.listeners.get(&port)) {
            _ if !self.draft.spec.journal => BTreeMap::new(),
            (Some(known), Some(live), Some(target)) if !live.same_route(target) => {
                let is_new = self.draft.journal.new.contains(&port);
                journal::encode(known).into_iter().chain(is_new.then(|| journal::encode_still_new(port))).collect()
            }
            (None, None, Some(target)) if !target.policies.is_empty() || self.is_clustered(port) => {
                journal::encode_new(port)
            }
            _ => BTreeMap::new(),
        }
    }

    fn journal(&self) -> Vec<Group> {
        let tags: BTreeMap<_, _> = self.target.listeners.keys().flat_map(|port| self.journal_tags(*port)).collect();
        // Written even where they seem to be there: a read may show what was there a moment ago.
        match tags.is_empty() {
            true => Vec::new(),
            false => vec![group("journal", Step::AddTags { tags })],
        }
    }

    fn preparations(&self) -> Vec<Group> {
        let mut groups = Vec::new();
        if self.live.health_check != self.target.health_check
            && let Some(health_check) = self.target.health_check.clone()
        {
            groups.push(group(Address::HealthCheck, Step::ConfigureHealthCheck { health_check }));
        }
        let seconds = self.target.attributes.idle_timeout;
        if self.live.attributes.idle_timeout != seconds {
            groups.push(group(Address::IdleTimeout, Step::SetIdleTimeout { seconds }));
        }
        for (name, policy) in self.target.policies.iter().filter(|(name, _)| !self.live.policies.contains_key(*name)) {
            let step = Step::CreatePolicy { name: name.clone(), policy: policy.clone() };
            groups.push(group(format!("policy {name}"), step));
        }
        groups
    }

    /// Attachments to make before the listeners change, after it, and detachments.
    fn attachments(&self) -> (Vec<Group>, Vec<Group>, Vec<Group>) {
        let (mut now, mut live, mut detach) = (Vec::new(), Vec::new(), Vec::new());
        for (port, step) in self.backend_steps() {
            let adds = self.adds_backend_policies(port);
            let carries_traffic = self.live_users(port).any(Listener::is_transport) || self.waits_for_encryption(port);
            let group = group(Address::InstancePort(port), step);
            match (adds, carries_traffic) {
                (true, false) if self.first_user(port).is_none() => now.push(group),
                (true, false) => {}
                (true, true) => live.push(group),
                (false, _) => detach.push(group),
            }
        }
        (now, live, detach)
    }

    fn live_users(&self, instance_port: u16) -> impl Iterator<Item = &Listener> {
        self.live.listeners.values().filter(move |listener| listener.instance_port == instance_port)
    }

    /// Whether a set goes with encrypted back ends only, and a plain one is live: the service refuses it until that is replaced.
    fn waits_for_encryption(&self, instance_port: u16) -> bool {
        let authenticates = |name: &String| {
            let policy = self.target.policies.get(name);
            policy.is_some_and(|policy| policy.policy_type == policy_type::BACKEND_AUTHENTICATION)
        };
        self.target.policies_of_instance_port(instance_port).iter().any(authenticates)
            && self.live_users(instance_port).any(|listener| !listener.instance_protocol.is_secure())
    }

    fn adds_backend_policies(&self, port: u16) -> bool {
        !self.live.policies_of_instance_port(port).is_superset(&self.target.policies_of_instance_port(port))
    }

    fn backend_steps(&self) -> BTreeMap<u16, Step> {
        let ports: BTreeSet<u16> =
            self.live.backend_policies.keys().chain(self.target.backend_policies.keys()).copied().collect();
        let step = |port| {
            let policies = self.target.policies_of_instance_port(port);
            (self.live.policies_of_instance_port(port) != policies)
                .then_some((port, Step::SetBackendPolicies { instance_port: port, policies }))
        };
        ports.into_iter().filter_map(step).collect()
    }

    /// For an instance port that no live listener reaches, the load balancer port whose new listener reaches it first. It is
    /// undocumented whether a policy can be attached earlier (elb-facts 7), so its attachment follows that creation.
    fn first_user(&self, instance_port: u16) -> Option<u16> {
        if self.live.uses_instance_port(instance_port) {
            return None;
        }
        let order = self.clusters();
        order
            .into_iter()
            .flatten()
            .find(|port| self.target.listeners.get(port).is_some_and(|listener| listener.instance_port == instance_port))
    }

    fn in_place(&self) -> Vec<Group> {
        let mut groups = Vec::new();
        for (port, target) in &self.target.listeners {
            let Some(live) = self.live.listeners.get(port).filter(|live| live.same_route(target)) else { continue };
            let mut steps = Vec::new();
            if let Some(certificate) =
                target.certificate.clone().filter(|certificate| live.certificate.as_ref() != Some(certificate))
            {
                steps.push(Step::SetListenerCertificate { load_balancer_port: *port, certificate });
            }
            if live.policies != target.policies {
                steps.push(self.listener_policies(*port));
            }
            if !steps.is_empty() {
                groups.push(Group { about: Address::Listener(*port).to_string(), steps, restore: Vec::new() });
            }
        }
        groups
    }

    /// The whole policy set of a target listener, as the service shall hold it.
    fn listener_policies(&self, port: u16) -> Step {
        let policies = self.draft.target.listeners[&port].policies.clone();
        Step::SetListenerPolicies { load_balancer_port: port, policies }
    }

    /// Load balancer ports whose listeners are removed.
    fn removed(&self) -> impl Iterator<Item = u16> {
        self.live.listeners.keys().filter(|port| !self.target.listeners.contains_key(port)).copied()
    }

    /// What an interrupted run noted of a listener goes before the listener does: nobody shall put it back.
    fn removals(&self) -> Vec<Group> {
        let removal = |port| {
            let noted = self.draft.journal.keys.get(&port).map(|keys| Step::RemoveTags { keys: keys.clone() });
            let steps = noted.into_iter().chain([Step::DeleteListener { load_balancer_port: port }]).collect();
            Group { about: Address::Listener(port).to_string(), steps, restore: Vec::new() }
        };
        self.removed().map(removal).collect()
    }

    /// Load balancer ports to replace or create, those together that must change together.
    fn clusters(&self) -> Vec<BTreeSet<u16>> {
        let mut clusters: Vec<BTreeSet<u16>> =
            self.replaced().union(&self.created()).map(|port| BTreeSet::from([*port])).collect();
        let users = |balancer: &Balancer, instance_port: u16| -> BTreeMap<u16, bool> {
            let of_port = balancer.listeners.values().filter(|listener| listener.instance_port == instance_port);
            of_port.map(|listener| (listener.load_balancer_port, listener.instance_protocol.is_secure())).collect()
        };
        let instance_ports: BTreeSet<u16> = self.target.listeners.values().map(|listener| listener.instance_port).collect();
        for instance_port in instance_ports {
            let (before, after) = (users(&self.live, instance_port), users(&self.target, instance_port));
            if before.values().any(|secure| after.values().any(|other| other != secure)) {
                let ports: BTreeSet<u16> = before.into_keys().chain(after.into_keys()).collect();
                let (together, mut apart): (Vec<_>, Vec<_>) =
                    clusters.into_iter().partition(|cluster| !cluster.is_disjoint(&ports));
                apart.extend((!together.is_empty()).then(|| together.into_iter().flatten().collect()));
                clusters = apart;
            }
        }
        clusters.sort();
        clusters
    }

    fn is_clustered(&self, port: u16) -> bool {
        self.clusters().iter().any(|cluster| cluster.len() > 1 && cluster.contains(&port))
    }

    /// Deletes, creates and equips the listeners of a cluster; puts the old ones back if a new one cannot be created.
    fn replacement(&self, ports: &BTreeSet<u16>) -> Group {
        let mut steps = Vec::new();
        let mut restore = Vec::new();
        let replaced: BTreeSet<u16> = self.replaced().intersection(ports).copied().collect();
        // What a restore puts back: listeners this group deletes, and those an interrupted run had deleted.
        let old =
            |port: &u16| self.draft.known.listeners.get(port).filter(|old| !old.same_route(&self.target.listeners[port]));
        steps.extend(replaced.iter().map(|port| Step::DeleteListener { load_balancer_port: *port }));
        if ports.len() > 1 {
            // A new listener that was created before the failure may stand in an old one's way.
            restore.extend(ports.iter().map(|port| Step::DeleteListener { load_balancer_port: *port }));
        }
        for port in ports {
            steps.push(Step::CreateListener { listener: bare(&self.target.listeners[port]) });
            restore.extend(old(port).map(|old| Step::CreateListener { listener: bare(old) }));
        }
        let backend_steps = self.backend_steps();
        steps.extend(backend_steps.into_iter().filter_map(|(instance_port, step)| {
            let user = self.first_user(instance_port).filter(|_| self.adds_backend_policies(instance_port));
            user.filter(|user| ports.contains(user)).map(|_| step)
        }));
        for port in ports {
            if !self.target.listeners[port].policies.is_empty() {
                steps.push(self.listener_policies(*port));
            }
            if let Some(old) = old(port).filter(|old| !without_default_policy(&old.policies).is_empty()) {
                restore.push(Step::SetListenerPolicies { load_balancer_port: *port, policies: old.policies.clone() });
            }
        }
        if ports.iter().all(|port| old(port).is_none()) {
            restore.clear();
        }
        // A restore leaves the tags: the state is then one on the way of this plan, and the next run takes them away.
        let keys = self.journal_keys(ports);
        if !keys.is_empty() {
            steps.push(Step::RemoveTags { keys });
        }
        let about: Vec<String> = ports.iter().map(|port| Address::Listener(*port).to_string()).collect();
        Group { about: about.join(", "), steps, restore }
    }

    /// Tags that hold definitions of these listeners: those this plan writes, and those an interrupted run left.
    fn journal_keys(&self, ports: &BTreeSet<u16>) -> BTreeSet<String> {
        let mut keys: BTreeSet<String> =
            ports.iter().filter_map(|port| self.draft.journal.keys.get(port)).flatten().cloned().collect();
        keys.extend(ports.iter().flat_map(|port| self.journal_tags(*port)).map(|(key, _)| key));
        keys
    }

    fn stale_policies(&self) -> Vec<Group> {
        let gone = self.live.policies.keys().filter(|name| !self.target.policies.contains_key(*name));
        gone.map(|name| group(format!("policy {name}"), Step::DeletePolicy { name: name.clone() })).collect()
    }

    /// Tags of an interrupted run whose listeners need no further work.
    fn leftovers(&self) -> Vec<Group> {
        let worked_on: BTreeSet<u16> = self.clusters().into_iter().flatten().chain(self.removed()).collect();
        let left = self.draft.journal.keys.iter().filter(|(port, _)| !worked_on.contains(port));
        let keys: BTreeSet<String> = left.flat_map(|(_, keys)| keys).cloned().collect();
        match keys.is_empty() {
            true => Vec::new(),
            false => {
                vec![group("journal", Step::RemoveTags { keys })]
            }
        }
    }
}

/// A listener as it is created: its policies are set by a step of their own.
fn bare(listener: &Listener) -> Listener {
    Listener { policies: BTreeSet::new(), ..listener.clone() }
}
