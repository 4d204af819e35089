//! What a build names of the world, held to what the AwsAccount allows.

use super::Run;
use crate::account::Scope;
use crate::allow::{self, Missing};
use crate::world::{BuildVariable, VariableKind};
use launchway_crds::account::Override;
use launchway_crds::aws::{BuildArtifacts, BuildOverride, SourceAuth};

/// Images that CodeBuild provides (CodeBuild user guide, "Docker images provided by CodeBuild").
const CODEBUILDS_OWN: &str = "aws/codebuild/";

/// What a run of CodeBuild names or overrides and the account does not allow. What its commands and an inline buildspec name, the
/// project's role decides.
pub fn missing(scope: &Scope, run: &Run) -> Vec<Missing> {
    let buildspec = run.buildspec.as_ref().and_then(|_| allow::overriding(&scope.allow, Override::Buildspec));
    let environment = !run.environment.is_empty();
    let environment = environment.then(|| allow::overriding(&scope.allow, Override::Environment)).flatten();
    let overrides = run.given.iter().flat_map(|given| overridden(scope, given));
    let project = allow::PROJECTS.missing(&scope.allow, &[&run.project]);
    let variables = run.environment.iter().filter_map(|one| variable(scope, one));
    project.into_iter().chain(buildspec).chain(environment).chain(overrides).chain(variables).collect()
}

/// What is said in place of the project and is not allowed: the kind of override, and what it names.
fn overridden(scope: &Scope, given: &BuildOverride) -> Vec<Missing> {
    // Without a rest, so that an override that is new has to be put somewhere.
    let BuildOverride {
        source_type,
        source_location,
        source_auth,
        git_clone_depth,
        git_submodules_config,
        artifacts,
        environment_type,
        image,
        compute_type,
        privileged_mode,
        image_pull_credentials_type,
        logs_config,
    } = given;
    // What kind of host it is, and how many commits come along, leads nowhere without the repository.
    let _ = (source_type, git_clone_depth);
    let submodules = git_submodules_config.as_ref().is_some_and(|config| config.fetch_submodules);
    let machine = environment_type.is_some()
        || image.is_some()
        || compute_type.is_some()
        || privileged_mode.is_some()
        || image_pull_credentials_type.is_some();
    // To leave nothing gives nothing to anybody.
    let object = artifacts.as_ref().and_then(object);
    let group = logs_config.as_ref().and_then(|logs| logs.cloud_watch_logs.as_ref()?.group_name.as_ref());
    let kinds = [
        (Override::Submodules, submodules),
        (Override::Machine, machine),
        (Override::Artifacts, object.is_some()),
        (Override::Logs, logs_config.is_some()),
    ];
    let kinds = kinds.into_iter().filter(|(_, is_set)| *is_set);
    let kinds = kinds.filter_map(|(kind, _)| allow::overriding(&scope.allow, kind));
    let own = image.iter().filter(|image| !image.starts_with(CODEBUILDS_OWN));
    let named = [
        source_location.as_ref().and_then(|location| repository(scope, location)),
        object.and_then(|object| allow::BUCKETS.missing(&scope.allow, &[&object])),
        group.and_then(|group| allow::LOG_GROUPS.missing_name(&scope.allow, group)),
        own.filter_map(|image| scope.image(image)).next(),
        source_auth.as_ref().and_then(|auth| credentials(scope, auth)),
    ];
    kinds.chain(named.into_iter().flatten()).collect()
}

/// A repository that the account does not allow, or that is written in a way that not all programs read alike.
fn repository(scope: &Scope, location: &str) -> Option<Missing> {
    let listed = allow::SOURCES.missing(&scope.allow, &[location]);
    listed.or_else(|| (!is_plain(location)).then(|| allow::SOURCES.absent(location)))
}

/// Whether a URL is one of https without a query, an escape, a backslash, a dot as a folder, or credentials.
pub fn is_plain(location: &str) -> bool {
    let Some(rest) = location.strip_prefix("https://") else { return false };
    let mut folders = rest.trim_end_matches('/').split('/').skip(1).peekable();
    let is_known = |c: char| c.is_ascii_alphanumeric() || "._~-/:".contains(c);
    rest.chars().all(is_known)
        && folders.peek().is_some()
        && folders.all(|name| !name.is_empty() && !name.contains("..") && !name.contains(':') && name != ".")
}

/// Where artifacts go, as `bucket/key`.
fn object(artifacts: &BuildArtifacts) -> Option<String> {
    let bucket = artifacts.location.as_ref()?;
    let id = artifacts.namespace_type.as_deref().filter(|kind| *kind == "BUILD_ID");
    let parts = [artifacts.path.as_deref(), id, artifacts.name.as_deref()];
    let parts = parts.into_iter().flatten().map(|part| part.trim_matches('/')).filter(|part| !part.is_empty());
    Some(format!("{}/{}", &**bucket, parts.collect::<Vec<_>>().join("/")))
}

/// What the git host's credentials are in: a secret, or a connection.
fn credentials(scope: &Scope, auth: &SourceAuth) -> Option<Missing> {
    let resource = auth.resource.as_ref()?;
    match resource.contains(":secretsmanager:") || *auth.r#type == *"SECRETS_MANAGER" {
        true => scope.secret(resource),
        false => allow::CONNECTIONS.missing_name(&scope.allow, resource),
    }
}

fn variable(scope: &Scope, variable: &BuildVariable) -> Option<Missing> {
    match variable.kind {
        VariableKind::Plain => None,
        VariableKind::ParameterStore => scope.parameter(&variable.value),
        VariableKind::SecretsManager => scope.secret(&variable.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_written_so_that_every_program_reads_it_alike() {
        for plain in
            ["https://github.com/a/b.git", "https://git.example.com:8443/~a/b/", "https://github.com/a/.github"]
        {
            assert!(is_plain(plain), "{plain}");
        }
        for odd in [
            "http://github.com/a/b",
            "https://github.com",
            "https://github.com/",
            "https://github.com//a",
            "https://github.com/a/../b",
            "https://github.com/a/./b",
            "https://github.com/a/%2e%2e/b",
            r"https://github.com/a\..\b",
            "https://github.com/a?b",
            "https://github.com/a#b",
            "https://me@github.com/a",
            "https://github.com/a\t/b",
            "ssh://git@github.com/a",
        ] {
            assert!(!is_plain(odd), "{odd}");
        }
    }
}
