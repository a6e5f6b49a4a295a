//! Makes the one call that a step stands for. Every argument comes from the step; nothing is read or decided here.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancing::types::{
    ConnectionSettings, HealthCheck, Listener, LoadBalancerAttributes, PolicyAttribute, Tag, TagKeyOnly,
};

use super::Aws;
use super::error::unbuildable;
use crate::cloud::{Action, CloudError};
use crate::model;
use crate::plan::Step;

impl Aws {
    /// Calls the action of the step on the balancer `name`.
    pub(super) async fn perform_step(&self, name: &str, step: &Step) -> Result<(), CloudError> {
        let action = Action::of(step);
        let built = |error| unbuildable(action, error);
        macro_rules! call {
            ($request:expr) => {
                self.call(action, $request.load_balancer_name(name).send()).await.map(drop)
            };
        }
        match step {
            Step::ConfigureHealthCheck { health_check } => {
                call!(self.elb.configure_health_check().health_check(to_health_check(health_check).map_err(built)?))
            }
            Step::SetIdleTimeout { seconds } => {
                let settings = ConnectionSettings::builder().idle_timeout(to_i32(*seconds)).build().map_err(built)?;
                let attributes = LoadBalancerAttributes::builder().connection_settings(settings).build();
                call!(self.elb.modify_load_balancer_attributes().load_balancer_attributes(attributes))
            }
            Step::CreatePolicy { name: policy_name, policy } => {
                let request = self.elb.create_load_balancer_policy().policy_name(policy_name);
                call!(request.policy_type_name(&policy.policy_type).set_policy_attributes(Some(to_attributes(policy))))
            }
            Step::DeletePolicy { name: policy_name } => {
                call!(self.elb.delete_load_balancer_policy().policy_name(policy_name))
            }
            Step::SetBackendPolicies { instance_port, policies } => {
                let request =
                    self.elb.set_load_balancer_policies_for_backend_server().instance_port(i32::from(*instance_port));
                call!(request.set_policy_names(whole_set(policies)))
            }
            Step::CreateListener { listener } => {
                call!(self.elb.create_load_balancer_listeners().listeners(to_listener(listener).map_err(built)?))
            }
            Step::DeleteListener { load_balancer_port } => {
                call!(self.elb.delete_load_balancer_listeners().load_balancer_ports(i32::from(*load_balancer_port)))
            }
            Step::SetListenerPolicies { load_balancer_port, policies } => {
                let request = self.elb.set_load_balancer_policies_of_listener();
                let request = request.load_balancer_port(i32::from(*load_balancer_port));
                call!(request.set_policy_names(whole_set(policies)))
            }
            Step::SetListenerCertificate { load_balancer_port, certificate } => {
                let request = self.elb.set_load_balancer_listener_ssl_certificate();
                let request = request.load_balancer_port(i32::from(*load_balancer_port));
                call!(request.ssl_certificate_id(certificate.as_str()))
            }
            Step::AddTags { tags } => {
                let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
                let tags = tags.collect::<Result<Vec<_>, _>>().map_err(built)?;
                let request = self.elb.add_tags().load_balancer_names(name).set_tags(Some(tags));
                self.call(action, request.send()).await.map(drop)
            }
            Step::RemoveTags { keys } => {
                let keys = keys.iter().map(|key| TagKeyOnly::builder().key(key).build()).collect();
                let request = self.elb.remove_tags().load_balancer_names(name).set_tags(Some(keys));
                self.call(action, request.send()).await.map(drop)
            }
        }
    }
}

/// Always `Some`: an absent list would leave the parameter out instead of clearing the set (elb-facts 1.7).
fn whole_set(policies: &BTreeSet<String>) -> Option<Vec<String>> {
    Some(policies.iter().cloned().collect())
}

fn to_attributes(policy: &model::Policy) -> Vec<PolicyAttribute> {
    let pairs = policy.attributes.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    pairs.map(|(name, value)| PolicyAttribute::builder().attribute_name(name).attribute_value(value).build()).collect()
}

fn to_listener(listener: &model::Listener) -> Result<Listener, aws_sdk_elasticloadbalancing::error::BuildError> {
    // Policies are set by a step of their own.
    let model::Listener { protocol, load_balancer_port, instance_protocol, instance_port, certificate, policies: _ } =
        listener;
    Listener::builder()
        .protocol(protocol.to_string())
        .load_balancer_port(i32::from(*load_balancer_port))
        // Always sent, since what the service puts in its place is not documented (elb-facts 1.3).
        .instance_protocol(instance_protocol.to_string())
        .instance_port(i32::from(*instance_port))
        .set_ssl_certificate_id(certificate.as_ref().map(|arn| arn.as_str().to_owned()))
        .build()
}

fn to_health_check(check: &model::HealthCheck) -> Result<HealthCheck, aws_sdk_elasticloadbalancing::error::BuildError> {
    let model::HealthCheck { target, interval, timeout, unhealthy_threshold, healthy_threshold } = check;
    HealthCheck::builder()
        .target(target.to_string())
        .interval(to_i32(*interval))
        .timeout(to_i32(*timeout))
        .unhealthy_threshold(to_i32(*unhealthy_threshold))
        .healthy_threshold(to_i32(*healthy_threshold))
        .build()
}

/// The wire's integers are signed; what does not fit is far beyond every limit and is left to the service to refuse.
fn to_i32(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
