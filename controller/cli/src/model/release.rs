//! The Releases of a Pipeline: those at work, and the one that ended last.

use super::standing::{Mark, Standing};
use crate::item::{Body, Item};
use jiff::Timestamp;
use launchway_crds::Release;
use launchway_crds::release::{ReleasePhase, ReleaseStatus, StepPhase, StepStatus};
use serde::Serialize;

/// A Release.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseView {
    pub namespace: String,
    pub name: String,
    pub pipeline: String,
    pub commit: String,
    /// The git tag that the commit was seen at; empty: none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub git_tag: String,
    #[serde(flatten)]
    pub standing: Standing,
    /// Active, Succeeded, Failed, Superseded or Cancelled; empty: not begun.
    pub phase: String,
    /// The step or stage that it is at, or ended at.
    pub stage: String,
    pub created: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// The checks and the build.
    pub steps: Vec<StepView>,
}

/// A check or the build.
#[derive(Debug, Clone, Serialize)]
pub struct StepView {
    pub name: String,
    pub state: Mark,
    pub phase: String,
    pub message: String,
    /// The last lines of a failed build's log.
    pub log: Vec<String>,
}

/// Those of a Pipeline that are at work, newest first, and the one that ended last.
pub fn of_pipeline(namespace: &str, pipeline: &str, all: &[Item<Release>]) -> Vec<ReleaseView> {
    let own = all.iter().map(ReleaseView::of).filter(|view| view.namespace == namespace && view.pipeline == pipeline);
    let (mut shown, ended): (Vec<_>, Vec<_>) = own.partition(ReleaseView::is_at_work);
    shown.sort_by(newest_first);
    shown.extend(ended.into_iter().max_by_key(|view| (view.ended, view.created)));
    shown
}

/// The order of tables.
pub fn newest_first(a: &ReleaseView, b: &ReleaseView) -> std::cmp::Ordering {
    (b.created, number(&b.name), &a.name).cmp(&(a.created, number(&a.name), &b.name))
}

/// The number at the end of a name: two Releases may be of the same second.
fn number(name: &str) -> Option<u64> {
    name.rsplit('-').next()?.parse().ok()
}

impl ReleaseView {
    /// What is shown of a Release.
    pub fn of(item: &Item<Release>) -> Self {
        match &item.body {
            Ok(body) => Self::of_body(item, body),
            Err(member) => Self { standing: Standing::unreadable(member), ..Self::empty(item) },
        }
    }

    /// Whether it has not ended.
    pub fn is_at_work(&self) -> bool {
        matches!(self.phase.as_str(), "" | "Active")
    }

    fn of_body(item: &Item<Release>, body: &Body<Release>) -> Self {
        let empty = Self {
            pipeline: body.spec.pipeline.to_string(),
            commit: body.spec.commit.as_ref().map(ToString::to_string).unwrap_or_default(),
            git_tag: body.spec.git_tag.as_ref().map(ToString::to_string).unwrap_or_default(),
            ..Self::empty(item)
        };
        let Some(status) = &body.status else { return empty };
        Self {
            standing: standing(status),
            phase: status.phase.map(|phase| format!("{phase:?}")).unwrap_or_default(),
            stage: status.summary.as_ref().map(|summary| summary.stage.clone()).unwrap_or_default(),
            ended: status.ended_at.as_ref().map(|time| time.0),
            steps: status.steps.iter().map(step).collect(),
            ..empty
        }
    }

    /// One that cannot be decoded is shown with the Pipeline that its name tells.
    fn empty(item: &Item<Release>) -> Self {
        let pipeline = item.name.rsplit_once('-').map(|(pipeline, _)| pipeline.to_owned()).unwrap_or_default();
        Self {
            namespace: item.namespace.clone(),
            name: item.name.clone(),
            pipeline,
            commit: String::new(),
            git_tag: String::new(),
            standing: Standing::not_seen(),
            phase: String::new(),
            stage: String::new(),
            created: item.created,
            ended: None,
            steps: Vec::new(),
        }
    }
}

fn standing(status: &ReleaseStatus) -> Standing {
    let told = Standing::of(&status.conditions, status.summary.as_ref());
    let ended = |phase| status.phase == Some(phase);
    let state = match () {
        () if ended(ReleasePhase::Failed) => Mark::Bad,
        () if ended(ReleasePhase::Superseded) || ended(ReleasePhase::Cancelled) => Mark::Idle,
        () => told.state,
    };
    Standing { state, ..told }
}

fn step(step: &StepStatus) -> StepView {
    let state = match step.phase {
        StepPhase::Waiting | StepPhase::Stopped => Mark::Idle,
        StepPhase::Intended | StepPhase::Running => Mark::Busy,
        StepPhase::Succeeded => Mark::Good,
        StepPhase::Failed => Mark::Bad,
    };
    StepView {
        name: step.name.to_string(),
        state,
        phase: format!("{:?}", step.phase),
        message: step.message.clone().unwrap_or_default(),
        log: step.log.iter().map(ToString::to_string).collect(),
    }
}
