//! The describe calls: one balancer in one round trip of depth, and the names of all.

use std::collections::BTreeSet;

use super::error::bad_reply;
use super::markers::Markers;
use super::{Aws, reply};
use crate::cloud::{Action, CloudError};
use crate::model::Balancer;

pub(super) const DESCRIBE: Action = Action::DescribeLoadBalancers;
pub(super) const POLICIES: Action = Action::DescribeLoadBalancerPolicies;
pub(super) const ATTRIBUTES: Action = Action::DescribeLoadBalancerAttributes;
pub(super) const TAGS: Action = Action::DescribeTags;

/// The most balancers that one page holds (elb-facts 1.2).
pub(super) const PAGE_SIZE: i32 = 400;

impl Aws {
    /// The complete state of one balancer: four calls at once.
    ///
    /// The failure of `DescribeLoadBalancers` ends the read, since the others fail the same way or with less to say; of the
    /// others' failures the first in a fixed order is reported.
    pub(super) async fn read_balancer(&self, name: &str) -> Result<Balancer, CloudError> {
        let description = self.call(DESCRIBE, self.elb.describe_load_balancers().load_balancer_names(name).send());
        let policies = self.call(POLICIES, self.elb.describe_load_balancer_policies().load_balancer_name(name).send());
        let attributes = self.call(ATTRIBUTES, self.elb.describe_load_balancer_attributes().load_balancer_name(name).send());
        let tags = self.call(TAGS, self.elb.describe_tags().load_balancer_names(name).send());
        let others = async { Ok(tokio::join!(policies, attributes, tags)) };
        let (description, (policies, attributes, tags)) = tokio::try_join!(description, others)?;
        let (policies, attributes, tags) = (policies?, attributes?, tags?);

        let listed = reply::only(name, description.load_balancer_descriptions()).map_err(|why| bad_reply(DESCRIBE, why))?;
        let policies = reply::policies(policies.policy_descriptions()).map_err(|why| bad_reply(POLICIES, why))?;
        let attributes =
            reply::attributes(attributes.load_balancer_attributes()).map_err(|why| bad_reply(ATTRIBUTES, why))?;
        let tags = reply::tags(name, tags.tag_descriptions()).map_err(|why| bad_reply(TAGS, why))?;
        Ok(listed.with(policies, attributes, tags))
    }

    /// The names of all balancers, sorted, page after page.
    pub(super) async fn read_names(&self) -> Result<Vec<String>, CloudError> {
        let (mut names, mut markers, mut marker) = (BTreeSet::new(), Markers::default(), None);
        loop {
            let request = self.elb.describe_load_balancers().page_size(PAGE_SIZE).set_marker(marker);
            let page = self.call(DESCRIBE, request.send()).await?;
            for description in page.load_balancer_descriptions() {
                match description.load_balancer_name() {
                    Some(name) if !name.is_empty() => names.insert(name.to_owned()),
                    _ => return Err(bad_reply(DESCRIBE, "a balancer without a name is listed")),
                };
            }
            marker = markers.next(DESCRIBE, page.next_marker())?;
            if marker.is_none() {
                return Ok(names.into_iter().collect());
            }
        }
    }
}
