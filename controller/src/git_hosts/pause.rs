//! How long a git host is left alone after it did not take a commit status, so that many Releases do not overload it, nor lock a
//! credential out.

use super::HostFault;
use crate::git::{Key, REFUSED, soon};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many pauses are remembered. Of more, those that end first are forgotten.
const MOST: usize = 10_000;

/// For how long after its end a pause is remembered, so that the next one is longer.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

/// How long a host may ask to be left alone.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Pauses, by a name for a repository, or for one commit status of it, as somebody sees it.
#[derive(Debug, Default)]
pub(super) struct Pauses(Mutex<HashMap<Key, Pause>>);

#[derive(Clone, Debug)]
struct Pause {
    until: Timestamp,
    failures: u32,
    fault: HostFault,
}

impl Pauses {
    /// Why nothing is sent there now, if that is so.
    pub fn of(&self, name: &Key, now: Timestamp) -> Option<HostFault> {
        self.all().get(name).filter(|pause| now < pause.until).map(|pause| pause.fault.clone())
    }

    /// It did not take what was sent. Failures of what was sent at the same time are one.
    pub fn begin(&self, name: Key, fault: &HostFault, now: Timestamp) {
        let mut all = self.all();
        all.retain(|_, pause| now < pause.until.saturating_add(REMEMBERED).unwrap_or(Timestamp::MAX));
        let before = all.get(&name);
        let again = u32::from(before.is_none_or(|pause| pause.until <= now));
        let failures = before.map_or(0, |pause| pause.failures) + again;
        let least = if fault.is_passing() { soon(failures) } else { REFUSED };
        let pause = fault.wait().map_or(least, |wait| wait.clamp(least, LONGEST));
        let until = now.saturating_add(pause).unwrap_or(Timestamp::MAX);
        if all.len() >= MOST && !all.contains_key(&name) {
            let first = all.iter().min_by_key(|(_, pause)| pause.until).map(|(name, _)| *name);
            first.map(|first| all.remove(&first));
        }
        all.insert(name, Pause { until, failures, fault: fault.clone() });
    }

    /// What follows of what the host answered about a repository, and about one commit or commit status in it.
    pub fn learn<T>(&self, [of_host, of_one]: [Key; 2], answered: &Result<T, HostFault>, now: Timestamp) {
        match answered {
            Ok(_) => self.end(&[of_host, of_one]),
            Err(fault) if fault.is_before_sending() => {}
            Err(fault) if fault.is_of_one() => self.begin(of_one, fault, now),
            Err(fault) => self.begin(of_host, fault, now),
        }
    }

    /// It took something.
    pub fn end(&self, names: &[Key]) {
        let mut all = self.all();
        names.iter().for_each(|name| drop(all.remove(name)));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Pause>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
