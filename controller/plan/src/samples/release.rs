//! Pipelines and Releases for the tests.

use super::{COMMIT, account, at, over, time};
use crate::look::Looked;
use crate::release::{Observed, PipelineFacts};
use crate::world::{BuildPhase, BuildStatus, LiveBuild, Phase, PhaseKind, PhaseStatus};
use launchway_crds::pipeline::{Pipeline, PipelineSpec, PipelineStatus};
use launchway_crds::release::{Release, ReleaseStatus};
use serde_json::{Value, json};

/// The Pipeline `web` of two checks, a build and two stages.
pub fn pipeline_spec() -> PipelineSpec {
    serde_json::from_value(spec()).unwrap()
}

fn spec() -> Value {
    let run = |project: &str| {
        json!({"project": project, "timeout": "20m", "queuedTimeout": "10m",
        "environment": [{"name": "TOKEN", "value": "plain-token-value"}]})
    };
    json!({
        "source": {"git": {"url": "https://git.example.com/web.git", "branch": "main"}},
        "checks": [{"name": "lint", "codeBuild": run("lint")}, {"name": "unit", "codeBuild": run("unit")}],
        "build": {"codeBuild": run("web-build")},
        "images": [{"name": "web", "repository": "web"}],
        "stages": [
            {"name": "staging", "targets": [{"service": "web-staging"}],
                "verify": [{"name": "health", "http": {"url": "https://web.example.com/health?key=query-secret"}}]},
            {"name": "prod", "targets": [{"service": "web"}]}
        ]
    })
}

/// The Pipeline, with these members of its spec set otherwise.
pub fn pipeline(changes: &Value) -> Pipeline {
    serde_json::from_value(json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": "web", "namespace": "shop", "generation": 1, "uid": "p-1"},
        "spec": over(spec(), changes)
    }))
    .unwrap()
}

/// The Release of that number, made so many seconds after the beginning, with that status.
pub fn release(number: i64, made: i64, status: Value) -> Release {
    let status = if status.is_null() { Value::Null } else { over(json!({"observedGeneration": 1}), &status) };
    serde_json::from_value(json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": format!("web-{number}"), "namespace": "shop", "generation": 1, "uid": format!("r-{number}"),
            "creationTimestamp": time(made), "ownerReferences": [{"apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline",
                "name": "web", "uid": "p-1", "controller": true}]},
        "spec": {"pipeline": "web", "number": number, "commit": COMMIT, "reason": "NewCommit"},
        "status": status
    }))
    .unwrap()
}

/// The images of a status.
pub fn images() -> Value {
    json!([{"name": "web", "registry": "123456789012", "region": "us-east-2", "repository": "web",
        "digest": format!("sha256:{}", "a".repeat(64))}])
}

/// When stages of the samples were entered, in seconds after the tests' beginning: after every Release was made.
const ENTERED: i64 = 100;

/// A stage of a Release's status.
pub fn stage(name: &str, grant: i64, phase: &str) -> Value {
    json!({"name": name, "grant": grant, "phase": phase, "since": time(ENTERED)})
}

/// A stage of a Pipeline's status.
pub fn granted(name: &str, grant: i64, release: &str) -> Value {
    json!({"name": name, "grant": {"number": grant, "reason": "Release", "release": release, "commit": COMMIT,
        "images": images(), "since": time(ENTERED)}})
}

/// A build that was started at the beginning.
pub fn build(id: &str, status: BuildStatus, phases: &[(&str, PhaseStatus, i64)]) -> LiveBuild {
    let ended = status != BuildStatus::InProgress;
    let took: i64 = phases.iter().map(|(_, _, seconds)| seconds).sum();
    let lasts = |status: PhaseStatus| status == PhaseStatus::InProgress;
    LiveBuild {
        id: id.into(),
        versions: vec![COMMIT.into()],
        phase: named(if ended { "COMPLETED" } else { phases.last().map_or("SUBMITTED", |phase| phase.0) }),
        phases: phases
            .iter()
            .map(|(name, status, seconds)| BuildPhase {
                phase: named(name),
                status: *status,
                seconds: (!lasts(*status)).then_some(*seconds),
                contexts: Vec::new(),
            })
            .collect(),
        status,
        started_at: at(0),
        ended_at: ended.then(|| at(took)),
        marker: None,
        log: None,
        log_link: Some("https://logs.example.com".into()),
        exported: Default::default(),
        reports: Vec::new(),
        artifact: None,
        in_vpc: true,
    }
}

/// The phase of that name.
pub fn named(name: &str) -> Phase {
    let kind = match name {
        "SUBMITTED" | "QUEUED" => PhaseKind::Queue,
        "PROVISIONING" => PhaseKind::Provisioning,
        "DOWNLOAD_SOURCE" => PhaseKind::Source,
        "COMPLETED" => PhaseKind::Completed,
        _ => PhaseKind::Commands,
    };
    Phase { kind, name: name.into() }
}

/// What a pass over a Release saw of Kubernetes: its Pipeline, which made `web-1` and `web-2` and lets them begin, with that
/// status beside.
pub fn sight(second: i64, changes: &Value, status: Value) -> Observed {
    let lets_begin = json!({"observedGeneration": 1, "building": ["web-1", "web-2"], "made": ["r-1", "r-2"]});
    let status = if status.is_null() { lets_begin } else { over(lets_begin, &status) };
    let status: Option<PipelineStatus> = serde_json::from_value(status).unwrap();
    let facts = PipelineFacts { spec: pipeline(changes).spec, status };
    Observed { projects: Looked::Seen(Vec::new()), ..Observed::at(at(second), Some(facts), account()) }
}

/// The status of a Release that began, of which no step has.
pub fn begun() -> ReleaseStatus {
    let spec = pipeline_spec();
    let plan = json!({"account": "default", "region": "us-east-2", "checks": spec.checks, "checksInParallel": 5,
        "build": spec.build, "images": spec.images});
    let step = |name: &str| json!({"name": name, "phase": "Waiting", "attempt": 1});
    serde_json::from_value(json!({"observedGeneration": 1, "phase": "Active", "plan": plan,
        "steps": [step("lint"), step("unit"), step("build")]}))
    .unwrap()
}
