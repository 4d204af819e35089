//! What a build names of the world, held to what the AwsAccount allows.

use super::Run;
use crate::account::Scope;
use crate::allow::{self, Missing};
use crate::world::{BuildVariable, VariableKind};
use launchway_crds::account::Override;
use launchway_crds::aws::{BuildArtifacts, BuildOverride, SecondaryArtifacts, SourceAuth};

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
    let kinds = kinds(given).into_iter().filter(|(_, is_set)| *is_set);
    let kinds = kinds.filter_map(|(kind, _)| allow::overriding(&scope.allow, kind));
    kinds.chain(named(scope, given)).collect()
}

/// Each kind of override, and whether it is said.
fn kinds(given: &BuildOverride) -> [(Override, bool); 8] {
    // Without a rest, so that an override that is new has to be put somewhere: here, and where it names something below.
    let BuildOverride {
        source_type: _,
        source_location: _,
        source_auth: _,
        git_clone_depth: _,
        git_submodules_config,
        artifacts,
        environment_type,
        image,
        compute_type,
        privileged_mode,
        image_pull_credentials_type,
        logs_config,
        service_role,
        cache,
        encryption_key: _,
        fleet,
        registry_credential,
        host_kernel,
        certificate: _,
        insecure_ssl,
        report_build_status,
        build_status_config,
        secondary_sources,
        secondary_sources_version: _,
        secondary_artifacts,
    } = given;
    let others = secondary_sources.iter().flatten().filter_map(|one| one.git_submodules_config.as_ref());
    let machine = environment_type.is_some()
        || image.is_some()
        || compute_type.is_some()
        || privileged_mode.is_some()
        || image_pull_credentials_type.is_some()
        || fleet.is_some()
        || registry_credential.is_some()
        || host_kernel.is_some();
    // To leave nothing gives nothing to anybody.
    let leaves = artifacts.as_ref().and_then(object).is_some() || secondary_artifacts.iter().flatten().count() > 0;
    [
        (Override::Submodules, git_submodules_config.iter().chain(others).any(|config| config.fetch_submodules)),
        (Override::Machine, machine),
        (Override::Artifacts, leaves),
        (Override::Logs, logs_config.is_some()),
        (Override::ServiceRole, service_role.is_some()),
        (Override::Cache, cache.is_some()),
        (Override::BuildStatus, report_build_status.is_some() || build_status_config.is_some()),
        (Override::InsecureSsl, *insecure_ssl == Some(true)),
    ]
}

/// What overrides name and the account does not allow.
fn named(scope: &Scope, given: &BuildOverride) -> Vec<Missing> {
    let allow = &scope.allow;
    let logs = given.logs_config.as_ref();
    let group = logs.and_then(|logs| logs.cloud_watch_logs.as_ref()?.group_name.as_ref());
    let own = given.image.iter().filter(|image| !image.starts_with(CODEBUILDS_OWN));
    let single = [
        group.and_then(|group| allow::LOG_GROUPS.missing_name(allow, group)),
        own.filter_map(|image| scope.image(image)).next(),
        given.service_role.as_ref().and_then(|role| scope.role(role)),
        given.encryption_key.as_ref().and_then(|key| allow::KEYS.missing_name(allow, key)),
        given.fleet.as_ref().and_then(|fleet| allow::CAPACITY.missing_name(allow, &fleet.fleet_arn)),
        given.registry_credential.as_ref().and_then(|registry| scope.secret(&registry.credential)),
        given.certificate.as_ref().and_then(|file| scope.file(file)),
    ];
    let others = || given.secondary_sources.iter().flatten();
    let locations = given.source_location.iter().chain(others().map(|one| &one.location));
    let auths = given.source_auth.iter().chain(others().filter_map(|one| one.auth.as_ref()));
    let artifacts = given.artifacts.iter().filter_map(object);
    let log = logs.and_then(|logs| logs.s3_logs.as_ref()?.location.as_ref());
    let paths = log.into_iter().chain(given.cache.iter().filter_map(|cache| cache.location.as_ref()));
    let places = artifacts
        .chain(given.secondary_artifacts.iter().flatten().map(secondary_object))
        .chain(paths.map(ToString::to_string));
    let is_own = |name: &str| others().any(|one| *one.source_identifier == *name);
    let versions = given.secondary_sources_version.iter().flatten().map(|one| &one.source_identifier);
    // Without a repository it would be another version of the project's own.
    let astray = versions.filter(|name| !is_own(name)).map(|name| allow::SOURCES.absent(name));
    single
        .into_iter()
        .flatten()
        .chain(astray)
        .chain(locations.filter_map(|location| repository(scope, location)))
        .chain(auths.filter_map(|auth| credentials(scope, auth)))
        .chain(places.filter_map(|place| allow::BUCKETS.missing(allow, &[&place])))
        .collect()
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
    let BuildArtifacts { path, name, namespace_type, .. } = artifacts;
    Some(joined(bucket, [path.as_deref(), namespace_type.as_deref(), name.as_deref()]))
}

fn secondary_object(artifacts: &SecondaryArtifacts) -> String {
    let SecondaryArtifacts { location, path, name, namespace_type, .. } = artifacts;
    joined(location, [path.as_deref(), namespace_type.as_deref(), name.as_deref()])
}

/// Bucket, path, the build's ID if it is a part of it, and name.
fn joined(bucket: &str, [path, namespace_type, name]: [Option<&str>; 3]) -> String {
    let parts = [path, namespace_type.filter(|kind| *kind == "BUILD_ID"), name].into_iter().flatten();
    let parts = parts.map(|part| part.trim_matches('/')).filter(|part| !part.is_empty());
    format!("{bucket}/{}", parts.collect::<Vec<_>>().join("/"))
}

/// What the list of connections calls the account's own credential for a kind of git host.
const OWN: &str = "default";

/// What the git host's credentials are in: a secret, a connection, or the account's own.
fn credentials(scope: &Scope, auth: &SourceAuth) -> Option<Missing> {
    let Some(resource) = &auth.resource else { return allow::CONNECTIONS.missing(&scope.allow, &[OWN]) };
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
