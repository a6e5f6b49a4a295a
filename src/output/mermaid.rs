//! A balancer as a Mermaid flowchart, for places that draw it.

use super::page::clean;
use crate::audit::{ListenerNode, Topology};
use crate::model::Balancer;

/// The flowchart, without its fence: clients, listeners, instance ports with their policies.
pub(super) fn flowchart(balancer: &Balancer) -> String {
    let mut lines = vec!["flowchart LR".to_owned()];
    for listener in balancer.listeners.values() {
        let (front, back) = (listener.load_balancer_port, listener.instance_port);
        lines.push(format!("  clients --> l{front}[{}]", quoted(&format!("{}:{front}", listener.protocol))));
        lines.push(format!("  l{front} -->|{}| p{back}", quoted(&listener.instance_protocol.to_string())));
    }
    let ports: std::collections::BTreeSet<u16> =
        balancer.listeners.values().map(|listener| listener.instance_port).collect();
    for port in ports {
        let header = match balancer.proxy_policies(port).next() {
            Some(policy) => format!("PROXY header, {policy}"),
            None => "no PROXY header".to_owned(),
        };
        lines.push(format!("  p{port}[{}]", quoted(&format!("instance port {port}: {header}"))));
    }
    lines.join("\n")
}

/// The same of a balancer as an audit saw it.
pub(super) fn audited_flowchart(topology: &Topology) -> String {
    let Topology { listeners, instance_ports, instances, health_check: _ } = topology;
    let mut lines = vec!["flowchart LR".to_owned()];
    for ListenerNode { load_balancer_port: front, protocol, instance_protocol, instance_port: back, certificate: _ } in
        listeners
    {
        lines.push(format!("  clients --> l{front}[{}]", quoted(&format!("{protocol}:{front}"))));
        lines.push(format!("  l{front} -->|{}| p{back}", quoted(instance_protocol)));
    }
    for port in instance_ports {
        let header = match port.proxied {
            Some(true) => "PROXY header",
            Some(false) => "no PROXY header",
            None => "policies not read",
        };
        lines.push(format!("  p{}[{}]", port.port, quoted(&format!("instance port {}: {header}", port.port))));
        lines.push(format!("  p{} --> instances", port.port));
    }
    let in_service = instances.iter().filter(|instance| instance.state.as_deref() == Some("InService")).count();
    let label = match instances.iter().any(|instance| instance.state.is_some()) {
        true => format!("{in_service} of {} instances in service", instances.len()),
        false => format!("{} instances", instances.len()),
    };
    lines.push(format!("  instances[{}]", quoted(&label)));
    lines.join("\n")
}

/// A label in which nothing is syntax: quotes and everything HTML or Mermaid could act on become entities.
fn quoted(label: &str) -> String {
    let escape = |c: char| match c {
        ' ' | ':' | ',' | '-' | '.' | '_' => c.to_string(),
        c if c.is_alphanumeric() => c.to_string(),
        c => format!("#{};", u32::from(c)),
    };
    format!("\"{}\"", clean(label).chars().map(escape).collect::<String>())
}
