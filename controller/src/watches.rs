//! Which watches do not work: those that have failed again and again, with no sign of life between.

use crate::key::Kind;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// For how long a watch may fail before it counts as broken. One that breaks and is made anew, as happens at each restart of
/// the API server, fails for some seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A watch that has not failed for so long works again: it says nothing when it is made anew, and it is tried every 4
/// seconds, or 14 where connecting takes as long as it may.
const QUIET: Duration = Duration::from_secs(30);

/// The failures of the watches, by kind.
#[derive(Debug, Default)]
pub struct Watches(Mutex<BTreeMap<Kind, Failures>>);

/// Failures with less than [`QUIET`] between them.
#[derive(Clone, Copy, Debug)]
struct Failures {
    first: Instant,
    last: Instant,
}

impl Watches {
    /// Notes that the watch of a kind, or its list, has failed.
    pub fn failed(&self, kind: Kind) {
        let now = Instant::now();
        let mut all = self.all();
        let failures = all.entry(kind).or_insert(Failures { first: now, last: now });
        if now - failures.last > QUIET {
            failures.first = now;
        }
        failures.last = now;
    }

    /// Notes that the watch of a kind has shown something.
    pub fn worked(&self, kind: Kind) {
        self.all().remove(&kind);
    }

    /// The kinds whose watches do not work now.
    pub fn broken(&self) -> Vec<Kind> {
        let now = Instant::now();
        let is_broken = |one: &Failures| one.last - one.first >= PATIENCE && now - one.last <= QUIET;
        self.all().iter().filter(|(_, failures)| is_broken(failures)).map(|(kind, _)| *kind).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Kind, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails every four seconds, so many times.
    async fn fails(watches: &Watches, times: u32) {
        for _ in 0..times {
            watches.failed(Kind::Release);
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_is_broken_that_fails_again_and_again_and_works_when_it_shows_something_or_no_longer_fails() {
        let watches = Watches::default();
        fails(&watches, 5).await;
        assert_eq!(watches.broken(), [], "a restart of the API server takes so long");
        fails(&watches, 2).await;
        assert_eq!(watches.broken(), [Kind::Release]);
        watches.worked(Kind::Release);
        assert_eq!(watches.broken(), []);
        fails(&watches, 10).await;
        assert_eq!(watches.broken(), [Kind::Release]);
        tokio::time::sleep(QUIET).await;
        assert_eq!(watches.broken(), [], "it was made anew, and nothing changes");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_are_far_apart_are_none_of_a_broken_watch() {
        let watches = Watches::default();
        for _ in 0..10 {
            watches.failed(Kind::Service);
            tokio::time::sleep(QUIET * 2).await;
            watches.failed(Kind::Service);
            assert_eq!(watches.broken(), []);
            tokio::time::sleep(QUIET * 2).await;
        }
    }
}
