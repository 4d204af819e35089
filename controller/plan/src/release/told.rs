//! Which image the Release's own build said that it pushed, and whether that is believed (docs/effects.md, "An image that the
//! build says"). A digest is: nobody but this build said it, and it succeeded. What a tag names may have been moved by another
//! build since. Where nothing is built, the image that carries the commit's tag is the commit's: somebody else answers for it.

use super::desired::Desired;
use super::observed::{BuildSeen, Observed};
use super::origin::{Builds, Found, LATE, Missing, Unusable, remembered, tagged};
use super::record::{Progress, Says, StepKind, StepRecord, Work};
use crate::image::{ImageId, Said, said};
use crate::look::Looked;
use crate::tag::is_commit;
use crate::world::{Artifact, BuildStatus, Listing, LiveBuild, LiveImage};
use jiff::Timestamp;
use launchway_crds::start::Started;

/// How many images of one build are recorded at most: as many as a Pipeline has.
const MOST: usize = 10;

/// How many digits of a commit in a tag tell it from other commits, as git shows at least.
const DIGITS: usize = 7;

/// Which image to look for: what the build said, or else what the Pipeline has released the commit with before.
pub fn sought(desired: &Desired, work: &Work, observed: &Observed) -> Option<ImageId> {
    let before = || remembered(desired, work, observed).map(|digest| ImageId::Digest(digest.to_owned()));
    match own(work) {
        Some(_) => {
            let named = named(desired, work, observed).first().and_then(|text| said(text)).map(|image| image.id);
            let is_absent = observed.listing == Looked::Seen(Listing::Absent);
            named.or_else(|| before().filter(|_| is_absent))
        }
        None => before(),
    }
}

/// What is known of the commit's image, from what was looked at so far: as its build said it, or else by its tag.
pub fn found<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Found<'a> {
    match (&work.says, work.build()) {
        (_, None) => seen(work, observed),
        (Some(_), Some(_)) => of_build(desired, work, observed),
        (None, Some(_)) => tagged(desired, work, observed),
    }
}

/// Of the images, the first that is not known to be the commit's, and what is known of it. One that a build may be pushing still comes
/// before the others: that build may push them too. Then one that cannot be seen: as long as that is so nothing is built.
pub(super) fn lacking<'w, 'a>(
    desired: &Desired,
    each: &'w [Work],
    observed: &'a Observed,
) -> Option<(&'w Work, Found<'a>)> {
    let all = || each.iter().map(|work| (work, found(desired, work, observed)));
    let unproved = all().find(|(_, found)| matches!(found, Found::Unproved(_)));
    let blind = || all().find(|(_, found)| matches!(found, Found::Blind(_)));
    unproved.or_else(blind).or_else(|| all().find(|(_, found)| !matches!(found, Found::Image(_))))
}

/// The image that was looked for, whoever pushed it.
fn seen<'a>(work: &Work, observed: &'a Observed) -> Found<'a> {
    match observed.image(work) {
        Looked::Seen(image) => image.as_ref().map_or(Found::Nothing, Found::Image),
        Looked::Blind(fault) => Found::Blind(fault),
        Looked::NotAsked => Found::Unseen(Missing::Image),
    }
}

fn of_build<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Found<'a> {
    let seen = seen(work, observed);
    let Some(build) = own(work) else {
        let rests = |step: &StepRecord| matches!(step.progress, Progress::Waiting | Progress::Intended(_));
        let begins = work.build().is_some_and(rests);
        return if begins && sought(desired, work, observed).is_none() { Found::Nothing } else { seen };
    };
    let named = named(desired, work, observed);
    let Some(said) = named.first().and_then(|text| said(text)) else { return unnamed(desired, work, observed) };
    if named.len() > 1 {
        return Found::Unusable(Unusable::Several);
    }
    if said.id == ImageId::Tag("latest".to_owned()) {
        return Found::Unusable(Unusable::Latest);
    }
    let (Found::Image(image), ImageId::Tag(tag)) = (seen, &said.id) else { return seen };
    match &observed.origins {
        Looked::Seen(builds) => match is_still(&Builds::new(desired, work, builds), build, tag, image) {
            true => Found::Image(image),
            false => Found::Others(image),
        },
        Looked::Blind(fault) => Found::Blind(fault),
        Looked::NotAsked => Found::Unseen(Missing::Builds(build.started_at.0)),
    }
}

/// The build named nothing of this repository, as far as is known.
fn unnamed<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Found<'a> {
    if !all_named(desired, work, observed).is_empty() {
        return Found::Unusable(Unusable::Elsewhere);
    }
    match work.build().and_then(|step| observed.builds.get(step.name.as_str())) {
        Some(BuildSeen::Known(Looked::Blind(fault))) => return Found::Blind(fault),
        Some(BuildSeen::Known(Looked::Seen(None))) => return Found::Unusable(Unusable::Forgotten),
        Some(BuildSeen::Known(_) | BuildSeen::Searched(_)) | None => {}
    }
    match &observed.listing {
        Looked::Blind(fault) => Found::Blind(fault),
        // A rule of the bucket may have deleted it since the commit was released.
        Looked::Seen(Listing::Absent) if remembered(desired, work, observed).is_some() => seen(work, observed),
        Looked::Seen(_) => Found::Unusable(Unusable::Unlisted),
        Looked::NotAsked if artifact(desired, work, observed).is_some() => Found::Unseen(Missing::Listing),
        Looked::NotAsked if is_shown(desired, work, observed) => Found::Unusable(Unusable::Unlisted),
        Looked::NotAsked => Found::Unusable(Unusable::Nothing),
    }
}

/// Whether the build was to name its images in a file, and CodeBuild shows how it ended: what it left is known then.
fn is_shown(desired: &Desired, work: &Work, observed: &Observed) -> bool {
    matches!(work.says, Some(Says::File(_))) && own_build(desired, work, observed).is_some()
}

/// The Release's own build that succeeded.
pub(super) fn own(work: &Work) -> Option<&Started> {
    let Progress::Succeeded(started) = &work.build()?.progress else { return None };
    started.as_ref()
}

/// What the build named that is in this image's registry and repository, each once.
pub(super) fn named<'a>(desired: &Desired, work: &'a Work, observed: &'a Observed) -> Vec<&'a str> {
    let all = all_named(desired, work, observed).into_iter();
    all.filter(|text| said(text).is_some_and(|said| is_of(&said, work, observed))).collect()
}

/// Whether it is in the registry and the repository that the Pipeline says. A digest alone may be anywhere.
fn is_of(said: &Said<'_>, work: &Work, observed: &Observed) -> bool {
    said.place.as_ref().is_none_or(|place| {
        observed.account_id.seen().is_none_or(|account| place.account == *account)
            && place.region == work.region.as_str()
            && place.repository == work.image.repository.as_str()
    })
}

/// All that the build named: as it is recorded, or else as this pass heard it.
pub(super) fn all_named<'a>(desired: &Desired, work: &'a Work, observed: &'a Observed) -> Vec<&'a str> {
    match work.build().map(|step| &step.images).filter(|images| !images.is_empty()) {
        Some(recorded) => recorded.iter().map(|image| image.as_str()).collect(),
        None => heard(desired, work, observed),
    }
}

/// What this pass heard the build name: what may be one of the Pipeline's images, or else the first of all, so that it can be said
/// what is wrong with it.
pub(super) fn heard<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Vec<&'a str> {
    let all: Vec<&str> = match (&work.says, &observed.listing) {
        (Some(Says::Variable(name)), _) => {
            let value = own_build(desired, work, observed).and_then(|build| build.exported.get(name.as_str()));
            // Anything else may be a secret, and is not shown.
            value.map(|value| value.text().trim()).filter(|text| said(text).is_some()).into_iter().collect()
        }
        (Some(Says::File(_)), Looked::Seen(Listing::Images { named, .. })) => {
            named.iter().map(String::as_str).collect()
        }
        (Some(Says::File(_)) | None, _) => Vec::new(),
    };
    let each = work.of_each();
    let is_ours = |text: &&str| said(text).is_some_and(|said| each.iter().any(|work| is_of(&said, work, observed)));
    let ours: Vec<&str> = all.iter().copied().filter(is_ours).take(MOST).collect();
    if ours.is_empty() { all.into_iter().take(1).collect() } else { ours }
}

/// The Release's own build, if this pass saw that it succeeded. Of another one nothing is believed, and nothing shown.
pub(super) fn own_build<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Option<&'a LiveBuild> {
    succeeded(desired, work.build()?, observed)
}

/// The build of that step which the Release started, if this pass saw that it succeeded.
pub(super) fn succeeded<'a>(desired: &Desired, step: &StepRecord, observed: &'a Observed) -> Option<&'a LiveBuild> {
    let marker = desired.attempt(step).marker();
    let is_own =
        |build: &&LiveBuild| build.status == BuildStatus::Succeeded && build.marker.as_deref() == Some(marker.as_str());
    observed.build(&step.name).filter(is_own)
}

/// What the Release's own build left, the file in it that lists the images, and when the build ended; none if other builds leave
/// theirs at the same place.
pub(super) fn artifact<'a>(
    desired: &Desired,
    work: &'a Work,
    observed: &'a Observed,
) -> Option<(&'a Artifact, &'a str, Timestamp)> {
    let Some(Says::File(file)) = &work.says else { return None };
    let build = own_build(desired, work, observed)?;
    Some((build.artifact.as_deref().filter(|artifact| artifact.is_of(&build.id))?, file, build.ended_at?))
}

/// Whether the Release's own build succeeded, and what it said is not recorded: CodeBuild may show it late, and a file is read after
/// the build.
pub fn is_silent(work: &Work, step: &StepRecord) -> bool {
    step.kind == StepKind::Build && work.says.is_some() && own(work).is_some() && step.images.is_empty()
}

/// Whether the tag names what the build pushed: nobody pushed the image after the build, and no other build that may use
/// the same tag has run since it began. A tag with seven digits of the commit is not that of a commit with others, and earlier
/// attempts of this Release pushed before. A tag that says nothing of the commit, on an image that was there before the build, may be
/// one that the build named and did not push.
fn is_still(builds: &Builds<'_, '_>, own: &Started, tag: &str, image: &LiveImage) -> bool {
    let Desired { commit, uid, .. } = builds.desired;
    let says = |commit: &str| commit.get(..DIGITS).is_some_and(|digits| tag.contains(digits));
    let has_another = |build: &LiveBuild| {
        says(commit) && !build.is_of(commit) && build.versions.iter().any(|one| is_commit(one) && !says(one))
    };
    let is_own = |build: &LiveBuild| build.marker.as_ref().is_some_and(|marker| marker.starts_with(uid.as_str()));
    let since = |build: &LiveBuild| build.ended_at.is_none_or(|ended| own.started_at.0 <= ended);
    let mut rivals = builds.all.iter().filter(|build| since(build) && !is_own(build) && !has_another(build));
    let earlier = builds.all.iter().filter(|build| is_own(build)).map(|build| build.started_at);
    let is_new = says(commit) || image.pushed_at >= earlier.fold(own.started_at.0, Timestamp::min);
    let is_in_time = own.ended_at.as_ref().is_some_and(|ended| image.pushed_at <= ended.0 + LATE);
    is_new && is_in_time && rivals.next().is_none()
}
