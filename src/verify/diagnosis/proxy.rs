//! Causes between balancer and server: listeners that swallow the upgrade, and the PROXY line where it should not be or is missing.

use super::scene::{Rule, Scene};
use super::{Cause, Diagnosis};
use crate::model::{HealthCheckTarget, Protocol};

pub(super) const RULES: &[Rule] = &[
    mixed_listeners,
    no_instance_in_service,
    http_listener,
    proxy_line_inside_tls,
    unexpected_proxy_line,
    missing_proxy_line,
    closed_without_reply,
    mixed_listeners_elsewhere,
];

/// This listener is HTTP, and a policy for its TCP neighbours makes the server expect the PROXY line on the same instance port.
fn mixed_listeners(scene: &Scene<'_>) -> Option<Diagnosis> {
    scene.failed_upgrade()?;
    let (view, listener) = (scene.view?, scene.listener()?);
    let port = listener.instance_port;
    // With the line expected and not sent the server closes the connection, and the balancer says so with a 5xx of its own.
    let answered = scene.plain_reply().is_some_and(|reply| reply.status < 500);
    if listener.is_transport() || !view.balancer.is_proxied(port) || answered {
        return None;
    }
    let found = Diagnosis::failure(
        Cause::MixedListeners,
        format!(
            "the server on instance port {port} expects the PROXY line, and the {} listener on port {} does not send it",
            listener.protocol, listener.load_balancer_port
        ),
    );
    let neighbours = view.balancer.listeners.values().filter(|other| other.instance_port == port && other.is_transport());
    let found =
        neighbours.fold(found, |found, other| found.seen(format!("{other} shares the instance port and does send it")));
    let found = scene.both_requests().into_iter().fold(found, Diagnosis::seen);
    Some(found.remedy(format!("make both listeners TCP or SSL: {}", scene.apply())))
}

fn no_instance_in_service(scene: &Scene<'_>) -> Option<Diagnosis> {
    scene.failed_upgrade()?;
    let view = scene.view?;
    let unanswered = scene.is_closed_twice() || scene.plain_reply().is_some_and(|reply| reply.status == 503);
    let check = view.balancer.health_check.as_ref().map(|check| &check.target);
    let refused_line = check.filter(|check| check.protocol != Protocol::Tcp && view.balancer.is_proxied(check.port));
    let in_service = scene.is_in_service();
    if in_service == Some(true)
        || !(unanswered || in_service == Some(false))
        || (in_service.is_none() && refused_line.is_none())
    {
        return None;
    }
    let found = match (refused_line, check) {
        (Some(check), _) => Diagnosis::failure(
            Cause::HealthCheckOnProxyPort,
            format!(
                "the health check {check} cannot pass: instance port {} expects the PROXY line, and a check of {} does not send it",
                check.port, check.protocol
            ),
        )
        .remedy(format!("check with TCP, or HTTP on a plain port beside it: {}", scene.apply())),
        (None, check) => {
            let check = check.map(|check| format!(", which the check {check} decides")).unwrap_or_default();
            Diagnosis::failure(Cause::NoInstanceInService, format!("no instance is in service{check}"))
                .remedy("see that the server runs, and that its security group admits the instance port and the check's from the balancer")
        }
    };
    let found = match check.filter(|_| refused_line.is_none()).map(what_passes) {
        Some(what_passes) => found.remedy(what_passes),
        None => found,
    };
    let found = match &view.balancer.health_check {
        Some(check) => found.remedy(format!(
            "after a change an instance needs {} passes in a row, one every {} s (HealthyThreshold, Interval)",
            check.healthy_threshold, check.interval
        )),
        None => found,
    };
    let found = if in_service.is_none() { found.probably() } else { found };
    let instances = view.instances.iter().flatten();
    let out = instances.map(|instance| match instance.description.as_str() {
        "" | "N/A" => format!("{} is out of service", instance.id),
        why => format!("{} is out of service: {why}", instance.id),
    });
    Some(scene.both_requests().into_iter().chain(out.take(5)).fold(found, Diagnosis::seen))
}

/// What a health check wants of the server.
fn what_passes(check: &HealthCheckTarget) -> String {
    let port = check.port;
    match (&check.protocol, &check.path) {
        (Protocol::Tcp, _) => format!("the check {check} passes when instance port {port} accepts a connection"),
        (Protocol::Ssl, _) => format!("the check {check} passes when instance port {port} speaks TLS"),
        (protocol, path) => format!(
            "the check {check} passes when instance port {port} answers GET {} over {protocol} with status 200",
            path.as_deref().unwrap_or("/")
        ),
    }
}

fn http_listener(scene: &Scene<'_>) -> Option<Diagnosis> {
    scene.failed_upgrade()?;
    let listener = scene.listener().filter(|listener| listener.protocol.is_application())?;
    let found = Diagnosis::failure(
        Cause::HttpListener,
        format!(
            "the {} listener on port {} swallows the upgrade: it does not pass `Upgrade` on",
            listener.protocol, listener.load_balancer_port
        ),
    );
    let evidence = scene.listener_evidence().into_iter().chain(scene.both_requests());
    Some(
        evidence
            .fold(found, Diagnosis::seen)
            .remedy(format!("make it a listener that passes the stream on, with the PROXY protocol: {}", scene.apply())),
    )
}

fn proxy_line_inside_tls(scene: &Scene<'_>) -> Option<Diagnosis> {
    scene.failed_upgrade()?;
    let listener = scene.transport().filter(|listener| listener.instance_protocol == Protocol::Ssl)?;
    if scene.is_proxied() != Some(true) || !(scene.is_closed_twice() || scene.is_bad_request_twice()) {
        return None;
    }
    let (front, port) = (listener.load_balancer_port, listener.instance_port);
    let found = Diagnosis::failure(
        Cause::ProxyLineInsideTls,
        format!(
            "the balancer encrypts to instance port {port} and sends the PROXY line inside TLS, where no web server looks for it"
        ),
    );
    let evidence = scene.listener_evidence().into_iter().chain(scene.both_requests());
    Some(evidence.fold(found, Diagnosis::seen).remedy(format!(
        "let the listener reach a plain port that expects the line: {} --listener {}:{front}/TCP:80",
        scene.apply(),
        listener.protocol
    )))
}

fn unexpected_proxy_line(scene: &Scene<'_>) -> Option<Diagnosis> {
    let nginx = scene.refusal().is_some_and(|reply| is_nginx_error_page(&reply.body));
    let (found, port) = match (scene.is_proxied(), scene.listener()) {
        (Some(true), Some(listener)) if scene.is_bad_request_twice() => {
            let port = listener.instance_port;
            let sentence = format!(
                "the balancer sends the PROXY line to instance port {port}, and {} there does not expect it",
                if nginx { "nginx" } else { "the server" }
            );
            (Diagnosis::failure(Cause::UnexpectedProxyLine, sentence), port.to_string())
        }
        (None, _) if scene.is_bad_request_twice() && nginx => {
            let sentence =
                "nginx refuses every request: most likely the balancer sends it a PROXY line that it does not expect";
            (Diagnosis::failure(Cause::UnexpectedProxyLine, sentence).probably(), "…".to_owned())
        }
        _ => return None,
    };
    let found = scene.both_requests().into_iter().fold(found, Diagnosis::seen);
    Some(
        found
            .remedy(format!("nginx: `listen {port} proxy_protocol;` in every server of that port (elbws backend nginx)"))
            .remedy("its access log shows `PROXY TCP4 …` as the request if this is right")
            .remedy("if the line was there already, another proxy in front of the balancer sends one too: only one may"),
    )
}

/// The page that nginx makes itself, as opposed to one of the application behind it.
fn is_nginx_error_page(body: &str) -> bool {
    body.contains("<center>nginx") || body.contains("<center>openresty")
}

fn missing_proxy_line(scene: &Scene<'_>) -> Option<Diagnosis> {
    if !scene.is_closed_twice() {
        return None;
    }
    let found = match (scene.is_proxied(), scene.transport()) {
        (Some(false), Some(listener)) => {
            let port = listener.instance_port;
            let found = Diagnosis::failure(
                Cause::MissingProxyLine,
                format!("the server expects the PROXY line, but instance port {port} has no policy that sends it"),
            );
            // A balancer without a healthy instance closes connections too.
            let found = if scene.is_in_service() == Some(true) { found } else { found.probably() };
            other_ports(scene, found)
        }
        (None, _) => Diagnosis::failure(
            Cause::MissingProxyLine,
            "the connection is closed without an answer: most likely the server expects a PROXY line that nobody sends",
        )
        .probably()
        .remedy("or no instance is in service, or the PROXY line is sent inside TLS: --elb NAME looks at the balancer and tells which"),
        _ => return None,
    };
    let evidence = scene.listener_evidence().into_iter().chain(scene.both_requests());
    Some(
        evidence
            .fold(found, Diagnosis::seen)
            .remedy(format!("attach the policy: {}", scene.apply()))
            .remedy("nginx's error log says `broken header` if this is right"),
    )
}

/// A policy on the wrong instance port is as good as none.
fn other_ports(scene: &Scene<'_>, found: Diagnosis) -> Diagnosis {
    let Some(view) = scene.view else { return found };
    let proxied = view.balancer.backend_policies.keys().filter(|port| view.balancer.is_proxied(**port));
    proxied.fold(found, |found, port| found.seen(format!("the policy is attached to instance port {port}")))
}

/// A listener that is right, a policy that is there, and still no answer.
fn closed_without_reply(scene: &Scene<'_>) -> Option<Diagnosis> {
    if !scene.is_closed_twice() {
        return None;
    }
    let found =
        Diagnosis::failure(Cause::ClosedWithoutReply, "the server closes the connection without an answer").probably();
    let evidence = scene.listener_evidence().into_iter().chain(scene.both_requests());
    Some(
        evidence
            .fold(found, Diagnosis::seen)
            .remedy("is a server running on the instance port, and can it read the PROXY protocol? Its error log knows"),
    )
}

/// This listener works, but an HTTP one beside it cannot.
fn mixed_listeners_elsewhere(scene: &Scene<'_>) -> Option<Diagnosis> {
    let listener = scene.transport()?;
    if scene.failed_upgrade().is_some() || scene.is_proxied() != Some(true) {
        return None;
    }
    let mut listeners = scene.view?.balancer.listeners.values();
    let other = listeners.find(|other| other.instance_port == listener.instance_port && !other.is_transport())?;
    Some(
        Diagnosis::warning(
            Cause::MixedListeners,
            format!("this listener works, but {other} shares its instance port and sends no PROXY line: its requests fail",),
        )
        .remedy(format!("make both listeners TCP or SSL: {}", scene.apply())),
    )
}
