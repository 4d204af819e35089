//! What a pass over a Release saw, the failed looks included. Nothing is judged here.

use crate::account::AccountSeen;
use crate::look::Looked;
use crate::world::{LiveBuild, LiveImage};
use jiff::Timestamp;
use launchway_crds::pipeline::{PipelineSpec, PipelineStatus};
use launchway_crds::service::RolloutStatus;
use std::collections::BTreeMap;

/// What a pass over a Release saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The time, by AWS's clock.
    pub at: Timestamp,
    /// The Pipeline, read live; absent: there is none, or it is being deleted.
    pub pipeline: Option<PipelineFacts>,
    /// The AwsAccount and the namespace, read live.
    pub account: AccountSeen,
    /// The account's ID.
    pub account_id: Looked<String>,
    /// The builds, by step.
    pub builds: BTreeMap<String, BuildSeen>,
    /// The last log lines of builds that failed, by step.
    pub logs: BTreeMap<String, Vec<String>>,
    /// The image of the commit.
    pub image: Looked<Option<LiveImage>>,
    /// The targets of the stage that the Release holds, by Service; absent: there is no such Service.
    pub targets: BTreeMap<String, Option<TargetSeen>>,
    /// The verifications of the stage that the Release holds, by name: passed, or why not.
    pub verifications: BTreeMap<String, Result<(), String>>,
}

/// A Pipeline, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct PipelineFacts {
    /// Its spec.
    pub spec: PipelineSpec,
    /// Its status.
    pub status: Option<PipelineStatus>,
}

/// What was seen of a step's build.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildSeen {
    /// The build of the recorded ID; absent: CodeBuild does not know it (yet, or any more).
    Known(Looked<Option<LiveBuild>>),
    /// The builds of the intent's project that are not much older than the intent.
    Searched(Looked<Vec<LiveBuild>>),
}

/// What was seen of a target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetSeen {
    /// The stage that it takes its image from, `<pipeline>/<stage>`; absent: its images are literals.
    pub follows: Option<String>,
    /// The Service's rollout.
    pub rollout: Option<RolloutStatus>,
    /// Why it cannot go on, where it says so for its present generation.
    pub stalled: Option<String>,
}

impl Observed {
    /// Nothing seen of AWS yet.
    pub fn at(at: Timestamp, pipeline: Option<PipelineFacts>, account: AccountSeen) -> Self {
        Self {
            at,
            pipeline,
            account,
            account_id: Looked::NotAsked,
            builds: BTreeMap::new(),
            logs: BTreeMap::new(),
            image: Looked::NotAsked,
            targets: BTreeMap::new(),
            verifications: BTreeMap::new(),
        }
    }
}
