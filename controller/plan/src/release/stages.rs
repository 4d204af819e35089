//! The state of the stage that a Release is at, judged by the grants that the Services echo and by the verifications.

use super::desired::Desired;
use super::observed::{Observed, PipelineFacts};
use super::record::Record;
use crate::pipeline::desired::{Method, Stage, Target, Verification};
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::target::{Standing, standing, together, was_given};
use jiff::SignedDuration;
use launchway_crds::pipeline::{Grant, GrantReason, Image, Waiting, WaitsFor};
use launchway_crds::release::{StagePhase, StageRecord};

/// The state of the stage that a Release is at.
#[derive(Clone, Debug, PartialEq)]
pub enum StageState {
    /// The Pipeline has not let the Release enter the stage.
    Waiting(Wait),
    /// The targets are being rolled out; the text says how far.
    Rolling(String),
    /// A target cannot go on until somebody changes something. It has not failed.
    Stuck(Reason, String),
    /// The targets are set to the Release's images, but no task proves that they work.
    Unproved(String),
    /// The targets run the Release's images, and the verification begins.
    Deployed,
    /// The verifications are being sent; the text says what is still missing.
    Verifying(String),
    /// The targets run the Release's images, and every verification passed.
    Verified,
    /// A target or the verification failed.
    Failed(Reason, String),
}

/// Why a Release waits for a stage, as the Pipeline says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What it waits for.
    pub what: WaitsFor,
    /// Why, as the reason of a condition.
    pub reason: Reason,
    /// Why, as the message of a condition.
    pub message: String,
}

/// The stage that a Release is at.
#[derive(Clone, Debug, PartialEq)]
pub struct Current<'a> {
    /// The stage.
    pub stage: Stage,
    /// The grant under which the Release entered the stage, or why it waits.
    pub entry: Result<&'a Grant, Wait>,
}

/// The first stage of the Pipeline that the Release has not verified. `None`: it has verified them all.
pub fn current<'a>(
    desired: &Desired,
    record: &Record,
    pipeline: &'a PipelineFacts,
) -> Result<Option<Current<'a>>, Refusal> {
    let verified = |name: &str| record.stages.iter().any(|one| *one.name == *name && one.phase == StagePhase::Verified);
    let Some(stage) = pipeline.spec.stages.iter().find(|stage| !verified(&stage.name)) else { return Ok(None) };
    let stage = Stage::parse(stage)?;
    let status = pipeline.status.iter().flat_map(|status| &status.stages).find(|one| *one.name == *stage.name);
    let granted = status.and_then(|status| status.grant.as_ref()).filter(|grant| is_own(grant, desired));
    let waits = || status.and_then(|status| status.waiting.iter().find(|one| *one.release == *desired.name));
    let entry = granted.ok_or_else(|| wait(&stage, waits()));
    Ok(Some(Current { stage, entry }))
}

/// Whether the Release entered the stage under this grant. A grant for a roll-back or a hold lets no Release in.
fn is_own(grant: &Grant, desired: &Desired) -> bool {
    match grant.reason {
        GrantReason::Release => was_given(grant, &desired.name, &desired.commit, desired.created),
        GrantReason::Rollback | GrantReason::Hold => false,
    }
}

/// Why the Release waits. The Pipeline does not say it if it has not looked yet, or if its status has no room left.
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

/// Whether the stage's verifications are to be sent in this pass.
pub fn verifies(record: &Record, stage: &Stage) -> bool {
    recorded(record, stage).is_some_and(|one| one.phase == StagePhase::Verifying)
}

fn recorded<'a>(record: &'a Record, stage: &Stage) -> Option<&'a StageRecord> {
    record.stages.iter().find(|one| *one.name == *stage.name)
}

/// How a Service stands that takes an image which the Pipeline has and the Release does not, because it began before: it will never
/// run this Release. Of an image that the Pipeline does not have the Service says so itself, until one of the two is corrected.
fn without(service: &str, granted: &Grant, observed: &Observed) -> Option<Standing> {
    let seen = observed.targets.get(service)?.as_ref()?;
    let has = |images: &[Image], name: &str| images.iter().any(|image| *image.name == *name);
    let pipeline = observed.pipeline.as_ref()?;
    let is_given = |name: &str| granted.images.iter().any(|image| *image.name == *name);
    let name = seen.takes.iter().find(|name| !is_given(name) && has(&pipeline.spec.images, name))?;
    let why = format!(
        "Service {service} takes image {name}, which this release does not have: it began before the Pipeline had an image of that \
         name; the next release has it"
    );
    Some(Standing::Failed(Reason::ImageMissing, why))
}

/// The state of the stage.
pub fn stage_state(desired: &Desired, record: &Record, current: &Current<'_>, observed: &Observed) -> StageState {
    let Current { stage, entry } = current;
    let granted = match entry {
        Ok(granted) => granted,
        Err(wait) => return StageState::Waiting(wait.clone()),
    };
    let source = format!("{}/{}", desired.pipeline, stage.name);
    let of_target = |target: &Target| match target {
        Target::Service(service) => without(service, granted, observed)
            .unwrap_or_else(|| standing(service, &source, granted, observed.targets.get(service), observed.at)),
    };
    let all: Vec<Standing> = stage.targets.iter().map(of_target).collect();
    let others = others(stage, &all);
    match together(all) {
        Standing::Failed(reason, why) => StageState::Failed(reason, format!("{why}{others}")),
        Standing::Stuck(reason, why) => StageState::Stuck(reason, why),
        Standing::Rolling(why) => StageState::Rolling(why),
        Standing::Unproved(why) => StageState::Unproved(why),
        Standing::Done => verification(record, stage, granted, observed),
    }
}

/// For the message about a failed target: what the other targets of the stage run. They are not rolled back.
fn others(stage: &Stage, all: &[Standing]) -> String {
    let names = |is: fn(&Standing) -> bool| {
        let both = stage.targets.iter().zip(all).filter(move |(_, one)| is(one));
        both.map(|(Target::Service(name), _)| name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let (new, on_its_way) = (
        names(|one| matches!(one, Standing::Done | Standing::Unproved(_))),
        names(|one| matches!(one, Standing::Rolling(_))),
    );
    let mut text = String::new();
    if !new.is_empty() {
        text.push_str(&format!("; {new} of the same stage runs this commit and stays so"));
    }
    if !on_its_way.is_empty() {
        text.push_str(&format!("; {on_its_way} of the same stage is still being brought to it"));
    }
    text
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
            return StageState::Failed(
                Reason::VerificationFailed,
                format!("{message}; it was asked for {} seconds", one.timeout),
            );
        }
        waits = waits.or(Some(message));
    }
    let unasked = stage.verify.iter().find(|one| !observed.verifications.contains_key(&*one.name));
    match (waits, unasked) {
        (Some(message), _) => StageState::Verifying(message),
        (None, Some(one)) => StageState::Verifying(format!("verification {} has not been asked yet", one.name)),
        (None, None) => StageState::Verified,
    }
}

/// The URL that a verification asks, without its query, which may hold secrets.
fn asked(verification: &Verification) -> &str {
    match &verification.method {
        Method::Http(http) => http.url.split_once('?').map_or(http.url.as_str(), |(url, _)| url),
    }
}
