//! Does what was decided about a Pipeline: makes a Release, or deletes an old one.

use crate::context::Context;
use crate::kube_api::Unreachable;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use kube::api::{Api, DeleteParams, PostParams};
use launchway_crds::release::{ReleaseReason, ReleaseSpec};
use launchway_crds::{PIPELINE_LABEL, Pipeline, Release};
use launchway_plan::Outcome;
use launchway_plan::pipeline::{Action, Desired, Effected};
use std::collections::BTreeMap;

/// Does it.
pub async fn act(
    desired: &Desired,
    action: Option<&Action>,
    context: &Context,
) -> Result<Outcome<Effected>, Unreachable> {
    let api: Api<Release> = Api::namespaced(context.kube.clone(), &desired.namespace);
    match action {
        None => Ok(Outcome::Idle),
        Some(Action::Release { name, number, commit }) => released(desired, name, *number, commit, &api).await,
        Some(Action::Forget(name)) => match api.delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(Outcome::Done(Effected::Plain)),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(Outcome::Done(Effected::Plain)),
            Err(error) => Err(Unreachable::of("deleting Release", name.clone())(error)),
        },
    }
}

async fn released(
    desired: &Desired,
    name: &str,
    number: i64,
    commit: &str,
    api: &Api<Release>,
) -> Result<Outcome<Effected>, Unreachable> {
    let release = release(desired, name, number, commit);
    match api.create(&PostParams::default(), &release).await {
        Ok(_) => Ok(Outcome::Done(Effected::Released { number, commit: commit.to_owned() })),
        Err(kube::Error::Api(status)) if status.is_already_exists() => adopted(name, number, api).await,
        Err(error) => Err(Unreachable::of("making Release", name)(error)),
    }
}

/// A Release of that name is there: it is the one, whatever its commit.
async fn adopted(name: &str, number: i64, api: &Api<Release>) -> Result<Outcome<Effected>, Unreachable> {
    let found = api.get_opt(name).await.map_err(Unreachable::of("reading Release", name))?;
    Ok(found.map_or(Outcome::Idle, |found| {
        Outcome::Done(Effected::Released { number, commit: found.spec.commit.to_string() })
    }))
}

fn release(desired: &Desired, name: &str, number: i64, commit: &str) -> Release {
    let owner = OwnerReference {
        api_version: Pipeline::api_version(&()).into_owned(),
        kind: Pipeline::kind(&()).into_owned(),
        name: desired.name.clone(),
        uid: desired.uid.clone(),
        controller: Some(true),
        block_owner_deletion: None,
    };
    let spec = ReleaseSpec {
        pipeline: desired.name.as_str().into(),
        number: Some(number),
        commit: commit.into(),
        reason: ReleaseReason::NewCommit,
    };
    let mut release = Release::new(name, spec);
    release.metadata = ObjectMeta {
        namespace: Some(desired.namespace.clone()),
        labels: Some(BTreeMap::from([(PIPELINE_LABEL.to_owned(), desired.name.clone())])),
        owner_references: Some(vec![owner]),
        ..release.metadata
    };
    release
}
