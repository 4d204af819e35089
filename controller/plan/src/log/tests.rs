use super::*;
use crate::fault::Remedy;
use crate::samples::release::{build as live_build, release};
use crate::samples::{at, ecs, fault, time};
use crate::world::{BuildStatus, StoppedContainer};
use serde_json::json;

fn steps(steps: &Value) -> Release {
    release(1, 0, json!({"phase": "Active", "steps": steps}))
}

fn ran(name: &str, phase: &str) -> Value {
    json!({"name": name, "phase": phase, "attempt": 1, "started": {"id": format!("{name}:1"), "startedAt": time(0)}})
}

fn waits(name: &str) -> Value {
    json!({"name": name, "phase": "Waiting", "attempt": 1})
}

#[test]
fn the_step_is_the_one_asked_for_else_the_one_that_failed_or_runs_or_ran_last() {
    let chosen = |all: &Value, asked: Option<&str>| {
        let (release, asked) = (steps(all), asked.map(Name::from));
        step(asked.as_ref(), &release).map(|step| step.map(|step| step.name.to_string()))
    };
    let is = |all: &Value, asked, name: &str| assert_eq!(chosen(all, asked).unwrap().unwrap(), name);
    let all = json!([ran("lint", "Succeeded"), ran("unit", "Running"), waits("build")]);
    is(&all, None, "unit");
    is(&all, Some("lint"), "lint");
    is(&all, Some("build"), "build");
    is(&json!([ran("lint", "Running"), ran("unit", "Failed"), waits("build")]), None, "unit");
    is(&json!([ran("lint", "Succeeded"), {"name": "build", "phase": "Failed", "attempt": 1}]), None, "build");
    is(&json!([ran("lint", "Succeeded"), waits("build")]), None, "lint");
    is(&json!([waits("lint"), waits("build")]), None, "build");
    let unknown = chosen(&all, Some("test")).unwrap_err().to_string();
    assert_eq!(unknown, "spec.step: Release web-1 has no step test: its steps are lint, unit, build");
    assert_eq!((chosen(&json!([]), None), chosen(&json!([]), Some("lint"))), (Ok(None), Ok(None)));
}

#[test]
fn the_build_is_that_of_the_newest_attempt_or_one_of_the_step_that_is_named() {
    let of = |step: Value, asked: Option<&str>| {
        let step: StepStatus = serde_json::from_value(step).unwrap();
        let asked = asked.map(BuildId::from);
        build(asked.as_ref(), &step).map(|build| build.map(str::to_owned)).map_err(|no| no.to_string())
    };
    let mut again = ran("build", "Running");
    again["earlier"] = json!([{"id": "build:0", "startedAt": time(0)}]);
    assert_eq!(of(again.clone(), None), Ok(Some("build:1".into())));
    assert_eq!(of(again.clone(), Some("build:0")), Ok(Some("build:0".into())));
    assert!(of(again, Some("theirs:1")).unwrap_err().starts_with("spec.build: step build knows no build theirs:1"));
    assert_eq!(of(waits("build"), None), Ok(None));
    let refused = json!({"name": "build", "phase": "Failed", "attempt": 1, "message": "StartBuild was refused"});
    assert_eq!(of(refused, None).unwrap_err(), "step build has no build: StartBuild was refused");
}

#[test]
fn a_build_is_shown_only_with_the_marker_of_an_attempt_at_the_step() {
    let release = steps(&json!([{"name": "build", "phase": "Running", "attempt": 2}]));
    let step = &release.status.as_ref().unwrap().steps[0];
    let live = |owner: &str, step: &str, number| LiveBuild {
        marker: Some(Attempt { owner, step, number }.marker()),
        ..live_build("web:1", BuildStatus::InProgress, &[])
    };
    assert!(is_own(&live("r-1", "build", 1), step, &release) && is_own(&live("r-1", "build", 2), step, &release));
    for other in [live("r-2", "build", 1), live("r-1", "lint", 1), live("r-1", "build", 3)] {
        assert!(!is_own(&other, step, &release), "{:?}", other.marker);
    }
    assert!(!is_own(&LiveBuild { marker: None, ..live("r-1", "build", 1) }, step, &release));
}

#[test]
fn what_ended_a_moment_ago_may_still_be_written() {
    assert!(is_written(None, at(0)) && is_written(Some(at(0)), at(29)));
    assert!(!is_written(Some(at(0)), at(30)));
}

fn task(id: &str, failed: bool, containers: &[(&str, i32)]) -> StoppedTask {
    let container = |(name, exit_code): &(&str, i32)| StoppedContainer {
        name: (*name).to_owned(),
        exit_code: Some(*exit_code),
        reason: None,
    };
    let containers = containers.iter().map(container).collect();
    StoppedTask { id: id.to_owned(), failed, containers, ..ecs::task() }
}

#[test]
fn the_task_is_the_newest_that_failed_of_an_ecs_service_that_is_ours() {
    let world = ecs::World::new(ecs::service(&json!({})));
    let desired = world.desired();
    let mut live = ecs::adopted(&world, "web:1");
    live.tags = [(OWNER_TAG.to_owned(), desired.owner("inst"))].into();
    let seen =
        [task("replaced", false, &[("app", 143)]), task("b", true, &[("proxy", 0), ("app", 1)]), task("c", true, &[])];
    let chosen = |spec: Value, live: Option<&LiveService>, seen: &[StoppedTask]| {
        let spec: LogRequestSpec = serde_json::from_value(spec).unwrap();
        let found = stopped(&spec, &desired, live, seen, "inst").map_err(|no| no.to_string());
        found.map(|one| (one.task.to_string(), one.container.map(|name| name.to_string())))
    };
    let web = || json!({"service": "web"});
    assert_eq!(chosen(web(), Some(&live), &seen).unwrap(), ("b".into(), Some("app".into())));
    let named = json!({"service": "web", "task": "replaced", "container": "proxy"});
    assert_eq!(chosen(named, Some(&live), &seen).unwrap(), ("replaced".into(), Some("proxy".into())));
    let others = chosen(json!({"service": "web", "task": "theirs"}), Some(&live), &seen).unwrap_err();
    assert!(
        others.starts_with("spec.task: ECS shows no stopped task theirs") && others.ends_with("are: b, c"),
        "{others}"
    );
    assert!(chosen(web(), Some(&live), &seen[..1]).is_err());
    assert!(chosen(web(), None, &seen).unwrap_err().contains("there is no ECS service"));
    live.tags.insert(OWNER_TAG.to_owned(), "inst/other/web".to_owned());
    assert!(chosen(web(), Some(&live), &seen).is_err(), "another one's tasks");
}

#[test]
fn a_container_that_logs_by_awslogs_with_a_prefix_has_a_stream_of_its_task() {
    let logs = |driver: &str, options: Value| json!({"logDriver": driver, "options": options});
    let definition = |containers: Value| json!({"containerDefinitions": containers}).as_object().unwrap().clone();
    let of = |container: Option<&str>, containers: Value| {
        let container = container.map(EcsName::from);
        let stopped = Stopped { task: "a1".into(), definition: "web:1".into(), at: None, container };
        container_log(&stopped, &definition(containers)).map_err(|no| no.to_string())
    };
    let app = json!({"name": "app", "logConfiguration": logs("awslogs", json!({"awslogs-group": "/shop",
        "awslogs-stream-prefix": "web", "awslogs-region": "us-west-2"}))});
    let proxy = json!({"name": "proxy", "logConfiguration": logs("awslogs", json!({"awslogs-group": "/shop"}))});
    let found = of(None, json!([app])).unwrap();
    assert_eq!(found.stream, LogStream { group: "/shop".into(), stream: "web/app/a1".into() });
    assert_eq!((found.container.as_str(), found.region.as_deref()), ("app", Some("us-west-2")));
    let both =
        || json!([app, proxy, {"name": "dark"}, {"name": "fire", "logConfiguration": logs("awsfirelens", json!({}))}]);
    assert_eq!(of(Some("app"), both()).unwrap(), found);
    let no = |container, part: &str| {
        let said = of(container, both()).unwrap_err();
        assert!(said.contains(part), "{said}");
    };
    no(None, "name one of app, proxy, dark, fire");
    no(Some("proxy"), "without awslogs-stream-prefix");
    no(Some("dark"), "container dark has no log driver");
    no(Some("fire"), "log driver awsfirelens");
    no(Some("api"), "spec.container: the task definition has no container api");
}

#[test]
fn what_was_answered_stands_in_the_status_and_what_passes_is_tried_again() {
    let read = |more, running, next: Option<&str>| {
        let part = LogPart { more, running, next: next.map(Into::into), ..LogPart::default() };
        Answered::Read { of: "build b:1".into(), part }
    };
    let said = |answered: &Answered| {
        let status = report(None, 1, answered, at(0));
        let of = |kind: &str| status.conditions.iter().find(|one| one.type_ == kind).map(|one| one.status.clone());
        let ready = status.conditions[0].clone();
        (ready.reason, ready.message, of("Reconciling"), of("Stalled"), status.log.is_some())
    };
    let is = Some("True".to_owned());
    assert_eq!(said(&read(true, true, Some("f/1"))).0, "Succeeded");
    for (answered, part) in [
        (read(true, true, Some("f/1")), "ask with page: status.log.next"),
        (read(false, true, Some("f/1")), "so far"),
        (read(false, true, None), "has no log yet: ask again later"),
        (read(false, false, Some("f/1")), "up to the end"),
    ] {
        let (.., log) = said(&answered);
        assert!(said(&answered).1.contains(part) && log, "{part}");
    }
    let (reason, _, reconciling, stalled, log) = said(&Answered::Failed(fault("Throttling", Remedy::Retry)));
    assert_eq!((reason.as_str(), reconciling, stalled, log), ("Unavailable", is.clone(), None, false));
    let (reason, _, _, stalled, _) = said(&Answered::Failed(fault("AccessDenied", Remedy::AskOperator)));
    assert_eq!((reason.as_str(), stalled), ("AccessDenied", is.clone()));
    let (reason, message, _, stalled, _) = said(&Answered::None(NoLog("nothing".into())));
    assert_eq!((reason.as_str(), message.as_str(), stalled), ("NoLog", "nothing", is));
}

#[test]
fn a_request_goes_after_ten_minutes() {
    assert_eq!(kept_for(at(0), at(0)), Some(601));
    assert_eq!(kept_for(at(0), at(599)), Some(2));
    assert_eq!(kept_for(at(0), at(600)), None);
}
