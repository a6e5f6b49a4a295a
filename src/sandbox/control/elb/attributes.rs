//! `DescribeLoadBalancerAttributes` and `ModifyLoadBalancerAttributes`. A modification is partial: what is not sent stays.

use crate::model::{AccessLog, Attributes, ConnectionDraining};
use crate::sandbox::control::{ApiError, Element, Reader, Request, World};

/// The one additional attribute there is, and its values, the default first.
const DESYNC: (&str, [&str; 3]) = ("elb.http.desyncmitigationmode", ["defensive", "monitor", "strictest"]);

/// What a balancer starts with.
pub(super) fn initial() -> Attributes {
    let mut attributes = Attributes::default();
    attributes.additional.insert(DESYNC.0.to_owned(), DESYNC.1[0].to_owned());
    attributes
}

pub(crate) fn describe(world: &World, request: &Request) -> Result<Element, ApiError> {
    let name = request.params.members(&["LoadBalancerName"])?.required("LoadBalancerName")?;
    let attributes = &world.load_balancer(request, &name)?.balancer.attributes;
    let Attributes { idle_timeout, cross_zone, connection_draining, access_log, additional } = attributes;
    let additional = additional.iter().map(|(key, value)| Element::new().with("Key", key).with("Value", value));
    let described = Element::new()
        .with("CrossZoneLoadBalancing", Element::new().with("Enabled", *cross_zone))
        .with("AccessLog", described_log(access_log))
        .with("ConnectionDraining", described_draining(connection_draining))
        .with("ConnectionSettings", Element::new().with("IdleTimeout", *idle_timeout))
        .with("AdditionalAttributes", Element::List(additional.collect()));
    Ok(Element::new().with("LoadBalancerAttributes", described))
}

/// Changes what is sent, and answers with what was sent, as the service does.
pub(crate) fn modify(world: &mut World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["LoadBalancerName", "LoadBalancerAttributes"])?;
    let name = input.required("LoadBalancerName")?;
    let sent = input.structure("LoadBalancerAttributes")?.ok_or_else(|| ApiError::missing("loadBalancerAttributes"))?;
    sent.only(&["CrossZoneLoadBalancing", "AccessLog", "ConnectionDraining", "ConnectionSettings", "AdditionalAttributes"])?;
    let ceiling = world.switches.idle_timeout_ceiling;
    let attributes = &mut world.load_balancer_mut(request, &name)?.balancer.attributes;
    let mut echo = Element::new();
    if let Some(cross_zone) = sent.structure("CrossZoneLoadBalancing")? {
        cross_zone.only(&["Enabled"])?;
        attributes.cross_zone = cross_zone.flag("Enabled")?;
        echo = echo.with("CrossZoneLoadBalancing", Element::new().with("Enabled", attributes.cross_zone));
    }
    if let Some(log) = sent.structure("AccessLog")? {
        attributes.access_log = read_log(&log)?;
        echo = echo.with("AccessLog", described_log(&attributes.access_log));
    }
    if let Some(draining) = sent.structure("ConnectionDraining")? {
        modify_draining(&mut attributes.connection_draining, &draining)?;
        echo = echo.with("ConnectionDraining", described_draining(&attributes.connection_draining));
    }
    if let Some(settings) = sent.structure("ConnectionSettings")? {
        settings.only(&["IdleTimeout"])?;
        attributes.idle_timeout = settings.required_bounded("IdleTimeout", 1, ceiling.into())?;
        echo = echo.with("ConnectionSettings", Element::new().with("IdleTimeout", attributes.idle_timeout));
    }
    if let Some(additional) = sent.list("AdditionalAttributes")? {
        let mut set = Vec::new();
        for (key, value) in read_additional(&additional)? {
            set.push(Element::new().with("Key", &key).with("Value", &value));
            attributes.additional.insert(key, value);
        }
        echo = echo.with("AdditionalAttributes", Element::List(set));
    }
    Ok(Element::new().with("LoadBalancerName", name).with("LoadBalancerAttributes", echo))
}

/// The timeout can be changed only while draining is enabled (elb-facts 2.5); otherwise the one sent is dropped.
fn modify_draining(draining: &mut ConnectionDraining, sent: &Reader<'_>) -> Result<(), ApiError> {
    sent.only(&["Enabled", "Timeout"])?;
    let timeout = sent.bounded("Timeout", 1, 3600)?;
    draining.enabled = sent.flag("Enabled")?;
    if draining.enabled {
        draining.timeout = timeout.or(draining.timeout);
    }
    Ok(())
}

fn read_log(sent: &Reader<'_>) -> Result<AccessLog, ApiError> {
    sent.only(&["Enabled", "S3BucketName", "EmitInterval", "S3BucketPrefix"])?;
    let interval = sent.number("EmitInterval")?;
    let bucket = sent.text("S3BucketName")?.filter(|bucket| !bucket.is_empty());
    let prefix = sent.text("S3BucketPrefix")?;
    if !sent.flag("Enabled")? {
        return Ok(AccessLog::default());
    }
    let emit_interval = match interval {
        None | Some(60) => 60,
        Some(5) => 5,
        Some(other) => {
            let path = sent.at("EmitInterval");
            return Err(ApiError::constraint(Some(&other.to_string()), &path, "Member must be 5 or 60"));
        }
    };
    if bucket.is_none() {
        return Err(ApiError::invalid_configuration("S3BucketName must be specified when access logs are enabled"));
    }
    Ok(AccessLog { enabled: true, bucket, prefix, emit_interval: Some(emit_interval) })
}

fn read_additional(sent: &[Reader<'_>]) -> Result<Vec<(String, String)>, ApiError> {
    if sent.len() > 10 {
        let path = "loadBalancerAttributes.additionalAttributes";
        return Err(ApiError::constraint(Some("..."), path, "Member must have length less than or equal to 10"));
    }
    let mut set = Vec::new();
    for attribute in sent {
        attribute.only(&["Key", "Value"])?;
        let (key, value) = (attribute.required("Key")?, attribute.required("Value")?);
        if key != DESYNC.0 {
            return Err(ApiError::new("LoadBalancerAttributeNotFound", format!("Load balancer attribute {key} not found")));
        }
        if !DESYNC.1.contains(&value.as_str()) {
            let values = DESYNC.1.join(", ");
            return Err(ApiError::invalid_configuration(format!("The value of {key} must be one of {values}, not {value}")));
        }
        set.push((key, value));
    }
    Ok(set)
}

fn described_draining(draining: &ConnectionDraining) -> Element {
    let ConnectionDraining { enabled, timeout } = draining;
    Element::new().with("Enabled", *enabled).maybe("Timeout", *timeout)
}

fn described_log(log: &AccessLog) -> Element {
    let AccessLog { enabled, bucket, prefix, emit_interval } = log;
    Element::new()
        .with("Enabled", *enabled)
        .maybe("S3BucketName", bucket.as_ref())
        .maybe("EmitInterval", *emit_interval)
        .maybe("S3BucketPrefix", prefix.as_ref())
}
