//! How a balancer and its instances are spread over availability zones.

use std::collections::BTreeMap;

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};

pub(super) const ONLY_ONE: Check = Check {
    rule: Rule {
        id: "ELBWS203",
        severity: Severity::Warning,
        title: "One availability zone only",
        why: "When the zone fails, so does everything behind the balancer, and no client can reach it through another one.",
        remedy: "Attach a subnet of a second zone (`aws elb attach-load-balancer-to-subnets`) and run instances there.",
        needs: &[Read::Listing],
        fixed_by_apply: false,
    },
    sources: &[],
    look: only_one,
};

pub(super) const UNEVEN: Check = Check {
    rule: Rule {
        id: "ELBWS204",
        severity: Severity::Warning,
        title: "Uneven zones without cross-zone balancing",
        why: "DNS gives every zone of the balancer the same share of clients. With cross-zone balancing off a zone's share goes to the \
              instances of that zone alone: where there are fewer of them each gets more, and in a zone without any nobody \
              answers. WebSockets stay where they were opened, so it does not even out later.",
        remedy: "Switch cross-zone balancing on (`aws elb modify-load-balancer-attributes --load-balancer-attributes \
                 CrossZoneLoadBalancing={Enabled=true}`), or run as many instances in each zone. Balancers created through the API \
                 start with it off.",
        needs: &[Read::Listing, Read::Attributes, Read::Network],
        fixed_by_apply: false,
    },
    sources: &[Source::Attributes, Source::Instances],
    look: uneven,
};

fn only_one(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let mut zones = subject.listed.availability_zones.iter();
    if let (Some(zone), None) = (zones.next(), zones.next()) {
        findings.note(Place::Balancer, format!("the balancer is in {zone} alone"));
    }
    Ok(())
}

fn uneven(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let zones = &subject.listed.availability_zones;
    if zones.len() < 2 || subject.listed.instances.is_empty() || subject.attributes()?.cross_zone {
        return Ok(());
    }
    let mut counts: BTreeMap<&str, usize> = zones.iter().map(|zone| (zone.as_str(), 0)).collect();
    for instance in subject.instances()?.into_values() {
        // An instance outside the balancer's zones gets no traffic.
        if let Some(count) = counts.get_mut(instance.zone.as_str()) {
            *count += 1;
        }
    }
    let (least, most) = (counts.values().min().copied(), counts.values().max().copied());
    // One more or less is the usual rounding of an auto-scaling group; double is not.
    if most.unwrap_or_default() > 0 && least.unwrap_or_default() * 2 <= most.unwrap_or_default() {
        let spread: Vec<String> = counts.iter().map(|(zone, count)| format!("{zone}: {count}")).collect();
        let message = format!("cross-zone balancing is off and instances are spread unevenly ({})", spread.join(", "));
        findings.note(Place::Balancer, message);
    }
    Ok(())
}
