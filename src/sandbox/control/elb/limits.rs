//! Quotas, and `DescribeAccountLimits`, which tells three of them (elb-facts 1.6).

use super::paging;
use crate::sandbox::control::{ApiError, Element, Request, World};

/// Listeners of a balancer.
pub(crate) const LISTENER_QUOTA: usize = 100;

/// Instances registered with a balancer.
pub(crate) const INSTANCE_QUOTA: usize = 1000;

/// Policies of a balancer. The service does not tell this one; "about 98" was observed.
pub const POLICY_QUOTA: usize = 98;

pub(crate) fn describe(world: &World, request: &Request) -> Result<Element, ApiError> {
    let input = request.params.members(&["Marker", "PageSize"])?;
    let limits = [
        ("classic-load-balancers", world.load_balancer_quota),
        ("classic-listeners", LISTENER_QUOTA),
        ("classic-registered-instances", INSTANCE_QUOTA),
    ];
    let page = paging::page(&input, limits.to_vec(), |(name, _)| name)?;
    let shown = page.entries.into_iter().map(|(name, max)| Element::new().with("Name", name).with("Max", max.to_string()));
    Ok(Element::new().with("Limits", Element::List(shown.collect())).maybe("NextMarker", page.next))
}
