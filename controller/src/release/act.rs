//! Carries out what was decided about a Release, with at most one call. An intent is written before a call that starts
//! a build.

use super::commit_statuses;
use crate::context::Context;
use crate::key::Key;
use crate::kube_api::{api, guard, unguard};
use crate::status::{self, Acted, Written};
use crate::unreachable::Unreachable;
use launchway_cloud::Cloud;
use launchway_crds::Release;
use launchway_plan::Outcome;
use launchway_plan::account::scope;
use launchway_plan::fault::Fault;
use launchway_plan::reason::Reason;
use launchway_plan::release::report::{empty, intended};
use launchway_plan::release::steps::Start;
use launchway_plan::release::{Action, Desired, Effected, Observed, Record, Stop, rank};
use launchway_plan::wake::Wake;
use tracing::Instrument;

/// Carries out the action, if there is one.
pub async fn act(
    release: &Release,
    (desired, record): (&Desired, &Record),
    observed: &Observed,
    action: Option<&Action>,
    context: &Context,
) -> Result<Acted<Release, Effected>, Unreachable> {
    let went = |outcome| Ok(Acted::Went(Box::new(release.clone()), outcome));
    let Some(action) = action else { return went(Outcome::Idle) };
    let region = record.work.as_ref().map(|work| work.region.as_str());
    let scope = scope(&observed.account, region).ok();
    let cloud =
        scope.map(|scope| context.clouds.at(&scope.place, &observed.account.namespace, rank::of_action(action)));
    let span = tracing::info_span!("effect", object = %Key::of(release), commit = %desired.commit);
    match (action, cloud) {
        (Action::Guard, _) => {
            guard(release, context).await?;
            Ok(Acted::Ended(Wake::OnChange))
        }
        (Action::Unguard, _) => {
            unguard(release, context).await?;
            Ok(Acted::Ended(Wake::OnChange))
        }
        (Action::Report { host, statuses }, _) => {
            went(Outcome::Done(commit_statuses::report(host, statuses, desired, context).instrument(span).await?))
        }
        (Action::Start(start), Some(cloud)) => intend_and_start(release, start, &cloud, context).instrument(span).await,
        (Action::Repeat(again), Some(cloud)) => went(started(again, &cloud, context).instrument(span).await),
        (Action::Stop { step, id, because }, Some(cloud)) => {
            if *because == Stop::Surplus {
                context.metrics.surplus_build();
                let note = format!("step {step} was started twice: stopping build {id}, keeping the older one");
                status::warn(release, Reason::StartedTwice, &note, context);
            }
            went(stopped(id, &cloud, context).instrument(span).await)
        }
        (Action::Start(_) | Action::Repeat(_) | Action::Stop { .. }, None) => went(Outcome::Idle),
    }
}

/// Writes the intent, then makes the call. Only the pass that wrote an intent may make its call without a search.
async fn intend_and_start(
    release: &Release,
    start: &Start,
    cloud: &Cloud,
    context: &Context,
) -> Result<Acted<Release, Effected>, Unreachable> {
    let before = release.status.clone().unwrap_or_else(empty);
    match status::write(release, intended(&before, start), api(release, context), context).await? {
        Written::Yes(release) => {
            let outcome = started(start, cloud, context).await;
            Ok(Acted::Went(release, outcome))
        }
        unwritten @ (Written::Stale | Written::Dropped) => Ok(Acted::Ended(unwritten.wake(Wake::Now))),
    }
}

async fn started(start: &Start, cloud: &Cloud, context: &Context) -> Outcome<Effected> {
    let answer = cloud.start_build(&start.request, &start.call.token).await;
    let outcome = outcome(answer.map(|build| Effected::Started { step: start.step.clone(), build: Box::new(build) }));
    context.metrics.effect("StartBuild", &outcome);
    outcome
}

async fn stopped(id: &str, cloud: &Cloud, context: &Context) -> Outcome<Effected> {
    let outcome = outcome(cloud.stop_build(id).await.map(|()| Effected::Plain));
    context.metrics.effect("StopBuild", &outcome);
    outcome
}

fn outcome(result: Result<Effected, Fault>) -> Outcome<Effected> {
    match result {
        Ok(effected) => Outcome::Done(effected),
        Err(fault) => Outcome::Failed(fault),
    }
}
