//! One pass over a Service.

mod act;
mod observe;

use crate::context::Context;
use crate::key::{Key, Kind};
use crate::kind::Reconciled;
use crate::kube_api::{Unreachable, api, found};
use crate::status;
use crate::wake::{Followed, Links, Shown};
use kube::ResourceExt;
use launchway_crds::Service;
use launchway_crds::service::ServiceStatus;
use launchway_plan::condition::{find, is_true};
use launchway_plan::reason::Kind as Question;
use launchway_plan::service::report::Pass;
use launchway_plan::service::{Blocker, Desired, Judged, Record, State, judge, refused, report};
use launchway_plan::wake::Wake;
use launchway_plan::{Outcome, refusal::Refusal};

impl Reconciled for Service {
    const KIND: Kind = Kind::Service;

    fn links(&self) -> Links {
        let namespace = self.namespace().unwrap_or_default();
        let mut containers = self.spec.task_definition.container_definitions.iter();
        let from = containers.find_map(|container| container.image_from.as_ref());
        let followed = from.map(|from| Followed {
            key: Key { kind: Kind::Pipeline, namespace, name: from.pipeline.to_string() },
            has: has(self, &from.pipeline),
        });
        Links {
            uses: vec![Key::of_account(self.spec.account.as_deref())],
            follows: followed.into_iter().collect(),
            ..Links::default()
        }
    }

    async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
        pass(key, context).await
    }
}

/// The stage of that Pipeline, and its grant, that the Service is Ready with.
fn has(service: &Service, pipeline: &str) -> Option<Shown> {
    let status = service.status.as_ref().filter(|status| is_true(&status.conditions, Question::Ready))?;
    let rollout = status.rollout.as_ref()?;
    let stage = rollout.source.as_deref()?.strip_prefix(pipeline)?.strip_prefix('/')?;
    Some(Shown { to: service.name_any(), stage: stage.to_owned(), grant: rollout.grant })
}

/// One pass over a Service.
async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
    let Some(service) = found::<Service>(key, context).await? else { return Ok(Wake::OnChange) };
    let desired = match Desired::parse(&service) {
        Ok(desired) => desired,
        Err(refusal) => return refuse(&service, &refusal, context).await,
    };
    let record = Record::parse(&service);
    let observed = observe::observe(&desired, &record, context).await?;
    let Judged { wanted, record, state, plan } =
        judge(&desired, &record, &observed, &context.installation, context.resync);
    let outcome = act::act(&service, &desired, &observed, plan.action.as_ref(), context).await?;
    if act::is_last(plan.action.as_ref(), &outcome) {
        return Ok(Wake::OnChange);
    }
    let pass = Pass {
        desired: &desired,
        wanted: wanted.as_ref().ok(),
        state: &state,
        action: plan.action.as_ref(),
        outcome: &outcome,
        at: observed.at,
    };
    let next = report(&record, &pass);
    if is_blink(&state, record.status(), &next) && context.backoff.is_first(key) {
        return Ok(plan.wake);
    }
    let wake = after(&next, &outcome, plan.wake);
    write(&service, next, wake, context).await
}

/// Whether all that is new is a look that failed in passing, while nothing was to be done. It is not told before it has
/// failed a second time: what comes and goes with every throttled call helps nobody.
fn is_blink(state: &State, record: &ServiceStatus, next: &ServiceStatus) -> bool {
    let passing = matches!(&state.rollout, Err(Blocker::Blind(fault)) if fault.is_passing());
    let ready = |status: &ServiceStatus| find(&status.conditions, Question::Ready).cloned();
    passing && ready(record).is_some() && ready(record) == ready(next)
}

async fn refuse(service: &Service, refusal: &Refusal, context: &Context) -> Result<Wake, Unreachable> {
    write(service, refused(service, refusal, (context.clock)()), Wake::OnChange, context).await
}

async fn write(service: &Service, next: ServiceStatus, wake: Wake, context: &Context) -> Result<Wake, Unreachable> {
    Ok(status::write(service, next, api(service, context), context).await?.wake(wake))
}

/// A refusal that was believed the second time has become the operator's, although AWS's answer alone was a doubt.
fn after<T>(next: &ServiceStatus, outcome: &Outcome<T>, planned: Wake) -> Wake {
    let stalled = is_true(&next.conditions, Question::Stalled);
    match outcome {
        Outcome::Idle | Outcome::Done(_) => planned,
        Outcome::Failed(fault) if fault.is_doubt() && stalled => Wake::Operator,
        Outcome::Failed(fault) => Wake::of(fault),
    }
}
