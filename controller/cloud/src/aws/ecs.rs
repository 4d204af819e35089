//! ECS: services and what rolls them. No cluster is made or changed, no task is started or stopped by itself.

mod deployments;
mod services;
mod task_definitions;
mod tasks;
mod words;
