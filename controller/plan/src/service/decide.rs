//! What is done about a Service: at most one effect, and when to come back.

use super::change;
use super::desired::Desired;
use super::state::State;
use super::wanted::{COMMIT_TAG, MEANING_TAG, OWNER_TAG, Wanted};
use crate::Plan;
use crate::wake::Wake;
use crate::world::{CreateServiceRequest, LiveService, RegisterRequest, UpdateServiceRequest};
use launchway_crds::service::ServiceStatus;
use std::collections::BTreeMap;

/// How often a rollout is looked at, in seconds: ECS itself takes tens of seconds for a task.
pub const FOLLOWS: i64 = 15;
/// How often a rollout is looked at that takes longer than it may, in seconds.
const HANGS: i64 = 60;
/// How soon an effect is looked for that AWS may not show at once, in seconds.
const SOON: i64 = 5;

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
    /// Changes what starts no rollout.
    Adjust(UpdateServiceRequest),
    /// Tags the service.
    Tag {
        /// The service's ARN.
        arn: String,
        /// The tags.
        tags: BTreeMap<String, String>,
    },
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

/// What is done, and when to come back. `resync` is how often a service that needs nothing is looked at, in seconds.
pub fn decide(
    desired: &Desired,
    wanted: Option<&Wanted>,
    record: &ServiceStatus,
    state: &State,
    resync: i64,
) -> Plan<Action> {
    match state {
        State::Refused(refusal) => Plan::rest(Wake::of_refusal(refusal)),
        State::NoImage(_) | State::Failed { .. } | State::Held | State::InSync { .. } | State::OldGrant { .. } => {
            Plan::rest(Wake::Every(resync))
        }
        State::Blind(fault) => Plan::rest(Wake::of_look(fault)),
        State::NotOurs { .. } | State::NotDriven(_) | State::Unchangeable(_) => Plan::rest(Wake::Operator),
        State::Draining | State::Rolling(_) | State::Waiting(_) | State::Unclear(_) | State::Ending => {
            Plan::rest(Wake::After(FOLLOWS))
        }
        State::Overdue { .. } => Plan::rest(Wake::After(HANGS)),
        State::Settling { .. } => Plan::rest(Wake::After(SOON)),
        State::Unrecorded => Plan::rest(Wake::Now),
        State::Unguarded => Plan::act(Action::Guard),
        State::Guarded if desired.finalizer => Plan::act(Action::Unguard),
        State::Guarded => Plan::rest(Wake::OnChange),
        State::Doomed => Plan {
            action: Some(Action::Delete { cluster: desired.spec.cluster.to_string(), name: desired.ecs_name.clone() }),
            wake: Wake::After(SOON),
        },
        State::Outdated { update, .. } => begun(Action::Update((**update).clone())),
        State::Adjustable { update, .. } => Plan::act(Action::Adjust((**update).clone())),
        State::Untagged { arn, tags, .. } => Plan::act(Action::Tag { arn: arn.clone(), tags: tags.clone() }),
        State::Unregistered => wanted.map_or(Plan::rest(Wake::OnChange), |wanted| Plan::act(register(wanted))),
        State::Absent { task_definition } => {
            wanted.map_or(Plan::rest(Wake::OnChange), |wanted| begun(create(desired, wanted, record, task_definition)))
        }
    }
}

/// A rollout that ECS is asked for, and does not show at once.
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

fn create(desired: &Desired, wanted: &Wanted, record: &ServiceStatus, task_definition: &str) -> Action {
    let creation = record.service.as_ref().map_or(0, |service| service.creations);
    Action::Create(change::create(desired, wanted, task_definition, creation))
}
