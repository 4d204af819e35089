//! Task definitions: looking at them and registering them. None is deregistered.

use super::words::{tag_list, tags};
use crate::aws::failure::Failure;
use crate::aws::guesses;
use crate::clouds::Cloud;
use crate::operation::Operation;
use aws_sdk_ecs::error::BuildError;
use aws_sdk_ecs::operation::describe_task_definition::DescribeTaskDefinitionOutput;
use aws_sdk_ecs::operation::register_task_definition::builders::RegisterTaskDefinitionFluentBuilder;
use aws_sdk_ecs::types::{
    Compatibility, ContainerDefinition, HealthCheck, KeyValuePair, LogConfiguration, LogDriver, NetworkMode,
    PortMapping, Secret, SortOrder, TaskDefinitionField, TaskDefinitionStatus, TransportProtocol,
};
use launchway_plan::fault::Fault;
use launchway_plan::world::{ContainerRequest, HealthCheckRequest, LiveTaskDefinition, TaskDefinitionRequest};
use std::collections::BTreeMap;

/// AWS's limit on the ARNs of one call.
const PAGE: usize = 100;

impl Cloud {
    /// A task definition with its tags, by its ARN, or a family's newest active one; not there: `None`. One call.
    pub async fn task_definition(&self, family_or_arn: &str) -> Result<Option<LiveTaskDefinition>, Fault> {
        let request = self.inner().clients.ecs.describe_task_definition().task_definition(family_or_arn);
        let request = request.include(TaskDefinitionField::Tags);
        match self.look(Operation::DescribeTaskDefinition, || request.clone().send()).await {
            Ok(seen) => Ok(live(&seen)),
            Err(failure) if is_absent(&failure) => Ok(None),
            Err(failure) => Err(self.definition_fault(Operation::DescribeTaskDefinition, &failure, family_or_arn)),
        }
    }

    /// The ARNs of a family's active revisions, newest first, at most so many and 100. One call.
    pub async fn task_definitions(&self, family: &str, most: usize) -> Result<Vec<String>, Fault> {
        let limit = i32::try_from(most.clamp(1, PAGE)).unwrap_or(1);
        let request = self.inner().clients.ecs.list_task_definitions().family_prefix(family).max_results(limit);
        let request = request.status(TaskDefinitionStatus::Active).sort(SortOrder::Desc);
        match self.look(Operation::ListTaskDefinitions, || request.clone().send()).await {
            Ok(seen) => Ok(seen.task_definition_arns.unwrap_or_default()),
            Err(failure) => Err(self.definition_fault(Operation::ListTaskDefinitions, &failure, family)),
        }
    }

    /// Registers a task definition and returns its ARN. Each call makes a new revision.
    pub async fn register(
        &self,
        request: &TaskDefinitionRequest,
        tags: &BTreeMap<String, String>,
    ) -> Result<String, Fault> {
        let registered = self.registered(request, tags).await;
        registered
            .map_err(|failure| self.definition_fault(Operation::RegisterTaskDefinition, &failure, &request.family))
    }

    async fn registered(
        &self,
        request: &TaskDefinitionRequest,
        tags: &BTreeMap<String, String>,
    ) -> Result<String, Failure> {
        let send = self.registration(request).map_err(|error| Failure::unbuilt(&error))?.set_tags(tag_list(tags));
        let seen = self.effect(Operation::RegisterTaskDefinition, send.send()).await?;
        seen.task_definition
            .and_then(|definition| definition.task_definition_arn)
            .ok_or_else(|| Failure::unreadable("RegisterTaskDefinition without an ARN"))
    }

    fn registration(&self, request: &TaskDefinitionRequest) -> Result<RegisterTaskDefinitionFluentBuilder, BuildError> {
        let region = &self.inner().place.region;
        let containers = request.containers.iter().map(|one| container(one, region)).collect::<Result<_, _>>()?;
        let send = self.inner().clients.ecs.register_task_definition();
        Ok(send
            .family(&request.family)
            .set_cpu(request.cpu.map(|units| units.to_string()))
            .set_memory(request.memory.map(|mebibytes| mebibytes.to_string()))
            .network_mode(NetworkMode::from(request.network_mode.as_str()))
            .requires_compatibilities(Compatibility::from(request.compatibility.as_str()))
            .set_execution_role_arn(request.execution_role.clone())
            .set_task_role_arn(request.task_role.clone())
            .set_container_definitions(Some(containers)))
    }

    fn definition_fault(&self, operation: Operation, failure: &Failure, family: &str) -> Fault {
        let rest = if family.starts_with("arn:") { family.to_owned() } else { format!("task-definition/{family}:*") };
        self.fault(operation, failure, "ecs", &rest)
    }
}

/// ECS has no code of its own for it.
fn is_absent(failure: &Failure) -> bool {
    failure.code == "ClientException" && guesses::task_definition_is_absent(&failure.message)
}

fn live(seen: &DescribeTaskDefinitionOutput) -> Option<LiveTaskDefinition> {
    let definition = seen.task_definition()?;
    Some(LiveTaskDefinition {
        arn: definition.task_definition_arn()?.to_owned(),
        active: definition.status() == Some(&TaskDefinitionStatus::Active),
        tags: tags(seen.tags()),
    })
}

fn container(given: &ContainerRequest, region: &str) -> Result<ContainerDefinition, BuildError> {
    let secrets = given.secrets.iter().map(secret).collect::<Result<Vec<_>, _>>()?;
    let container = ContainerDefinition::builder()
        .name(&given.name)
        .image(&given.image)
        .essential(given.essential)
        .set_cpu(given.cpu)
        .set_memory(given.memory)
        .set_memory_reservation(given.memory_reservation)
        .set_port_mappings(some(given.ports.iter().map(port).collect()))
        .set_environment(some(given.environment.iter().map(variable).collect()))
        .set_secrets(some(secrets))
        .set_log_configuration(given.logs.as_ref().map(|logs| log_configuration(logs, region)).transpose()?)
        .set_health_check(given.health_check.as_ref().map(health_check).transpose()?)
        .set_command(some(given.command.clone()));
    Ok(container.build())
}

/// An empty list is not sent.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn port((container, host, protocol): &(i32, Option<i32>, String)) -> PortMapping {
    let protocol = TransportProtocol::from(protocol.as_str());
    PortMapping::builder().container_port(*container).set_host_port(*host).protocol(protocol).build()
}

fn variable((name, value): &(String, String)) -> KeyValuePair {
    KeyValuePair::builder().name(name).value(value).build()
}

fn secret((name, from): &(String, String)) -> Result<Secret, BuildError> {
    Secret::builder().name(name).value_from(from).build()
}

fn log_configuration((group, prefix): &(String, String), region: &str) -> Result<LogConfiguration, BuildError> {
    LogConfiguration::builder()
        .log_driver(LogDriver::Awslogs)
        .options("awslogs-group", group)
        .options("awslogs-region", region)
        .options("awslogs-stream-prefix", prefix)
        .build()
}

fn health_check(given: &HealthCheckRequest) -> Result<HealthCheck, BuildError> {
    HealthCheck::builder()
        .set_command(Some(given.command.clone()))
        .interval(given.interval)
        .timeout(given.timeout)
        .retries(given.retries)
        .set_start_period(given.start_period)
        .build()
}
