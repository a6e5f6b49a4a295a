//! How the instances of a balancer are doing.

use super::Aws;
use super::error::bad_reply;
use crate::cloud::{Action, CloudError, InstanceHealth};

const HEALTH: Action = Action::DescribeInstanceHealth;

impl Aws {
    /// How each registered instance is doing, as the health check sees it.
    pub async fn instance_health(&self, name: &str) -> Result<Vec<InstanceHealth>, CloudError> {
        let reply = self.call(HEALTH, self.elb.describe_instance_health().load_balancer_name(name).send()).await?;
        let states = reply.instance_states().iter().map(|state| {
            let id = state.instance_id().ok_or_else(|| bad_reply(HEALTH, "an instance without an identifier is listed"))?;
            Ok(InstanceHealth {
                id: id.to_owned(),
                in_service: state.state() == Some("InService"),
                description: state.description().unwrap_or_default().to_owned(),
            })
        });
        states.collect()
    }
}
