//! Carries out what was decided about a Pipeline: creates a Release, or deletes an old one.

use crate::context::Context;
use crate::item::Item;
use crate::kube_api::{api, delete, readable};
use crate::status::{self, Acted, Written};
use crate::unreachable::{Unreachable, said};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource;
use kube::api::{Api, PostParams};
use launchway_crds::name::GitTag;
use launchway_crds::pipeline::Head;
use launchway_crds::release::{ReleaseReason, ReleaseSpec};
use launchway_crds::{PIPELINE_LABEL, Pipeline, Release};
use launchway_plan::Outcome;
use launchway_plan::condition::cut;
use launchway_plan::fault::{Fault, FaultKind, Remedy};
use launchway_plan::pipeline::heads::is_made;
use launchway_plan::pipeline::refs::tag_of;
use launchway_plan::pipeline::{Action, Desired, Effected, Record, ReleaseSeen, intended};
use launchway_plan::wake::Wake;
use std::collections::BTreeMap;

/// How much of Kubernetes' message a fault holds, in bytes.
const MESSAGE: usize = 512;

/// Carries out the action, if there is one.
pub async fn act(
    pipeline: &Pipeline,
    desired: &Desired,
    record: &Record,
    action: Option<&Action>,
    context: &Context,
) -> Result<Acted<Pipeline, Effected>, Unreachable> {
    let releases: Api<Item<Release>> = Api::namespaced(context.kube.clone(), &desired.namespace);
    let went = |outcome| Acted::Went(Box::new(pipeline.clone()), outcome);
    match action {
        None => Ok(went(Outcome::Idle)),
        Some(Action::Release(head)) => intend_and_make(pipeline, desired, record, head, &releases, context).await,
        Some(Action::Forget(name)) => forgotten(name, &desired.namespace, context).await.map(went),
    }
}

/// Deletes a Release.
async fn forgotten(name: &str, namespace: &str, context: &Context) -> Result<Outcome<Effected>, Unreachable> {
    match delete::<Release>(namespace, name, context).await {
        Ok(()) => Ok(Outcome::Done(Effected::Plain)),
        Err(error) => refused("kubernetes:delete", "deleting Release", name, error),
    }
}

/// Writes down the head and its number, then makes the Release: so that one that is found later under that number, because
/// the answer was lost, is known to be ours.
async fn intend_and_make(
    pipeline: &Pipeline,
    desired: &Desired,
    record: &Record,
    head: &Head,
    releases: &Api<Item<Release>>,
    context: &Context,
) -> Result<Acted<Pipeline, Effected>, Unreachable> {
    match status::write(pipeline, intended(record, head), api(pipeline, context), context).await? {
        Written::Yes(pipeline) => {
            let outcome = released(desired, head, releases, context).await?;
            Ok(Acted::Went(pipeline, outcome))
        }
        unwritten @ (Written::Stale | Written::Dropped) => Ok(Acted::Ended(unwritten.wake(Wake::Now))),
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
            message: cut(said(status), MESSAGE),
            kind: FaultKind::Kubernetes,
            remedy: Remedy::AskOperator,
        }));
    }
    Err(Unreachable::of(doing, name)(error))
}

/// What came of making the Release of a head. One that cannot be read takes its name like anything else that is there.
async fn released(
    desired: &Desired,
    head: &Head,
    api: &Api<Item<Release>>,
    context: &Context,
) -> Result<Outcome<Effected>, Unreachable> {
    let name = desired.release(head.number).0;
    let release = Item::Read(release(desired, &name, head));
    let made = match api.create(&PostParams::default(), &release).await {
        Ok(made) => ReleaseSeen::parse(readable(made, "making", context)?),
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let found = api.get_opt(&name).await.map_err(Unreachable::of("reading Release", name))?;
            let found = found.and_then(|found| found.object().ok()).and_then(ReleaseSeen::parse);
            found.filter(|found| is_made(desired, head, found))
        }
        Err(error) => return refused("kubernetes:create", "making Release", &name, error),
    };
    let of = |made: ReleaseSeen| Effected::Released { head: head.clone(), uid: made.uid.into() };
    Ok(Outcome::Done(made.map_or(Effected::Taken(head.clone()), of)))
}

fn release(desired: &Desired, name: &str, head: &Head) -> Release {
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
        number: Some(head.number),
        commit: Some(head.commit.clone()),
        git_tag: tag_of(&head.of).map(GitTag::from),
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
