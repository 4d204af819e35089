//! What happens at the edges of phases: secrets are read, images pushed, CodeBuild's own lines printed. When that is, is in `course`.

use jiff::Timestamp;

use super::artifacts;
use super::build::{Build, PhaseEnd, PhaseStatus};
use super::project::VariableKind;
use super::story::{Export, Outcome, Phase, Push};
use crate::{Place, TaskStory, World};

/// `statusCode` and `message` of a phase's context.
pub(super) type Context = (String, String);

/// The lines that the story prints in a phase.
pub(super) fn lines(build: &Build, phase: Phase) -> impl Iterator<Item = &str> {
    build.story.says.iter().filter(move |(of, _)| *of == phase).map(|(_, line)| line.as_str())
}

/// What happens when the phase that the build is in begins.
pub(super) fn begin(world: &mut World, build: &Build, at: Timestamp) {
    match build.phase() {
        Phase::Provisioning => open_stream(world, build),
        Phase::DownloadSource => {
            for line in [
                "Running on CodeBuild On-demand",
                "Waiting for agent ping",
                "Waiting for DOWNLOAD_SOURCE",
                "Phase is DOWNLOAD_SOURCE",
            ] {
                note(world, build, at, line);
            }
        }
        phase @ (Phase::Install | Phase::PreBuild | Phase::Build | Phase::PostBuild) => {
            note(world, build, at, &format!("Entering phase {}", phase.name()));
        }
        Phase::Submitted | Phase::Queued | Phase::UploadArtifacts | Phase::Finalizing | Phase::Completed => {}
    }
}

/// What happens when the phase that the build is in ends by itself, and how it ends.
pub(super) fn end(world: &mut World, build: &mut Build, at: Timestamp) -> PhaseEnd {
    let phase = build.phase();
    let left = build.story.leaves.as_ref().filter(|(of, _)| *of == phase);
    // Whether it is refused decides nothing: how the build ends is told.
    let _ = left.zip(pushes(build)).map(|((_, story), of)| push_image(world, build, of, story.clone(), at));
    let told = told_end(build, phase);
    let (status, context) = match told {
        Some(end) => end,
        None => match phase_work(world, build, phase, at) {
            Ok(()) => (PhaseStatus::Succeeded, Context::default()),
            Err(context) => (PhaseStatus::Failed, context),
        },
    };
    if phase == Phase::PostBuild {
        build.exported = exported(world, build);
    }
    if phase == Phase::UploadArtifacts {
        build.sum = artifacts::sum(world, build);
    }
    if (Phase::DownloadSource..=Phase::UploadArtifacts).contains(&phase) {
        note_end(world, build, at, status, &context);
    }
    PhaseEnd { at, status, context }
}

/// The end that the story tells.
fn told_end(build: &Build, phase: Phase) -> Option<(PhaseStatus, Context)> {
    let context = |code: &str, message: &str| (code.to_owned(), message.to_owned());
    match &build.story.outcome {
        Outcome::Fails { phase: of, code, message } if *of == phase => {
            Some((PhaseStatus::Failed, context(code, message)))
        }
        Outcome::Faults { phase: of } if *of == phase => {
            Some((PhaseStatus::Fault, context("INTERNAL_SERVICE_ERROR", "CodeBuild is experiencing issues")))
        }
        Outcome::VpcError if phase == Phase::Queued => {
            Some((PhaseStatus::ClientError, context("VPC_CLIENT_ERROR", "Unexpected EC2 error: UnauthorizedOperation")))
        }
        Outcome::Fails { .. }
        | Outcome::Faults { .. }
        | Outcome::VpcError
        | Outcome::Hangs { .. }
        | Outcome::Overruns { .. }
        | Outcome::Succeeds { .. } => None,
    }
}

fn phase_work(world: &mut World, build: &Build, phase: Phase, at: Timestamp) -> Result<(), Context> {
    match phase {
        Phase::DownloadSource => secrets(world, build, at),
        Phase::PostBuild => push(world, build, at),
        Phase::UploadArtifacts => artifacts::upload(world, build, at),
        Phase::Submitted
        | Phase::Queued
        | Phase::Provisioning
        | Phase::Install
        | Phase::PreBuild
        | Phase::Build
        | Phase::Finalizing
        | Phase::Completed => Ok(()),
    }
}

fn secrets(world: &mut World, build: &Build, at: Timestamp) -> Result<(), Context> {
    let buildspec = build.source["buildspec"].as_str().filter(|spec| !spec.contains('\n')).unwrap_or("buildspec.yml");
    let directory = format!("/codebuild/output/src{}/src", build.number);
    note(world, build, at, &format!("CODEBUILD_SRC_DIR={directory}"));
    note(world, build, at, &format!("YAML location is {directory}/{buildspec}"));
    note(world, build, at, "Processing environment variables");
    if build.variables.iter().any(|variable| variable.kind == VariableKind::Parameter) {
        note(world, build, at, "Decrypting parameter store environment variables");
    }
    let nothing = crate::ssm::SsmState::default();
    let held = world.ssm.get(&build.place).unwrap_or(&nothing);
    for variable in &build.variables {
        let missing = |message: String, code: &str| Err((code.to_owned(), message));
        match variable.kind {
            VariableKind::Plain => {}
            VariableKind::Parameter if held.parameter(&variable.value).is_some() => {}
            VariableKind::Parameter => {
                return missing(format!("parameter does not exist: {}", variable.value), "Decrypted Variables Error");
            }
            VariableKind::Secret => {
                held.secret(&variable.value).map(|_| ()).or_else(|message| missing(message, "Secrets Manager Error"))?
            }
        }
    }
    Ok(())
}

fn push(world: &mut World, build: &Build, at: Timestamp) -> Result<(), Context> {
    let Outcome::Succeeds { pushes: Push::Image(story) } = &build.story.outcome else { return Ok(()) };
    let Some((first, tag)) = pushes(build) else { return Ok(()) };
    let all = std::iter::once(first).chain(build.story.also.iter().map(String::as_str));
    all.into_iter().try_for_each(|repository| push_image(world, build, (repository, tag), story.clone(), at))
}

fn push_image(
    world: &mut World,
    build: &Build,
    (repository, tag): (&str, &str),
    story: TaskStory,
    at: Timestamp,
) -> Result<(), Context> {
    let registry = registry(build);
    let host = format!("{}.dkr.ecr.{}.amazonaws.com/{repository}", registry.0, registry.1);
    let command = format!("docker push {host}:{tag}");
    note(world, build, at, &format!("Running command {command}"));
    print(world, build, at, &format!("The push refers to repository [{host}]"));
    let is_first = pushes(build).is_some_and(|(first, _)| first == repository);
    let content = if is_first { build.id.clone() } else { format!("{} of {repository}", build.id) };
    let pushed = world.ecr.entry(registry.clone()).or_default().push(repository, tag, &content, story, at);
    match pushed {
        Ok(digest) => {
            print(world, build, at, &format!("{tag}: digest: {digest} size: 528"));
            Ok(())
        }
        Err(refused) => {
            print(world, build, at, &refused.message(&registry.0, repository, tag));
            Err((
                "COMMAND_EXECUTION_ERROR".to_owned(),
                format!("Error while executing command: {command}. Reason: exit status 1"),
            ))
        }
    }
}

/// Repository and tag of what it pushes.
fn pushes(build: &Build) -> Option<(&str, &str)> {
    let tag = build.story.tag.as_deref().or(build.variable("IMAGE_TAG"));
    Some((build.variable("IMAGE_REPO_NAME")?, tag?))
}

/// The variables that its buildspec exports; none of an image that was not pushed.
fn exported(world: &World, build: &Build) -> Vec<(String, String)> {
    let value = |export: &Export| match export {
        Export::WithDigest | Export::WithTag => image(world, build, pushes(build)?.0, export),
        Export::Text(text) => Some(text.clone()),
    };
    let exports = build.story.exports.iter();
    exports.filter_map(|(name, export)| Some((name.clone(), value(export)?))).collect()
}

/// The image that the build pushed into a repository, in the form that is told; none if it was not pushed. A text is told as it is.
pub(super) fn image(world: &World, build: &Build, repository: &str, form: &Export) -> Option<String> {
    let (account, region) = registry(build);
    let (_, tag) = pushes(build)?;
    let name = format!("{account}.dkr.ecr.{region}.amazonaws.com/{repository}");
    let pushed = || world.ecr.get(&(account, region))?.image(repository, tag);
    match form {
        Export::WithDigest => pushed().map(|image| format!("{name}@{}", image.digest)),
        Export::WithTag => pushed().map(|_| format!("{name}:{tag}")),
        Export::Text(text) => Some(text.clone()),
    }
}

/// Where the build was told to push to; else its own account and region.
fn registry(build: &Build) -> Place {
    let (account, region) = &build.place;
    let told = |name: &str, own: &String| build.variable(name).map_or_else(|| own.clone(), str::to_owned);
    (told("AWS_ACCOUNT_ID", account), told("AWS_DEFAULT_REGION", region))
}

fn note_end(world: &mut World, build: &Build, at: Timestamp, status: PhaseStatus, (code, message): &Context) {
    if let Some((command, reason)) =
        message.strip_prefix("Error while executing command: ").and_then(|rest| rest.rsplit_once(". Reason: "))
    {
        note(world, build, at, &format!("Command did not exit successfully {command} {reason}"));
    }
    note(world, build, at, &format!("Phase complete: {} State: {}", build.phase().name(), status.name()));
    note(world, build, at, &format!("Phase context status code: {code} Message: {message}"));
}

/// A line of CodeBuild itself.
fn note(world: &mut World, build: &Build, at: Timestamp, line: &str) {
    print(world, build, at, &format!("[Container] {} {line}", at.strftime("%Y/%m/%d %H:%M:%S%.6f")));
}

/// A line as it is, unless nothing of this build can be heard.
pub(super) fn print(world: &mut World, build: &Build, at: Timestamp, line: &str) {
    if !is_mute(build) {
        let logs = world.logs.entry(build.place.clone()).or_default();
        logs.append(&build.group(), build.stream(), at, format!("{line}\n"));
    }
}

fn open_stream(world: &mut World, build: &Build) {
    if !is_mute(build) {
        world.logs.entry(build.place.clone()).or_default().create_stream(&build.group(), build.stream());
    }
}

fn is_mute(build: &Build) -> bool {
    !build.overrides.heard()
        || matches!(build.story.outcome, Outcome::Hangs { phase } | Outcome::Overruns { phase } if phase <= Phase::DownloadSource)
}
