//! Which Release holds which stage. A rollout is never cut off; the newest Release that may enter a free stage enters,
//! and only then are the older ones that wait superseded. A grant never falls.

use super::observed::{Observed, ended, name, order};
use crate::condition::whole;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{PipelineSpec, PipelineStatus, Stage, StageStatus, Superseded, Verified};
use launchway_crds::release::{Release, StagePhase, StageRecord};

/// Who holds what, after this pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holding {
    /// The stages, in the spec's order.
    pub stages: Vec<StageStatus>,
    /// Releases that give way.
    pub superseded: Vec<Superseded>,
}

/// Whether Releases may enter stages now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// They may.
    Open,
    /// Nothing is begun: the Pipeline is suspended, or the account refuses it.
    Shut,
}

/// Who holds what.
pub fn hold(spec: &PipelineSpec, status: Option<&PipelineStatus>, observed: &Observed, entrance: Entrance) -> Holding {
    let mut active: Vec<&Release> = observed.releases.iter().filter(|release| !ended(release)).collect();
    active.sort_by_key(|release| order(release));
    let mut superseded = outbuilt(status, observed, &active, entrance);
    let mut stages = Vec::new();
    for (index, stage) in spec.stages.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| spec.stages.get(index));
        let entry = Entry { stage, before, held: held(stage, status, observed), active: &active, observed, entrance };
        let candidates: Vec<_> =
            entry.candidates().filter(|release| superseded.iter().all(|one| *one.release != *name(release))).collect();
        let (granted, passed_over) = entry.grant(&candidates);
        superseded.extend(passed_over);
        stages.extend(granted);
    }
    superseded.truncate(50);
    Holding { stages, superseded }
}

/// Releases that are still being checked or built while there is a newer one (`concurrency: Supersede`). Who was told
/// stays told: a list may have forgotten the newer one, and the older one's build is stopped already. While nothing is
/// begun, nobody else is told.
fn outbuilt(
    status: Option<&PipelineStatus>,
    observed: &Observed,
    active: &[&Release],
    entrance: Entrance,
) -> Vec<Superseded> {
    let told = status.iter().flat_map(|status| &status.superseded);
    let mut all: Vec<Superseded> =
        told.filter(|one| active.iter().any(|release| *one.release == *name(release))).cloned().collect();
    let newest = observed.releases.iter().max_by_key(|release| order(release));
    let Some(newest) = newest.filter(|_| entrance == Entrance::Open) else { return all };
    for release in active.iter().filter(|release| name(release) != name(newest) && images(release).is_empty()) {
        if all.iter().all(|one| *one.release != *name(release)) {
            all.push(gives_way(release, newest));
        }
    }
    all
}

fn gives_way(release: &Release, by: &Release) -> Superseded {
    Superseded { release: name(release).into(), by: name(by).into() }
}

fn images(release: &Release) -> &[launchway_crds::pipeline::ImageStatus] {
    release.status.as_ref().map_or(&[], |status| &status.images)
}

fn record<'a>(release: &'a Release, stage: &Stage) -> Option<&'a StageRecord> {
    release.status.as_ref()?.stages.iter().find(|one| one.name == stage.name)
}

/// What the stage should run so far: as recorded; from the Releases' own records where the Pipeline's was lost.
fn held(stage: &Stage, status: Option<&PipelineStatus>, observed: &Observed) -> Option<StageStatus> {
    let recorded = status.and_then(|status| status.stages.iter().find(|one| one.name == stage.name)).cloned();
    let known = recorded.as_ref().map_or(0, |stage| stage.grant);
    let lost = observed
        .releases
        .iter()
        .filter_map(|release| Some((release, record(release, stage)?)))
        .max_by_key(|(_, record)| record.grant);
    match lost.filter(|(release, record)| record.grant > known && !images(release).is_empty()) {
        Some((release, record)) => Some(rebuilt(stage, release, record)),
        None => recorded,
    }
}

/// A grant above the last one that is known. It is the time in seconds where that is more, because the last one may not
/// be known: a status may be wiped, a Pipeline deleted and made again, and Services remember.
fn next_grant(known: i64, at: Timestamp) -> i64 {
    (known + 1).max(at.as_second())
}

fn rebuilt(stage: &Stage, release: &Release, record: &StageRecord) -> StageStatus {
    StageStatus {
        name: stage.name.clone(),
        grant: record.grant,
        release: name(release).into(),
        since: record.since.clone(),
        commit: release.spec.commit.clone(),
        images: images(release).to_vec(),
        verified: None,
    }
}

/// A stage, and who may enter it.
struct Entry<'a> {
    stage: &'a Stage,
    before: Option<&'a Stage>,
    held: Option<StageStatus>,
    active: &'a [&'a Release],
    observed: &'a Observed,
    entrance: Entrance,
}

impl<'a> Entry<'a> {
    /// Releases that have come this far and not beyond, oldest first.
    fn candidates(&self) -> impl Iterator<Item = &'a Release> {
        let passed = |release: &Release, stage: &Stage| {
            record(release, stage).is_some_and(|one| one.phase == StagePhase::Verified)
        };
        let before = self.before;
        let stage = self.stage;
        let active: &'a [&'a Release] = self.active;
        active.iter().copied().filter(move |release| {
            !images(release).is_empty()
                && before.is_none_or(|before| passed(release, before))
                && !passed(release, stage)
        })
    }

    fn holder(&self) -> Option<&'a Release> {
        let held = self.held.as_ref()?;
        self.observed.releases.iter().find(|release| *name(release) == *held.release)
    }

    /// Whether the holder is still at this stage.
    fn busy(&self) -> bool {
        self.holder().is_some_and(|holder| {
            let over = record(holder, self.stage)
                .is_some_and(|one| matches!(one.phase, StagePhase::Verified | StagePhase::Failed));
            !ended(holder) && !over
        })
    }

    /// The stage after this pass, and the Releases that give way at it.
    fn grant(self, candidates: &[&'a Release]) -> (Option<StageStatus>, Vec<Superseded>) {
        let holder = self.holder();
        let newest = candidates.last().copied();
        let newer = |release: &&Release| holder.is_none_or(|holder| order(release) > order(holder));
        let open = !self.busy() && self.entrance == Entrance::Open;
        let enters = newest.filter(newer).filter(|_| open);
        let at = self.observed.at;
        match enters {
            Some(release) => {
                let older = candidates.iter().filter(|other| name(other) != name(release));
                (Some(self.entered(release, at)), older.map(|other| gives_way(other, release)).collect())
            }
            None => {
                let stale = candidates.iter().filter(|release| {
                    holder.is_some_and(|holder| order(release) < order(holder) && name(release) != name(holder))
                });
                let passed =
                    holder.map(|holder| stale.map(|other| gives_way(other, holder)).collect()).unwrap_or_default();
                (self.proved(), passed)
            }
        }
    }

    fn entered(&self, release: &Release, at: Timestamp) -> StageStatus {
        let held = self.held.as_ref();
        StageStatus {
            name: self.stage.name.clone(),
            grant: next_grant(held.map_or(0, |stage| stage.grant), at),
            release: name(release).into(),
            since: Time(whole(at)),
            commit: release.spec.commit.clone(),
            images: images(release).to_vec(),
            verified: self.proved().and_then(|stage| stage.verified),
        }
    }

    /// The stage as it was, with what its holder has proved.
    fn proved(&self) -> Option<StageStatus> {
        let mut held = self.held.clone()?;
        let own =
            self.holder().and_then(|holder| record(holder, self.stage)).filter(|one| one.phase == StagePhase::Verified);
        if let Some(own) = own.filter(|own| {
            own.grant == held.grant && held.verified.as_ref().is_none_or(|known| known.grant != own.grant)
        }) {
            let at = own.ended_at.clone().unwrap_or_else(|| Time(whole(self.observed.at)));
            held.verified =
                Some(Verified { release: held.release.clone(), grant: held.grant, commit: held.commit.clone(), at });
        }
        Some(held)
    }
}
