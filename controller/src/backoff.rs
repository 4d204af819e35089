//! How long an object that met a fault is left alone: longer with each fault in a row. A pass that comes before the time is
//! over calls nobody, unless somebody asks for a new try. Jitter comes from a seeded generator.

use crate::key::Key;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The faults in a row of each object, and the generator of jitter.
#[derive(Debug)]
pub struct Backoff(Mutex<State>);

#[derive(Debug)]
struct State {
    faults: HashMap<Key, Faults>,
    rng: fastrand::Rng,
}

/// The faults in a row of one object.
#[derive(Debug)]
struct Faults {
    count: u32,
    /// When the last one was met.
    at: Timestamp,
    /// How long the object is left alone from then on.
    delay: Duration,
    /// What asked for the last try: see [`crate::wake::Index::asks`].
    asks: BTreeSet<u64>,
}

impl Faults {
    fn none(at: Timestamp) -> Self {
        Self { count: 0, at, delay: Duration::ZERO, asks: BTreeSet::new() }
    }

    /// One more, which these tries led to; how long the object is left alone.
    fn met(&mut self, delay: Duration, asks: &BTreeSet<u64>, at: Timestamp) -> Duration {
        self.count = self.count.saturating_add(1);
        self.left_alone(delay, asks, at)
    }

    fn left_alone(&mut self, delay: Duration, asks: &BTreeSet<u64>, at: Timestamp) -> Duration {
        (self.at, self.delay) = (at, delay);
        self.asks.clone_from(asks);
        delay
    }
}

/// The first delay and the longest, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    first: u64,
    longest: u64,
}

/// After a fault that may be over in a moment.
pub const PASSING: Range = Range { first: 1, longest: 300 };
/// After something that an operator has to mend: nothing tells us when that is done.
pub const OPERATOR: Range = Range { first: 300, longest: 1800 };

impl Backoff {
    /// Nobody has met a fault.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(State { faults: HashMap::new(), rng: fastrand::Rng::with_seed(seed) }))
    }

    /// How much longer the object is left alone; none: it may be tried now. What asks for a new try is tried at once.
    pub fn left(&self, key: &Key, asks: &BTreeSet<u64>, now: Timestamp) -> Option<Duration> {
        let state = self.state();
        let faults = state.faults.get(key).filter(|faults| faults.asks.is_superset(asks))?;
        let delay = SignedDuration::try_from(faults.delay).unwrap_or(SignedDuration::MAX);
        // Not longer than it was to begin with, if the clock went back.
        let left = (faults.at + delay).duration_since(now).min(delay);
        left.is_positive().then(|| left.unsigned_abs())
    }

    /// Counts another fault of the object, and says how long it is left alone: the range's first delay, doubled with each
    /// fault in a row, less up to a fifth. The first fault after something else asked for a try is the first in its row.
    pub fn next(&self, key: &Key, range: Range, asks: &BTreeSet<u64>, now: Timestamp) -> Duration {
        let mut state = self.state();
        let part = state.rng.u64(800..=1000);
        let faults = state.faults.entry(key.clone()).or_insert_with(|| Faults::none(now));
        if !faults.asks.is_superset(asks) {
            faults.count = 0;
        }
        let seconds = range.first.saturating_mul(1 << faults.count.min(16)).min(range.longest);
        faults.met(Duration::from_millis(seconds * part), asks, now)
    }

    /// Notes that the object is left alone for so long, because its turn comes then. That is no fault.
    pub fn until(&self, key: &Key, delay: Duration, asks: &BTreeSet<u64>, now: Timestamp) {
        self.state().faults.entry(key.clone()).or_insert_with(|| Faults::none(now)).left_alone(delay, asks, now);
    }

    /// Whether the object met no fault in the passes before this one.
    pub fn is_first(&self, key: &Key) -> bool {
        self.state().faults.get(key).is_none_or(|faults| faults.count == 0)
    }

    /// Forgets the faults of an object that met none, or is gone.
    pub fn forget(&self, key: &Key) {
        self.state().faults.remove(key);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Kind;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    fn key() -> Key {
        Key { kind: Kind::Service, namespace: "a".into(), name: "b".into() }
    }

    #[test]
    fn faults_in_a_row_double_the_delay_up_to_its_longest_and_success_forgets_them() {
        let backoff = Backoff::new(1);
        assert!(backoff.is_first(&key()));
        let delays: Vec<f64> =
            (0..12).map(|_| backoff.next(&key(), PASSING, &[0].into(), at(0)).as_secs_f64()).collect();
        assert!(delays[0] <= 1.0 && delays[3] > 6.0 && delays[11] <= 300.0 && delays[11] >= 240.0, "{delays:?}");
        assert!(!backoff.is_first(&key()));
        backoff.forget(&key());
        assert!(backoff.next(&key(), PASSING, &[0].into(), at(0)) <= Duration::from_secs(1));
    }

    #[test]
    fn nobody_is_tried_before_the_time_is_over_but_what_asks_for_it_is_tried_at_once_and_once() {
        let backoff = Backoff::new(1);
        assert_eq!(backoff.left(&key(), &[0].into(), at(0)), None);
        let delay = backoff.next(&key(), OPERATOR, &[0].into(), at(0));
        assert_eq!(backoff.left(&key(), &[0].into(), at(0)), Some(delay));
        assert!(backoff.left(&key(), &[0].into(), at(100)).is_some_and(|left| left < delay));
        assert_eq!(backoff.left(&key(), &[0].into(), at(-1000)), Some(delay), "a clock that went back");
        assert_eq!(backoff.left(&key(), &[0].into(), at(300)), None, "it is over");
        assert_eq!(backoff.left(&key(), &[1].into(), at(100)), None, "somebody asks");
        let delay = backoff.next(&key(), OPERATOR, &[1].into(), at(100));
        assert!(delay <= Duration::from_secs(300), "a new row: {delay:?}");
        assert!(backoff.left(&key(), &[1].into(), at(101)).is_some(), "once");
        assert!(backoff.left(&key(), &[0].into(), at(101)).is_none(), "what was gone, and is there again, asks");
        assert!(backoff.left(&key(), &[].into(), at(101)).is_some(), "what is gone asks for nothing");
    }

    #[test]
    fn a_turn_at_our_own_budget_is_no_fault() {
        let backoff = Backoff::new(1);
        for second in 0..4 {
            backoff.until(&key(), Duration::from_secs(1), &[0].into(), at(second));
            assert!(backoff.is_first(&key()) && backoff.left(&key(), &[0].into(), at(second)).is_some());
        }
        assert!(backoff.next(&key(), OPERATOR, &[0].into(), at(9)) <= Duration::from_secs(300));
    }
}
