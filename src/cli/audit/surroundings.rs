//! Reads what lies around the balancers of a page, and nothing twice: groups, instances, subnets, route tables, certificates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt};

use super::sources::Sources;
use crate::audit::{Part, Source, Surroundings};
use crate::cloud::{Account, CloudError, IDS_AT_ONCE};
use crate::model::{CertificateArn, CertificateStore, Listed};

/// Calls of one kind at the same time.
const AT_ONCE: usize = 8;

/// What is known so far of an account and region.
pub(super) struct Neighbourhood<'a, A> {
    account: &'a A,
    sources: &'a Sources,
    known: Arc<Surroundings>,
    /// Identifiers that were asked for, whether or not they exist.
    asked: BTreeSet<(Source, String)>,
}

impl<'a, A: Account> Neighbourhood<'a, A> {
    pub(super) fn new(account: &'a A, sources: &'a Sources) -> Self {
        Neighbourhood { account, sources, known: Arc::new(Surroundings::unread()), asked: BTreeSet::new() }
    }

    /// Learns what the rules want to know about these balancers' surroundings.
    pub(super) async fn learn(&mut self, balancers: &[Listed]) -> Arc<Surroundings> {
        self.learn_network(balancers).await;
        self.learn_certificates(balancers).await;
        self.known.clone()
    }

    async fn learn_network(&mut self, balancers: &[Listed]) {
        let account = self.account;
        let instances = self.new_ids(Source::Instances, balancers.iter().flat_map(|one| &one.instances));
        let subnets = self.new_ids(Source::Subnets, balancers.iter().flat_map(|one| &one.subnets));
        let facing = balancers.iter().filter(|balancer| balancer.is_internet_facing());
        let vpcs = self.new_ids(Source::RouteTables, facing.filter_map(|balancer| balancer.vpc.as_ref()));
        let (instances, subnets, tables) = tokio::join!(
            in_batches(self.sources, Source::Instances, instances, async |ids| account.instances(&ids).await),
            in_batches(self.sources, Source::Subnets, subnets, async |ids| account.subnets(&ids).await),
            in_batches(self.sources, Source::RouteTables, vpcs, async |ids| account.route_tables(&ids).await),
        );
        // Instances name groups of their own.
        let of_instances = instances.iter().flatten().flat_map(|(_, one)| &one.security_groups);
        let of_balancers = balancers.iter().flat_map(|balancer| &balancer.security_groups);
        let groups: BTreeSet<String> = of_balancers.chain(of_instances).cloned().collect();
        let groups = self.new_ids(Source::SecurityGroups, groups.iter());
        let groups =
            in_batches(self.sources, Source::SecurityGroups, groups, async |ids| account.security_groups(&ids).await).await;
        let known = Arc::make_mut(&mut self.known);
        merge(&mut known.instances, instances);
        merge(&mut known.subnets, subnets);
        merge(&mut known.route_tables, tables);
        merge(&mut known.security_groups, groups);
    }

    async fn learn_certificates(&mut self, balancers: &[Listed]) {
        let account = self.account;
        let used = balancers.iter().flat_map(|balancer| balancer.listeners.values());
        let used = used.filter_map(|listener| listener.certificate.as_ref());
        let (of_acm, of_iam): (BTreeSet<&CertificateArn>, BTreeSet<&CertificateArn>) =
            used.filter(|arn| arn.store().is_some()).partition(|arn| arn.store() == Some(CertificateStore::Acm));
        if self.sources.asks(Source::AcmCertificates) {
            let new: Vec<&CertificateArn> =
                of_acm.into_iter().filter(|arn| self.asked.insert((Source::AcmCertificates, arn.to_string()))).collect();
            let each = stream::iter(new).map(async |arn| (arn.clone(), account.acm_certificate(arn).await));
            let mut found = BTreeMap::new();
            let mut answers = std::pin::pin!(each.buffer_unordered(AT_ONCE));
            while let Some((arn, answer)) = answers.next().await {
                match answer {
                    Ok(certificate) => drop(found.insert(arn, certificate)),
                    Err(error) => self.sources.give_up(Source::AcmCertificates, &error),
                }
            }
            merge(&mut Arc::make_mut(&mut self.known).acm_certificates, Some(found));
        }
        let first = !of_iam.is_empty() && self.asked.insert((Source::IamCertificates, String::new()));
        if first && self.sources.asks(Source::IamCertificates) {
            match account.iam_certificates().await {
                Ok(found) => merge(&mut Arc::make_mut(&mut self.known).iam_certificates, Some(found)),
                Err(error) => self.sources.give_up(Source::IamCertificates, &error),
            }
        }
    }

    /// Identifiers that a source has not been asked about; none if it is not to be asked.
    fn new_ids<'b>(&mut self, source: Source, ids: impl Iterator<Item = &'b String>) -> Vec<String> {
        if !self.sources.asks(source) {
            return Vec::new();
        }
        ids.filter(|id| self.asked.insert((source, (*id).clone()))).cloned().collect()
    }
}

/// Asks a source about identifiers, as many as a call takes. `None` if it is not to be asked or does not answer: then it is given
/// up.
async fn in_batches<T>(
    sources: &Sources,
    source: Source,
    ids: Vec<String>,
    ask: impl AsyncFn(Vec<String>) -> Result<BTreeMap<String, T>, CloudError>,
) -> Option<BTreeMap<String, T>> {
    if !sources.asks(source) {
        return None;
    }
    let batches: Vec<Vec<String>> = ids.chunks(IDS_AT_ONCE).map(<[String]>::to_vec).collect();
    let mut answers = std::pin::pin!(stream::iter(batches).map(|ids| ask(ids)).buffer_unordered(AT_ONCE));
    let mut all = BTreeMap::new();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(found) => all.extend(found),
            Err(error) => {
                sources.give_up(source, &error);
                return None;
            }
        }
    }
    Some(all)
}

/// Adds an answer to what is known. Without one nothing is known any more: the balancers of this page could not be looked up.
fn merge<K: Ord, V>(known: &mut Part<BTreeMap<K, V>>, found: Option<BTreeMap<K, V>>) {
    match (found, &mut *known) {
        (Some(found), Part::Read(all)) => all.extend(found),
        (Some(found), Part::NotRead) => *known = Part::Read(found),
        (None, _) => *known = Part::NotRead,
    }
}
