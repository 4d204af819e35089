//! Looks at a Pipeline's world: its branch, its Releases. Changes nothing.

use crate::context::Context;
use crate::git::{Ask, Credential, GitFault, Poll};
use crate::kind::{Key, Kind};
use crate::kube_api::{self, Unreachable};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams};
use launchway_crds::Release;
use launchway_crds::pipeline::PipelineStatus;
use launchway_plan::account::scope;
use launchway_plan::look::Looked;
use launchway_plan::pipeline::desired::checked_plan;
use launchway_plan::pipeline::observed::{ended, name};
use launchway_plan::pipeline::{Desired, Observed};
use launchway_plan::refusal::Refusal;

/// Types of Secrets that let their holder into the cluster: whoever may write a Pipeline could have them sent anywhere.
const KUBERNETES_OWN: [&str; 2] = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"];

/// What there is to see for this pass.
pub async fn observe(
    desired: &Desired,
    status: Option<&PipelineStatus>,
    context: &Context,
) -> Result<Observed, Unreachable> {
    let account = kube_api::account(&desired.account, &desired.namespace, context).await?;
    let allowed = scope(&account, desired.spec.region.as_deref()).and_then(|scope| checked_plan(&desired.spec, &scope));
    let now = (context.clock)();
    let mut observed = Observed {
        at: now,
        account,
        head: Looked::NotAsked,
        next_poll: None,
        releases: releases(desired, status, context).await?,
    };
    if allowed.is_ok() && !desired.spec.suspend {
        match credential(desired, context).await? {
            Ok(credential) => see(&mut observed, poll(desired, credential.as_ref(), context).await, desired),
            Err(refusal) => observed.head = Looked::Seen(Err(refusal)),
        }
    }
    Ok(observed)
}

fn see(observed: &mut Observed, poll: Poll, desired: &Desired) {
    observed.next_poll = Some(poll.sent + SignedDuration::from_secs(desired.interval));
    observed.head = match poll.outcome {
        Ok(head) => Looked::Seen(Ok(head.commit)),
        Err(GitFault::NoSuchBranch(missing)) => Looked::Seen(Err(Refusal::NoSuchBranch { why: missing.to_string() })),
        Err(fault) => Looked::Blind(fault.at(&desired.spec.source.git.url)),
    };
}

async fn poll(desired: &Desired, credential: Option<&Credential>, context: &Context) -> Poll {
    let git = &desired.spec.source.git;
    let ask =
        Ask { url: &git.url, branch: &git.branch, credential, interval: SignedDuration::from_secs(desired.interval) };
    context.polls.head(&ask, (context.clock)()).await
}

async fn credential(desired: &Desired, context: &Context) -> Result<Result<Option<Credential>, Refusal>, Unreachable> {
    let Some(secret) = &desired.spec.source.git.secret_ref else { return Ok(Ok(None)) };
    let api: Api<Secret> = Api::namespaced(context.kube.clone(), &desired.namespace);
    let refused = |why: String| Refusal::Secret { name: secret.name.to_string(), why };
    let found = match api.get_opt(&secret.name).await {
        Ok(found) => found,
        Err(kube::Error::Api(status)) if status.is_forbidden() => {
            return Ok(Err(refused(
                "may not be read by the controller: bind its ClusterRole in this namespace".to_owned(),
            )));
        }
        Err(error) => return Err(Unreachable::of("reading Secret", secret.name.to_string())(error)),
    };
    Ok(match found {
        Some(found) if found.type_.as_deref().is_some_and(|kind| KUBERNETES_OWN.contains(&kind)) => Err(refused(
            "is one of Kubernetes' own tokens, which is sent nowhere: make another with the keys username and password, or token, or bearerToken".to_owned(),
        )),
        None => Err(refused(
            "is not there: make it with the keys username and password, or token, or bearerToken".to_owned(),
        )),
        Some(found) => Credential::parse(&found.data.unwrap_or_default())
            .map(Some)
            .map_err(|fault| refused(format!("cannot be used: {fault}"))),
    })
}

/// The Pipeline's Releases. A list may be old; those at work, those that hold a stage and those that were told to give
/// way are read one by one.
async fn releases(
    desired: &Desired,
    status: Option<&PipelineStatus>,
    context: &Context,
) -> Result<Vec<Release>, Unreachable> {
    let api: Api<Release> = Api::namespaced(context.kube.clone(), &desired.namespace);
    let params = ListParams::default().fields(&format!("spec.pipeline={}", desired.name));
    let listed = api.list(&params).await.map_err(Unreachable::of("listing Releases of", desired.name.clone()))?.items;
    let holders = status.iter().flat_map(|status| &status.stages).map(|stage| stage.release.to_string());
    let told = status.iter().flat_map(|status| &status.superseded).map(|one| one.release.to_string());
    let known = holders.chain(told);
    let missing: Vec<String> = known.filter(|holder| listed.iter().all(|release| name(release) != holder)).collect();
    let mut all: Vec<Release> = Vec::new();
    for release in listed {
        if ended(&release) {
            all.push(release);
        } else {
            all.extend(live(desired, name(&release), context).await?);
        }
    }
    for holder in missing {
        if all.iter().all(|release| name(release) != holder) {
            all.extend(live(desired, &holder, context).await?);
        }
    }
    Ok(all)
}

async fn live(desired: &Desired, name: &str, context: &Context) -> Result<Option<Release>, Unreachable> {
    let key = Key { kind: Kind::Release, namespace: desired.namespace.clone(), name: name.to_owned() };
    Ok(kube_api::found::<Release>(&key, context).await?.filter(|release| *release.spec.pipeline == *desired.name))
}
