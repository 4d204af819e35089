//! Why a task is not started, or does not get to run: what the account lacks, and what the task's execution role may not do.

use jiff::Timestamp;
use serde_json::Value;

use super::capacity::FARGATE;
use super::definition_rules::items;
use super::definitions::Definition;
use super::lacks::Lacks;
use super::service_rules::invalid;
use super::tasks::Task;
use crate::iam::Iam;
use crate::{Call, Refusal};

const CAPACITY: &str =
    "Capacity is unavailable at this time. Please try again later or in a different availability zone";
const QUOTA: &str = "You\u{2019}ve reached the limit on the number of vCPUs you can run concurrently";

/// Why there is no task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// There is no room for it.
    Unplaced(String),
    /// It can not be what it should be.
    Unlaunched(String),
}

impl Obstacle {
    /// What the service's event says.
    pub(super) fn event(&self) -> String {
        match self {
            Self::Unplaced(reason) => format!(
                "was unable to place a task. Reason: {reason}. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
            ),
            Self::Unlaunched(error) => format!("failed to launch a task with (error {error})."),
        }
    }
}

/// What is asked before a task starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub lacks: &'a Lacks,
    pub iam: &'a Iam,
    pub definition: &'a Definition,
    pub network: &'a Value,
}

/// Where a task is to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room<'a> {
    pub launch_type: &'a str,
    pub strategy: &'a Value,
    /// vCPUs in use on Fargate, in units of 1/1024.
    pub used: u64,
}

/// The subnets, security groups, namespaces and capacity providers that a request names must be there.
pub(super) fn named_are_there(lacks: &Lacks, call: &Call) -> Result<(), Refusal> {
    if let Some(network) = call.member("networkConfiguration") {
        interface(lacks, network).map_err(invalid)?;
    }
    let connected = call.member("serviceConnectConfiguration").and_then(|connect| connect["namespace"].as_str());
    if connected.is_some_and(|namespace| lacks.namespace(namespace)) {
        return Err(Refusal::new("NamespaceNotFoundException", "The specified namespace wasn't found."));
    }
    let providers = call.list("capacityProviderStrategy").iter().filter_map(|one| one["capacityProvider"].as_str());
    match providers.into_iter().find(|name| lacks.capacity_provider(name)) {
        Some(_) => Err(invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.",
        )),
        None => Ok(()),
    }
}

/// What EC2 says of a network that is not there.
fn interface(lacks: &Lacks, network: &Value) -> Result<(), String> {
    let vpc = &network["awsvpcConfiguration"];
    let listed = |member: &str| texts(vpc, member).collect::<Vec<_>>().join(", ");
    if let Some(id) = texts(vpc, "subnets").find(|id| lacks.subnet(id)) {
        return Err(format!(
            "Error retrieving subnet information for [{}]: The subnet ID '{id}' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
            listed("subnets")
        ));
    }
    if let Some(id) = texts(vpc, "securityGroups").find(|id| lacks.security_group(id)) {
        return Err(format!(
            "Error retrieving security group information for [{}]: The security group '{id}' does not exist (ErrorCode: InvalidGroup.NotFound)",
            listed("securityGroups")
        ));
    }
    Ok(())
}

fn texts<'a>(of: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    items(of, member).iter().filter_map(Value::as_str)
}

impl Room<'_> {
    /// Whether there is room for one more task: capacity first, then the quota.
    fn has(&self, asked: &Asked<'_>) -> Result<(), Obstacle> {
        let strategy = self.strategy.as_array().filter(|strategy| !strategy.is_empty());
        let mut providers = strategy.into_iter().flatten().filter_map(|one| one["capacityProvider"].as_str());
        let lacking = match strategy {
            Some(_) => providers.all(|name| asked.lacks.capacity(name)),
            None => asked.lacks.capacity(self.launch_type),
        };
        if lacking {
            let reason = match (self.launch_type, strategy) {
                (FARGATE, _) => CAPACITY,
                (_, Some(_)) => "No Container Instances were found in your capacity provider",
                (_, None) => "No Container Instances were found in your cluster",
            };
            return Err(Obstacle::Unplaced(reason.to_owned()));
        }
        let wanted = self.used + units(asked.definition);
        match asked.lacks.most_vcpus().filter(|_| self.launch_type == FARGATE) {
            Some(most) if wanted > u64::from(most) * 1024 => Err(Obstacle::Unplaced(QUOTA.to_owned())),
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a task can be started at all.
pub(super) fn none(asked: &Asked<'_>, room: Room<'_>) -> Result<(), Obstacle> {
    for role in ["taskRoleArn", "executionRoleArn"].into_iter().filter_map(|member| asked.definition.text(member)) {
        if !asked.iam.serves(role, "ecs-tasks.amazonaws.com") {
            return Err(Obstacle::Unlaunched(format!(
                "ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role."
            )));
        }
    }
    interface(asked.lacks, asked.network).map_err(Obstacle::Unlaunched)?;
    room.has(asked)
}

/// A definition's CPU, in units of 1/1024 vCPU.
fn units(definition: &Definition) -> u64 {
    definition.text("cpu").and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// What these tasks have in use on Fargate, in units of 1/1024 vCPU.
pub(super) fn used<'a>(tasks: impl Iterator<Item = &'a Task>, now: Timestamp) -> u64 {
    let live =
        tasks.filter(|task| task.launch_type == FARGATE && task.end.as_ref().is_none_or(|end| now < end.stopped_at));
    live.map(|task| units(&task.definition)).sum()
}
