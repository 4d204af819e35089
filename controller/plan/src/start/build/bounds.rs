//! What a build names of the world, held to what the AwsAccount allows.

use super::Run;
use crate::account::Scope;
use crate::allow::{self, Missing};
use crate::world::{BuildVariable, VariableKind};
use launchway_crds::account::Override;

/// What a run of CodeBuild names or overrides and the account does not allow. What its commands and an inline buildspec name, the
/// project's role decides.
pub fn missing(scope: &Scope, run: &Run) -> Vec<Missing> {
    let buildspec = run.buildspec.as_ref().and_then(|_| allow::overriding(&scope.allow, Override::Buildspec));
    let environment = !run.environment.is_empty();
    let environment = environment.then(|| allow::overriding(&scope.allow, Override::Environment)).flatten();
    let project = allow::PROJECTS.missing(&scope.allow, &[&run.project]);
    let variables = run.environment.iter().filter_map(|one| variable(scope, one));
    project.into_iter().chain(buildspec).chain(environment).chain(variables).collect()
}

fn variable(scope: &Scope, variable: &BuildVariable) -> Option<Missing> {
    match variable.kind {
        VariableKind::Plain => None,
        VariableKind::ParameterStore => scope.parameter(&variable.value),
        VariableKind::SecretsManager => scope.secret(&variable.value),
    }
}
