//! Launch types and capacity providers: what a service or a task runs on, and how UpdateService goes from one to the other. Capacity itself
//! is endless.

use serde_json::Value;

use super::definitions::Definition;
use super::drift::normal;
use super::service_rules::invalid;
use super::settings::Settings;
use super::state::Service;
use crate::{Call, Refusal};

/// The launch type on which a platform version means something.
pub(super) const FARGATE: &str = "FARGATE";

const BOTH: &str =
    "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.";
const MUST_FORCE: &str = "When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity provider strategy on a service that is already using one, you must force a new deployment.";

const NOTHING_TO_FALL_BACK_TO: &str = "No launch type to fall back to for empty capacity provider strategy. Your service was not created with a launch type.";

fn is_empty(strategy: &Value) -> bool {
    strategy.as_array().is_none_or(Vec::is_empty)
}

/// The launch type that tasks get: with a strategy, that of its providers.
pub(super) fn launch_type<'a>(strategy: &Value, launch: &'a str) -> &'a str {
    let providers = strategy.as_array().map_or(&[][..], Vec::as_slice);
    match providers.first().map(|provider| &provider["capacityProvider"]) {
        None => launch,
        Some(name) if name == "FARGATE" || name == "FARGATE_SPOT" => FARGATE,
        Some(_) => "EC2",
    }
}

/// A platform version as tasks show it: LATEST is 1.4.0.
pub(super) fn resolved(platform: &str) -> &str {
    if platform == "LATEST" { "1.4.0" } else { platform }
}

/// A launch type and a strategy exclude each other.
pub(super) fn one_of(launch: Option<&str>, strategy: &Value) -> Result<(), Refusal> {
    match launch {
        Some(_) if !is_empty(strategy) => Err(invalid(BOTH)),
        None | Some("EC2" | "FARGATE" | "EXTERNAL") => Ok(()),
        Some(other) => Err(invalid(format!("Invalid launch type: {other}"))),
    }
}

/// Whether a task definition can run there, on that platform version.
pub(super) fn fits(launch: &str, platform: Option<&str>, definition: &Definition) -> Result<(), Refusal> {
    if launch != FARGATE {
        return match platform {
            None => Ok(()),
            Some(_) => Err(invalid("The platform version must be null when specifying an EC2 launch type.")),
        };
    }
    let offered = definition.body.get("compatibilities").and_then(Value::as_array);
    if !offered.is_some_and(|list| list.iter().any(|name| name == FARGATE)) {
        return Err(invalid("Task definition does not support launch_type FARGATE."));
    }
    match platform {
        None | Some("LATEST" | "1.4.0" | "1.3.0") => Ok(()),
        Some(_) => Err(Refusal::new("PlatformUnknownException", "The specified platform does not exist.")),
    }
}

/// What UpdateService makes of `capacityProviderStrategy`: any change must be forced, an empty one goes back to the launch type that the
/// service was created with [AWS::ECS::Service, CapacityProviderStrategy].
pub(super) fn changed(settings: Settings, service: &Service, call: &Call) -> Result<Settings, Refusal> {
    let Some(wanted) = call.member("capacityProviderStrategy") else {
        return Ok(settings);
    };
    if normal(wanted) == normal(settings.member("capacityProviderStrategy")) {
        return Ok(settings);
    }
    if !call.flag("forceNewDeployment") {
        return Err(invalid(MUST_FORCE));
    }
    let created = &service.creation.input;
    if is_empty(wanted) && !is_empty(&created["capacityProviderStrategy"]) {
        return Err(invalid(NOTHING_TO_FALL_BACK_TO));
    }
    Ok(settings.moved(wanted, created["launchType"].as_str().unwrap_or("EC2"), call))
}
