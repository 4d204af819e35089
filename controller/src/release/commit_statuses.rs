//! Has the git host show how a Release fares. What it is to show, and when, is decided elsewhere.

use crate::access::at_host;
use crate::context::Context;
use crate::git_hosts::{ALTOGETHER, HostFault, Reporter};
use crate::item::Item;
use crate::kube_api::PAGE;
use crate::unreachable::Unreachable;
use crate::web::WebFault;
use kube::ResourceExt;
use kube::api::{Api, ListParams};
use launchway_crds::Release;
use launchway_plan::release::commit_status::{CommitStatus, Host};
use launchway_plan::release::{Desired, Effected};
use tokio::time::{Instant, timeout_at};

/// Sends commit statuses, one after the other, for twelve seconds at most: what is left then comes in the next pass. Nothing is sent of a
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
    let access = match at_host(&release.namespace, host, context).await {
        Ok(access) => access,
        Err(fault) => return Ok(refused(host, &fault)),
    };
    let (hosts, metrics, commit) = (&context.git_hosts, &context.metrics, release.commit.as_str());
    let reporter = Reporter { hosts, host, access: &access, commit, metrics };
    let names: Vec<String> = statuses.iter().map(|status| called(status, release, context)).collect();
    let now = (context.clock)();
    // Kubernetes is asked only if something is sent then.
    let may_be_sent = names.iter().any(|name| reporter.pauses(name, now).is_none());
    if may_be_sent && has_a_newer_one(release, context).await? {
        return Ok(Effected::Reported { statuses: Vec::new(), fault: None });
    }
    // A first request that is not answered ends before that, so that the host is left alone for a while.
    let deadline = Instant::now() + ALTOGETHER;
    let (mut taken, mut fault) = (Vec::new(), None);
    for (status, name) in statuses.iter().zip(&names).take_while(|_| context.term.is_sure()) {
        match timeout_at(deadline, reporter.send(name, status, now)).await {
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
    let mut params = ListParams::default()
        .fields(&format!("spec.pipeline={},spec.commit={}", release.pipeline, release.commit))
        .limit(PAGE);
    let is_newer = |other: &Release| {
        let (created, name) = (other.creation_timestamp().map(|at| at.0), other.name_any());
        let begun = other.status.as_ref().is_some_and(|status| status.plan.is_some());
        let stays = other.metadata.deletion_timestamp.is_none();
        begun
            && stays
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
