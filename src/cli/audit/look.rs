//! Looks at one balancer: what the rules miss of it is read, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::Sources;
use super::survey::Survey;
use crate::audit::{AuditedBalancer, Examination, Part, Source, Subject, Topology, examine};
use crate::cloud::{Account, CloudError, CloudErrorKind};
use crate::model::names::is_reserved_policy_name;
use crate::model::{Listed, Policy};

/// What was read of one balancer, and what the rules made of it.
pub(super) struct Looked {
    pub(super) audited: AuditedBalancer,
    /// Rules that could not be checked, by the source that does not answer.
    pub(super) unchecked: BTreeMap<Source, BTreeSet<&'static str>>,
    /// Expired suppressions that a finding would have matched.
    pub(super) expired: BTreeSet<usize>,
    /// Reads that failed for this balancer alone.
    pub(super) failures: Vec<CloudError>,
}

/// Reads the rest of one balancer and examines it. Fails if the balancer is gone.
pub(super) async fn look<A: Account>(
    survey: &Survey<'_>,
    sources: &Sources,
    account: &A,
    mut subject: Subject,
) -> Result<Looked, CloudError> {
    if let Some(known) = known_policies(&subject.listed) {
        subject.policies = Part::Read(known);
    }
    let (mut asked, mut failures) = (BTreeSet::new(), Vec::new());
    // Rules are free to run: they say themselves what they miss. Many are content with the listing.
    let Examination { mut findings, unchecked } = loop {
        let examined = examine(&subject, &survey.checks);
        let missing: BTreeSet<Source> = examined.unchecked.keys().copied().filter(|source| asked.insert(*source)).collect();
        if missing.is_empty() {
            break examined;
        }
        read(&mut subject, &missing, sources, account, &mut failures).await?;
    };
    let expired = survey.suppressions.apply(&subject.listed.name, &mut findings);
    let topology = Topology::of(&subject);
    let Subject { scope, listed, .. } = subject;
    let audited = AuditedBalancer { scope, name: listed.name, dns_name: listed.dns_name, topology, findings };
    Ok(Looked { audited, unchecked, expired, failures })
}

/// Reads what is missing of a balancer; what surrounds it was read before, or cannot be.
async fn read<A: Account>(
    subject: &mut Subject,
    missing: &BTreeSet<Source>,
    sources: &Sources,
    account: &A,
    failures: &mut Vec<CloudError>,
) -> Result<(), CloudError> {
    let name = subject.listed.name.as_str();
    let (policies, attributes, health) = tokio::join!(
        wanted(missing, Source::Policies, sources, account.policies(name)),
        wanted(missing, Source::Attributes, sources, account.attributes(name)),
        wanted(missing, Source::InstanceHealth, sources, account.instance_health(name)),
    );
    keep(&mut subject.policies, policies, failures)?;
    keep(&mut subject.attributes, attributes, failures)?;
    keep(&mut subject.health, health, failures)
}

/// Asks a source if it is missing; `None` if not.
async fn wanted<T>(
    missing: &BTreeSet<Source>,
    source: Source,
    sources: &Sources,
    call: impl Future<Output = Result<T, CloudError>>,
) -> Option<Result<Part<T>, CloudError>> {
    match missing.contains(&source) {
        true => Some(sources.ask(source, call).await),
        false => None,
    }
}

/// Keeps an answer. A read that failed leaves the balancer to be audited, unless it is gone.
fn keep<T>(
    kept: &mut Part<T>,
    answer: Option<Result<Part<T>, CloudError>>,
    failures: &mut Vec<CloudError>,
) -> Result<(), CloudError> {
    match answer {
        Some(Err(error)) if error.kind == CloudErrorKind::LoadBalancerNotFound => return Err(error),
        Some(Err(error)) => failures.push(error),
        Some(Ok(answer)) => *kept = answer,
        None => {}
    }
    Ok(())
}

/// The policies of a balancer that need no call: it has none, or only predefined ones, whose names say everything.
fn known_policies(listed: &Listed) -> Option<BTreeMap<String, Policy>> {
    let names = listed.all_policy_names();
    let known = |name: &&str| is_reserved_policy_name(name);
    names.iter().all(known).then(|| names.into_iter().map(|name| (name.to_owned(), Policy::negotiation(name))).collect())
}
