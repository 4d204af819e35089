//! What containers print: by awslogs with a prefix, into a stream of the task [Amazon ECS developer guide, "awslogs-stream-prefix"]. Only one
//! that crashes has something to say here.

use std::collections::BTreeMap;

use super::tasks::Task;
use crate::Place;
use crate::logs::LogsState;

/// Writes what the container printed that ended the task.
pub(super) fn write_output(task: &Task, place: &Place, logs: &mut BTreeMap<Place, LogsState>) {
    let Some((end, container)) = task.end.as_ref().and_then(|end| Some((end, end.exit.as_ref()?.1))) else { return };
    let Some(container) = task.definition.containers().get(container).filter(|_| !end.output.is_empty()) else {
        return;
    };
    let (log, name) = (&container["logConfiguration"], container["name"].as_str().unwrap_or_default());
    let option = |key: &str| log["options"][key].as_str();
    let (Some(group), Some(prefix)) = (option("awslogs-group"), option("awslogs-stream-prefix")) else { return };
    if log["logDriver"] != "awslogs" {
        return;
    }
    let region = option("awslogs-region").map_or_else(|| place.1.clone(), str::to_owned);
    let state = logs.entry((place.0.clone(), region)).or_default();
    for line in &end.output {
        state.append(group, &format!("{prefix}/{name}/{}", task.id), end.exited_at, line.as_str());
    }
}
