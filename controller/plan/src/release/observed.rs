//! What a pass over a Release saw, including the looks that failed. Nothing is judged here.

use super::crowd::{self, Counted, Load};
use super::record::Work;
use crate::account::AccountSeen;
use crate::fault::Fault;
use crate::look::Looked;
use crate::target::TargetSeen;
use crate::world::{Listing, LiveBuild, LiveImage, LiveProject, LiveScan, LiveStatuses};
use jiff::Timestamp;
use launchway_crds::pipeline::{PipelineSpec, PipelineStatus};
use launchway_crds::release::TestCounts;
use std::collections::BTreeMap;

/// What a pass over a Release saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// The time by AWS's clock, or by ours if the account cannot be used.
    pub at: Timestamp,
    /// The Pipeline, read live; absent: there is none, or it is being deleted.
    pub pipeline: Option<PipelineFacts>,
    /// The AwsAccount and the namespace, read live.
    pub account: AccountSeen,
    /// How much of the namespace is at work in that AwsAccount, this Release included.
    pub load: Load,
    /// The AWS account's ID.
    pub account_id: Looked<String>,
    /// The projects of its steps, as far as they are there. Looked at once, when it starts.
    pub projects: Looked<Vec<LiveProject>>,
    /// What was seen of each step's build, by the step's name.
    pub builds: BTreeMap<String, BuildSeen>,
    /// The last log lines of builds that failed, by the step's name.
    pub logs: BTreeMap<String, Vec<String>>,
    /// What the test reports of builds that ended say, by the step's name; or why they could not be read.
    pub tests: BTreeMap<String, Result<TestCounts, String>>,
    /// What others report of the commit at its git host.
    pub statuses: Looked<LiveStatuses>,
    /// By repository the image that carries the commit's tag; `None` inside: there is no such image.
    pub images: BTreeMap<String, Looked<Option<LiveImage>>>,
    /// By repository what ECR's scan of the image found.
    pub scans: BTreeMap<String, Looked<LiveScan>>,
    /// The builds of the build's project that may have pushed the image.
    pub origins: Looked<Vec<LiveBuild>>,
    /// What the file says in which the Release's own build lists its images.
    pub listing: Looked<Listing>,
    /// By repository whether it is immutable: its tags cannot be moved.
    pub immutable: BTreeMap<String, Looked<bool>>,
    /// The targets of the stage that the Release has entered, by the Service's name; `None`: there is no such Service.
    pub targets: BTreeMap<String, Option<TargetSeen>>,
    /// The answers to the verifications of that stage, by the verification's name: passed, or why not.
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
    /// The build with the recorded ID; `None`: CodeBuild does not know it (yet, or any more).
    Known(Looked<Option<LiveBuild>>),
    /// The builds of the intent's project, from shortly before the call was intended; if the status was lost, from
    /// shortly before the Release was made.
    Searched(Looked<Vec<LiveBuild>>),
}

impl Observed {
    /// An observation in which nothing was seen of AWS yet.
    pub fn at(at: Timestamp, pipeline: Option<PipelineFacts>, account: AccountSeen) -> Self {
        Self {
            at,
            pipeline,
            account,
            load: Load::default(),
            account_id: Looked::NotAsked,
            projects: Looked::NotAsked,
            builds: BTreeMap::new(),
            logs: BTreeMap::new(),
            tests: BTreeMap::new(),
            statuses: Looked::NotAsked,
            images: BTreeMap::new(),
            scans: BTreeMap::new(),
            origins: Looked::NotAsked,
            listing: Looked::NotAsked,
            immutable: BTreeMap::new(),
            targets: BTreeMap::new(),
            verifications: BTreeMap::new(),
        }
    }

    /// The image that is spoken of, as this pass saw it.
    pub fn image(&self, work: &Work) -> &Looked<Option<LiveImage>> {
        self.images.get(work.image.repository.as_str()).unwrap_or(&Looked::NotAsked)
    }

    /// The most that may be at work of the namespace, if as much is.
    pub fn full(&self, counted: Counted) -> Option<i32> {
        crowd::full(&self.account, self.load, counted)
    }

    /// The build of that step, if this pass looked for it by its ID and found it.
    pub fn build(&self, step: &str) -> Option<&LiveBuild> {
        match self.builds.get(step) {
            Some(BuildSeen::Known(Looked::Seen(build))) => build.as_ref(),
            Some(BuildSeen::Known(_) | BuildSeen::Searched(_)) | None => None,
        }
    }

    /// After how many seconds our budget has a token for each look that got none; absent: none went without. Such a
    /// pass ends there and reports nothing.
    pub fn turn(&self) -> Option<i64> {
        let builds = self.builds.values().map(|seen| match seen {
            BuildSeen::Known(build) => build.fault(),
            BuildSeen::Searched(builds) => builds.fault(),
        });
        let others = [self.account_id.fault(), self.projects.fault(), self.origins.fault(), self.listing.fault()];
        let images = self.images.values().map(Looked::fault).chain(self.immutable.values().map(Looked::fault));
        builds
            .chain(others)
            .chain(images)
            .chain(self.scans.values().map(Looked::fault))
            .flatten()
            .filter_map(Fault::turn)
            .max()
    }
}
