//! Listeners: creating and deleting them, and the one thing about them that changes in place, the certificate
//! (elb-facts 1.3 and 1.5).

use super::limits::LISTENER_QUOTA;
use super::predefined;
use crate::model::{Balancer, CertificateArn, CertificateStore, DEFAULT_NEGOTIATION_POLICY, Listener, Protocol};
use crate::sandbox::control::{ApiError, Element, InstanceProtocolDefault, Reader, Request, Switches, World};

/// A listener as a request describes it, before switches and defaults are applied.
pub(super) struct Wanted {
    protocol: Protocol,
    load_balancer_port: u16,
    instance_protocol: Option<Protocol>,
    instance_port: u16,
    certificate: Option<CertificateArn>,
}

impl Wanted {
    fn listener(&self, switches: &Switches) -> Listener {
        let instance_protocol = self.instance_protocol.clone().unwrap_or_else(|| match switches.instance_protocol_default {
            InstanceProtocolDefault::SameProtocol => self.protocol.clone(),
            InstanceProtocolDefault::PlainProtocol if self.protocol.is_application() => Protocol::Http,
            InstanceProtocolDefault::PlainProtocol => Protocol::Tcp,
        });
        Listener {
            protocol: self.protocol.clone(),
            load_balancer_port: self.load_balancer_port,
            instance_protocol,
            instance_port: self.instance_port,
            // A plain listener discards a certificate without a word.
            certificate: self.certificate.clone().filter(|_| self.protocol.is_secure()),
            policies: Default::default(),
        }
    }
}

pub(crate) fn create(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "Listeners"])?;
    let name = input.required("LoadBalancerName")?;
    let wanted = read_all(&input)?;
    let mut balancer = world.load_balancer(request, &name)?.balancer.clone();
    add(world, request, &mut balancer, &wanted)?;
    world.load_balancer_mut(request, &name)?.balancer = balancer;
    Ok(Element::new())
}

/// Deletes listeners. A port without one is no error, and policies of instance ports stay: they outlive listeners.
pub(crate) fn delete(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "LoadBalancerPorts"])?;
    let name = input.required("LoadBalancerName")?;
    let ports = input.required_texts("LoadBalancerPorts")?;
    let path = "loadBalancerPorts.member";
    let wrong = |port: &String| ApiError::constraint(Some(port), path, "Member must be a port between 1 and 65535");
    let ports = ports.iter().map(|port| port.parse::<u16>().map_err(|_| wrong(port))).collect::<Result<Vec<_>, _>>()?;
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    balancer.listeners.retain(|port, _| !ports.contains(port));
    Ok(Element::new())
}

pub(crate) fn set_certificate(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "LoadBalancerPort", "SSLCertificateId"])?;
    let name = input.required("LoadBalancerName")?;
    let port = input.port("LoadBalancerPort")?;
    let certificate = CertificateArn::observed(input.required("SSLCertificateId")?);
    let balancer = &world.load_balancer(request, &name)?.balancer;
    let listener = balancer.listeners.get(&port).ok_or_else(|| ApiError::listener_not_found(&name, port))?;
    if !listener.protocol.is_secure() {
        let protocol = &listener.protocol;
        let message = format!("The listener on port {port} uses {protocol} and cannot have a certificate");
        return Err(ApiError::invalid_configuration(message));
    }
    check_certificate(world, request, &certificate)?;
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    if let Some(listener) = balancer.listeners.get_mut(&port) {
        listener.certificate = Some(certificate);
    }
    Ok(Element::new())
}

/// Reads the `Listeners` of a request.
pub(super) fn read_all(input: &Reader<'_>) -> Result<Vec<Wanted>, ApiError> {
    let list = input.required_list("Listeners")?;
    if list.is_empty() {
        return Err(ApiError::validation("At least one listener must be specified"));
    }
    list.iter().map(read).collect()
}

fn read(input: &Reader<'_>) -> Result<Wanted, ApiError> {
    input.only(&["Protocol", "LoadBalancerPort", "InstanceProtocol", "InstancePort", "SSLCertificateId"])?;
    let protocol = supported(&input.required("Protocol")?)?;
    let load_balancer_port = input.port("LoadBalancerPort")?;
    let instance_protocol = input.text("InstanceProtocol")?.map(|text| supported(&text)).transpose()?;
    let instance_port = input.port("InstancePort")?;
    let certificate = input.text("SSLCertificateId")?.filter(|arn| !arn.is_empty()).map(CertificateArn::observed);
    if instance_protocol.as_ref().is_some_and(|instance| instance.layer() != protocol.layer()) {
        let pair = if protocol.is_application() { "HTTP or HTTPS" } else { "TCP or SSL" };
        let message =
            format!("The listener on port {load_balancer_port} uses {protocol}, so its instance protocol must be {pair}");
        return Err(ApiError::invalid_configuration(message));
    }
    if protocol.is_secure() && certificate.is_none() {
        return Err(ApiError::validation("Secure Listeners need to specify a SSLCertificateId"));
    }
    Ok(Wanted { protocol, load_balancer_port, instance_protocol, instance_port, certificate })
}

fn supported(text: &str) -> Result<Protocol, ApiError> {
    let protocol = Protocol::from(text);
    match protocol.layer() {
        Some(_) => Ok(protocol),
        None => {
            Err(ApiError::new("UnsupportedProtocol", format!("The protocol '{text}' is not one of HTTP, HTTPS, TCP, SSL")))
        }
    }
}

/// The listeners that a request describes, with defaults applied.
pub(super) fn resolve(world: &World, wanted: &[Wanted]) -> Vec<Listener> {
    wanted.iter().map(|wanted| wanted.listener(&world.switches)).collect()
}

/// Adds listeners to a balancer: all of them or, with an error, none that counts.
pub(super) fn add(world: &World, request: &Request, balancer: &mut Balancer, wanted: &[Wanted]) -> Result<(), ApiError> {
    for wanted in wanted {
        let mut listener = wanted.listener(&world.switches);
        let port = listener.load_balancer_port;
        if let Some(present) = balancer.listeners.get(&port) {
            compare(&balancer.name, present, wanted, &listener, &world.switches)?;
            continue;
        }
        if let Some(certificate) = &listener.certificate {
            check_certificate(world, request, certificate)?;
            listener.policies.insert(DEFAULT_NEGOTIATION_POLICY.to_owned());
            balancer.policies.extend(predefined::policy(DEFAULT_NEGOTIATION_POLICY));
        }
        check_shared_port(balancer, &listener)?;
        balancer.listeners.insert(port, listener);
    }
    if balancer.listeners.len() > LISTENER_QUOTA {
        let message = format!("A load balancer can have at most {LISTENER_QUOTA} listeners");
        return Err(ApiError::invalid_configuration(message));
    }
    Ok(())
}

/// Compares a listener with one that is asked for on its port: the same is no error, another is `DuplicateListener`.
///
/// The certificate is compared as it was sent, not as it was kept: a TCP listener that was created with a certificate has
/// none, and creating it again fails (hashicorp/terraform#3301).
fn compare(name: &str, present: &Listener, sent: &Wanted, wanted: &Listener, switches: &Switches) -> Result<(), ApiError> {
    let same_instance_protocol =
        present.instance_protocol == wanted.instance_protocol || !switches.instance_protocol_makes_duplicate;
    let same = present.protocol == wanted.protocol
        && present.instance_port == wanted.instance_port
        && present.certificate == sent.certificate
        && same_instance_protocol;
    if same {
        return Ok(());
    }
    let port = present.load_balancer_port;
    Err(ApiError::new(
        "DuplicateListener",
        format!(
            "A listener already exists for {name} with LoadBalancerPort {port}, but with a different InstancePort, Protocol, \
             or SSLCertificateId"
        ),
    ))
}

/// Listeners that share an instance port must agree on whether it is encrypted.
fn check_shared_port(balancer: &Balancer, listener: &Listener) -> Result<(), ApiError> {
    let port = listener.instance_port;
    let disagrees = |other: &&Listener| {
        other.instance_port == port && other.instance_protocol.is_secure() != listener.instance_protocol.is_secure()
    };
    match balancer.listeners.values().find(disagrees) {
        None => Ok(()),
        Some(other) => Err(ApiError::invalid_configuration(format!(
            "Instance port {port} is used with {} by the listener on port {}: listeners that share an instance port must all be \
             secure (HTTPS or SSL) or all be not secure (HTTP or TCP)",
            other.instance_protocol, other.load_balancer_port
        ))),
    }
}

/// Refuses a certificate that a listener of the region cannot use: an unknown one, or one of ACM whose key is not RSA of up
/// to 2048 bits (elb-facts 2.6).
fn check_certificate(world: &World, request: &Request, arn: &CertificateArn) -> Result<(), ApiError> {
    let unknown = || ApiError::certificate_not_found(arn.as_str());
    let certificate = world.certificate(&request.region, arn).ok_or_else(unknown)?;
    let algorithm = certificate.facts.key_algorithm.as_str();
    if arn.store() == Some(CertificateStore::Acm) && !matches!(algorithm, "RSA_1024" | "RSA_2048") {
        return Err(ApiError::invalid_configuration(format!(
            "The certificate {arn} has a key of type {algorithm}, which a Classic Load Balancer cannot use from ACM: \
             upload it to IAM instead"
        )));
    }
    Ok(())
}
