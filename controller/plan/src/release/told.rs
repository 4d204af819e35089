//! Which image the Release's own build said that it pushed, and whether that is believed (docs/effects.md, "An image that the
//! build says"). A digest is: nobody but this build said it, and it succeeded. What a tag names may have been moved by another
//! build since. Where nothing is built, the image that carries the commit's tag is the commit's: somebody else answers for it.

use super::desired::Desired;
use super::observed::Observed;
use super::origin::{Builds, Found, LATE, Missing, Unusable, remembered, tagged};
use super::record::{Progress, StepKind, StepRecord, Work};
use crate::image::{ImageId, Said, said};
use crate::look::Looked;
use crate::tag::is_commit;
use crate::world::{LiveBuild, LiveImage};
use launchway_crds::start::Started;

/// How many digits of a commit in a tag tell it from other commits, as git shows at least.
const DIGITS: usize = 7;

/// Which image to look for: what the build said, or else what the Pipeline has released the commit with before.
pub fn sought(desired: &Desired, work: &Work, observed: &Observed) -> Option<ImageId> {
    match own(work) {
        Some((_, text)) => text.and_then(said).map(|image| image.id),
        None => remembered(desired, work, observed).map(|digest| ImageId::Digest(digest.to_owned())),
    }
}

/// What is known of the commit's image, from what was looked at so far: as its build said it, or else by its tag.
pub fn found<'a>(desired: &Desired, work: &Work, observed: &'a Observed) -> Found<'a> {
    match (&work.variable, work.build()) {
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
    let Some((build, text)) = own(work) else {
        let rests = |step: &StepRecord| matches!(step.progress, Progress::Waiting | Progress::Intended(_));
        let begins = work.build().is_some_and(rests);
        return if begins && sought(desired, work, observed).is_none() { Found::Nothing } else { seen };
    };
    let Some(said) = text.and_then(said) else { return Found::Unusable(Unusable::Nothing) };
    if let Some(why) = unusable(&said, work, observed) {
        return Found::Unusable(why);
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

/// The Release's own build that succeeded, and what it said.
fn own(work: &Work) -> Option<(&Started, Option<&str>)> {
    let step = work.build()?;
    let Progress::Succeeded(Some(build)) = &step.progress else { return None };
    Some((build, step.image.as_deref()))
}

/// Whether the Release's own build succeeded, and what it said is not recorded: CodeBuild may show it late.
pub fn is_silent(work: &Work, step: &StepRecord) -> bool {
    let has_succeeded = matches!(step.progress, Progress::Succeeded(Some(_)));
    step.kind == StepKind::Build && work.variable.is_some() && has_succeeded && step.image.is_none()
}

fn unusable(said: &Said<'_>, work: &Work, observed: &Observed) -> Option<Unusable> {
    let is_elsewhere = said.place.as_ref().is_some_and(|place| {
        let is_account = observed.account_id.seen().is_none_or(|account| place.account == *account);
        !is_account || place.region != work.region.as_str() || place.repository != work.image.repository.as_str()
    });
    match &said.id {
        _ if is_elsewhere => Some(Unusable::Elsewhere),
        ImageId::Tag(tag) if tag == "latest" => Some(Unusable::Latest),
        ImageId::Tag(_) | ImageId::Digest(_) => None,
    }
}

/// Whether the tag still names what the build pushed: nobody pushed the image after the build, and no other build that may use
/// the same tag has run since it began. A tag with seven digits of the commit is not that of a commit with others, and earlier
/// attempts of this Release pushed before.
fn is_still(builds: &Builds<'_, '_>, own: &Started, tag: &str, image: &LiveImage) -> bool {
    let Desired { commit, uid, .. } = builds.desired;
    let says = |commit: &str| commit.get(..DIGITS).is_some_and(|digits| tag.contains(digits));
    let has_another = |build: &LiveBuild| {
        says(commit) && !build.is_of(commit) && build.versions.iter().any(|one| is_commit(one) && !says(one))
    };
    let is_own = |build: &LiveBuild| build.marker.as_ref().is_some_and(|marker| marker.starts_with(uid.as_str()));
    let since = |build: &LiveBuild| build.ended_at.is_none_or(|ended| own.started_at.0 <= ended);
    let mut rivals = builds.all.iter().filter(|build| since(build) && !is_own(build) && !has_another(build));
    own.ended_at.as_ref().is_some_and(|ended| image.pushed_at <= ended.0 + LATE) && rivals.next().is_none()
}
