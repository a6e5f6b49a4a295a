//! A balancer as it is, for a person.

use super::page::{FAINT, Page, STRONG};
use super::topology;
use crate::model::names::list;
use crate::model::{Balancer, Listener};
use crate::plan::is_journal_tag;

/// The picture, then every part.
pub fn show_text(balancer: &Balancer, region: &str) -> String {
    // Destructured whole, so that a new field of the model cannot be forgotten here.
    let Balancer {
        name,
        dns_name,
        scheme,
        vpc,
        listeners,
        backend_policies,
        policies,
        health_check,
        attributes,
        instances,
        security_groups,
        subnets,
        availability_zones,
        tags,
    } = balancer;
    let mut page = Page::default();
    page.styled(STRONG, name).plain("  ").plain(region).plain("  ").plain(dns_name).end().end();
    topology::draw(&mut page, balancer);
    page.end();
    for listener in listeners.values() {
        row(&mut page, &format!("listener {}", listener.load_balancer_port), &describe(listener));
    }
    for (port, names) in backend_policies {
        row(&mut page, &format!("instance port {port}"), &list(names));
    }
    for (name, policy) in policies {
        let attached = if balancer.is_attached(name) { "" } else { "  (attached nowhere)" };
        row(&mut page, "policy", &format!("{name}  {}{attached}", policy.policy_type));
    }
    let check = health_check.as_ref().map_or("(none)".to_owned(), |check| {
        format!(
            "{}  every {} s, timeout {} s, out after {} failures, in after {} successes",
            check.target, check.interval, check.timeout, check.unhealthy_threshold, check.healthy_threshold
        )
    });
    row(&mut page, "health check", &check);
    row(&mut page, "idle timeout", &format!("{} s", attributes.idle_timeout));
    row(&mut page, "cross-zone", if attributes.cross_zone { "on" } else { "off" });
    let draining = match (attributes.connection_draining.enabled, attributes.connection_draining.timeout) {
        (false, _) => "off".to_owned(),
        (true, None) => "on".to_owned(),
        (true, Some(seconds)) => format!("{seconds} s"),
    };
    row(&mut page, "draining", &draining);
    let log = &attributes.access_log;
    let log = match (log.enabled, &log.bucket, &log.prefix) {
        (true, bucket, prefix) => {
            format!("s3://{}/{}", bucket.as_deref().unwrap_or("?"), prefix.as_deref().unwrap_or_default())
        }
        (false, ..) => "off".to_owned(),
    };
    row(&mut page, "access log", &log);
    for (key, value) in &attributes.additional {
        row(&mut page, "attribute", &format!("{key}={value}"));
    }
    row(&mut page, "instances", &list(instances));
    row(&mut page, "scheme", scheme);
    row(&mut page, "network", &format!("{}  {}", vpc.as_deref().unwrap_or("EC2-Classic"), list(subnets)));
    row(&mut page, "zones", &list(availability_zones));
    row(&mut page, "security groups", &list(security_groups));
    for (key, value) in tags {
        let left = if is_journal_tag(key) { "  (left by an interrupted run: `elbws apply` finishes it)" } else { "" };
        row(&mut page, "tag", &format!("{key}={value}{left}"));
    }
    page.finish()
}

fn row(page: &mut Page, label: &str, text: &str) {
    page.plain("  ").styled(FAINT, &format!("{label:<20}")).plain(text).end();
}

fn describe(listener: &Listener) -> String {
    let mut text = listener.to_string();
    if let Some(certificate) = &listener.certificate {
        text.push_str(&format!("  {certificate}"));
    }
    if !listener.policies.is_empty() {
        text.push_str(&format!("  [{}]", list(&listener.policies)));
    }
    text
}
