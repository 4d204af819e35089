//! Carries out what was decided about a Pipeline: creates a Release, or deletes an old one.

use crate::context::Context;
use crate::kube_api::Unreachable;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use kube::api::{Api, DeleteParams, PostParams};
use launchway_crds::release::{ReleaseReason, ReleaseSpec};
use launchway_crds::{PIPELINE_LABEL, Pipeline, Release};
use launchway_plan::Outcome;
use launchway_plan::condition::cut;
use launchway_plan::fault::{Fault, FaultKind, Remedy};
use launchway_plan::pipeline::{Action, Desired, Effected, ReleaseSeen};
use std::collections::BTreeMap;

/// How much of Kubernetes' message a fault holds, in bytes.
const MESSAGE: usize = 512;

/// Carries out the action, if there is one.
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
            Err(error) => refused("kubernetes:delete", "deleting Release", name, error),
        },
    }
}

/// If Kubernetes refuses a call, that becomes a fault, which the status reports. If it did not answer, that is an
/// error.
fn refused(
    operation: &str,
    doing: &'static str,
    name: &str,
    error: kube::Error,
) -> Result<Outcome<Effected>, Unreachable> {
    if let kube::Error::Api(status) = &error
        && (status.is_forbidden() || status.is_invalid())
    {
        return Ok(Outcome::Failed(Fault {
            operation: operation.to_owned(),
            resource: format!("Release {name}"),
            code: status.reason.clone(),
            message: cut(&status.message, MESSAGE),
            kind: FaultKind::Kubernetes,
            remedy: Remedy::AskOperator,
        }));
    }
    Err(Unreachable::of(doing, name)(error))
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
        Err(kube::Error::Api(status)) if status.is_already_exists() => adopted(desired, name, number, api).await,
        Err(error) => refused("kubernetes:create", "making Release", name, error),
    }
}

/// What follows if there is a Release of that name already. If it belongs to this Pipeline, it is taken over, whatever
/// its commit. Otherwise the name is taken by what is not this Pipeline's.
async fn adopted(
    desired: &Desired,
    name: &str,
    number: i64,
    api: &Api<Release>,
) -> Result<Outcome<Effected>, Unreachable> {
    let found = api.get_opt(name).await.map_err(Unreachable::of("reading Release", name))?;
    let own = found.and_then(ReleaseSeen::parse).filter(|found| found.stays_with(&desired.uid));
    let taken = Fault {
        operation: "kubernetes:create".to_owned(),
        resource: format!("Release {name}"),
        code: "AlreadyExists".to_owned(),
        message: "a Release of that name is there, and is not this Pipeline's: delete it".to_owned(),
        kind: FaultKind::Kubernetes,
        remedy: Remedy::AskOperator,
    };
    let adopted = |found: ReleaseSeen| Outcome::Done(Effected::Released { number, commit: found.commit });
    Ok(own.map_or(Outcome::Failed(taken), adopted))
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
        commit: Some(commit.into()),
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
