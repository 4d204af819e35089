//! Builds of CodeBuild: what is seen of one, and the request that starts one. Nothing is judged here.

use super::requests::Members;
use crate::release::BUILD;
use jiff::Timestamp;
use launchway_crds::name::CommitId;
pub use launchway_crds::release::TestCounts;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// A build, as BatchGetBuilds shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveBuild {
    /// `<project>:<uuid>`.
    pub id: String,
    /// The versions of its source, as they were asked for and as CodeBuild resolved them: commits, branches.
    pub versions: Vec<String>,
    /// How it stands.
    pub status: BuildStatus,
    /// The phase that it is in, or ended in.
    pub phase: Phase,
    /// The phases so far, oldest first.
    pub phases: Vec<BuildPhase>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The marker that its request carried; absent for a build that Launchway did not start.
    pub marker: Option<String>,
    /// Where its log is; absent until the build has a machine.
    pub log: Option<LogStream>,
    /// The console's page of the log.
    pub log_link: Option<String>,
    /// The variables that its buildspec exports. What the Pipeline does not ask for may be a secret, and goes nowhere.
    pub exported: BTreeMap<String, Exported>,
    /// The ARNs of its reports, of tests and of coverage.
    pub reports: Vec<String>,
    /// What it leaves in S3; absent: nothing.
    pub artifact: Option<Box<Artifact>>,
    /// Whether the project runs its builds inside a VPC.
    pub in_vpc: bool,
}

/// The value of a variable that a buildspec exports. It is not shown where the rest of a build is.
#[derive(Clone, PartialEq, Eq)]
pub struct Exported(String);

impl Exported {
    /// The value.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Exported {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What a build leaves in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The bucket.
    pub bucket: String,
    /// The key of the zip archive, or that of the folder.
    pub key: String,
    /// Which of the two it is.
    pub packaging: Packaging,
}

/// How the files of an artifact are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packaging {
    /// Each as an object of its own, below the artifact's key.
    Folder,
    /// All in one zip archive.
    Zip,
}

impl Artifact {
    /// The key of the object that a file of it is in.
    pub fn object(&self, file: &str) -> String {
        match self.packaging {
            Packaging::Folder => format!("{}/{file}", self.key.trim_end_matches('/')),
            Packaging::Zip => self.key.clone(),
        }
    }

    /// Whether its path has the ID of this build (`<project>:<uuid>`), whole or the UUID alone: CodeBuild leaves nothing of another
    /// build there.
    pub fn is_of(&self, build: &str) -> bool {
        let uuid = build.rsplit_once(':').map_or(build, |(_, uuid)| uuid);
        self.key.split('/').any(|part| part == uuid || part == build)
    }
}

/// What a file of a build's artifact says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// These images. What else stands there is not kept.
    Images {
        /// As they stand there, without doubles.
        named: Vec<String>,
        /// The key of the object.
        key: String,
        /// The version of the object; absent where the bucket keeps none.
        version: Option<String>,
    },
    /// There is no such file.
    Absent,
    /// It is no list of images: what it is instead, in words that follow on its name.
    Unreadable(&'static str),
}

impl LiveBuild {
    /// Whether that commit is what it builds.
    pub fn is_of(&self, commit: &str) -> bool {
        self.versions.iter().any(|version| version == commit)
    }

    /// Whether it may push the image: it is of no step of a Release that is a check. The marker says which step it is of
    /// (`<uid>/<step>/<attempt>`).
    pub fn may_push(&self) -> bool {
        let step = self.marker.as_deref().and_then(|marker| marker.split('/').nth(1));
        step.is_none_or(|step| step == BUILD)
    }

    /// Whether it ended, and not well.
    pub fn has_failed(&self) -> bool {
        !matches!(self.status, BuildStatus::InProgress | BuildStatus::Succeeded)
    }
}

/// A CodeBuild project, as BatchGetProjects shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveProject {
    /// Its name.
    pub name: String,
    /// Where its source comes from, in CodeBuild's word.
    pub source: String,
    /// Where what it leaves goes, in CodeBuild's word.
    pub artifacts: String,
    /// Whether the build's ID is a part of the path there, in CodeBuild's word.
    pub namespace_type: String,
    /// Whether the buildspec says the name there, which CodeBuild does not show.
    pub names_artifact: bool,
}

/// How a build stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildStatus {
    /// Queued or running.
    InProgress,
    /// Ended well.
    Succeeded,
    /// A phase failed.
    Failed,
    /// CodeBuild itself failed.
    Fault,
    /// It took longer than it may.
    TimedOut,
    /// Somebody stopped it.
    Stopped,
    /// Ended with a status that this version does not know, in CodeBuild's word; never success.
    Unknown(String),
}

/// A phase that a build is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What goes on in it.
    pub kind: PhaseKind,
    /// CodeBuild's name of it, for people.
    pub name: String,
}

/// What goes on in a phase of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseKind {
    /// The build waits for a machine.
    Queue,
    /// Its machine is set up.
    Provisioning,
    /// The source is fetched.
    Source,
    /// The buildspec's commands run, or their artifacts are uploaded. A phase that is not known counts as this.
    Commands,
    /// Nothing: the build has ended.
    Completed,
}

/// A phase that a build is in or has been through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildPhase {
    /// Which one.
    pub phase: Phase,
    /// How it stands.
    pub status: PhaseStatus,
    /// How long it took, in seconds; absent while it lasts.
    pub seconds: Option<i64>,
    /// `statusCode: message` of its contexts, without empty ones.
    pub contexts: Vec<String>,
}

/// How a phase stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseStatus {
    /// It lasts.
    InProgress,
    /// It ended well.
    Succeeded,
    /// It ended in any other way.
    Failed,
}

/// A log stream of CloudWatch Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStream {
    /// The log group.
    pub group: String,
    /// The log stream.
    pub stream: String,
}

/// What starts a build, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildRequest {
    /// The CodeBuild project.
    pub project: String,
    /// The commit, sent as `sourceVersion`.
    pub commit: CommitId,
    /// The marker by which the build is found again, sent as an environment variable.
    pub marker: String,
    /// `buildspecOverride`: a path or inline YAML; absent: the project's own.
    pub buildspec: Option<String>,
    /// Other overrides, under StartBuild's names.
    #[serde(skip_serializing_if = "Members::is_empty")]
    pub overrides: Members,
    /// `environmentVariablesOverride`, in this order.
    pub environment: Vec<BuildVariable>,
    /// `timeoutInMinutesOverride`, 5 to 2160.
    pub timeout_minutes: i32,
    /// `queuedTimeoutInMinutesOverride`, 5 to 480.
    pub queued_timeout_minutes: i32,
}

/// An environment variable of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuildVariable {
    /// Its name.
    pub name: String,
    /// Its value, or where the value is.
    pub value: String,
    /// What the value is.
    pub kind: VariableKind,
}

/// What the value of a build's environment variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum VariableKind {
    /// The value itself.
    Plain,
    /// The name of a parameter.
    ParameterStore,
    /// The reference to a secret.
    SecretsManager,
}
