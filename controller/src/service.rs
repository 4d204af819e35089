//! One pass over a Service.

mod act;
mod count;
mod observe;

use crate::context::Context;
use crate::key::{Key, Kind};
use crate::kind::Reconciled;
use crate::kube_api::{account, api, found};
use crate::status::{self, Written};
use crate::unreachable::Unreachable;
use crate::wake::{Followed, Links, Shown};
use kube::ResourceExt;
use launchway_crds::Service;
use launchway_crds::service::{RolloutPhase, ServiceStatus};
use launchway_plan::condition::{find, is_true};
use launchway_plan::reason::ConditionType;
use launchway_plan::service::report::{Pass, intended};
use launchway_plan::service::{Blocker, Desired, Record, State, judge, report};
use launchway_plan::wake::Wake;

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

    fn is_at_rest(&self) -> bool {
        let Some(status) = self.status.as_ref() else { return false };
        let is_over = status.rollout.as_ref().is_some_and(|rollout| rollout.phase == RolloutPhase::Done);
        let is_known = Some(status.observed_generation) == self.metadata.generation;
        let is_short = status.service.as_ref().is_some_and(|service| service.short_since.is_some());
        let calm = is_true(&status.conditions, ConditionType::Ready)
            && find(&status.conditions, ConditionType::Held).is_none();
        is_over && is_known && !is_short && calm && self.metadata.deletion_timestamp.is_none()
    }

    fn counted(before: &Self, written: &Self, context: &Context) {
        count::count(before, written, context);
    }

    async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
        pass(key, context).await
    }
}

/// The stage of that Pipeline, and its grant, that the Service is Ready with.
fn has(service: &Service, pipeline: &str) -> Option<Shown> {
    let status = service.status.as_ref().filter(|status| is_true(&status.conditions, ConditionType::Ready))?;
    let rollout = status.rollout.as_ref()?;
    let stage = rollout.source.as_deref()?.strip_prefix(pipeline)?.strip_prefix('/')?;
    Some(Shown { to: service.name_any(), stage: stage.to_owned(), grant: rollout.grant })
}

/// One pass over a Service.
async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
    let Some(service) = found::<Service>(key, context).await? else { return Ok(Wake::OnChange) };
    let desired = Desired::parse(&service);
    let record = Record::parse(&service);
    let observed = observe::observe(&desired, &record, context).await?;
    let judged = judge(&desired, &record, &observed, &context.installation, context.resync);
    if let Some(seconds) = judged.state.turn() {
        return Ok(Wake::Turn(seconds));
    }
    let (wanted, action) = (judged.wanted.as_ref().ok(), judged.plan.action.as_ref());
    if action.is_some() && account(&desired.account, &desired.namespace, context).await? != observed.account {
        // What was looked at by the watch's account may be another one's, and what that allowed may be forbidden by now.
        return Ok(Wake::Backoff);
    }
    let service = match action.and_then(|action| intended(&judged.record, wanted, action, observed.at)) {
        None => service,
        Some(intent) => match status::write(&service, intent, api(&service, context), context).await? {
            Written::Yes(service) => *service,
            unwritten @ (Written::Stale | Written::Dropped) => return Ok(unwritten.wake(Wake::Now)),
        },
    };
    let outcome = act::act(&service, &desired, wanted, &observed, action, context).await?;
    if act::is_last(action, &outcome) {
        return Ok(Wake::OnChange);
    }
    let pass = Pass { desired: &desired, wanted, state: &judged.state, action, outcome: &outcome, at: observed.at };
    let next = report(&judged.record, &pass);
    if is_blink(&judged.state, judged.record.status(), &next) && context.backoff.is_first(key) {
        return Ok(judged.plan.wake);
    }
    let wake = judged.wake(&outcome, &next, context.resync);
    write(&service, next, wake, context).await
}

/// Whether all that is new is a look that failed in passing, while nothing was to be done. It is not told before it has
/// failed a second time: what comes and goes with every throttled call helps nobody.
fn is_blink(state: &State, record: &ServiceStatus, next: &ServiceStatus) -> bool {
    let passing = matches!(&state.rollout, Err(Blocker::Blind(fault)) if fault.is_passing());
    let ready = |status: &ServiceStatus| find(&status.conditions, ConditionType::Ready).cloned();
    passing && ready(record).is_some() && ready(record) == ready(next)
}

async fn write(service: &Service, next: ServiceStatus, wake: Wake, context: &Context) -> Result<Wake, Unreachable> {
    Ok(status::write(service, next, api(service, context), context).await?.wake(wake))
}
