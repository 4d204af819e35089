//! Which versions of an object our own passes wrote. Such a version wakes others and not the object itself: the pass that
//! wrote it has said when it comes again.

use crate::key::Key;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How many versions of an object are remembered: a pass writes its status twice at most, an intent and a report.
const REMEMBERED: usize = 4;

/// How long the watch waits for the answer to a write whose version it shows already.
const PATIENCE: Duration = Duration::from_millis(50);

/// The resource versions that passes made by writing the status of their object.
#[derive(Debug, Default)]
pub struct OwnWrites {
    versions: Mutex<HashMap<Key, VecDeque<String>>>,
    /// The objects that are being written.
    under_way: Mutex<HashSet<Key>>,
    ended: Notify,
}

/// A write that was not answered yet.
#[derive(Debug)]
pub struct Writing<'a> {
    own: &'a OwnWrites,
    key: Key,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.own.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.own.ended.notify_waiters();
    }
}

impl OwnWrites {
    /// Notes that the object is being written, until the guard is dropped.
    pub fn writing(&self, key: &Key) -> Writing<'_> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        Writing { own: self, key: key.clone() }
    }

    /// Whether a pass over the object made this version, which its watch shows. The watch may be faster than the answer to
    /// the write: that is waited for, a moment.
    pub async fn made(&self, key: &Key, version: &str) -> bool {
        let answered = async {
            loop {
                let ended = self.ended.notified();
                if !self.under_way.lock().unwrap_or_else(PoisonError::into_inner).contains(key) {
                    return;
                }
                ended.await;
            }
        };
        // Whoever is too late costs a pass that finds nothing to do.
        let _ = tokio::time::timeout(PATIENCE, answered).await;
        self.contains(key, version)
    }

    /// Remembers that a pass over the object made this version. It was written over the version that the pass had read, so
    /// nothing that somebody else wrote can hide behind it.
    pub fn remember(&self, key: &Key, version: &str) {
        let mut all = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = all.entry(key.clone()).or_default();
        versions.push_back(version.to_owned());
        if versions.len() > REMEMBERED {
            versions.pop_front();
        }
    }

    /// Whether a pass over the object made this version.
    pub fn contains(&self, key: &Key, version: &str) -> bool {
        let all = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).is_some_and(|versions| versions.iter().any(|one| one == version))
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, key: &Key) {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Kind;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_watch_that_is_faster_than_the_answer_waits_for_it() {
        let (own, key) = (OwnWrites::default(), Key { kind: Kind::Service, namespace: "a".into(), name: "b".into() });
        let writing = own.writing(&key);
        let mut shown = Box::pin(own.made(&key, "7"));
        assert!(shown.as_mut().now_or_never().is_none());
        own.remember(&key, "7");
        drop(writing);
        assert!(shown.await);
        assert!(!own.made(&key, "8").await);
    }
}
