//! Tasks that stopped, and why. Looks only.

use crate::aws::arn;
use crate::aws::failure::Failure;
use crate::aws::guesses;
use crate::aws::words::{moment, reason, text};
use crate::clouds::Cloud;
use crate::operation::Operation;
use aws_sdk_ecs::types::{Container, DesiredStatus, Task, TaskStopCode};
use launchway_plan::fault::Fault;
use launchway_plan::world::{StoppedContainer, StoppedTask};

impl Cloud {
    /// The tasks of a service that stopped within about the last hour, newest first, at most 100; no such service: none.
    /// Two calls, one where there are none.
    pub async fn stopped_tasks(&self, cluster: &str, service: &str) -> Result<Vec<StoppedTask>, Fault> {
        let arns = match self.list_stopped(cluster, service).await {
            Ok(arns) if arns.is_empty() => return Ok(Vec::new()),
            Ok(arns) => arns,
            Err(failure) if failure.code == "ServiceNotFoundException" => return Ok(Vec::new()),
            Err(failure) => return Err(self.task_fault(Operation::ListTasks, &failure, cluster)),
        };
        let seen = self.describe_tasks(cluster, arns).await;
        let mut tasks = seen.map_err(|failure| self.task_fault(Operation::DescribeTasks, &failure, cluster))?;
        tasks.sort_by(|one, other| (other.stopped_at, &other.id).cmp(&(one.stopped_at, &one.id)));
        Ok(tasks)
    }

    fn task_fault(&self, operation: Operation, failure: &Failure, cluster: &str) -> Fault {
        self.fault(operation, failure, "ecs", &format!("task/{cluster}/*"))
    }

    /// One page: 100, as many as one DescribeTasks takes.
    async fn list_stopped(&self, cluster: &str, service: &str) -> Result<Vec<String>, Failure> {
        let request = self.inner().clients.ecs.list_tasks().cluster(cluster).service_name(service);
        let request = request.desired_status(DesiredStatus::Stopped);
        Ok(self.look(Operation::ListTasks, || request.clone().send()).await?.task_arns.unwrap_or_default())
    }

    async fn describe_tasks(&self, cluster: &str, arns: Vec<String>) -> Result<Vec<StoppedTask>, Failure> {
        let request = self.inner().clients.ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns));
        let seen = self.look(Operation::DescribeTasks, || request.clone().send()).await?;
        Ok(seen.tasks().iter().map(stopped).collect())
    }
}

fn stopped(task: &Task) -> StoppedTask {
    StoppedTask {
        id: arn::last(task.task_arn().unwrap_or_default()).to_owned(),
        task_definition: task.task_definition_arn().unwrap_or_default().to_owned(),
        started_by: text(task.started_by()),
        code: task.stop_code().map(|code| code.as_str().to_owned()),
        reason: reason(task.stopped_reason()),
        failed: has_failed(task),
        stopped_at: moment(task.stopped_at()),
        containers: task.containers().iter().filter_map(container).collect(),
    }
}

/// A task that is replaced or scaled in ends with an exit code too: that of the signal.
fn has_failed(task: &Task) -> bool {
    match task.stop_code() {
        Some(TaskStopCode::ServiceSchedulerInitiated) => task.stopped_reason().is_some_and(guesses::is_unhealthy),
        Some(TaskStopCode::UserInitiated) => false,
        Some(_) => true,
        None => task.containers().iter().any(|container| container.exit_code().is_some_and(|code| code != 0)),
    }
}

/// One that neither ended nor says why tells nothing.
fn container(container: &Container) -> Option<StoppedContainer> {
    let (exit_code, reason) = (container.exit_code(), reason(container.reason()));
    let name = container.name().unwrap_or_default().to_owned();
    (exit_code.is_some() || reason.is_some()).then_some(StoppedContainer { name, exit_code, reason })
}
