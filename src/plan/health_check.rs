//! Aims the health check: one that would fail on a port that gets the PROXY header becomes TCP.

use super::draft::Draft;
use super::{Address, NoteKind};
use crate::model::{HealthCheck, HealthCheckTarget, Protocol};
use crate::spec::HealthCheckIntent;

pub(super) fn aim(draft: &mut Draft) {
    let spec = draft.spec;
    match &spec.health_check {
        HealthCheckIntent::Set(target) => set(draft, target),
        HealthCheckIntent::Keep => {}
        HealthCheckIntent::Adapt => adapt(draft),
    }
    if let Some(HealthCheck { target, .. }) = draft.target.health_check.clone()
        && fails(draft, &target)
        && spec.asks_for_proxy()
    {
        let text = format!(
            "health check {target} carries no PROXY header: it will fail on instance port {} and take every instance \
             out of service. Use TCP:{}, or a check on a port of its own",
            target.port, target.port
        );
        draft.note(NoteKind::Warning, text);
    }
}

fn set(draft: &mut Draft, target: &HealthCheckTarget) {
    // The values the service starts with (elb-facts 2.4), for a compatible service that reports no check.
    let known = draft.known.health_check.clone().unwrap_or(HealthCheck {
        target: target.clone(),
        interval: 30,
        timeout: 5,
        unhealthy_threshold: 2,
        healthy_threshold: 10,
    });
    draft.target.health_check = Some(HealthCheck { target: target.clone(), ..known });
}

fn adapt(draft: &mut Draft) {
    let Some(known) = draft.known.health_check.clone().filter(|known| fails(draft, &known.target)) else { return };
    let HealthCheckTarget { protocol, port, path: _ } = known.target;
    let article = if protocol == Protocol::Tcp { "a" } else { "an" };
    let why = format!("{article} {protocol} check carries no PROXY header and would fail on instance port {port}");
    draft.reason(Address::HealthCheck, why);
    draft.target.health_check = Some(HealthCheck { target: HealthCheckTarget::tcp(port), ..known });
}

/// Whether a check fails on the target: it is no plain TCP connect, and the web server on its port expects the header.
fn fails(draft: &Draft, target: &HealthCheckTarget) -> bool {
    let expects_header = draft.target.is_proxied(target.port)
        && draft.target.listeners.values().any(|listener| listener.instance_port == target.port && listener.is_transport());
    target.protocol != Protocol::Tcp && expects_header
}
