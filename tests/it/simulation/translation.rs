//! Steps and reads as the requests that the adapter sends: which action, with which parameters.
//!
//! `same_as_the_wire` holds this against the real adapter, request by request.

use std::collections::BTreeSet;

use elbws::model::{CertificateArn, CertificateStore, HealthCheck, Listener};
use elbws::plan::Step;
use elbws::sandbox::control::{Action, Params, Service};

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) action: &'static Action,
    pub(crate) region: String,
    pub(crate) params: Params,
    /// What tells this call from another one of the same action.
    pub(crate) label: String,
}

impl Call {
    pub(crate) fn new(service: Service, name: &str, label: impl Into<String>, params: Params) -> Self {
        let action = Action::find(service, name).unwrap_or_else(|| panic!("the sandbox serves {name}"));
        Call { action, region: "eu-west-1".to_owned(), params, label: format!("{name} {}", label.into()) }
    }

    /// A call of the Classic ELB API on one balancer.
    pub(crate) fn elb(name: &str, balancer: &str, params: &[(&str, &str)]) -> Self {
        let mut all = Params::default();
        let own = if name.ends_with("Tags") { "LoadBalancerNames.member.1" } else { "LoadBalancerName" };
        for (path, value) in [(own, balancer)].iter().chain(params) {
            all = all.set(path, *value);
        }
        Call::new(Service::Elb, name, format!("{params:?}"), all)
    }

    /// The name with the service's prefix, as errors have it.
    pub(crate) fn iam_name(&self) -> String {
        format!("{}:{}", self.action.service.signing_name(), self.action.name)
    }
}

/// The four reads of a balancer.
pub(crate) fn reads(balancer: &str) -> [Call; 4] {
    let described = Params::default().set("LoadBalancerNames.member.1", balancer);
    [
        Call::new(Service::Elb, "DescribeLoadBalancers", balancer, described),
        Call::elb("DescribeLoadBalancerPolicies", balancer, &[]),
        Call::elb("DescribeLoadBalancerAttributes", balancer, &[]),
        Call::elb("DescribeTags", balancer, &[]),
    ]
}

/// The question whether a certificate exists; none where its ARN names no service that keeps certificates.
pub(crate) fn certificate(arn: &CertificateArn) -> Option<Call> {
    match arn.store()? {
        CertificateStore::Acm => {
            let params = Params::default().set("CertificateArn", arn.as_str());
            let call = Call::new(Service::Acm, "DescribeCertificate", arn.as_str(), params);
            Some(Call { region: arn.region().unwrap_or("eu-west-1").to_owned(), ..call })
        }
        CertificateStore::Iam => {
            let params = Params::default().set("ServerCertificateName", arn.iam_name()?);
            Some(Call::new(Service::Iam, "GetServerCertificate", arn.as_str(), params))
        }
    }
}

/// The call of a step.
pub(crate) fn step(balancer: &str, step: &Step) -> Call {
    let call = |pairs: Vec<(String, String)>| {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(path, value)| (path.as_str(), value.as_str())).collect();
        Call::elb(step.action(), balancer, &pairs)
    };
    match step {
        Step::ConfigureHealthCheck { health_check } => call(health_check_members(health_check)),
        Step::SetIdleTimeout { seconds } => {
            call(vec![pair("LoadBalancerAttributes.ConnectionSettings.IdleTimeout", seconds)])
        }
        Step::CreatePolicy { name, policy } => {
            let mut pairs = vec![pair("PolicyName", name), pair("PolicyTypeName", &policy.policy_type)];
            let attributes = policy.attributes.iter().flat_map(|(name, all)| all.iter().map(move |one| (name, one)));
            for (number, (name, value)) in (1..).zip(attributes) {
                pairs.push(pair(&format!("PolicyAttributes.member.{number}.AttributeName"), name));
                pairs.push(pair(&format!("PolicyAttributes.member.{number}.AttributeValue"), value));
            }
            call(pairs)
        }
        Step::DeletePolicy { name } => call(vec![pair("PolicyName", name)]),
        Step::SetBackendPolicies { instance_port, policies } => {
            call([vec![pair("InstancePort", instance_port)], set(policies)].concat())
        }
        Step::CreateListener { listener } => call(listener_members(listener)),
        Step::DeleteListener { load_balancer_port } => call(vec![pair("LoadBalancerPorts.member.1", load_balancer_port)]),
        Step::SetListenerPolicies { load_balancer_port, policies } => {
            call([vec![pair("LoadBalancerPort", load_balancer_port)], set(policies)].concat())
        }
        Step::SetListenerCertificate { load_balancer_port, certificate } => {
            call(vec![pair("LoadBalancerPort", load_balancer_port), pair("SSLCertificateId", certificate)])
        }
        Step::AddTags { tags } => {
            let tag = |(number, (key, value)): (u32, (&String, &String))| {
                [pair(&format!("Tags.member.{number}.Key"), key), pair(&format!("Tags.member.{number}.Value"), value)]
            };
            call((1..).zip(tags).flat_map(tag).collect())
        }
        Step::RemoveTags { keys } => {
            let key = |(number, key): (u32, &String)| pair(&format!("Tags.member.{number}.Key"), key);
            call((1..).zip(keys).map(key).collect())
        }
    }
}

fn pair(path: &str, value: impl ToString) -> (String, String) {
    (path.to_owned(), value.to_string())
}

/// An empty set is sent as a bare name, which clears; no name at all would be an error.
fn set(policies: &BTreeSet<String>) -> Vec<(String, String)> {
    match policies.is_empty() {
        true => vec![pair("PolicyNames", "")],
        false => {
            (1..).zip(policies).map(|(number, name): (u32, _)| pair(&format!("PolicyNames.member.{number}"), name)).collect()
        }
    }
}

fn listener_members(listener: &Listener) -> Vec<(String, String)> {
    let member = |name: &str, value: String| pair(&format!("Listeners.member.1.{name}"), value);
    let mut members = vec![
        member("Protocol", listener.protocol.to_string()),
        member("LoadBalancerPort", listener.load_balancer_port.to_string()),
        member("InstanceProtocol", listener.instance_protocol.to_string()),
        member("InstancePort", listener.instance_port.to_string()),
    ];
    members.extend(listener.certificate.iter().map(|arn| member("SSLCertificateId", arn.to_string())));
    members
}

fn health_check_members(check: &HealthCheck) -> Vec<(String, String)> {
    let member = |name: &str, value: String| pair(&format!("HealthCheck.{name}"), value);
    vec![
        member("Target", check.target.to_string()),
        member("Interval", check.interval.to_string()),
        member("Timeout", check.timeout.to_string()),
        member("UnhealthyThreshold", check.unhealthy_threshold.to_string()),
        member("HealthyThreshold", check.healthy_threshold.to_string()),
    ]
}
