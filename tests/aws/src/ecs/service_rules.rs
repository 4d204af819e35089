//! What AWS refuses in CreateService and UpdateService. Sentences are AWS's where they are known.

use serde_json::Value;

use super::capacity;
use super::definitions::{Definition, DefinitionStatus, found};
use super::settings::Settings;
use super::state::{EcsState, Rules};
use crate::{Call, Refusal};

/// Tasks of a service [Amazon ECS service quotas].
const MOST_TASKS: i64 = 5000;

pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

/// A name for a new service.
pub(super) fn name(call: &Call) -> Result<String, Refusal> {
    let name = call.text("serviceName").unwrap_or_default();
    if name.is_empty() {
        return Err(invalid("Service name can not be blank."));
    }
    let fits = name.len() <= 255 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if fits {
        Ok(name.to_owned())
    } else {
        Err(invalid("Service name must be up to 255 letters, numbers, underscores, and hyphens."))
    }
}

/// The client token: at most 36 ASCII characters, 33 to 126.
pub(super) fn token(call: &Call) -> Result<Option<String>, Refusal> {
    match call.text("clientToken") {
        None => Ok(None),
        Some(token) if token.len() <= 36 && token.bytes().all(|byte| (33..=126).contains(&byte)) => {
            Ok(Some(token.to_owned()))
        }
        Some(_) => Err(invalid("Client token must be at most 36 ASCII characters in the range 33-126.")),
    }
}

/// The task definition that is named, ACTIVE.
pub(super) fn definition(state: &EcsState, call: &Call, given: &str) -> Result<std::sync::Arc<Definition>, Refusal> {
    let found =
        found(state, call, given).ok_or_else(|| Refusal::new("ClientException", "TaskDefinition not found."))?;
    match found.status {
        DefinitionStatus::Active => Ok(found.clone()),
        DefinitionStatus::Inactive => Err(Refusal::new("ClientException", "TaskDefinition is inactive")),
    }
}

/// `desiredCount`, where it is given.
pub(super) fn desired(call: &Call) -> Result<Option<usize>, Refusal> {
    match call.number("desiredCount") {
        None => Ok(None),
        Some(count @ 0..=MOST_TASKS) => Ok(usize::try_from(count).ok()),
        Some(..0) => Err(invalid("desiredCount can not be less than 0.")),
        Some(_) => Err(invalid(format!("desiredCount can not be more than {MOST_TASKS}."))),
    }
}

/// Everything that has to fit together.
pub(super) fn fits(state: &EcsState, settings: &Settings, definition: &Definition) -> Result<(), Refusal> {
    supported(settings)?;
    if state.rules == Rules::Model {
        return Ok(());
    }
    launch(settings, definition)?;
    network(settings.member("networkConfiguration"), definition)?;
    load_balancers(state, settings, definition)?;
    role(settings, definition)?;
    let list = |name: &str| settings.member(name).as_array().map_or(&[][..], Vec::as_slice);
    placement(settings.launch_type(), list("placementConstraints"), list("placementStrategy"))?;
    volumes(list("volumeConfigurations"), definition)?;
    bounds(settings)
}

fn supported(settings: &Settings) -> Result<(), Refusal> {
    let controller = settings.member("deploymentController")["type"].as_str().unwrap_or("ECS");
    let configuration = settings.member("deploymentConfiguration");
    let strategy = configuration["strategy"].as_str().unwrap_or("ROLLING");
    let unsupported =
        |what: &str| Err(Refusal::new("UnsupportedFeatureException", format!("The simulator does not know {what}.")));
    match (controller, strategy, settings.text("schedulingStrategy")) {
        ("ECS", "ROLLING", "REPLICA") => extra(configuration).map_or(Ok(()), unsupported),
        ("ECS", "ROLLING", other) => unsupported(&format!("the scheduling strategy {other}")),
        ("ECS", other, _) => unsupported(&format!("the deployment strategy {other}")),
        (other, _, _) => unsupported(&format!("the deployment controller {other}")),
    }
}

/// What a deployment configuration asks for beyond rolling and the circuit breaker.
fn extra(configuration: &Value) -> Option<&'static str> {
    let on = |member: &str| configuration[member]["enable"] == Value::Bool(true);
    if configuration["lifecycleHooks"].as_array().is_some_and(|hooks| !hooks.is_empty()) {
        return Some("lifecycle hooks");
    }
    on("earlySuccessCriteria").then_some("early success criteria")
}

fn launch(settings: &Settings, definition: &Definition) -> Result<(), Refusal> {
    let strategy = settings.member("capacityProviderStrategy");
    capacity::one_of(settings.member("launchType").as_str(), strategy)?;
    capacity::strategy_fits(strategy)?;
    capacity::fits(settings.launch_type(), settings.member("platformVersion").as_str(), definition)
}

/// The network interface, for definitions that have one of their own.
pub(super) fn network(network: &Value, definition: &Definition) -> Result<(), Refusal> {
    let vpc = &network["awsvpcConfiguration"];
    match (definition.text("networkMode") == Some("awsvpc"), vpc.is_object()) {
        (false, false) => return Ok(()),
        (true, false) => {
            return Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."));
        }
        (false, true) => {
            return Err(invalid(
                "Network Configuration is not valid for the given networkMode of this task definition.",
            ));
        }
        (true, true) => {}
    }
    let length = |name: &str| vpc[name].as_array().map_or(0, Vec::len);
    match (length("subnets"), length("securityGroups")) {
        (0, _) => Err(invalid("subnets can not be empty.")),
        (17.., _) => Err(invalid("subnets can have at most 16 items.")),
        (_, 6..) => Err(invalid("securityGroups can have at most 5 items.")),
        _ => Ok(()),
    }
}

fn load_balancers(state: &EcsState, settings: &Settings, definition: &Definition) -> Result<(), Refusal> {
    let list = settings.member("loadBalancers").as_array().map_or(&[][..], Vec::as_slice);
    if list.len() > 5 {
        return Err(invalid("load balancers can have at most 5 items."));
    }
    list.iter().try_for_each(|balancer| load_balancer(state, balancer, definition))
}

fn load_balancer(state: &EcsState, balancer: &Value, definition: &Definition) -> Result<(), Refusal> {
    let name = balancer["containerName"].as_str().unwrap_or_default();
    let Some(container) = definition.containers().iter().find(|container| container["name"] == name) else {
        return Err(invalid(format!("The container {name} does not exist in the task definition.")));
    };
    let port = balancer["containerPort"].as_i64().unwrap_or_default();
    if !container["portMappings"]
        .as_array()
        .is_some_and(|ports| ports.iter().any(|mapping| mapping["containerPort"] == port))
    {
        return Err(invalid(format!("The container {name} did not have a container port {port} defined.")));
    }
    let Some(group) = balancer["targetGroupArn"].as_str() else {
        return Err(invalid("Either targetGroupArn or loadBalancerName must be specified for a load balancer."));
    };
    if state.target_groups.contains(group) {
        return Ok(());
    }
    Err(invalid(format!("The target group with targetGroupArn {group} does not have an associated load balancer.")))
}

/// A role of the caller's is for one load balancer in front of tasks without network interfaces [API_CreateService, role].
fn role(settings: &Settings, definition: &Definition) -> Result<(), Refusal> {
    if settings.member("roleArn").is_null() {
        return Ok(());
    }
    let count = |name: &str| settings.member(name).as_array().map_or(0, Vec::len);
    if definition.text("networkMode") == Some("awsvpc") || count("loadBalancers") > 1 || count("serviceRegistries") > 0
    {
        return Err(invalid("You cannot specify an IAM role for services that require a service linked role."));
    }
    if count("loadBalancers") == 0 {
        return Err(invalid("You cannot specify an IAM role for services that are not behind a load balancer."));
    }
    Ok(())
}

pub(super) fn placement(launch: &str, constraints: &[Value], strategy: &[Value]) -> Result<(), Refusal> {
    let fargate = launch == capacity::FARGATE;
    match (!constraints.is_empty(), !strategy.is_empty()) {
        (true, _) if fargate => Err(invalid("Placement constraints are not supported with FARGATE launch type.")),
        (_, true) if fargate => Err(invalid("Placement strategies are not supported with FARGATE launch type.")),
        _ => Ok(()),
    }
}

/// A volume is configured at launch if the task definition leaves that to the service.
pub(super) fn volumes(given: &[Value], definition: &Definition) -> Result<(), Refusal> {
    let left = definition.body.get("volumes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let open = |name: &Value| left.iter().any(|volume| volume["name"] == *name && volume["configuredAtLaunch"] == true);
    match given.iter().find(|volume| !open(&volume["name"])) {
        Some(volume) => Err(invalid(format!(
            "The task definition has no volume {} that is configured at launch.",
            volume["name"].as_str().unwrap_or_default()
        ))),
        None => Ok(()),
    }
}

fn bounds(settings: &Settings) -> Result<(), Refusal> {
    let configuration = settings.member("deploymentConfiguration");
    let (minimum, maximum) =
        (configuration["minimumHealthyPercent"].as_i64(), configuration["maximumPercent"].as_i64());
    if minimum.is_some_and(|percent| !(0..=100).contains(&percent)) {
        return Err(invalid("minimumHealthyPercent must be between 0 and 100."));
    }
    if maximum.is_some_and(|percent| percent < 100) {
        return Err(invalid("maximumPercent must be at least 100."));
    }
    if maximum.is_some_and(|percent| percent <= 100) && settings.text("availabilityZoneRebalancing") == "ENABLED" {
        return Err(invalid("Availability Zone rebalancing needs a maximumPercent of more than 100."));
    }
    if settings.member("healthCheckGracePeriodSeconds").as_i64().is_some_and(|seconds| seconds < 0) {
        return Err(invalid("healthCheckGracePeriodSeconds can not be less than 0."));
    }
    let threshold = &configuration["deploymentCircuitBreaker"]["thresholdConfiguration"];
    let value = threshold["value"].as_i64();
    match threshold["type"].as_str() {
        Some("BOUNDED_PERCENT" | "UNBOUNDED_PERCENT") if !value.is_some_and(|value| (1..=100).contains(&value)) => {
            Err(invalid("The circuit breaker's threshold must be between 1 and 100 percent."))
        }
        Some("COUNT") if value.is_none_or(|value| value < 1) => {
            Err(invalid("The circuit breaker's threshold must be at least 1."))
        }
        _ => Ok(()),
    }
}
