//! The WebSocket upgrade on its way to the application, and how long a silent connection lasts.

use super::configuration::{Configuration, variables};
use super::finding::Findings;
use super::parse::Directive;
use super::server::{Scope, Server};
use super::{PortFacts, Subject};
use crate::backend::arrival::Arrival;

/// nginx's default of `proxy_read_timeout`, in seconds.
const DEFAULT_READ_TIMEOUT: u64 = 60;
/// nginx's default of `keepalive_timeout`, in seconds.
const DEFAULT_KEEPALIVE: u64 = 75;

pub(super) fn check(
    subject: &Subject<'_>,
    configuration: &Configuration<'_>,
    server: &Server<'_>,
    ports: &[PortFacts],
    findings: &mut Findings,
) {
    let idle = u64::from(subject.idle_timeout());
    let locations = proxied_locations(server);
    let upgrading: Vec<&Scope<'_>> = locations.iter().filter(|location| intends_upgrade(configuration, location)).collect();
    for location in &upgrading {
        check_headers(configuration, location, findings);
        check_read_timeout(location, idle, findings);
    }
    let hidden: usize = locations.iter().map(|location| usize::from(check_hidden(location, findings))).sum();
    if upgrading.is_empty() && hidden == 0 && !locations.is_empty() && !redirects_the_rest(server) {
        let message = "no location of this server passes the WebSocket upgrade on: `proxy_http_version 1.1`, \
                       `proxy_set_header Upgrade $http_upgrade` and `proxy_set_header Connection $connection_upgrade` are missing";
        let at = locations[0].one("proxy_pass").map_or(server.at, |pass| pass.at);
        findings.add(at, "no-upgrade", message);
        check_read_timeout(&locations[0], idle, findings);
    }
    if ports.iter().any(|facts| facts.arrival == Arrival::Http) {
        check_keepalive(server, idle, findings);
    }
}

/// The scopes of a server that hand requests to an application over HTTP.
pub(super) fn proxied_locations<'a>(server: &Server<'a>) -> Vec<Scope<'a>> {
    let passes = |scope: &Scope<'_>| scope.own().iter().any(|directive| directive.name == "proxy_pass");
    server.scope.with_inner().into_iter().filter(passes).collect()
}

/// The `proxy_set_header` for a header, given in lower case, that is in force.
pub(super) fn request_header<'a>(scope: &Scope<'a>, name: &str) -> Option<&'a Directive> {
    scope.all("proxy_set_header").into_iter().rev().find(|header| header.arg(0).eq_ignore_ascii_case(name))
}

fn sets_upgrade(header: &Directive) -> bool {
    header.arg(0).eq_ignore_ascii_case("upgrade") && !header.arg(1).is_empty()
}

/// Whether a server answers with a redirect wherever it does not say otherwise: no WebSocket is meant to get through.
fn redirects_the_rest(server: &Server<'_>) -> bool {
    let redirects = |directive: &Directive| directive.name == "return" && directive.arg(0).starts_with('3');
    let is_rest = |directive: &&Directive| directive.name == "location" && directive.args == ["/"];
    server.scope.own().iter().filter(is_rest).any(|location| location.children().iter().any(redirects))
}

/// Whether a location means to pass the upgrade on, completely or not.
fn intends_upgrade(configuration: &Configuration<'_>, location: &Scope<'_>) -> bool {
    request_header(location, "upgrade").is_some_and(sets_upgrade)
        || request_header(location, "connection").is_some_and(|header| {
            header.arg(1).to_ascii_lowercase().contains("upgrade")
                || configuration.depends(location, header.arg(1), "http_upgrade")
        })
}

fn check_headers(configuration: &Configuration<'_>, location: &Scope<'_>, findings: &mut Findings) {
    let upgrade = request_header(location, "upgrade").filter(|header| sets_upgrade(header));
    let connection = request_header(location, "connection");
    let pass = location.one("proxy_pass").map_or(location.at, |pass| pass.at);
    match (upgrade, connection) {
        (Some(upgrade), None) => findings.add(
            upgrade.at,
            "connection-header-missing",
            "the upgrade is lost: `proxy_set_header Connection $connection_upgrade` is missing beside this line",
        ),
        (None, Some(connection)) => findings.add(
            connection.at,
            "upgrade-header-missing",
            "the upgrade is lost: `proxy_set_header Upgrade $http_upgrade` is missing beside this line",
        ),
        (Some(_), Some(connection)) => check_connection(configuration, connection, findings),
        (None, None) => {}
    }
    match location.one("proxy_http_version") {
        Some(version) if version.arg(0) == "1.0" => {
            findings.add(version.at, "http-version", "HTTP/1.0 knows no upgrade: write `proxy_http_version 1.1`");
        }
        Some(_) => {}
        None => {
            let message =
                "`proxy_http_version 1.1` is missing: before nginx 1.29.7 the default is 1.0, which knows no upgrade";
            findings.add(pass, "http-version", message);
        }
    }
}

/// The header must say `upgrade` when the client's does.
fn check_connection(configuration: &Configuration<'_>, connection: &Directive, findings: &mut Findings) {
    let value = connection.arg(1);
    let Some(variable) = variables(value).next() else {
        if !value.to_ascii_lowercase().contains("upgrade") {
            let message = format!("the upgrade is lost: `Connection {value}` does not say upgrade");
            findings.add(connection.at, "connection-header", message);
        }
        return;
    };
    match configuration.map(&variable) {
        Some(map) if !map.children().iter().any(|entry| entry.arg(0).to_ascii_lowercase().contains("upgrade")) => {
            findings.add(
                map.at,
                "connection-header",
                format!("the upgrade is lost: this map never makes ${variable} upgrade"),
            );
        }
        Some(_) => {}
        // A variable that is not nginx's own is made by a map; others can be made by modules and scripts.
        None if variable == "connection_upgrade" => findings.add(
            connection.at,
            "connection-header",
            "no map makes $connection_upgrade: map $http_upgrade $connection_upgrade { default upgrade; '' close; }",
        ),
        None => {}
    }
}

/// Whether a location's own headers hide an upgrade that was set for it further out; then that is reported.
fn check_hidden(location: &Scope<'_>, findings: &mut Findings) -> bool {
    let levels = location.inheritance("proxy_set_header");
    let Some((own, outer)) = levels.split_first() else { return false };
    let is_connection = |header: &&Directive| header.arg(0).eq_ignore_ascii_case("connection");
    if own.iter().any(|header| sets_upgrade(header)) || own.iter().any(is_connection) {
        return false;
    }
    let Some(hidden) = outer.iter().flatten().find(|header| sets_upgrade(header)) else { return false };
    let message = format!(
        "a proxy_set_header here hides all of the outer blocks, among them Upgrade of line {}: repeat those that are needed",
        hidden.at.line
    );
    findings.add(own[0].at, "hidden-upgrade", message);
    true
}

fn check_read_timeout(location: &Scope<'_>, idle: u64, findings: &mut Findings) {
    let directive = location.one("proxy_read_timeout");
    let (at, seconds, text) = match directive {
        Some(directive) => match seconds(directive.arg(0)) {
            Some(seconds) => (directive.at, seconds, format!("`proxy_read_timeout {}`", directive.arg(0))),
            None => return,
        },
        None => (
            location.one("proxy_pass").map_or(location.at, |pass| pass.at),
            DEFAULT_READ_TIMEOUT,
            format!("proxy_read_timeout, {DEFAULT_READ_TIMEOUT} s by default,"),
        ),
    };
    if seconds < idle {
        let message = format!(
            "{text} closes a silent WebSocket before the balancer does, whose idle timeout is {idle} s: write a longer one"
        );
        findings.add(at, "read-timeout", message);
    }
}

/// Behind an HTTP listener, a connection that nginx closes first is a request that fails (elb-facts 2.5).
fn check_keepalive(server: &Server<'_>, idle: u64, findings: &mut Findings) {
    let directive = server.scope.one("keepalive_timeout");
    let timeout = directive.map_or(Some(DEFAULT_KEEPALIVE), |directive| seconds(directive.arg(0)));
    if let Some(timeout) = timeout.filter(|timeout| *timeout != 0 && *timeout <= idle) {
        let message = format!(
            "keepalive_timeout is {timeout} s, and the balancer keeps connections of HTTP listeners for {idle} s: it must be \
             longer, or some requests meet a closed connection"
        );
        findings.add(directive.map_or(server.at, |directive| directive.at), "keepalive-timeout", message);
    }
}

/// A time as nginx writes it, `1h 30m` or `90s` or `90`, in whole seconds; `None` for what is none.
fn seconds(text: &str) -> Option<u64> {
    let mut total_ms: u64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];
        let unit = units.into_iter().find(|(unit, _)| rest.starts_with(unit));
        let (length, factor) = unit.map_or((0, 1000), |(unit, factor)| (unit.len(), factor));
        if length == 0 && !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        total_ms = total_ms.checked_add(number.checked_mul(factor)?)?;
        rest = rest[length..].trim_start();
    }
    (!text.trim().is_empty()).then_some(total_ms / 1000)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_nginxs() {
        for (text, is) in
            [("60", 60), ("60s", 60), ("1h 30m", 5400), ("1h30m", 5400), ("1500ms", 1), ("2d", 172_800), ("0", 0)]
        {
            assert_eq!(seconds(text), Some(is), "{text}");
        }
        for wrong in ["", "s", "60x", "$t", "99999999999999999999", "-1"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
