//! Which build pushed the image that carries the commit's tag. An image from a build that did not succeed is not the
//! commit's image and is never rolled out (docs/effects.md, "An image of the commit"). ECR does not say who pushed an
//! image, so times decide: when the image was pushed, and when the builds of the commit in the Release's project
//! started and ended.

use super::desired::Desired;
use super::observed::Observed;
use super::record::{Progress, Work};
use crate::fault::Fault;
use crate::image::key;
use crate::look::Looked;
use crate::start::build::{TIMES, record};
use crate::tag::{Tag, is_commit};
use crate::world::{BuildStatus, LiveBuild, LiveImage};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::start::Started;

/// The longest time that a build can take, in the queue (8 hours) and running (36 hours). These are CodeBuild's limits.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(44);

/// How long after the end of a build that did not succeed its push may still arrive. Its machine is not taken away at
/// once.
pub(super) const LATE: SignedDuration = SignedDuration::from_secs(5);

/// How long before a build starts its tag was looked at, at most: a call that is not answered is repeated until its token expires.
const LOOKED: SignedDuration = SignedDuration::from_secs(TIMES.expires + 60);

/// What is known of the commit's image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// The image of the commit. A build that succeeded pushed it; or, where the tag says the whole commit, no build of the project
    /// did: a person, or another CI.
    Image(&'a LiveImage),
    /// No image carries the commit's tag.
    Nothing,
    /// The image that carries the tag was pushed by this build, which did not succeed.
    Left(&'a LiveImage, &'a LiveBuild),
    /// The tag does not say the whole commit, and no build of this commit is known to have pushed the image that carries it.
    Others(&'a LiveImage),
    /// The image that carries the tag was pushed by this build, which has not ended.
    Unproved(&'a LiveBuild),
    /// What the build said names no image that could be rolled.
    Unusable(Unusable),
    /// What is needed to decide could not be looked at.
    Blind(&'a Fault),
    /// What is needed to decide was not looked at yet.
    Unseen(Missing),
}

/// Why what the build said names no image that could be rolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It named no image where it should, as far as CodeBuild shows it, which may be late.
    Nothing,
    /// CodeBuild does not show the build any more.
    Forgotten,
    /// The file in which it should have named one is not there, or lists none; that stays so.
    Unlisted,
    /// None of what it named is in the registry and the repository that the Pipeline says.
    Elsewhere,
    /// It named more than one of the repository.
    Several,
    /// The tag `latest`.
    Latest,
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
    /// The file in which the build lists its images.
    Listing,
}

/// What is known of the image that the commit's tag names, from what was looked at so far.
pub(super) fn tagged<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Found<'a> {
    let image = match observed.image(work) {
        Looked::Seen(Some(image)) => image,
        Looked::Seen(None) => return Found::Nothing,
        Looked::Blind(fault) => return Found::Blind(fault),
        Looked::NotAsked => return Found::Unseen(Missing::Image),
    };
    if remembered(desired, work, observed).is_some_and(|digest| *digest == *image.digest) {
        return Found::Image(image);
    }
    match &observed.origins {
        Looked::Seen(builds) => judged(image, &Builds::new(desired, work, builds), observed),
        Looked::Blind(fault) => Found::Blind(fault),
        Looked::NotAsked => Found::Unseen(Missing::Builds(image.pushed_at)),
    }
}

/// Whether the Release's own build pushed the image: it was pushed while that build ran, which succeeded, or that build moved
/// the tag to it.
pub fn is_own(desired: &Desired, work: &Work, observed: &Observed, image: &LiveImage) -> bool {
    let Some(build) = succeeded(work, observed) else { return false };
    let until = build.ended_at.as_ref().map_or(Timestamp::MAX, |ended| ended.0 + LATE);
    let moved_the_tag = |builds| Builds::new(desired, work, builds).moved_the_tag(image, observed);
    (build.started_at.0 <= image.pushed_at && image.pushed_at <= until)
        || observed.origins.seen().is_some_and(|builds| moved_the_tag(builds))
}

/// The digest with which the Pipeline released the commit before.
pub fn remembered<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Option<&'a str> {
    let status = observed.pipeline.as_ref()?.status.as_ref()?;
    let of = key(&desired.commit, &work.image.repository);
    status.released.iter().find(|one| one.of == of).map(|one| &*one.digest)
}

/// The Release's own build, if it succeeded according to the record or to what this pass saw.
fn succeeded(work: &Work, observed: &Observed) -> Option<Started> {
    let step = work.build()?;
    if let Progress::Succeeded(started) = &step.progress {
        return started.clone();
    }
    let Progress::Running(started) = &step.progress else { return None };
    let build = observed.build(&step.name)?;
    (build.id == started.id && build.status == BuildStatus::Succeeded).then(|| record(build))
}

/// The builds of the project, seen from one Release.
pub(super) struct Builds<'r, 'a> {
    pub(super) desired: &'r Desired,
    work: &'r Work,
    tag: Tag,
    /// But for those of checks.
    pub(super) all: Vec<&'a LiveBuild>,
}

impl<'r, 'a> Builds<'r, 'a> {
    pub(super) fn new(desired: &'r Desired, work: &'r Work, all: &'a [LiveBuild]) -> Self {
        let all = all.iter().filter(|build| build.may_push()).collect();
        Self { desired, work, tag: work.tag(&desired.commit), all }
    }

    fn of_the_commit(&self) -> impl Iterator<Item = &'a LiveBuild> {
        self.all.iter().copied().filter(|build| build.is_of(&self.desired.commit))
    }

    /// Whether it is a build of another commit that has the same tag.
    fn is_rival(&self, build: &LiveBuild) -> bool {
        let has_the_tag =
            |version: &String| is_commit(version) && self.work.tag(&version.as_str().into()).text == self.tag.text;
        !build.is_of(&self.desired.commit) && build.versions.iter().any(has_the_tag)
    }

    /// Whether the Release's own build moved the tag to the image: it succeeded, the tag names another image than before, nobody
    /// pushed that one later, and no other build can have moved the tag since it was looked at. Where a build makes the same bytes
    /// again, ECR keeps the time of the first push, so that the image is older than its build.
    fn moved_the_tag(&self, image: &LiveImage, observed: &Observed) -> bool {
        let before = self.work.build().and_then(|step| step.tag_named.as_deref());
        let own = succeeded(self.work, observed).filter(|_| before.is_some_and(|before| *before != *image.digest));
        let Some(own) = own.and_then(|own| self.all.iter().find(|build| build.id == own.id)) else { return false };
        let was_there = own.ended_at.is_some_and(|ended| image.pushed_at <= ended + LATE);
        let since = |build: &LiveBuild| build.ended_at.is_none_or(|ended| own.started_at - LOOKED <= ended + LATE);
        let unproved = |build: &LiveBuild| build.is_of(&self.desired.commit) && build.status != BuildStatus::Succeeded;
        let mut others = self.all.iter().filter(|build| build.id != own.id && since(build));
        was_there && !others.any(|build| unproved(build) || self.is_rival(build))
    }
}

fn overlap(one: &LiveBuild, other: &LiveBuild) -> bool {
    let begins_before_the_end_of =
        |a: &LiveBuild, b: &LiveBuild| b.ended_at.is_none_or(|ended| a.started_at <= ended + LATE);
    begins_before_the_end_of(one, other) && begins_before_the_end_of(other, one)
}

/// Decides from the builds of the commit. A build that was running when the image was pushed may have pushed it. If a
/// build that succeeded and another one were both running, the one that succeeded pushed it where tags cannot be moved,
/// because the push of the other was refused. A build that had ended a moment before counts only if none that succeeded
/// was running. Where the tag does not say the whole commit, only an image that a build of this commit is known to have pushed is
/// the commit's.
fn judged<'a>(image: &'a LiveImage, builds: &Builds<'_, 'a>, observed: &'a Observed) -> Found<'a> {
    let (mut proof, mut other) = (None, None);
    for build in builds.of_the_commit().filter(|build| build.started_at <= image.pushed_at) {
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
    if builds.moved_the_tag(image, observed) {
        return Found::Image(image);
    }
    let has_rival = |build: &LiveBuild| builds.all.iter().any(|other| builds.is_rival(other) && overlap(build, other));
    let proof = proof.filter(|build| !has_rival(build));
    let Some((other, sure)) = other else {
        return if builds.tag.is_whole || proof.is_some() { Found::Image(image) } else { Found::Others(image) };
    };
    let another =
        if other.status == BuildStatus::InProgress { Found::Unproved(other) } else { Found::Left(image, other) };
    let immutable = observed.immutable.get(builds.work.image.repository.as_str()).unwrap_or(&Looked::NotAsked);
    match (proof, immutable) {
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
