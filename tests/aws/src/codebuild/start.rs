//! StartBuild: overrides, tokens, limits; and CodeBuild's own retries. What the build then does is in `course`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::build::{AutoRetry, Build, PhaseRun, PhaseStatus};
use super::overrides::Overrides;
use super::project::{CODEPIPELINE, Project, Variable, VariableKind};
use super::story::{BuildStory, Outcome, Phase, Push, StartedBuild};
use super::{CodeBuildState, course, invalid, not_found, project_arn, project_name};
use crate::{Answer, Call, Refusal, World};

/// How long an idempotency token is remembered [API_StartBuild].
const TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Source types whose providers take no build status [API_StartBuild, reportBuildStatusOverride].
const NO_STATUS: [&str; 4] = ["CODECOMMIT", "CODEPIPELINE", "S3", "NO_SOURCE"];

/// StartBuild's overrides that go into `source` under another name.
const SOURCE_OVERRIDES: [(&str, &str); 9] = [
    ("sourceTypeOverride", "type"),
    ("sourceLocationOverride", "location"),
    ("buildspecOverride", "buildspec"),
    ("sourceAuthOverride", "auth"),
    ("gitCloneDepthOverride", "gitCloneDepth"),
    ("gitSubmodulesConfigOverride", "gitSubmodulesConfig"),
    ("insecureSslOverride", "insecureSsl"),
    ("reportBuildStatusOverride", "reportBuildStatus"),
    ("buildStatusConfigOverride", "buildStatusConfig"),
];

/// StartBuild's overrides that go into `environment` under another name.
const ENVIRONMENT_OVERRIDES: [(&str, &str); 9] = [
    ("environmentTypeOverride", "type"),
    ("imageOverride", "image"),
    ("computeTypeOverride", "computeType"),
    ("privilegedModeOverride", "privilegedMode"),
    ("imagePullCredentialsTypeOverride", "imagePullCredentialsType"),
    ("certificateOverride", "certificate"),
    ("fleetOverride", "fleet"),
    ("registryCredentialOverride", "registryCredential"),
    ("hostKernelOverride", "hostKernel"),
];

/// An idempotency token, and what it was first used for.
#[derive(Clone, Debug)]
pub(super) struct Token {
    used_at: Timestamp,
    input: Arc<Value>,
    build: u64,
}

/// StartBuild.
pub(super) fn start(world: &mut World, call: &Call) -> Answer {
    let name = project_name(call.text("projectName").ok_or_else(|| invalid("Invalid project name: null"))?);
    let arn = project_arn(call, name);
    world.allow(call, "codebuild:StartBuild", &arn, &[])?;
    if let Some(role) = call.text("serviceRoleOverride") {
        let role = match role.starts_with("arn:") {
            true => role.to_owned(),
            false => format!("arn:aws:iam::{}:role/{role}", call.place().0),
        };
        world.allow(call, "iam:PassRole", &role, &[("iam:PassedToService", "codebuild.amazonaws.com")])?;
    }
    course::with_state(world, &call.place(), |world, state| {
        let project =
            state.projects.get(name).cloned().ok_or_else(|| not_found(format!("Project cannot be found: {arn}")))?;
        let template = template(call, &project)?;
        let number = match build_of_token(state, call)? {
            Some(number) => number,
            None => admit(world, state, call, &project, template)?,
        };
        Ok(json!({ "build": state.builds[&number].render() }))
    })
}

/// The build that this call's token has started already.
fn build_of_token(state: &mut CodeBuildState, call: &Call) -> Result<Option<u64>, Refusal> {
    state.tokens.retain(|_, token| call.now.duration_since(token.used_at) < TOKEN_LIFETIME);
    let known = call.text("idempotencyToken").and_then(|token| state.tokens.get(token));
    match known {
        None => Ok(None),
        Some(token) if token.input == call.input => Ok(Some(token.build)),
        Some(_) => Err(invalid("Parameter mismatch: the idempotency token was already used with different parameters")),
    }
}

fn admit(
    world: &mut World,
    state: &mut CodeBuildState,
    call: &Call,
    project: &Project,
    template: Build,
) -> Result<u64, Refusal> {
    check_limits(state, project)?;
    let number = launch(world, state, template, call.now);
    if let Some(token) = call.text("idempotencyToken") {
        let used = Token { used_at: call.now, input: call.input.clone(), build: number };
        state.tokens.insert(token.to_owned(), used);
    }
    course::drain(world, state, call.now);
    Ok(number)
}

fn check_limits(state: &CodeBuildState, project: &Project) -> Result<(), Refusal> {
    let active = || state.active.iter().filter_map(|number| state.builds.get(number));
    let queued = active().filter(|build| build.phase() <= Phase::Queued).count();
    if queued >= state.limits.queued {
        return Err(limit_exceeded(format!(
            "Cannot have more than {} builds in queue for the account",
            state.limits.queued
        )));
    }
    let own = active().filter(|build| build.project == project.name).count();
    match project.concurrent_build_limit {
        Some(limit) if own >= limit => {
            Err(limit_exceeded(format!("Cannot have more than {limit} active builds for the project")))
        }
        Some(_) | None => Ok(()),
    }
}

fn limit_exceeded(message: String) -> Refusal {
    Refusal::new("AccountLimitExceededException", message)
}

/// Gives the build a number, an ID and a story, and lets it begin.
fn launch(world: &mut World, state: &mut CodeBuildState, mut build: Build, at: Timestamp) -> u64 {
    let siblings = Arc::make_mut(state.by_project.entry(build.project.clone()).or_default());
    let order = state.builds.last_key_value().map_or(1, |(last, _)| last + 1);
    siblings.push(order);
    build.number = siblings.len() as u64;
    let uuid = world.fresh_uuid();
    build.id = format!("{}:{uuid}", build.project);
    build.stream = build.overrides.stream(uuid);
    build.started_at = at;
    build.phases = vec![PhaseRun::begins(Phase::Submitted, at)];
    build.story = state.stories.choice(&started(&build));
    if let Some(message) = state.unfetchable(&build) {
        let code = "CLIENT_ERROR".to_owned();
        build.story.outcome = Outcome::Fails { phase: Phase::DownloadSource, code, message };
    }
    state.ids.insert(build.id.clone(), order);
    state.active.insert(order);
    state.builds.insert(order, Arc::new(build));
    order
}

fn started(build: &Build) -> StartedBuild {
    StartedBuild {
        account: build.place.0.clone(),
        region: build.place.1.clone(),
        project: build.project.clone(),
        id: build.id.clone(),
        number: build.number,
        source_version: build.source_version.clone(),
        environment: build.variables.iter().map(|variable| (variable.name.clone(), variable.value.clone())).collect(),
        buildspec: build.source["buildspec"].as_str().map(str::to_owned),
    }
}

/// Starts a build that went wrong once more, if its project or its start asked for that.
pub(super) fn retry(world: &mut World, state: &mut CodeBuildState, order: u64, at: Timestamp) {
    let Some(build) = state.builds.get(&order) else { return };
    let wrong = matches!(
        build.worst(),
        PhaseStatus::Failed | PhaseStatus::Fault | PhaseStatus::TimedOut | PhaseStatus::ClientError
    );
    if !wrong || build.retry.number >= build.retry.limit {
        return;
    }
    let mut again = (**build).clone();
    again.retry.number += 1;
    again.retry.previous = Some(build.arn());
    let next = launch(world, state, again, at);
    let arn = state.builds.get(&next).map(|build| build.arn());
    if let Some(build) = state.builds.get_mut(&order).map(Arc::make_mut) {
        build.retry.next = arn;
    }
}

/// The build as the call asks for it, before it has a number, an ID or a story.
fn template(call: &Call, project: &Project) -> Result<Build, Refusal> {
    let variables = variables(call, project)?;
    let limit = ranged(call, "autoRetryLimitOverride", 0..=10)?.unwrap_or(project.auto_retry_limit);
    Ok(Build {
        id: String::new(),
        number: 0,
        project: project.name.clone(),
        started_at: call.now,
        source_version: call.text("sourceVersion").map(str::to_owned).or_else(|| project.source_version.clone()),
        phases: Vec::new(),
        story: BuildStory::new(Outcome::Succeeds { pushes: Push::Nothing }),
        exported: Vec::new(),
        stream: String::new(),
        place: call.place(),
        overrides: Overrides::asked(call, project)?,
        source: source(call, project)?,
        environment: environment(call, project, &variables),
        variables,
        service_role: call.text("serviceRoleOverride").unwrap_or(&project.service_role).to_owned(),
        timeout_minutes: ranged(call, "timeoutInMinutesOverride", 5..=2160)?.unwrap_or(project.timeout_minutes),
        queued_timeout_minutes: ranged(call, "queuedTimeoutInMinutesOverride", 5..=480)?
            .unwrap_or(project.queued_timeout_minutes),
        initiator: initiator(&call.caller.arn),
        vpc: project.vpc.as_ref().map(|vpc| vpc.render()),
        retry: AutoRetry { limit, ..AutoRetry::default() },
        sum: None,
    })
}

fn ranged(call: &Call, member: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
    match call.number(member) {
        Some(value) if !range.contains(&value) => Err(invalid(format!(
            "Invalid input: {member} must be between {} and {}, was {value}",
            range.start(),
            range.end()
        ))),
        value => Ok(value),
    }
}

/// The project's variables, with those of the call over them by name.
fn variables(call: &Call, project: &Project) -> Result<Vec<Variable>, Refusal> {
    let mut variables = project.environment.variables.clone();
    for value in call.list("environmentVariablesOverride") {
        let variable = variable(value)?;
        match variables.iter_mut().find(|other| other.name == variable.name) {
            Some(other) => *other = variable,
            None => variables.push(variable),
        }
    }
    Ok(variables)
}

fn variable(value: &Value) -> Result<Variable, Refusal> {
    let member = |name: &str| value.get(name).and_then(Value::as_str);
    let name = member("name")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| invalid("Invalid environment variable: name must not be empty"))?;
    let text = member("value").ok_or_else(|| invalid(format!("Invalid environment variable: {name} has no value")))?;
    let kind = member("type").unwrap_or("PLAINTEXT");
    let kind =
        VariableKind::parse(kind).ok_or_else(|| invalid(format!("Invalid environment variable type: {kind}")))?;
    Ok(Variable { name: name.to_owned(), value: text.to_owned(), kind })
}

fn source(call: &Call, project: &Project) -> Result<Value, Refusal> {
    let mut source = project.source();
    put_overrides(call, &mut source, &SOURCE_OVERRIDES);
    let kind = source["type"].as_str().unwrap_or_default();
    outside_of_a_pipeline(call, project, kind)?;
    if call.flag("reportBuildStatusOverride") && NO_STATUS.contains(&kind) {
        return Err(invalid(format!("Invalid input: reportBuildStatus is not supported for source type {kind}")));
    }
    Ok(source)
}

/// A project of CodePipeline's is built outside of a pipeline if both its source and its artifacts are overridden.
fn outside_of_a_pipeline(call: &Call, project: &Project, kind: &str) -> Result<(), Refusal> {
    if kind == CODEPIPELINE {
        return Err(invalid("SourceTypeOverride must be set when using source type CodePipeline"));
    }
    let artifacts = call.member("artifactsOverride").map_or(&Value::Null, |artifacts| &artifacts["type"]);
    let overridden = artifacts.as_str().is_some_and(|kind| kind != CODEPIPELINE);
    if artifacts == CODEPIPELINE || (project.source.kind == CODEPIPELINE && !overridden) {
        return Err(invalid("ArtifactsOverride must be set when using artifacts type CodePipelines"));
    }
    Ok(())
}

fn environment(call: &Call, project: &Project, variables: &[Variable]) -> Value {
    let mut environment = project.environment();
    put_overrides(call, &mut environment, &ENVIRONMENT_OVERRIDES);
    environment["environmentVariables"] = variables.iter().map(Variable::render).collect();
    environment
}

fn put_overrides(call: &Call, object: &mut Value, overrides: &[(&str, &str)]) {
    for (from, to) in overrides {
        if let Some(value) = call.member(from) {
            object[*to] = value.clone();
        }
    }
}

/// A user's name, or `role/session`.
fn initiator(arn: &str) -> String {
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    resource.split_once('/').map_or(resource, |(_, name)| name).to_owned()
}
