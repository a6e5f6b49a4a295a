//! `elbws iam-policy`: the least IAM policy for a command. It calls nothing and needs no credentials.

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::Global;
use super::error::{CliError, Exit};
use super::stdout::write_data;
use super::target::BalancerNames;
use crate::cloud::permissions::{Place, Purpose, least_policy, partition_of};
use crate::output::{sink, warning_text};

/// The most characters of a managed policy, white space not counted (IAM quotas).
const LARGEST_POLICY: usize = 6144;

/// Print the least IAM policy that a command needs
#[derive(Debug, Args)]
#[command(after_help = "\
Changes are allowed only on the balancers named with --elb. Reads cannot be narrowed to a balancer: AWS does not offer that. It calls \
nothing and needs no credentials; what it is not told about region and account becomes `*`.

Examples:
  elbws iam-policy --for plan
  elbws iam-policy --for apply --elb chat --region eu-west-1 --account 123456789012
  aws iam create-policy --policy-name elbws \\
      --policy-document \"$(elbws iam-policy --for apply --elb chat)\"")]
pub(super) struct IamPolicyArgs {
    /// What the policy is for
    #[arg(long = "for", value_enum, value_name = "COMMAND")]
    purpose: PolicyFor,
    #[command(flatten)]
    balancers: BalancerNames,
    /// The account of the balancers [default: any]
    #[arg(long, value_name = "ID", value_parser = account)]
    account: Option<String>,
    /// The partition of the account [default: that of the region, or aws]
    #[arg(long, value_name = "NAME", value_parser = word)]
    partition: Option<String>,
}

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PolicyFor {
    /// `plan` and `show`: reads only.
    Plan,
    /// `apply`, `listener`, `certificate` and `proxy-protocol`.
    Apply,
    /// `audit`, `verify --elb` and `backend --elb`: reads only, of instances and networks too.
    Audit,
}

pub(super) fn run(global: &Global, args: &IamPolicyArgs) -> Result<Exit, CliError> {
    let IamPolicyArgs { purpose, balancers, account, partition } = args;
    let balancers = balancers.optional()?;
    let region = region(global)?;
    let partition = partition.clone().unwrap_or_else(|| partition_of(&region).to_owned());
    let place = Place { partition, region, account: account.clone().unwrap_or_else(|| "*".to_owned()) };
    let purpose = match purpose {
        PolicyFor::Plan => Purpose::Plan,
        PolicyFor::Apply => Purpose::Apply,
        PolicyFor::Audit => Purpose::Audit,
    };
    let text = serde_json::to_string_pretty(&least_policy(purpose, &place, &balancers)).context("no JSON")?;
    write_data(&format!("{text}\n"))?;
    if purpose == Purpose::Apply && balancers.is_empty() && !global.quiet {
        let why = "this policy lets every load balancer of the account be changed; name those meant with --elb";
        sink::message(&warning_text(why));
    }
    let length = text.chars().filter(|c| !c.is_whitespace()).count();
    if length > LARGEST_POLICY {
        let why = format!(
            "this policy has {length} characters and IAM takes {LARGEST_POLICY} at most: make several, of fewer balancers each"
        );
        sink::message(&warning_text(&why));
    }
    Ok(Exit::Done)
}

/// `--region`, or what the environment says; a profile is not looked at, since the policy may be for somebody else.
fn region(global: &Global) -> Result<String, CliError> {
    let set = |name: &str| std::env::var(name).ok().filter(|region| !region.is_empty());
    let region = global.region.clone().or_else(|| set("AWS_REGION")).or_else(|| set("AWS_DEFAULT_REGION"));
    match region {
        Some(region) => word(&region).map_err(|error| CliError::usage(format!("the region {error}"))),
        None => Ok("*".to_owned()),
    }
}

fn account(text: &str) -> Result<String, String> {
    let legal = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    legal.then(|| text.to_owned()).ok_or_else(|| "an account has twelve digits".to_owned())
}

fn word(text: &str) -> Result<String, String> {
    let legal =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    legal.then(|| text.to_owned()).ok_or_else(|| format!("`{text}` is not made of small letters, digits and hyphens"))
}
