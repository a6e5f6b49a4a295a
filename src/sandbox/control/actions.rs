//! The table of actions: every call the sandbox serves, by service, and whether it can change anything.

use super::{ApiError, Element, Request, World, acm, ec2, elb, iam, sts};

/// A service of AWS, of which the sandbox serves all (Classic ELB) or a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Classic Elastic Load Balancing: all 29 actions.
    Elb,
    /// EC2: the descriptions an audit reads, answered from the seed.
    Ec2,
    /// IAM: server certificates.
    Iam,
    /// STS: who am I.
    Sts,
    /// AWS Certificate Manager: import, describe, list.
    Acm,
}

impl Service {
    /// The service's name in a credential scope, and in the log.
    pub fn signing_name(self) -> &'static str {
        match self {
            Service::Elb => "elasticloadbalancing",
            Service::Ec2 => "ec2",
            Service::Iam => "iam",
            Service::Sts => "sts",
            Service::Acm => "acm",
        }
    }

    /// The service that a `Version` parameter of the query protocols means.
    pub fn of_version(version: &str) -> Option<Service> {
        match version {
            "2012-06-01" => Some(Service::Elb),
            "2016-11-15" => Some(Service::Ec2),
            "2010-05-08" => Some(Service::Iam),
            "2011-06-15" => Some(Service::Sts),
            _ => None,
        }
    }
}

/// What an action does to the world.
#[derive(Debug, Clone, Copy)]
pub enum Effect {
    /// It only reads.
    Read(fn(&World, &Request) -> Result<Element, ApiError>),
    /// It may change something.
    Write(fn(&mut World, &Request) -> Result<Element, ApiError>),
}

/// One action of a service.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// The service.
    pub service: Service,
    /// The action's name.
    pub name: &'static str,
    /// What it does.
    pub effect: Effect,
}

impl Action {
    /// Finds an action by its name.
    pub fn find(service: Service, name: &str) -> Option<&'static Action> {
        ACTIONS.iter().find(|action| action.service == service && action.name == name)
    }

    /// Whether the action can change the world.
    pub fn is_mutating(&self) -> bool {
        matches!(self.effect, Effect::Write(_))
    }
}

const fn read(service: Service, name: &'static str, run: fn(&World, &Request) -> Result<Element, ApiError>) -> Action {
    Action { service, name, effect: Effect::Read(run) }
}

const fn write(service: Service, name: &'static str, run: fn(&mut World, &Request) -> Result<Element, ApiError>) -> Action {
    Action { service, name, effect: Effect::Write(run) }
}

/// Every action the sandbox serves.
pub const ACTIONS: &[Action] = &[
    write(Service::Elb, "AddTags", elb::tags::add),
    write(Service::Elb, "ApplySecurityGroupsToLoadBalancer", elb::network::apply_security_groups),
    write(Service::Elb, "AttachLoadBalancerToSubnets", elb::network::attach_subnets),
    write(Service::Elb, "ConfigureHealthCheck", elb::health_check::configure),
    write(Service::Elb, "CreateAppCookieStickinessPolicy", elb::policies::create_app_cookie),
    write(Service::Elb, "CreateLBCookieStickinessPolicy", elb::policies::create_lb_cookie),
    write(Service::Elb, "CreateLoadBalancer", elb::balancers::create),
    write(Service::Elb, "CreateLoadBalancerListeners", elb::listeners::create),
    write(Service::Elb, "CreateLoadBalancerPolicy", elb::policies::create),
    write(Service::Elb, "DeleteLoadBalancer", elb::balancers::delete),
    write(Service::Elb, "DeleteLoadBalancerListeners", elb::listeners::delete),
    write(Service::Elb, "DeleteLoadBalancerPolicy", elb::policies::delete),
    write(Service::Elb, "DeregisterInstancesFromLoadBalancer", elb::instances::deregister),
    read(Service::Elb, "DescribeAccountLimits", elb::limits::describe),
    read(Service::Elb, "DescribeInstanceHealth", elb::instances::describe_health),
    read(Service::Elb, "DescribeLoadBalancerAttributes", elb::attributes::describe),
    read(Service::Elb, "DescribeLoadBalancerPolicies", elb::describe_policies::describe),
    read(Service::Elb, "DescribeLoadBalancerPolicyTypes", elb::policy_types::describe),
    read(Service::Elb, "DescribeLoadBalancers", elb::describe::describe),
    read(Service::Elb, "DescribeTags", elb::tags::describe),
    write(Service::Elb, "DetachLoadBalancerFromSubnets", elb::network::detach_subnets),
    write(Service::Elb, "DisableAvailabilityZonesForLoadBalancer", elb::network::disable_zones),
    write(Service::Elb, "EnableAvailabilityZonesForLoadBalancer", elb::network::enable_zones),
    write(Service::Elb, "ModifyLoadBalancerAttributes", elb::attributes::modify),
    write(Service::Elb, "RegisterInstancesWithLoadBalancer", elb::instances::register),
    write(Service::Elb, "RemoveTags", elb::tags::remove),
    write(Service::Elb, "SetLoadBalancerListenerSSLCertificate", elb::listeners::set_certificate),
    write(Service::Elb, "SetLoadBalancerPoliciesForBackendServer", elb::attach::set_for_backend_server),
    write(Service::Elb, "SetLoadBalancerPoliciesOfListener", elb::attach::set_of_listener),
    read(Service::Ec2, "DescribeAvailabilityZones", ec2::zones),
    read(Service::Ec2, "DescribeInstances", ec2::instances),
    read(Service::Ec2, "DescribeInternetGateways", ec2::internet_gateways),
    read(Service::Ec2, "DescribeRegions", ec2::regions),
    read(Service::Ec2, "DescribeRouteTables", ec2::route_tables),
    read(Service::Ec2, "DescribeSecurityGroups", ec2::security_groups),
    read(Service::Ec2, "DescribeSubnets", ec2::subnets),
    read(Service::Ec2, "DescribeVpcs", ec2::vpcs),
    write(Service::Iam, "DeleteServerCertificate", iam::delete),
    read(Service::Iam, "GetServerCertificate", iam::get),
    read(Service::Iam, "ListServerCertificates", iam::list),
    write(Service::Iam, "UploadServerCertificate", iam::upload),
    read(Service::Sts, "AssumeRole", sts::assume_role),
    read(Service::Sts, "GetCallerIdentity", sts::get_caller_identity),
    read(Service::Acm, "DescribeCertificate", acm::describe),
    write(Service::Acm, "ImportCertificate", acm::import),
    read(Service::Acm, "ListCertificates", acm::list),
];
