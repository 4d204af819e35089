//! Has the git host show how a Release fares. What it is to show, and when, is decided elsewhere.

use crate::access::access;
use crate::context::Context;
use crate::git_hosts::{HostFault, Reporter};
use crate::item::Item;
use crate::kube_api::PAGE;
use crate::unreachable::Unreachable;
use crate::web::{PATIENCE, WebFault};
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use launchway_crds::Release;
use launchway_plan::release::commit_status::{CommitStatus, Host};
use launchway_plan::release::{Desired, Effected};
use tokio::time::{Instant, timeout_at};

/// Sends commit statuses, one after the other, for ten seconds at most: what is left then comes in the next pass. Nothing is sent of a
/// commit that a newer Release has begun with: the host would show the older one's.
///
/// # Errors
/// Kubernetes could not be asked for the other Releases.
pub async fn report(
    host: &Host,
    statuses: &[CommitStatus],
    release: &Desired,
    context: &Context,
) -> Result<Effected, Unreachable> {
    if has_a_newer_one(release, context).await? {
        return Ok(Effected::Reported { statuses: Vec::new(), fault: None });
    }
    let deadline = Instant::now() + PATIENCE;
    let access = match access(
        &release.namespace,
        &host.repository,
        host.secret.as_deref(),
        (&context.kube, context.unbound_secrets),
    )
    .await
    {
        Ok(Ok(access)) => access,
        Ok(Err(why)) => {
            let name = host.secret.as_deref().unwrap_or_default();
            return Ok(refused(host, &HostFault::Secret(format!("Secret {name} {why}"))));
        }
        Err(_) => return Ok(refused(host, &HostFault::SecretUnread)),
    };
    let (hosts, metrics, commit) = (&context.git_hosts, &context.metrics, release.commit.as_str());
    let reporter = Reporter { hosts, host, access: &access, commit, metrics };
    let (mut taken, mut fault) = (Vec::new(), None);
    for status in statuses.iter().take_while(|_| context.term.is_sure()) {
        let name = called(status, release, context);
        match timeout_at(deadline, reporter.send(&name, status, (context.clock)())).await {
            Ok(Ok(())) => taken.push(status.clone()),
            Ok(Err(why)) => {
                let is_of_this_one = why.is_of_one();
                fault = fault.or(Some(why));
                if !is_of_this_one {
                    break;
                }
            }
            Err(_) => {
                fault = fault.or_else(|| taken.is_empty().then_some(HostFault::Web(WebFault::Timeout)));
                break;
            }
        }
    }
    Ok(Effected::Reported { statuses: taken, fault: fault.map(|fault| fault.at(&host.repository)) })
}

fn refused(host: &Host, fault: &HostFault) -> Effected {
    Effected::Reported { statuses: Vec::new(), fault: Some(fault.at(&host.repository)) }
}

/// Whether a newer Release of the Pipeline has begun with the same commit.
async fn has_a_newer_one(release: &Desired, context: &Context) -> Result<bool, Unreachable> {
    let api: Api<Item<Release>> = Api::namespaced(context.kube.clone(), &release.namespace);
    let mut params = ListParams::default().fields(&format!("spec.pipeline={}", release.pipeline)).limit(PAGE);
    let is_newer = |other: &Release| {
        let (created, name) = (other.creation_timestamp().map(|at| at.0), other.name_any());
        let begun = other.status.as_ref().is_some_and(|status| status.plan.is_some());
        begun
            && other.spec.commit.as_ref() == Some(&release.commit)
            && (created, &name) > (release.created, &release.name)
    };
    loop {
        let page = api.list(&params).await;
        let page = page.map_err(Unreachable::of("listing Releases of", release.pipeline.clone()))?;
        if page.items.iter().any(|item| matches!(item, Item::Read(other) if is_newer(other))) {
            return Ok(true);
        }
        match page.metadata.continue_.filter(|next| !next.is_empty()) {
            Some(next) => params = params.continue_token(&next),
            None => return Ok(false),
        }
    }
}

/// What a commit status is called: nobody else's is called so.
fn called(status: &CommitStatus, release: &Desired, context: &Context) -> String {
    let Desired { namespace, pipeline, .. } = release;
    format!("launchway/{}/{namespace}/{pipeline}/{}", context.installation, status.subject)
}
