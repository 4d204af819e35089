//! Whether as many tasks run what is wanted as should. A rollout without tasks proves nothing, and tasks can end at any
//! time after it.

use super::rollout::container;
use crate::look::Looked;
use crate::moment::after;
use crate::world::{LiveService, StoppedTask};
use jiff::Timestamp;

/// Whether as many tasks run as should.
#[derive(Clone, Debug, PartialEq)]
pub enum Tasks {
    /// They do.
    Enough,
    /// None should run.
    Parked {
        /// Whether tasks of this rollout ran before.
        proved: bool,
    },
    /// Fewer run, for a while now.
    Short {
        /// Since when.
        since: Timestamp,
        /// Whether as many as should have run before.
        proved: bool,
    },
    /// Fewer run, for longer than a rollout may take.
    TooFew {
        /// Since when.
        since: Timestamp,
        /// Why tasks stopped, or why that is not known, for people.
        why: String,
    },
}

/// What is remembered of the tasks.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    /// Whether as many tasks as should ran this rollout at some time.
    pub proved: bool,
    /// Since when fewer tasks run than should.
    pub short_since: Option<Timestamp>,
    /// How long a rollout may take, in seconds.
    pub deadline: i64,
}

impl Before {
    /// Whether fewer tasks run than should for longer than a rollout may take: then the stopped tasks are looked at.
    pub fn is_overdue(&self, live: &LiveService, at: Timestamp) -> bool {
        live.running < live.desired && self.short_since.is_some_and(|since| at > after(since, self.deadline))
    }

    /// Whether as many tasks run as should.
    pub fn tasks(&self, live: &LiveService, stopped: &Looked<Vec<StoppedTask>>, at: Timestamp) -> Tasks {
        let since = self.short_since.unwrap_or(at);
        match live.desired {
            ..=0 => Tasks::Parked { proved: self.proved },
            desired if live.running >= desired => Tasks::Enough,
            _ if self.is_overdue(live, at) => Tasks::TooFew { since, why: why(live, stopped) },
            _ => Tasks::Short { since, proved: self.proved },
        }
    }
}

fn why(live: &LiveService, stopped: &Looked<Vec<StoppedTask>>) -> String {
    let task = |task: &StoppedTask| {
        let parts = [task.code.clone(), task.reason.clone(), container(task)];
        let told: Vec<String> = parts.into_iter().flatten().collect();
        format!("task {} stopped: {}", task.id, told.join(", "))
    };
    let event = live.events.first().map(|event| format!("ECS says: {event}"));
    match stopped {
        Looked::Seen(all) => all.first().map(task).or(event),
        Looked::Blind(fault) => Some(format!("its stopped tasks cannot be read: {fault}")),
        Looked::NotAsked => event,
    }
    .unwrap_or_else(|| "ECS does not say why".to_owned())
}

impl Tasks {
    /// Since when fewer tasks run than should.
    pub fn short_since(&self) -> Option<Timestamp> {
        match self {
            Self::Short { since, .. } | Self::TooFew { since, .. } => Some(*since),
            Self::Enough | Self::Parked { .. } => None,
        }
    }
}
