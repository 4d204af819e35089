//! How long an object is left alone: a pass's wake becomes a delay. Jitter comes from a seeded generator. What a pass
//! wrote into its own object's status wakes others, and not the object: its pass has said when it comes again.

use crate::wake::{Key, Kind};
use jiff::Timestamp;
use launchway_plan::wake::Wake;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The first delay after a fault, and the longest, in seconds.
const FAULTS: (u64, u64) = (1, 300);
/// The first delay after something that an operator has to mend, and the longest, in seconds.
const OPERATORS: (u64, u64) = (300, 1800);

/// How many versions of an object are remembered as our own: a pass writes its status twice at most, an intent and a report.
const OWN: usize = 4;

/// How often each object met a fault in a row, and the generator of jitter.
#[derive(Debug)]
pub struct Backoff {
    state: Mutex<State>,
    pace: u32,
    /// By how many seconds the moments at which objects are looked at together are earlier than the full ones: those of
    /// two installations in one AWS account should not be the same.
    phase: u64,
}

#[derive(Debug)]
struct State {
    met: HashMap<Key, u32>,
    own: HashMap<Key, VecDeque<String>>,
    rng: fastrand::Rng,
}

impl Backoff {
    /// Nobody has met a fault.
    pub fn new(seed: u64) -> Self {
        Self {
            state: Mutex::new(State { met: HashMap::new(), own: HashMap::new(), rng: fastrand::Rng::with_seed(seed) }),
            pace: 1,
            phase: seed % (60 * 60),
        }
    }

    /// The same, with builds, rollouts and verifications looked at `pace` times as often. What is waited for after a
    /// fault stays as it is, and so do branches, whose interval is the user's.
    #[must_use]
    pub fn paced(self, pace: u32) -> Self {
        Self { pace: pace.max(1), ..self }
    }

    /// When the object's next pass is due, from now on; `None`: only on a change.
    pub fn delay(&self, key: &Key, wake: Wake, now: impl Fn() -> Timestamp) -> Option<Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match wake {
            Wake::Backoff => Some(state.next(key, FAULTS)),
            Wake::Operator => Some(state.next(key, OPERATORS)),
            Wake::Turn(seconds) => {
                state.meet(key);
                Some(duration(seconds))
            }
            Wake::Now => Some(Duration::ZERO),
            Wake::After(seconds) => {
                state.met.remove(key);
                Some(duration(seconds) / self.pace(key.kind))
            }
            Wake::Every(seconds) => {
                state.met.remove(key);
                Some(self.until_next(duration(seconds) / self.pace(key.kind), now()))
            }
            Wake::OnChange => {
                state.met.remove(key);
                None
            }
        }
    }

    /// How long it is until the next moment of those that lie so far apart. One that is nearer than a tenth of that is
    /// passed over: clocks and timers do not agree to the millisecond.
    fn until_next(&self, apart: Duration, now: Timestamp) -> Duration {
        let since = now.duration_since(Timestamp::UNIX_EPOCH).unsigned_abs() + Duration::from_secs(self.phase);
        let apart_nanos = apart.as_nanos().max(1);
        let left = apart_nanos - since.as_nanos() % apart_nanos;
        let delay = if left < apart_nanos / 10 { left + apart_nanos } else { left };
        Duration::from_nanos(u64::try_from(delay).unwrap_or(u64::MAX))
    }

    /// Whether the object met no fault in the passes before this one.
    pub fn is_first(&self, key: &Key) -> bool {
        !self.state.lock().unwrap_or_else(PoisonError::into_inner).met.contains_key(key)
    }

    /// Remembers that a pass over the object wrote its status, and made this version of it. It was written over the version
    /// that the pass had read, so nothing that somebody else wrote can hide behind it.
    pub fn wrote(&self, key: &Key, version: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let own = state.own.entry(key.clone()).or_default();
        own.push_back(version.to_owned());
        if own.len() > OWN {
            own.pop_front();
        }
    }

    /// Whether this version of the object is one that a pass over it wrote.
    pub fn is_own(&self, key: &Key, version: &str) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.own.get(key).is_some_and(|own| own.iter().any(|one| one == version))
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, key: &Key) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.met.remove(key);
        state.own.remove(key);
    }

    fn pace(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Release | Kind::Service => self.pace,
            Kind::AwsAccount | Kind::Pipeline => 1,
        }
    }
}

fn duration(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

impl State {
    /// Notes that the object met a fault once more; how often it had before.
    fn meet(&mut self, key: &Key) -> u32 {
        let met = self.met.entry(key.clone()).or_insert(0);
        let before = *met;
        *met = met.saturating_add(1);
        before
    }

    /// Doubles from the first to the longest, less up to a fifth.
    fn next(&mut self, key: &Key, (first, longest): (u64, u64)) -> Duration {
        let seconds = first.saturating_mul(1 << self.meet(key).min(16)).min(longest);
        let millis = seconds * 1000;
        Duration::from_millis(millis - self.rng.u64(0..=millis / 5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn at(millis: i64) -> impl Fn() -> Timestamp {
        move || Timestamp::from_millisecond(millis).expect("a time")
    }

    #[test]
    fn faults_in_a_row_double_the_delay_up_to_its_longest_and_success_forgets_them() {
        let backoff = Backoff::new(1);
        let key = Key { kind: Kind::Service, namespace: "a".into(), name: "b".into() };
        let delays: Vec<_> =
            (0..12).filter_map(|_| backoff.delay(&key, Wake::Backoff, now)).map(|delay| delay.as_secs_f64()).collect();
        assert!(delays[0] <= 1.0 && delays[3] > 6.0 && delays[11] <= 300.0 && delays[11] >= 240.0, "{delays:?}");
        assert_eq!(backoff.delay(&key, Wake::OnChange, now), None);
        assert!(backoff.delay(&key, Wake::Backoff, now).is_some_and(|delay| delay <= Duration::from_secs(1)));
    }

    #[test]
    fn objects_that_nothing_urges_are_looked_at_together_and_none_of_them_twice() {
        let backoff = Backoff::new(0);
        let key = |name: &str| Key { kind: Kind::Service, namespace: "a".into(), name: name.into() };
        let due = |name: &str, now: i64| {
            let delay = backoff.delay(&key(name), Wake::Every(600), at(now)).expect("a delay");
            now + i64::try_from(delay.as_millis()).expect("a short delay")
        };
        assert_eq!((due("b", 1_000), due("c", 301_000)), (600_000, 600_000));
        // A timer that fires a little early, and a pass that takes a while.
        assert_eq!((due("b", 599_999), due("c", 600_900)), (1_200_000, 1_200_000));
        let other = Backoff::new(61);
        assert_eq!(other.delay(&key("b"), Wake::Every(600), at(1_000)), Some(Duration::from_secs(538)));
    }

    #[test]
    fn a_turn_is_not_hurried_by_a_pace_and_counts_as_a_fault_that_was_met() {
        let backoff = Backoff::new(1).paced(5);
        let key = Key { kind: Kind::Service, namespace: "a".into(), name: "b".into() };
        assert!(backoff.is_first(&key));
        assert_eq!(backoff.delay(&key, Wake::Turn(30), now), Some(Duration::from_secs(30)));
        assert!(!backoff.is_first(&key));
    }

    #[test]
    fn a_pace_shortens_the_looks_at_aws_and_neither_polls_nor_faults() {
        let backoff = Backoff::new(1).paced(5);
        let key = |kind| Key { kind, namespace: "a".into(), name: "b".into() };
        assert_eq!(backoff.delay(&key(Kind::Release), Wake::After(30), now), Some(Duration::from_secs(6)));
        assert_eq!(backoff.delay(&key(Kind::Pipeline), Wake::After(30), now), Some(Duration::from_secs(30)));
        assert!(
            backoff
                .delay(&key(Kind::Service), Wake::Backoff, now)
                .is_some_and(|delay| delay >= Duration::from_millis(800))
        );
    }
}
