//! What the git host shows of a Release: commit statuses, of what is recorded and nothing else, after all that the Release itself has to
//! do. How they are sent is not known here.

use super::BUILD;
use super::desired::Desired;
use super::observed::PipelineFacts;
use super::record::{Ending, Progress, Record, StepKind, StepRecord, Work};
use crate::condition::cut;
use crate::life::Life;
use crate::partition;
use jiff::{SignedDuration, Timestamp};
use launchway_crds::name::Name;
use launchway_crds::pipeline::{GitHost, PipelineSpec};
use launchway_crds::release::{Reported, StagePhase, StageRecord};
use std::fmt;

/// For how long after its end a Release still reports what the git host lacks. A Pipeline that is given a report says nothing of what
/// had ended longer ago.
const LATEST: SignedDuration = SignedDuration::from_hours(24);

/// The longest description, in bytes. Source: GitHub's documentation; GitLab takes 255.
const DESCRIPTION: usize = 140;

/// The git host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Which it is.
    pub provider: GitHost,
    /// The repository's URL.
    pub repository: String,
    /// The Secret with the credential that may write commit statuses.
    pub secret: Option<String>,
    /// The branch that is followed.
    pub branch: Option<String>,
}

/// What a commit status is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The check of that name.
    Check(Name),
    /// The build.
    Build,
    /// The stage of that name.
    Stage(Name),
}

/// A commit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// What it is about.
    pub subject: Subject,
    /// How that stands.
    pub state: Reported,
    /// The same for people. No message of AWS's: whoever may read the repository reads it.
    pub description: String,
    /// Where there is more to see.
    pub link: Option<String>,
}

/// What the git host lacks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unreported {
    /// The commit statuses: of the checks, the build, the stages.
    pub statuses: Vec<CommitStatus>,
    /// Where they go; absent: nowhere, or not any more, because the Release ended long ago.
    pub host: Option<Host>,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(name) => write!(f, "checks/{name}"),
            Self::Build => f.write_str(BUILD),
            Self::Stage(name) => write!(f, "stages/{name}"),
        }
    }
}

impl Subject {
    fn of(step: &StepRecord) -> Self {
        match step.kind {
            StepKind::Check => Self::Check(step.name.clone()),
            StepKind::Build => Self::Build,
        }
    }
}

/// Where a Pipeline's commit statuses go, if it has any.
pub fn host(spec: &PipelineSpec) -> Option<Host> {
    let report = spec.report.as_ref()?.commit_status.as_ref()?;
    let git = spec.source.git.as_ref();
    let secret = report.secret_ref.as_ref().or_else(|| git?.secret_ref.as_ref());
    Some(Host {
        provider: report.provider,
        repository: report.repository.as_ref().or_else(|| git.map(|git| &git.url))?.to_string(),
        secret: secret.map(|secret| secret.name.to_string()),
        branch: git.and_then(|git| git.branch.as_ref()).map(ToString::to_string),
    })
}

/// What the git host lacks of a Release.
pub fn unreported(desired: &Desired, record: &Record, pipeline: Option<&PipelineFacts>, at: Timestamp) -> Unreported {
    let host = pipeline.and_then(|pipeline| host(&pipeline.spec));
    let (Some(work), Some(host), Life::Stays) = (&record.work, host, desired.life) else {
        return Unreported::default();
    };
    let is_late = record.ended.is_some() && record.ended_at.is_none_or(|ended| at.duration_since(ended) > LATEST);
    Unreported { statuses: statuses(desired, record, work), host: (!is_late).then_some(host) }
}

fn statuses(desired: &Desired, record: &Record, work: &Work) -> Vec<CommitStatus> {
    let has_ended = record.ended.is_some();
    let of_step = |step: &StepRecord| {
        let state = match (step.kind, of_progress(&step.progress, has_ended)) {
            (StepKind::Build, Reported::Success) => built(record),
            (StepKind::Check | StepKind::Build, state) => state,
        };
        let description = match (&step.progress, state) {
            (Progress::Succeeded(None), _) => "not built: the image of this commit was in ECR already".to_owned(),
            (_, Reported::Pending) => format!("Release {} has begun", desired.name),
            _ => words(desired, state, record.ended),
        };
        let status = CommitStatus { subject: Subject::of(step), state, description, link: link(step, &work.region) };
        (step.reported != Some(state)).then_some(status)
    };
    let of_stage = |stage: &StageRecord| {
        let state = of_phase(stage.phase, has_ended);
        let (subject, description) = (Subject::Stage(stage.name.clone()), words(desired, state, record.ended));
        (stage.reported != Some(state)).then_some(CommitStatus { subject, state, description, link: None })
    };
    work.steps.iter().filter_map(of_step).chain(record.stages.iter().filter_map(of_stage)).collect()
}

/// How the build fares that has succeeded: it is one only with the image that it should push, and of which a scan finds nothing too bad.
fn built(record: &Record) -> Reported {
    match record.ended {
        _ if !record.images.is_empty() => Reported::Success,
        None => Reported::Pending,
        Some(Ending::Succeeded) => Reported::Success,
        Some(Ending::Failed) => Reported::Failure,
        Some(Ending::Superseded | Ending::Cancelled) => Reported::Cancelled,
    }
}

fn of_progress(progress: &Progress, has_ended: bool) -> Reported {
    if let Progress::Succeeded(_) = progress {
        Reported::Success
    } else if let Progress::Failed(_) = progress {
        Reported::Failure
    } else if let Progress::Stopped(_) = progress {
        Reported::Cancelled
    } else {
        unfinished(has_ended)
    }
}

fn of_phase(phase: StagePhase, has_ended: bool) -> Reported {
    match phase {
        StagePhase::Verified => Reported::Success,
        StagePhase::Failed => Reported::Failure,
        StagePhase::Rolling | StagePhase::Unproved | StagePhase::Verifying => unfinished(has_ended),
    }
}

fn unfinished(has_ended: bool) -> Reported {
    if has_ended { Reported::Cancelled } else { Reported::Pending }
}

fn words(desired: &Desired, state: Reported, ended: Option<Ending>) -> String {
    let Desired { namespace, name, .. } = desired;
    let text = match state {
        Reported::Pending => format!("Release {name} is being deployed here"),
        Reported::Success => format!("succeeded with Release {name}"),
        Reported::Failure => format!("failed; why: kubectl -n {namespace} describe lwr {name}"),
        Reported::Cancelled if ended == Some(Ending::Superseded) => {
            format!("not finished: a newer release took the place of {name}")
        }
        Reported::Cancelled => format!("not finished: Release {name} ended before"),
    };
    cut(&text, DESCRIPTION)
}

/// The build in AWS's console.
fn link(step: &StepRecord, region: &str) -> Option<String> {
    let (Progress::Running(build)
    | Progress::Succeeded(Some(build))
    | Progress::Failed(Some(build))
    | Progress::Stopped(Some(build))) = &step.progress
    else {
        return None;
    };
    // A status may have been written by somebody else.
    let is_plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_'));
    let host = partition::console(region).filter(|_| step.run.is_of(&build.id) && is_plain(&build.id))?;
    let id = build.id.replace(':', "%3A");
    Some(format!("https://{host}/codesuite/codebuild/projects/{}/build/{id}/?region={region}", step.run.project))
}
