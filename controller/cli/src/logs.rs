//! `logs`: a whole log, asked of the controller part by part by LogRequests.

use crate::args::Logs;
use crate::ask::Scope;
use crate::connect::Cluster;
use crate::failure::Failure;
use crate::item::Item;
use crate::named::{Named, named};
use crate::print::{Trouble, aside, say};
use crate::text::clean;
use launchway_crds::log_request::{LogPart, LogRequestSpec, LogRequestStatus};
use launchway_crds::{GROUP, LogRequest, Pipeline, Release, Service, VERSION};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How often it is looked for an answer.
const LOOK: Duration = Duration::from_millis(200);
/// How long a log that is being written is left alone.
const REST: Duration = Duration::from_secs(3);
/// How a command ends that was interrupted, as shells have it.
const INTERRUPTED: u8 = 130;
/// How often it is asked again for what newer requests of other people pushed out.
const AGAIN: usize = 3;

/// Prints a log.
pub async fn run(cluster: &Cluster, asked: &Logs) -> Result<(), Failure> {
    let first = question(cluster, asked).await?;
    let (mut question, mut told, mut any) = (first.clone(), String::new(), false);
    let mut trouble = Trouble::default();
    loop {
        let (of, part) = match ask(cluster, &question, asked).await {
            Ok(answer) => answer,
            Err(failure) if asked.follow => {
                trouble.met(failure)?;
                sleep(REST).await;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        trouble.passed();
        if of != told {
            aside(&format!("# {of}"));
            told = of;
        }
        any |= !part.text.is_empty();
        print(&part.text)?;
        let (more, running) = (part.more, part.running);
        let goes_on = more || (asked.follow && running);
        if !goes_on {
            // A step whose build met a fault of CodeBuild gets another one.
            if asked.follow && question.page.is_some() && question.release.is_some() {
                question = first.clone();
                if follows(&ask(cluster, &question, asked).await?.1, &part) {
                    continue;
                }
            }
            if !any {
                aside(if running { "# nothing is written yet: --follow waits" } else { "# the log is empty" });
            }
            return Ok(());
        }
        question = next(&first, part);
        if !more {
            sleep(REST).await;
        }
    }
}

/// Whether another build of the same step is at work.
fn follows(newest: &LogPart, last: &LogPart) -> bool {
    newest.step == last.step && newest.build != last.build && newest.running
}

/// The next part of what was chosen. What has no log yet is chosen anew.
fn next(first: &LogRequestSpec, part: LogPart) -> LogRequestSpec {
    let LogPart { step, build, task, container, next, .. } = part;
    if next.is_none() {
        return first.clone();
    }
    LogRequestSpec { step, build, task, container, page: next, ..first.clone() }
}

/// What is to be asked for.
async fn question(cluster: &Cluster, asked: &Logs) -> Result<LogRequestSpec, Failure> {
    let empty = LogRequestSpec {
        release: None,
        service: None,
        step: asked.step.as_deref().map(Into::into),
        build: None,
        container: asked.container.as_deref().map(Into::into),
        task: asked.task.as_deref().map(Into::into),
        page: None,
    };
    let of_release = |name: String| LogRequestSpec { release: Some(name.into()), ..empty.clone() };
    let of_service = |name: String| LogRequestSpec { service: Some(name.into()), ..empty.clone() };
    Ok(match asked.name.as_deref().map(named).transpose()? {
        None => of_release(newest(cluster, None).await?),
        Some(Named::Release(name)) => of_release(name.to_owned()),
        Some(Named::Service(name)) => of_service(name.to_owned()),
        Some(Named::Pipeline(name)) => {
            of_release(newest(cluster, Some(&cluster.one::<Pipeline>(name).await?.name)).await?)
        }
        Some(Named::Any(name)) => {
            let (release, service, pipeline) = tokio::try_join!(
                cluster.one_if_there::<Release>(name),
                cluster.one_if_there::<Service>(name),
                cluster.one_if_there::<Pipeline>(name)
            )?;
            match (release, service, pipeline) {
                (Some(_), None, None) => of_release(name.to_owned()),
                (None, Some(_), None) => of_service(name.to_owned()),
                (None, None, Some(_)) => of_release(newest(cluster, Some(name)).await?),
                (None, None, None) => {
                    return Err(Failure::new(format!(
                        "Error from server (NotFound): releases.{GROUP} \"{name}\" not found, and no service and no pipeline of that name either"
                    )));
                }
                _ => {
                    let several = format!("there are several: say release/{name}, service/{name} or pipeline/{name}");
                    return Err(Failure::error(several));
                }
            }
        }
    })
}

/// The newest Release of the Pipeline, or of the namespace.
async fn newest(cluster: &Cluster, pipeline: Option<&str>) -> Result<String, Failure> {
    let all = cluster.list::<Release>(&Scope::Namespace(cluster.namespace.clone())).await?;
    latest(&all, pipeline).map(str::to_owned).ok_or_else(|| {
        let of = pipeline
            .map_or_else(|| format!("in namespace {}", cluster.namespace), |name| format!("of Pipeline {name}"));
        Failure::error(format!("there is no Release {of} yet"))
    })
}

fn latest<'a>(all: &'a [Item<Release>], pipeline: Option<&str>) -> Option<&'a str> {
    let is_its = |item: &&Item<Release>| {
        let of = item.body.as_ref().ok().map(|body| body.spec.pipeline.as_str());
        pipeline.is_none() || of == pipeline
    };
    all.iter().filter(is_its).max_by_key(|item| (item.created, &item.name)).map(|item| item.name.as_str())
}

/// Asks for a part, and waits for it.
async fn ask(cluster: &Cluster, spec: &LogRequestSpec, asked: &Logs) -> Result<(String, LogPart), Failure> {
    for _ in 1..AGAIN {
        match once(cluster, spec, asked).await? {
            Some(answer) => return Ok(answer),
            None => continue,
        }
    }
    once(cluster, spec, asked).await?.ok_or_else(|| {
        Failure::error(
            "the LogRequest was deleted before it was answered, again and again: too many are made in this namespace",
        )
    })
}

/// The same; none if the request is gone before its answer. The request is taken away again, also on Ctrl-C; one that stays goes by
/// itself after ten minutes.
async fn once(cluster: &Cluster, spec: &LogRequestSpec, asked: &Logs) -> Result<Option<(String, LogPart)>, Failure> {
    let request = json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": "LogRequest",
        "metadata": {"generateName": "kubectl-"}, "spec": spec,
    });
    let name = cluster.make::<LogRequest>(&request).await?;
    let until = Instant::now() + Duration::try_from(asked.timeout).unwrap_or_default();
    let mut last = None;
    let answer = tokio::select! {
        answer = timeout_at(until, answered(cluster, &name, &mut last)) => Some(answer),
        _ = tokio::signal::ctrl_c() => None,
    };
    let _goes_by_itself = cluster.delete::<LogRequest>(&name).await;
    match answer {
        Some(Ok(answer)) => answer,
        Some(Err(_)) => Err(Failure::error(unanswered(last.as_deref(), asked))),
        None => Err(Failure::new("").with_code(INTERRUPTED)),
    }
}

async fn answered(
    cluster: &Cluster,
    name: &str,
    last: &mut Option<String>,
) -> Result<Option<(String, LogPart)>, Failure> {
    loop {
        let Some(item) = cluster.one_if_there::<LogRequest>(name).await? else { return Ok(None) };
        if let Some((_, status)) = item.status() {
            if let Some(answer) = answer(status) {
                return answer.map(Some);
            }
            *last = said(status, "Reconciling");
        }
        sleep(LOOK).await;
    }
}

/// The answer that a status holds, if there is one.
fn answer(status: &LogRequestStatus) -> Option<Result<(String, LogPart), Failure>> {
    if let Some(log) = &status.log {
        return Some(Ok((status.of.clone().unwrap_or_default(), log.clone())));
    }
    said(status, "Stalled").map(|why| Err(Failure::error(why)))
}

fn said(status: &LogRequestStatus, kind: &str) -> Option<String> {
    status.conditions.iter().find(|one| one.type_ == kind && one.status == "True").map(|one| one.message.clone())
}

fn unanswered(last: Option<&str>, asked: &Logs) -> String {
    let waited = format!("no answer after {:#}", asked.timeout);
    match last {
        Some(why) => format!("{waited}: {why}"),
        None => format!("{waited}: is Launchway running, and does it watch this namespace? --timeout waits longer"),
    }
}

/// Whole lines, without what would steer a terminal.
fn print(text: &str) -> Result<(), Failure> {
    let Some(text) = text.strip_suffix('\n') else { return Ok(()) };
    say(&clean(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn status(conditions: Value, log: Value) -> LogRequestStatus {
        serde_json::from_value(
            json!({"observedGeneration": 1, "conditions": conditions, "of": "build b:1", "log": log}),
        )
        .unwrap()
    }

    fn condition(kind: &str, message: &str) -> Value {
        json!([{"type": kind, "status": "True", "reason": "NoLog", "message": message, "lastTransitionTime": "2026-11-29T00:00:00Z"}])
    }

    #[test]
    fn what_is_not_answered_yet_is_waited_for_and_what_cannot_be_is_told() {
        assert_eq!(answer(&status(json!([]), Value::Null)), None);
        assert_eq!(answer(&status(condition("Reconciling", "throttled"), Value::Null)), None);
        let no = answer(&status(condition("Stalled", "no such step"), Value::Null)).unwrap().unwrap_err();
        assert_eq!(no.message, "error: no such step");
        let log = json!({"text": "a\n", "more": false, "running": false, "step": "build"});
        let (of, part) = answer(&status(condition("Ready", "1 line"), log)).unwrap().unwrap();
        assert_eq!((of.as_str(), part.text.as_str()), ("build b:1", "a\n"));
    }

    #[test]
    fn the_next_part_is_of_what_was_chosen_once_there_is_a_log() {
        let first = LogRequestSpec {
            release: Some("web-1".into()),
            step: None,
            build: None,
            service: None,
            container: None,
            task: None,
            page: None,
        };
        let waiting = LogPart { step: Some("lint".into()), running: true, ..LogPart::default() };
        assert_eq!(next(&first, waiting.clone()), first);
        let begun = LogPart { build: Some("lint:1".into()), next: Some("f/1".into()), ..waiting };
        let after = next(&first, begun.clone());
        assert_eq!(
            (after.step, after.build, after.page),
            (Some("lint".into()), Some("lint:1".into()), Some("f/1".into()))
        );
        let again =
            |step: &str, build: &str| LogPart { step: Some(step.into()), build: Some(build.into()), ..begun.clone() };
        assert!(follows(&again("lint", "lint:2"), &begun));
        assert!(!follows(&again("lint", "lint:1"), &begun) && !follows(&again("unit", "unit:1"), &begun));
        assert!(!follows(&LogPart { running: false, ..again("lint", "lint:2") }, &begun));
    }

    #[test]
    fn the_newest_release_is_meant() {
        let release = |name: &str, pipeline: &str, created: &str| {
            let object = json!({"metadata": {"name": name, "creationTimestamp": created},
                "spec": {"pipeline": pipeline, "commit": "a".repeat(40), "reason": "Manual"}});
            Item::<Release>::parse(&object.to_string()).unwrap()
        };
        let all = [
            release("b", "web", "2026-11-29T00:00:02Z"),
            release("a", "api", "2026-11-29T00:00:03Z"),
            release("c", "web", "2026-11-29T00:00:01Z"),
        ];
        assert_eq!((latest(&all, None), latest(&all, Some("web"))), (Some("a"), Some("b")));
        assert_eq!(latest(&all, Some("none")), None);
    }
}
