//! Task definitions: looking at them and registering them. None is deregistered.

use super::words::tags;
use crate::aws::failure::Failure;
use crate::aws::guesses;
use crate::aws::json::{Whole, input, members};
use crate::clouds::Cloud;
use crate::operation::Operation;
use aws_sdk_ecs::operation::describe_task_definition::DescribeTaskDefinitionOutput;
use aws_sdk_ecs::operation::register_task_definition::RegisterTaskDefinitionInput;
use aws_sdk_ecs::types::{SortOrder, TaskDefinitionField, TaskDefinitionStatus};
use launchway_plan::fault::Fault;
use launchway_plan::world::{LiveTaskDefinition, Members, RegisterRequest};
use serde_json::{Value, json};

/// AWS's limit on the ARNs of one call.
const PAGE: usize = 100;

impl Cloud {
    /// A task definition with its tags, by its ARN, or a family's newest active one; not there: `None`. One call.
    pub async fn task_definition(&self, family_or_arn: &str) -> Result<Option<LiveTaskDefinition>, Fault> {
        let request = self.inner().clients.ecs.describe_task_definition().task_definition(family_or_arn);
        let request = request.include(TaskDefinitionField::Tags);
        match self.look(Operation::DescribeTaskDefinition, || request.clone().send()).await {
            Ok(seen) => live(&seen)
                .map_err(|failure| self.definition_fault(Operation::DescribeTaskDefinition, &failure, family_or_arn)),
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
    pub async fn register(&self, request: &RegisterRequest) -> Result<String, Fault> {
        let registered = self.registered(request).await;
        registered
            .map_err(|failure| self.definition_fault(Operation::RegisterTaskDefinition, &failure, &request.family))
    }

    async fn registered(&self, request: &RegisterRequest) -> Result<String, Failure> {
        let whole = Whole(input(&request.body, RegisterTaskDefinitionInput::deserialize)?);
        let send = self.changing().ecs.register_task_definition().customize().interceptor(whole);
        let seen = self.effect(Operation::RegisterTaskDefinition, send.send()).await?;
        seen.task_definition
            .and_then(|definition| definition.task_definition_arn)
            .ok_or_else(|| Failure::unreadable("RegisterTaskDefinition without an ARN"))
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

fn live(seen: &DescribeTaskDefinitionOutput) -> Result<Option<LiveTaskDefinition>, Failure> {
    let Some(definition) = seen.task_definition() else { return Ok(None) };
    let Some(arn) = definition.task_definition_arn() else { return Ok(None) };
    let mut said = members(definition)?;
    let mut shown = seen.tags().iter().map(members).collect::<Result<Vec<_>, _>>()?;
    shown.retain(|tag| !is_ours(tag));
    said.insert("tags".to_owned(), json!(shown));
    Ok(Some(LiveTaskDefinition {
        arn: arn.to_owned(),
        active: definition.status() == Some(&TaskDefinitionStatus::Active),
        tags: tags(seen.tags()),
        members: said,
    }))
}

/// Launchway's own tags are no part of what a task definition says.
fn is_ours(tag: &Members) -> bool {
    tag.get("key").and_then(Value::as_str).is_some_and(|key| key.starts_with("launchway.dev/"))
}
