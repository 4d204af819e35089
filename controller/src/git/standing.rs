//! Which comparisons of commits are on their way or were answered, and which repositories are left alone for a while. Time comes
//! with the question.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, Shared};
use jiff::{SignedDuration, Timestamp};
use launchway_plan::pipeline::change::Change;

use super::GitFault;
use super::credential::Key;
use super::fault::{REFUSED, soon};
use super::objects::Kept;

/// How many are kept, on their way or answered; and of one namespace on their way.
const MOST: usize = 1000;
const OF_A_NAMESPACE: usize = 100;
/// How long an answer is kept for who asks the same.
pub const LASTS: SignedDuration = SignedDuration::from_mins(1);

/// What was asked, of which repository and by whom, and for which namespace: each waits in a queue of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Of {
    pub lane: Key,
    pub namespace: String,
    pub commit: String,
    pub base: Option<String>,
    /// A hash of the rules.
    pub rules: String,
}

/// What came of a comparison, and until when nobody asks the same again.
#[derive(Clone, Debug)]
pub struct Landed {
    pub outcome: Result<Change, GitFault>,
    pub until: Timestamp,
}

/// Those on their way, and those that were answered a short while ago.
#[derive(Debug, Default)]
pub struct Comparisons {
    pub by_question: HashMap<Of, Comparison>,
    /// The repositories whose last comparison failed, as with a poll: for all who ask there.
    pub failed: HashMap<Key, Failed>,
    pub kept: Arc<Mutex<Kept>>,
}

#[derive(Clone, Debug)]
pub struct Comparison {
    /// What went wrong the last time that the same was asked. It stands until there is an answer.
    pub before: Option<GitFault>,
    pub landing: Shared<BoxFuture<'static, Landed>>,
}

/// A fault, when it came, how many there were in a row, and until when nobody asks again.
#[derive(Clone, Debug)]
pub struct Failed {
    pub fault: GitFault,
    pub came: Timestamp,
    pub failures: u32,
    pub until: Timestamp,
}

impl Comparisons {
    /// Whether another one may be sent for a namespace. What was answered long enough ago is forgotten, and whatever was answered makes
    /// room.
    pub fn has_room(&mut self, namespace: &str, now: Timestamp) -> bool {
        let is_old = |landed: &Landed| now >= landed.until + LASTS;
        self.by_question.retain(|_, one| !one.landing.peek().is_some_and(is_old));
        // A fault stands until an answer comes. Who has not asked for an hour has no use for it.
        self.failed.retain(|_, failed| now < failed.until + SignedDuration::from_hours(1));
        if self.by_question.len() >= MOST {
            let answered = self.by_question.iter().find(|(_, one)| one.landing.peek().is_some());
            if let Some(of) = answered.map(|(of, _)| of.clone()) {
                self.by_question.remove(&of);
            }
        }
        let is_flying = |of: &Of, one: &Comparison| of.namespace == namespace && one.landing.peek().is_none();
        let flying = self.by_question.iter().filter(|(of, one)| is_flying(of, one)).count();
        self.by_question.len() < MOST && flying < OF_A_NAMESPACE
    }

    /// Takes note of what came of a comparison, and says until when nobody asks the same again. Those that fail while the first fault
    /// stands are of one outage. A commit that is gone or cannot be read says nothing of the repository.
    pub fn landed(&mut self, lane: Key, fault: Option<&GitFault>, sent: Timestamp, now: Timestamp) -> Timestamp {
        let before = self.failed.get(&lane);
        match fault {
            None if before.is_some_and(|before| before.came <= sent) => drop(self.failed.remove(&lane)),
            None | Some(GitFault::Moved(_) | GitFault::Protocol(_)) => {}
            Some(fault) => {
                let is_of_before = before.is_some_and(|before| sent < before.came);
                let failures = before.map_or(0, |before| before.failures) + u32::from(!is_of_before);
                let rests = now.saturating_add(rests(fault, failures)).unwrap_or(Timestamp::MAX);
                let until = before.filter(|_| is_of_before).map_or(rests, |before| rests.max(before.until));
                self.failed.insert(lane, Failed { fault: fault.clone(), came: now, failures, until });
                return until;
            }
        }
        now + LASTS
    }
}

/// How long nobody asks again after so many faults in a row.
fn rests(fault: &GitFault, failures: u32) -> SignedDuration {
    if let GitFault::Unavailable { wait: Some(seconds), .. } = fault {
        LASTS.max(SignedDuration::from_secs(i64::from(*seconds)))
    } else if *fault == GitFault::NoObjects {
        // Whoever mends that looks whether it helped.
        LASTS
    } else if fault.is_passing() {
        soon(failures)
    } else {
        REFUSED
    }
}
