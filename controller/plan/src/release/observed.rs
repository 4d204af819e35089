//! What a pass over a Release saw, the failed looks included. Nothing is judged here.

use crate::account::AccountSeen;
use crate::fault::Fault;
use crate::look::Looked;
use crate::target::TargetSeen;
use crate::world::{LiveBuild, LiveImage};
use jiff::Timestamp;
use launchway_crds::pipeline::{PipelineSpec, PipelineStatus};
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
    /// The builds that may have pushed the image: those of the build's project since long before it was pushed.
    pub origins: Looked<Vec<LiveBuild>>,
    /// Whether tags of the repository cannot be moved.
    pub immutable: Looked<bool>,
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
            origins: Looked::NotAsked,
            immutable: Looked::NotAsked,
            targets: BTreeMap::new(),
            verifications: BTreeMap::new(),
        }
    }

    /// The build of that step, if this pass saw it by its ID.
    pub fn build(&self, step: &str) -> Option<&LiveBuild> {
        match self.builds.get(step) {
            Some(BuildSeen::Known(Looked::Seen(build))) => build.as_ref(),
            Some(BuildSeen::Known(_) | BuildSeen::Searched(_)) | None => None,
        }
    }

    /// In how many seconds there is a token for a look that got none. Such a pass comes again and tells nothing.
    pub fn turn(&self) -> Option<i64> {
        let builds = self.builds.values().map(|seen| match seen {
            BuildSeen::Known(build) => build.fault(),
            BuildSeen::Searched(builds) => builds.fault(),
        });
        let others = [self.account_id.fault(), self.image.fault(), self.origins.fault(), self.immutable.fault()];
        builds.chain(others).flatten().filter_map(Fault::turn).max()
    }
}
