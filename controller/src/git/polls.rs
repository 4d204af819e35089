//! One poll of a repository for all who watch it with the same credential. Time comes with the question; nothing here
//! wakes anybody.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use jiff::{SignedDuration, Timestamp};
use launchway_plan::pipeline::refs::Refs;

use super::app::{AppFault, Right, Tokens};
use super::credential::Key;
use super::fault::{Offered, REFUSED, soon};
use super::listing::can_be_asked_for;
use super::standing::Comparisons;
use super::{Access, Credential, GitFault, Head, Heads, heads};
use crate::fair::{Place, Places};
use crate::web::Web;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

/// What one Pipeline wants to know.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The repository, as its user wrote it.
    pub url: &'a str,
    /// What is followed there.
    pub refs: Refs,
    /// The namespace that asks, by which polls are shared.
    pub namespace: &'a str,
    /// Who asks, and whom they trust. An answer is never shown to one who asks in another way.
    pub access: &'a Access,
    /// How old an answer may grow before there should be a new one. Zero: whatever is seen must have been asked for
    /// after this question.
    pub interval: SignedDuration,
    /// A webhook told of a push then: an answer that nobody asked for because of it, or of a later one, is too old. By another clock than
    /// ours.
    pub since: Option<Timestamp>,
}

/// What was seen, and when it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When the repository was asked, to the second. The answer is at least as new.
    pub sent: Timestamp,
    /// How long after that asking again finds something new.
    pub good_for: SignedDuration,
    /// What it answered. Faults are shared and kept like answers, so that many watchers do not beat on a broken server.
    pub outcome: Result<Head, GitFault>,
}

/// The polls of one process. Cheap to clone.
///
/// A watcher is given the last answer while that is younger than its interval; otherwise it joins a poll that was sent
/// since then; otherwise it sends one, which asks for every branch that is watched in that repository. A poll goes on
/// as long as one of those who wait for it does, whoever began it. If a poll for several branches fails because of what
/// was asked, each branch is asked for by itself for a while, so that a fault stays with those who named that branch.
#[derive(Clone, Debug)]
pub struct Polls {
    web: Web,
    tokens: Arc<Tokens>,
    lanes: Arc<Mutex<Lanes>>,
    pub(super) hosts: Arc<Hosts>,
    pub(super) comparisons: Arc<Mutex<Comparisons>>,
}

#[derive(Debug, Default)]
struct Lanes {
    begun: u64,
    by_key: HashMap<Key, Lane>,
}

/// One repository as seen with one credential.
#[derive(Debug, Default)]
struct Lane {
    /// Branches and tags, and until when they count as watched.
    watched: BTreeMap<Refs, Timestamp>,
    /// Until when each branch is asked for by itself.
    alone_until: Option<Timestamp>,
    /// The polls under way: for all branches, or for one by itself.
    flying: BTreeMap<Option<Refs>, (WeakShared<BoxFuture<'static, ()>>, Tickets)>,
    /// Those of them that go on although nobody waits for them, and for which namespace.
    kept: BTreeSet<(Option<Refs>, String)>,
    /// What was seen of each watched branch.
    landed: BTreeMap<Refs, Landed>,
}

/// What a poll saw of one branch.
#[derive(Clone, Debug)]
struct Landed {
    number: u64,
    sent: Timestamp,
    since: Option<Timestamp>,
    outcome: Result<Head, GitFault>,
    /// How many polls in a row ended with a passing fault, this one included.
    failures: u32,
}

enum Next {
    Known(Poll),
    Wait(Flight),
}

/// A poll under way, of which branches.
struct Flight {
    alone: Option<Refs>,
    landing: Shared<BoxFuture<'static, ()>>,
    tickets: Tickets,
}

/// Where those who wait for a poll hand in the places that they got for it: each namespace stands in its own queue, and the poll
/// begins with the first. So nobody waits in the queue of another one who happened to ask first.
type Tickets = UnboundedSender<(Place, Place)>;

/// Polls at a time: of one host, and of all. Each may hold an answer of megabytes, and a host that is slow holds its own up
/// longest. Namespaces share them fairly.
#[derive(Debug)]
pub(super) struct Hosts {
    all: Arc<Places>,
    by_name: Mutex<HashMap<String, Arc<Places>>>,
}

impl Default for Hosts {
    fn default() -> Self {
        Self { all: Places::new(OF_ALL), by_name: Mutex::default() }
    }
}

impl Hosts {
    /// Waits for the turn of a namespace to poll a repository.
    pub(super) async fn enter(&self, url: &str, namespace: &str) -> (Place, Place) {
        let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let places = {
            let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
            // A place keeps those of its host.
            by_name.retain(|name, places| *name == host || Arc::strong_count(places) > 1);
            Arc::clone(by_name.entry(host).or_insert_with(|| Places::new(OF_A_HOST)))
        };
        (places.enter(namespace).await, self.all.enter(namespace).await)
    }
}

impl Polls {
    /// Polls by way of `web`.
    pub fn new(web: Web) -> Polls {
        let (lanes, hosts, comparisons) = (Arc::default(), Arc::default(), Arc::default());
        Polls { web, tokens: Arc::new(Tokens::new(Right::Contents)), lanes, hosts, comparisons }
    }

    /// The head that `ask` wants, at most its interval old at `now`. A server that takes so long that it would hold a pass up is
    /// not waited for: the poll goes on, and until it has landed, the one before stands, or none.
    pub async fn head(&self, ask: &Ask<'_>, now: Timestamp) -> Option<Poll> {
        if !can_be_asked_for(&ask.refs) {
            return Some(Poll { sent: now, good_for: ask.interval, outcome: Err(GitFault::BranchName) });
        }
        let key = ask.access.digest(ask.url);
        let before = self.watch(key, ask, now);
        let end = Instant::now() + WAITS;
        loop {
            match self.next(key, ask, now, before) {
                Next::Known(poll) => return Some(poll),
                Next::Wait(flight) => {
                    let alone = flight.alone.clone();
                    let mut arrival = self.arrival(flight, ask);
                    if timeout_at(end, &mut arrival).await.is_err() {
                        self.keep(key, (alone, ask.namespace.to_owned()), arrival);
                        return self.earlier(key, ask);
                    }
                }
            }
        }
    }

    /// Waits until the poll has landed, and in the queue of the namespace for a place to begin it with.
    fn arrival(&self, flight: Flight, ask: &Ask<'_>) -> BoxFuture<'static, ()> {
        let (hosts, url, namespace) = (Arc::clone(&self.hosts), ask.url.to_owned(), ask.namespace.to_owned());
        let Flight { landing, tickets, .. } = flight;
        async move {
            let queue = async {
                let places = hosts.enter(&url, &namespace).await;
                // It has begun with another one's if nobody takes them.
                let _ = tickets.send(places);
                std::future::pending::<()>().await;
            };
            tokio::select! { biased; () = queue => {}, () = landing => {} }
        }
        .boxed()
    }

    /// Lets a poll go on although nobody waits for it any more: once for each namespace.
    fn keep(&self, key: Key, of: (Option<Refs>, String), arrival: BoxFuture<'static, ()>) {
        if self.lanes().by_key.entry(key).or_default().kept.insert(of) {
            tokio::spawn(arrival);
        }
    }

    /// What was seen before.
    fn earlier(&self, key: Key, ask: &Ask<'_>) -> Option<Poll> {
        let lanes = self.lanes();
        let Landed { sent, outcome, .. } = lanes.by_key.get(&key)?.landed.get(&ask.refs)?;
        Some(Poll { sent: *sent, good_for: LANDS, outcome: outcome.clone() })
    }

    /// Notes the branch as watched, forgets what no longer is, and returns the number of the last poll that was sent
    /// before this question.
    fn watch(&self, key: Key, ask: &Ask<'_>, now: Timestamp) -> u64 {
        let mut lanes = self.lanes();
        for Lane { watched, flying, landed, .. } in lanes.by_key.values_mut() {
            watched.retain(|_, until| *until >= now);
            landed.retain(|refs, seen| watched.contains_key(refs) || seen.is_told_to_wait(now));
            flying.retain(|_, (flight, _)| flight.upgrade().is_some());
        }
        lanes.by_key.retain(|_, lane| !lane.watched.is_empty() || !lane.landed.is_empty());
        let until = now.saturating_add(ask.interval.saturating_mul(2).saturating_add(GRACE)).unwrap_or(Timestamp::MAX);
        let watched = &mut lanes.by_key.entry(key).or_default().watched;
        let known = watched.entry(ask.refs.clone()).or_insert(until);
        *known = until.max(*known);
        while watched.len() > BRANCHES {
            let others = watched.iter().filter(|(refs, _)| **refs != ask.refs);
            let Some(first) = others.min_by_key(|(_, until)| **until).map(|(refs, _)| refs.clone()) else { break };
            watched.remove(&first);
        }
        if lanes.by_key.len() > REPOSITORIES {
            let last = |lane: &Lane| lane.watched.values().max().copied();
            let others = lanes.by_key.iter().filter(|(other, _)| **other != key);
            if let Some(first) = others.min_by_key(|(_, lane)| last(lane)).map(|(other, _)| *other) {
                lanes.by_key.remove(&first);
            }
        }
        lanes.begun
    }

    fn next(&self, key: Key, ask: &Ask<'_>, now: Timestamp, before: u64) -> Next {
        let mut lanes = self.lanes();
        let Lanes { begun, by_key } = &mut *lanes;
        let lane = by_key.entry(key).or_default();
        if let Some(poll) = lane.landed.get(&ask.refs).and_then(|landed| landed.answer(ask, now, before)) {
            return Next::Known(poll);
        }
        let alone = lane.alone_until.is_some_and(|until| now < until).then(|| ask.refs.clone());
        if let Some((landing, tickets)) = lane.flying.get(&alone)
            && let Some(landing) = landing.upgrade()
        {
            return Next::Wait(Flight { alone, landing, tickets: tickets.clone() });
        }
        lane.kept.retain(|(kept, _)| *kept != alone);
        *begun += 1;
        let mut wanted: BTreeSet<Refs> = match &alone {
            Some(_) => BTreeSet::new(),
            None => lane.watched.keys().cloned().collect(),
        };
        wanted.insert(ask.refs.clone());
        let (tickets, places) = unbounded_channel();
        let takeoff = Takeoff { number: *begun, sent: now, since: ask.since, alone: alone.clone(), wanted };
        let landing = self.flight(key, takeoff, ask, places).shared();
        lane.flying.extend(landing.downgrade().map(|flight| (alone.clone(), (flight, tickets.clone()))));
        Next::Wait(Flight { alone, landing, tickets })
    }

    /// The poll itself, when it is its turn. It is kept weakly, so it ends with the last of those who wait for it; then nothing
    /// has landed, and the next who asks sends another.
    fn flight(
        &self,
        key: Key,
        takeoff: Takeoff,
        ask: &Ask<'_>,
        mut places: UnboundedReceiver<(Place, Place)>,
    ) -> BoxFuture<'static, ()> {
        let (polls, url, access) = (self.clone(), ask.url.to_owned(), ask.access.clone());
        async move {
            let began = Instant::now();
            let _places = places.recv().await;
            drop(places);
            let takeoff = takeoff.after(began.elapsed());
            let outcome = polls.asked(key, &url, &access, &takeoff).await;
            polls.lanes().by_key.entry(key).or_default().land(takeoff, outcome);
        }
        .boxed()
    }

    /// What the server says, with a token where a GitHub App gets one.
    async fn asked(&self, key: Key, url: &str, access: &Access, takeoff: &Takeoff) -> Result<Heads, GitFault> {
        let door = self.door(key, url, access, takeoff.sent).await?;
        let seen = heads(&door.web, url, &takeoff.wanted, door.credential.as_ref()).await;
        seen.map_err(|fault| self.turned_away(&key, access, fault))
    }

    /// The way to a repository, and the credential to show there, which for a GitHub App is its token.
    pub(super) async fn door(&self, key: Key, url: &str, access: &Access, now: Timestamp) -> Result<Door, GitFault> {
        let web = match &access.authorities {
            Some(own) => self.web.trusting(own).map_err(GitFault::Web)?,
            None => self.web.clone(),
        };
        let credential = match &access.app {
            None => access.credential.clone(),
            Some(app) => {
                let token = self.tokens.of(key, app, &web, url, now).await.map_err(GitFault::App)?;
                Some(Credential::Token(token))
            }
        };
        Ok(Door { web, credential })
    }

    /// What went wrong at a door. The token of a GitHub App that was not taken is forgotten.
    pub(super) fn turned_away(&self, key: &Key, access: &Access, fault: GitFault) -> GitFault {
        if access.app.is_none() {
            return fault;
        }
        let status = if let GitFault::AuthenticationFailed { status, .. } = fault {
            status
        } else if fault == GitFault::NotFound {
            // A repository that was made anew under its name is another one, which a token for the old one does not see.
            404
        } else {
            return fault;
        };
        self.tokens.forget(key);
        GitFault::AuthenticationFailed { status, offered: Offered::App }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A way to a repository, and what is shown there.
pub(super) struct Door {
    pub(super) web: Web,
    pub(super) credential: Option<Credential>,
}

struct Takeoff {
    number: u64,
    sent: Timestamp,
    since: Option<Timestamp>,
    alone: Option<Refs>,
    wanted: BTreeSet<Refs>,
}

impl Takeoff {
    /// The same, so many whole seconds later.
    fn after(self, waited: Duration) -> Self {
        let seconds = i64::try_from(waited.as_secs()).unwrap_or(i64::MAX);
        Self { sent: self.sent.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(self.sent), ..self }
    }
}

impl Lane {
    /// Keeps what a poll saw of each branch, unless a later poll has landed before. Of a poll for several branches that
    /// failed because of what was asked, nothing is kept: whose branch it was shows when each is asked for by itself.
    fn land(&mut self, takeoff: Takeoff, outcome: Result<Heads, GitFault>) {
        self.flying.remove(&takeoff.alone);
        self.kept.retain(|(kept, _)| *kept != takeoff.alone);
        if takeoff.wanted.len() > 1 && outcome.as_ref().is_err_and(GitFault::may_be_of_one_branch) {
            self.alone_until = takeoff.sent.checked_add(ALONE).ok();
            return;
        }
        for refs in takeoff.wanted {
            let outcome = match &outcome {
                Ok(heads) => match heads.get(&refs) {
                    Some(head) => head.clone(),
                    None => continue,
                },
                Err(fault) => Err(fault.clone()),
            };
            let before = self.landed.get(&refs);
            if before.is_some_and(|before| before.number > takeoff.number) {
                continue;
            }
            let failures = match outcome.as_ref().is_err_and(GitFault::is_passing) {
                true => before.map_or(0, |before| before.failures).saturating_add(1),
                false => 0,
            };
            let Takeoff { number, sent, since, .. } = takeoff;
            // What was told before has been looked for as well.
            let since = since.max(before.and_then(|before| before.since));
            self.landed.insert(refs, Landed { number, sent, since, outcome, failures });
        }
    }
}

/// How long the branches of a repository are asked for one by one after a poll for all of them failed because of what was
/// asked. Then they are asked for together again.
const ALONE: SignedDuration = SignedDuration::from_hours(1);

/// How many branches of a repository are watched together, and how many repositories: who is forgotten is asked for anew when
/// somebody wants to know. Names of branches are a tenant's choice, and a Pipeline can name another one every second.
const BRANCHES: usize = 100;
const REPOSITORIES: usize = 20_000;

/// How long a pass waits for a poll, or for a list of images. Most servers answer within a second.
pub const WAITS: Duration = Duration::from_secs(3);

/// When to ask for a poll that was not waited for. Servers have ten seconds to answer (`web::limits`).
pub const LANDS: SignedDuration = SignedDuration::from_secs(8);

/// How many polls of one host are under way at a time, and of all hosts. A namespace has half of them at most. A server that
/// announces the largest answer and stalls keeps 6.5 MB for ten seconds: all of them together have to leave room within the
/// chart's limit of memory.
const OF_A_HOST: usize = 8;
const OF_ALL: usize = 16;

/// How much longer than two intervals a branch, or a list of images, counts as watched after it was last asked for.
pub const GRACE: SignedDuration = SignedDuration::from_mins(1);

/// Watchers with one interval do not wake at the very same moment; by so much one may be early and still wait for its
/// own poll: a tenth of the interval, five seconds at most.
fn slack(interval: SignedDuration) -> SignedDuration {
    (interval / 10).min(SignedDuration::from_secs(5))
}

impl Landed {
    /// How long it counts as new for one who asks at that interval.
    fn good_for(&self, interval: SignedDuration) -> SignedDuration {
        match &self.outcome {
            Err(GitFault::App(AppFault::Limited)) => interval.max(REFUSED),
            Err(GitFault::Unavailable { wait: Some(seconds), .. }) => {
                interval.min(soon(self.failures)).max(SignedDuration::from_secs(i64::from(*seconds)))
            }
            Err(fault) if fault.is_passing() => interval.min(soon(self.failures)),
            Err(GitFault::AuthenticationFailed { .. } | GitFault::NotSigned(_) | GitFault::App(_)) => {
                interval.max(REFUSED)
            }
            Ok(_) | Err(_) => interval,
        }
    }

    /// Whether a webhook may have it asked for before its time. Who was refused, or told to wait, is not to try more often because of
    /// that.
    fn may_be_hurried(&self, now: Timestamp) -> bool {
        let is_refused = matches!(
            self.outcome,
            Err(GitFault::AuthenticationFailed { .. } | GitFault::NotSigned(_) | GitFault::App(_))
        );
        !self.is_told_to_wait(now) && (!is_refused || now.duration_since(self.sent) >= REFUSED)
    }

    /// Whether the server wants to be left alone still.
    fn is_told_to_wait(&self, now: Timestamp) -> bool {
        let Err(GitFault::Unavailable { wait: Some(seconds), .. }) = self.outcome else { return false };
        now.duration_since(self.sent) < SignedDuration::from_secs(i64::from(seconds))
    }

    /// The answer, if it is new enough.
    fn answer(&self, ask: &Ask<'_>, now: Timestamp, before: u64) -> Option<Poll> {
        let good_for = self.good_for(ask.interval);
        let is_late = ask.since > self.since && self.may_be_hurried(now);
        let is_young = self.is_told_to_wait(now)
            || !is_late && now.duration_since(self.sent) < good_for - slack(ask.interval.min(good_for));
        let is_answer = is_young || self.number > before;
        is_answer.then(|| Poll { sent: self.sent, good_for, outcome: self.outcome.clone() })
    }
}

#[cfg(test)]
mod tests;
