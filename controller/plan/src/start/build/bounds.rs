//! What a build names of the world, held to what the AwsAccount allows.

use super::Run;
use crate::account::Scope;
use crate::allow::{self, Missing};
use crate::world::{BuildVariable, VariableKind};
use launchway_crds::account::Override;
use launchway_crds::aws::{BuildOverride, SourceAuth};

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
    let source = source_type.is_some()
        || source_location.is_some()
        || source_auth.is_some()
        || git_clone_depth.is_some()
        || git_submodules_config.is_some();
    let machine = environment_type.is_some()
        || image.is_some()
        || compute_type.is_some()
        || privileged_mode.is_some()
        || image_pull_credentials_type.is_some();
    // To leave nothing, and to log nowhere, gives nothing to anybody.
    let bucket = artifacts.as_ref().and_then(|artifacts| artifacts.location.as_ref());
    let group = logs_config.as_ref().and_then(|logs| logs.cloud_watch_logs.as_ref()?.group_name.as_ref());
    let kinds = [
        (Override::Source, source),
        (Override::Machine, machine),
        (Override::Artifacts, bucket.is_some()),
        (Override::Logs, logs_config.is_some()),
    ];
    let kinds = kinds.into_iter().filter(|(_, is_set)| *is_set);
    let kinds = kinds.filter_map(|(kind, _)| allow::overriding(&scope.allow, kind));
    let own = image.iter().filter(|image| !image.starts_with(CODEBUILDS_OWN));
    let named = [
        bucket.and_then(|bucket| allow::BUCKETS.missing_name(&scope.allow, bucket)),
        group.and_then(|group| allow::LOG_GROUPS.missing_name(&scope.allow, group)),
        own.filter_map(|image| scope.image(image)).next(),
        source_auth.as_ref().and_then(|auth| secret_of(scope, auth)),
    ];
    kinds.chain(named.into_iter().flatten()).collect()
}

/// A secret that the git host's credentials are in.
fn secret_of(scope: &Scope, auth: &SourceAuth) -> Option<Missing> {
    let resource = auth.resource.as_ref().filter(|_| *auth.r#type == *"SECRETS_MANAGER")?;
    scope.secret(resource)
}

fn variable(scope: &Scope, variable: &BuildVariable) -> Option<Missing> {
    match variable.kind {
        VariableKind::Plain => None,
        VariableKind::ParameterStore => scope.parameter(&variable.value),
        VariableKind::SecretsManager => scope.secret(&variable.value),
    }
}
