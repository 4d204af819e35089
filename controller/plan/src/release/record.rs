//! The record of a Release: what earlier passes wrote into its status, parsed. A status may hold what makes no sense,
//! such as a step in doubt without its intent. The types here cannot.

use super::BUILD;
use crate::start::Intent;
use crate::start::build::Run;
use crate::tag::{Tag, tag};
use jiff::Timestamp;
use launchway_crds::name::{
    ArtifactPath, Branch, CommitId, EnvName, GitTag, Name, ObjectName, Region, SaidImage, TagPattern,
};
use launchway_crds::pipeline::{CodeBuild, Image, ImageFrom, ImageScan, ImageStatus};
use launchway_crds::release::{
    ExportedVariable, Release, ReleasePhase, ReleasePlan, Reported, StageRecord, StepPhase, StepStatus,
};
use launchway_crds::start::Started;

/// What a Release's status says of earlier passes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// How it ended; absent: it has not ended.
    pub ended: Option<Ending>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it runs; absent: it has not started, or its record was lost.
    pub work: Option<Work>,
    /// Since when what spec.requiredStatuses names is waited for; absent: it is not.
    pub awaited_since: Option<Timestamp>,
    /// Since when the findings of a scan of its images are waited for; absent: they are not.
    pub scanned_since: Option<Timestamp>,
    /// The images of the commit; empty: they are not there yet.
    pub images: Vec<ImageStatus>,
    /// The stages that it entered.
    pub stages: Vec<StageRecord>,
}

/// What is recorded of a tag that names nothing.
pub const UNNAMED: &str = "none";

/// How a Release ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every stage was verified.
    Succeeded,
    /// A step or a stage failed.
    Failed,
    /// A newer Release superseded it.
    Superseded,
    /// It was deleted, or its Pipeline was.
    Cancelled,
}

/// How often a check is started again after a fault of CodeBuild where there is no build to say it.
const RETRIES: i32 = 2;

/// What a Release runs: its plan, and how far each step has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Work {
    /// The name of the AwsAccount.
    pub account: ObjectName,
    /// The Region.
    pub region: Region,
    /// The branch that the Pipeline follows.
    pub branch: Option<Branch>,
    /// The git tag that the commit has.
    pub git_tag: Option<GitTag>,
    /// The images that the build, or somebody else, pushes.
    pub images: Vec<Image>,
    /// The one of them that is spoken of.
    pub image: Image,
    /// How it is tagged; absent: with the full commit ID.
    pub tag: Option<TagPattern>,
    /// Where the build says which images it pushed; absent: the tag says which.
    pub says: Option<Says>,
    /// What ECR's scan of the images has to come to; absent: it is not looked at.
    pub scan: Option<ImageScan>,
    /// How many checks may run at the same time.
    pub checks_in_parallel: usize,
    /// How many more attempts a step gets after faults of CodeBuild.
    pub retries: i32,
    /// The checks, then the build, if there is one.
    pub steps: Vec<StepRecord>,
}

/// Where a build says which images it pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// In a variable that its buildspec exports.
    Variable(EnvName),
    /// In a file of its artifact in S3.
    File(ArtifactPath),
}

/// A step, as the status holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: StepKind,
    /// What it runs.
    pub run: Run,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// How far it has come.
    pub progress: Progress,
    /// What the image's tag named when the build was started: a digest, or [`UNNAMED`]; absent: that is not known.
    pub tag_named: Option<String>,
    /// What the git host shows of it.
    pub reported: Option<Reported>,
    /// The images that the build said it pushed.
    pub images: Vec<SaidImage>,
    /// What the check exported, of what the build gets.
    pub variables: Vec<ExportedVariable>,
    /// The last message about it; may be empty.
    pub message: String,
}

/// What a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A check: it must succeed before the image is built.
    Check,
    /// The build of the image.
    Build,
}

/// How far a step has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Not started.
    Waiting,
    /// An intent was written. It may have been started.
    Intended(Intent),
    /// It was started.
    Running(Started),
    /// It succeeded; `None`: the image was there already, and nothing was started.
    Succeeded(Option<Started>),
    /// It failed, and there is no further attempt; `None`: no build of it is known.
    Failed(Option<Started>),
    /// It was stopped because the Release ended; `None`: no build of it had been started.
    Stopped(Option<Started>),
}

impl Record {
    /// The record that a Release's status holds; an empty one if it has no status.
    pub fn parse(release: &Release) -> Self {
        let Some(status) = &release.status else { return Self::default() };
        let made = release.metadata.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0);
        Self {
            ended: status.phase.and_then(Ending::of),
            ended_at: status.ended_at.as_ref().map(|at| at.0),
            work: status.plan.as_ref().and_then(|plan| Work::parse(plan, &status.steps, made)),
            awaited_since: status.required_statuses_since.as_ref().map(|since| since.0),
            scanned_since: status.image_scan.as_ref().map(|scan| scan.since.0),
            images: status.images.clone(),
            stages: status.stages.clone(),
        }
    }

    /// Whether a build of the Release runs or may have been started. As long as that is so, the Release keeps its
    /// finalizer.
    pub fn is_at_work(&self) -> bool {
        let mut steps = self.work.iter().flat_map(|work| &work.steps);
        steps.any(|step| matches!(step.progress, Progress::Intended(_) | Progress::Running(_)))
    }
}

impl Ending {
    fn of(phase: ReleasePhase) -> Option<Self> {
        match phase {
            ReleasePhase::Active => None,
            ReleasePhase::Succeeded => Some(Self::Succeeded),
            ReleasePhase::Failed => Some(Self::Failed),
            ReleasePhase::Superseded => Some(Self::Superseded),
            ReleasePhase::Cancelled => Some(Self::Cancelled),
        }
    }

    /// The phase that a status holds for it.
    pub fn phase(self) -> ReleasePhase {
        match self {
            Self::Succeeded => ReleasePhase::Succeeded,
            Self::Failed => ReleasePhase::Failed,
            Self::Superseded => ReleasePhase::Superseded,
            Self::Cancelled => ReleasePhase::Cancelled,
        }
    }
}

impl Work {
    /// `None` if a step of the plan is not recorded, or is of a kind that this version does not know. CRDs that are
    /// older than this controller drop members and leave such a record. Every build is then looked for before one is
    /// started.
    pub(super) fn parse(plan: &ReleasePlan, recorded: &[StepStatus], made: Timestamp) -> Option<Self> {
        let step = |(name, kind, run): (Name, StepKind, Option<&CodeBuild>)| {
            let status = recorded.iter().find(|one| one.name == name)?;
            Some(StepRecord::parse(status, kind, Run::parse(run?), made))
        };
        let build = plan.build.as_ref();
        Some(Self {
            account: plan.account.clone(),
            region: plan.region.clone(),
            branch: plan.branch.clone(),
            git_tag: plan.git_tag.clone(),
            image: plan.images.first()?.clone(),
            images: plan.images.clone(),
            tag: build.map_or_else(|| plan.tag.clone(), |build| build.tag.clone()),
            says: match build.and_then(|build| build.image_from.as_ref()) {
                Some(from) => Some(Says::of(from)?),
                None => None,
            },
            scan: plan.image_scan.clone(),
            checks_in_parallel: usize::try_from(plan.checks_in_parallel).ok()?,
            retries: build.map_or(RETRIES, |build| build.retries),
            steps: steps(plan).map(step).collect::<Option<_>>()?,
        })
    }

    /// The same for each of the images.
    pub fn of_each(&self) -> Vec<Self> {
        self.images.iter().map(|image| Self { image: image.clone(), ..self.clone() }).collect()
    }

    /// The tag of the commit's image.
    pub fn tag(&self, commit: &CommitId) -> Tag {
        tag(self.tag.as_ref(), commit)
    }

    /// Whether every check is recorded to have succeeded.
    pub fn is_checked(&self) -> bool {
        let succeeded = |step: &StepRecord| matches!(step.progress, Progress::Succeeded(_));
        self.steps.iter().all(|step| step.kind == StepKind::Build || succeeded(step))
    }

    /// The step that builds the image; absent: somebody else builds and pushes it.
    pub fn build(&self) -> Option<&StepRecord> {
        self.steps.iter().find(|step| step.kind == StepKind::Build)
    }
}

impl Says {
    /// `None`: in a way that this version does not know.
    pub fn of(from: &ImageFrom) -> Option<Self> {
        let variable = || from.variable.clone().map(Self::Variable);
        from.artifact.clone().map(Self::File).or_else(variable)
    }

    /// What it is called: the variable, or the file.
    pub fn name(&self) -> &str {
        match self {
            Self::Variable(name) => name,
            Self::File(path) => path,
        }
    }
}

/// The steps of a plan: the checks, then the build, if there is one.
pub fn steps(plan: &ReleasePlan) -> impl Iterator<Item = (Name, StepKind, Option<&CodeBuild>)> {
    let checks = plan.checks.iter().map(|check| (check.name.clone(), StepKind::Check, check.code_build.as_ref()));
    let build = plan.build.as_ref().map(|build| (Name::from(BUILD), StepKind::Build, build.code_build.as_ref()));
    checks.chain(build)
}

impl StepRecord {
    fn parse(status: &StepStatus, kind: StepKind, run: Run, made: Timestamp) -> Self {
        let started = status.started.clone();
        // It is not known what the step may have started. A build of it is looked for, from when the Release was made
        // on.
        let lost = || Progress::Intended(Intent::Recovery { resource: run.project.to_string(), since: made });
        let progress = match status.phase {
            StepPhase::Waiting => Progress::Waiting,
            StepPhase::Intended => {
                status.intent.as_ref().map_or_else(lost, |intent| Progress::Intended(Intent::parse(intent)))
            }
            StepPhase::Running => started.map_or_else(lost, Progress::Running),
            StepPhase::Succeeded => Progress::Succeeded(started),
            StepPhase::Failed => Progress::Failed(started),
            StepPhase::Stopped => Progress::Stopped(started),
        };
        let message = status.message.as_deref().unwrap_or("").to_owned();
        let (tag_named, images, variables) =
            (status.tag_named.clone(), status.images.clone(), status.variables.clone());
        let (name, attempt, reported) = (status.name.clone(), status.attempt, status.reported);
        Self { name, kind, attempt, progress, tag_named, reported, images, variables, message, run }
    }
}

/// Writes into the status how far a step has come. Nothing else writes these members, so they always fit together.
pub(super) fn put(step: &mut StepStatus, progress: Progress) {
    (step.phase, step.intent, step.started) = match progress {
        Progress::Waiting => (StepPhase::Waiting, None, None),
        Progress::Intended(intent) => (StepPhase::Intended, Some(intent.written()), None),
        Progress::Running(started) => (StepPhase::Running, None, Some(started)),
        Progress::Succeeded(started) => (StepPhase::Succeeded, None, started),
        Progress::Failed(started) => (StepPhase::Failed, None, started),
        Progress::Stopped(started) => (StepPhase::Stopped, None, started),
    };
}
