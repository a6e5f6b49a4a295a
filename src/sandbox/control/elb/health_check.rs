//! `ConfigureHealthCheck` and the health check every balancer starts with (elb-facts 2.4).

use crate::model::{HealthCheck, HealthCheckTarget, Protocol};
use crate::sandbox::control::{ApiError, Element, Request, World};

/// What the service gives a balancer that was created without one.
pub(super) fn initial() -> HealthCheck {
    HealthCheck {
        target: HealthCheckTarget::tcp(80),
        interval: 30,
        timeout: 5,
        unhealthy_threshold: 2,
        healthy_threshold: 10,
    }
}

pub(crate) fn configure(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "HealthCheck"])?;
    let name = input.required("LoadBalancerName")?;
    let check = input.structure("HealthCheck")?.ok_or_else(|| ApiError::missing("healthCheck"))?;
    check.only(&["Target", "Interval", "Timeout", "UnhealthyThreshold", "HealthyThreshold"])?;
    let target = check.required("Target")?;
    let check = HealthCheck {
        interval: check.required_bounded("Interval", 5, 300)?,
        timeout: check.required_bounded("Timeout", 2, 60)?,
        unhealthy_threshold: check.required_bounded("UnhealthyThreshold", 2, 10)?,
        healthy_threshold: check.required_bounded("HealthyThreshold", 2, 10)?,
        target: read_target(&target)?,
    };
    if check.timeout >= check.interval {
        return Err(ApiError::validation("HealthCheck timeout must be less than interval."));
    }
    let balancer = &mut world.load_balancer_mut(request, &name)?.balancer;
    let reply = Element::new().with("HealthCheck", described(&check));
    balancer.health_check = Some(check);
    Ok(reply)
}

fn read_target(text: &str) -> Result<HealthCheckTarget, ApiError> {
    text.parse().map_err(|_| {
        let protocol = Protocol::from(text.split(':').next().unwrap_or_default());
        let message = match protocol.layer() {
            None => "HealthCheck Target must begin with one of HTTP, TCP, HTTPS, SSL".to_owned(),
            Some(_) if protocol.is_application() => format!(
                "HealthCheck {protocol} Target must specify a port followed by a path that begins with a slash. \
                 e.g. {protocol}:80/ping/this/path"
            ),
            Some(_) => format!("HealthCheck {protocol} Target must specify a port and nothing else. e.g. {protocol}:80"),
        };
        ApiError::validation(message)
    })
}

pub(super) fn described(check: &HealthCheck) -> Element {
    let HealthCheck { target, interval, timeout, unhealthy_threshold, healthy_threshold } = check;
    Element::new()
        .with("Target", target.to_string())
        .with("Interval", *interval)
        .with("Timeout", *timeout)
        .with("UnhealthyThreshold", *unhealthy_threshold)
        .with("HealthyThreshold", *healthy_threshold)
}
