//! Builds: looking at them, starting and stopping them. No project is made or changed.

use super::failure::Failure;
use super::json::{Whole, input};
use super::words;
use crate::batch::Answers;
use crate::clouds::{BUILDS, Cloud};
use crate::operation::Operation;
use crate::scrub;
use crate::shared::Token;
use aws_sdk_codebuild::operation::list_builds_for_project::ListBuildsForProjectOutput;
use aws_sdk_codebuild::operation::start_build::StartBuildInput;
use aws_sdk_codebuild::types::{
    Build, BuildArtifacts, ExportedEnvironmentVariable, LogsLocation, PhaseContext, Project, TestReportSummary,
};
use jiff::{SignedDuration, Timestamp};
use launchway_plan::fault::Fault;
use launchway_plan::world::TestCounts;
use launchway_plan::world::{
    Artifact, BuildPhase, BuildRequest, BuildStatus, BuildVariable, Exported, LiveBuild, LiveProject, LogStream,
    Members, Packaging, Phase, PhaseKind, PhaseStatus, VariableKind,
};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The environment variable that carries a build's marker (docs/effects.md).
const MARKER: &str = "LAUNCHWAY_BUILD";

/// How many projects one BatchGetProjects names at most (API reference).
const PROJECTS: usize = 100;

/// How many reports one BatchGetReports names at most (API reference).
const REPORTS: usize = 100;

/// How much older than an intent a page of builds must be before the search for its build ends (docs/effects.md,
/// "StartBuild in doubt").
const SLACK: SignedDuration = SignedDuration::from_mins(10);

impl Cloud {
    /// A build; `None`: CodeBuild does not know it (any more). A part of a call: up to 100 builds share one.
    pub async fn build(&self, id: &str) -> Result<Option<LiveBuild>, Fault> {
        let send = |cloud: Self, token, ids| async move { cloud.batch_get_builds(token, ids).await };
        self.shared(&self.inner().builds, Operation::BatchGetBuilds, ("", id), send)
            .await
            .map_err(|failure| self.build_fault(Operation::BatchGetBuilds, &failure, project_of(id)))
    }

    /// The builds of a project that began after `since` less 10 minutes, newest first. Two calls for each page of 100,
    /// until a whole page began before that.
    pub async fn builds_since(&self, project: &str, since: Timestamp) -> Result<Vec<LiveBuild>, Fault> {
        let earliest = since.checked_sub(SLACK).unwrap_or(Timestamp::MIN);
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let page = self
                .list_builds(project, token)
                .await
                .map_err(|failure| self.build_fault(Operation::ListBuildsForProject, &failure, project))?;
            let builds = self
                .builds_of(&page)
                .await
                .map_err(|failure| self.build_fault(Operation::BatchGetBuilds, &failure, project))?;
            let whole = !builds.is_empty() && builds.iter().all(|build| build.started_at < earliest);
            let since = builds.into_iter().filter(|build| build.started_at >= earliest);
            // What a build left is read once it is asked for by its ID: a project may have thousands of builds.
            found.extend(since.map(|build| LiveBuild { exported: BTreeMap::new(), reports: Vec::new(), ..build }));
            token = page.next_token;
            if whole || token.is_none() {
                found.sort_by_key(|build| Reverse(build.started_at));
                return Ok(found);
            }
        }
    }

    /// The projects of those names that there are. One call for a hundred.
    pub async fn projects(&self, names: &[String]) -> Result<Vec<LiveProject>, Fault> {
        let mut found = Vec::new();
        for names in names.chunks(PROJECTS) {
            let request = self.inner().clients.codebuild.batch_get_projects().set_names(Some(names.to_vec()));
            let seen = self.look(Operation::BatchGetProjects, || request.clone().send()).await.map_err(|failure| {
                self.build_fault(Operation::BatchGetProjects, &failure, names.first().map_or("", |name| name))
            })?;
            found.extend(seen.projects().iter().map(live_project));
        }
        Ok(found)
    }

    /// What the test reports of a build say; `None`: it has none that are ready. One call.
    pub async fn tests(&self, reports: &[String]) -> Result<Option<TestCounts>, Fault> {
        let named: Vec<String> = reports.iter().take(REPORTS).cloned().collect();
        let request = self.inner().clients.codebuild.batch_get_reports().set_report_arns(Some(named));
        let seen = self.look(Operation::BatchGetReports, || request.clone().send()).await.map_err(|failure| {
            let group = reports.first().map_or("", |arn| group_of(arn));
            self.fault(Operation::BatchGetReports, &failure, "codebuild", &format!("report-group/{group}"))
        })?;
        let summaries: Vec<&TestReportSummary> =
            seen.reports().iter().filter_map(|report| report.test_summary()).collect();
        Ok((!summaries.is_empty()).then(|| summaries.into_iter().fold(TestCounts::default(), counted)))
    }

    /// Starts a build. A token that was used with other parameters means: look again.
    pub async fn start_build(&self, request: &BuildRequest, token: &str) -> Result<LiveBuild, Fault> {
        let started = self.started(request, token).await;
        started.map_err(|failure| self.build_fault(Operation::StartBuild, &failure, &request.project))
    }

    async fn started(&self, request: &BuildRequest, token: &str) -> Result<LiveBuild, Failure> {
        let whole = Whole(input(&body(request, token), StartBuildInput::deserialize)?);
        let send = self.changing().codebuild.start_build().customize().interceptor(whole);
        let seen = self.effect(Operation::StartBuild, send.send()).await?;
        let build = seen.build_value.ok_or_else(|| Failure::unreadable("StartBuild without a build"))?;
        Ok(self.live(&build))
    }

    /// Stops a build. One that CodeBuild does not know is stopped.
    pub async fn stop_build(&self, id: &str) -> Result<(), Fault> {
        let send = self.changing().codebuild.stop_build().id(id);
        match self.effect(Operation::StopBuild, send.send()).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.code == "ResourceNotFoundException" => Ok(()),
            Err(failure) => Err(self.build_fault(Operation::StopBuild, &failure, project_of(id))),
        }
    }

    /// CodeBuild's rights are those on a project.
    fn build_fault(&self, operation: Operation, failure: &Failure, project: &str) -> Fault {
        self.fault(operation, failure, "codebuild", &format!("project/{project}"))
    }

    /// No `sortOrder`: with it the call fails for projects of more than 100 builds; without it the newest come first.
    async fn list_builds(&self, project: &str, token: Option<String>) -> Result<ListBuildsForProjectOutput, Failure> {
        let request = self.inner().clients.codebuild.list_builds_for_project().project_name(project);
        let request = request.set_next_token(token);
        self.look(Operation::ListBuildsForProject, || request.clone().send()).await
    }

    async fn builds_of(&self, page: &ListBuildsForProjectOutput) -> Result<Vec<LiveBuild>, Failure> {
        let mut builds = Vec::new();
        for ids in page.ids().chunks(BUILDS) {
            let token = self.take(Operation::BatchGetBuilds).await?;
            let seen = self.batch_get_builds(token, ids.to_vec()).await?;
            builds.extend(ids.iter().filter_map(|id| seen.get(id).cloned().flatten()));
        }
        Ok(builds)
    }

    async fn batch_get_builds(
        &self,
        token: Token,
        ids: Vec<String>,
    ) -> Result<Answers<String, Option<LiveBuild>>, Failure> {
        let request = self.inner().clients.codebuild.batch_get_builds().set_ids(Some(ids));
        let seen = self.look_with(token, Operation::BatchGetBuilds, || request.clone().send()).await?;
        let gone = seen.builds_not_found().iter().map(|id| (id.clone(), None));
        Ok(seen
            .builds()
            .iter()
            .map(|build| self.live(build))
            .map(|build| (build.id.clone(), Some(build)))
            .chain(gone)
            .collect())
    }

    fn live(&self, build: &Build) -> LiveBuild {
        let variables = build.environment().map(|environment| environment.environment_variables()).unwrap_or_default();
        LiveBuild {
            id: build.id().unwrap_or_default().to_owned(),
            versions: [build.resolved_source_version(), build.source_version()]
                .into_iter()
                .filter_map(words::text)
                .collect(),
            status: status(build),
            phase: phase(build.current_phase().unwrap_or_default()),
            phases: build.phases().iter().map(build_phase).collect(),
            // Every build has a start time. If it were missing, the build must not look old, or the search would skip it.
            started_at: words::moment(build.start_time()).unwrap_or_else(|| self.now()),
            ended_at: words::moment(build.end_time()),
            marker: variables.iter().find(|one| one.name() == MARKER).map(|one| one.value().to_owned()),
            log: build.logs().and_then(log),
            log_link: build.logs().and_then(|logs| words::text(logs.deep_link())).filter(|link| has_names(link)),
            reports: build.report_arns().to_vec(),
            artifact: build.artifacts().and_then(artifact).map(Box::new),
            exported: build.exported_environment_variables().iter().take(EXPORTS).filter_map(exported).collect(),
            in_vpc: build.vpc_config().and_then(|vpc| vpc.vpc_id()).is_some_and(|id| !id.is_empty()),
        }
    }
}

/// How many of the variables that a build exported are kept, and how much of each, in bytes: CodeBuild bounds neither, and no use of
/// them here takes as much.
const EXPORTS: usize = 100;
const EXPORTED: usize = 1024;

fn exported(variable: &ExportedEnvironmentVariable) -> Option<(String, Exported)> {
    let (name, value) = (variable.name()?, variable.value()?);
    let short = &value[..value.floor_char_boundary(EXPORTED)];
    (name.len() <= EXPORTED).then(|| (name.to_owned(), short.into()))
}

/// Where it is, as CodeBuild shows it: `arn:aws:s3:::<bucket>/<key>`. Only a zip has the hash (API reference of BuildArtifacts). A
/// directory bucket's, which has a way of its own to sign in, is not read.
fn artifact(seen: &BuildArtifacts) -> Option<Artifact> {
    let location = words::text(seen.location())?;
    let (bucket, key) = location.strip_prefix("arn:")?.split_once(":s3:::")?.1.split_once('/')?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
    if !bucket.chars().all(is_name) || bucket.ends_with("--x-s3") {
        return None;
    }
    let packaging = if words::text(seen.sha256_sum()).is_some() { Packaging::Zip } else { Packaging::Folder };
    Some(Artifact { bucket: bucket.to_owned(), key: key.to_owned(), packaging })
}

/// The group of a report's ARN, `…:report/<group>:<id>`.
fn group_of(report: &str) -> &str {
    let resource = report.split_once(":report/").map_or(report, |(_, resource)| resource);
    resource.rsplit_once(':').map_or(resource, |(group, _)| group)
}

/// The counts with those of one more report. The words are those of TestCase.status (API reference).
fn counted(before: TestCounts, summary: &TestReportSummary) -> TestCounts {
    let of = |words: &[&str]| -> i32 { words.iter().filter_map(|word| summary.status_counts().get(*word)).sum() };
    TestCounts {
        total: before.total.saturating_add(summary.total()),
        failed: before.failed.saturating_add(of(&["FAILED", "ERROR"])),
        skipped: before.skipped.saturating_add(of(&["SKIPPED"])),
    }
}

fn live_project(project: &Project) -> LiveProject {
    LiveProject {
        name: project.name().unwrap_or_default().to_owned(),
        source: project.source().map(|source| source.r#type().as_str()).unwrap_or_default().to_owned(),
        artifacts: project.artifacts().map(|artifacts| artifacts.r#type().as_str()).unwrap_or_default().to_owned(),
        namespace_type: project
            .artifacts()
            .and_then(|artifacts| artifacts.namespace_type())
            .map(|kind| kind.as_str())
            .unwrap_or_default()
            .to_owned(),
        names_artifact: project
            .artifacts()
            .and_then(|artifacts| artifacts.override_artifact_name())
            .unwrap_or_default(),
    }
}

/// Whether a link leads to a log. Of a build that never ran, CodeBuild's names the group and the stream `null`.
fn has_names(link: &str) -> bool {
    !link.split(['/', '=', ';', '&', '#']).any(|part| part == "null")
}

/// The project of a build's ID: `<project>:<uuid>`.
fn project_of(id: &str) -> &str {
    id.rsplit_once(':').map_or(id, |(project, _)| project)
}

fn status(build: &Build) -> BuildStatus {
    if !build.build_complete() {
        return BuildStatus::InProgress;
    }
    match build.build_status().map(|status| status.as_str()) {
        Some("SUCCEEDED") => BuildStatus::Succeeded,
        Some("FAILED") => BuildStatus::Failed,
        Some("FAULT") => BuildStatus::Fault,
        Some("TIMED_OUT") => BuildStatus::TimedOut,
        Some("STOPPED") => BuildStatus::Stopped,
        other => BuildStatus::Unknown(other.unwrap_or_default().to_owned()),
    }
}

fn build_phase(seen: &aws_sdk_codebuild::types::BuildPhase) -> BuildPhase {
    BuildPhase {
        phase: phase(seen.phase_type().map(|name| name.as_str()).unwrap_or_default()),
        status: match seen.phase_status().map(|status| status.as_str()) {
            None | Some("IN_PROGRESS") => PhaseStatus::InProgress,
            Some("SUCCEEDED") => PhaseStatus::Succeeded,
            Some(_) => PhaseStatus::Failed,
        },
        seconds: seen.duration_in_seconds(),
        contexts: seen.contexts().iter().filter_map(context).collect(),
    }
}

fn phase(name: &str) -> Phase {
    let kind = match name {
        "SUBMITTED" | "QUEUED" => PhaseKind::Queue,
        "PROVISIONING" => PhaseKind::Provisioning,
        "DOWNLOAD_SOURCE" => PhaseKind::Source,
        "COMPLETED" => PhaseKind::Completed,
        _ => PhaseKind::Commands,
    };
    Phase { kind, name: name.to_owned() }
}

fn context(context: &PhaseContext) -> Option<String> {
    let text = match (words::text(context.status_code()), words::text(context.message())) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (one, other) => one.or(other)?,
    };
    Some(scrub::message(&text))
}

/// Absent before PROVISIONING.
fn log(logs: &LogsLocation) -> Option<LogStream> {
    Some(LogStream { group: words::text(logs.group_name())?, stream: words::text(logs.stream_name())? })
}

/// StartBuild's request, in AWS's words.
fn body(request: &BuildRequest, token: &str) -> Members {
    let marker = BuildVariable { name: MARKER.to_owned(), value: request.marker.clone(), kind: VariableKind::Plain };
    let variables: Vec<Value> = request.environment.iter().chain([&marker]).map(variable).collect();
    let own = json!({
        "projectName": request.project,
        "sourceVersion": request.commit.as_str(),
        "environmentVariablesOverride": variables,
        "timeoutInMinutesOverride": request.timeout_minutes,
        "queuedTimeoutInMinutesOverride": request.queued_timeout_minutes,
        // CodeBuild would retry with builds that nobody here knows of.
        "autoRetryLimitOverride": 0,
        "idempotencyToken": token,
    });
    let buildspec = request.buildspec.iter().map(|buildspec| ("buildspecOverride".to_owned(), json!(buildspec)));
    let own = own.as_object().cloned().unwrap_or_default().into_iter().chain(buildspec);
    // What is ours stays ours, whatever an override is called.
    request.overrides.clone().into_iter().chain(own).collect()
}

fn variable(given: &BuildVariable) -> Value {
    let kind = match given.kind {
        VariableKind::Plain => "PLAINTEXT",
        VariableKind::ParameterStore => "PARAMETER_STORE",
        VariableKind::SecretsManager => "SECRETS_MANAGER",
    };
    json!({"name": given.name, "value": given.value, "type": kind})
}

#[cfg(test)]
mod tests {
    use super::has_names;

    #[test]
    fn the_link_of_a_build_that_never_ran_is_none() {
        let link = |group: &str, stream: &str| {
            format!(
                "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/{group}/log-events/{stream}"
            )
        };
        assert!(!has_names(&link("null", "null")));
        assert!(!has_names(
            "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logEvent:group=null;stream=null"
        ));
        assert!(has_names(&link("$252Faws$252Fcodebuild$252Fnullable", "1-2-3")));
    }
}
