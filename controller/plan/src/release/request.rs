//! What starts a build: project, commit, buildspec, environment, timeouts, and the token that makes the call repeatable.

use super::BUILD;
use super::desired::Desired;
use crate::condition::whole;
use crate::hash;
use crate::world::{BuildRequest, BuildVariable, VariableKind};
use jiff::Timestamp;
use launchway_crds::condition::Time;
use launchway_crds::name::Duration;
use launchway_crds::pipeline::{self, CodeBuild};
use launchway_crds::release::{Intent, ReleasePlan, StepStatus};

/// The variable that carries the marker.
pub const MARKER: &str = "LAUNCHWAY_BUILD";

/// What CodeBuild runs for a step.
pub fn code_build<'a>(plan: &'a ReleasePlan, step: &str) -> Option<&'a CodeBuild> {
    if step == BUILD {
        return plan.build.code_build.as_ref();
    }
    plan.checks.iter().find(|check| *check.name == *step).and_then(|check| check.code_build.as_ref())
}

/// What starts the step's build.
pub fn request(desired: &Desired, plan: &ReleasePlan, step: &StepStatus, account_id: &str) -> Option<BuildRequest> {
    let run = code_build(plan, &step.name)?;
    let mut environment: Vec<_> = run.environment.iter().map(variable).collect();
    let repository = plan.images.first().map(|image| image.repository.to_string()).unwrap_or_default();
    let own = [
        ("IMAGE_REPO_NAME", repository),
        ("IMAGE_TAG", desired.commit.clone()),
        ("COMMIT_ID", desired.commit.clone()),
        ("AWS_DEFAULT_REGION", plan.region.to_string()),
        ("AWS_ACCOUNT_ID", account_id.to_owned()),
        (MARKER, desired.marker(&step.name, step.attempt)),
    ];
    environment.extend(own.map(|(name, value)| BuildVariable {
        name: name.to_owned(),
        value,
        kind: VariableKind::Plain,
    }));
    Some(BuildRequest {
        project: run.project.to_string(),
        commit: desired.commit.clone(),
        buildspec: run.buildspec.as_ref().and_then(|source| {
            source.path.as_ref().map(ToString::to_string).or_else(|| source.inline.as_ref().map(ToString::to_string))
        }),
        environment,
        timeout_minutes: minutes(&run.timeout),
        queued_timeout_minutes: minutes(&run.queued_timeout),
    })
}

/// The intent to start it: the call of that number.
pub fn intent(desired: &Desired, step: &StepStatus, call: i32, request: &BuildRequest, at: Timestamp) -> Intent {
    Intent {
        call,
        token: hash::of(&(&desired.uid, &*step.name, step.attempt, call)),
        project: request.project.as_str().into(),
        request_hash: hash::of(request),
        since: Time(whole(at)),
    }
}

fn variable(variable: &pipeline::BuildVariable) -> BuildVariable {
    let (value, kind) = match (&variable.value, &variable.parameter_store, &variable.secrets_manager) {
        (_, Some(parameter), _) => (parameter.to_string(), VariableKind::ParameterStore),
        (_, _, Some(secret)) => (secret.to_string(), VariableKind::SecretsManager),
        (value, None, None) => (value.as_ref().map(ToString::to_string).unwrap_or_default(), VariableKind::Plain),
    };
    BuildVariable { name: variable.name.to_string(), value, kind }
}

/// A duration in whole minutes, rounded up, as CodeBuild takes it.
pub fn minutes(duration: &Duration) -> i32 {
    let seconds = duration.seconds().unwrap_or_default();
    i32::try_from(seconds.div_euclid(60) + i64::from(seconds % 60 > 0)).unwrap_or(i32::MAX)
}
