//! The gates of a stage, which must all be open before a Release enters it. Each gate is one function. Which Release
//! enters is decided in `stages`.

use super::desired::{Desired, Stage};
use super::observed::ReleaseSeen;
use crate::condition::{cut, whole};
use crate::life::resume_command;
use crate::reason::Reason;
use crate::refusal::Refusal;
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{Grant, GrantReason, Waiting, WaitsFor};

/// The longest message of a Release that waits, in bytes. Several of them have to fit into a status.
const MESSAGE: usize = 224;

/// Whether a gate lets a Release into a stage now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It lets the Release in.
    Open,
    /// It keeps the Release out.
    Closed(Closed),
}

/// Why a gate is closed, and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// Why, as the reason of a condition.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
    /// When it opens; absent: not known. The next pass is due then at the latest.
    pub opens: Option<Timestamp>,
    /// Why, as a message for people, with what they can do to open it.
    pub how: String,
}

/// What a gate needs to know in order to decide whether this Release may enter this stage now.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The Pipeline.
    pub desired: &'a Desired,
    /// Why the Pipeline is refused, by its account for example; absent: it is not.
    pub refusal: Option<&'a Refusal>,
    /// The stage.
    pub stage: &'a Stage,
    /// The stage's present grant; absent: it has none.
    pub grant: Option<&'a Grant>,
    /// The Release that entered the stage last, while it is still at work there.
    pub occupant: Option<&'a ReleaseSeen>,
    /// An older Release that goes first, whether it has come this far or not.
    pub goes_first: Option<&'a ReleaseSeen>,
    /// The Release that wants to enter.
    pub release: &'a ReleaseSeen,
    /// What is recorded of the Release's wait; absent: it did not wait before.
    pub before: Option<&'a Waiting>,
    /// The time.
    pub at: Timestamp,
}

/// All gates of the stage. If several are closed, the first of them is reported, so those that need somebody to act
/// come first.
pub fn gates(asked: &Asked<'_>) -> Vec<Gate> {
    vec![account(asked), suspension(asked), occupation(asked), line(asked)]
}

/// The closed gates, in the same order.
pub fn closed(gates: Vec<Gate>) -> Vec<Closed> {
    let closed = |gate| match gate {
        Gate::Open => None,
        Gate::Closed(closed) => Some(closed),
    };
    gates.into_iter().filter_map(closed).collect()
}

/// What is recorded of a Release that waits at these closed gates. `None`: no gate is closed. `opens` is when the last
/// of them opens, and is left out if that is not known of each of them.
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

/// Nothing is started that the account does not allow.
fn account(asked: &Asked<'_>) -> Gate {
    match asked.refusal {
        Some(refusal) => asked.closed(WaitsFor::Correction, refusal.reason(), refusal.to_string()),
        None => Gate::Open,
    }
}

/// Nothing is started while the Pipeline is suspended.
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

/// There is one Release at a time in a stage, so that a newer commit never interrupts a rollout. A stage that a person
/// holds at a Release lets no other in.
fn occupation(asked: &Asked<'_>) -> Gate {
    let stage = &asked.stage.name;
    match (asked.occupant, asked.grant) {
        (Some(occupant), _) if occupant.stalled => asked.closed(
            WaitsFor::Person,
            Reason::WaitingForStage,
            format!(
                "Release {} is in stage {stage} and cannot go on ({}): mend that, or delete it: {}",
                occupant.name,
                occupant.reason,
                delete_command(asked, occupant)
            ),
        ),
        (Some(occupant), _) => asked.closed(
            WaitsFor::Release,
            Reason::WaitingForStage,
            format!("Release {} is still being rolled out or verified in stage {stage}", occupant.name),
        ),
        (None, Some(Grant { reason: GrantReason::Hold, release, .. })) => asked.closed(
            WaitsFor::Person,
            Reason::WaitingForStage,
            format!("stage {stage} is held at Release {release}"),
        ),
        (None, Some(_) | None) => Gate::Open,
    }
}

/// The command that takes a Release out of the way.
fn delete_command(asked: &Asked<'_>, release: &ReleaseSeen) -> String {
    format!("kubectl delete releases.launchway.dev {} -n {}", release.name, asked.desired.namespace)
}

/// In a queue the older Release goes first, and everywhere one that a person made goes before a newer commit.
fn line(asked: &Asked<'_>) -> Gate {
    let Some(first) = asked.goes_first.filter(|_| asked.occupant.is_none()) else { return Gate::Open };
    let why = if first.is_persons() { "which a person made before" } else { "which is older" };
    let away = delete_command(asked, first);
    let (waits_for, how) = if first.stalled {
        (WaitsFor::Person, format!("goes first and cannot go on ({}): mend that, or delete it: {away}", first.reason))
    } else {
        (WaitsFor::Release, format!("goes first; to let it not: {away}"))
    };
    asked.closed(waits_for, Reason::WaitingForStage, format!("Release {}, {why}, {how}", first.name))
}

impl Asked<'_> {
    /// A closed gate of which it is not known when it opens. It counts as closed since the first pass that found it
    /// closed for this reason.
    fn closed(&self, waits_for: WaitsFor, reason: Reason, how: String) -> Gate {
        let before = self.before.filter(|before| before.reason == reason.as_str());
        let since = before.map_or(self.at, |before| before.since.0);
        Gate::Closed(Closed { waits_for, reason, since, opens: None, how })
    }
}
