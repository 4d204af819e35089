//! Looks at what concerns a Pipeline: its account, its source, its Releases and their targets. Changes nothing.

use crate::access::access;
use crate::context::Context;
use crate::git::{Access, Ask, Credential, GitFault, LANDS, Poll, Untold};
use crate::images::Followed;
use crate::item::Item;
use crate::key::{Key, Kind};
use crate::kube_api::{self, PAGE};
use crate::unreachable::Unreachable;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use kube::api::{Api, ListParams};
use launchway_crds::Release;
use launchway_plan::account::{Scope, scope};
use launchway_plan::fault::Fault;
use launchway_plan::look::Looked;
use launchway_plan::pipeline::desired::Source;
use launchway_plan::pipeline::freshness::{Freshness, freshness};
use launchway_plan::pipeline::heads::{asked, sorted};
use launchway_plan::pipeline::looks::targets;
use launchway_plan::pipeline::observed::Tip;
use launchway_plan::pipeline::refs::Refs;
use launchway_plan::pipeline::{Desired, Observed, Record, ReleaseSeen};
use launchway_plan::rank::Rank;
use launchway_plan::refusal::Refusal;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Takes every look that this pass needs. Faults are part of what was seen.
pub async fn observe(desired: &Desired, record: &Record, context: &Context) -> Result<Observed, Unreachable> {
    let account = kube_api::account(&desired.account, &desired.namespace, context).await?;
    let allowed = scope(&account, desired.region.as_deref())
        .and_then(|scope| desired.plan(&scope).map(|_| scope))
        .ok()
        .filter(|_| !desired.suspended);
    let now = (context.clock)();
    let mut observed = Observed {
        at: now,
        account,
        head: Looked::NotAsked,
        change: None,
        next_poll: None,
        releases: Vec::new(),
        strangers: Vec::new(),
        targets: BTreeMap::new(),
    };
    (observed.releases, observed.strangers) = sorted(desired, record, releases(desired, record, context).await?);
    let names = targets(desired, record, &observed.releases);
    let seen = join_all(names.iter().map(|name| kube_api::target(name, &desired.namespace, context))).await;
    for (name, seen) in names.into_iter().zip(seen) {
        observed.targets.insert(name, seen?);
    }
    if let Some(scope) = allowed {
        let fresh = freshness(desired, record, now);
        source(&mut observed, (desired, record), &scope, &fresh, context).await?;
        observed.next_poll = observed.next_poll.map(|next| fresh.again.map_or(next, |again| again.min(next)));
    }
    Ok(observed)
}

/// Looks at the source.
async fn source(
    observed: &mut Observed,
    (desired, record): (&Desired, &Record),
    scope: &Scope,
    fresh: &Freshness,
    context: &Context,
) -> Result<(), Unreachable> {
    match &desired.source {
        Source::Git { refs, url, secret, .. } => {
            match access(&desired.namespace, url, secret.as_deref(), (&context.kube, context.unbound_secrets)).await? {
                Ok(access) => {
                    let remote = Remote { refs, url: url.clone(), access, field: "spec.source.git.branch" };
                    look(observed, (desired, record), &remote, fresh, context).await;
                }
                Err(why) => {
                    let name = secret.clone().unwrap_or_default();
                    observed.head = Looked::Seen(Err(Refusal::Secret { name, why }));
                }
            }
        }
        Source::CodeCommit { refs, repository, .. } => {
            let cloud = context.clouds.at(&scope.place, &desired.namespace, Rank::Look);
            let repository = cloud.git_repository(repository);
            let url = repository.url();
            let access = Access { credential: Some(Credential::CodeCommit(repository)), ..Access::default() };
            let remote = Remote { refs, url, access, field: "spec.source.codeCommit.branch" };
            look(observed, (desired, record), &remote, fresh, context).await;
        }
        Source::Images { repository, tag, .. } => {
            let cloud = context.clouds.at(&scope.place, &desired.namespace, Rank::Look);
            let of = Followed { place: scope.place.clone(), repository: repository.clone(), tag: tag.clone() };
            let list = context.images.of(of, fresh, &cloud, observed.at).await;
            observed.next_poll = Some(list.due);
            observed.head = match list.outcome {
                Some(Ok(images)) => Looked::Seen(Ok(Tip::Images(images))),
                Some(Err(fault)) => Looked::Blind(fault),
                None => Looked::NotAsked,
            };
        }
    }
    Ok(())
}

/// What is followed in a repository, and who asks there.
struct Remote<'a> {
    refs: &'a Refs,
    /// The field that names the branch.
    field: &'static str,
    url: String,
    access: Access,
}

impl Remote<'_> {
    /// What went wrong there.
    fn fault(&self, fault: &GitFault) -> Fault {
        match &self.access.credential {
            Some(Credential::CodeCommit(repository)) => fault.at_code_commit(&repository.arn()),
            Some(Credential::Basic { .. } | Credential::Token(_) | Credential::Bearer(_)) | None => fault.at(&self.url),
        }
    }
}

/// Looks at the head of the branch, and, where that decides what becomes of it, at what it says and changes; or says when to come back
/// for it, because the server has not answered yet.
async fn look(
    observed: &mut Observed,
    (desired, record): (&Desired, &Record),
    remote: &Remote<'_>,
    fresh: &Freshness,
    context: &Context,
) {
    let ask = Ask {
        url: &remote.url,
        refs: remote.refs.clone(),
        namespace: &desired.namespace,
        access: &remote.access,
        interval: SignedDuration::from_secs(fresh.interval),
        since: fresh.since,
    };
    match context.polls.head(&ask, (context.clock)()).await {
        Some(poll) => see(observed, poll, remote),
        None => observed.next_poll = Some(observed.at + LANDS),
    }
    let Some(question) = asked(desired, record, observed) else { return };
    match context.polls.change(&ask, &question, (context.clock)()).await {
        Ok(change) => observed.change = Some(change),
        Err(Untold { fault, again }) => {
            observed.head = match fault {
                None => Looked::NotAsked,
                Some(fault @ GitFault::NoObjects) => Looked::Seen(Err(Refusal::NoObjects { why: fault.to_string() })),
                Some(fault) => Looked::Blind(Fault { operation: "git:fetch".to_owned(), ..remote.fault(&fault) }),
            };
            observed.next_poll = observed.next_poll.map(|next| next.min(again));
        }
    }
}

fn see(observed: &mut Observed, poll: Poll, remote: &Remote<'_>) {
    // Asking before that would be answered with the same poll.
    let due = poll.sent.saturating_add(poll.good_for).unwrap_or(Timestamp::MAX);
    observed.next_poll = Some(if due > observed.at { due } else { observed.at + poll.good_for });
    observed.head = match poll.outcome {
        Ok(head) => Looked::Seen(Ok(Tip::Commit { of: head.of, commit: head.commit })),
        Err(GitFault::NoTag(other)) => Looked::Seen(Ok(Tip::NoTag(other))),
        Err(GitFault::NoSuchBranch(missing)) => {
            Looked::Seen(Err(Refusal::NoSuchBranch { field: remote.field, why: missing.to_string() }))
        }
        Err(fault) => Looked::Blind(remote.fault(&fault)),
    };
}

/// The Pipeline's Releases. A list may be old, so those that it shows begun and not ended are read again one by one. So are
/// those that the record names: they hold a stage, may begin, were superseded, or were about to be made. Of one that has not
/// begun and is not named, nothing is to be known but that it is there: of a thousand that are made at once, none is read.
async fn releases(desired: &Desired, record: &Record, context: &Context) -> Result<Vec<ReleaseSeen>, Unreachable> {
    let api: Api<Item<Release>> = Api::namespaced(context.kube.clone(), &desired.namespace);
    let listed =
        listed(&api, &desired.name).await.map_err(Unreachable::of("listing Releases of", desired.name.clone()))?;
    let making = record.making().map(|making| desired.release(making.number).0);
    let named: BTreeSet<&str> = record.names().chain(making.as_deref()).collect();
    let (mut all, unsure): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|one| one.ended() || !one.begun && !named.contains(one.name.as_str()));
    let there: BTreeSet<String> = all.iter().chain(&unsure).map(|one| one.name.clone()).collect();
    let missing = named.into_iter().filter(|name| !there.contains(*name)).map(str::to_owned);
    for name in unsure.into_iter().map(|one| one.name).chain(missing) {
        all.extend(live(desired, &name, context).await?);
    }
    Ok(all)
}

/// What a list shows of them. Of a page only that is kept: each may be as large as Kubernetes takes.
async fn listed(api: &Api<Item<Release>>, pipeline: &str) -> kube::Result<Vec<ReleaseSeen>> {
    let mut params = ListParams::default().fields(&format!("spec.pipeline={pipeline}")).limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = api.list(&params).await?;
        all.extend(page.items.into_iter().filter_map(seen));
        match page.metadata.continue_.filter(|next| !next.is_empty()) {
            Some(next) => params = params.continue_token(&next),
            None => return Ok(all),
        }
    }
}

async fn live(desired: &Desired, name: &str, context: &Context) -> Result<Option<ReleaseSeen>, Unreachable> {
    let key = Key { kind: Kind::Release, namespace: desired.namespace.clone(), name: name.to_owned() };
    let found = kube_api::item::<Release>(&key, context).await?;
    Ok(found.filter(|release| *pipeline(release) == *desired.name).and_then(seen))
}

/// The name of the Pipeline that a Release belongs to; empty if that cannot be read.
fn pipeline(release: &Item<Release>) -> Cow<'_, str> {
    match release {
        Item::Read(release) => Cow::Borrowed(&release.spec.pipeline),
        Item::Unreadable(unreadable) => Cow::Owned(unreadable.of_spec("pipeline").unwrap_or_default()),
    }
}

/// A Release that cannot be read keeps its name, its number and the stage that it was given.
fn seen(release: Item<Release>) -> Option<ReleaseSeen> {
    match release {
        Item::Read(release) => ReleaseSeen::parse(release),
        Item::Unreadable(unreadable) => {
            let (commit, number) = (unreadable.of_spec("commit"), unreadable.of_spec("number"));
            ReleaseSeen::unreadable(&unreadable.metadata, commit, number, unreadable.note())
        }
    }
}
