//! The subnets of an internet-facing balancer.

use crate::audit::check::Findings;
use crate::audit::{Check, Missing, Place, Read, Rule, Severity, Source, Subject};

pub(super) const NO_WAY_OUT: Check = Check {
    rule: Rule {
        id: "ELBWS304",
        severity: Severity::Error,
        title: "Internet-facing balancer in a subnet without a route to the internet",
        why: "The balancer's node in such a subnet has a public address in DNS and cannot answer anybody. Clients that get this \
              address hang, the others are fine: a fault that comes and goes.",
        remedy: "Attach public subnets, one in each zone; the instances themselves may stay in private ones. Or give the subnet's route \
                 table a default route to the VPC's internet gateway.",
        needs: &[Read::Listing, Read::Network],
        fixed_by_apply: false,
    },
    sources: &[Source::RouteTables],
    look: no_way_out,
};

fn no_way_out(subject: &Subject, findings: &mut Findings<'_>) -> Result<(), Missing> {
    let Some(vpc) = subject.listed.vpc.as_deref().filter(|_| subject.listed.is_internet_facing()) else { return Ok(()) };
    for subnet in &subject.listed.subnets {
        // A VPC has a main table; where none is described, nothing can be said.
        if let Some(table) = subject.route_table(subnet, vpc)?
            && !table.leads_to_internet
        {
            let message = format!("the route table of {subnet} has no default route to an internet gateway");
            findings.note(Place::Subnet(subnet.clone()), message);
        }
    }
    Ok(())
}
