//! Which versions of an object our own passes wrote. Such a version wakes others and not the object itself: the pass that
//! wrote it has said when it comes again.

use crate::key::Key;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// How many versions of an object are remembered: a pass writes its status twice at most, an intent and a report.
const REMEMBERED: usize = 4;

/// The resource versions that passes made by writing the status of their object.
#[derive(Debug, Default)]
pub struct OwnWrites(Mutex<HashMap<Key, VecDeque<String>>>);

impl OwnWrites {
    /// Remembers that a pass over the object made this version. It was written over the version that the pass had read, so
    /// nothing that somebody else wrote can hide behind it.
    pub fn remember(&self, key: &Key, version: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = all.entry(key.clone()).or_default();
        versions.push_back(version.to_owned());
        if versions.len() > REMEMBERED {
            versions.pop_front();
        }
    }

    /// Whether a pass over the object made this version.
    pub fn contains(&self, key: &Key, version: &str) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).is_some_and(|versions| versions.iter().any(|one| one == version))
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
