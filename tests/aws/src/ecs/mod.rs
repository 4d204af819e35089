//! ECS: clusters, task definitions, services and their rollouts, tasks. Only the rolling deployment type of the ECS controller is here.

mod arns;
mod beginnings;
mod capacity;
mod clusters;
mod container_rules;
mod container_ties;
mod definition_rules;
mod definitions;
mod deletion;
mod drift;
mod ends;
mod events;
mod fargate_rules;
mod health;
mod lacks;
mod looks;
mod obstacles;
mod output;
mod resources;
mod rollout_calls;
mod rollout_views;
mod run_task;
mod scaling;
mod scheduler;
mod service_calls;
mod service_rules;
mod service_views;
mod settings;
mod state;
mod stories;
mod tags;
mod task_calls;
mod task_views;
mod tasks;
mod timing;
mod verdicts;

pub use arns::{cluster_arn, definition_arn, service_arn};
pub use clusters::Cluster;
pub use definitions::{Definition, DefinitionStatus, Family};
pub use ends::End;
pub use events::Event;
pub use lacks::Lack;
pub use state::{
    Breaker, BreakerStatus, Counts, CrashLoops, Deployment, DeploymentStatus, EcsState, FailedDeployments, Revision,
    Rollback, Rollout, RolloutState, RolloutStatus, Rules, Service, ServiceStatus, Unplaced, Unrollable,
};
pub use tags::Tags;
pub use tasks::{Owner, Task, TaskStatus};
pub use timing::Timing;

use jiff::Timestamp;

use crate::{Answer, Call, Refusal, World};

/// Answers one operation.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    match call.operation.as_str() {
        "RegisterTaskDefinition" => definitions::register(world, call),
        "DescribeTaskDefinition" => definitions::describe(world, call),
        "ListTaskDefinitions" => definitions::list(world, call),
        "DeregisterTaskDefinition" => definitions::deregister(world, call),
        "CreateService" => service_calls::create(world, call),
        "UpdateService" => service_calls::update(world, call),
        "DeleteService" => deletion::delete(world, call),
        "DescribeServices" => service_calls::describe(world, call),
        "ListServices" => service_calls::list(world, call),
        "ListServiceDeployments" => rollout_calls::list(world, call),
        "DescribeServiceDeployments" => rollout_calls::describe(world, call),
        "DescribeServiceRevisions" => rollout_calls::revisions(world, call),
        "StopServiceDeployment" => rollout_calls::stop(world, call),
        "ListTasks" => task_calls::list(world, call),
        "DescribeTasks" => task_calls::describe(world, call),
        "RunTask" => run_task::run(world, call),
        "StopTask" => run_task::stop(world, call),
        "DescribeClusters" => clusters::describe(world, call),
        "TagResource" => tags::tag(world, call),
        "UntagResource" => tags::untag(world, call),
        "ListTagsForResource" => tags::list(world, call),
        other => Err(Refusal::unknown_operation(other)),
    }
}

/// Brings every service to `now`.
pub fn advance(world: &mut World, now: Timestamp) {
    scheduler::advance(world, now);
}

/// What is refused in the caller's account and region.
fn rules(world: &World, call: &Call) -> Rules {
    world.ecs.get(&call.place()).map_or(Rules::Aws, |state| state.rules)
}
