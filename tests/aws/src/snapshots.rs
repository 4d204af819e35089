//! The world as it was: what stale reads are answered from. Kept only when asked, for a minute.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::codebuild::CodeBuildState;
use crate::ecr::EcrState;
use crate::ecs::EcsState;
use crate::ids::Ids;
use crate::logs::LogsState;
use crate::ssm::SsmState;
use crate::{Place, World};

/// How far back stale reads may look.
const KEPT: SignedDuration = SignedDuration::from_secs(60);

/// The services' state at one time.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    at: Timestamp,
    ids: Ids,
    ecs: BTreeMap<Place, EcsState>,
    ecr: BTreeMap<Place, EcrState>,
    codebuild: BTreeMap<Place, CodeBuildState>,
    logs: BTreeMap<Place, LogsState>,
    ssm: BTreeMap<Place, SsmState>,
}

/// Past states, oldest first; one that was followed by another within the minute, and the last before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshots {
    kept: VecDeque<Arc<Snapshot>>,
}

impl Snapshots {
    /// Keeps the state that a write at `now` left behind.
    pub(crate) fn keep(&mut self, world: Snapshot) {
        let now = world.at;
        self.kept.push_back(Arc::new(world));
        while self.kept.get(1).is_some_and(|second| second.at <= now - KEPT) {
            self.kept.pop_front();
        }
    }

    fn before(&self, time: Timestamp) -> Option<Arc<Snapshot>> {
        self.kept.iter().rev().find(|snapshot| snapshot.at <= time).or_else(|| self.kept.front()).cloned()
    }
}

impl World {
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            at: self.now(),
            ids: self.ids.clone(),
            ecs: self.ecs.clone(),
            ecr: self.ecr.clone(),
            codebuild: self.codebuild.clone(),
            logs: self.logs.clone(),
            ssm: self.ssm.clone(),
        }
    }

    /// Runs `look` on the world as it was `older_by` ago (or as old as is kept), then puts the present back.
    pub(crate) fn as_it_was<T>(&mut self, older_by: Duration, look: impl FnOnce(&mut World) -> T) -> T {
        let time = self.now() - SignedDuration::try_from(older_by).unwrap_or(KEPT);
        let Some(past) = self.snapshots.before(time) else {
            return look(self);
        };
        let mut past = (*past).clone();
        let present = self.now();
        let time = time.max(past.at);
        self.exchange(&mut past);
        self.advance_from(past.at, time);
        let seen = look(self);
        self.exchange(&mut past);
        self.set_now(present);
        seen
    }

    fn exchange(&mut self, other: &mut Snapshot) {
        std::mem::swap(&mut self.ids, &mut other.ids);
        std::mem::swap(&mut self.ecs, &mut other.ecs);
        std::mem::swap(&mut self.ecr, &mut other.ecr);
        std::mem::swap(&mut self.codebuild, &mut other.codebuild);
        std::mem::swap(&mut self.logs, &mut other.logs);
        std::mem::swap(&mut self.ssm, &mut other.ssm);
    }
}
