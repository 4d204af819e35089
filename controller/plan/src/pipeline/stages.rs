//! Which Release holds which stage. The newest Release whose gates are all open enters a stage, and only then are the
//! older ones that wait superseded. A rollout is never interrupted, and the number of a grant never falls.

use super::building::{Building, building, outbuilt};
use super::desired::{Desired, Stage};
use super::gates::{Asked, Closed, Gate, closed, gates, waiting};
use super::observed::{Observed, ReleaseSeen};
use super::record::Record;
use crate::condition::whole;
use crate::refusal::Refusal;
use crate::wake::Wake;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{Grant, GrantReason, Mode, StageStatus, Superseded, Verified, Waiting};
use launchway_crds::release::{StagePhase, StageRecord};

/// How many waiting Releases are recorded in all stages together, the newest ones. A status is at most 32 KiB large.
const WAITING: usize = 5;
/// The highest number of a grant: the schema admits no higher one. Grants count seconds, so that it is reached in the year
/// 33658, or by somebody who writes it into a status.
const LAST_GRANT: i64 = 999_999_999_999;
/// How many superseded Releases are recorded at a time, for the same reason.
const SUPERSEDED: usize = 20;

/// Which Release holds which stage after this pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holding {
    /// The stages, in the spec's order.
    pub stages: Vec<StageStatus>,
    /// Who is checked and built.
    pub building: Building,
    /// The Releases that are superseded and have not ended yet.
    pub superseded: Vec<Superseded>,
    /// How many more are superseded, but have to wait until some of those have ended, because the list is full.
    pub untold: usize,
    /// When the first of the closed gates opens; absent: it is not known of any.
    pub opens: Option<Timestamp>,
}

impl Holding {
    /// When the stages need another pass.
    pub fn wake(&self, at: Timestamp) -> Wake {
        // The seconds are rounded up, so that the gate is open by then.
        self.opens.map_or(Wake::OnChange, |opens| Wake::After(opens.duration_since(at).as_secs().max(0) + 1))
    }

    /// The grant with the highest number of all stages; absent: no stage has one.
    pub fn newest_grant(&self) -> Option<&Grant> {
        self.stages.iter().filter_map(|stage| stage.grant.as_ref()).max_by_key(|grant| grant.number)
    }

    /// The stage that the Release waits for, and what is recorded of that; absent: it does not wait for a stage.
    pub fn waiting<'a>(&'a self, release: &str) -> Option<(&'a StageStatus, &'a Waiting)> {
        let of = |stage: &'a StageStatus| Some((stage, stage.waiting.iter().find(|one| *one.release == *release)?));
        self.stages.iter().find_map(of)
    }

    /// Whether the Release was let into a stage and has not recorded that itself yet.
    pub fn has_just_entered(&self, release: &ReleaseSeen) -> bool {
        self.stages.iter().any(|stage| {
            let taken = |grant: &Grant| release.stage(&stage.name).is_some_and(|own| own.grant == grant.number);
            stage.grant.as_ref().is_some_and(|grant| *grant.release == *release.name && !taken(grant))
        })
    }
}

/// The gates of a stage. Tests use others than the real ones.
type Gates<'a> = dyn Fn(&Asked<'_>) -> Vec<Gate> + 'a;

/// Decides which Release holds which stage.
pub fn hold(desired: &Desired, record: &Record, observed: &Observed, refusal: Option<&Refusal>) -> Holding {
    hold_with(desired, record, observed, refusal, &gates)
}

/// The same with the given gates.
pub(super) fn hold_with(
    desired: &Desired,
    record: &Record,
    observed: &Observed,
    refusal: Option<&Refusal>,
    gates: &Gates<'_>,
) -> Holding {
    let last = desired.stages.last().map_or("", |stage| stage.name.as_str());
    let is_active =
        |release: &&ReleaseSeen| !release.ended() && release.is_clear() && !record.has_succeeded(release, last);
    let mut active: Vec<&ReleaseSeen> = observed.releases.iter().filter(is_active).collect();
    active.sort_by_key(|release| release.order());
    // One that cannot be read now stays told.
    let there: Vec<&ReleaseSeen> =
        observed.releases.iter().filter(|one| active.contains(one) || !one.is_clear()).collect();
    let mut superseded: Vec<Superseded> = record.told(&there).cloned().collect();
    let told = superseded.len();
    let begins = refusal.is_none() && !desired.suspended;
    if begins {
        outbuilt(&mut superseded, desired, record, observed, &active);
    }
    let building = building(desired, record, &active, &superseded, begins);
    let mut holding = Holding { building, ..Holding::default() };
    for (index, stage) in desired.stages.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| desired.stages.get(index));
        let eligible = eligible(&active, stage, before, &superseded);
        let goes_first = goes_first(desired, stage, &active, &superseded);
        let entry = Entry { desired, refusal, stage, record: record.stage(&stage.name), observed, goes_first, gates };
        let decided = entry.decide(&eligible);
        superseded.extend(decided.overtaken);
        holding.opens = [holding.opens, decided.opens].into_iter().flatten().min();
        holding.stages.extend(Some(decided.stage).filter(says_something));
    }
    keep_newest_waiting(&mut holding.stages, &active);
    (holding.superseded, holding.untold) = told_first(superseded, told, &active);
    holding
}

/// The Releases that have reached this stage, have not verified it, and are not superseded; oldest first.
fn eligible<'a>(
    active: &[&'a ReleaseSeen],
    stage: &Stage,
    before: Option<&Stage>,
    superseded: &[Superseded],
) -> Vec<&'a ReleaseSeen> {
    let arrived = |release: &&&ReleaseSeen| {
        !release.images.is_empty()
            && before.is_none_or(|before| release.has_passed(&before.name))
            && !release.has_passed(&stage.name)
            && !release.is_among(superseded)
    };
    active.iter().filter(arrived).copied().collect()
}

/// The Releases that no newer one of the branch overtakes on the way to this stage, oldest first: in a queue all, else
/// those that persons made.
fn goes_first<'a>(
    desired: &Desired,
    stage: &Stage,
    active: &[&'a ReleaseSeen],
    superseded: &[Superseded],
) -> Vec<&'a ReleaseSeen> {
    let first = |release: &&&ReleaseSeen| {
        (desired.mode == Mode::Queue || release.is_persons())
            && !release.is_refused()
            && !release.has_passed(&stage.name)
            && release.stage(&stage.name).is_none_or(|own| own.phase != StagePhase::Unproved)
            && !release.is_among(superseded)
    };
    active.iter().filter(first).copied().collect()
}

fn says_something(stage: &StageStatus) -> bool {
    stage.grant.is_some() || stage.verified.is_some() || !stage.waiting.is_empty()
}

/// Removes from the record all waiting Releases but the newest, because a status has no room for more. The others go on
/// waiting.
fn keep_newest_waiting(stages: &mut [StageStatus], active: &[&ReleaseSeen]) {
    let all: Vec<&str> = active.iter().map(|release| release.name.as_str()).collect();
    let age = |name: &str| all.iter().rev().position(|one| *one == name);
    let mut ages: Vec<_> = stages.iter().flat_map(|stage| &stage.waiting).map(|one| age(&one.release)).collect();
    ages.sort();
    let Some(limit) = ages.get(WAITING).copied() else { return };
    for stage in stages {
        stage.waiting.retain(|one| age(&one.release) < limit);
    }
}

/// The superseded Releases that fit into the list, and how many do not. Those that were in the list before stay in it,
/// and the oldest of the others follow. The rest gets its turn when some of these have ended.
fn told_first(mut all: Vec<Superseded>, told: usize, active: &[&ReleaseSeen]) -> (Vec<Superseded>, usize) {
    let age = |one: &Superseded| active.iter().position(|release| *one.release == *release.name);
    all[told..].sort_by_cached_key(age);
    let untold = all.len().saturating_sub(SUPERSEDED);
    all.truncate(SUPERSEDED);
    (all, untold)
}

/// A stage, and what is needed to decide which Release enters it.
struct Entry<'a> {
    desired: &'a Desired,
    refusal: Option<&'a Refusal>,
    stage: &'a Stage,
    record: Option<&'a StageStatus>,
    observed: &'a Observed,
    goes_first: Vec<&'a ReleaseSeen>,
    gates: &'a Gates<'a>,
}

/// What was decided at a stage.
struct Decided {
    stage: StageStatus,
    overtaken: Vec<Superseded>,
    opens: Option<Timestamp>,
}

impl<'a> Entry<'a> {
    fn decide(&self, eligible: &[&'a ReleaseSeen]) -> Decided {
        let held = self.held();
        let holder = held.as_ref().and_then(|grant| self.given(grant));
        let newer = |release: &&&ReleaseSeen| holder.is_none_or(|holder| release.order() > holder.order());
        let asked: Vec<(&ReleaseSeen, Vec<Closed>)> = eligible
            .iter()
            .filter(newer)
            .map(|release| (*release, closed((self.gates)(&self.asked(held.as_ref(), holder, release)))))
            .collect();
        let enters = asked.iter().rev().find(|(_, closed)| closed.is_empty()).map(|(release, _)| *release);
        let waits = asked.iter().filter(|(release, _)| enters.is_none_or(|enters| release.order() > enters.order()));
        let waits: Vec<&(&ReleaseSeen, Vec<Closed>)> = waits.collect();
        // A Release that is older than the one in the stage cannot enter any more.
        let first = enters.or(holder);
        let overtaken = eligible.iter().filter_map(|release| {
            first.filter(|first| release.order() < first.order()).map(|first| release.gives_way(first))
        });
        let opens = waits.iter().flat_map(|(_, closed)| closed).filter_map(|closed| closed.opens).min();
        let verified = self.verified(held.as_ref());
        let grant = match enters {
            Some(release) => Some(self.entered(held.as_ref(), release)),
            None => held,
        };
        let waiting = waits.iter().filter_map(|(release, closed)| waiting(release, closed)).collect();
        let stage = StageStatus { name: self.stage.name.as_str().into(), grant, verified, trouble: None, waiting };
        Decided { stage, overtaken: overtaken.collect(), opens }
    }

    fn asked<'b>(
        &'b self,
        grant: Option<&'b Grant>,
        holder: Option<&'b ReleaseSeen>,
        release: &'b ReleaseSeen,
    ) -> Asked<'b> {
        let before = self.record.and_then(|stage| stage.waiting.iter().find(|one| *one.release == *release.name));
        let occupant = grant.and(holder).filter(|holder| grant.is_some_and(|grant| self.is_at_work(grant, holder)));
        let is_older = |first: &&&ReleaseSeen| first.order() < release.order();
        let goes_first = self.goes_first.iter().find(is_older).filter(|_| self.waits_in_line(release)).copied();
        let &Self { desired, refusal, stage, .. } = self;
        Asked { desired, refusal, stage, grant, occupant, goes_first, release, before, at: self.observed.at }
    }

    /// Whether the Release overtakes nobody who goes first. One that a person made does, but for a queue.
    fn waits_in_line(&self, release: &ReleaseSeen) -> bool {
        self.desired.mode == Mode::Queue || !release.is_persons()
    }

    /// The Release that the grant was given to, if it is there still.
    fn given(&self, grant: &Grant) -> Option<&'a ReleaseSeen> {
        self.observed.releases.iter().find(|release| release.was_given(grant))
    }

    /// The stage's present grant: the recorded one, or the one that a Release recorded, if the Pipeline's record of it
    /// was lost.
    fn held(&self) -> Option<Grant> {
        let recorded = self.record.and_then(|stage| stage.grant.as_ref());
        let known = recorded.map_or(0, |grant| grant.number);
        let lost = self
            .observed
            .releases
            .iter()
            .filter_map(|release| Some((release, release.stage(&self.stage.name)?)))
            .filter(|(release, own)| own.grant > known && !release.images.is_empty())
            .max_by_key(|(_, own)| own.grant);
        lost.map(|(release, own)| rebuilt(release, own)).or_else(|| recorded.cloned())
    }

    /// Whether the Release that was granted the stage is still at work there. A grant for a roll-back or a hold has no
    /// Release at work.
    fn is_at_work(&self, grant: &Grant, holder: &ReleaseSeen) -> bool {
        match grant.reason {
            GrantReason::Release => {
                let over = |own: &StageRecord| match own.phase {
                    StagePhase::Unproved | StagePhase::Verified | StagePhase::Failed => true,
                    StagePhase::Rolling | StagePhase::Verifying => false,
                };
                // Of one that cannot be read, what was recorded when it could be.
                let verified = self.record.and_then(|stage| stage.verified.as_ref());
                let is_proved = !holder.is_clear() && verified.is_some_and(|verified| verified.grant == grant.number);
                !holder.ended() && !is_proved && !holder.stage(&self.stage.name).is_some_and(over)
            }
            GrantReason::Rollback | GrantReason::Hold => false,
        }
    }

    fn entered(&self, held: Option<&Grant>, release: &ReleaseSeen) -> Grant {
        Grant {
            number: next_number(held.map_or(0, |grant| grant.number), self.observed.at),
            reason: GrantReason::Release,
            release: release.name.as_str().into(),
            commit: release.commit.as_str().into(),
            images: release.images.clone(),
            since: Time(whole(self.observed.at)),
        }
    }

    /// What the stage was last verified with: by the Release that holds it, or else as recorded.
    fn verified(&self, held: Option<&Grant>) -> Option<Verified> {
        let recorded = self.record.and_then(|stage| stage.verified.as_ref());
        let known = |held: &&Grant| recorded.is_some_and(|recorded| recorded.grant == held.number);
        let proved = held.filter(|held| !known(held)).and_then(|held| self.proved(held));
        proved.or_else(|| recorded.cloned())
    }

    /// What the Release that holds the stage has verified there; absent: it has not verified the stage.
    fn proved(&self, held: &Grant) -> Option<Verified> {
        let own = self.given(held)?.stage(&self.stage.name)?;
        let proves = own.phase == StagePhase::Verified && own.grant == held.number;
        proves.then(|| Verified {
            release: held.release.clone(),
            grant: held.number,
            commit: held.commit.clone(),
            images: held.images.clone(),
            at: own.ended_at.clone().unwrap_or_else(|| Time(whole(self.observed.at))),
        })
    }
}

/// The number of the next grant. It is above the last known one. It is at least the time in seconds, because a higher
/// number than the known one may have been used: Services remember it after a status was wiped or a Pipeline was made
/// anew.
fn next_number(known: i64, at: Timestamp) -> i64 {
    known.saturating_add(1).max(at.as_second()).min(LAST_GRANT)
}

fn rebuilt(release: &ReleaseSeen, own: &StageRecord) -> Grant {
    Grant {
        number: own.grant,
        reason: GrantReason::Release,
        release: release.name.as_str().into(),
        commit: release.commit.as_str().into(),
        images: release.images.clone(),
        since: own.since.clone(),
    }
}
