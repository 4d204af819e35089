//! Waits for what Kubernetes says of a commit, from a watch. Whether that was right is judged elsewhere.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context, bail};
use kube::runtime::wait::{Condition as Until, await_condition};
use kube::{Api, Resource};
use launchway_crds::condition::Condition;
use launchway_crds::{Pipeline, Release, Service};
use serde::de::DeserializeOwned;

use super::{NAME, NAMESPACE, Parts};

/// No story takes longer on a busy machine, whatever the pace.
const PATIENCE: Duration = Duration::from_secs(240);

/// What a condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// `True`, `False` or `Unknown`.
    pub(super) status: String,
    /// In one word.
    pub(super) reason: String,
    /// For people.
    pub(super) message: String,
}

/// What the condition of that type says, if it is there.
pub(super) fn answer(conditions: &[Condition], kind: &str) -> Option<Answer> {
    let found = conditions.iter().find(|condition| condition.type_ == kind)?;
    Some(Answer { status: found.status.clone(), reason: found.reason.clone(), message: found.message.clone() })
}

impl Parts {
    /// What the Pipeline says of `commit` in the end: its condition Released, once it is True or False.
    pub(super) async fn released(&self, commit: &str) -> anyhow::Result<Answer> {
        let short: String = commit.chars().take(12).collect();
        let said = move |pipeline: &Pipeline| {
            let status = pipeline.status.as_ref()?;
            let of_commit = status.summary.as_ref().is_some_and(|summary| summary.commit == short);
            answer(&status.conditions, "Released").filter(|answer| of_commit && answer.status != "Unknown")
        };
        let api: Api<Pipeline> = Api::namespaced(self.cluster.client(), NAMESPACE);
        self.said(api, NAME, "Released", said).await
    }

    /// What a Release says in the end: its condition Verified, once it is True or False.
    pub(super) async fn verified(&self, release: &str) -> anyhow::Result<Answer> {
        let said = |release: &Release| {
            let conditions = &release.status.as_ref()?.conditions;
            answer(conditions, "Verified").filter(|answer| answer.status != "Unknown")
        };
        let api: Api<Release> = Api::namespaced(self.cluster.client(), NAMESPACE);
        self.said(api, release, "Verified", said).await
    }

    /// What a Service says of its rollout, once it is `status`.
    pub(super) async fn rolled_out(&self, service: &str, status: &'static str) -> anyhow::Result<Answer> {
        let said = move |service: &Service| {
            let conditions = &service.status.as_ref()?.conditions;
            answer(conditions, "RolledOut").filter(|answer| answer.status == status)
        };
        let api: Api<Service> = Api::namespaced(self.cluster.client(), NAMESPACE);
        self.said(api, service, "RolledOut", said).await
    }

    async fn said<K>(
        &self,
        api: Api<K>,
        name: &str,
        kind: &str,
        said: impl Fn(&K) -> Option<Answer> + std::clone::Clone + Send + 'static,
    ) -> anyhow::Result<Answer>
    where
        K: Resource<DynamicType = ()> + std::clone::Clone + Debug + DeserializeOwned + Send + 'static,
    {
        let waited = tokio::time::timeout(PATIENCE, await_condition(api, name, once(said.clone()))).await;
        let Ok(found) = waited else {
            bail!("{} {name} did not say {kind} in {} s", K::kind(&()), PATIENCE.as_secs());
        };
        let found = found?.with_context(|| format!("{} {name} is gone", K::kind(&())))?;
        said(&found).with_context(|| format!("{} {name} said {kind} and took it back", K::kind(&())))
    }
}

fn once<K>(said: impl Fn(&K) -> Option<Answer>) -> impl Until<K> {
    move |object: Option<&K>| object.is_some_and(|object| said(object).is_some())
}
