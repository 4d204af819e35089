//! The gates of a stage: what must be open before a Release enters it. One function a gate; who enters is decided in
//! `stages`.

use super::desired::{Desired, Stage};
use super::observed::ReleaseSeen;
use crate::condition::{cut, whole};
use crate::life::resume_command;
use crate::reason::Reason;
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{Grant, GrantReason, Waiting, WaitsFor};

/// How long the message of a Release that waits may be, in bytes: several have to fit into a status.
const MESSAGE: usize = 256;

/// Whether a gate lets a Release into a stage now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It does.
    Open,
    /// It does not.
    Closed(Closed),
}

/// Why a gate is closed, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// Why, in one word.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
    /// When it opens, where that is known. A pass comes again then.
    pub opens: Option<Timestamp>,
    /// Why, for people, and how they open it where they can.
    pub how: String,
}

/// What the gates are asked: may this Release enter this stage now?
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The Pipeline.
    pub desired: &'a Desired,
    /// Why the account refuses the Pipeline; absent: it does not.
    pub refusal: Option<&'a Refusal>,
    /// The stage.
    pub stage: &'a Stage,
    /// What the stage should run so far.
    pub grant: Option<&'a Grant>,
    /// The Release that entered the stage last, and is at work there still.
    pub occupant: Option<&'a ReleaseSeen>,
    /// An older Release that goes first, whether it has come this far or not.
    pub goes_first: Option<&'a ReleaseSeen>,
    /// The Release that wants to enter.
    pub release: &'a ReleaseSeen,
    /// What was recorded when this was asked last.
    pub before: Option<&'a Waiting>,
    /// The time.
    pub at: Timestamp,
}

/// All gates of the stage. Where several are closed, the first is told: what needs somebody stands before what does not.
pub fn gates(asked: &Asked<'_>) -> Vec<Gate> {
    vec![account(asked), suspension(asked), occupation(asked), line(asked)]
}

/// Those that are closed, in their order.
pub fn closed(gates: Vec<Gate>) -> Vec<Closed> {
    let closed = |gate| match gate {
        Gate::Open => None,
        Gate::Closed(closed) => Some(closed),
    };
    gates.into_iter().filter_map(closed).collect()
}

/// What is recorded of a Release that waits at these gates. It can enter when the last of them opens; where that is not
/// known of one, it is not known. None: all are open.
pub fn waiting(release: &ReleaseSeen, closed: &[Closed]) -> Option<Waiting> {
    let first = closed.first()?;
    let known: Option<Vec<Timestamp>> = closed.iter().map(|one| one.opens).collect();
    Some(Waiting {
        release: release.name.as_str().into(),
        what: first.waits_for,
        reason: first.reason.to_string(),
        message: cut(&first.how, MESSAGE),
        since: Time(whole(first.since)),
        opens: known.and_then(|all| all.into_iter().max()).map(|last| Time(whole(last))),
    })
}

/// Nothing is begun that the account does not allow.
fn account(asked: &Asked<'_>) -> Gate {
    match asked.refusal {
        Some(refusal) => asked.closed(WaitsFor::Correction, refusal.reason(), refusal.to_string()),
        None => Gate::Open,
    }
}

/// Nothing is begun while the Pipeline is suspended.
fn suspension(asked: &Asked<'_>) -> Gate {
    match asked.desired.suspended {
        true => asked.closed(
            WaitsFor::Person,
            Reason::Suspended,
            format!(
                "Pipeline {} is suspended; to continue: {}",
                asked.desired.name,
                resume_command(&asked.desired.namespace, &asked.desired.name)
            ),
        ),
        false => Gate::Open,
    }
}

/// One Release at a time: a rollout is never cut off by a newer commit. A stage that a person put on a Release stays there.
fn occupation(asked: &Asked<'_>) -> Gate {
    let stage = &asked.stage.name;
    match (asked.occupant, asked.grant) {
        (Some(occupant), _) => asked.closed(
            WaitsFor::Release,
            Reason::WaitingForStage,
            format!("Release {} is at work in stage {stage}", occupant.name),
        ),
        (None, Some(Grant { reason: GrantReason::Hold, release, .. })) => asked.closed(
            WaitsFor::Person,
            Reason::WaitingForStage,
            format!("stage {stage} is held at Release {release}"),
        ),
        (None, Some(_) | None) => Gate::Open,
    }
}

/// In a queue the older Release goes first, and everywhere one that a person made goes before a newer commit.
fn line(asked: &Asked<'_>) -> Gate {
    let Some(first) = asked.goes_first.filter(|_| asked.occupant.is_none()) else { return Gate::Open };
    let why = if first.is_persons() { "which a person made before" } else { "which is older" };
    let away = format!("kubectl delete releases.launchway.dev {} -n {}", first.name, asked.desired.namespace);
    asked.closed(
        WaitsFor::Release,
        Reason::WaitingForStage,
        format!("Release {}, {why}, goes first; to let it not: {away}", first.name),
    )
}

impl Asked<'_> {
    /// A gate that opens at no known time. It has been closed since it was first seen so.
    fn closed(&self, waits_for: WaitsFor, reason: Reason, how: String) -> Gate {
        let before = self.before.filter(|before| before.reason == reason.as_str());
        let since = before.map_or(self.at, |before| before.since.0);
        Gate::Closed(Closed { waits_for, reason, since, opens: None, how })
    }
}
