//! A world that can be told to fail: which calls are struck, and by what. What a fault does to a call is in `world`.

use std::time::Duration;

use jiff::Timestamp;

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `ThrottlingException: Rate exceeded`, HTTP 400; nothing happens.
    Throttle,
    /// `AccessDeniedException`, with AWS's sentence; nothing happens.
    Deny,
    /// The service's own internal error, HTTP 500; nothing happens.
    Error5xx,
    /// The reply takes this long; the effect is made at once.
    Delay(Duration),
    /// The connection is reset before anything happened.
    ResetBeforeEffect,
    /// The effect is made, then the connection is reset.
    LoseReply,
    /// A read is answered from the world as it was this long ago; other calls are not touched. Needs [`crate::World::keep_snapshots`].
    StaleReads {
        /// How old the answer is.
        older_by: Duration,
    },
    /// A read is answered from the world at some time within this long, another time for each call and for each resource that it names: what
    /// is seen is mixed, and goes back and forth. Needs [`crate::World::keep_snapshots`].
    MixedReads {
        /// How old an answer may be.
        up_to: Duration,
        /// Another seed gives other ages.
        seed: u64,
    },
}

/// Which of the calls that a rule's glob matches are struck.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// All.
    Always,
    /// The n-th only, from 1.
    Nth(u64),
    /// Each n-th.
    EveryNth(u64),
    /// Each with this chance; the seed and the call's number decide, nothing else.
    Chance {
        /// From 0.0 to 1.0.
        of: f64,
        /// Another seed strikes other calls.
        seed: u64,
    },
    /// All from the first time on, until before the second.
    Between(Timestamp, Timestamp),
}

/// A rule: of the operations that match, those that `when` picks are struck by `fault`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// A glob over `service:Operation`, e.g. `ecs:Describe*`, `*:StartBuild`, `*`.
    pub operations: String,
    /// Which of them.
    pub when: When,
    /// By what.
    pub fault: Fault,
}

/// The rules, and how many calls each has seen.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Vec<(Rule, u64)>,
}

impl Faults {
    /// Adds a rule; the first that strikes wins.
    pub fn add(&mut self, operations: &str, when: When, fault: Fault) {
        self.rules.push((Rule { operations: operations.to_owned(), when, fault }, 0));
    }

    /// Takes all rules away.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The fault that strikes this call, if any; counts the call in every rule that it matches.
    pub fn strike(&mut self, service: &str, operation: &str, now: Timestamp) -> Option<Fault> {
        if self.rules.is_empty() {
            return None;
        }
        let name = format!("{service}:{operation}");
        let mut struck = None;
        for (rule, seen) in self.rules.iter_mut().filter(|(rule, _)| glob(&rule.operations, &name)) {
            *seen += 1;
            if struck.is_none() && rule.when.picks(*seen, now) {
                struck = Some(rule.fault.clone());
            }
        }
        struck
    }
}

impl When {
    fn picks(&self, seen: u64, now: Timestamp) -> bool {
        match self {
            Self::Always => true,
            Self::Nth(n) => seen == *n,
            Self::EveryNth(n) => *n > 0 && seen.is_multiple_of(*n),
            Self::Chance { of, seed } => {
                fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seen).f64() < *of
            }
            Self::Between(from, until) => *from <= now && now < *until,
        }
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one.
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            (p, t) = (p + 1, t + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, t) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}
