//! What every cause looks at: what was seen, and the listener that the connection went through if the balancer is known.

use std::time::Duration;

use super::{BalancerView, Diagnosis};
use crate::model::Listener;
use crate::verify::seen::{ExchangeFailureKind, HttpSeen, Reply, Stage};
use crate::verify::{Observations, Target};

/// A cause is found by looking at a scene.
pub(super) type Rule = fn(&Scene<'_>) -> Option<Diagnosis>;

/// The first diagnosis of a list of rules.
pub(super) fn first(scene: &Scene<'_>, rules: &[Rule]) -> Option<Diagnosis> {
    rules.iter().find_map(|rule| rule(scene))
}

/// What was seen from both sides.
pub(super) struct Scene<'a> {
    pub(super) seen: &'a Observations,
    pub(super) view: Option<&'a BalancerView>,
}

impl<'a> Scene<'a> {
    pub(super) fn target(&self) -> &'a Target {
        &self.seen.target
    }

    /// The listener on the target's port. With another place to connect to it is still the one that is meant.
    pub(super) fn listener(&self) -> Option<&'a Listener> {
        self.view?.balancer.listeners.get(&self.target().port())
    }

    /// The listener, if it carries streams.
    pub(super) fn transport(&self) -> Option<&'a Listener> {
        self.listener().filter(|listener| listener.is_transport())
    }

    /// Whether the balancer sends the PROXY line through the listener; nothing if the balancer is not known.
    pub(super) fn is_proxied(&self) -> Option<bool> {
        let listener = self.listener()?;
        Some(listener.is_transport() && self.view?.balancer.is_proxied(listener.instance_port))
    }

    /// Whether the balancer says that an instance gets connections; nothing if that is not known.
    pub(super) fn is_in_service(&self) -> Option<bool> {
        let instances = self.view?.instances.as_ref()?;
        Some(instances.iter().any(|instance| instance.in_service))
    }

    /// What the upgrade saw, if it failed.
    pub(super) fn failed_upgrade(&self) -> Option<&'a HttpSeen> {
        self.seen.upgrade().filter(|_| !self.seen.passed(Stage::Upgrade))
    }

    /// The reply to an upgrade that failed.
    pub(super) fn refusal(&self) -> Option<&'a Reply> {
        self.failed_upgrade()?.reply.as_ref().filter(|reply| reply.status != 101)
    }

    /// The reply to the plain request.
    pub(super) fn plain_reply(&self) -> Option<&'a Reply> {
        self.seen.http()?.reply.as_ref()
    }

    /// Whether neither request got a reply because the connection was closed.
    pub(super) fn is_closed_twice(&self) -> bool {
        let closed = |seen: Option<&HttpSeen>| {
            let failure = seen.and_then(|seen| seen.failure.as_ref());
            failure.is_some_and(|failure| failure.kind == ExchangeFailureKind::Closed)
        };
        closed(self.seen.http()) && closed(self.failed_upgrade())
    }

    /// Whether both requests were answered with 400.
    pub(super) fn is_bad_request_twice(&self) -> bool {
        self.plain_reply().is_some_and(|reply| reply.status == 400)
            && self.refusal().is_some_and(|reply| reply.status == 400)
    }

    /// What happened to both requests, as evidence.
    pub(super) fn both_requests(&self) -> Vec<String> {
        let mut evidence = Vec::new();
        evidence.extend(self.seen.http().map(|seen| format!("the plain request was {}", answered(seen))));
        evidence.extend(self.seen.upgrade().map(|seen| format!("the upgrade was {}", answered(seen))));
        evidence
    }

    /// The listener, as evidence.
    pub(super) fn listener_evidence(&self) -> Vec<String> {
        self.listener().map(|listener| format!("the listener is {listener}")).into_iter().collect()
    }

    /// The command that repairs the balancer.
    pub(super) fn apply(&self) -> String {
        match self.view {
            Some(view) => format!("elbws apply --elb {}", view.balancer.name),
            None => "elbws apply --elb NAME".to_owned(),
        }
    }
}

/// How a request was answered: `answered with 400 Bad Request`.
pub(super) fn answered(seen: &HttpSeen) -> String {
    match (&seen.reply, &seen.failure) {
        (Some(reply), None) => format!("answered with {}{}", reply.line(), by(reply)),
        (Some(reply), Some(failure)) => format!("answered with {}: {}", reply.line(), failure.text),
        (None, Some(failure)) if failure.kind == ExchangeFailureKind::Closed => {
            "not answered: the connection was closed".to_owned()
        }
        (None, Some(failure)) => format!("not answered: {}", failure.text),
        (None, None) => "not answered".to_owned(),
    }
}

fn by(reply: &Reply) -> String {
    reply.header("server").map(|server| format!(" by {server}")).unwrap_or_default()
}

/// Seconds as people write them: `60 s`, `1.5 s`.
pub(super) fn seconds(duration: Duration) -> String {
    let tenths = (duration.as_secs_f64() * 10.0).round() / 10.0;
    format!("{tenths} s")
}
