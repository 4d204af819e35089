//! Where a Service can stand. Computed by `assess`, and never stored.

use crate::fault::Fault;
use crate::refusal::Refusal;
use crate::world::{Deployment, LiveService, StoppedTask, UpdateServiceRequest};
use launchway_crds::service::EffectStatus;
use std::collections::BTreeMap;

/// Where a Service stands.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// The spec asks for what it cannot have.
    Refused(Refusal),
    /// Its first image is not there yet.
    NoImage(String),
    /// Something that is needed could not be seen.
    Blind(Fault),
    /// What was seen does not fit together, or not yet: it cannot be told where the service stands.
    Unclear(String),
    /// The stage that is seen is older than what was rolled last.
    OldGrant {
        /// The grant that is seen.
        seen: i64,
    },
    /// A service of that name exists and carries another owner's tag, or none.
    NotOurs {
        /// The value of the tag that would make it ours.
        owner: String,
    },
    /// The service is of a kind that this version does not drive.
    NotDriven(String),
    /// The service cannot be changed into what is wanted.
    Unchangeable(String),
    /// A service of that name is being deleted.
    Draining,
    /// The finalizer is to be added before anything is created.
    Unguarded,
    /// The finalizer is no longer needed.
    Guarded,
    /// An effect was sent a moment ago, and the world is only looked at.
    Settling {
        /// The effect.
        sent: EffectStatus,
        /// Where the rollout stands, if the effect was not of it.
        standing: Option<Box<State>>,
    },
    /// No task definition says what is wanted.
    Unregistered,
    /// There is no service.
    Absent {
        /// The ARN of the task definition.
        task_definition: String,
    },
    /// A rollout is to be recorded before it is begun.
    Unrecorded,
    /// ECS is to be asked for the rollout.
    Outdated {
        /// The ARN of the task definition.
        task_definition: String,
        /// What is asked.
        update: Box<UpdateServiceRequest>,
    },
    /// ECS brings what is wanted.
    Rolling(Box<Deployment>),
    /// ECS brings what is wanted, and takes longer than it may. It may still get there.
    Overdue {
        /// The deployment.
        deployment: Box<Deployment>,
        /// The service's newest event.
        hint: Option<String>,
    },
    /// ECS brings something else, which is waited for.
    Waiting(Box<Deployment>),
    /// ECS gave it up. It is held.
    Failed {
        /// The deployment that failed.
        deployment: Box<Deployment>,
        /// Its tasks that stopped.
        stopped: Vec<StoppedTask>,
        /// What is known where no task tells why: the service's newest event, or that its tasks cannot be read.
        hint: Option<String>,
    },
    /// It failed before, and is held still.
    Held,
    /// Members that start no rollout differ.
    Adjustable {
        /// What is asked.
        update: Box<UpdateServiceRequest>,
        /// Where the rollout stands.
        standing: Box<State>,
    },
    /// Tags differ.
    Untagged {
        /// The service's ARN.
        arn: String,
        /// The tags that are missing or differ.
        tags: BTreeMap<String, String>,
        /// Where the rollout stands.
        standing: Box<State>,
    },
    /// The service runs what is wanted.
    InSync {
        /// The live service.
        live: Box<LiveService>,
        /// The ARN of the task definition.
        task_definition: String,
        /// The deployment that brought it, where ECS remembers it.
        deployment: Option<String>,
    },
    /// The object is being deleted, and the service is to be deleted first.
    Doomed,
    /// The service is being deleted.
    Ending,
}

impl State {
    /// Where the rollout stands, all else left aside.
    pub fn standing(&self) -> &State {
        match self {
            Self::Adjustable { standing, .. } | Self::Untagged { standing, .. } => standing,
            Self::Settling { standing, .. } => standing.as_deref().unwrap_or(self),
            Self::Refused(_)
            | Self::NoImage(_)
            | Self::Blind(_)
            | Self::Unclear(_)
            | Self::OldGrant { .. }
            | Self::NotOurs { .. }
            | Self::NotDriven(_)
            | Self::Unchangeable(_)
            | Self::Draining
            | Self::Unguarded
            | Self::Guarded
            | Self::Unregistered
            | Self::Absent { .. }
            | Self::Unrecorded
            | Self::Outdated { .. }
            | Self::Rolling(_)
            | Self::Overdue { .. }
            | Self::Waiting(_)
            | Self::Failed { .. }
            | Self::Held
            | Self::InSync { .. }
            | Self::Doomed
            | Self::Ending => self,
        }
    }
}
