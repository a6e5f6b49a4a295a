//! The descriptions of EC2: by filter, so that something that does not exist is left out instead of failing the call.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;

use super::reply;
use crate::cloud::aws::Aws;
use crate::cloud::aws::error::bad_reply;
use crate::cloud::aws::markers::Markers;
use crate::cloud::{Action, CloudError};
use crate::model::{Instance, RouteTable, SecurityGroup, Subnet};

const REGIONS: Action = Action::DescribeRegions;
const GROUPS: Action = Action::DescribeSecurityGroups;
const INSTANCES: Action = Action::DescribeInstances;
const SUBNETS: Action = Action::DescribeSubnets;
const ROUTE_TABLES: Action = Action::DescribeRouteTables;

fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

/// Asks for page after page of one description and gathers what they hold.
macro_rules! gather {
    ($self:ident, $action:ident, $request:expr, $items:ident, $read:path) => {{
        let (mut found, mut markers, mut next) = (BTreeMap::new(), Markers::default(), None);
        loop {
            let reply = $self.call($action, $request.set_next_token(next).send()).await?;
            for item in reply.$items() {
                $read(item, &mut found).map_err(|why| bad_reply($action, why))?;
            }
            next = markers.next($action, reply.next_token())?;
            if next.is_none() {
                return Ok(found);
            }
        }
    }};
}

impl Aws {
    pub(super) async fn enabled_regions(&self) -> Result<Vec<String>, CloudError> {
        let reply = self.call(REGIONS, self.ec2.describe_regions().send()).await?;
        let mut names: Vec<String> =
            reply.regions().iter().filter_map(|region| region.region_name()).map(str::to_owned).collect();
        names.sort_unstable();
        match names.is_empty() {
            true => Err(bad_reply(REGIONS, "the answer names no region")),
            false => Ok(names),
        }
    }

    pub(super) async fn groups_by_id(&self, ids: &[String]) -> Result<BTreeMap<String, SecurityGroup>, CloudError> {
        let request = || self.ec2.describe_security_groups().filters(filter("group-id", ids));
        gather!(self, GROUPS, request(), security_groups, reply::security_group)
    }

    pub(super) async fn instances_by_id(&self, ids: &[String]) -> Result<BTreeMap<String, Instance>, CloudError> {
        let request = || self.ec2.describe_instances().filters(filter("instance-id", ids));
        gather!(self, INSTANCES, request(), reservations, reply::reservation)
    }

    pub(super) async fn subnets_by_id(&self, ids: &[String]) -> Result<BTreeMap<String, Subnet>, CloudError> {
        let request = || self.ec2.describe_subnets().filters(filter("subnet-id", ids));
        gather!(self, SUBNETS, request(), subnets, reply::subnet)
    }

    pub(super) async fn route_tables_of(&self, vpcs: &[String]) -> Result<BTreeMap<String, RouteTable>, CloudError> {
        let request = || self.ec2.describe_route_tables().filters(filter("vpc-id", vpcs));
        gather!(self, ROUTE_TABLES, request(), route_tables, reply::route_table)
    }
}
