//! What a pass over a Release found and did. Its report is made from this.

use crate::Outcome;
use crate::reason::Reason;
use crate::release::BUILD;
use crate::release::decide::{Action, Effected};
use crate::release::desired::Desired;
use crate::release::observed::Observed;
use crate::release::state::{Course, End, State};
use launchway_crds::release::{ReleaseStatus, StepPhase, StepStatus};

/// What a pass over a Release found and did.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// The spec, parsed.
    pub desired: &'a Desired,
    /// What was seen.
    pub observed: &'a Observed,
    /// The state of the Release.
    pub state: &'a State,
    /// The effect that was decided; absent: none.
    pub action: Option<&'a Action>,
    /// What came of the effect.
    pub outcome: &'a Outcome<Effected>,
}

impl Pass<'_> {
    /// Whether nothing that others have to report of the commit is waited for any more, as the status goes on from here.
    pub(super) fn has_reports(&self, next: &ReleaseStatus) -> bool {
        let course = &self.state.course;
        let spec = self.observed.pipeline.as_ref().map(|pipeline| &pipeline.spec);
        let has_begun =
            |step: &StepStatus| *step.name == *BUILD && !matches!(step.phase, StepPhase::Waiting | StepPhase::Intended);
        let is_past = matches!(
            course,
            Course::Building
                | Course::Pushing
                | Course::Unproved { .. }
                | Course::Scanning { .. }
                | Course::Built(_)
                | Course::Blind(_)
                | Course::AtStage { .. }
                | Course::Over(End::Succeeded | End::Failed(..))
        );
        let is_missed = matches!(course, Course::Over(End::Failed(Reason::StatusMissed, _)));
        spec.is_none_or(|spec| spec.required_statuses.is_none())
            || !next.images.is_empty()
            || next.image_scan.is_some()
            || next.steps.iter().any(has_begun)
            || (is_past && !is_missed)
    }
}
