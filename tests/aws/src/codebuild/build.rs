//! One build: what is known of it, and how CodeBuild shows it. How it moves is in `course`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::overrides::Overrides;
use super::project::Variable;
use super::reports;
use super::story::{BuildStory, Phase};
use crate::Place;
use crate::call::epoch;

/// How a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseStatus {
    /// Well.
    Succeeded,
    /// Badly.
    Failed,
    /// By AWS's fault.
    Fault,
    /// By the clock.
    TimedOut,
    /// By StopBuild.
    Stopped,
    /// By a VPC that cannot be used; the service model does not know this status, live answers do.
    ClientError,
}

impl PhaseStatus {
    /// As `phaseStatus` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Fault => "FAULT",
            Self::TimedOut => "TIMED_OUT",
            Self::Stopped => "STOPPED",
            Self::ClientError => "CLIENT_ERROR",
        }
    }

    /// The status of a build whose worst phase ended like this.
    fn of_build(self) -> &'static str {
        match self {
            Self::Succeeded | Self::Failed | Self::Fault | Self::TimedOut | Self::Stopped => self.name(),
            Self::ClientError => "FAILED",
        }
    }
}

/// The end of a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseEnd {
    /// When.
    pub at: Timestamp,
    /// How.
    pub status: PhaseStatus,
    /// `statusCode` and `message` of its context; empty when all is well.
    pub context: (String, String),
}

/// A phase that a build has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseRun {
    /// Which.
    pub phase: Phase,
    /// When it began.
    pub started_at: Timestamp,
    /// How it ended, once it has.
    pub end: Option<PhaseEnd>,
    /// How many of the story's lines have been printed in it.
    pub(super) printed: usize,
}

/// A build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// `project:uuid`.
    pub id: String,
    /// Counts from 1 in each project.
    pub number: u64,
    /// The project's name.
    pub project: String,
    /// When StartBuild was called.
    pub started_at: Timestamp,
    /// The version asked for.
    pub source_version: Option<String>,
    /// Its variables: the project's, overridden by name.
    pub variables: Vec<Variable>,
    /// The phases so far; the last one goes on unless it is COMPLETED.
    pub phases: Vec<PhaseRun>,
    /// What it does.
    pub story: BuildStory,
    /// The variables that its buildspec exported.
    pub exported: Vec<(String, String)>,
    pub(super) stream: String,
    pub(super) place: Place,
    pub(super) overrides: Overrides,
    pub(super) source: Value,
    pub(super) environment: Value,
    pub(super) service_role: String,
    pub(super) timeout_minutes: i64,
    pub(super) queued_timeout_minutes: i64,
    pub(super) initiator: String,
    pub(super) vpc: Option<Value>,
    pub(super) retry: AutoRetry,
    /// The hash of its zip in S3.
    pub(super) sum: Option<String>,
}

/// Where a build stands among CodeBuild's own retries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AutoRetry {
    pub(super) limit: i64,
    pub(super) number: i64,
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
}

impl Build {
    /// The phase that it is in.
    pub fn phase(&self) -> Phase {
        self.phases.last().map_or(Phase::Submitted, |run| run.phase)
    }

    /// Whether it is over.
    pub fn is_complete(&self) -> bool {
        self.phase() == Phase::Completed
    }

    /// As `buildStatus` says it.
    pub fn status(&self) -> &'static str {
        if self.is_complete() { self.worst().of_build() } else { "IN_PROGRESS" }
    }

    /// The variable of this name.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|variable| variable.name == name).map(|variable| variable.value.as_str())
    }

    /// The log stream's name: the ID's UUID, behind a prefix if one was asked for.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The log group's name.
    pub fn group(&self) -> String {
        self.overrides.group().map_or_else(|| format!("/aws/codebuild/{}", self.project), str::to_owned)
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        self.arn_of("codebuild", &format!("build/{}", self.id))
    }

    /// What decides the build's status: that it was stopped or ran out of time; else the first phase that did not end well.
    pub(super) fn worst(&self) -> PhaseStatus {
        let ends = || self.phases.iter().filter_map(|run| run.end.as_ref()).map(|end| end.status);
        let cut = ends().find(|status| matches!(status, PhaseStatus::Stopped | PhaseStatus::TimedOut));
        cut.or_else(|| ends().find(|status| *status != PhaseStatus::Succeeded)).unwrap_or(PhaseStatus::Succeeded)
    }

    /// When this phase began, if it has.
    pub(super) fn began(&self, phase: Phase) -> Option<Timestamp> {
        self.phases.iter().find(|run| run.phase == phase).map(|run| run.started_at)
    }

    pub(super) fn arn_of(&self, service: &str, resource: &str) -> String {
        let (account, region) = &self.place;
        format!("arn:aws:{service}:{region}:{account}:{resource}")
    }

    /// As BatchGetBuilds gives it.
    pub(super) fn render(&self) -> Value {
        let mut build = json!({
            "id": self.id,
            "arn": self.arn(),
            "buildNumber": self.number,
            "startTime": epoch(self.started_at),
            "currentPhase": self.phase().name(),
            "buildStatus": self.status(),
            "buildComplete": self.is_complete(),
            "projectName": self.project,
            "phases": self.phases.iter().map(PhaseRun::render).collect::<Vec<_>>(),
            "source": self.source,
            "secondarySources": self.overrides.secondary_sources,
            "secondarySourceVersions": self.overrides.secondary_versions,
            "secondaryArtifacts": self.overrides.secondary_artifacts(self),
            "artifacts": self.overrides.artifacts(self),
            "cache": self.overrides.cache,
            "environment": self.environment,
            "serviceRole": self.service_role,
            "logs": self.logs(),
            "timeoutInMinutes": self.timeout_minutes,
            "queuedTimeoutInMinutes": self.queued_timeout_minutes,
            "initiator": self.initiator,
            "encryptionKey": self.overrides.key.clone().unwrap_or_else(|| self.arn_of("kms", "alias/aws/s3")),
            "exportedEnvironmentVariables": self.exported.iter().map(|(name, value)| json!({"name": name, "value": value})).collect::<Vec<_>>(),
            "reportArns": reports::arn(self).into_iter().collect::<Vec<_>>(),
        });
        self.put_optional(&mut build);
        build
    }

    fn put_optional(&self, build: &mut Value) {
        if let Some(version) = &self.source_version {
            build["sourceVersion"] = json!(version);
        }
        if let Some(commit) = self.resolved_version() {
            build["resolvedSourceVersion"] = json!(commit);
        }
        if self.is_complete() {
            build["endTime"] = epoch(self.began(Phase::Completed).unwrap_or(self.started_at));
        }
        if let Some(enabled) = self.overrides.debug {
            build["debugSession"] = json!({ "sessionEnabled": enabled });
        }
        if let Some(vpc) = &self.vpc {
            build["vpcConfig"] = vpc.clone();
        }
        if self.retry != AutoRetry::default() {
            build["autoRetryConfig"] = self.retry.render();
        }
    }

    /// The commit that was built, known from the end of DOWNLOAD_SOURCE; of archives in S3 there is none.
    fn resolved_version(&self) -> Option<String> {
        let kind = self.source["type"].as_str().unwrap_or_default();
        let downloaded = self.phases.iter().any(|run| {
            run.phase == Phase::DownloadSource
                && run.end.as_ref().is_some_and(|end| end.status == PhaseStatus::Succeeded)
        });
        if !downloaded || matches!(kind, "S3" | "NO_SOURCE") {
            return None;
        }
        let version = self.source_version.as_deref().unwrap_or("HEAD");
        let is_commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(if is_commit { version.to_owned() } else { self.head_of(version) })
    }

    /// Some commit, always the same for the same branch of the same repository.
    fn head_of(&self, branch: &str) -> String {
        let hash = crate::ecr::digest(&format!("{}#{branch}", self.source["location"]));
        hash["sha256:".len()..].chars().take(40).collect()
    }

    /// Before PROVISIONING there is no stream, and CodeBuild says `null` in its links; without CloudWatch's logs there never is.
    fn logs(&self) -> Value {
        let known = self.began(Phase::Provisioning).is_some() && self.overrides.heard();
        let group = self.group();
        let (group, stream) = if known { (group.as_str(), self.stream()) } else { ("null", "null") };
        let region = &self.place.1;
        let mut logs = json!({
            "deepLink": format!("https://console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}/log-events/{stream}", group.replace('/', "$252F")),
            "cloudWatchLogsArn": self.arn_of("logs", &format!("log-group:{group}:log-stream:{stream}")),
            "cloudWatchLogs": self.overrides.cloud_watch,
            "s3Logs": self.overrides.s3_logs,
        });
        if known {
            logs["groupName"] = json!(group);
            logs["streamName"] = json!(stream);
        }
        logs
    }
}

impl PhaseRun {
    /// One that begins.
    pub(super) fn begins(phase: Phase, started_at: Timestamp) -> Self {
        Self { phase, started_at, end: None, printed: 0 }
    }

    /// SUBMITTED and QUEUED have a context only if something went wrong, stopped phases and COMPLETED none.
    fn render(&self) -> Value {
        let mut phase = json!({ "phaseType": self.phase.name(), "startTime": epoch(self.started_at) });
        let Some(end) = &self.end else { return phase };
        phase["phaseStatus"] = json!(end.status.name());
        phase["endTime"] = epoch(end.at);
        phase["durationInSeconds"] = json!(end.at.duration_since(self.started_at).as_secs());
        let (code, message) = &end.context;
        let bare = code.is_empty() && (self.phase <= Phase::Queued || end.status == PhaseStatus::Stopped);
        if !bare {
            phase["contexts"] = json!([{ "statusCode": code, "message": message }]);
        }
        phase
    }
}

impl AutoRetry {
    fn render(&self) -> Value {
        let mut config = json!({ "autoRetryLimit": self.limit, "autoRetryNumber": self.number });
        if let Some(next) = &self.next {
            config["nextAutoRetry"] = json!(next);
        }
        if let Some(previous) = &self.previous {
            config["previousAutoRetry"] = json!(previous);
        }
        config
    }
}
