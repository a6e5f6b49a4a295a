//! Makes the one call that a step stands for.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancing as elb;
use elb::error::BuildError;
use elb::types;

use super::error::failed;
use crate::cloud::{CloudError, CloudErrorKind};
use crate::model::{CertificateArn, HealthCheck, Listener, Policy};
use crate::plan::Step;

pub(super) async fn perform(client: &elb::Client, name: &str, step: &Step) -> Result<(), CloudError> {
    let action = format!("elasticloadbalancing:{}", step.action());
    let incomplete = |error: BuildError| CloudError {
        action: action.clone(),
        kind: CloudErrorKind::Refused,
        code: None,
        message: error.to_string(),
        request_id: None,
    };
    macro_rules! send {
        ($call:expr) => {
            $call.load_balancer_name(name).send().await.map(drop).map_err(|error| failed(&action, error))
        };
    }
    match step {
        Step::ConfigureHealthCheck { health_check: check } => {
            send!(client.configure_health_check().health_check(health_check(check).map_err(incomplete)?))
        }
        Step::SetIdleTimeout { seconds } => {
            // Attributes that are not sent stay as they are (elb-facts 2.5).
            let settings =
                types::ConnectionSettings::builder().idle_timeout(signed(*seconds)).build().map_err(incomplete)?;
            let attributes = types::LoadBalancerAttributes::builder().connection_settings(settings).build();
            send!(client.modify_load_balancer_attributes().load_balancer_attributes(attributes))
        }
        Step::CreatePolicy { name: policy_name, policy } => send!(
            client
                .create_load_balancer_policy()
                .policy_name(policy_name)
                .policy_type_name(&policy.policy_type)
                .set_policy_attributes(Some(policy_attributes(policy)))
        ),
        Step::DeletePolicy { name: policy_name } => send!(client.delete_load_balancer_policy().policy_name(policy_name)),
        // An empty list clears the set only when it is sent as one (elb-facts 1.7).
        Step::SetBackendPolicies { instance_port, policies } => send!(
            client
                .set_load_balancer_policies_for_backend_server()
                .instance_port(i32::from(*instance_port))
                .set_policy_names(Some(list(policies)))
        ),
        Step::SetListenerPolicies { load_balancer_port, policies } => send!(
            client
                .set_load_balancer_policies_of_listener()
                .load_balancer_port(i32::from(*load_balancer_port))
                .set_policy_names(Some(list(policies)))
        ),
        Step::CreateListener { listener: wanted } => {
            send!(client.create_load_balancer_listeners().listeners(listener(wanted).map_err(incomplete)?))
        }
        Step::DeleteListener { load_balancer_port } => {
            send!(client.delete_load_balancer_listeners().load_balancer_ports(i32::from(*load_balancer_port)))
        }
        Step::SetListenerCertificate { load_balancer_port, certificate } => send!(
            client
                .set_load_balancer_listener_ssl_certificate()
                .load_balancer_port(i32::from(*load_balancer_port))
                .ssl_certificate_id(certificate.as_str())
        ),
        Step::AddTags { tags } => {
            let tags = tags.iter().map(|(key, value)| types::Tag::builder().key(key).value(value).build());
            let tags = tags.collect::<Result<Vec<_>, _>>().map_err(incomplete)?;
            let call = client.add_tags().load_balancer_names(name).set_tags(Some(tags));
            call.send().await.map(drop).map_err(|error| failed(&action, error))
        }
        Step::RemoveTags { keys } => {
            let keys = keys.iter().map(|key| types::TagKeyOnly::builder().key(key).build()).collect();
            let call = client.remove_tags().load_balancer_names(name).set_tags(Some(keys));
            call.send().await.map(drop).map_err(|error| failed(&action, error))
        }
    }
}

fn list(names: &BTreeSet<String>) -> Vec<String> {
    names.iter().cloned().collect()
}

fn policy_attributes(policy: &Policy) -> Vec<types::PolicyAttribute> {
    let pairs = policy.attributes.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    pairs
        .map(|(name, value)| types::PolicyAttribute::builder().attribute_name(name).attribute_value(value).build())
        .collect()
}

fn listener(wanted: &Listener) -> Result<types::Listener, BuildError> {
    let Listener { protocol, load_balancer_port, instance_protocol, instance_port, certificate, policies: _ } = wanted;
    types::Listener::builder()
        .protocol(protocol.to_string())
        .load_balancer_port(i32::from(*load_balancer_port))
        .instance_protocol(instance_protocol.to_string())
        .instance_port(i32::from(*instance_port))
        .set_ssl_certificate_id(certificate.as_ref().map(CertificateArn::to_string))
        .build()
}

fn health_check(check: &HealthCheck) -> Result<types::HealthCheck, BuildError> {
    let HealthCheck { target, interval, timeout, unhealthy_threshold, healthy_threshold } = check;
    types::HealthCheck::builder()
        .target(target.to_string())
        .interval(signed(*interval))
        .timeout(signed(*timeout))
        .unhealthy_threshold(signed(*unhealthy_threshold))
        .healthy_threshold(signed(*healthy_threshold))
        .build()
}

/// The API's integers are signed; every bound of the service lies far below the largest.
fn signed(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
