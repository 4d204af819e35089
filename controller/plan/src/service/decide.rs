//! What is done about a Service: at most one effect, and when to come back.

use super::change;
use super::desired::Desired;
use super::record::Record;
use super::state::{Asked, Blocker, Chore, Guard, Rollout, State, Tags};
use super::tasks::Tasks;
use super::wanted::{COMMIT_TAG, MEANING_TAG, OWNER_TAG, Wanted};
use crate::Plan;
use crate::wake::{Wake, sooner};
use crate::world::{CreateServiceRequest, LiveService, RegisterRequest, UpdateServiceRequest};
use std::collections::BTreeMap;

/// How often a rollout is looked at, in seconds: ECS itself takes tens of seconds for a task.
pub const FOLLOWS: i64 = 15;
/// How often to look at a rollout that has passed its deadline, in seconds.
const HANGS: i64 = 60;
/// How often to look at a service that runs fewer tasks than it should, in seconds.
const SHORT: i64 = 60;
/// How soon to look again after a call whose result AWS may not show at once, in seconds.
const SOON: i64 = 5;

/// How often to look at a service that a person has to change first, in seconds. Nothing tells us when that happens.
const STUCK: i64 = 300;

/// One effect, with every argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Adds our finalizer to the object.
    Guard,
    /// Takes our finalizer away.
    Unguard,
    /// Registers a task definition.
    Register(RegisterRequest),
    /// Creates the service.
    Create(CreateServiceRequest),
    /// Starts a rollout.
    Update(UpdateServiceRequest),
    /// Changes the number of tasks.
    Scale(Asked<UpdateServiceRequest>),
    /// Changes what else starts no rollout.
    Adjust(Asked<UpdateServiceRequest>),
    /// Tags the service.
    Tag(Asked<Tags>),
    /// Deletes the service with its tasks.
    Delete {
        /// The cluster's name.
        cluster: String,
        /// The service's name.
        name: String,
    },
}

/// What an effect brought back.
#[derive(Clone, Debug, PartialEq)]
pub enum Effected {
    /// Nothing that is recorded.
    Plain,
    /// The ARN of a task definition.
    Registered(String),
    /// The service, as it was created.
    Created(Box<LiveService>),
    /// The service, as it was changed.
    Updated(Box<LiveService>),
}

/// What is done, and when to come back: what the finalizer needs, else the rollout's own call, else the first chore that can
/// be done. `resync` is how often a service that needs nothing is looked at, in seconds.
pub fn decide(desired: &Desired, wanted: Option<&Wanted>, record: &Record, state: &State, resync: i64) -> Plan<Action> {
    if let Some(plan) = guard(desired, state.guard) {
        return plan;
    }
    let plan = match &state.rollout {
        Ok(rollout) => roll(desired, wanted, record, rollout, resync),
        Err(blocker) => Plan::rest(blocked(blocker, resync)),
    };
    if plan.action.is_some() {
        return plan;
    }
    if let Some(action) = state.chores().iter().find_map(chore) {
        return Plan::act(action);
    }
    let settling = state.chores().iter().any(|chore| matches!(chore, Chore::Settling(_)));
    if settling { Plan::rest(sooner(plan.wake, Wake::After(SOON))) } else { plan }
}

fn guard(desired: &Desired, guard: Guard) -> Option<Plan<Action>> {
    match guard {
        Guard::Steady => None,
        Guard::Missing => Some(Plan::act(Action::Guard)),
        Guard::Unneeded => Some(Plan::act(Action::Unguard)),
        Guard::Deletes => {
            Some(begun(Action::Delete { cluster: desired.spec.cluster.to_string(), name: desired.ecs_name.clone() }))
        }
        Guard::Waits => Some(Plan::rest(Wake::After(FOLLOWS))),
    }
}

fn blocked(blocker: &Blocker, resync: i64) -> Wake {
    match blocker {
        Blocker::Refused(refusal) => Wake::of_refusal(refusal),
        Blocker::NoImage(_) | Blocker::OldGrant { .. } | Blocker::Suspended { .. } => Wake::Every(resync),
        Blocker::Blind(fault) => Wake::of_look(fault),
        Blocker::Unclear(_) => Wake::After(FOLLOWS),
        Blocker::Stuck { .. } => Wake::Every(STUCK),
        Blocker::Leaving => Wake::OnChange,
    }
}

fn roll(desired: &Desired, wanted: Option<&Wanted>, record: &Record, rollout: &Rollout, resync: i64) -> Plan<Action> {
    match (rollout, wanted) {
        (Rollout::Outdated { update, .. }, _) => begun(Action::Update((**update).clone())),
        (Rollout::Unregistered, Some(wanted)) => Plan::act(register(wanted)),
        (Rollout::Absent { task_definition }, Some(wanted)) => {
            begun(Action::Create(change::create(desired, wanted, task_definition, record.creations())))
        }
        (_, _) => Plan::rest(rest(rollout, resync)),
    }
}

/// When to look again at a rollout for which there is nothing to do now.
pub fn rest(rollout: &Rollout, resync: i64) -> Wake {
    match rollout {
        Rollout::InSync { tasks: Tasks::Short { proved: false, .. }, .. } => Wake::After(FOLLOWS),
        Rollout::InSync { tasks: Tasks::Short { .. } | Tasks::TooFew { .. }, .. } => Wake::After(SHORT),
        Rollout::Failed { .. } | Rollout::Held | Rollout::InSync { .. } => Wake::Every(resync),
        Rollout::Draining | Rollout::Rolling(_) | Rollout::Waiting(_) => Wake::After(FOLLOWS),
        Rollout::Overdue { .. } => Wake::After(HANGS),
        Rollout::Settling(_) | Rollout::Outdated { .. } => Wake::After(SOON),
        Rollout::Unrecorded => Wake::Now,
        Rollout::Unregistered | Rollout::Absent { .. } => Wake::OnChange,
    }
}

fn chore(chore: &Chore) -> Option<Action> {
    match chore {
        Chore::Scale(asked) => Some(Action::Scale(asked.clone())),
        Chore::Adjust(asked) => Some(Action::Adjust(asked.clone())),
        Chore::Tag(asked) => Some(Action::Tag(asked.clone())),
        Chore::Settling(_) | Chore::Refused(_) | Chore::Differs { .. } => None,
    }
}

/// A call that AWS does not show at once.
fn begun(action: Action) -> Plan<Action> {
    Plan { action: Some(action), wake: Wake::After(SOON) }
}

fn register(wanted: &Wanted) -> Action {
    let owner = wanted.tags.get(OWNER_TAG).cloned().unwrap_or_default();
    let mut tags =
        BTreeMap::from([(OWNER_TAG.to_owned(), owner), (MEANING_TAG.to_owned(), wanted.task_meaning.to_string())]);
    if let Some(commit) = &wanted.commit {
        tags.insert(COMMIT_TAG.to_owned(), commit.clone());
    }
    Action::Register(change::register(wanted, &tags))
}
