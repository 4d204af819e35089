//! CodeBuild: projects and builds that go through their phases. What a build pushes goes to `ecr`, what it says to `logs`. Batches, reports, webhooks,
//! fleets and the making of projects over the wire are not here.

mod artifacts;
mod build;
mod course;
mod overrides;
mod project;
mod read;
mod reports;
mod start;
mod steps;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

pub use self::build::{Build, PhaseEnd, PhaseRun, PhaseStatus};
pub use self::project::{Environment, Project, Source, Variable, VariableKind, Vpc};
pub use self::story::{BuildStory, Export, FileText, Outcome, Phase, PhaseSeconds, Push, StartedBuild, Stories, Tests};
use crate::{Answer, Call, Guess, Refusal, World};

/// Where this module only guesses.
pub const GUESSES: &[Guess] = &[
    Guess {
        what: "StartBuild: a token used again with other parameters is refused with InvalidInputException; it belongs to the account and region",
        source: "API_StartBuild: \"parameter mismatch error\"; neither the class nor the scope is named",
    },
    Guess {
        what: "StartBuild: a token used again with the same parameters answers the first build as it is now, even if limits are reached",
        source: "API_StartBuild says only that the request is idempotent for 5 minutes",
    },
    Guess {
        what: "Values outside of a member's range, empty lists and lists that are too long are InvalidInputException; their texts",
        source: "The only client error that the operations model; AWS's front may say ValidationException instead",
    },
    Guess {
        what: "Overrides of artifacts: the location is ARN, path, build ID and name, the name the project's if none is given; without a bucket InvalidInputException",
        source: "API_ProjectArtifacts tells how the parts are put together; that Build.artifacts shows it so is from the AWS CLI's examples",
    },
    Guess {
        what: "Artifacts in S3 are uploaded as UPLOAD_ARTIFACTS ends, a folder's files below the location and a zip at it, with sha256sum then; no files: nothing is uploaded, and the build succeeds; no such bucket: CLIENT_ERROR",
        source: "API_BuildArtifacts has sha256sum for packaging ZIP; the context is an inference. Files whose names the buildspec computes are not here",
    },
    Guess {
        what: "Overrides of the logs: the stream is PREFIX/UUID; without CloudWatch's logs there is neither a group nor a stream, and logs in S3 are not written",
        source: "API_CloudWatchLogsConfig: \"the prefix of the stream name\"; the rest is a choice",
    },
    Guess { what: "StopBuild of a build that is over answers the build and changes nothing", source: "Not documented" },
    Guess {
        what: "StopBuild answers a build that is STOPPED and complete at once",
        source: "The AWS CLI's example of stop-build",
    },
    Guess {
        what: "A build that is stopped or times out goes from the phase it is in straight to COMPLETED",
        source: "The AWS CLI's example of stop-build; for timeouts an inference from it",
    },
    Guess {
        what: "A failure up to PROVISIONING goes to COMPLETED, in DOWNLOAD_SOURCE, INSTALL or PRE_BUILD to FINALIZING, in BUILD to POST_BUILD",
        source: "Logs of failed builds; the user guide says only that UPLOAD_ARTIFACTS is attempted after a failed BUILD",
    },
    Guess {
        what: "timeoutInMinutes counts from PROVISIONING; queuedTimeoutInMinutes from QUEUED; their context is BUILD_TIMED_OUT \"Build has timed out. \"",
        source: "API_Build names two separate timeouts; the context is from experience, for QUEUED an inference",
    },
    Guess {
        what: "20 builds run at a time, 100 wait; one more is AccountLimitExceededException \"Cannot have more than 100 builds in queue for the account\"",
        source: "User guide, quotas: the number depends on account and machine; the text is seen, which number it names is an inference",
    },
    Guess {
        what: "A project's concurrentBuildLimit refuses StartBuild with AccountLimitExceededException \"Cannot have more than N active builds for the project\"",
        source: "API_Project: new builds are throttled and not run; the error is not named",
    },
    Guess {
        what: "A project of CODEPIPELINE type is refused with InvalidInputException unless sourceTypeOverride and artifactsOverride are of another type, and so is an override to CODEPIPELINE; its artifacts are CODEPIPELINE as well",
        source: "The sentence about artifacts is aws-actions/aws-codebuild-run-build issue 114's, the one about the source is made after it; CreateProject refuses one without the other",
    },
    Guess {
        what: "Source that is not there fails DOWNLOAD_SOURCE with CLIENT_ERROR \"reference not found for primary source and source version VERSION\", or \"repository not found …\"; the two sentences are told apart by what is lacking",
        source: "Published logs of failed builds; which sentence a commit that is not there gets is not known",
    },
    Guess {
        what: "At most twelve secondary sources, versions and artifacts, each with an identifier of its own; they are shown and not fetched, debug sessions are shown and not opened",
        source: "API_StartBuild and API_ProjectSource have the bounds; the error is a guess",
    },
    Guess {
        what: "exportedEnvironmentVariables are there from the end of POST_BUILD, of a build that fails too",
        source: "User guide, buildspec reference, env/exported-variables: from install on; when BatchGetBuilds shows them is not documented",
    },
    Guess {
        what: "A build's test report is there from the end of UPLOAD_ARTIFACTS, of a build that fails in BUILD too, and is complete then",
        source: "User guide, \"Work with test reports\": made while the build runs; when it leaves GENERATING is not documented",
    },
    Guess { what: "resolvedSourceVersion is there from the end of DOWNLOAD_SOURCE", source: "Not documented" },
    Guess {
        what: "Faults: phase status FAULT with context INTERNAL_SERVICE_ERROR, then COMPLETED",
        source: "API_BuildPhase names the status only",
    },
    Guess {
        what: "No usable VPC: QUEUED ends CLIENT_ERROR with VPC_CLIENT_ERROR \"Unexpected EC2 error: UnauthorizedOperation\", the build is FAILED",
        source: "Seen in live answers (aws-cdk issue 12705); the build's status is an inference",
    },
    Guess {
        what: "A missing parameter is DOWNLOAD_SOURCE's \"Decrypted Variables Error: parameter does not exist: NAME\", a missing secret its \"Secrets Manager Error: …\"",
        source: "Seen in logs (aws-codebuild-docker-images issues 159 and 475); the text for a missing JSON key is made up",
    },
    Guess {
        what: "The service role's rights are not looked at: builds read every parameter and push to every repository",
        source: "A choice: only Launchway's own rights are enforced",
    },
    Guess {
        what: "Automatic retries follow FAILED, FAULT and TIMED_OUT, at once",
        source: "User guide, auto-retry: \"after a failed build\"",
    },
    Guess {
        what: "ListBuildsForProject refuses sortOrder, ascending or descending, as soon as the project has more than 100 builds",
        source: "API_ListBuildsForProject: \"if the project has more than 100 builds, setting the sort order will result in an error\"",
    },
];

/// In which order builds leave QUEUED, if there are more than may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Queue {
    /// The oldest first.
    #[default]
    OldestFirst,
    /// In some order that the seed decides: the order is "not possible to predict", says AWS of queued builds.
    Unpredictable {
        /// Another seed gives another order.
        seed: u64,
    },
}

impl Queue {
    /// What comes first of builds that may take a step at the same time.
    fn rank(self, order: u64) -> u64 {
        match self {
            Self::OldestFirst => order,
            Self::Unpredictable { seed } => {
                fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ order).u64(..)
            }
        }
    }
}

/// Source that is not there: builds of it fail in DOWNLOAD_SOURCE. Globs, e.g. `refs/heads/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A branch, a tag or a commit, as `sourceVersion` names it.
    Version(String),
    /// A repository, as the source's location names it.
    Repository(String),
}

/// How many builds an account may have at a time, of all projects in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountLimits {
    /// From PROVISIONING on; more of them wait in QUEUED.
    pub running: usize,
    /// In SUBMITTED and QUEUED; one more is refused.
    pub queued: usize,
}

impl Default for AccountLimits {
    fn default() -> Self {
        Self { running: 20, queued: 100 }
    }
}

/// The projects and builds of one account and region.
#[derive(Clone, Debug, Default)]
pub struct CodeBuildState {
    /// What builds do: asked once for each, when it starts.
    pub stories: Stories,
    /// The account's limits.
    pub limits: AccountLimits,
    /// In which order builds leave the queue.
    pub queue: Queue,
    /// Source that can not be fetched.
    pub lacks: Vec<Lack>,
    projects: BTreeMap<String, Arc<Project>>,
    /// In the order they were started.
    builds: BTreeMap<u64, Arc<Build>>,
    ids: BTreeMap<String, u64>,
    by_project: BTreeMap<String, Arc<Vec<u64>>>,
    active: BTreeSet<u64>,
    tokens: BTreeMap<String, start::Token>,
    latest_step: Timestamp,
}

impl CodeBuildState {
    /// What DOWNLOAD_SOURCE says of a build whose source is not there.
    fn unfetchable(&self, build: &Build) -> Option<String> {
        let version = build.source_version.as_deref().unwrap_or_default();
        let location = build.source["location"].as_str().unwrap_or_default();
        let lacking = |lack: &&Lack| match lack {
            Lack::Version(of) => crate::faults::glob(of, version),
            Lack::Repository(of) => crate::faults::glob(of, location),
        };
        let what = match self.lacks.iter().find(lacking)? {
            Lack::Version(_) => "reference",
            Lack::Repository(_) => "repository",
        };
        Some(format!("{what} not found for primary source and source version {version}"))
    }

    /// Adds a project, or replaces the one of that name; its builds stay.
    pub fn add_project(&mut self, project: Project) {
        self.projects.insert(project.name.clone(), Arc::new(project));
    }

    /// The project of this name.
    pub fn project(&self, name: &str) -> Option<&Project> {
        self.projects.get(name).map(|project| &**project)
    }

    /// All builds, oldest first, each as it was at the latest time that the world was brought to.
    pub fn builds(&self) -> impl Iterator<Item = &Build> {
        self.builds.values().map(|build| &**build)
    }

    /// The build with this ID (`project:uuid`).
    pub fn build(&self, id: &str) -> Option<&Build> {
        self.builds.get(self.ids.get(id)?).map(|build| &**build)
    }

    /// When the next state machine moves.
    pub fn next_event(&self) -> Option<Timestamp> {
        course::next_step(self).map(|(at, _)| at)
    }
}

/// Answers one operation.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    match call.operation.as_str() {
        "StartBuild" => start::start(world, call),
        "StopBuild" => read::stop(world, call),
        "BatchGetBuilds" => read::batch(world, call),
        "ListBuildsForProject" => read::list(world, call),
        "BatchGetProjects" => project::batch(world, call),
        "BatchGetReports" => reports::batch(world, call),
        other => Err(Refusal::unknown_operation(other)),
    }
}

/// Brings every build to `now`; it is never called with a time before an earlier one.
pub fn advance(world: &mut World, now: Timestamp) {
    course::advance(world, now);
}

/// The name in a project's ARN; a name as it is.
fn project_name(name_or_arn: &str) -> &str {
    name_or_arn.split_once(":project/").map_or(name_or_arn, |(_, name)| name)
}

/// The ID in a build's ARN; an ID as it is.
fn build_id(id_or_arn: &str) -> &str {
    id_or_arn.split_once(":build/").map_or(id_or_arn, |(_, id)| id)
}

fn project_arn(call: &Call, name: &str) -> String {
    call.arn("codebuild", &format!("project/{name}"))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidInputException", message)
}

fn not_found(message: impl Into<String>) -> Refusal {
    Refusal::new("ResourceNotFoundException", message)
}
