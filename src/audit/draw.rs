//! The picture of a subject: listeners, instance ports, instances.

use std::collections::BTreeSet;

use super::{InstanceNode, InstancePortNode, ListenerNode, Subject, Topology};

impl Topology {
    /// Draws what was read of a balancer. What was not read is absent from the picture.
    pub fn of(subject: &Subject) -> Topology {
        let listed = &subject.listed;
        let proxied = subject.proxied_ports().ok();
        let (health, instances) = (subject.health().ok(), subject.instances().ok());
        let listeners = listed.listeners.values().map(|listener| ListenerNode {
            load_balancer_port: listener.load_balancer_port,
            protocol: listener.protocol.to_string(),
            instance_protocol: listener.instance_protocol.to_string(),
            instance_port: listener.instance_port,
            certificate: listener.certificate.as_ref().map(ToString::to_string),
        });
        let ports: BTreeSet<u16> =
            listed.instance_ports().into_iter().chain(listed.backend_policies.keys().copied()).collect();
        let ports = ports.into_iter().map(|port| InstancePortNode {
            port,
            proxied: proxied.as_ref().map(|proxied| proxied.contains(&port)),
            policies: listed.backend_policies.get(&port).into_iter().flatten().cloned().collect(),
        });
        let nodes = listed.instances.iter().map(|id| InstanceNode {
            id: id.clone(),
            state: health.and_then(|health| health.get(id)).map(|health| health.state.clone()),
            zone: instances.as_ref().and_then(|known| known.get(id.as_str())).map(|instance| instance.zone.clone()),
        });
        Topology {
            listeners: listeners.collect(),
            instance_ports: ports.collect(),
            instances: nodes.collect(),
            health_check: listed.health_check.as_ref().map(|check| check.target.to_string()),
        }
    }
}
