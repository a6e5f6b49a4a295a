//! Reads and examines the balancers of one account and region, page after page.
//!
//! The listing runs ahead of the rest, so that the number of balancers is soon known; only what the rules found is kept of a
//! balancer that is done with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use tokio::sync::mpsc;

use super::look::{Looked, look};
use super::sources::Sources;
use super::surroundings::Neighbourhood;
use super::survey::Survey;
use crate::audit::{AuditedBalancer, NotChecked, Part, Scope, Source, Subject, Surroundings, Unreadable};
use crate::cloud::{Account, CloudError, CloudErrorKind, Page, TAGS_AT_ONCE};
use crate::model::Listed;

/// Balancers that are read at the same time.
const AT_ONCE: usize = 16;

/// Pages of the listing that may wait; ten hold 4,000 balancers in some 15 MB.
const PAGES_AHEAD: usize = 10;

/// What came of one account and region.
#[derive(Debug, Clone)]
pub(super) struct Scanned {
    pub(super) scope: Scope,
    pub(super) balancers: Vec<AuditedBalancer>,
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) not_checked: Vec<NotChecked>,
    /// Expired suppressions that a finding would have matched.
    pub(super) expired: BTreeSet<usize>,
    /// The failure that nothing, or nothing more, could be read for.
    pub(super) error: Option<CloudError>,
}

impl Scanned {
    /// Nothing yet.
    pub(super) fn empty(scope: Scope) -> Self {
        let (balancers, unreadable, not_checked) = (Vec::new(), Vec::new(), Vec::new());
        Scanned { scope, balancers, unreadable, not_checked, expired: BTreeSet::new(), error: None }
    }

    /// Whether not even the listing could be read.
    pub(super) fn nothing_read(&self) -> bool {
        self.balancers.is_empty() && self.error.is_some()
    }
}

/// Scans one account and region. It never fails as a whole: what could not be read is part of the outcome.
pub(super) async fn scan<A: Account>(survey: &Survey<'_>, scope: &Scope, account: &A) -> Scanned {
    let sources = Sources::new(&survey.sources);
    let mut scan = Scan {
        survey,
        account,
        sources: &sources,
        neighbourhood: Neighbourhood::new(account, &sources),
        unchecked: BTreeMap::new(),
        seen: BTreeSet::new(),
        scanned: Scanned::empty(scope.clone()),
    };
    let (sender, mut pages) = mpsc::channel(PAGES_AHEAD);
    let work = async {
        while let Some(page) = pages.recv().await {
            match page {
                Ok(page) => scan.page(page).await,
                Err((balancer, error)) => scan.failed(balancer, error),
            }
        }
    };
    tokio::join!(list(survey, account, sender), work);
    scan.finish()
}

type Listing = Result<Page, (Option<String>, CloudError)>;

/// Lists the balancers that are asked for. The receiver goes away only with the whole scan, so a failed send is no loss.
async fn list<A: Account>(survey: &Survey<'_>, account: &A, pages: mpsc::Sender<Listing>) {
    if !survey.choice.names.is_empty() {
        return list_named(survey, account, pages).await;
    }
    let (mut marker, mut seen) = (None, BTreeSet::new());
    loop {
        let page = account.page(marker.as_deref()).await;
        let next = page.as_ref().ok().and_then(|page| page.next.clone());
        if let Ok(page) = &page {
            survey.progress.found(page.balancers.len());
        }
        let failed = page.is_err();
        let _ = pages.send(page.map_err(|error| (None, error))).await;
        match next {
            Some(next) if !failed && seen.insert(next.clone()) => marker = Some(next),
            Some(next) => {
                let error = CloudError {
                    action: "elasticloadbalancing:DescribeLoadBalancers".to_owned(),
                    kind: CloudErrorKind::BadReply,
                    code: None,
                    message: format!("the list never ends: the marker {next} came twice"),
                    request_id: None,
                };
                let _ = pages.send(Err((None, error))).await;
                return;
            }
            None => return,
        }
    }
}

/// Lists balancers by name. One call a name, since one that does not exist would fail the others with it; then all as one page.
async fn list_named<A: Account>(survey: &Survey<'_>, account: &A, pages: mpsc::Sender<Listing>) {
    survey.progress.found(survey.choice.names.len());
    let listed = stream::iter(&survey.choice.names).map(async |name| (name, account.listed(name).await));
    let mut listed = std::pin::pin!(listed.buffered(AT_ONCE));
    let mut page = Page { balancers: Vec::new(), unreadable: Vec::new(), next: None };
    while let Some((name, answer)) = listed.next().await {
        match answer {
            Ok(balancer) => page.balancers.push(balancer),
            Err(error) => {
                survey.progress.done(1);
                let _ = pages.send(Err((Some(name.clone()), error))).await;
            }
        }
    }
    let _ = pages.send(Ok(page)).await;
}

/// A scan that is going on.
struct Scan<'a, A> {
    survey: &'a Survey<'a>,
    account: &'a A,
    sources: &'a Sources,
    neighbourhood: Neighbourhood<'a, A>,
    /// Rules that could not be checked, by the source that does not answer.
    unchecked: BTreeMap<Source, BTreeSet<&'static str>>,
    /// Names that were listed, since a list that changes meanwhile may name a balancer twice.
    seen: BTreeSet<String>,
    scanned: Scanned,
}

impl<A: Account> Scan<'_, A> {
    async fn page(&mut self, page: Page) {
        for (name, error) in page.unreadable {
            self.failed(Some(name).filter(|name| !name.is_empty()), error);
        }
        let survey = self.survey;
        let listed = page.balancers.len();
        let mut balancers = page.balancers;
        balancers.retain(|balancer| survey.choice.takes_name(&balancer.name) && self.seen.insert(balancer.name.clone()));
        let mut tags = self.tags(&balancers).await;
        balancers.retain(|balancer| match tags.get(&balancer.name) {
            Some(Part::Read(tags)) => survey.choice.takes_tags(tags),
            Some(Part::NotRead) => survey.choice.tags.is_empty(),
            // It is gone, and has been noted.
            None => false,
        });
        survey.progress.done(listed - balancers.len());
        let surroundings = self.neighbourhood.learn(&balancers).await;
        let (account, sources, scope) = (self.account, self.sources, self.scanned.scope.clone());
        let looks = balancers.into_iter().map(|listed| {
            let tags = tags.remove(&listed.name).unwrap_or(Part::NotRead);
            let subject = subject(survey, &scope, listed, tags, surroundings.clone());
            async move {
                let name = subject.listed.name.clone();
                let looked = look(survey, sources, account, subject).await;
                survey.progress.done(1);
                (name, looked)
            }
        });
        let mut looks = std::pin::pin!(stream::iter(looks).buffer_unordered(AT_ONCE));
        let mut results = Vec::new();
        while let Some(result) = looks.next().await {
            results.push(result);
        }
        for (name, looked) in results {
            match looked {
                Ok(looked) => self.keep(looked),
                Err(error) => self.failed(Some(name), error),
            }
        }
    }

    /// The tags of balancers by name; a balancer that is gone has no entry. Without access, or without need, they are not read.
    async fn tags(&mut self, balancers: &[Listed]) -> BTreeMap<String, Part<BTreeMap<String, String>>> {
        let names: Vec<String> = balancers.iter().map(|balancer| balancer.name.clone()).collect();
        let mut all: BTreeMap<_, _> = names.iter().map(|name| (name.clone(), Part::NotRead)).collect();
        if !self.sources.asks(Source::Tags) && self.survey.choice.tags.is_empty() {
            return all;
        }
        let account = self.account;
        let calls = stream::iter(names.chunks(TAGS_AT_ONCE)).map(async |names| (names, account.tags(names).await));
        let mut answers = std::pin::pin!(calls.buffered(AT_ONCE));
        let mut again = Vec::new();
        while let Some((names, answer)) = answers.next().await {
            match answer {
                Ok(tags) => all.extend(tags.into_iter().map(|(name, tags)| (name, Part::Read(tags)))),
                // One of them is gone; which one, the service does not say.
                Err(error) if error.kind == CloudErrorKind::LoadBalancerNotFound => again.extend(names.iter().cloned()),
                Err(error) => self.no_tags(error),
            }
        }
        for name in again {
            match account.tags(std::slice::from_ref(&name)).await {
                Ok(tags) => all.extend(tags.into_iter().map(|(name, tags)| (name, Part::Read(tags)))),
                Err(error) if error.kind == CloudErrorKind::LoadBalancerNotFound => {
                    all.remove(&name);
                    self.failed(Some(name), error);
                }
                Err(error) => self.no_tags(error),
            }
        }
        all
    }

    /// Tags do not answer. Where balancers are chosen by their tags, that is the end of this account and region.
    fn no_tags(&mut self, error: CloudError) {
        self.sources.give_up(Source::Tags, &error);
        if !self.survey.choice.tags.is_empty() && self.scanned.error.is_none() {
            self.failed(None, error);
        }
    }

    fn keep(&mut self, looked: Looked) {
        let Looked { audited, unchecked, expired, failures } = looked;
        let mut rules = BTreeSet::new();
        let given_up = self.sources.reasons();
        for (source, ids) in unchecked {
            match failures.is_empty() || given_up.contains_key(&source) {
                true => self.unchecked.entry(source).or_default().extend(ids),
                false => rules.extend(ids),
            }
        }
        if !failures.is_empty() {
            let why: Vec<String> = failures.iter().map(ToString::to_string).collect();
            let rules: Vec<&str> = rules.into_iter().collect();
            let reason = format!("{}; not checked: {}", why.join("; "), rules.join(", "));
            let (scope, balancer) = (audited.scope.clone(), Some(audited.name.clone()));
            self.scanned.unreadable.push(Unreadable { scope, balancer, reason });
        }
        self.scanned.expired.extend(expired);
        self.scanned.balancers.push(audited);
    }

    /// Notes a balancer, or without a name everything that is left, as unreadable.
    fn failed(&mut self, balancer: Option<String>, error: CloudError) {
        let reason = match (&balancer, error.kind) {
            (Some(_), CloudErrorKind::LoadBalancerNotFound) if self.survey.choice.names.is_empty() => {
                "it was deleted while the audit was going on".to_owned()
            }
            _ => error.to_string(),
        };
        self.scanned.unreadable.push(Unreadable { scope: self.scanned.scope.clone(), balancer: balancer.clone(), reason });
        if balancer.is_none() || !self.survey.choice.names.is_empty() {
            self.scanned.error.get_or_insert(error);
        }
    }

    fn finish(self) -> Scanned {
        let mut scanned = self.scanned;
        let reasons = self.sources.reasons();
        for (source, rules) in self.unchecked {
            let reason = reasons.get(&source).cloned().unwrap_or_default();
            let (scope, rules) = (scanned.scope.clone(), rules.into_iter().collect());
            scanned.not_checked.push(NotChecked { scope, read: source.read(), rules, reason });
        }
        scanned
    }
}

fn subject(
    survey: &Survey<'_>,
    scope: &Scope,
    listed: Listed,
    tags: Part<BTreeMap<String, String>>,
    surroundings: Arc<Surroundings>,
) -> Subject {
    Subject {
        scope: scope.clone(),
        listed,
        policies: Part::NotRead,
        attributes: Part::NotRead,
        tags,
        health: Part::NotRead,
        surroundings,
        now: survey.now,
        min_idle_timeout: survey.min_idle_timeout,
    }
}
