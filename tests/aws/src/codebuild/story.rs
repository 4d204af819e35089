//! What a build will do, told before it starts. When it does it is in `course`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::TaskStory;

/// A phase of a build, in the order they come [API_BuildPhase].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Accepted.
    Submitted,
    /// Waits for its turn.
    Queued,
    /// A machine is made ready. From here on there is a log.
    Provisioning,
    /// Source and secrets are fetched.
    DownloadSource,
    /// The buildspec's `install`.
    Install,
    /// The buildspec's `pre_build`.
    PreBuild,
    /// The buildspec's `build`.
    Build,
    /// The buildspec's `post_build`: here images are pushed.
    PostBuild,
    /// Artifacts and reports are uploaded.
    UploadArtifacts,
    /// The machine is taken away.
    Finalizing,
    /// Over.
    Completed,
}

impl Phase {
    /// As `phaseType` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Queued => "QUEUED",
            Self::Provisioning => "PROVISIONING",
            Self::DownloadSource => "DOWNLOAD_SOURCE",
            Self::Install => "INSTALL",
            Self::PreBuild => "PRE_BUILD",
            Self::Build => "BUILD",
            Self::PostBuild => "POST_BUILD",
            Self::UploadArtifacts => "UPLOAD_ARTIFACTS",
            Self::Finalizing => "FINALIZING",
            Self::Completed => "COMPLETED",
        }
    }

    /// The phase after this one if all is well.
    pub fn next(self) -> Self {
        match self {
            Self::Submitted => Self::Queued,
            Self::Queued => Self::Provisioning,
            Self::Provisioning => Self::DownloadSource,
            Self::DownloadSource => Self::Install,
            Self::Install => Self::PreBuild,
            Self::PreBuild => Self::Build,
            Self::Build => Self::PostBuild,
            Self::PostBuild => Self::UploadArtifacts,
            Self::UploadArtifacts => Self::Finalizing,
            Self::Finalizing | Self::Completed => Self::Completed,
        }
    }

    /// The phase after this one if it failed: artifacts are uploaded even after a failed BUILD [User guide, "Build phase transitions"].
    pub fn next_after_failure(self) -> Self {
        match self {
            Self::Submitted | Self::Queued | Self::Provisioning | Self::Finalizing | Self::Completed => Self::Completed,
            Self::DownloadSource | Self::Install | Self::PreBuild | Self::UploadArtifacts => Self::Finalizing,
            Self::Build => Self::PostBuild,
            Self::PostBuild => Self::UploadArtifacts,
        }
    }
}

/// How long each phase takes, in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseSeconds {
    /// SUBMITTED; 0 has StartBuild answer with a build that is QUEUED already.
    pub submitted: u32,
    /// QUEUED, if there is room for the build at once.
    pub queued: u32,
    /// PROVISIONING.
    pub provisioning: u32,
    /// DOWNLOAD_SOURCE.
    pub download_source: u32,
    /// INSTALL.
    pub install: u32,
    /// PRE_BUILD.
    pub pre_build: u32,
    /// BUILD.
    pub build: u32,
    /// POST_BUILD.
    pub post_build: u32,
    /// UPLOAD_ARTIFACTS.
    pub upload_artifacts: u32,
    /// FINALIZING.
    pub finalizing: u32,
}

impl Default for PhaseSeconds {
    /// A small image on a small machine: two minutes and a half.
    fn default() -> Self {
        Self {
            submitted: 0,
            queued: 1,
            provisioning: 20,
            download_source: 3,
            install: 1,
            pre_build: 5,
            build: 95,
            post_build: 22,
            upload_artifacts: 1,
            finalizing: 2,
        }
    }
}

impl PhaseSeconds {
    /// Every phase but BUILD is over at once.
    pub fn only_build(seconds: u32) -> Self {
        let none = Self {
            submitted: 0,
            queued: 0,
            provisioning: 0,
            download_source: 0,
            install: 0,
            pre_build: 0,
            build: 0,
            post_build: 0,
            upload_artifacts: 0,
            finalizing: 0,
        };
        Self { build: seconds, ..none }
    }

    /// Seconds of one phase.
    pub fn of(&self, phase: Phase) -> u32 {
        match phase {
            Phase::Submitted => self.submitted,
            Phase::Queued => self.queued,
            Phase::Provisioning => self.provisioning,
            Phase::DownloadSource => self.download_source,
            Phase::Install => self.install,
            Phase::PreBuild => self.pre_build,
            Phase::Build => self.build,
            Phase::PostBuild => self.post_build,
            Phase::UploadArtifacts => self.upload_artifacts,
            Phase::Finalizing => self.finalizing,
            Phase::Completed => 0,
        }
    }
}

/// What a successful build leaves in ECR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Push {
    /// An image `IMAGE_REPO_NAME:IMAGE_TAG`, if both variables are set (in the account and region of `AWS_ACCOUNT_ID` and
    /// `AWS_DEFAULT_REGION` if those are set), whose tasks behave like this.
    Image(TaskStory),
    /// Nothing.
    Nothing,
}

/// How a build ends, unless it is stopped or runs out of time first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every command ends with 0.
    Succeeds {
        /// What it pushes in POST_BUILD.
        pushes: Push,
    },
    /// A phase fails: build status FAILED. A build cannot fail in COMPLETED.
    Fails {
        /// Which.
        phase: Phase,
        /// `contexts[0].statusCode`, e.g. `COMMAND_EXECUTION_ERROR`.
        code: String,
        /// `contexts[0].message`.
        message: String,
    },
    /// AWS breaks: build status FAULT.
    Faults {
        /// The phase in which it does.
        phase: Phase,
    },
    /// A phase never ends by itself. Up to DOWNLOAD_SOURCE that means that there is no log either: nothing can be reached.
    Hangs {
        /// Which.
        phase: Phase,
    },
    /// The same, and CodeBuild forgets the build's timeout too: only StopBuild ends it.
    Overruns {
        /// Which.
        phase: Phase,
    },
    /// No network interface can be made in the project's VPC: QUEUED ends with CLIENT_ERROR, build status FAILED.
    VpcError,
}

/// The value of a variable that a buildspec exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Export {
    /// The image that was pushed, with its digest.
    WithDigest,
    /// The image that was pushed, with its tag.
    WithTag,
    /// This text.
    Text(String),
}

/// What a file of a build's artifact holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileText {
    /// The images that were pushed, as `imagedefinitions.json` has them.
    Definitions(Export),
    /// This text.
    Plain(String),
}

/// How many tests a report has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tests {
    /// Those that passed.
    pub passed: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that could not be run.
    pub errors: u64,
    /// Those that were skipped.
    pub skipped: u64,
}

/// What a build does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildStory {
    /// How long its phases take.
    pub seconds: PhaseSeconds,
    /// How it ends.
    pub outcome: Outcome,
    /// An image that is pushed as that phase ends, however the phase and the build end; its tasks behave like this. POST_BUILD
    /// runs after a BUILD that failed, and a command can fail after a push.
    pub leaves: Option<(Phase, TaskStory)>,
    /// The tag of what it pushes, in place of the one that it was told.
    pub tag: Option<String>,
    /// Repositories that it pushes an image into beside the one that it was told, under the same tag, in this order after that.
    pub also: Vec<String>,
    /// The variables that its buildspec exports.
    pub exports: Vec<(String, Export)>,
    /// The files of its artifact, by their paths in it; uploaded if artifacts go to S3.
    pub files: Vec<(String, FileText)>,
    /// The tests that its report has; absent: it has no report.
    pub tests: Option<Tests>,
    /// Lines that its commands print, spread over their phases; CodeBuild's own lines come by themselves.
    pub says: Vec<(Phase, String)>,
}

impl BuildStory {
    /// Any outcome, at the usual pace, saying nothing.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            seconds: PhaseSeconds::default(),
            outcome,
            leaves: None,
            tag: None,
            also: Vec::new(),
            exports: Vec::new(),
            files: Vec::new(),
            tests: None,
            says: Vec::new(),
        }
    }

    /// It pushes an image whose tasks behave like this.
    pub fn succeeds(story: TaskStory) -> Self {
        Self::new(Outcome::Succeeds { pushes: Push::Image(story) })
    }

    /// It pushes into that repository too.
    pub fn also(mut self, repository: &str) -> Self {
        self.also.push(repository.to_owned());
        self
    }

    /// It succeeds and pushes nothing: a check.
    pub fn succeeds_without_image() -> Self {
        Self::new(Outcome::Succeeds { pushes: Push::Nothing })
    }

    /// A command of this phase ends with this exit status.
    pub fn fails(phase: Phase, command: &str, exit: i32) -> Self {
        Self::new(Outcome::Fails {
            phase,
            code: "COMMAND_EXECUTION_ERROR".to_owned(),
            message: format!("Error while executing command: {command}. Reason: exit status {exit}"),
        })
    }

    /// This phase never ends.
    pub fn hangs(phase: Phase) -> Self {
        Self::new(Outcome::Hangs { phase })
    }

    /// The same, with an image that is pushed as that phase ends, however the build ends.
    #[must_use]
    pub fn leaving(mut self, phase: Phase, story: TaskStory) -> Self {
        self.leaves = Some((phase, story));
        self
    }

    /// The same with a tag of its own for what it pushes.
    #[must_use]
    pub fn tagging(mut self, tag: &str) -> Self {
        self.tag = Some(tag.to_owned());
        self
    }

    /// The same with a variable that the buildspec exports.
    #[must_use]
    pub fn exporting(mut self, name: &str, value: Export) -> Self {
        self.exports.push((name.to_owned(), value));
        self
    }

    /// The same with a file in its artifact.
    #[must_use]
    pub fn with_file(mut self, name: &str, text: FileText) -> Self {
        self.files.push((name.to_owned(), text));
        self
    }

    /// The same with a report of its tests.
    #[must_use]
    pub fn testing(mut self, tests: Tests) -> Self {
        self.tests = Some(tests);
        self
    }

    /// The same with lines that a phase prints.
    #[must_use]
    pub fn saying<'a>(mut self, phase: Phase, lines: impl IntoIterator<Item = &'a str>) -> Self {
        self.says.extend(lines.into_iter().map(|line| (phase, line.to_owned())));
        self
    }

    /// The same at another pace.
    #[must_use]
    pub fn taking(mut self, seconds: PhaseSeconds) -> Self {
        self.seconds = seconds;
        self
    }

    /// The same with another length of BUILD.
    #[must_use]
    pub fn building_for(mut self, seconds: u32) -> Self {
        self.seconds.build = seconds;
        self
    }
}

/// A build that is about to start, as the story of it is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedBuild {
    /// The account that it runs in.
    pub account: String,
    /// The region that it runs in.
    pub region: String,
    /// The project's name.
    pub project: String,
    /// `project:uuid`.
    pub id: String,
    /// Counts from 1 in each project.
    pub number: u64,
    /// The version asked for: a commit, a branch.
    pub source_version: Option<String>,
    /// Name → value, as written: of secrets the reference, not the value.
    pub environment: BTreeMap<String, String>,
    /// A path, or YAML inline; `None` is `buildspec.yml`.
    pub buildspec: Option<String>,
}

type Choice = dyn Fn(&StartedBuild) -> BuildStory + Send + Sync;

/// Chooses what each build does.
#[derive(Clone)]
pub struct Stories(Arc<Choice>);

impl Stories {
    /// Chooses by a function of the build.
    pub fn new(choose: impl Fn(&StartedBuild) -> BuildStory + Send + Sync + 'static) -> Self {
        Self(Arc::new(choose))
    }

    /// The same for every build.
    pub fn always(story: BuildStory) -> Self {
        Self::new(move |_| story.clone())
    }

    /// What this build does.
    pub fn choice(&self, build: &StartedBuild) -> BuildStory {
        (self.0)(build)
    }
}

impl Default for Stories {
    /// Every build succeeds and pushes an image that runs well, if it was told where to.
    fn default() -> Self {
        Self::new(|_| BuildStory::succeeds(TaskStory::default()))
    }
}

impl fmt::Debug for Stories {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Stories")
    }
}
