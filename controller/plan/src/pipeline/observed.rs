//! What a pass over a Pipeline saw, including the looks that failed. Nothing is judged here.

use super::change::Change;
use super::pushed::Images;
use crate::account::AccountSeen;
use crate::condition::{find, is_true};
use crate::life::{Life, life};
use crate::look::Looked;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use crate::target::{TargetSeen, was_given};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use launchway_crds::pipeline::{Grant, Head, ImageStatus, SeenImages, Summary, Superseded};
use launchway_crds::release::{Release, ReleasePhase, StagePhase, StageRecord, StepPhase, StepStatus};
use std::collections::BTreeMap;

/// What a pass over a Pipeline saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The time.
    pub at: Timestamp,
    /// The AwsAccount and the namespace, read live.
    pub account: AccountSeen,
    /// What the source has, or why the spec has to change before it can be seen: its credential, for example, or its branch.
    pub head: Looked<Result<Tip, Refusal>>,
    /// What a commit that was not there before says and changes; absent: it was not asked, or is not answered yet.
    pub change: Option<Change>,
    /// When to look at the branch next; absent: it was not looked at in this pass.
    pub next_poll: Option<Timestamp>,
    /// The Pipeline's Releases. Those that have begun and not ended were read live, one by one, and so were those that the
    /// record names.
    pub releases: Vec<ReleaseSeen>,
    /// Releases that say that the Pipeline made them, and are not known to be. Nothing is decided by them.
    pub strangers: Vec<ReleaseSeen>,
    /// The targets of the stages that a Release has entered, by the Service's name; `None`: there is no such Service.
    /// Empty while a Release is at work.
    pub targets: BTreeMap<String, Option<TargetSeen>>,
}

/// What a source has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tip {
    /// The commit at the head of a branch, or at the newest tag.
    Commit {
        /// The full name of the branch or the tag.
        of: String,
        /// The commit's ID.
        commit: String,
    },
    /// No tag of those that are followed; and the last one of the others that were seen, if there are some.
    NoTag(Option<String>),
    /// The newest images of a repository.
    Images(Images),
}

impl Tip {
    /// The commit that is to be released next, with what is remembered of the images; absent: the head that is recorded is still
    /// the newest. Of images none is taken whose commit is known otherwise.
    pub fn next(&self, recorded: Option<&Head>, is_known: impl Fn(&str) -> bool) -> Option<(&str, Option<SeenImages>)> {
        match self {
            Self::Commit { commit, .. } => {
                let is_same = recorded.is_some_and(|head| *head.commit == *commit);
                (!is_same).then_some((commit.as_str(), None))
            }
            Self::NoTag(_) => None,
            Self::Images(images) => {
                let before = recorded.and_then(|head| head.images.as_ref());
                let is_recorded = |commit: &str| recorded.is_some_and(|head| *head.commit == *commit);
                let next = match before {
                    Some(before) => images.next(before, |commit| is_recorded(commit) || is_known(commit)),
                    // Nothing is remembered: what came before the newest one is nobody's business, whatever is known of that one.
                    None => images.newest().filter(|commit| !is_recorded(commit)),
                };
                Some((next?, Some(images.seen(before))))
            }
        }
    }
}

/// What the Pipeline needs to know of one of its Releases.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseSeen {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The commit.
    pub commit: String,
    /// The number that a Pipeline gave it; none: a person made it.
    pub number: Option<i64>,
    /// The UIDs of its owners.
    pub owners: Vec<String>,
    /// Whether it stays, or is being deleted.
    pub life: Life,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether it is at work, or how it ended.
    pub phase: ReleasePhase,
    /// Whether its `Stalled` is True.
    pub stalled: bool,
    /// Whether it has started: its plan is recorded.
    pub begun: bool,
    /// Whether a check or the build runs, or may run.
    pub at_work: bool,
    /// The reason of its `Ready`.
    pub reason: String,
    /// What its columns show.
    pub summary: Summary,
    /// The images of its commit; empty: it is still being checked or built.
    pub images: Vec<ImageStatus>,
    /// The stages that it entered.
    pub stages: Vec<StageRecord>,
    /// Whether its status is known, or nothing but its name, commit and number.
    pub sight: Sight,
}

/// Whether the status of a Release is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It is.
    Clear,
    /// It cannot be read. The Release may be at work or have ended: it is not deleted and not superseded, nobody waits for it but
    /// at a stage that it holds, and nothing new is given to it.
    Unreadable,
}

impl ReleaseSeen {
    /// Parses a Release. `None`: this version does not know what it releases, so it plays no part in what is decided.
    pub fn parse(release: Release) -> Option<Self> {
        let (meta, spec) = (release.metadata, release.spec);
        let life = life(&meta);
        let mut seen = Self {
            name: meta.name?,
            uid: meta.uid?,
            commit: spec.commit?.0,
            number: spec.number,
            owners: meta.owner_references.into_iter().flatten().map(|owner| owner.uid).collect(),
            life,
            created: meta.creation_timestamp.map(|time| time.0),
            phase: ReleasePhase::Active,
            stalled: false,
            begun: false,
            at_work: false,
            reason: Reason::Progressing.to_string(),
            summary: Summary::default(),
            images: Vec::new(),
            stages: Vec::new(),
            sight: Sight::Clear,
        };
        if let Some(status) = release.status {
            seen.phase = status.phase.unwrap_or(ReleasePhase::Active);
            seen.begun = status.plan.is_some();
            let runs = |step: &StepStatus| matches!(step.phase, StepPhase::Intended | StepPhase::Running);
            seen.at_work = status.steps.iter().any(runs);
            seen.stalled = is_true(&status.conditions, ConditionType::Stalled);
            if let Some(ready) = find(&status.conditions, ConditionType::Ready) {
                seen.reason = ready.reason.clone();
            }
            seen.summary = status.summary.unwrap_or(seen.summary);
            (seen.images, seen.stages) = (status.images, status.stages);
        }
        Some(seen)
    }

    /// A Release that is there and cannot be read, and why. `None`: not even its commit can.
    pub fn unreadable(meta: &ObjectMeta, commit: Option<String>, number: Option<i64>, why: String) -> Option<Self> {
        Some(Self {
            name: meta.name.clone()?,
            uid: meta.uid.clone()?,
            commit: commit?,
            number,
            owners: meta.owner_references.iter().flatten().map(|owner| owner.uid.clone()).collect(),
            life: life(meta),
            created: meta.creation_timestamp.as_ref().map(|time| time.0),
            phase: ReleasePhase::Active,
            stalled: true,
            begun: true,
            at_work: false,
            reason: Reason::Unreadable.to_string(),
            summary: Summary { message: why, ..Summary::default() },
            images: Vec::new(),
            stages: Vec::new(),
            sight: Sight::Unreadable,
        })
    }

    /// Whether it has ended, in whatever way.
    pub fn ended(&self) -> bool {
        self.phase != ReleasePhase::Active
    }

    /// Whether it has begun: its plan is recorded, or how it ended. One that was deleted before that has not.
    pub fn has_begun(&self) -> bool {
        self.begun || self.ended() && self.phase != ReleasePhase::Cancelled
    }

    /// Whether it is known what it does.
    pub fn is_clear(&self) -> bool {
        self.sight == Sight::Clear
    }

    /// Whether it cannot begin before somebody corrects something, if ever: nobody waits for it and nothing gives way to it.
    pub fn is_refused(&self) -> bool {
        self.stalled && !self.begun && self.images.is_empty()
    }

    /// What Releases are ordered by, oldest first: when they were created, then number, then name.
    pub fn order(&self) -> (Option<Timestamp>, i64, &str) {
        (self.created, self.number.unwrap_or(i64::MAX), &self.name)
    }

    /// Whether the grant is this Release's.
    pub fn was_given(&self, grant: &Grant) -> bool {
        was_given(grant, &self.name, &self.commit, self.created)
    }

    /// Whether a person made it.
    pub fn is_persons(&self) -> bool {
        self.number.is_none()
    }

    /// Whether it is one of those that are superseded.
    pub fn is_among(&self, superseded: &[Superseded]) -> bool {
        superseded.iter().any(|one| *one.release == *self.name)
    }

    /// The record that another Release supersedes it.
    pub fn gives_way(&self, by: &Self) -> Superseded {
        Superseded { release: self.name.as_str().into(), by: by.name.as_str().into() }
    }

    /// Whether it belongs to the Pipeline of that UID and is not being deleted.
    pub fn stays_with(&self, uid: &str) -> bool {
        self.life == Life::Stays && self.owners.iter().any(|owner| owner == uid)
    }

    /// What it recorded of that stage.
    pub fn stage(&self, name: &str) -> Option<&StageRecord> {
        self.stages.iter().find(|stage| *stage.name == *name)
    }

    /// Whether it has verified that stage.
    pub fn has_passed(&self, stage: &str) -> bool {
        self.stage(stage).is_some_and(|stage| stage.phase == StagePhase::Verified)
    }
}
