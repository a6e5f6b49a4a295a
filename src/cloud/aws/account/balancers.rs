//! The describe calls of Classic ELB, one kind at a time.

use std::collections::BTreeMap;

use crate::cloud::aws::error::bad_reply;
use crate::cloud::aws::read::{ATTRIBUTES, DESCRIBE, PAGE_SIZE, POLICIES, TAGS};
use crate::cloud::aws::{Aws, reply};
use crate::cloud::{Action, CloudError, Page};
use crate::model::{Attributes, InstanceHealth, Listed, Policy};

const HEALTH: Action = Action::DescribeInstanceHealth;

impl Aws {
    pub(super) async fn page_of_balancers(&self, marker: Option<&str>) -> Result<Page, CloudError> {
        let request = self.elb.describe_load_balancers().page_size(PAGE_SIZE).set_marker(marker.map(str::to_owned));
        let reply = self.call(DESCRIBE, request.send()).await?;
        let next = reply.next_marker().filter(|next| !next.is_empty()).map(str::to_owned);
        let mut page = Page { balancers: Vec::new(), unreadable: Vec::new(), next };
        for description in reply.load_balancer_descriptions() {
            match reply::listed(description) {
                Ok(listed) => page.balancers.push(listed),
                Err(why) => {
                    let name = description.load_balancer_name().unwrap_or_default().to_owned();
                    page.unreadable.push((name, bad_reply(DESCRIBE, why)));
                }
            }
        }
        Ok(page)
    }

    pub(super) async fn listed_balancer(&self, name: &str) -> Result<Listed, CloudError> {
        let reply = self.call(DESCRIBE, self.elb.describe_load_balancers().load_balancer_names(name).send()).await?;
        reply::only(name, reply.load_balancer_descriptions()).map_err(|why| bad_reply(DESCRIBE, why))
    }

    pub(super) async fn policies_of(&self, name: &str) -> Result<BTreeMap<String, Policy>, CloudError> {
        let request = self.elb.describe_load_balancer_policies().load_balancer_name(name);
        let reply = self.call(POLICIES, request.send()).await?;
        reply::policies(reply.policy_descriptions()).map_err(|why| bad_reply(POLICIES, why))
    }

    pub(super) async fn attributes_of(&self, name: &str) -> Result<Attributes, CloudError> {
        let request = self.elb.describe_load_balancer_attributes().load_balancer_name(name);
        let reply = self.call(ATTRIBUTES, request.send()).await?;
        reply::attributes(reply.load_balancer_attributes()).map_err(|why| bad_reply(ATTRIBUTES, why))
    }

    pub(super) async fn tags_of(&self, names: &[String]) -> Result<BTreeMap<String, BTreeMap<String, String>>, CloudError> {
        let request = self.elb.describe_tags().set_load_balancer_names(Some(names.to_vec()));
        let reply = self.call(TAGS, request.send()).await?;
        let tags = |name: &String| {
            let tags = reply::tags(name, reply.tag_descriptions()).map_err(|why| bad_reply(TAGS, why))?;
            Ok((name.clone(), tags))
        };
        names.iter().map(tags).collect()
    }

    pub(super) async fn health_of(&self, name: &str) -> Result<BTreeMap<String, InstanceHealth>, CloudError> {
        let reply = self.call(HEALTH, self.elb.describe_instance_health().load_balancer_name(name).send()).await?;
        let mut health = BTreeMap::new();
        for state in reply.instance_states() {
            let text = |found: Option<&str>| found.unwrap_or_default().to_owned();
            let (id, found) = (text(state.instance_id()), text(state.state()));
            if id.is_empty() || found.is_empty() {
                return Err(bad_reply(HEALTH, "an instance is described without its identifier or its state"));
            }
            let (reason_code, description) = (text(state.reason_code()), text(state.description()));
            health.insert(id, InstanceHealth { state: found, reason_code, description });
        }
        Ok(health)
    }
}
