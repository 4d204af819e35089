//! The commit statuses of others that a Release waits for once its checks have succeeded and before anything is built
//! (docs/pipelines.md, "Required statuses"). A commit that the Pipeline has released before is not asked for again: the way back
//! stays open, also while the git host is away.

use super::commit_status::Host;
use super::desired::Desired;
use super::observed::{Observed, PipelineFacts};
use super::origin::remembered;
use super::record::{Progress, Record, StepRecord, Work};
use crate::condition::cut;
use crate::fault::{Fault, FaultKind};
use crate::look::Looked;
use crate::start::Intent;
use crate::world::{LiveStatuses, Stand};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::pipeline::RequiredStatuses;

/// How many names a message has of each kind, and how much of a name, in bytes.
const NAMED: usize = 3;
const NAME: usize = 80;

/// Whether the image may be built.
#[derive(Clone, Debug, PartialEq)]
pub enum Required {
    /// Nothing is required, or all of it succeeded.
    Met,
    /// It is waited for.
    Awaited(Awaited),
    /// The Release fails, and why.
    Missed(String),
}

/// What keeps a Release from being built.
#[derive(Clone, Debug, PartialEq)]
pub enum Awaited {
    /// What has not succeeded yet, in words, and until when it may.
    Statuses(String, Timestamp),
    /// The git host could not be asked.
    Blind(Fault),
    /// It was not asked yet.
    Unseen,
}

/// The git host to ask, and the names to ask for: none once the build has begun, or before the checks are recorded to have succeeded.
pub(super) fn asked(
    desired: &Desired,
    record: &Record,
    work: &Work,
    observed: &Observed,
) -> Option<(Host, Vec<String>)> {
    let pipeline = observed.pipeline.as_ref()?;
    let required = required(desired, record, work, observed).filter(|_| !is_lost(work))?;
    let names = required.names.iter().map(ToString::to_string).collect();
    Some((host(pipeline, required)?, names)).filter(|_| work.is_checked())
}

/// Whether the image may be built, as far as others have a say. The checks have succeeded.
pub(super) fn judged(desired: &Desired, record: &Record, work: &Work, observed: &Observed) -> Required {
    let Some(required) = required(desired, record, work, observed) else { return Required::Met };
    let until = record.awaited_since.unwrap_or(observed.at)
        + SignedDuration::from_secs(required.timeout.seconds().unwrap_or(0));
    let seen = match &observed.statuses {
        Looked::Seen(seen) => seen,
        // A host that lacks the commit for so long will not have it.
        Looked::Blind(fault) if matches!(fault.kind, FaultKind::Absent(_)) && observed.at >= until => {
            return Required::Missed(format!("spec.requiredStatuses: {fault}"));
        }
        Looked::Blind(fault) => return Required::Awaited(Awaited::Blind(fault.clone())),
        Looked::NotAsked => return Required::Awaited(Awaited::Unseen),
    };
    let commit = desired.commit.short();
    let host = place(required, observed);
    let failed = required.names.iter().find_map(|name| match seen.asked.get(name.as_str())? {
        Stand::Failed(word) => Some((name, word)),
        Stand::Succeeded | Stand::Pending => None,
    });
    if let Some((name, word)) = failed {
        return Required::Missed(format!(
            "{host} shows {} of commit {commit} as {}, and spec.requiredStatuses asks that it succeeds: push a commit that mends it; or have \
             it run again there, and make another Release of this commit once it has succeeded",
            quoted(name),
            cut(word, 20)
        ));
    }
    let lacks = lacking(required, seen);
    if lacks.is_empty() {
        return Required::Met;
    }
    if observed.at < until {
        return Required::Awaited(Awaited::Statuses(format!("{host}: {lacks}"), until));
    }
    Required::Missed(format!(
        "{host} shows of commit {commit} after {} (spec.requiredStatuses.timeout): {lacks}{}; have what reports them run, and then make another \
         Release of this commit",
        &*required.timeout,
        misnamed(required, seen)
    ))
}

/// Whether nothing is required, or all of it succeeded; before the Release has begun, whether nothing is required.
pub(super) fn is_met(desired: &Desired, record: &Record, observed: &Observed) -> bool {
    match &record.work {
        Some(work) => judged(desired, record, work, observed) == Required::Met,
        None => observed.pipeline.as_ref().is_none_or(|pipeline| pipeline.spec.required_statuses.is_none()),
    }
}

/// What may be wrong with the names, if one of them is not there.
fn misnamed(required: &RequiredStatuses, seen: &LiveStatuses) -> String {
    if required.names.iter().all(|name| seen.asked.contains_key(name.as_str())) {
        return String::new();
    }
    let others = seen.others.iter().take(NAMED).map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let has = match seen.others.is_empty() {
        true => "nothing else".to_owned(),
        false => format!("also {others}"),
    };
    format!(
        " (it has {has}; names are compared letter by letter: correct them in spec.requiredStatuses if they are others)"
    )
}

/// The repository, as people know it.
fn place(required: &RequiredStatuses, observed: &Observed) -> String {
    let host = observed.pipeline.as_ref().and_then(|pipeline| host(pipeline, required));
    let url = host.map(|host| host.repository).unwrap_or_default();
    url.trim_start_matches("https://").trim_end_matches('/').trim_end_matches(".git").to_owned()
}

/// What is required, where it is to be looked at: not of what the Pipeline has released before, nor once anything was done after it.
fn required<'a>(
    desired: &Desired,
    record: &Record,
    work: &Work,
    observed: &'a Observed,
) -> Option<&'a RequiredStatuses> {
    let required = observed.pipeline.as_ref()?.spec.required_statuses.as_ref()?;
    let begins = |build: &StepRecord| build.progress != Progress::Waiting || build.attempt > 1;
    let has_begun = work.build().is_some_and(|build| begins(build) && !is_lost(work))
        || record.scanned_since.is_some()
        || !record.images.is_empty();
    let is_known = || work.of_each().iter().all(|work| remembered(desired, work, observed).is_some());
    (!has_begun && !is_known()).then_some(required)
}

/// Whether it is not known what was built before, because the record was lost: first that is looked for.
fn is_lost(work: &Work) -> bool {
    work.build().is_some_and(|build| matches!(build.progress, Progress::Intended(Intent::Recovery { .. })))
}

fn host(pipeline: &PipelineFacts, required: &RequiredStatuses) -> Option<Host> {
    let git = pipeline.spec.source.git.as_ref().filter(|_| required.repository.is_none());
    let secret = required.secret_ref.as_ref().or_else(|| git?.secret_ref.as_ref());
    Some(Host {
        provider: required.provider,
        repository: required.repository.as_ref().or_else(|| git.map(|git| &git.url))?.to_string(),
        secret: secret.map(|secret| secret.name.to_string()),
        branch: None,
    })
}

/// What has not succeeded, in words; empty: everything has.
fn lacking(required: &RequiredStatuses, seen: &LiveStatuses) -> String {
    let of = |stands: &dyn Fn(Option<&Stand>) -> bool| {
        let mut names = required.names.iter().filter(|name| stands(seen.asked.get(name.as_str())));
        let named: Vec<String> = names.by_ref().take(NAMED).map(|name| quoted(name)).collect();
        let more = names.count();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        (!named.is_empty()).then(|| format!("{}{more}", named.join(", ")))
    };
    let pending = of(&|stand| stand == Some(&Stand::Pending)).map(|names| format!("{names} not ended"));
    let absent = of(&|stand| stand.is_none()).map(|names| format!("{names} not there"));
    let hidden = seen.hidden.as_ref().filter(|_| absent.is_some()).map(|why| (*why).to_owned());
    pending.into_iter().chain(absent).chain(hidden).collect::<Vec<_>>().join("; ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", cut(name, NAME))
}
