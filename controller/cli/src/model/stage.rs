//! The stages of a Pipeline: what each should run, what it was proved to run, who waits and why.

use super::service::{self, ServiceView};
use super::standing::{Mark, Standing};
use crate::item::{Body, Item};
use jiff::Timestamp;
use launchway_crds::pipeline::{Grant, GrantReason, StageStatus, Waiting, WaitsFor};
use launchway_crds::release::{StagePhase, StageRecord};
use launchway_crds::{Pipeline, Release, Service};
use serde::Serialize;

/// A stage.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageView {
    pub name: String,
    #[serde(flatten)]
    pub standing: Standing,
    /// The number of the grant; 0: no Release has entered yet.
    pub grant: i64,
    /// The commit that the stage should run.
    pub commit: String,
    /// The commit that it was last proved to run.
    pub verified: String,
    pub verified_at: Option<Timestamp>,
    pub waiting: Vec<WaitingView>,
    pub services: Vec<ServiceView>,
}

/// A Release that waits in front of a stage.
#[derive(Debug, Serialize)]
pub struct WaitingView {
    pub release: String,
    pub state: Mark,
    #[serde(rename = "for")]
    pub what: String,
    pub reason: String,
    pub message: String,
    pub since: Timestamp,
    pub opens: Option<Timestamp>,
}

/// Those that the spec names, in its order.
pub fn of_pipeline(
    item: &Item<Pipeline>,
    body: &Body<Pipeline>,
    releases: &[Item<Release>],
    services: &[Item<Service>],
) -> Vec<StageView> {
    let known = body.status.as_ref().map_or(&[][..], |status| &status.stages);
    let of_stage = |stage: &launchway_crds::pipeline::Stage| {
        let status = known.iter().find(|status| status.name == stage.name);
        let targets = stage.targets.iter().filter_map(|target| target.service.as_deref());
        let own = targets.map(|name| service::named(&item.namespace, name, services)).collect();
        view(&item.namespace, &stage.name, status, own, releases)
    };
    body.spec.stages.iter().map(of_stage).collect()
}

fn view(
    namespace: &str,
    name: &str,
    status: Option<&StageStatus>,
    services: Vec<ServiceView>,
    releases: &[Item<Release>],
) -> StageView {
    let grant = status.and_then(|status| status.grant.as_ref());
    let verified = status.and_then(|status| status.verified.as_ref());
    let record = grant.and_then(|grant| record(namespace, name, grant, releases));
    StageView {
        name: name.to_owned(),
        standing: standing(status, record),
        grant: grant.map_or(0, |grant| grant.number),
        commit: grant.map(|grant| grant.commit.to_string()).unwrap_or_default(),
        verified: verified.map(|verified| verified.commit.to_string()).unwrap_or_default(),
        verified_at: verified.map(|verified| verified.at.0),
        waiting: status.map(|status| status.waiting.iter().map(waiting).collect()).unwrap_or_default(),
        services,
    }
}

/// What the Release that holds the stage says of it.
fn record<'a>(namespace: &str, stage: &str, grant: &Grant, all: &'a [Item<Release>]) -> Option<&'a StageRecord> {
    let holder = all.iter().find(|item| item.namespace == namespace && item.name == *grant.release)?;
    let (_, status) = holder.status()?;
    status.stages.iter().find(|record| record.name.as_str() == stage && record.grant == grant.number)
}

fn standing(status: Option<&StageStatus>, record: Option<&StageRecord>) -> Standing {
    let of =
        |state, reason: &str, message: &str| Standing { state, reason: reason.to_owned(), message: message.to_owned() };
    let Some((status, grant)) = status.and_then(|status| Some((status, status.grant.as_ref()?))) else {
        return of(Mark::Idle, "", "no release has entered yet");
    };
    if let Some(trouble) = &status.trouble {
        return of(Mark::Bad, &trouble.reason, &trouble.message);
    }
    if status.verified.as_ref().is_some_and(|verified| verified.grant == grant.number) {
        return of(Mark::Good, "", "");
    }
    let message = record.and_then(|record| record.message.as_deref()).unwrap_or_default();
    match (grant.reason, record.map(|record| record.phase)) {
        (GrantReason::Release, Some(phase)) => of(mark(phase), &format!("{phase:?}"), message),
        (GrantReason::Release, None) => of(Mark::Busy, "Rolling", message),
        (GrantReason::Rollback, _) => of(Mark::Busy, "Rollback", "goes back to what was last verified"),
        (GrantReason::Hold, _) => of(Mark::Held, "Hold", "a person put the stage on that release"),
    }
}

fn mark(phase: StagePhase) -> Mark {
    match phase {
        StagePhase::Rolling | StagePhase::Verifying => Mark::Busy,
        StagePhase::Unproved => Mark::Held,
        StagePhase::Verified => Mark::Good,
        StagePhase::Failed => Mark::Bad,
    }
}

fn waits(what: WaitsFor) -> Mark {
    match what {
        WaitsFor::Release => Mark::Busy,
        WaitsFor::Time | WaitsFor::Person => Mark::Held,
        WaitsFor::Correction => Mark::Bad,
    }
}

fn waiting(waiting: &Waiting) -> WaitingView {
    WaitingView {
        release: waiting.release.to_string(),
        state: waits(waiting.what),
        what: format!("{:?}", waiting.what),
        reason: waiting.reason.clone(),
        message: waiting.message.clone(),
        since: waiting.since.0,
        opens: waiting.opens.as_ref().map(|time| time.0),
    }
}
