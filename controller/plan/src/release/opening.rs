//! Which step of a Release can be started now, and which unanswered calls can be repeated. Each step has been judged
//! before, in `steps`.

use super::crowd::Counted;
use super::desired::Desired;
use super::observed::{BuildSeen, Observed};
use super::record::{Progress, StepKind, StepRecord, UNNAMED, Work};
use super::steps::{InDoubt, Over, Start, Step, StepState, is_checked};
use super::told;
use super::values::{self, Lack};
use crate::hash;
use crate::look::Looked;
use crate::start::build::{self, Inputs, Run};
use crate::start::{Call, repeatable};
use crate::world::{BuildRequest, BuildVariable};

/// What is needed to tell whether a step can be started.
pub(super) struct Opening<'a> {
    pub(super) desired: &'a Desired,
    pub(super) work: &'a Work,
    pub(super) observed: &'a Observed,
}

impl Opening<'_> {
    /// Marks the unanswered calls that can be repeated, and the first step that can be started: a check while fewer run
    /// than may run at the same time, or the build once all checks succeeded and there is no image. None starts
    /// while as many builds of the namespace run as its AwsAccount allows, and nothing is marked while the Pipeline is suspended
    /// or the account's ID is not known.
    pub(super) fn open(&self, steps: &mut [Step]) {
        if self.observed.pipeline.as_ref().is_none_or(|pipeline| pipeline.spec.suspend) {
            return;
        }
        let searching = StepState::InDoubt(InDoubt::Searching);
        for step in steps.iter_mut().filter(|step| step.state == searching) {
            if let Some(again) = self.repetition(&step.name) {
                step.state = StepState::InDoubt(InDoubt::Repeatable(Box::new(again)));
            }
        }
        let busy = steps.iter().filter(|step| step.kind == StepKind::Check && step.state.takes_a_place()).count();
        let check = self.work.checks_in_parallel > busy;
        let each = self.work.of_each();
        let lacking = told::lacking(self.desired, &each, self.observed);
        let build = is_checked(steps) && lacking.is_some_and(|(_, found)| found.is_to_be_built());
        let is_full = self.observed.full(Counted::Builds).is_some();
        let can_start = |step: &Step| match step.kind {
            StepKind::Check => check && !is_full,
            StepKind::Build => build && !is_full,
        };
        let expired = StepState::InDoubt(InDoubt::Expired);
        let next = steps.iter_mut().find(|step| match step.state == expired {
            true => step.kind == StepKind::Check || build,
            false => step.state == StepState::Waiting && can_start(step),
        });
        if let Some(step) = next
            && let Some(opened) = self.opened(&step.name)
        {
            step.state = opened;
        }
    }

    fn step(&self, name: &str) -> Option<&StepRecord> {
        self.work.steps.iter().find(|step| *step.name == *name)
    }

    fn opened(&self, name: &str) -> Option<StepState> {
        let step = self.step(name)?;
        let account_id = match &self.observed.account_id {
            Looked::Seen(account_id) => account_id,
            Looked::Blind(fault) => return Some(StepState::Unknown(fault.clone())),
            Looked::NotAsked => return None,
        };
        match values::filled(self.desired, self.work, self.observed, step) {
            Ok(environment) => Some(StepState::Startable(Box::new(self.start(step, environment, account_id)))),
            Err(Lack::Coming) => None,
            Err(Lack::Blind(fault)) => Some(StepState::Unknown(fault)),
            Err(Lack::Never(message)) => {
                Some(StepState::Over(Over::Failed { reason: step.kind.failed(), message, build: None, is_new: true }))
            }
        }
    }

    fn start(&self, step: &StepRecord, environment: Vec<BuildVariable>, account_id: &str) -> Start {
        let request = self.request(step, environment, account_id);
        let earlier = if let Progress::Intended(intent) = &step.progress { Some(intent) } else { None };
        let call = Call::next(self.desired.attempt(step), earlier, &step.run.project, &request, self.observed.at);
        Start { step: step.name.to_string(), call, request, tag_named: self.tag_named(step) }
    }

    /// What the tag names now, if this step builds the image. Of several images that is not recorded: then only times say which of
    /// them a build pushed.
    fn tag_named(&self, step: &StepRecord) -> Option<String> {
        let is_one = step.kind == StepKind::Build && self.work.images.len() == 1;
        let image = self.observed.image(self.work).seen().filter(|_| is_one)?;
        Some(image.as_ref().map_or_else(|| UNNAMED.to_owned(), |image| image.digest.clone()))
    }

    /// Only what was searched for in this pass and not found is asked for again.
    fn repetition(&self, name: &str) -> Option<Start> {
        let searched = matches!(self.observed.builds.get(name), Some(BuildSeen::Searched(Looked::Seen(_))));
        let account_id = self.observed.account_id.seen().filter(|_| searched)?;
        let step = self.step(name)?;
        let Progress::Intended(intent) = &step.progress else { return None };
        let environment = values::filled(self.desired, self.work, self.observed, step).ok()?;
        let request = self.request(step, environment, account_id);
        let call = repeatable(intent, &hash::of(&request), build::TIMES, self.observed.at)?.clone();
        Some(Start { step: step.name.to_string(), call, request, tag_named: None })
    }

    fn request(&self, step: &StepRecord, environment: Vec<BuildVariable>, account_id: &str) -> BuildRequest {
        let inputs = Inputs {
            commit: &self.desired.commit,
            tag: &self.work.tag(&self.desired.commit).text,
            repository: &self.work.image.repository,
            region: &self.work.region,
            account_id,
        };
        build::request(&Run { environment, ..step.run.clone() }, self.desired.attempt(step), &inputs)
    }
}
