//! One poll of a repository for all who watch it with the same credential. Time comes with the question; nothing here
//! wakes anybody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use jiff::{SignedDuration, Timestamp};

use super::listing::is_branch_name;
use super::{Credential, GitFault, Head, Heads, heads};
use crate::web::Web;

/// What one Pipeline wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The repository, as its user wrote it.
    pub url: &'a str,
    /// The branch, without `refs/heads/`.
    pub branch: &'a str,
    /// Who asks. An answer is never shown to one who asks with another credential.
    pub credential: Option<&'a Credential>,
    /// How old an answer may grow before there should be a new one. Zero: whatever is seen must have been asked for
    /// after this question.
    pub interval: SignedDuration,
}

/// What was seen, and when it was asked for: `sent` plus the interval is when asking again finds something new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When the repository was asked. The answer is at least as new.
    pub sent: Timestamp,
    /// What it answered. Faults are shared and kept like answers, so that many watchers do not beat on a broken server.
    pub outcome: Result<Head, GitFault>,
}

/// The polls of one process. Cheap to clone.
///
/// A watcher is given the last answer while that is younger than its interval; otherwise it joins a poll that was sent
/// since then; otherwise it sends one, which asks for every branch that is watched in that repository. A poll goes on
/// as long as one of those who wait for it does, whoever began it.
#[derive(Clone, Debug)]
pub struct Polls {
    web: Web,
    lanes: Arc<Mutex<Lanes>>,
}

type Key = [u8; 32];

#[derive(Debug, Default)]
struct Lanes {
    begun: u64,
    by_key: HashMap<Key, Lane>,
}

/// One repository as seen with one credential.
#[derive(Debug, Default)]
struct Lane {
    /// Branches, and until when they count as watched.
    watched: BTreeMap<String, Timestamp>,
    flying: Option<WeakShared<BoxFuture<'static, ()>>>,
    landed: Option<Landed>,
}

#[derive(Debug)]
struct Landed {
    number: u64,
    sent: Timestamp,
    outcome: Result<Heads, GitFault>,
}

enum Next {
    Known(Poll),
    Wait(Shared<BoxFuture<'static, ()>>),
}

impl Polls {
    /// Polls by way of `web`.
    pub fn new(web: Web) -> Polls {
        Polls { web, lanes: Arc::default() }
    }

    /// The head that `ask` wants, at most its interval old at `now`.
    pub async fn head(&self, ask: &Ask<'_>, now: Timestamp) -> Poll {
        if !is_branch_name(ask.branch) {
            return Poll { sent: now, outcome: Err(GitFault::BranchName) };
        }
        let key = Credential::digest(ask.url, ask.credential);
        let before = self.watch(key, ask, now);
        loop {
            match self.next(key, ask, now, before) {
                Next::Known(poll) => return poll,
                Next::Wait(flight) => flight.await,
            }
        }
    }

    /// Notes the branch as watched, forgets what no longer is, and returns the number of the last poll that was sent
    /// before this question.
    fn watch(&self, key: Key, ask: &Ask<'_>, now: Timestamp) -> u64 {
        let mut lanes = self.lanes();
        for lane in lanes.by_key.values_mut() {
            lane.watched.retain(|_, until| *until >= now);
        }
        lanes.by_key.retain(|_, lane| !lane.watched.is_empty());
        let until = now.saturating_add(ask.interval.saturating_mul(2).saturating_add(GRACE)).unwrap_or(Timestamp::MAX);
        let known = lanes.by_key.entry(key).or_default().watched.entry(ask.branch.to_owned()).or_insert(until);
        *known = until.max(*known);
        lanes.begun
    }

    fn next(&self, key: Key, ask: &Ask<'_>, now: Timestamp, before: u64) -> Next {
        let mut lanes = self.lanes();
        let Lanes { begun, by_key } = &mut *lanes;
        let lane = by_key.entry(key).or_default();
        if let Some(poll) = lane.landed.as_ref().and_then(|landed| landed.answer(ask, now, before)) {
            return Next::Known(poll);
        }
        if let Some(flight) = lane.flying.as_ref().and_then(WeakShared::upgrade) {
            return Next::Wait(flight);
        }
        *begun += 1;
        let mut wanted: BTreeSet<String> = lane.watched.keys().cloned().collect();
        wanted.insert(ask.branch.to_owned());
        let flight = self.flight(key, Takeoff { number: *begun, sent: now, wanted }, ask).shared();
        lane.flying = flight.downgrade();
        Next::Wait(flight)
    }

    /// The poll itself. It is kept weakly, so it ends with the last of those who wait for it; then nothing has landed,
    /// and the next who asks sends another.
    fn flight(&self, key: Key, takeoff: Takeoff, ask: &Ask<'_>) -> BoxFuture<'static, ()> {
        let (polls, url, credential) = (self.clone(), ask.url.to_owned(), ask.credential.cloned());
        async move {
            let outcome = heads(&polls.web, &url, &takeoff.wanted, credential.as_ref()).await;
            let mut lanes = polls.lanes();
            let lane = lanes.by_key.entry(key).or_default();
            lane.flying = None;
            if lane.landed.as_ref().is_none_or(|landed| landed.number < takeoff.number) {
                lane.landed = Some(Landed { number: takeoff.number, sent: takeoff.sent, outcome });
            }
        }
        .boxed()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Takeoff {
    number: u64,
    sent: Timestamp,
    wanted: BTreeSet<String>,
}

/// How much longer than two intervals a branch counts as watched after it was last asked for.
const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// Watchers with one interval do not wake at the very same moment; by so much one may be early and still wait for its
/// own poll: a tenth of the interval, five seconds at most.
fn slack(interval: SignedDuration) -> SignedDuration {
    (interval / 10).min(SignedDuration::from_secs(5))
}

/// How long a server that refused a credential is not offered it again: servers lock out who tries too often. Another
/// credential is another lane, and is offered at once.
const REFUSED: SignedDuration = SignedDuration::from_mins(5);

impl Landed {
    /// The answer, if it is new enough and of the right branch. A fault is of every branch.
    fn answer(&self, ask: &Ask<'_>, now: Timestamp, before: u64) -> Option<Poll> {
        let refused = matches!(self.outcome, Err(GitFault::AuthenticationFailed { .. }));
        let interval = if refused { ask.interval.max(REFUSED) } else { ask.interval };
        let young = now.duration_since(self.sent) < interval - slack(ask.interval);
        if !young && self.number <= before {
            return None;
        }
        let outcome = match &self.outcome {
            Ok(heads) => heads.get(ask.branch)?.clone().map_err(GitFault::NoSuchBranch),
            Err(fault) => Err(fault.clone()),
        };
        Some(Poll { sent: self.sent, outcome })
    }
}

#[cfg(test)]
mod tests;
