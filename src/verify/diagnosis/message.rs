//! Causes that show once the WebSocket is open.

use super::scene::{Rule, Scene};
use super::{Cause, Diagnosis};
use crate::verify::address::{ClientAddressIs, client_address};
use crate::verify::seen::{ExchangeFailure, ExchangeFailureKind};

pub(super) const RULES: &[Rule] = &[no_echo, no_answer, client_address_lost];

fn failure<'a>(scene: &Scene<'a>) -> Option<&'a ExchangeFailure> {
    scene.seen.message()?.failure.as_ref()
}

fn no_echo(scene: &Scene<'_>) -> Option<Diagnosis> {
    let failure = failure(scene).filter(|failure| failure.kind == ExchangeFailureKind::NoEcho)?;
    let messages = scene.seen.message().map_or(0, |message| message.received.len());
    Some(
        Diagnosis::failure(Cause::NoEcho, "the WebSocket works, but the application did not echo the message")
            .seen(&failure.text)
            .seen(format!("{messages} other messages came"))
            .remedy(
                "give a message that the application answers with the same text, or leave --message out to ask with a ping",
            ),
    )
}

fn no_answer(scene: &Scene<'_>) -> Option<Diagnosis> {
    let failure = failure(scene).filter(|failure| failure.kind != ExchangeFailureKind::NoEcho)?;
    let (sentence, remedy) = match failure.kind {
        ExchangeFailureKind::Closed => (
            "the WebSocket opens and is closed at once",
            "the application's log knows why: the code above is its own, if there is one",
        ),
        ExchangeFailureKind::BadFrame => (
            "the WebSocket opens, but what comes through it is no WebSocket",
            "something on the way changes the stream, or answers the upgrade without speaking the protocol",
        ),
        _ => (
            "the WebSocket opens, but nothing comes back through it",
            "a proxy that buffers or that passes one direction only looks like this",
        ),
    };
    Some(Diagnosis::failure(Cause::NoAnswer, sentence).seen(&failure.text).remedy(remedy))
}

fn client_address_lost(scene: &Scene<'_>) -> Option<Diagnosis> {
    let told = client_address(scene.seen).filter(|told| told.is == ClientAddressIs::SomebodyElse)?;
    let port = told.port.map(|port| format!(":{port}")).unwrap_or_default();
    let found = Diagnosis::warning(
        Cause::ClientAddressLost,
        format!("the server takes {}{port} for the client's address, which is not this machine's", told.address),
    )
    .seen(format!("the connection was made from {}", told.local));
    Some(match scene.is_proxied() {
        Some(false) => found
            .seen("the balancer sends no PROXY line to this instance port")
            .remedy(format!("attach the policy: {}", scene.apply())),
        Some(true) => found.seen("the balancer sends the PROXY line with the client's address").remedy(
            "nginx: real_ip_header proxy_protocol, and set_real_ip_from for the balancer's subnets (elbws backend nginx)",
        ),
        None => found
            .remedy("the balancer must send the PROXY line: elbws apply --elb NAME")
            .remedy("nginx must take it: real_ip_header proxy_protocol and set_real_ip_from (elbws backend nginx)"),
    })
}
