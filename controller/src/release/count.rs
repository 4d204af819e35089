//! What has ended when a Release's status was written, for the metrics. A write whose answer is lost is not counted.

use crate::context::Context;
use crate::metrics::{Reached, Run};
use jiff::Timestamp;
use launchway_crds::Release;
use launchway_crds::release::{ReleasePhase, ReleaseStatus, StagePhase, StepPhase, StepStatus};
use launchway_plan::condition::is_true;
use launchway_plan::reason::ConditionType;
use launchway_plan::release::BUILD;
use std::time::Duration;

/// Counts what has ended between the two.
pub(super) fn count(before: &Release, written: &Release, context: &Context) {
    let known = before.status.as_ref().filter(|status| status.observed_generation >= 0);
    // What a status that was wiped, or never written, comes to be is old news.
    let (Some(before), Some(after)) = (known, written.status.as_ref()) else { return };
    let now = (context.clock)();
    runs(before, after, context, now);
    let reached = |reached| {
        if let Some(made) = created(written) {
            context.metrics.reached(reached, between(made, now));
        }
    };
    let is_built = |status: &ReleaseStatus| is_true(&status.conditions, ConditionType::Built);
    if is_built(after) && !is_built(before) {
        reached(Reached::Image);
    }
    for (number, stage) in after.stages.iter().enumerate() {
        let was = before.stages.iter().find(|one| one.name == stage.name).map(|one| one.phase);
        if stage.phase == StagePhase::Verified && was.is_some_and(|was| was != StagePhase::Verified) {
            reached(Reached::Stage(number + 1));
        }
    }
    let ended = |status: &ReleaseStatus| status.phase.filter(|phase| *phase != ReleasePhase::Active);
    if let Some(phase) = ended(after).filter(|_| ended(before).is_none()) {
        context.metrics.release(&format!("{phase:?}").to_lowercase());
        if phase == ReleasePhase::Succeeded {
            reached(Reached::Released);
        }
    }
}

/// When it was made.
fn created(release: &Release) -> Option<Timestamp> {
    release.metadata.creation_timestamp.as_ref().map(|at| at.0)
}

fn runs(before: &ReleaseStatus, after: &ReleaseStatus, context: &Context, now: Timestamp) {
    for step in &after.steps {
        let ran =
            before.steps.iter().find(|one| one.name == step.name).is_some_and(|one| one.phase == StepPhase::Running);
        if let Some((outcome, took)) = ended(step, now).filter(|_| ran) {
            let run = if *step.name == *BUILD { Run::Build } else { Run::Check };
            context.metrics.run(run, outcome, took);
        }
    }
}

/// How a step ended, and after how long.
fn ended(step: &StepStatus, now: Timestamp) -> Option<(&'static str, Duration)> {
    let outcome = match step.phase {
        StepPhase::Waiting | StepPhase::Intended | StepPhase::Running => return None,
        StepPhase::Succeeded => "succeeded",
        StepPhase::Failed => "failed",
        StepPhase::Stopped => "stopped",
    };
    let started = step.started.as_ref()?;
    let end = started.ended_at.as_ref().map_or(now, |at| at.0);
    Some((outcome, between(started.started_at.0, end)))
}

fn between(began: Timestamp, ended: Timestamp) -> Duration {
    ended.duration_since(began).try_into().unwrap_or_default()
}
