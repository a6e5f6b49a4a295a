//! The health check, and whether what it asks can and should be answered.

use crate::audit::check::Findings;
use crate::audit::repair::Repair;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};
use crate::model::{HealthCheckTarget, Protocol};

pub(super) const CANNOT_PASS: Check = Check {
    rule: Rule {
        id: "ELBWS009",
        severity: Severity::Error,
        title: "Health check that cannot pass",
        why: "HTTP, HTTPS and SSL checks carry no PROXY header, so a server that expects it closes them; an encrypted check of a \
              plain port never gets an answer either. After a few failures every instance is out of service and the balancer \
              serves nobody.",
        remedy: "Check that the port accepts connections (TCP), as `elbws apply` sets it; or check a plain port of its own that \
                 answers HTTP, and let the instances' security group admit it: `elbws apply --health-check HTTP:8081/health`.",
        needs: &[Read::Listing, Read::Policies],
        fixed_by_apply: true,
    },
    sources: &[Source::Policies],
    look: cannot_pass,
};

pub(super) const UNUSED_PORT: Check = Check {
    rule: Rule {
        id: "ELBWS010",
        severity: Severity::Warning,
        title: "Health check of a port that no listener reaches",
        why: "A TCP or SSL check only says that something accepts connections on the port it asks. On a port that carries no \
              traffic that says nothing about the port that does: broken instances stay in service, or good ones are taken \
              out. The service's own default, TCP:80, is left like this by accident. An HTTP check on a status port of its own \
              is not reported: that is a good set-up.",
        remedy: "Check a port that a listener reaches: `elbws apply --health-check TCP:PORT`.",
        needs: &[Read::Listing],
        fixed_by_apply: false,
    },
    sources: &[],
    look: unused_port,
};

fn cannot_pass(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let Some(HealthCheckTarget { protocol, port, .. }) = subject.listed.health_check.as_ref().map(|check| &check.target)
    else {
        return Ok(());
    };
    if *protocol == Protocol::Tcp {
        return Ok(());
    }
    let mut reaching = subject.listed.reaching(*port);
    let expects_header = subject.proxied_ports()?.contains(port) && reaching.any(|listener| listener.is_transport());
    let answers_plain = subject.listed.reaching(*port).any(|listener| listener.instance_protocol == Protocol::Http);
    let message = if expects_header {
        format!("an {protocol} check carries no PROXY header, and instance port {port} expects it")
    } else if protocol.is_secure() && answers_plain {
        format!("an {protocol} check is encrypted, and instance port {port} answers in plain HTTP")
    } else {
        return Ok(());
    };
    let fixed = Repair::of(subject)?.sends_header(*port);
    findings.note(Place::HealthCheck, message).fixed_by_apply = fixed;
    Ok(())
}

fn unused_port(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let Some(target) = subject.listed.health_check.as_ref().map(|check| &check.target) else { return Ok(()) };
    let ports = subject.listed.instance_ports();
    if target.protocol.is_transport() && !ports.is_empty() && !ports.contains(&target.port) {
        let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
        let message = format!("{target} asks a port that no listener reaches; listeners reach {}", ports.join(", "));
        findings.note(Place::HealthCheck, message);
    }
    Ok(())
}
