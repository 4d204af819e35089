//! Where a Release's stages stand, judged by the grants that the Services echo and by the verifications.

use super::desired::Desired;
use super::observed::{Observed, PipelineFacts, TargetSeen};
use super::record::Record;
use crate::pipeline::desired::{Method, Stage, Target, Verification};
use crate::reason::Reason;
use crate::refusal::Refusal;
use jiff::SignedDuration;
use launchway_crds::pipeline::{Grant, GrantReason, Waiting, WaitsFor};
use launchway_crds::release::{StagePhase, StageRecord};
use launchway_crds::service::{RolloutOutcome, RolloutPhase, RolloutStatus};

/// How long a Service may take to take a grant up, in seconds: a watch and a pass.
const HEARS: i64 = 60;

/// Where the stage stands at which a Release is.
#[derive(Clone, Debug, PartialEq)]
pub enum StageState {
    /// The Pipeline has not granted it.
    Waiting(Wait),
    /// The targets are rolled; the message says how far.
    Rolling(String),
    /// A target cannot go on until somebody changes something; it was not given up.
    Stuck(Reason, String),
    /// The targets run the release's images: the verification begins.
    Deployed,
    /// The verification is asked.
    Verifying(String),
    /// Proved.
    Verified,
    /// A target or the verification failed.
    Failed(Reason, String),
}

/// Why a Release waits for a stage, as the Pipeline says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What it waits for.
    pub what: WaitsFor,
    /// Why, in a word.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

/// The stage at which a Release is.
#[derive(Clone, Debug, PartialEq)]
pub struct Current<'a> {
    /// The stage.
    pub stage: Stage,
    /// What the Pipeline granted to the Release there, or why it waits.
    pub entry: Result<&'a Grant, Wait>,
}

/// The first stage of the Pipeline that the Release has not verified. Absent: it has verified them all.
pub fn current<'a>(
    release: &str,
    record: &Record,
    pipeline: &'a PipelineFacts,
) -> Result<Option<Current<'a>>, Refusal> {
    let verified = |name: &str| record.stages.iter().any(|one| *one.name == *name && one.phase == StagePhase::Verified);
    let Some(stage) = pipeline.spec.stages.iter().find(|stage| !verified(&stage.name)) else { return Ok(None) };
    let stage = Stage::parse(stage)?;
    let status = pipeline.status.iter().flat_map(|status| &status.stages).find(|one| *one.name == *stage.name);
    let granted = status.and_then(|status| status.grant.as_ref()).filter(|grant| is_own(grant, release));
    let waits = || status.and_then(|status| status.waiting.iter().find(|one| *one.release == *release));
    let entry = granted.ok_or_else(|| wait(&stage, waits()));
    Ok(Some(Current { stage, entry }))
}

/// Whether a Release entered under that grant. What a stage went back to was granted to no Release.
fn is_own(grant: &Grant, release: &str) -> bool {
    match grant.reason {
        GrantReason::Release => *grant.release == *release,
        GrantReason::Rollback | GrantReason::Hold => false,
    }
}

/// Why the Release waits. The Pipeline says so, unless it has not looked yet or has no room left to say it.
fn wait(stage: &Stage, recorded: Option<&Waiting>) -> Wait {
    match recorded {
        Some(waiting) => Wait {
            what: waiting.what,
            reason: Reason::parse(&waiting.reason).unwrap_or(Reason::WaitingForStage),
            message: format!("waiting for stage {}: {}", stage.name, waiting.message),
        },
        None => Wait {
            what: WaitsFor::Release,
            reason: Reason::WaitingForStage,
            message: format!("the image is there; waiting for stage {}", stage.name),
        },
    }
}

/// Whether the stage's verification is to be asked in this pass.
pub fn verifies(record: &Record, stage: &Stage) -> bool {
    recorded(record, stage).is_some_and(|one| one.phase == StagePhase::Verifying)
}

fn recorded<'a>(record: &'a Record, stage: &Stage) -> Option<&'a StageRecord> {
    record.stages.iter().find(|one| *one.name == *stage.name)
}

/// Where the stage stands.
pub fn stage_state(desired: &Desired, record: &Record, current: &Current<'_>, observed: &Observed) -> StageState {
    let Current { stage, entry } = current;
    let granted = match entry {
        Ok(granted) => granted,
        Err(wait) => return StageState::Waiting(wait.clone()),
    };
    let source = format!("{}/{}", desired.pipeline, stage.name);
    let of_target = |target: &Target| match target {
        Target::Service(service) => service_state(service, &source, granted, observed),
    };
    let targets: Vec<_> = stage.targets.iter().map(of_target).collect();
    if let Some(TargetState::Failed(reason, why)) =
        targets.iter().find(|target| matches!(target, TargetState::Failed(..)))
    {
        return StageState::Failed(*reason, why.clone());
    }
    if let Some(TargetState::Stuck(reason, why)) =
        targets.iter().find(|target| matches!(target, TargetState::Stuck(..)))
    {
        return StageState::Stuck(*reason, why.clone());
    }
    let rolling: Vec<_> = targets.iter().filter_map(TargetState::rolling).collect();
    if !rolling.is_empty() {
        return StageState::Rolling(rolling.join("; "));
    }
    verification(record, stage, granted, observed)
}

fn verification(record: &Record, stage: &Stage, granted: &Grant, observed: &Observed) -> StageState {
    let Some(own) =
        recorded(record, stage).filter(|one| one.grant == granted.number && one.phase == StagePhase::Verifying)
    else {
        return if stage.verify.is_empty() { StageState::Verified } else { StageState::Deployed };
    };
    let since = own.deployed_at.as_ref().map_or(observed.at, |time| time.0);
    let mut waits = None;
    for one in &stage.verify {
        let Some(Err(why)) = observed.verifications.get(&*one.name) else { continue };
        let message = format!("verification {} of {}: {why}", one.name, asked(one));
        if observed.at > since + SignedDuration::from_secs(one.timeout) {
            return StageState::Failed(Reason::VerificationFailed, format!("{message}, for {} seconds", one.timeout));
        }
        waits = waits.or(Some(message));
    }
    let unasked = stage.verify.iter().find(|one| !observed.verifications.contains_key(&*one.name));
    match (waits, unasked) {
        (Some(message), _) => StageState::Verifying(message),
        (None, Some(one)) => StageState::Verifying(format!("verification {} is asked next", one.name)),
        (None, None) => StageState::Verified,
    }
}

/// What a verification asks. A URL's query may hold what is not for everybody.
fn asked(verification: &Verification) -> &str {
    match &verification.method {
        Method::Http(http) => http.url.split_once('?').map_or(http.url.as_str(), |(url, _)| url),
    }
}

enum TargetState {
    Done,
    Rolling(String),
    Stuck(Reason, String),
    Failed(Reason, String),
}

impl TargetState {
    fn rolling(&self) -> Option<&str> {
        match self {
            Self::Rolling(how) => Some(how),
            Self::Done | Self::Stuck(..) | Self::Failed(..) => None,
        }
    }
}

fn service_state(service: &str, source: &str, granted: &Grant, observed: &Observed) -> TargetState {
    let seen = match observed.targets.get(service) {
        None => return TargetState::Rolling(format!("Service {service} is looked at next")),
        Some(None) => {
            return TargetState::Stuck(
                Reason::NotListed,
                format!(
                    "there is no Service {service} in this namespace: apply it, or take it out of the stage's targets"
                ),
            );
        }
        Some(Some(seen)) if seen.follows.as_deref() != Some(source) => {
            return TargetState::Stuck(
                Reason::NotListed,
                format!(
                    "Service {service} does not take its image from here: give a container imageFrom with this Pipeline and stage, or take the Service out of the stage's targets"
                ),
            );
        }
        Some(Some(seen)) => seen,
    };
    let own = |rollout: &&RolloutStatus| rollout.grant == granted.number && rollout.source.as_deref() == Some(source);
    let Some(rollout) = seen.rollout.as_ref().filter(own) else {
        return unheard(service, seen, granted, observed);
    };
    let reason = rollout.reason.clone().unwrap_or_default();
    match rollout.phase {
        RolloutPhase::Done => TargetState::Done,
        RolloutPhase::Rolling => match &seen.stalled {
            Some(why) => stuck(service, why),
            None => TargetState::Rolling(format!("Service {service} is being rolled")),
        },
        RolloutPhase::Stuck => stuck(service, &reason),
        RolloutPhase::Failed => {
            let rolled_back = rollout.outcome == Some(RolloutOutcome::RolledBack);
            let word = if rolled_back { Reason::RolledBack } else { Reason::RolloutFailed };
            TargetState::Failed(word, format!("Service {service}: {reason}"))
        }
    }
}

fn stuck(service: &str, why: &str) -> TargetState {
    TargetState::Stuck(Reason::TargetStalled, format!("Service {service} cannot go on: {why}"))
}

/// The Service has not taken the grant up yet. What it says may still be about the last one, for a moment.
fn unheard(service: &str, seen: &TargetSeen, granted: &Grant, observed: &Observed) -> TargetState {
    let waited = observed.at > granted.since.0 + SignedDuration::from_secs(HEARS);
    match seen.stalled.as_ref().filter(|_| waited) {
        Some(why) => stuck(service, why),
        None => TargetState::Rolling(format!("Service {service} has not begun")),
    }
}
