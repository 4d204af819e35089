//! How long an object that met a fault is left alone: longer with each fault in a row. Jitter comes from a seeded
//! generator.

use crate::key::Key;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often each object met a fault in a row, and the generator of jitter.
#[derive(Debug)]
pub struct Backoff(Mutex<State>);

#[derive(Debug)]
struct State {
    faults: HashMap<Key, u32>,
    rng: fastrand::Rng,
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

    /// Counts another fault of the object, and says how long it is left alone: the range's first delay, doubled with each
    /// fault in a row, less up to a fifth.
    pub fn next(&self, key: &Key, range: Range) -> Duration {
        let before = self.met(key);
        let millis = range.first.saturating_mul(1 << before.min(16)).min(range.longest) * 1000;
        Duration::from_millis(millis - self.state().rng.u64(0..=millis / 5))
    }

    /// Counts another fault of the object; how many in a row it had before.
    pub fn met(&self, key: &Key) -> u32 {
        let mut state = self.state();
        let faults = state.faults.entry(key.clone()).or_insert(0);
        let before = *faults;
        *faults = faults.saturating_add(1);
        before
    }

    /// Whether the object met no fault in the passes before this one.
    pub fn is_first(&self, key: &Key) -> bool {
        !self.state().faults.contains_key(key)
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

    #[test]
    fn faults_in_a_row_double_the_delay_up_to_its_longest_and_success_forgets_them() {
        let backoff = Backoff::new(1);
        let key = Key { kind: Kind::Service, namespace: "a".into(), name: "b".into() };
        assert!(backoff.is_first(&key));
        let delays: Vec<f64> = (0..12).map(|_| backoff.next(&key, PASSING).as_secs_f64()).collect();
        assert!(delays[0] <= 1.0 && delays[3] > 6.0 && delays[11] <= 300.0 && delays[11] >= 240.0, "{delays:?}");
        assert!(!backoff.is_first(&key));
        backoff.forget(&key);
        assert!(backoff.next(&key, PASSING) <= Duration::from_secs(1));
    }
}
