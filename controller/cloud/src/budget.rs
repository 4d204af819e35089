//! Our share of AWS's quotas: one token bucket for each account, Region and bucket of AWS's. It says yes or no at once
//! and never waits: who gets no token is told when to come back.

use crate::settings::Share;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A bucket of AWS's, shared by everybody in an account and Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Bucket {
    TaskDefinitionModify,
    TaskDefinitionRead,
    ServiceModify,
    ServiceRead,
    ServiceDeployment,
    ServiceRevision,
    ClusterResourceRead,
    TagModify,
    BuildRead,
    BuildModify,
    ImageRead,
    LogRead,
    Identity,
}

impl Bucket {
    /// AWS's burst and its sustained rate per second. Those of ECS are from its developer guide, "Request throttling
    /// for the Amazon ECS API"; AWS publishes none for the rest, so those are ours.
    const fn documented(self) -> (f64, f64) {
        match self {
            Self::TaskDefinitionModify => (20.0, 1.0),
            Self::TaskDefinitionRead => (50.0, 20.0),
            Self::ServiceModify => (50.0, 5.0),
            Self::ServiceRead => (100.0, 20.0),
            Self::ServiceDeployment => (50.0, 20.0),
            Self::ServiceRevision => (50.0, 20.0),
            Self::ClusterResourceRead => (100.0, 20.0),
            Self::TagModify => (20.0, 10.0),
            // Six BatchGetBuilds a second were seen to be throttled (a Jenkins plugin that polled 30 builds).
            Self::BuildRead => (20.0, 4.0),
            // Builds start in bunches (the checks of a release) and seldom.
            Self::BuildModify => (20.0, 2.0),
            // ECR documents 1000 a second and more for what docker clients call; a tenth of a percent of that is
            // plenty for one look a release.
            Self::ImageRead => (20.0, 10.0),
            // GetLogEvents has 10 or 25 a second, by Region, and cannot be raised.
            Self::LogRead => (10.0, 10.0),
            // STS is known to allow some hundred a second; one is needed an hour and role.
            Self::Identity => (20.0, 10.0),
        }
    }
}

/// How much a call matters: each rank leaves some tokens to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// It stops something, or nothing goes without it.
    Rescue,
    /// It brings something forward, or looks in order to.
    Rollout,
    /// It tidies up or explains.
    Housekeeping,
}

impl Rank {
    /// The part of the burst that is left to the ranks before.
    const fn reserve(self) -> f64 {
        match self {
            Self::Rescue => 0.0,
            Self::Rollout => 0.1,
            Self::Housekeeping => 0.3,
        }
    }
}

/// There is no token left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoToken {
    /// How long it is until there is one, after those of all of its rank who were told so before.
    pub wait: Duration,
}

/// The longest that anybody is told to wait, in seconds: not all who were told to come back do.
const LONGEST_WAIT: f64 = 60.0;

/// All buckets, by account (or what stands for it while its ID is not known) and Region.
#[derive(Debug)]
pub(crate) struct Budgets {
    share: Share,
    levels: Mutex<BTreeMap<(String, String, Bucket), Level>>,
}

#[derive(Clone, Debug)]
struct Level {
    tokens: f64,
    at: SystemTime,
    /// When the last of those who wait has its token, by rank.
    promised: BTreeMap<Rank, SystemTime>,
}

impl Budgets {
    /// Full buckets.
    pub fn new(share: Share) -> Self {
        Self { share, levels: Mutex::new(BTreeMap::new()) }
    }

    /// Takes a token, if the rank may.
    pub fn take(
        &self,
        account: &str,
        region: &str,
        bucket: Bucket,
        rank: Rank,
        now: SystemTime,
    ) -> Result<(), NoToken> {
        let (burst, rate) = self.ours(bucket);
        let key = (account.to_owned(), region.to_owned(), bucket);
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let level = levels.entry(key).or_insert(Level { tokens: burst, at: now, promised: BTreeMap::new() });
        level.refill(burst, rate, now);
        let missing = 1.0 + burst * rank.reserve() - level.tokens;
        if missing > 0.0 {
            return Err(NoToken { wait: level.promise(missing, rate, rank, now) });
        }
        level.tokens -= 1.0;
        Ok(())
    }

    /// Our burst and our rate. The burst is never so small that a rank could not have one token of a full bucket.
    fn ours(&self, bucket: Bucket) -> (f64, f64) {
        let (burst, rate) = bucket.documented();
        let part = f64::from(self.share.0) / 100.0;
        ((burst * part).max(2.0), rate * part)
    }
}

impl Level {
    /// Promises the token that comes after those that are promised already: how long it is until then.
    fn promise(&mut self, missing: f64, rate: f64, rank: Rank, now: SystemTime) -> Duration {
        let promised = self.promised.entry(rank).or_insert(now);
        let before = promised.duration_since(now).unwrap_or(Duration::ZERO).as_secs_f64();
        let wait = Duration::from_secs_f64((before + 1.0 / rate).max(missing / rate).min(LONGEST_WAIT));
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
mod tests {
    use super::*;

    fn taken(budgets: &Budgets, bucket: Bucket, rank: Rank, now: SystemTime) -> usize {
        (0..1000).take_while(|_| budgets.take("1", "eu-west-1", bucket, rank, now).is_ok()).count()
    }

    #[test]
    fn a_bucket_holds_our_share_of_awss_burst_and_refills_at_our_share_of_its_rate() {
        let budgets = Budgets::new(Share(50));
        let start = SystemTime::UNIX_EPOCH;
        assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rescue, start), 25);
        assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rescue, start + Duration::from_secs(2)), 5);
        assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rescue, start + Duration::from_hours(1)), 25);
    }

    #[test]
    fn housekeeping_leaves_tokens_to_rollouts_and_rollouts_leave_some_to_what_stops_things() {
        let budgets = Budgets::new(Share(100));
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Housekeeping, now), 35);
        assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rollout, now), 10);
        assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rescue, now), 5);
    }

    #[test]
    fn accounts_regions_and_buckets_do_not_take_from_each_other() {
        let budgets = Budgets::new(Share(100));
        let now = SystemTime::UNIX_EPOCH;
        taken(&budgets, Bucket::TagModify, Rank::Rescue, now);
        let take = |account, region, bucket| budgets.take(account, region, bucket, Rank::Housekeeping, now);
        assert_eq!(take("1", "eu-west-1", Bucket::TagModify), Err(NoToken { wait: Duration::from_millis(700) }));
        assert_eq!(take("2", "eu-west-1", Bucket::TagModify), Ok(()));
        assert_eq!(take("1", "us-east-2", Bucket::TagModify), Ok(()));
        assert_eq!(take("1", "eu-west-1", Bucket::LogRead), Ok(()));
    }

    #[test]
    fn who_gets_no_token_is_told_when_there_is_one_after_those_of_all_who_wait_already() {
        let budgets = Budgets::new(Share(100));
        let start = SystemTime::UNIX_EPOCH;
        taken(&budgets, Bucket::ServiceModify, Rank::Rescue, start);
        let mut waits: Vec<Duration> = (0..20)
            .map(|_| budgets.take("1", "eu-west-1", Bucket::ServiceModify, Rank::Rescue, start))
            .filter_map(|answer| answer.err().map(|none| none.wait))
            .collect();
        // The first of them was told by `taken`: five a second. Another rank does not wait behind them.
        let other = budgets.take("1", "eu-west-1", Bucket::ServiceModify, Rank::Rollout, start).unwrap_err();
        assert_eq!(other.wait, Duration::from_millis(1_200));
        assert_eq!((waits[0], waits[19]), (Duration::from_millis(400), Duration::from_millis(4_200)));
        waits.insert(0, Duration::from_millis(200));
        for wait in waits {
            assert_eq!(taken(&budgets, Bucket::ServiceModify, Rank::Rescue, start + wait), 1, "after {wait:?}");
        }
    }

    #[test]
    fn nobody_is_told_to_wait_for_longer_than_a_minute() {
        let budgets = Budgets::new(Share(0));
        let take = |_| budgets.take("1", "r", Bucket::TaskDefinitionModify, Rank::Rollout, SystemTime::UNIX_EPOCH);
        let waits: Vec<Duration> = (0..9).filter_map(|number| take(number).err()).map(|none| none.wait).collect();
        assert_eq!(waits.last(), Some(&Duration::from_secs(60)));
    }

    #[test]
    fn the_smallest_share_still_lets_everybody_through_in_the_end() {
        let budgets = Budgets::new(Share(1));
        let now = SystemTime::UNIX_EPOCH;
        assert_eq!(budgets.take("1", "r", Bucket::LogRead, Rank::Housekeeping, now), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_tokens() {
        let budgets = Budgets::new(Share(100));
        let late = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        taken(&budgets, Bucket::TagModify, Rank::Rescue, late);
        assert_eq!(taken(&budgets, Bucket::TagModify, Rank::Rescue, SystemTime::UNIX_EPOCH), 0);
    }
}
