//! What EC2 knows of the network around a balancer: the address ranges of its subnets.

use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net};

use super::Aws;
use super::error::bad_reply;
use crate::cloud::CloudError;

const SUBNETS: &str = "ec2:DescribeSubnets";

impl Aws {
    /// The IPv4 ranges of subnets. IPv6 ranges are not asked for: Classic Load Balancers of a VPC speak IPv4 (elb-facts 2.3).
    pub(super) async fn read_subnet_ranges(&self, subnets: &BTreeSet<String>) -> Result<BTreeSet<IpNet>, CloudError> {
        if subnets.is_empty() {
            return Ok(BTreeSet::new());
        }
        let request = self.ec2.describe_subnets().set_subnet_ids(Some(subnets.iter().cloned().collect()));
        let reply = self.call(SUBNETS, request.send()).await?;
        let mut missing = subnets.clone();
        let mut ranges = BTreeSet::new();
        for subnet in reply.subnets() {
            let id = subnet.subnet_id().unwrap_or_default();
            if !missing.remove(id) {
                return Err(bad_reply(SUBNETS, format!("the answer describes `{id}`, which was not asked for")));
            }
            let cidr = subnet.cidr_block().unwrap_or_default();
            let range = cidr.parse::<Ipv4Net>().map_err(|_| bad_reply(SUBNETS, format!("{id} has the range `{cidr}`")))?;
            ranges.insert(IpNet::V4(range));
        }
        match missing.first() {
            Some(id) => Err(bad_reply(SUBNETS, format!("the answer says nothing of {id}"))),
            None => Ok(ranges),
        }
    }
}
