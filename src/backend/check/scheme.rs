//! Which scheme the client used: redirects that never fire or never end, and what the application is told.

use super::PortFacts;
use super::configuration::Configuration;
use super::finding::Findings;
use super::parse::Directive;
use super::server::{Scope, Server};
use super::upgrade::{proxied_locations, request_header};
use crate::backend::arrival::Arrival;

const CURE: &str = "a map on $proxy_protocol_server_port tells the scheme";

pub(super) fn check(configuration: &Configuration<'_>, server: &Server<'_>, ports: &[PortFacts], findings: &mut Findings) {
    let facts = Facts {
        // Nothing writes X-Forwarded-* on the way through a TCP or SSL listener (elb-facts 2.8).
        headerless: ports.iter().all(|facts| facts.arrival != Arrival::Http),
        proxied: ports.iter().any(|facts| facts.arrival == Arrival::Proxied),
        // What the balancer has decrypted is plain for nginx, whatever the client used.
        decrypted: ports.iter().any(|facts| facts.secure && facts.arrival != Arrival::Encrypted),
    };
    for scope in server.scope.with_inner() {
        for condition in scope.own().iter().filter(|directive| directive.name == "if") {
            check_condition(configuration, &scope, condition, facts, findings);
        }
    }
    for location in proxied_locations(server) {
        check_headers(configuration, &location, facts, findings);
    }
    let always = server.scope.own().iter().find(|directive| directive.name == "return" && redirects_to_https(directive));
    if let Some(always) = always.filter(|_| facts.decrypted) {
        let message = format!("this redirects clients without end that use HTTPS already: {CURE}");
        findings.add(always.at, "endless-redirect", message);
    }
}

#[derive(Clone, Copy)]
struct Facts {
    headerless: bool,
    proxied: bool,
    decrypted: bool,
}

fn check_condition(
    configuration: &Configuration<'_>,
    scope: &Scope<'_>,
    condition: &Directive,
    facts: Facts,
    findings: &mut Findings,
) {
    let text = condition.args.join(" ");
    let depends = |variable: &str| configuration.depends(scope, &text, variable);
    let redirects = condition.children().iter().any(|directive| {
        matches!(directive.name.as_str(), "return" | "rewrite") && directive.args.iter().any(|arg| arg.contains("https:"))
    });
    if facts.headerless && redirects && depends("http_x_forwarded_proto") {
        let message = match text.contains('!') {
            true => format!(
                "this redirects every request without end: no X-Forwarded-Proto comes through a TCP or SSL listener; {CURE}"
            ),
            false => format!("this redirect never fires: no X-Forwarded-Proto comes through a TCP or SSL listener; {CURE}"),
        };
        findings.add(condition.at, "redirect-on-x-forwarded-proto", message);
    }
    if facts.decrypted && redirects && (depends("scheme") || depends("https")) {
        let message =
            format!("this redirects without end: the balancer has decrypted every request, so $scheme is http; {CURE}");
        findings.add(condition.at, "endless-redirect", message);
    }
    if !facts.proxied && redirects && depends("proxy_protocol_server_port") {
        let message = "no PROXY header arrives on this server's ports, so $proxy_protocol_server_port is empty, whatever the \
                       client used";
        findings.add(condition.at, "redirect-without-header", message);
    }
    if depends("proxy_protocol_port") {
        let at = configuration_place(configuration, &text).unwrap_or(condition.at);
        findings.add(at, "client-port", client_port());
    }
}

/// The map that a condition's variable comes from: that is the line to mend.
fn configuration_place(configuration: &Configuration<'_>, text: &str) -> Option<super::parse::At> {
    let mut names = super::configuration::variables(text);
    names
        .find_map(|name| configuration.map(&name))
        .filter(|map| map.arg(0).contains("proxy_protocol_port"))
        .map(|map| map.at)
}

fn client_port() -> &'static str {
    "$proxy_protocol_port is the client's own port: write $proxy_protocol_server_port, the balancer's (nginx 1.17.6 or later)"
}

fn check_headers(configuration: &Configuration<'_>, location: &Scope<'_>, facts: Facts, findings: &mut Findings) {
    if let Some(header) = request_header(location, "x-forwarded-proto") {
        let depends = |variable: &str| configuration.depends(location, header.arg(1), variable);
        if facts.headerless && depends("http_x_forwarded_proto") {
            let message =
                format!("$http_x_forwarded_proto is what the client itself wrote: a TCP or SSL listener sets none; {CURE}");
            findings.add(header.at, "spoofed-scheme", message);
        } else if facts.decrypted && (depends("scheme") || depends("https")) {
            let message = format!(
                "the application is told http for HTTPS too: the balancer has decrypted every request, so $scheme is http; {CURE}"
            );
            findings.add(header.at, "wrong-scheme", message);
        }
    }
    for name in ["x-forwarded-proto", "x-forwarded-port"] {
        let header = request_header(location, name);
        if let Some(header) = header.filter(|header| configuration.depends(location, header.arg(1), "proxy_protocol_port")) {
            let at = configuration_place(configuration, header.arg(1)).unwrap_or(header.at);
            findings.add(at, "client-port", client_port());
        }
    }
}

/// Whether a `return` leads to the same host with HTTPS.
fn redirects_to_https(directive: &Directive) -> bool {
    directive.args.iter().any(|arg| {
        ["https://$host", "https://$http_host", "https://$server_name", "https://${host}"]
            .iter()
            .any(|start| arg.starts_with(start))
    })
}
