//! Which steps of a Release can be started now, or their start repeated. Where they stand is judged elsewhere.

use super::BUILD;
use super::desired::Desired;
use super::observed::{BuildSeen, Observed};
use super::state::is_checked;
use super::steps::{Start, StepState, repetition, start};
use crate::look::Looked;
use launchway_crds::release::{ReleasePlan, ReleaseStatus, StepStatus};

/// What opens steps.
pub(super) struct Opening<'a> {
    pub(super) desired: &'a Desired,
    pub(super) record: &'a ReleaseStatus,
    pub(super) plan: &'a ReleasePlan,
    pub(super) observed: &'a Observed,
}

impl Opening<'_> {
    /// Opens the steps that can be started now: checks as far as they may run side by side, the build once all are done.
    /// Nothing is started, and no start repeated, while the Pipeline is suspended or the account's ID is not known.
    pub(super) fn open(&self, steps: &mut [(String, StepState)]) {
        if self.observed.pipeline.as_ref().is_none_or(|pipeline| pipeline.spec.suspend) {
            return;
        }
        for (name, state) in steps.iter_mut().filter(|(_, state)| *state == StepState::Doubtful) {
            if let Some(again) = self.repetition(name) {
                *state = StepState::Repeatable(Box::new(again));
            }
        }
        let busy = steps.iter().filter(|(name, state)| name != BUILD && under_way(state)).count();
        let free = usize::try_from(self.plan.checks_in_parallel).unwrap_or(1) > busy;
        let build = is_checked(steps) && matches!(self.observed.image, Looked::Seen(None));
        let next = steps.iter_mut().find(|(name, state)| {
            let free = if name == BUILD { build } else { free };
            *state == StepState::Expired || (*state == StepState::Waiting && free)
        });
        if let Some((name, state)) = next
            && let Some(opened) = self.start(name)
        {
            *state = opened;
        }
    }

    fn step(&self, name: &str) -> Option<&StepStatus> {
        self.record.steps.iter().find(|step| *step.name == *name)
    }

    fn start(&self, name: &str) -> Option<StepState> {
        match &self.observed.account_id {
            Looked::Seen(id) => start(self.desired, self.plan, self.step(name)?, id, self.observed.at)
                .map(|start| StepState::Startable(Box::new(start))),
            Looked::Blind(fault) => Some(StepState::Unknown(fault.clone())),
            Looked::NotAsked => None,
        }
    }

    /// Only what was looked for and not found is asked for again.
    fn repetition(&self, name: &str) -> Option<Start> {
        let searched = matches!(self.observed.builds.get(name), Some(BuildSeen::Searched(Looked::Seen(_))));
        let id = self.observed.account_id.seen().filter(|_| searched)?;
        repetition(self.desired, self.plan, self.step(name)?, id, self.observed.at)
    }
}

fn under_way(state: &StepState) -> bool {
    match state {
        StepState::Waiting | StepState::Done(_) | StepState::Failed { .. } | StepState::Stopped => false,
        StepState::Startable(_)
        | StepState::Repeatable(_)
        | StepState::Doubtful
        | StepState::Expired
        | StepState::Hidden
        | StepState::Found(_)
        | StepState::Surplus(_)
        | StepState::Running(_)
        | StepState::Overdue(_)
        | StepState::Again(_)
        | StepState::Unknown(_) => true,
    }
}
