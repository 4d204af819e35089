//! What a person changes: releases, suspends, resumes, tries again. Which object is meant is decided here too.

use crate::ask::Scope;
use crate::connect::Cluster;
use crate::failure::Failure;
use crate::item::{Body, Item};
use crate::named::{Named, named};
use crate::print::{aside, say};
use jiff::Timestamp;
use launchway_crds::service::RolloutPhase;
use launchway_crds::{GROUP, Pipeline, Release, Service, VERSION};
use serde_json::{Value, json};

/// Whether a Pipeline is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Free,
    Held,
}

/// Refuses what is no full commit ID in lower case: git's own form.
pub fn full_commit(commit: &str) -> Result<(), Failure> {
    let digits = commit.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    if digits && matches!(commit.len(), 40 | 64) {
        return Ok(());
    }
    Err(Failure::error(format!(
        "\"{commit}\" is no full commit ID: 40 or 64 hexadecimal digits, as `git rev-parse HEAD` prints them, and of a tag `git rev-parse 'TAG^{{commit}}'`"
    )))
}

/// The Pipeline that is meant: the one that is named, else the only one.
pub async fn chosen(cluster: &Cluster, named: Option<&str>) -> Result<String, Failure> {
    let namespace = &cluster.namespace;
    if let Some(name) = named {
        return Ok(cluster.one::<Pipeline>(name).await?.name);
    }
    let all = cluster.list::<Pipeline>(&Scope::Namespace(namespace.clone())).await?;
    let mut names: Vec<String> = all.into_iter().map(|item| item.name).collect();
    match names.len() {
        0 => Err(Failure::error(format!("there is no Pipeline in namespace {namespace}"))),
        1 => Ok(names.remove(0)),
        _ => Err(Failure::error(format!("name one with --pipeline: {}", names.join(", ")))),
    }
}

/// Makes a Release of a commit.
pub async fn release(cluster: &Cluster, commit: &str, pipeline: Option<String>) -> Result<(), Failure> {
    full_commit(commit)?;
    let pipeline = chosen(cluster, pipeline.as_deref()).await?;
    make(cluster, &pipeline, commit).await
}

async fn make(cluster: &Cluster, pipeline: &str, commit: &str) -> Result<(), Failure> {
    let name = cluster.make::<Release>(&manual(pipeline, commit)).await?;
    say(&format!("release.{GROUP}/{name} created"))?;
    aside(&format!("To follow it: kubectl launchway wait {commit} --pipeline {pipeline} -n {}", cluster.namespace));
    Ok(())
}

/// A Release that a person makes. With five characters of the API server's the longest Pipeline's name still fits.
fn manual(pipeline: &str, commit: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"), "kind": "Release",
        "metadata": {"generateName": format!("{pipeline}-manual-")},
        "spec": {"pipeline": pipeline, "commit": commit, "reason": "Manual"},
    })
}

/// Holds a Pipeline, or lets it go on.
pub async fn suspend(cluster: &Cluster, pipeline: &str, flow: Flow) -> Result<(), Failure> {
    let (wanted, word) = match flow {
        Flow::Held => (true, "suspended"),
        Flow::Free => (false, "resumed"),
    };
    let item = cluster.one::<Pipeline>(pipeline).await?;
    let is_so = item.body.as_ref().is_ok_and(|body| body.spec.suspend == wanted);
    if is_so {
        return say(&format!("pipeline.{GROUP}/{pipeline} {word} (no change)"));
    }
    cluster.merge::<Pipeline>(pipeline, &json!({"spec": {"suspend": wanted}})).await?;
    say(&format!("pipeline.{GROUP}/{pipeline} {word}"))
}

/// Tries a Service's rollout or a Release's commit again.
pub async fn retry(cluster: &Cluster, text: &str) -> Result<(), Failure> {
    match named(text)? {
        Named::Service(name) => retry_service(cluster, &cluster.one(name).await?).await,
        Named::Release(name) => retry_release(cluster, &cluster.one(name).await?).await,
        Named::Pipeline(_) => Err(Failure::error("a pipeline cannot be tried again: name a service or a release")),
        Named::Any(name) => {
            let (service, release) = tokio::try_join!(cluster.one_if_there(name), cluster.one_if_there(name))?;
            match (service, release) {
                (Some(service), None) => retry_service(cluster, &service).await,
                (None, Some(release)) => retry_release(cluster, &release).await,
                (Some(_), Some(_)) => {
                    Err(Failure::error(format!("there are both: say service/{name} or release/{name}")))
                }
                (None, None) => Err(Failure::new(format!(
                    "Error from server (NotFound): ecsservices.{GROUP} \"{name}\" not found, and no releases.{GROUP} \"{name}\" either"
                ))),
            }
        }
    }
}

async fn retry_service(cluster: &Cluster, item: &Item<Service>) -> Result<(), Failure> {
    let name = &item.name;
    if let Some(phase) = item
        .status()
        .and_then(|(_, status)| Some(status.rollout.as_ref()?.phase))
        .filter(|phase| *phase != RolloutPhase::Failed)
    {
        aside(&format!("Note: the rollout of {name} is {phase:?}. A retry is for one that failed."));
    }
    let old = item.body.as_ref().ok().and_then(|body| body.spec.rollout.retry.as_deref());
    let members = json!({"spec": {"rollout": {"retry": another(old, Timestamp::now())}}});
    cluster.merge::<Service>(name, &members).await?;
    say(&format!("ecsservice.{GROUP}/{name} retried"))
}

/// A text that is not the old one: the time, which people understand when they find it there.
fn another(old: Option<&str>, now: Timestamp) -> String {
    let second = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    if old == Some(second.as_str()) { now.to_string() } else { second }
}

async fn retry_release(cluster: &Cluster, item: &Item<Release>) -> Result<(), Failure> {
    let unreadable = |member: &String| Failure::error(format!("{member} of release {} cannot be read", item.name));
    let Body { spec, .. } = item.body.as_ref().map_err(unreadable)?;
    let commit = spec.commit.as_ref().ok_or_else(|| Failure::error("this release names no commit"))?;
    make(cluster, &spec.pipeline, commit).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_commit_is_taken() {
        assert!(full_commit(&"a".repeat(40)).is_ok() && full_commit(&"0".repeat(64)).is_ok());
        for wrong in ["", "abc", &"A".repeat(40), &"g".repeat(40), &"a".repeat(41)] {
            assert!(full_commit(wrong).unwrap_err().message.contains("git rev-parse HEAD"), "{wrong}");
        }
    }

    #[test]
    fn a_retry_is_another_text_each_time() {
        let now: Timestamp = "2026-11-23T08:00:00.5Z".parse().unwrap();
        assert_eq!(another(Some("1"), now), "2026-11-23T08:00:00Z");
        assert_eq!(another(Some("2026-11-23T08:00:00Z"), now), "2026-11-23T08:00:00.5Z");
    }
}
