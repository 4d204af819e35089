//! Our share of AWS's quotas: one token bucket for each account, Region and bucket of AWS's. It answers at once and never
//! waits: whoever wants a token takes a place in the queue, and is told how long it takes until it is its turn. The queue is
//! fair to namespaces.

mod line;

use launchway_plan::account::Share;
use launchway_plan::rank::Rank;
use line::{Lines, Own};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Makes the enum `Bucket` and its rates from the rows.
macro_rules! buckets {
    ($($name:ident: $burst:literal, $rate:literal;)+) => {
        /// A bucket of AWS's, shared by everybody in an account and Region.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Bucket { $($name),+ }

        impl Bucket {
            /// AWS's burst and its sustained rate per second.
            const fn documented(self) -> (f64, f64) {
                match self { $(Self::$name => ($burst, $rate)),+ }
            }

            /// Its name in metrics.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }
        }
    };
}

// Those of ECS are from its developer guide, "Request throttling for the Amazon ECS API"; AWS publishes none for the rest,
// so those are ours.
//
// bucket: burst, calls a second
buckets! {
    TaskDefinitionModify: 20.0, 1.0;
    TaskDefinitionRead: 50.0, 20.0;
    ServiceModify: 50.0, 5.0;
    ServiceRead: 100.0, 20.0;
    ServiceDeployment: 50.0, 20.0;
    ServiceRevision: 50.0, 20.0;
    ClusterResourceRead: 100.0, 20.0;
    TagModify: 20.0, 10.0;
    // Six BatchGetBuilds a second were seen to be throttled (a Jenkins plugin that polled 30 builds).
    BuildRead: 20.0, 4.0;
    // Builds start seldom, and then several at once (the checks of a release).
    BuildModify: 20.0, 2.0;
    // ECR documents 1000 a second and more for what docker clients call; far less is enough for one look a release.
    ImageRead: 20.0, 10.0;
    // S3 documents 5,500 a second; a release reads at most a few parts of one object.
    ObjectRead: 20.0, 10.0;
    // GetLogEvents has 10 or 25 a second, by Region, and cannot be raised.
    LogRead: 10.0, 10.0;
    // STS is known to allow some hundred a second; one is needed an hour and role.
    Identity: 20.0, 10.0;
    // A poll of a CodeCommit repository, for all who follow a branch of it.
    GitRead: 20.0, 10.0;
}

/// The part of the burst that a rank must leave for higher ranks. So a roll-back finds a token however much the others ask
/// for, and once the burst is used up, new tokens go to the highest rank that asks.
const fn reserve(rank: Rank) -> f64 {
    match rank {
        Rank::Rollback => 0.0,
        Rank::Rollout => 0.1,
        Rank::Look => 0.25,
        Rank::Chore => 0.4,
    }
}

/// There is no token left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoToken {
    /// How long it takes until there is one, behind all callers of the same rank who went away before.
    pub wait: Duration,
}

/// The longest wait that a caller is told, in seconds.
const LONGEST_WAIT: f64 = 3600.0;

/// Whose bucket, and how much of it is ours. One account has one share: where several objects say different ones, each
/// caller goes by its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    /// The account, or what stands for it while its ID is not known.
    pub account: &'a str,
    pub region: &'a str,
    pub share: Share,
    /// For whose objects the call is.
    pub namespace: &'a str,
}

/// A bucket of AWS's in an account and Region.
type Where = (String, String, Bucket);

/// All buckets. Each is full when it is first used.
#[derive(Debug, Default)]
pub(crate) struct Budgets {
    levels: Mutex<BTreeMap<Where, Level>>,
}

#[derive(Clone, Debug)]
struct Level {
    tokens: f64,
    at: SystemTime,
    /// When the last caller of each rank and namespace gets its token who went away and comes again.
    promised: BTreeMap<(Rank, String), SystemTime>,
    /// Those who stay and wait.
    lines: Lines,
}

/// A place in the queue for a token, given up when it is dropped.
pub(crate) struct Place<'a> {
    budgets: &'a Budgets,
    at: Where,
    share: Share,
    own: Own,
}

impl Budgets {
    /// Takes a place in the queue.
    pub fn queue(&self, whose: Whose<'_>, bucket: Bucket, rank: Rank, now: SystemTime) -> Place<'_> {
        let at = (whose.account.to_owned(), whose.region.to_owned(), bucket);
        let own = self.with(&at, whose.share, now, |level| level.lines.come(rank, whose.namespace));
        Place { budgets: self, at, share: whose.share, own }
    }

    fn with<T>(&self, at: &Where, share: Share, now: SystemTime, then: impl FnOnce(&mut Level) -> T) -> T {
        let (burst, rate) = ours(at.2, share);
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = levels.entry(at.clone()).or_insert_with(|| Level::full(burst, now));
        level.refill(burst, rate, now);
        then(level)
    }
}

/// Our burst and our rate. The burst is never so small that a rank could not have one token of a full bucket.
fn ours(bucket: Bucket, share: Share) -> (f64, f64) {
    let (burst, rate) = bucket.documented();
    let part = f64::from(share.0) / 100.0;
    ((burst * part).max(2.0), rate * part)
}

impl Place<'_> {
    /// Takes a token, if it is its turn; else how long it takes until then.
    pub fn take(&self, now: SystemTime) -> Result<(), Duration> {
        let (burst, rate) = ours(self.at.2, self.share);
        let taken = self.budgets.with(&self.at, self.share, now, |level| level.take(burst, &self.own));
        taken.map_err(|missing| seconds(missing / rate) + GRAIN)
    }

    /// Goes away, and is told when to come again: behind all of the same rank and namespace who went away before. Namespaces
    /// take turns.
    pub fn leave(self, now: SystemTime) -> NoToken {
        let (burst, rate) = ours(self.at.2, self.share);
        let wait = self.budgets.with(&self.at, self.share, now, |level| {
            let missing = level.missing(burst, &self.own);
            level.promise(missing, rate, &self.own, now)
        });
        NoToken { wait }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut levels = self.budgets.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(level) = levels.get_mut(&self.at) {
            level.lines.go(&self.own);
        }
    }
}

fn seconds(wait: f64) -> Duration {
    Duration::from_secs_f64(wait.clamp(0.0, LONGEST_WAIT))
}

/// What a wait is longer than was reckoned, so that rounding does not make anybody come too early.
const GRAIN: Duration = Duration::from_millis(1);

impl Level {
    fn full(tokens: f64, at: SystemTime) -> Self {
        Self { tokens, at, promised: BTreeMap::new(), lines: Lines::default() }
    }

    /// Takes a token for one who waits there; else how many are missing.
    fn take(&mut self, burst: f64, own: &Own) -> Result<(), f64> {
        let missing = self.missing(burst, own);
        if missing > 0.0 {
            return Err(missing);
        }
        self.tokens -= 1.0;
        self.lines.served(own);
        Ok(())
    }

    /// How many tokens are missing for one who waits there, those of all who are before it included.
    fn missing(&self, burst: f64, own: &Own) -> f64 {
        let (before, least) = self.lines.before(own);
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        // What another namespace's change leaves is not for one that comes after it.
        let reserve = reserve(own.rank).max(reserve(least));
        1.0 + burst * reserve + f64::from(before) - self.tokens
    }

    /// Promises the next token that is not promised to the same rank and namespace yet, and says how long it takes until then.
    /// Each other namespace that was promised one gets one in between.
    fn promise(&mut self, missing: f64, rate: f64, own: &Own, now: SystemTime) -> Duration {
        self.promised.retain(|_, until| *until > now);
        let others = self.promised.keys().filter(|(rank, namespace)| *rank == own.rank && *namespace != own.namespace);
        let turns = u32::try_from(others.count() + 1).unwrap_or(u32::MAX);
        let promised = self.promised.entry((own.rank, own.namespace.clone())).or_insert(now);
        let before = promised.duration_since(now).unwrap_or(Duration::ZERO).as_secs_f64();
        let wait = seconds((before + f64::from(turns) / rate).max(missing / rate));
        *promised = now + wait;
        wait
    }

    /// A clock that went back adds nothing.
    fn refill(&mut self, burst: f64, rate: f64, now: SystemTime) {
        let passed = now.duration_since(self.at).unwrap_or(Duration::ZERO);
        self.tokens = (self.tokens + passed.as_secs_f64() * rate).min(burst);
        self.at = now;
    }
}

#[cfg(test)]
mod tests;
