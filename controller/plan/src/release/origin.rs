//! Whose the image is that bears the commit's tag. What a build left that did not succeed is not the commit's image: it
//! is never rolled (docs/effects.md, "An image of the commit"). It is told by times: the image's, and those of the builds
//! of that commit in the Release's project.

use super::desired::Desired;
use super::observed::Observed;
use super::record::{Progress, Work};
use crate::fault::Fault;
use crate::look::Looked;
use crate::world::{BuildStatus, LiveBuild, LiveImage};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::start::Started;

/// How long a build may take at most, its time in the queue included: CodeBuild's limits, 36 and 8 hours.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(44);

/// How long after the end of a build that did not succeed its push may still arrive: a machine is not taken away at once.
const LATE: SignedDuration = SignedDuration::from_secs(5);

/// What there is of the commit's image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// The image of the commit: a build pushed it that succeeded, or somebody else did.
    Image(&'a LiveImage),
    /// The tag names nothing.
    Nothing,
    /// The tag names what this build left, which did not succeed.
    Left(&'a LiveImage, &'a LiveBuild),
    /// The tag names what this build pushed, which is not over.
    Unproved(&'a LiveBuild),
    /// What decides it cannot be looked at.
    Blind(&'a Fault),
    /// What decides it was not looked at yet.
    Unseen(Missing),
}

/// What is to be looked at next in order to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The image.
    Image,
    /// The builds of the project that may have pushed the image, which was pushed at that time.
    Builds(Timestamp),
    /// Whether tags of the repository can be moved.
    Mutability,
}

/// What there is of the commit's image, as far as it was looked at.
pub fn found<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Found<'a> {
    let image = match &observed.image {
        Looked::Seen(Some(image)) => image,
        Looked::Seen(None) => return Found::Nothing,
        Looked::Blind(fault) => return Found::Blind(fault),
        Looked::NotAsked => return Found::Unseen(Missing::Image),
    };
    if succeeded(work, observed).is_some_and(|started| started <= image.pushed_at) {
        return Found::Image(image);
    }
    match &observed.origins {
        Looked::Seen(builds) => judged(image, builds.iter().filter(|build| build.is_of(&desired.commit)), observed),
        Looked::Blind(fault) => Found::Blind(fault),
        Looked::NotAsked => Found::Unseen(Missing::Builds(image.pushed_at)),
    }
}

/// When the Release's own build began, if it succeeded: before, or as this pass saw it.
fn succeeded(work: &Work, observed: &Observed) -> Option<Timestamp> {
    let step = work.build()?;
    if let Progress::Succeeded(Some(Started { started_at, .. })) = &step.progress {
        return Some(started_at.0);
    }
    let Progress::Running(started) = &step.progress else { return None };
    let build = observed.build(&step.name)?;
    (build.id == started.id && build.status == BuildStatus::Succeeded).then_some(started.started_at.0)
}

/// A build that was under way when the image was pushed may have pushed it. Of several, one that succeeded did if tags
/// cannot be moved: the others' pushes were refused.
fn judged<'a>(image: &'a LiveImage, builds: impl Iterator<Item = &'a LiveBuild>, observed: &'a Observed) -> Found<'a> {
    let (mut proof, mut other) = (None, None);
    for build in builds.filter(|build| build.started_at <= image.pushed_at) {
        let within = build.ended_at.is_none_or(|ended| image.pushed_at <= ended);
        let late = build.ended_at.is_some_and(|ended| image.pushed_at <= ended + LATE);
        if build.status == BuildStatus::Succeeded {
            proof = if within { Some(build) } else { proof };
        } else if within {
            other = Some((build, true));
        } else if late {
            other = other.or(Some((build, false)));
        }
    }
    let Some((other, sure)) = other else { return Found::Image(image) };
    let another =
        if other.status == BuildStatus::InProgress { Found::Unproved(other) } else { Found::Left(image, other) };
    match (proof, &observed.immutable) {
        (None, _) => another,
        (Some(_), _) if !sure => Found::Image(image),
        (Some(_), Looked::Seen(true)) => Found::Image(image),
        (Some(_), Looked::Seen(false)) => another,
        (Some(_), Looked::Blind(fault)) => Found::Blind(fault),
        (Some(_), Looked::NotAsked) => Found::Unseen(Missing::Mutability),
    }
}

impl Found<'_> {
    /// Whether the build is to be started: there is nothing that can be rolled.
    pub fn is_to_be_built(&self) -> bool {
        matches!(self, Self::Nothing | Self::Left(..))
    }
}
