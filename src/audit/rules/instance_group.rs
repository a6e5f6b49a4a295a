//! The security groups of the instances: whom they let in on instance ports.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};
use crate::model::{Admission, Peer};

pub(super) const INSTANCE_PORT_CLOSED: Check = Check {
    rule: Rule {
        id: "ELBWS302",
        severity: Severity::Error,
        title: "Instances' security group does not admit the balancer",
        why: "The balancer's nodes must reach every instance port and the port of the health check. Where the instances' groups admit \
              neither the balancer's group nor its subnets, traffic to the port times out; if it is the health check's port, \
              instances go out of service.",
        remedy: "Add a rule to the instances' group that admits the balancer's group: `aws ec2 authorize-security-group-ingress \
                 --group-id INSTANCES --protocol tcp --port PORT --source-group BALANCER`.",
        needs: &[Read::Listing, Read::Network],
        fixed_by_apply: false,
    },
    sources: &[Source::SecurityGroups, Source::Instances, Source::Subnets],
    look: instance_port_closed,
};

pub(super) const OPEN_TO_THE_WORLD: Check = Check {
    rule: Rule {
        id: "ELBWS303",
        severity: Severity::Warning,
        title: "Instance port with the PROXY header open to the world",
        why: "A server believes the PROXY header from whoever sends it. Where the instances' groups admit everybody on the port, anyone \
              who reaches an instance past the balancer can claim any client address, and slip through allow lists and rate \
              limits.",
        remedy: "Let the instances' group admit the balancer's group alone on the port, and let the server trust the header from the \
                 balancer's subnets only (nginx: set_real_ip_from).",
        needs: &[Read::Listing, Read::Policies, Read::Network],
        fixed_by_apply: false,
    },
    sources: &[Source::Policies, Source::SecurityGroups, Source::Instances],
    look: open_to_the_world,
};

/// Everything that the groups of an instance let in; `None` where a group is not known.
fn admissions<'a>(subject: &'a Subject, groups: &BTreeSet<String>) -> Result<Option<Vec<&'a Admission>>, Missing> {
    let mut all = Vec::new();
    for id in groups {
        let Some(group) = subject.security_group(id)? else { return Ok(None) };
        all.extend(&group.ingress);
    }
    Ok(Some(all))
}

/// Instances that have the same security groups, so that each set of groups is judged once.
fn by_groups(subject: &Subject) -> Result<BTreeMap<&BTreeSet<String>, Vec<&str>>, Missing> {
    let mut sets: BTreeMap<&BTreeSet<String>, Vec<&str>> = BTreeMap::new();
    for (id, instance) in subject.instances()? {
        sets.entry(&instance.security_groups).or_default().push(id);
    }
    sets.retain(|groups, _| !groups.is_empty());
    Ok(sets)
}

fn instance_port_closed(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let listed = &subject.listed;
    if listed.instances.is_empty() || listed.security_groups.is_empty() {
        return Ok(());
    }
    let mut places: BTreeMap<u16, Place> =
        listed.instance_ports().into_iter().map(|port| (port, Place::InstancePort(port))).collect();
    if let Some(check) = &listed.health_check {
        places.entry(check.target.port).or_insert(Place::HealthCheck);
    }
    let mut ranges = Vec::new();
    for id in &listed.subnets {
        // A subnet that EC2 does not describe could lie in any range.
        let Some(subnet) = subject.subnet(id)? else { return Ok(()) };
        let Ok(range) = subnet.cidr.parse::<IpNet>() else { return Ok(()) };
        ranges.push((id, range));
    }
    for (groups, instances) in by_groups(subject)? {
        let Some(admissions) = admissions(subject, groups)? else { continue };
        for (port, place) in &places {
            let open: Vec<&Peer> = admissions.iter().filter(|one| one.covers(*port)).map(|one| &one.from).collect();
            if open.iter().any(|peer| matches!(peer, Peer::Group(id) if listed.security_groups.contains(id))) {
                continue;
            }
            let closed: Vec<&str> =
                ranges.iter().filter(|(_, range)| !may_come_from(&open, range)).map(|(id, _)| id.as_str()).collect();
            if closed.is_empty() {
                continue;
            }
            let what = if *place == Place::HealthCheck { "the health check's port" } else { "instance port" };
            let whom = if closed.len() == ranges.len() { "the balancer".to_owned() } else { closed.join(", ") };
            let message = format!("{} not admit {whom} on {what} {port} ({})", groups_do(groups), some(&instances));
            findings.note(place.clone(), message);
        }
    }
    Ok(())
}

/// Whether one of the peers may be an address of the range. A prefix list is not read, so it may.
fn may_come_from(peers: &[&Peer], range: &IpNet) -> bool {
    peers.iter().any(|peer| match peer {
        Peer::Cidr(cidr) => cidr.parse::<IpNet>().is_ok_and(|net| net.contains(range) || range.contains(&net)),
        Peer::PrefixList(_) => true,
        Peer::Group(_) => false,
    })
}

fn open_to_the_world(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let proxied = subject.proxied_ports()?;
    if proxied.is_empty() || subject.listed.instances.is_empty() {
        return Ok(());
    }
    for (groups, instances) in by_groups(subject)? {
        let mut world = Vec::new();
        for id in groups {
            let ingress = subject.security_group(id)?.map(|group| group.ingress.as_slice()).unwrap_or_default();
            let open = |port: u16| ingress.iter().any(|one| one.covers(port) && is_everybody(&one.from));
            world.extend(proxied.iter().copied().filter(|port| open(*port)).map(|port| (port, id)));
        }
        for (port, group) in world {
            let message = format!("{group} admits everybody on instance port {port} ({})", some(&instances));
            findings.note(Place::InstancePort(port), message);
        }
    }
    Ok(())
}

fn is_everybody(peer: &Peer) -> bool {
    matches!(peer, Peer::Cidr(cidr) if cidr.parse::<IpNet>().is_ok_and(|net| net.prefix_len() == 0))
}

fn groups_do(groups: &BTreeSet<String>) -> String {
    let names = groups.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    format!("{names} {}", if groups.len() == 1 { "does" } else { "do" })
}

/// The instances in few words: their number, and the first of them.
fn some(instances: &[&str]) -> String {
    match instances {
        [only] => (*only).to_owned(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        [] => String::new(),
    }
}
