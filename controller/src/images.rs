//! Lists of the images in ECR repositories, kept for as long as their Pipelines' interval: a Pipeline has many passes while a
//! Release of it is at work, and several Pipelines may follow the same repository.

use crate::git::{GRACE, LANDS, WAITS};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jiff::{SignedDuration, Timestamp};
use launchway_cloud::Cloud;
use launchway_crds::name::TagPattern;
use launchway_plan::account::{Place, Share};
use launchway_plan::fault::Fault;
use launchway_plan::pipeline::freshness::Freshness;
use launchway_plan::pipeline::pushed::Images;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{Instant, timeout_at};

/// When a list that could not be had is asked for again, if the interval is longer.
const SOON: SignedDuration = SignedDuration::from_mins(1);
/// The same if that is because something is missing or denied, and the interval is shorter.
const REFUSED: SignedDuration = SignedDuration::from_mins(5);
/// How many times in a row AWS may be busy before that is said. Until then the list before stands.
const BUSY: u32 = 3;
/// How many lists are kept. What is followed is a tenant's choice, and a Pipeline can name another tag every second.
const LISTS: usize = 5_000;
/// By so much one who asks may be early and still has the list asked for anew.
const SLACK: SignedDuration = SignedDuration::from_secs(1);

/// What is listed: images of a repository in a place, by their tags.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Followed {
    /// Where the repository is.
    pub place: Place,
    /// Its name.
    pub repository: String,
    /// How the images are tagged.
    pub tag: TagPattern,
}

/// The lists of one process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ImageLists(Arc<Mutex<BTreeMap<Followed, Entry>>>);

type Flight = Shared<BoxFuture<'static, ()>>;

#[derive(Debug, Default)]
struct Entry {
    /// Until when somebody counts as following it.
    until: Timestamp,
    last: Option<Asked>,
    /// AWS is being asked.
    flight: Option<Flight>,
}

/// A list, and when AWS was asked for it.
#[derive(Clone, Debug)]
struct Asked {
    sent: Timestamp,
    /// The webhook because of which it was asked for, if one was.
    since: Option<Timestamp>,
    /// What AWS said; the list before, where it was busy for a moment.
    outcome: Result<Images, Fault>,
    /// How many times in a row it was busy.
    busy: u32,
}

/// What one who asks is told.
#[derive(Clone, Debug)]
pub struct List {
    /// What AWS said; absent: it has not answered yet.
    pub outcome: Option<Result<Images, Fault>>,
    /// When to ask again.
    pub due: Timestamp,
}

impl ImageLists {
    /// The list, as new as that. Whoever asks while it is being asked for waits for the same answer. One that takes so
    /// long that it would hold a pass up is not waited for: until it is there, the one before stands, or none.
    pub async fn of(&self, mut followed: Followed, fresh: &Freshness, cloud: &Cloud, now: Timestamp) -> List {
        followed.place.share = Share::default();
        let interval = SignedDuration::from_secs(fresh.interval);
        let end = Instant::now() + WAITS;
        // One that somebody had asked for before a webhook came does not answer it: then a second one does.
        for _ in 0..2 {
            let Some(flight) = self.flight(&followed, interval, fresh.since, cloud, now) else { break };
            if timeout_at(end, flight.clone()).await.is_err() {
                tokio::spawn(flight);
                let List { outcome, .. } = self.told(&followed, interval, now);
                return List { outcome, due: now + LANDS };
            }
        }
        self.told(&followed, interval, now)
    }

    /// The question that is under way, or has to be asked; none: what is known is new enough.
    fn flight(
        &self,
        followed: &Followed,
        interval: SignedDuration,
        since: Option<Timestamp>,
        cloud: &Cloud,
        now: Timestamp,
    ) -> Option<Flight> {
        let mut all = self.all();
        all.retain(|_, entry| entry.until >= now || entry.flight.is_some());
        if all.len() > LISTS
            && let Some(first) = all.iter().min_by_key(|(_, entry)| entry.until).map(|(first, _)| first.clone())
        {
            all.remove(&first);
        }
        let entry = all.entry(followed.clone()).or_default();
        let until = now.saturating_add(interval.saturating_mul(2).saturating_add(GRACE)).unwrap_or(Timestamp::MAX);
        entry.until = until.max(entry.until);
        if entry.last.as_ref().is_some_and(|last| last.is_new(interval, since, now)) {
            return None;
        }
        let flight = entry
            .flight
            .get_or_insert_with(|| self.clone().ask(followed.clone(), cloud.clone(), now, since).boxed().shared());
        Some(flight.clone())
    }

    async fn ask(self, followed: Followed, cloud: Cloud, sent: Timestamp, since: Option<Timestamp>) {
        let mut images = Images::default();
        let see = |name: &str, pushed_at| images.add(name, pushed_at, &followed.tag);
        let outcome = cloud.tags(&followed.repository, see).await.map(|()| images);
        if let Some(entry) = self.all().get_mut(&followed) {
            let asked = Asked { since, ..Asked::new(sent, outcome, entry.last.take()) };
            (entry.last, entry.flight) = (Some(asked), None);
        }
    }

    fn told(&self, followed: &Followed, interval: SignedDuration, now: Timestamp) -> List {
        let last = self.all().get(followed).and_then(|entry| entry.last.clone());
        let due = last.as_ref().map(|last| last.due(interval)).filter(|due| *due > now);
        List { outcome: last.map(|last| last.outcome), due: due.unwrap_or(now + LANDS) }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Followed, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    fn new(sent: Timestamp, outcome: Result<Images, Fault>, before: Option<Self>) -> Self {
        let Some(fault) = outcome.as_ref().err().filter(|fault| fault.is_passing()) else {
            return Self { sent, since: None, outcome, busy: 0 };
        };
        let busy = before.as_ref().map_or(0, |before| before.busy).saturating_add(1);
        let known = before.and_then(|before| before.outcome.ok()).filter(|_| busy < BUSY);
        Self { sent, since: None, outcome: known.ok_or_else(|| fault.clone()), busy }
    }

    /// Whether it is new enough for one who asks at that interval, and for whom a webhook told of a push since.
    fn is_new(&self, interval: SignedDuration, since: Option<Timestamp>, now: Timestamp) -> bool {
        // Where AWS refused or was busy, nobody asks more often because of a webhook.
        let is_late = since > self.since && self.outcome.is_ok() && self.busy == 0;
        !is_late && now.saturating_add(SLACK).is_ok_and(|now| now < self.due(interval))
    }

    /// When one who asks at that interval is told something newer.
    fn due(&self, interval: SignedDuration) -> Timestamp {
        let good_for = match &self.outcome {
            Ok(_) if self.busy > 0 => interval.min(SOON),
            Ok(_) => interval,
            Err(fault) if fault.is_terminal() => interval.max(REFUSED),
            Err(fault) => fault.turn().map_or(SOON, SignedDuration::from_secs).min(interval),
        };
        self.sent.saturating_add(good_for).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use launchway_plan::fault::{FaultKind, Remedy};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn fault(remedy: Remedy) -> Result<Images, Fault> {
        let (operation, code) = ("ecr:DescribeImages".to_owned(), "ThrottlingException".to_owned());
        let (resource, message) = ("repository/web".to_owned(), "Rate exceeded".to_owned());
        Err(Fault { operation, resource, code, message, kind: FaultKind::Throttled, remedy })
    }

    fn after(second: i64, outcome: Result<Images, Fault>, before: Option<Asked>) -> Asked {
        Asked::new(at(second), outcome, before)
    }

    #[test]
    fn a_busy_moment_is_not_told_and_one_that_lasts_is() {
        let hour = SignedDuration::from_hours(1);
        let mut last = after(0, Ok(Images::default()), None);
        assert_eq!(last.due(hour), at(3600));
        for second in [3600, 3660] {
            last = after(second, fault(Remedy::Retry), Some(last));
            assert_eq!((last.outcome.is_ok(), last.due(hour)), (true, at(second + 60)), "{second}");
        }
        last = after(3720, fault(Remedy::Retry), Some(last));
        assert_eq!((last.outcome.is_ok(), last.due(hour)), (false, at(3780)));
        last = after(3780, Ok(Images::default()), Some(last));
        assert_eq!((last.outcome.is_ok(), last.due(hour)), (true, at(3780 + 3600)));
        assert!(after(0, fault(Remedy::Retry), None).outcome.is_err(), "nothing is known");
    }

    #[test]
    fn what_is_denied_or_missing_is_told_at_once_and_asked_for_again_after_five_minutes() {
        let known = after(0, Ok(Images::default()), None);
        let denied = after(60, fault(Remedy::AskOperator), Some(known));
        assert!(denied.outcome.is_err());
        assert_eq!(denied.due(SignedDuration::from_secs(10)), at(60 + 300));
        let turn = after(60, fault(Remedy::Wait(7)), None);
        assert_eq!(turn.due(SignedDuration::from_mins(1)), at(67));
    }
}
