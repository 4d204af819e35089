//! The watches: one for each kind, or for each kind and namespace. Which do not work: those that have failed again and again, with
//! no sign of life between.

use crate::key::{Key, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// For how long a watch may fail before it counts as broken. One that breaks and is made anew, as happens at each restart of
/// the API server, fails for some seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A watch that has not failed for so long works again: it says nothing when it is made anew, and it is tried every 4
/// seconds, or 14 where connecting takes as long as it may.
pub const QUIET: Duration = Duration::from_secs(30);

/// A watch of the objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watch {
    /// The kind.
    pub kind: Kind,
    /// The namespace; empty: all of them, or the kind lives in none.
    pub namespace: String,
}

impl Watch {
    /// The watches of all kinds, in these namespaces; none: in all.
    pub fn all(namespaces: &[String]) -> BTreeSet<Self> {
        let of = |kind: Kind| {
            let only = namespaces.iter().filter(move |_| kind.is_in_namespaces()).cloned().collect::<Vec<_>>();
            let only = if only.is_empty() { vec![String::new()] } else { only };
            only.into_iter().map(move |namespace| Self { kind, namespace })
        };
        Kind::ALL.iter().copied().flat_map(of).collect()
    }

    /// Whether it shows that object.
    pub fn shows(&self, key: &Key) -> bool {
        self.kind == key.kind && (self.namespace.is_empty() || self.namespace == key.namespace)
    }
}

/// The failures of the watches.
#[derive(Debug, Default)]
pub struct Watches(Mutex<BTreeMap<Watch, Failures>>);

/// Failures with less than [`QUIET`] between them.
#[derive(Clone, Copy, Debug)]
struct Failures {
    first: Instant,
    last: Instant,
}

impl Watches {
    /// Notes that a watch, or its list, has failed.
    pub fn failed(&self, watch: &Watch) {
        let now = Instant::now();
        let mut all = self.all();
        let failures = all.entry(watch.clone()).or_insert(Failures { first: now, last: now });
        if now - failures.last > QUIET {
            failures.first = now;
        }
        failures.last = now;
    }

    /// Notes that a watch has shown something.
    pub fn worked(&self, watch: &Watch) {
        self.all().remove(watch);
    }

    /// The kinds of which a watch does not work now.
    pub fn broken(&self) -> BTreeSet<Kind> {
        let now = Instant::now();
        let is_broken = |one: &Failures| one.last - one.first >= PATIENCE && now - one.last <= QUIET;
        self.all().iter().filter(|(_, failures)| is_broken(failures)).map(|(watch, _)| watch.kind).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Watch, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(kind: Kind, namespace: &str) -> Watch {
        Watch { kind, namespace: namespace.to_owned() }
    }

    #[test]
    fn kinds_that_live_in_namespaces_have_a_watch_for_each_that_is_named() {
        assert_eq!(Watch::all(&[]).len(), Kind::ALL.len());
        let all = Watch::all(&["a".to_owned(), "b".to_owned(), "a".to_owned()]);
        assert!(all.contains(&watch(Kind::AwsAccount, "")) && all.contains(&watch(Kind::Release, "b")));
        assert_eq!(all.len(), 1 + 2 * (Kind::ALL.len() - 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_works_says_nothing_of_another_namespace() {
        let watches = Watches::default();
        for _ in 0..7 {
            watches.failed(&watch(Kind::Release, "a"));
            watches.worked(&watch(Kind::Release, "b"));
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        assert_eq!(watches.broken(), [Kind::Release].into());
    }

    /// Fails every four seconds, so many times.
    async fn fails(watches: &Watches, times: u32) {
        for _ in 0..times {
            watches.failed(&watch(Kind::Release, ""));
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_is_broken_that_fails_again_and_again_and_works_when_it_shows_something_or_no_longer_fails() {
        let watches = Watches::default();
        fails(&watches, 5).await;
        assert_eq!(watches.broken(), [].into(), "a restart of the API server takes so long");
        fails(&watches, 2).await;
        assert_eq!(watches.broken(), [Kind::Release].into());
        watches.worked(&watch(Kind::Release, ""));
        assert_eq!(watches.broken(), [].into());
        fails(&watches, 10).await;
        assert_eq!(watches.broken(), [Kind::Release].into());
        tokio::time::sleep(QUIET).await;
        assert_eq!(watches.broken(), [].into(), "it was made anew, and nothing changes");
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_are_far_apart_are_none_of_a_broken_watch() {
        let watches = Watches::default();
        for _ in 0..10 {
            watches.failed(&watch(Kind::Service, ""));
            tokio::time::sleep(QUIET * 2).await;
            watches.failed(&watch(Kind::Service, ""));
            assert_eq!(watches.broken(), [].into());
            tokio::time::sleep(QUIET * 2).await;
        }
    }
}
