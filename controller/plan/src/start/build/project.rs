//! What a build has to say in place of its project, because of what the project is (StartBuild refuses it else). Decided before
//! the first call, and written into the Release's plan.

use crate::refusal::Refusal;
use crate::world::LiveProject;
use launchway_crds::aws::{BuildArtifacts, BuildOverride};
use launchway_crds::pipeline::CodeBuild;

/// The type of source and artifacts of a project that CodePipeline runs. Outside of it both have to be overridden.
const CODEPIPELINE: &str = "CODEPIPELINE";

/// CodeBuild's word for a source in CodeCommit.
pub const CODECOMMIT: &str = "CODECOMMIT";

/// Why a project of CodePipeline's has no source where a Pipeline follows images.
const NAMES_NONE: &str = "was made for CodePipeline, and the Pipeline follows images and names no repository, so that override.sourceLocation has to";

/// The run as that project needs it, for a source at that URL; absent: the Pipeline follows images, and no repository.
///
/// # Errors
/// The project's source has no commits, or the kind of the source cannot be told.
pub fn fitted(run: &CodeBuild, project: &LiveProject, url: Option<&str>) -> Result<CodeBuild, Refusal> {
    let given = run.r#override.clone().unwrap_or_default();
    let refused = |why: &str| Refusal::Project { project: project.name.clone(), why: why.to_owned() };
    let source_type = match (&given.source_type, &*project.source) {
        (Some(_), CODEPIPELINE) if url.is_none() && given.source_location.is_none() => return Err(refused(NAMES_NONE)),
        (Some(said), _) => Some(said.clone()),
        (None, CODEPIPELINE) => {
            let untold =
                "was made for CodePipeline, and what kind of git host the source is on cannot be told by its URL";
            let url = url.ok_or_else(|| refused(NAMES_NONE))?;
            Some(kind(url).ok_or_else(|| refused(untold))?.into())
        }
        (None, "S3") => return Err(refused("takes its source from S3, where there are no commits")),
        (None, _) => None,
    };
    let artifacts = given.artifacts.clone().or_else(|| (project.artifacts == CODEPIPELINE).then(nowhere));
    let fitted = BuildOverride { source_type, artifacts, ..given };
    let r#override = (fitted != BuildOverride::default()).then_some(fitted);
    Ok(CodeBuild { r#override, ..run.clone() })
}

/// Checks that what the run leaves in S3 can be told from what other builds leave there; absent: the project is not known.
///
/// # Errors
/// It leaves nothing there, or where other builds overwrite it.
pub fn keeps_apart(run: &CodeBuild, project: Option<&LiveProject>) -> Result<(), Refusal> {
    let given = run.r#override.as_ref().and_then(|given| given.artifacts.as_ref());
    let names = given.is_none() && project.is_some_and(|project| project.names_artifact);
    let of_project = || project.map(|project| (&*project.artifacts, &*project.namespace_type));
    let of_given = given.map(|given| (&*given.r#type, given.namespace_type.as_deref().unwrap_or("")));
    let refused = |why| Err(Refusal::Artifact { project: run.project.to_string(), why });
    match of_given.or_else(of_project) {
        Some(("S3", _)) if names => {
            refused("lets the buildspec name its artifact (overrideArtifactName), which CodeBuild does not show")
        }
        None | Some(("S3", "BUILD_ID")) => Ok(()),
        Some(("S3", _)) => refused("leaves its artifact where other builds overwrite it"),
        Some(_) => refused("leaves nothing in S3"),
    }
}

/// Nothing is left anywhere.
fn nowhere() -> BuildArtifacts {
    BuildArtifacts {
        r#type: "NO_ARTIFACTS".into(),
        location: None,
        path: None,
        name: None,
        namespace_type: None,
        packaging: None,
        encryption_disabled: None,
    }
}

/// CodeBuild's word for the git host, where its name says which one it is (API reference of ProjectSource).
fn kind(url: &str) -> Option<&'static str> {
    let host = url.strip_prefix("https://")?.split(['/', ':']).next()?.to_ascii_lowercase();
    match host.as_str() {
        "github.com" => Some("GITHUB"),
        "bitbucket.org" => Some("BITBUCKET"),
        "gitlab.com" => Some("GITLAB"),
        _ if host.starts_with("git-codecommit.") => Some(CODECOMMIT),
        _ => None,
    }
}
