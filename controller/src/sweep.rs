//! Objects that have nothing to do are checked one ten after the other, and not all at once: a ten shares a call to AWS, and
//! an object that has to get on does not stand behind ten thousand that have not.

use crate::key::Key;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many are checked together: as many as share a DescribeServices.
const TOGETHER: u32 = 10;
/// How far one ten is behind the other. AWS's rate for one account would allow for half of it.
const APART: Duration = Duration::from_millis(100);

/// The places of objects in the sweep.
#[derive(Debug, Default)]
pub struct Sweep(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    places: HashMap<Key, u32>,
    /// Places that were given up.
    free: BTreeSet<u32>,
}

impl Sweep {
    /// How long after its beginning the sweep comes to the object; always less than half of `most`.
    pub fn after(&self, key: &Key, most: Duration) -> Duration {
        let behind = APART * (self.place(key) / TOGETHER);
        let most = (most / 2).as_millis().max(1);
        Duration::from_millis(u64::try_from(behind.as_millis() % most).unwrap_or_default())
    }

    /// Gives up the place of an object that is gone.
    pub fn forget(&self, key: &Key) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = all.places.remove(key) {
            all.free.insert(place);
        }
    }

    fn place(&self, key: &Key) -> u32 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = all.places.get(key) {
            return *place;
        }
        let next = u32::try_from(all.places.len() + all.free.len()).unwrap_or(u32::MAX);
        let place = all.free.pop_first().unwrap_or(next);
        all.places.insert(key.clone(), place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Kind;

    #[test]
    fn tens_come_one_after_the_other_and_a_place_that_was_given_up_is_taken_again() {
        let sweep = Sweep::default();
        let key = |number: u32| Key { kind: Kind::Service, namespace: "a".into(), name: number.to_string() };
        let minutes = Duration::from_mins(10);
        let after: Vec<Duration> = (0..25).map(|number| sweep.after(&key(number), minutes)).collect();
        assert_eq!((after[0], after[9], after[10], after[24]), (Duration::ZERO, Duration::ZERO, APART, 2 * APART));
        sweep.forget(&key(3));
        assert_eq!(sweep.after(&key(100), minutes), Duration::ZERO);
        assert_eq!(sweep.after(&key(101), minutes), 2 * APART);
        assert_eq!(sweep.after(&key(24), minutes), 2 * APART, "it keeps its place");
        assert!((0..9999).all(|number| sweep.after(&key(number), Duration::from_secs(10)) < Duration::from_secs(5)));
    }
}
