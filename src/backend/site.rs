//! What a template needs to know, worked out of a request: groups of instance ports, the redirect, the health check.
//!
//! Everything in here is safe to be written into a configuration file as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::arrival::{Arrival, Scheme, arrival, listeners};
use super::input::is_plain_path;
use super::{BackendError, Request};
use crate::model::names::check_load_balancer_name;
use crate::model::{Balancer, HealthCheckTarget, Protocol};

/// How many seconds longer than the balancer the web server waits, so that it is never the first to close.
const LONGER_SECONDS: u32 = 15;

/// The facts that every template writes out.
#[derive(Debug, Serialize)]
pub(super) struct Site {
    /// The balancer's name.
    pub(super) name: String,
    /// The name as a part of an identifier: letters, digits and underscores.
    pub(super) identifier: String,
    /// Lines of the comment at the top.
    pub(super) header: Vec<String>,
    /// What will not work, and why.
    pub(super) warnings: Vec<String>,
    /// The balancer's idle timeout in seconds.
    pub(super) idle_timeout: u32,
    /// The web server's timeouts in seconds.
    pub(super) timeout: u32,
    /// The ranges to believe.
    pub(super) trusted: Vec<String>,
    /// Host names to answer to; empty means any.
    pub(super) server_names: Vec<String>,
    /// Instance ports by how connections arrive at them.
    pub(super) groups: Vec<Group>,
    /// What follows the host in `https://host`: nothing, or `:8443`; absent where nothing is redirected.
    pub(super) https: Option<String>,
    /// A plain port for an HTTP health check.
    pub(super) health: Option<Health>,
    /// Whether the health check only connects, and to which instance port.
    pub(super) connects_to: Option<u16>,
    /// Paths that lead to applications of their own; a longer path comes before one that it begins with.
    pub(super) routes: Vec<Route>,
    /// Where everything else leads.
    pub(super) app: String,
}

/// Instance ports at which connections arrive in one way.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    /// `proxied`, `http` or `bare`.
    arrival: &'static str,
    /// `http`, `https` or `unknown`: what clients use, where no request tells.
    scheme: Scheme,
    /// Where to listen.
    listens: Vec<String>,
    /// The listeners that reach it: `SSL:443/TCP:80`.
    listeners: Vec<String>,
    /// Load balancer ports of these that clients use with TLS.
    secure_ports: BTreeSet<u16>,
    /// Whether plain HTTP is redirected.
    redirects: bool,
    /// A path that health checks ask for on one of these ports.
    health_path: Option<String>,
}

/// A plain port for an HTTP health check.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    target: String,
    listen: String,
    path: String,
}

/// A path and where it leads.
#[derive(Debug, Serialize)]
pub(super) struct Route {
    path: String,
    upstream: String,
}

/// Works out what a request comes to.
pub(super) fn site(request: &Request<'_>) -> Result<Site, BackendError> {
    let Request { balancer, before, trusted: _, app, websockets, server_names, leave_out: _, redirect, listen: _, header } =
        request;
    check_load_balancer_name(&balancer.name).map_err(|_| BackendError::Name(balancer.name.clone()))?;
    let trusted = request.trusted()?;
    let mut ports = Ports::default();
    for state in [Some(*balancer), *before].into_iter().flatten() {
        ports.add(state, &request.leave_out)?;
    }
    if ports.groups.is_empty() {
        return Err(BackendError::NothingToServe);
    }
    let https = https_port(balancer, &ports).filter(|_| *redirect);
    let groups: Vec<Group> = ports.groups.iter().map(|(arrival, of)| of.group(*arrival, request, https)).collect();
    let mut warnings = ports.warnings.clone();
    let checks: BTreeSet<String> = checks(request).map(|target| target.to_string()).collect();
    let health = health(request, &ports, &mut warnings)?;
    let mut routes: Vec<Route> = (websockets.iter())
        .map(|route| Route { path: route.path().to_owned(), upstream: route.upstream().to_string() })
        .collect();
    routes.sort_by_key(|route| (std::cmp::Reverse(route.path.len()), route.path.clone()));
    let idle_timeout = before.map_or(0, |before| before.attributes.idle_timeout).max(balancer.attributes.idle_timeout);
    Ok(Site {
        name: balancer.name.clone(),
        identifier: balancer.name.replace('-', "_").to_ascii_lowercase(),
        header: header.iter().map(|line| one_line(line)).collect(),
        warnings: warnings.iter().map(|line| one_line(line)).collect(),
        idle_timeout,
        timeout: idle_timeout.saturating_add(LONGER_SECONDS),
        trusted: trusted.iter().map(ToString::to_string).collect(),
        server_names: server_names.iter().map(|name| name.as_str().to_owned()).collect(),
        https: groups.iter().any(|group| group.redirects).then(|| https.map(suffix)).flatten(),
        groups,
        health,
        connects_to: ports.proxied().find(|port| checks.contains(&format!("TCP:{port}"))),
        routes,
        app: app.to_string(),
    })
}

/// Instance ports to serve, by how connections arrive there.
#[derive(Debug, Default)]
struct Ports {
    groups: BTreeMap<Arrival, OfArrival>,
    warnings: Vec<String>,
}

/// Instance ports at which connections arrive in one way, and the listeners they come from.
#[derive(Debug, Default)]
struct OfArrival {
    ports: BTreeSet<u16>,
    /// By load balancer port.
    listeners: BTreeSet<(u16, String)>,
    secure: BTreeSet<u16>,
    plain: BTreeSet<u16>,
}

impl Ports {
    fn add(&mut self, balancer: &Balancer, leave_out: &BTreeSet<u16>) -> Result<(), BackendError> {
        let ports: BTreeSet<u16> = balancer.listeners.values().map(|listener| listener.instance_port).collect();
        for port in ports.difference(leave_out) {
            match arrival(balancer, *port)? {
                None => {}
                Some(Arrival::Encrypted) => self.warn(format!(
                    "instance port {port} is left out: the balancer encrypts what it sends there, and a certificate would be needed"
                )),
                Some(arrival) => self.put(*port, arrival, balancer)?,
            }
        }
        Ok(())
    }

    fn put(&mut self, port: u16, arrival: Arrival, balancer: &Balancer) -> Result<(), BackendError> {
        if self.groups.iter().any(|(other, of)| *other != arrival && of.ports.contains(&port)) {
            return Err(BackendError::BothWays(port));
        }
        let of = self.groups.entry(arrival).or_default();
        of.ports.insert(port);
        for listener in listeners(balancer, port) {
            of.listeners.insert((listener.load_balancer_port, listener.to_string()));
            let ports = if listener.protocol.is_secure() { &mut of.secure } else { &mut of.plain };
            ports.insert(listener.load_balancer_port);
        }
        Ok(())
    }

    fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    fn of(&self, port: u16) -> Option<Arrival> {
        self.groups.iter().find(|(_, of)| of.ports.contains(&port)).map(|(arrival, _)| *arrival)
    }

    fn proxied(&self) -> impl Iterator<Item = u16> {
        self.groups.get(&Arrival::Proxied).into_iter().flat_map(|of| of.ports.iter().copied())
    }
}

impl OfArrival {
    fn group(&self, arrival: Arrival, request: &Request<'_>, https: Option<u16>) -> Group {
        let (name, scheme) = match arrival {
            Arrival::Proxied => ("proxied", Scheme::Unknown),
            Arrival::Http => ("http", Scheme::Unknown),
            Arrival::Bare(scheme) => ("bare", scheme),
            Arrival::Encrypted => ("encrypted", Scheme::Unknown),
        };
        let tells = arrival != Arrival::Bare(Scheme::Unknown);
        let path = |target: &HealthCheckTarget| {
            target.path.clone().filter(|_| target.protocol == Protocol::Http && self.ports.contains(&target.port))
        };
        Group {
            arrival: name,
            scheme,
            listens: self.ports.iter().map(|port| request.listen.at(*port)).collect(),
            listeners: self.listeners.iter().map(|(_, listener)| listener.clone()).collect(),
            secure_ports: self.secure.clone(),
            redirects: tells && https.is_some() && !self.plain.is_empty(),
            health_path: checks(request).find_map(path).map(|path| without_query(&path).to_owned()),
        }
    }
}

/// The load balancer port that clients with TLS use: 443 if it is one of them.
fn https_port(balancer: &Balancer, ports: &Ports) -> Option<u16> {
    let served = |port: u16| ports.of(port).is_some();
    let mut secure = (balancer.listeners.values())
        .filter(|listener| listener.protocol.is_secure() && served(listener.instance_port))
        .map(|listener| listener.load_balancer_port);
    let first = secure.clone().next();
    secure.find(|port| *port == 443).or(first)
}

fn suffix(port: u16) -> String {
    if port == 443 { String::new() } else { format!(":{port}") }
}

/// Whether some listener leads to a port, served here or not.
fn is_reached(request: &Request<'_>, port: u16) -> bool {
    [Some(request.balancer), request.before].into_iter().flatten().any(|state| state.uses_instance_port(port))
}

/// The health checks to satisfy: of the balancer, and of its state before.
fn checks<'a>(request: &'a Request<'_>) -> impl Iterator<Item = &'a HealthCheckTarget> {
    let states = [Some(request.balancer), request.before];
    states.into_iter().flatten().filter_map(|state| state.health_check.as_ref()).map(|check| &check.target)
}

/// The plain port that an HTTP health check needs, if no listener reaches its port; and what is to be said of other checks.
fn health(request: &Request<'_>, ports: &Ports, warnings: &mut Vec<String>) -> Result<Option<Health>, BackendError> {
    let mut found = None;
    for target in checks(request) {
        let path = without_query(target.path.as_deref().unwrap_or("/"));
        if target.protocol == Protocol::Http && !is_plain_path(path) {
            return Err(BackendError::HealthCheckPath(path.to_owned()));
        }
        let warning = match (&target.protocol, ports.of(target.port)) {
            (_, None) if request.leave_out.contains(&target.port) => continue,
            (Protocol::Http, None) if !is_reached(request, target.port) => {
                let listen = request.listen.at(target.port);
                found.get_or_insert(Health { target: target.to_string(), listen, path: path.to_owned() });
                continue;
            }
            (Protocol::Http, Some(Arrival::Proxied)) => {
                format!("the health check {target} carries no PROXY header, and always fails on that port")
            }
            (Protocol::Ssl | Protocol::Https, Some(_)) => {
                format!("the health check {target} speaks TLS, and always fails on a plain port")
            }
            (_, None) => format!("the health check {target} asks a port that is not served here"),
            _ => continue,
        };
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    Ok(found)
}

/// A web server compares paths without the part that begins with a question mark.
fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

/// Text that cannot end the comment it is written into.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { '\u{fffd}' } else { c }).collect()
}
