//! A Service as a target of a stage: what is seen of it, and how it stands to what the stage was given. Releases judge their
//! stages by this, and Pipelines what runs.

use crate::condition::{find, is_true};
use crate::reason::{ConditionType, Reason};
use jiff::{SignedDuration, Timestamp};
use launchway_crds::Service;
use launchway_crds::pipeline::{Grant, Verified};
use launchway_crds::service::{RolloutOutcome, RolloutPhase, RolloutStatus};

/// How long a Service may take to take a grant up, in seconds: a watch and a pass.
const HEARS: i64 = 60;

/// What was seen of a target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetSeen {
    /// The stage that it takes its image from, `<pipeline>/<stage>`; absent: its images are literals.
    pub follows: Option<String>,
    /// The Service's rollout.
    pub rollout: Option<RolloutStatus>,
    /// Why it cannot go on, where it says so for its present generation.
    pub stalled: Option<String>,
    /// Why its tasks do not prove the rollout, where it says so for its present generation.
    pub unproved: Option<(Reason, String)>,
    /// The names of the images that it takes from its stage.
    pub takes: Vec<String>,
    /// Why it cannot be read: then nothing else is known of it.
    pub unreadable: Option<String>,
}

/// How a target stands to what its stage was given.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// It runs it.
    Done,
    /// It is set to it, and runs no task that could prove it.
    Unproved(String),
    /// It is on its way.
    Rolling(String),
    /// It cannot go on until somebody changes something; it was not given up.
    Stuck(Reason, String),
    /// It was given up.
    Failed(Reason, String),
}

impl TargetSeen {
    /// The Service, as a target. What it says of an older spec does not count.
    pub fn of(service: Service) -> Self {
        let generation = service.metadata.generation.unwrap_or_default();
        let containers = service.spec.task_definition.container_definitions.iter();
        let from: Vec<_> = containers.filter_map(|container| container.image_from.as_ref()).collect();
        let follows = from.first().map(|from| format!("{}/{}", from.pipeline, from.stage));
        let takes = from.iter().map(|from| from.image.to_string()).collect();
        let Some(status) = service.status.filter(|status| status.observed_generation == generation) else {
            return Self { follows, rollout: None, stalled: None, unproved: None, takes, unreadable: None };
        };
        let said = |kind| find(&status.conditions, kind);
        let stalled = said(ConditionType::Stalled).filter(|_| is_true(&status.conditions, ConditionType::Stalled));
        let unproved = said(ConditionType::RolledOut).and_then(|condition| {
            let reason = Reason::parse(&condition.reason)?;
            (condition.status != "True").then(|| (reason, condition.message.clone()))
        });
        let stalled = stalled.map(|one| one.message.clone());
        Self { follows, stalled, unproved, takes, rollout: status.rollout, unreadable: None }
    }

    /// A Service that is there and cannot be read.
    pub fn unreadable(why: String) -> Self {
        Self { follows: None, rollout: None, stalled: None, unproved: None, takes: Vec::new(), unreadable: Some(why) }
    }
}

/// How a Service stands to what a stage was given. `seen`: absent where it was not looked at, `Some(&None)` where there is none.
pub fn standing(
    service: &str,
    source: &str,
    granted: &Grant,
    seen: Option<&Option<TargetSeen>>,
    at: Timestamp,
) -> Standing {
    let seen = match seen {
        None => return Standing::Rolling(format!("Service {service} has not been looked at yet")),
        Some(None) => {
            return Standing::Stuck(
                Reason::NotListed,
                format!(
                    "there is no Service {service} in this namespace: apply it, or take it out of the stage's targets"
                ),
            );
        }
        Some(Some(TargetSeen { unreadable: Some(why), .. })) => {
            return Standing::Stuck(Reason::Unreadable, format!("Service {service}: {why}"));
        }
        Some(Some(seen)) if seen.follows.as_deref() != Some(source) => {
            return Standing::Stuck(
                Reason::NotListed,
                format!(
                    "Service {service} does not take its image from this stage: give a container imageFrom with this Pipeline and stage, or take the Service out of the stage's targets"
                ),
            );
        }
        Some(Some(seen)) => seen,
    };
    let own = |rollout: &&RolloutStatus| rollout.grant == granted.number && rollout.source.as_deref() == Some(source);
    let Some(rollout) = seen.rollout.as_ref().filter(own) else { return unheard(service, seen, granted, at) };
    let reason = rollout.reason.clone().unwrap_or_default();
    match rollout.phase {
        RolloutPhase::Done => done(service, seen),
        RolloutPhase::Rolling => match &seen.stalled {
            Some(why) => stuck(service, why),
            None => Standing::Rolling(format!("Service {service} is being rolled out")),
        },
        RolloutPhase::Stuck => stuck(service, &reason),
        RolloutPhase::Failed => {
            let rolled_back = rollout.outcome == Some(RolloutOutcome::RolledBack);
            let word = if rolled_back { Reason::RolledBack } else { Reason::RolloutFailed };
            Standing::Failed(word, format!("Service {service}: {reason}"))
        }
    }
}

/// ECS has rolled it; whether its tasks run is another question.
fn done(service: &str, seen: &TargetSeen) -> Standing {
    match &seen.unproved {
        None => Standing::Done,
        Some((Reason::Unproved, why)) => Standing::Unproved(format!("Service {service}: {why}")),
        Some((Reason::TooFewTasks, why)) => Standing::Stuck(Reason::TooFewTasks, format!("Service {service}: {why}")),
        Some((_, why)) => Standing::Rolling(format!("Service {service}: {why}")),
    }
}

fn stuck(service: &str, why: &str) -> Standing {
    Standing::Stuck(Reason::TargetStalled, format!("Service {service} cannot go on: {why}"))
}

/// The Service has not taken the grant up yet. What it says may still be about the last one, for a moment.
fn unheard(service: &str, seen: &TargetSeen, granted: &Grant, at: Timestamp) -> Standing {
    let waited = at > granted.since.0 + SignedDuration::from_secs(HEARS);
    match seen.stalled.as_ref().filter(|_| waited) {
        Some(why) => stuck(service, why),
        None => Standing::Rolling(format!("Service {service} has not started the rollout yet")),
    }
}

/// How the targets of a stage stand together: as the one that is worst off, every one of its kind named.
pub fn together(all: Vec<Standing>) -> Standing {
    let (mut failed, mut stuck, mut rolling, mut unproved) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in all {
        match one {
            Standing::Done => {}
            Standing::Failed(reason, why) => failed.push((reason, why)),
            Standing::Stuck(reason, why) => stuck.push((reason, why)),
            Standing::Rolling(why) => rolling.push(why),
            Standing::Unproved(why) => unproved.push(why),
        }
    }
    let words = |all: Vec<(Reason, String)>| all.into_iter().map(|(_, why)| why).collect::<Vec<_>>().join("; ");
    match (failed.first(), stuck.first()) {
        (Some((reason, _)), _) => Standing::Failed(*reason, words(failed)),
        (None, Some((reason, _))) => Standing::Stuck(*reason, words(stuck)),
        (None, None) if !rolling.is_empty() => Standing::Rolling(rolling.join("; ")),
        (None, None) if !unproved.is_empty() => Standing::Unproved(unproved.join("; ")),
        (None, None) => Standing::Done,
    }
}

/// Whether the grant is that of the Release of this name and commit, and not of one that was deleted and had the same name.
pub fn was_given(grant: &Grant, name: &str, commit: &str, created: Option<Timestamp>) -> bool {
    *grant.release == *name && *grant.commit == *commit && created.is_none_or(|created| created <= grant.since.0)
}

/// Whether this is what the Release of this name and commit has proved. One that was made anew under the same name has not.
pub fn was_proved(verified: &Verified, name: &str, commit: &str, created: Option<Timestamp>) -> bool {
    *verified.release == *name && *verified.commit == *commit && created.is_some_and(|created| created < verified.at.0)
}
