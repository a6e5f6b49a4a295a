//! Who the client is: whose word is believed, and what the application is told.

use ipnet::IpNet;

use super::finding::Findings;
use super::parse::Directive;
use super::server::{Scope, Server};
use super::upgrade::{proxied_locations, request_header};
use super::{PortFacts, Subject};
use crate::backend::arrival::Arrival;

/// The largest IPv4 block that a VPC can have. A wider range holds addresses that are not the VPC's.
const WIDEST_IPV4: u8 = 16;
/// The largest IPv6 block that a VPC can have.
const WIDEST_IPV6: u8 = 44;

pub(super) fn check(subject: &Subject<'_>, server: &Server<'_>, ports: &[PortFacts], findings: &mut Findings) {
    let arrives = |wanted: fn(Arrival) -> bool| ports.iter().any(|facts| wanted(facts.arrival));
    let trusted = server.scope.all("set_real_ip_from");
    for directive in &trusted {
        check_width(subject, directive, findings);
    }
    if arrives(|arrival| arrival == Arrival::Proxied) {
        check_real_ip(subject, server, &trusted, findings);
    } else if arrives(|arrival| arrival == Arrival::Http)
        && let Some(header) = server.scope.one("real_ip_header").filter(|header| header.arg(0) == "proxy_protocol")
    {
        let message = "no PROXY header arrives on this server's ports, so every client has the balancer's address: behind an \
                       HTTP listener, write real_ip_header X-Forwarded-For";
        findings.add(header.at, "real-ip-without-header", message);
    }
    if arrives(|arrival| matches!(arrival, Arrival::Proxied | Arrival::Bare(_))) {
        for location in proxied_locations(server) {
            check_appended(&location, findings);
        }
    }
}

/// A range that is wider than the balancer's network lets somebody else say who the client is.
fn check_width(subject: &Subject<'_>, directive: &Directive, findings: &mut Findings) {
    let text = directive.arg(0);
    let Ok(range) = text.parse::<IpNet>() else { return };
    let widest = if range.addr().is_ipv4() { WIDEST_IPV4 } else { WIDEST_IPV6 };
    let subnets = list(subject.trusted.iter());
    let why = match range.prefix_len() {
        0 => format!("`set_real_ip_from {text}` believes everybody who says who the client is"),
        length if length < widest && !subject.trusted.contains(&range) => {
            format!("`set_real_ip_from {text}` is wider than any VPC")
        }
        _ => return,
    };
    findings.add(directive.at, "trusted-range-too-wide", format!("{why}: name the balancer's subnets, {subnets}"));
}

fn check_real_ip(subject: &Subject<'_>, server: &Server<'_>, trusted: &[&Directive], findings: &mut Findings) {
    let Some(header) = server.scope.one("real_ip_header") else {
        // Without the realip module's help, the application may be told directly.
        let locations = proxied_locations(server);
        let told = |scope: &Scope<'_>| {
            ["x-forwarded-for", "x-real-ip"]
                .iter()
                .any(|name| request_header(scope, name).is_some_and(|header| header.arg(1).contains("$proxy_protocol_addr")))
        };
        if locations.is_empty() || !locations.iter().all(told) {
            let message = "every client has the balancer's address: `real_ip_header proxy_protocol` and set_real_ip_from for its \
                           subnets are missing";
            findings.add(server.at, "real-ip-missing", message);
        }
        return;
    };
    if !header.arg(0).eq_ignore_ascii_case("proxy_protocol") {
        let message = format!(
            "`real_ip_header {}` lets clients say who they are: a TCP or SSL listener adds no such header. Write proxy_protocol",
            header.arg(0)
        );
        return findings.add(header.at, "real-ip-from-a-header", message);
    }
    let ranges: Vec<IpNet> = trusted
        .iter()
        .filter_map(|directive| directive.arg(0).parse::<IpNet>().ok().or_else(|| Some(IpNet::from(address(directive)?))))
        .collect();
    let by_name = trusted.iter().any(|directive| {
        let text = directive.arg(0);
        text != "unix:" && text.parse::<IpNet>().is_err() && address(directive).is_none()
    });
    let missing: Vec<&IpNet> =
        subject.trusted.iter().filter(|subnet| !ranges.iter().any(|range| range.contains(*subnet))).collect();
    if missing.is_empty() || by_name {
        return;
    }
    let (at, what) = match trusted.first() {
        Some(first) => (first.at, "not trusted, so clients that come from there have the balancer's address"),
        None => (header.at, "not trusted, so the PROXY header is not believed"),
    };
    let verb = if missing.len() == 1 { "is" } else { "are" };
    findings.add(at, "subnet-not-trusted", format!("{} {verb} {what}: add set_real_ip_from", list(missing)));
}

fn address(directive: &Directive) -> Option<std::net::IpAddr> {
    directive.arg(0).parse().ok()
}

/// A header that a client may have begun and nginx only continues.
fn check_appended(location: &Scope<'_>, findings: &mut Findings) {
    for name in ["x-forwarded-for", "x-real-ip"] {
        let Some(header) = request_header(location, name) else { continue };
        let value = header.arg(1);
        let kept = ["$proxy_add_x_forwarded_for", "$http_x_forwarded_for", "$http_x_real_ip"];
        if let Some(kept) = kept.into_iter().find(|kept| value.contains(kept)) {
            let message = format!(
                "`{kept}` passes on what the client itself wrote: a TCP or SSL listener removes nothing. Write $remote_addr"
            );
            findings.add(header.at, "spoofed-client-address", message);
        }
    }
}

fn list<'a>(ranges: impl IntoIterator<Item = &'a IpNet>) -> String {
    ranges.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
