//! Causes that keep a TLS handshake from finishing.

use super::scene::{Rule, Scene};
use super::{Cause, Diagnosis};
use crate::verify::seen::{TlsFailure, TlsFailureKind};

pub(super) const RULES: &[Rule] =
    &[proxy_line_before_tls, port_is_plain, missing_proxy_line, nothing_in_common, cut_off, hangs, broken];

fn failure<'a>(scene: &Scene<'a>) -> Option<&'a TlsFailure> {
    scene.seen.tls()?.failure.as_ref()
}

fn failure_of<'a>(scene: &Scene<'a>, kind: TlsFailureKind) -> Option<&'a TlsFailure> {
    failure(scene).filter(|failure| failure.kind == kind)
}

fn received(failure: &TlsFailure) -> String {
    failure.received.as_ref().map_or_else(|| failure.text.clone(), |text| format!("the server answered: {text}"))
}

/// Where the balancer passes TLS through, the server's own TLS port meets the PROXY line first.
fn proxy_line_before_tls(scene: &Scene<'_>) -> Option<Diagnosis> {
    let failure = failure(scene)?;
    let listener = scene.transport().filter(|listener| !listener.protocol.is_secure())?;
    let answers_in_http = failure.received.as_ref().is_some_and(|received| received.starts_with("HTTP/1.1 400"));
    if scene.is_proxied() != Some(true) || !(answers_in_http || failure.kind == TlsFailureKind::Closed) {
        return None;
    }
    let port = listener.instance_port;
    let found = Diagnosis::failure(
        Cause::UnexpectedProxyLine,
        format!(
            "the balancer sends the PROXY line to instance port {port}, and the server there does not expect it before TLS"
        ),
    );
    let found = if answers_in_http { found } else { found.probably() };
    Some(
        found
            .seen(format!("the listener is {listener}: it passes TLS through"))
            .seen(received(failure))
            .remedy("nginx: `listen … ssl proxy_protocol`; or let the balancer terminate TLS, with an SSL listener"),
    )
}

fn port_is_plain(scene: &Scene<'_>) -> Option<Diagnosis> {
    let failure = failure_of(scene, TlsFailureKind::NotTls)?;
    let port = scene.target().port();
    let found = Diagnosis::failure(Cause::PortIsPlain, format!("port {port} does not speak TLS")).seen(received(failure));
    Some(match scene.listener() {
        Some(listener) if !listener.protocol.is_secure() => {
            found.seen(format!("the listener is {listener}: it does not terminate TLS")).remedy(format!(
                "make it an SSL listener: {} --listener SSL:{port}/TCP:{} --certificate ARN",
                scene.apply(),
                listener.instance_port
            ))
        }
        _ => found.remedy("a balancer terminates TLS on an SSL listener with a certificate; ws:// speaks without TLS"),
    })
}

/// TLS is passed through to a server that closes the connection at the first bytes: it may want the PROXY line.
fn missing_proxy_line(scene: &Scene<'_>) -> Option<Diagnosis> {
    failure_of(scene, TlsFailureKind::Closed)?;
    let listener = scene.transport().filter(|listener| !listener.protocol.is_secure())?;
    if scene.is_proxied() != Some(false) || scene.is_in_service() == Some(false) {
        return None;
    }
    let port = listener.instance_port;
    Some(
        Diagnosis::failure(
            Cause::MissingProxyLine,
            format!("the server expects the PROXY line, but instance port {port} has no policy that sends it"),
        )
        .probably()
        .seen(format!("the listener is {listener}: it passes TLS through"))
        .seen("the server closed the connection during the handshake")
        .remedy(format!("attach the policy: {}", scene.apply())),
    )
}

fn nothing_in_common(scene: &Scene<'_>) -> Option<Diagnosis> {
    let failure = failure_of(scene, TlsFailureKind::NothingInCommon)?;
    let found = Diagnosis::failure(
        Cause::TlsNothingInCommon,
        "the server shares neither a TLS version (1.2 or 1.3) nor a modern cipher with this client",
    )
    .seen(&failure.text);
    Some(found.remedy(format!(
        "give the listener a policy with TLS 1.2: {} --ssl-policy ELBSecurityPolicy-TLS-1-2-2017-01",
        scene.apply()
    )))
}

fn cut_off(scene: &Scene<'_>) -> Option<Diagnosis> {
    let failure = failure_of(scene, TlsFailureKind::Closed)?;
    let found = Diagnosis::failure(Cause::TlsCutOff, "the server closed the connection during the TLS handshake")
        .probably()
        .seen(&failure.text);
    Some(match scene.is_in_service() {
        Some(false) => found.seen("no instance is in service").remedy("look at the health check: elbws show"),
        _ => found.remedy("is it a TLS port at all, and is an instance in service?").remedy(
            "a server that expects the PROXY line before TLS closes like this; --elb NAME looks at the balancer too",
        ),
    })
}

fn hangs(scene: &Scene<'_>) -> Option<Diagnosis> {
    let failure = failure_of(scene, TlsFailureKind::TimedOut)?;
    Some(
        Diagnosis::failure(Cause::TlsHangs, "the port accepts connections, and then says nothing to a TLS handshake")
            .probably()
            .seen(&failure.text)
            .remedy("a port that waits for something else, such as plain HTTP, looks like this: is the port right?"),
    )
}

fn broken(scene: &Scene<'_>) -> Option<Diagnosis> {
    let failure = failure(scene)?;
    Some(Diagnosis::failure(Cause::TlsBroken, "the TLS handshake failed").seen(received(failure)))
}
