//! Launch types and capacity providers: what a service or a task runs on, and how UpdateService goes from one to the other. Whether there is
//! capacity, `obstacles` says.

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
        Some(_) | None => Ok(()),
    }
}

/// At most 20 providers, of one of which a number of tasks is taken first, with weights that are not all 0 [API_CapacityProviderStrategyItem].
pub(super) fn strategy_fits(strategy: &Value) -> Result<(), Refusal> {
    let providers = strategy.as_array().map_or(&[][..], Vec::as_slice);
    if providers.len() > 20 {
        return Err(invalid("A capacity provider strategy can have at most 20 capacity providers."));
    }
    if providers.iter().filter(|one| one["base"].as_i64().is_some_and(|base| base > 0)).count() > 1 {
        return Err(invalid("Only one capacity provider in a strategy can have a base."));
    }
    let bounds = |one: &Value, name: &str, most: i64| one[name].as_i64().is_none_or(|n| (0..=most).contains(&n));
    if !providers.iter().all(|one| bounds(one, "base", 100_000) && bounds(one, "weight", 1000)) {
        return Err(invalid("base must be between 0 and 100000, and weight between 0 and 1000."));
    }
    let weightless = |one: &Value| one["weight"].as_i64() == Some(0);
    if providers.len() > 1 && providers.iter().all(weightless) {
        return Err(invalid("At least one capacity provider in a strategy must have a weight greater than 0."));
    }
    let fargate = |one: &&Value| one["capacityProvider"].as_str().is_some_and(|name| name.starts_with(FARGATE));
    match providers.iter().filter(fargate).count() {
        0 => Ok(()),
        count if count == providers.len() => Ok(()),
        _ => Err(invalid("A capacity provider strategy can not mix Fargate with other capacity providers.")),
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
