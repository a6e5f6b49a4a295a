//! The accounts and regions of an audit: every profile, as every role, in every region; each once.

use std::collections::{BTreeMap, BTreeSet};

use super::AuditArgs;
use super::scan::Scanned;
use crate::audit::{Scope, Unreadable};
use crate::cli::Global;
use crate::cli::connection::Connection;
use crate::cli::error::CliError;
use crate::cloud::aws::Aws;
use crate::cloud::{Account, Cloud, CloudError};

/// What stands for an account that could not be asked for its number.
const UNKNOWN: &str = "unknown";

/// Opened accounts and regions.
pub(super) struct Opened {
    /// What can be read.
    pub(super) accounts: Vec<(Scope, Aws)>,
    /// What could not even be asked who it is.
    pub(super) failed: Vec<Scanned>,
    /// Callers that were asked who they are; kept for their calls, and because a sandbox lives in its connection.
    callers: Vec<Aws>,
    _connections: Vec<Connection>,
}

impl Opened {
    /// Opens all that the command line names. A profile that does not exist is an error; credentials that do not work are noted.
    pub(super) async fn open(global: &Global, args: &AuditArgs) -> Result<Self, CliError> {
        let mut opened = Opened { accounts: Vec::new(), failed: Vec::new(), callers: Vec::new(), _connections: Vec::new() };
        let mut seen = BTreeSet::new();
        let profiles: Vec<Option<&String>> = match args.profiles.is_empty() {
            true => vec![None],
            false => args.profiles.iter().map(Some).collect(),
        };
        for profile in profiles {
            let region = args.regions.first().cloned();
            let one = Global { profile: profile.cloned(), region, ..global.clone() };
            let connection = Connection::open(&one).await?;
            let mut callers = Vec::new();
            for role in &args.roles {
                callers.push((Some(role), connection.cloud().assuming(role).await));
            }
            if callers.is_empty() {
                callers.push((None, connection.cloud().clone()));
            }
            for (role, caller) in callers {
                opened.add(caller, profile, role, args, &mut seen).await;
            }
            opened._connections.push(connection);
        }
        Ok(opened)
    }

    /// Adds the regions of one caller, but for those of an account that another caller has brought.
    async fn add(
        &mut self,
        caller: Aws,
        profile: Option<&String>,
        role: Option<&String>,
        args: &AuditArgs,
        seen: &mut BTreeSet<Scope>,
    ) {
        let regions = match (args.all_regions, args.regions.is_empty()) {
            (true, _) => caller.regions().await,
            (false, true) => Ok(vec![caller.region().to_owned()]),
            (false, false) => Ok(args.regions.clone()),
        };
        let identity = async { Ok((regions?, caller.identity().await?.account)) };
        match identity.await {
            Ok((regions, account)) => {
                for region in regions {
                    let scope = Scope { account: account.clone(), region: region.clone() };
                    if seen.insert(scope.clone()) {
                        self.accounts.push((scope, caller.in_region(&region)));
                    }
                }
            }
            Err(error) => self.failed.push(failed(&caller, profile, role, error)),
        }
        self.callers.push(caller);
    }

    /// The calls that were made to learn what there is.
    pub(super) fn calls(&self) -> BTreeMap<String, u64> {
        let mut calls = BTreeMap::new();
        self.callers.iter().for_each(|caller| super::emit::add_calls(&mut calls, caller.calls()));
        calls
    }
}

fn failed(caller: &Aws, profile: Option<&String>, role: Option<&String>, error: CloudError) -> Scanned {
    let scope = Scope { account: UNKNOWN.to_owned(), region: caller.region().to_owned() };
    let who = [profile.map(|name| format!("profile {name}")), role.map(|arn| format!("role {arn}"))];
    let who: Vec<String> = who.into_iter().flatten().chain([error.to_string()]).collect();
    let unreadable = vec![Unreadable { scope: scope.clone(), balancer: None, reason: who.join(": ") }];
    Scanned { unreadable, error: Some(error), ..Scanned::empty(scope) }
}
