//! Where a Service can stand. Computed by `assess`, and never stored.

use super::tasks::Tasks;
use crate::fault::Fault;
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::world::{Deployment, LiveService, StoppedTask, UpdateServiceRequest};
use launchway_crds::service::{Effect, EffectStatus};
use std::collections::BTreeMap;

/// Where a Service stands. Three questions with an answer each, in the order in which something is done about them.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What the finalizer needs.
    pub guard: Guard,
    /// Where the rollout of what is wanted stands, or why that cannot be told or must not be carried out.
    pub rollout: Result<Rollout, Blocker>,
    /// What is left to do that starts no rollout; absent: not looked at.
    pub chores: Option<Vec<Chore>>,
}

impl State {
    /// In how many seconds there is a token for a look that got none. Such a pass comes again and tells nothing.
    pub fn turn(&self) -> Option<i64> {
        match &self.rollout {
            Err(Blocker::Blind(fault)) => fault.turn(),
            Ok(_) | Err(_) => None,
        }
    }

    /// A Service whose rollout is all that there is to say.
    pub fn of(rollout: Result<Rollout, Blocker>) -> Self {
        Self { guard: Guard::Steady, rollout, chores: None }
    }

    /// What is left to do beside the rollout, as far as it was looked at.
    pub fn chores(&self) -> &[Chore] {
        self.chores.as_deref().unwrap_or_default()
    }
}

/// What our finalizer needs, which keeps an object with `deletionPolicy: Delete` until its ECS service is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::VariantNames, strum::IntoStaticStr))]
pub enum Guard {
    /// Nothing: it is there if it is needed, and only then.
    Steady,
    /// It is to be added, before anything is created.
    Missing,
    /// It is to be taken away.
    Unneeded,
    /// The object is being deleted, and the service is to be deleted first.
    Deletes,
    /// The object is being deleted, and ECS is deleting the service.
    Waits,
}

/// Why the rollout cannot be told, or must not be carried out.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(strum::VariantNames, strum::IntoStaticStr))]
pub enum Blocker {
    /// The spec asks for what it cannot have.
    Refused(Refusal),
    /// Its first image is not there yet.
    NoImage(String),
    /// Something that is needed could not be seen.
    Blind(Fault),
    /// What was seen is not consistent, or not yet.
    Unclear(String),
    /// The stage that is seen is older than what was rolled last.
    OldGrant {
        /// The grant that is seen.
        seen: i64,
    },
    /// The ECS service that is there cannot become what is wanted until somebody changes it or the spec: it is another
    /// owner's, of a kind that this version does not drive, or differs in what ECS never changes.
    Stuck {
        /// Which of these.
        reason: Reason,
        /// What there is, and what to do.
        why: String,
    },
    /// The Pipeline that it follows is suspended, and a rollout is due: none is begun.
    Suspended {
        /// What would be done, and how it continues.
        why: String,
    },
    /// The object is being deleted: nothing is rolled any more.
    Leaving,
}

/// Where the rollout of what is wanted stands.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(strum::VariantNames, strum::IntoStaticStr))]
pub enum Rollout {
    /// A service of that name is being deleted, which is waited for.
    Draining,
    /// A call was sent a moment ago, and AWS may not show it yet.
    Settling(EffectStatus),
    /// No task definition says what is wanted.
    Unregistered,
    /// There is no service.
    Absent {
        /// The ARN of the task definition.
        task_definition: String,
    },
    /// It is to be recorded before it is begun.
    Unrecorded,
    /// ECS is to be asked for it.
    Outdated {
        /// The ARN of the task definition.
        task_definition: String,
        /// What is asked.
        update: Box<UpdateServiceRequest>,
    },
    /// ECS brings what is wanted.
    Rolling(Box<Deployment>),
    /// ECS brings what is wanted and has passed the deadline. It may still succeed.
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
    /// The service runs what is wanted.
    InSync {
        /// The live service.
        live: Box<LiveService>,
        /// The ARN of the task definition.
        task_definition: String,
        /// The deployment that brought it, where ECS remembers it.
        deployment: Option<String>,
        /// Whether as many tasks run it as should.
        tasks: Tasks,
    },
}

impl Rollout {
    /// Whether AWS shows it, or that it is over.
    pub fn is_shown(&self) -> bool {
        matches!(self, Self::Rolling(_) | Self::Overdue { .. } | Self::Failed { .. } | Self::Held | Self::InSync { .. })
    }
}

/// Something that is left to do beside the rollout, wherever that stands. It starts none.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(strum::VariantNames, strum::IntoStaticStr))]
pub enum Chore {
    /// The number of tasks differs.
    Scale(Asked<UpdateServiceRequest>),
    /// Other members of the service differ.
    Adjust(Asked<UpdateServiceRequest>),
    /// Tags of the service are missing or differ.
    Tag(Asked<Tags>),
    /// It was asked for a moment ago; AWS may not show it yet.
    Settling(EffectStatus),
    /// AWS refused it. It is asked for again now and then, and when the spec changes.
    Refused(EffectStatus),
    /// AWS took it and shows something else. It is not asked for again until the spec changes.
    Differs {
        /// Which call it was.
        effect: Effect,
        /// What is wanted and what is shown, for people.
        what: String,
    },
}

/// What a chore asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked<T> {
    /// The request.
    pub request: Box<T>,
    /// The hash of what is wanted, whatever is live beside it.
    pub hash: String,
}

/// Tags to be set.
#[derive(Clone, Debug, PartialEq)]
pub struct Tags {
    /// The service's ARN.
    pub arn: String,
    /// The tags.
    pub tags: BTreeMap<String, String>,
}

impl Chore {
    /// The call that it is, or was.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Scale(_) => Effect::Scale,
            Self::Adjust(_) => Effect::Adjust,
            Self::Tag(_) => Effect::Tag,
            Self::Settling(sent) | Self::Refused(sent) => sent.effect,
            Self::Differs { effect, .. } => *effect,
        }
    }
}
