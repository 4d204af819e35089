//! Which build pushed the image that carries the commit's tag. An image from a build that did not succeed is not the
//! commit's image and is never rolled out (docs/effects.md, "An image of the commit"). ECR does not say who pushed an
//! image, so times decide: when the image was pushed, and when the builds of the commit in the Release's project
//! started and ended.

use super::desired::Desired;
use super::observed::Observed;
use super::record::{Progress, Work};
use crate::fault::Fault;
use crate::look::Looked;
use crate::world::{BuildStatus, LiveBuild, LiveImage};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::start::Started;

/// The longest time that a build can take, in the queue (8 hours) and running (36 hours). These are CodeBuild's limits.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(44);

/// How long after the end of a build that did not succeed its push may still arrive. Its machine is not taken away at
/// once.
const LATE: SignedDuration = SignedDuration::from_secs(5);

/// What is known of the commit's image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// The image of the commit. A build that succeeded pushed it, or no build of ours did: a person, or another CI.
    Image(&'a LiveImage),
    /// No image carries the commit's tag.
    Nothing,
    /// The image that carries the tag was pushed by this build, which did not succeed.
    Left(&'a LiveImage, &'a LiveBuild),
    /// The tag does not say the whole commit, and no build of this commit is known to have pushed the image that carries it.
    Others(&'a LiveImage),
    /// The image that carries the tag was pushed by this build, which has not ended.
    Unproved(&'a LiveBuild),
    /// What is needed to decide could not be looked at.
    Blind(&'a Fault),
    /// What is needed to decide was not looked at yet.
    Unseen(Missing),
}

/// What to look at next in order to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The image.
    Image,
    /// The builds of the project that may have pushed the image. The time is when the image was pushed.
    Builds(Timestamp),
    /// Whether the repository is immutable: its tags cannot be moved.
    Mutability,
}

/// What is known of the commit's image, from what was looked at so far.
pub fn found<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Found<'a> {
    let image = match &observed.image {
        Looked::Seen(Some(image)) => image,
        Looked::Seen(None) => return Found::Nothing,
        Looked::Blind(fault) => return Found::Blind(fault),
        Looked::NotAsked => return Found::Unseen(Missing::Image),
    };
    if is_own(work, observed, image) {
        return Found::Image(image);
    }
    match &observed.origins {
        Looked::Seen(builds) => {
            let (builds, is_whole) =
                (builds.iter().filter(|build| build.is_of(&desired.commit)), work.tag(&desired.commit).is_whole);
            judged(image, builds, is_whole, observed)
        }
        Looked::Blind(fault) => Found::Blind(fault),
        Looked::NotAsked => Found::Unseen(Missing::Builds(image.pushed_at)),
    }
}

/// Whether the image was pushed since the Release's own build began, which succeeded.
pub fn is_own(work: &Work, observed: &Observed, image: &LiveImage) -> bool {
    succeeded(work, observed).is_some_and(|started| started <= image.pushed_at)
}

/// When the Release's own build started, if it succeeded according to the record or to what this pass saw.
fn succeeded(work: &Work, observed: &Observed) -> Option<Timestamp> {
    let step = work.build()?;
    if let Progress::Succeeded(Some(Started { started_at, .. })) = &step.progress {
        return Some(started_at.0);
    }
    let Progress::Running(started) = &step.progress else { return None };
    let build = observed.build(&step.name)?;
    (build.id == started.id && build.status == BuildStatus::Succeeded).then_some(started.started_at.0)
}

/// Decides from the builds of the commit. A build that was running when the image was pushed may have pushed it. If a
/// build that succeeded and another one were both running, the one that succeeded pushed it where tags cannot be moved,
/// because the push of the other was refused. A build that had ended a moment before counts only if none that succeeded
/// was running. Where the tag does not say the whole commit, only an image that a build of this commit pushed is the commit's.
fn judged<'a>(
    image: &'a LiveImage,
    builds: impl Iterator<Item = &'a LiveBuild>,
    is_whole: bool,
    observed: &'a Observed,
) -> Found<'a> {
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
    let Some((other, sure)) = other else {
        return if is_whole || proof.is_some() { Found::Image(image) } else { Found::Others(image) };
    };
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
    /// Whether the image must be built: there is none, or only one from a build that did not succeed, or of another commit.
    pub fn is_to_be_built(&self) -> bool {
        matches!(self, Self::Nothing | Self::Left(..) | Self::Others(_))
    }
}
