//! Causes that a reply to the upgrade tells of.

use hyper::Uri;

use super::scene::{Rule, Scene, answered};
use super::{Cause, Diagnosis};
use crate::verify::seen::{ExchangeFailureKind, Reply};

pub(super) const RULES: &[Rule] = &[
    encrypted_port,
    redirect_loop,
    redirected,
    refused,
    server_error,
    does_not_upgrade,
    upgrade_lost,
    bad_upgrade,
    not_http,
    unsteady,
    no_reply,
];

fn with_requests(scene: &Scene<'_>, found: Diagnosis) -> Diagnosis {
    let evidence = scene.listener_evidence().into_iter().chain(scene.both_requests());
    evidence.fold(found, Diagnosis::seen)
}

/// The server wants TLS where none was spoken: it says so, or answers with a TLS alert.
fn encrypted_port(scene: &Scene<'_>) -> Option<Diagnosis> {
    let upgrade = scene.failed_upgrade()?;
    let says_so = scene.refusal().is_some_and(|reply| reply.status == 400 && reply.body.contains("HTTPS port"));
    let failure = upgrade.failure.as_ref().and_then(|failure| failure.received.as_ref());
    let alerts = failure.is_some_and(|received| received.starts_with("\\x15\\x03"));
    if !says_so && !alerts {
        return None;
    }
    let found = Diagnosis::failure(Cause::PortIsEncrypted, "the server wants TLS, and what reaches it is plain");
    let found = with_requests(scene, found);
    Some(match (scene.target().is_secure(), scene.transport()) {
        (true, Some(listener)) => found.remedy(format!(
            "the balancer has terminated TLS already: let the listener reach a plain port instead of {}",
            listener.instance_port
        )),
        (true, None) => {
            found.remedy("the balancer has terminated TLS already: let its listener reach a plain port of the server")
        }
        (false, _) => found.remedy("use wss:// on this port"),
    })
}

/// Where a reply redirects to.
fn location(reply: &Reply) -> Option<Uri> {
    matches!(reply.status, 301 | 302 | 303 | 307 | 308).then(|| reply.header("location")?.parse().ok())?
}

/// On TCP and SSL there is no X-Forwarded-Proto, so a rule that redirects whatever does not have `https` in it redirects everything.
fn redirect_loop(scene: &Scene<'_>) -> Option<Diagnosis> {
    let reply = scene.refusal()?;
    let location = location(reply)?;
    let target = scene.target();
    let same_host = location.host().is_some_and(|host| host.eq_ignore_ascii_case(target.host()));
    let same_path = location.path() == target.path().split('?').next().unwrap_or_default();
    let same_scheme = matches!(location.scheme_str(), Some("https" | "wss"));
    if !(target.is_secure() && same_host && same_path && same_scheme) {
        return None;
    }
    let found = Diagnosis::failure(
        Cause::RedirectLoop,
        format!("the server redirects {target} to itself for ever: it does not know that the client came with TLS"),
    )
    .seen(format!("the upgrade was {} to {location}", answered(scene.failed_upgrade()?)));
    let found = scene.listener_evidence().into_iter().fold(found, Diagnosis::seen);
    Some(
        found
            .remedy("X-Forwarded-Proto does not exist on TCP and SSL listeners: tell the scheme from $proxy_protocol_server_port")
            .remedy("elbws backend nginx prints such a configuration"),
    )
}

fn redirected(scene: &Scene<'_>) -> Option<Diagnosis> {
    let location = location(scene.refusal()?)?;
    let found = Diagnosis::failure(
        Cause::Redirected,
        format!("the server redirects the upgrade to {location}, and no WebSocket client follows"),
    );
    let found = with_requests(scene, found);
    Some(match location.scheme_str() {
        Some("https" | "wss") if !scene.target().is_secure() => found.remedy("connect with wss:// instead of ws://"),
        _ => {
            found.remedy("use the URL it redirects to; a missing or extra slash at the end of the path is the usual reason")
        }
    })
}

fn refused(scene: &Scene<'_>) -> Option<Diagnosis> {
    let reply = scene.refusal().filter(|reply| matches!(reply.status, 401 | 403 | 407 | 429))?;
    let found = Diagnosis::failure(Cause::Refused, format!("the application refuses the connection: {}", reply.line()));
    Some(with_requests(scene, found).remedy(
        "give what it wants to see: --header 'Origin: https://…', --header 'Cookie: …', --header 'Authorization: …'",
    ))
}

fn server_error(scene: &Scene<'_>) -> Option<Diagnosis> {
    let reply = scene.refusal().filter(|reply| reply.status >= 500)?;
    let found =
        Diagnosis::failure(Cause::ServerError, format!("the upgrade ends in an error of the server: {}", reply.line()));
    let found = with_requests(scene, found);
    Some(match reply.status {
        502 | 504 => found.remedy("the web server does not reach the application behind it: is that running, on that port?"),
        503 => found.remedy("no server is ready: is an instance in service, and is it not overloaded?"),
        _ => found.remedy("the application's log knows more"),
    })
}

/// Whether the reply itself complains that there was no upgrade.
fn misses_the_upgrade(reply: &Reply) -> bool {
    let body = reply.body.to_ascii_lowercase();
    reply.status == 426 || (reply.status == 400 && (body.contains("upgrade") || body.contains("websocket")))
}

/// The balancer passes the stream on, so that the upgrade is lost behind it.
fn does_not_upgrade(scene: &Scene<'_>) -> Option<Diagnosis> {
    let reply = scene.refusal()?;
    scene.transport()?;
    let complains = misses_the_upgrade(reply);
    let found = match complains {
        true => Diagnosis::failure(
            Cause::ServerDoesNotUpgrade,
            "the web server on the instance does not pass the upgrade on: the application got a plain request",
        ),
        false => Diagnosis::failure(
            Cause::ServerDoesNotUpgrade,
            format!("the server answers {} with a page and not with a WebSocket: {}", scene.target().path(), reply.line()),
        )
        .probably(),
    };
    let found = with_requests(scene, found).remedy(
        "nginx: proxy_http_version 1.1, proxy_set_header Upgrade $http_upgrade and Connection $connection_upgrade \
         in the location (elbws backend nginx)",
    );
    Some(match complains {
        true => found,
        false => found.remedy(format!("or is {} not the path of the WebSocket?", scene.target().path())),
    })
}

/// The same seen from the client alone: balancer and web server look alike.
fn upgrade_lost(scene: &Scene<'_>) -> Option<Diagnosis> {
    let reply = scene.refusal()?;
    let complains = misses_the_upgrade(reply);
    let found = match complains {
        true => {
            Diagnosis::failure(Cause::HttpListener, "the upgrade is lost on the way: the application got a plain request")
        }
        false => Diagnosis::failure(
            Cause::HttpListener,
            format!(
                "the upgrade of {} is answered with {}: it is lost on the way, or no WebSocket is there",
                scene.target().path(),
                reply.line()
            ),
        ),
    };
    Some(
        with_requests(scene, found.probably())
            .remedy(format!("an HTTP or HTTPS listener swallows it: {} makes it TCP or SSL", scene.apply()))
            .remedy("a web server swallows it unless it is told to pass it on: elbws backend nginx")
            .remedy("--elb NAME looks at the balancer too and tells which"),
    )
}

fn failure_of(scene: &Scene<'_>, kind: ExchangeFailureKind) -> Option<String> {
    let failure = scene.failed_upgrade()?.failure.as_ref().filter(|failure| failure.kind == kind)?;
    Some(match &failure.received {
        Some(received) => format!("the server answered: {received}"),
        None => failure.text.clone(),
    })
}

fn bad_upgrade(scene: &Scene<'_>) -> Option<Diagnosis> {
    let why = failure_of(scene, ExchangeFailureKind::BadUpgrade)?;
    Some(
        Diagnosis::failure(Cause::BadUpgrade, "the server agrees to the upgrade in a way that no client accepts")
            .seen(why)
            .remedy("look at what stands between: a cache, or a proxy that answers upgrades itself"),
    )
}

fn not_http(scene: &Scene<'_>) -> Option<Diagnosis> {
    let why = failure_of(scene, ExchangeFailureKind::NotHttp)?;
    let found = Diagnosis::failure(Cause::NotHttp, "something answers that is no web server").seen(why);
    let found = scene.listener_evidence().into_iter().fold(found, Diagnosis::seen);
    let found = match scene.is_proxied() {
        Some(true) => found.remedy(
            "does the server expect the PROXY line? Some answer a request line that they do not know with a page and no header",
        ),
        _ => found,
    };
    Some(found.remedy("does the listener reach the right instance port?"))
}

fn unsteady(scene: &Scene<'_>) -> Option<Diagnosis> {
    let why = failure_of(scene, ExchangeFailureKind::NotConnected)?;
    Some(
        Diagnosis::failure(Cause::Unsteady, "the first connection was accepted, and the second was not")
            .seen(why)
            .remedy("try again; if it persists, instances or the balancer are overloaded"),
    )
}

/// Whatever else keeps the upgrade from being answered.
fn no_reply(scene: &Scene<'_>) -> Option<Diagnosis> {
    scene.failed_upgrade()?;
    let found = Diagnosis::failure(Cause::NoReply, "the server takes the upgrade and does not answer it").probably();
    Some(
        with_requests(scene, found)
            .remedy("the web server waits for its application, or the application for something else: their logs know"),
    )
}
