//! What the badge of a Pipeline says. How it looks is not known here.

use crate::condition::{find, find_true};
use crate::reason::{ConditionType, Reason};
use launchway_crds::Pipeline;
use launchway_crds::condition::Condition;
use launchway_crds::pipeline::Badge;

/// How many digits of a commit a badge has room for: as many as git and its hosts show.
const DIGITS: usize = 7;

/// What a badge says: whose it is, and how the newest commit fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The Pipeline's name.
    pub pipeline: String,
    /// How it stands.
    pub standing: Standing,
    /// The same in words, with a commit.
    pub message: String,
}

/// How a Pipeline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The newest commit runs in the last stage, verified.
    Released,
    /// It is on its way.
    UnderWay,
    /// It waits for a person or a time.
    Held,
    /// The Pipeline is suspended.
    Suspended,
    /// It failed, or what ran does not run any more as it should.
    Failed,
    /// Nothing was released yet.
    New,
}

/// What the badge of a Pipeline says, if it has one.
pub fn words(pipeline: &Pipeline) -> Option<Words> {
    let Badge::Public = pipeline.spec.report.as_ref()?.badge?;
    let status = pipeline.status.as_ref();
    let conditions = status.map(|status| &*status.conditions).unwrap_or_default();
    let commit = status.and_then(|status| status.summary.as_ref()).map_or("", |summary| &*summary.commit);
    let commit = commit.get(..DIGITS).unwrap_or(commit);
    let standing = if commit.is_empty() { Standing::New } else { standing(conditions) };
    let word = match standing {
        Standing::Released => "",
        Standing::UnderWay => "deploying ",
        Standing::Suspended => "suspended ",
        Standing::Held => "waiting ",
        Standing::Failed => "failed ",
        Standing::New => "no release yet",
    };
    let pipeline = pipeline.metadata.name.clone().unwrap_or_default();
    Some(Words { pipeline, standing, message: format!("{word}{commit}") })
}

/// What the condition Released says: the others are about the next commit as well, or about the source.
fn standing(conditions: &[Condition]) -> Standing {
    let of = |kind| find(conditions, kind).map(|one| (one.status.as_str(), one.reason.as_str()));
    match of(ConditionType::Released) {
        Some(("True", _)) => Standing::Released,
        Some(("False", _)) => Standing::Failed,
        Some((_, reason)) if reason == Reason::Suspended.as_str() => Standing::Suspended,
        _ if find_true(conditions, ConditionType::Held).is_some() => Standing::Held,
        Some(_) | None => Standing::UnderWay,
    }
}
