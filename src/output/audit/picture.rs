//! Where things stand in the drawn topology of an audited balancer: boxes, wires and marks, in units of the drawing.
//!
//! It computes numbers and words; the HTML report's template turns them into SVG.

use serde::Serialize;

use crate::audit::{AuditedBalancer, Finding, InstanceNode, InstancePortNode, ListenerNode, Place, Severity};

/// The width of every drawing.
pub(super) const WIDTH: i32 = 880;
/// Instances drawn at most; the others are counted in a last box.
const INSTANCES: usize = 8;

const BOX: i32 = 46;
const PITCH: i32 = 60;
/// The balancer's frame: its left and right edge, and the room above its boxes.
const FRAME: (i32, i32, i32) = (118, 618, 48);
/// Left edge and width of each column.
const CLIENTS: (i32, i32) = (8, 76);
const LISTENERS: (i32, i32) = (138, 166);
const PORTS: (i32, i32) = (370, 230);
const TARGETS: (i32, i32) = (672, 204);

/// A balancer's drawing.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    height: i32,
    frame: Node,
    check: Option<Check>,
    nodes: Vec<Node>,
    wires: Vec<Wire>,
    /// The same in words.
    description: String,
}

/// A box with a strong and a faint line of text.
#[derive(Debug, Serialize)]
struct Node {
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    /// `clients`, `frame`, `listener`, `port`, `instance`; and `missing` for something that should be there.
    kind: &'static str,
    strong: String,
    faint: String,
    /// `good`, `bad`, or nothing to say.
    state: &'static str,
    mark: Option<Mark>,
}

/// The health check, in words.
#[derive(Debug, Serialize)]
struct Check {
    target: String,
    mark: Option<Mark>,
}

/// The findings about a box.
#[derive(Debug, Serialize)]
struct Mark {
    severity: &'static str,
    count: usize,
    /// What they say, for whoever points at it.
    says: String,
}

/// A curve from the right of one box to the left of another.
#[derive(Debug, Serialize)]
struct Wire {
    x1: i32,
    y1: i32,
    x2: i32,
    y2: i32,
    /// Where the curve bends.
    middle: i32,
    severity: &'static str,
}

/// Lays the balancer out.
pub(super) fn picture(balancer: &AuditedBalancer) -> Picture {
    let topology = &balancer.topology;
    let mut listeners: Vec<&ListenerNode> = topology.listeners.iter().collect();
    listeners.sort_by_key(|listener| (listener.instance_port, listener.load_balancer_port)); // wires do not cross
    let shown = topology.instances.len().min(INSTANCES);
    let targets = (shown + usize::from(shown < topology.instances.len())).max(1);
    let inside = listeners.len().max(topology.instance_ports.len()).max(1);
    let rows = inside.max(targets);
    let height = FRAME.2 + offset(rows) + 16;
    let column = |count: usize| FRAME.2 + (offset(rows) - offset(count)) / 2;

    let clients =
        Node { faint: String::new(), ..node("clients", CLIENTS, column(1), "clients".to_owned(), String::new(), None) };
    let fronts: Vec<Node> = stack(column(listeners.len()), &listeners, |y, listener| listener_node(balancer, listener, y));
    let ports: Vec<Node> =
        stack(column(topology.instance_ports.len()), &topology.instance_ports, |y, port| port_node(balancer, port, y));
    let behind = instances(balancer, shown, column(targets));
    let wires = wires(balancer, &listeners, &clients, &fronts, &ports, &behind);
    Picture {
        height,
        frame: frame(balancer, column(inside), inside),
        check: check(balancer),
        description: description(balancer),
        nodes: [vec![clients], fronts, ports, behind].into_iter().flatten().collect(),
        wires,
    }
}

/// The height of so many boxes with the gaps between them.
fn offset(count: usize) -> i32 {
    let count = i32::try_from(count).unwrap_or(i32::MAX / PITCH);
    (count * PITCH - (PITCH - BOX)).max(0)
}

fn stack<T>(top: i32, items: &[T], draw: impl Fn(i32, &T) -> Node) -> Vec<Node> {
    items.iter().zip((0..).map(|row| top + row * PITCH)).map(|(item, y)| draw(y, item)).collect()
}

fn node(kind: &'static str, (x, width): (i32, i32), y: i32, strong: String, faint: String, mark: Option<Mark>) -> Node {
    Node { x, y, width, height: BOX, kind, strong, faint, state: "", mark }
}

/// The balancer itself, marked with what is about nothing else that is drawn.
fn frame(balancer: &AuditedBalancer, top: i32, inside: usize) -> Node {
    let topology = &balancer.topology;
    let mark = mark(balancer, |place| match place {
        Place::Listener(_) | Place::InstancePort(_) | Place::Instance(_) => false,
        Place::Policy(name) => !topology.instance_ports.iter().any(|port| port.policies.contains(name)),
        Place::Certificate(arn) => !topology.listeners.iter().any(|listener| uses(listener, arn)),
        Place::HealthCheck => topology.health_check.is_none(),
        Place::Balancer | Place::SecurityGroup(_) | Place::Subnet(_) | Place::Tag(_) => true,
    });
    let (left, right, head) = FRAME;
    let above = head - 10; // the mark on its corner is drawn whole
    let place = (left, right - left);
    let height = above + offset(inside) + 12;
    Node { height, ..node("frame", place, top - above, short(&balancer.name, 34), String::new(), mark) }
}

fn check(balancer: &AuditedBalancer) -> Option<Check> {
    let target = short(balancer.topology.health_check.as_deref()?, 34);
    Some(Check { target, mark: mark(balancer, |place| *place == Place::HealthCheck) })
}

fn uses(listener: &ListenerNode, arn: &str) -> bool {
    listener.certificate.as_ref().is_some_and(|used| used.eq_ignore_ascii_case(arn))
}

fn listener_node(balancer: &AuditedBalancer, listener: &ListenerNode, y: i32) -> Node {
    let ListenerNode { load_balancer_port, protocol, instance_protocol, instance_port: _, certificate: _ } = listener;
    let faint = format!("{} to {}", short(protocol, 9), short(instance_protocol, 9));
    let mark = mark(balancer, |place| match place {
        Place::Listener(port) => port == load_balancer_port,
        Place::Certificate(arn) => uses(listener, arn),
        _ => false,
    });
    node("listener", LISTENERS, y, format!("listener {load_balancer_port}"), faint, mark)
}

fn port_node(balancer: &AuditedBalancer, port: &InstancePortNode, y: i32) -> Node {
    let InstancePortNode { port, proxied, policies } = port;
    let names = policies.join(", ");
    let (faint, state) = match proxied {
        Some(true) => (format!("PROXY: {}", short(&names, 26)), "good"),
        Some(false) if policies.is_empty() => ("no PROXY header".to_owned(), ""),
        Some(false) => (format!("no PROXY: {}", short(&names, 23)), ""),
        None => ("policies not read".to_owned(), ""),
    };
    let mark = mark(balancer, |place| match place {
        Place::InstancePort(number) => number == port,
        Place::Policy(name) => policies.contains(name),
        _ => false,
    });
    let reached = balancer.topology.listeners.iter().any(|listener| listener.instance_port == *port);
    let kind = if reached { "port" } else { "port missing" };
    Node { state, ..node(kind, PORTS, y, format!("instance port {port}"), faint, mark) }
}

/// The instances, those with findings and those out of service first where not all can be drawn.
fn instances(balancer: &AuditedBalancer, shown: usize, top: i32) -> Vec<Node> {
    let about = |instance: &InstanceNode| mark(balancer, |place| *place == Place::Instance(instance.id.clone()));
    let mut order: Vec<&InstanceNode> = balancer.topology.instances.iter().collect();
    if shown < order.len() {
        order.sort_by_key(|instance| (about(instance).is_none(), instance.state.as_deref() == Some("InService")));
    }
    let (drawn, rest) = order.split_at(shown);
    let mut nodes = stack(top, drawn, |y, instance| {
        let (word, state) = match instance.state.as_deref() {
            Some("InService") => ("in service", "good"),
            Some("OutOfService") => ("out of service", "bad"),
            Some(other) => (other, ""),
            None => ("registered", ""),
        };
        let zone = instance.zone.as_deref().map(|zone| format!(", {}", short(zone, 12))).unwrap_or_default();
        let faint = format!("{}{zone}", short(word, 16));
        Node { state, ..node("instance", TARGETS, y, short(&instance.id, 20), faint, about(instance)) }
    });
    let last = top + PITCH * i32::try_from(shown).unwrap_or_default();
    if balancer.topology.instances.is_empty() {
        nodes.push(node("instance missing", TARGETS, last, "no instances".to_owned(), String::new(), None));
    } else if !rest.is_empty() {
        let in_service = rest.iter().filter(|instance| instance.state.as_deref() == Some("InService")).count();
        let faint = format!("{in_service} of them in service");
        nodes.push(node("instance", TARGETS, last, format!("{} more", rest.len()), faint, None));
    }
    nodes
}

fn wires(
    balancer: &AuditedBalancer,
    listeners: &[&ListenerNode],
    clients: &Node,
    fronts: &[Node],
    ports: &[Node],
    behind: &[Node],
) -> Vec<Wire> {
    let mut wires: Vec<Wire> = fronts.iter().map(|front| wire(right(clients), left(front), severity(front))).collect();
    for (listener, front) in listeners.iter().zip(fronts) {
        let reached =
            balancer.topology.instance_ports.iter().zip(ports).find(|(port, _)| port.port == listener.instance_port);
        wires.extend(reached.map(|(_, port)| wire(right(front), left(port), severity(front).max(severity(port)))));
    }
    // All ports lead to all instances: through one point, so that twenty wires are not two hundred.
    let junction = (TARGETS.0 - 28, behind.first().zip(behind.last()).map_or(0, |(a, b)| (left(a).1 + left(b).1) / 2));
    for port in ports.iter().filter(|port| port.kind == "port") {
        wires.push(wire(right(port), junction, severity(port)));
    }
    if !balancer.topology.instances.is_empty() && !ports.is_empty() {
        wires.extend(behind.iter().map(|instance| wire(junction, left(instance), severity(instance))));
    }
    wires
}

fn left(node: &Node) -> (i32, i32) {
    (node.x, node.y + node.height / 2)
}

fn right(node: &Node) -> (i32, i32) {
    (node.x + node.width, node.y + node.height / 2)
}

/// Only what breaks connections shows on a wire.
fn severity(node: &Node) -> &'static str {
    match &node.mark {
        Some(mark) if mark.severity == Severity::Error.as_str() => mark.severity,
        _ => "",
    }
}

fn wire((x1, y1): (i32, i32), (x2, y2): (i32, i32), severity: &'static str) -> Wire {
    Wire { x1, y1, x2, y2, middle: (x1 + x2) / 2, severity }
}

/// What counts about some places; absent if nothing does.
fn mark(balancer: &AuditedBalancer, about: impl Fn(&Place) -> bool) -> Option<Mark> {
    let findings: Vec<&Finding> = balancer.counting().filter(|finding| about(&finding.place)).collect();
    let severity = findings.iter().map(|finding| finding.severity).max()?.as_str();
    let says: Vec<String> = findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect();
    Some(Mark { severity, count: findings.len(), says: says.join("; ") })
}

fn description(balancer: &AuditedBalancer) -> String {
    let topology = &balancer.topology;
    let mut sentences = vec![format!("Topology of {}", balancer.name)];
    for ListenerNode { load_balancer_port, protocol, instance_protocol, instance_port, certificate: _ } in
        &topology.listeners
    {
        let port = topology.instance_ports.iter().find(|port| port.port == *instance_port);
        let header = match port.and_then(|port| port.proxied) {
            Some(true) => ", with the PROXY header",
            Some(false) => ", without PROXY header",
            None => "",
        };
        sentences.push(format!(
            "listener {load_balancer_port} takes {protocol} and sends {instance_protocol} to instance port {instance_port}{header}"
        ));
    }
    let in_service = topology.instances.iter().filter(|instance| instance.state.as_deref() == Some("InService")).count();
    sentences.push(match topology.instances.iter().any(|instance| instance.state.is_some()) {
        true => format!("{in_service} of {} instances in service", topology.instances.len()),
        false => format!("{} instances", topology.instances.len()),
    });
    sentences.join("; ")
}

/// At most so many characters; what is longer loses its end.
fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}
