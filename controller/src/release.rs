//! One pass over a Release.

mod act;
pub mod commit_statuses;
mod count;
mod observe;
mod required_statuses;

use crate::context::Context;
use crate::item::Item;
use crate::key::{Key, Kind};
use crate::kind::Reconciled;
use crate::kube_api::{api, found, unguard};
use crate::status::{self, Acted, Written};
use crate::unreachable::Unreachable;
use crate::wake::{Links, Part, Whole};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use launchway_crds::Release;
use launchway_crds::release::ReleasePhase;
use launchway_plan::Outcome;
use launchway_plan::condition::find_true;
use launchway_plan::reason::ConditionType;
use launchway_plan::release::commit_status::unreported;
use launchway_plan::release::crowd::{Counted, most};
use launchway_plan::release::report::{empty, learned, lets_go, warning};
use launchway_plan::release::{Desired, Effected, Observed, Pass, Record, added, assess, decide, due, refused, report};
use launchway_plan::wake::Wake;

/// How often we try to write what AWS answered after the status has changed. Nobody else writes the status, so one try
/// is usual, and if five fail, something is wrong with Kubernetes.
const LEARNS: usize = 5;

impl Reconciled for Release {
    const KIND: Kind = Kind::Release;

    fn links(&self) -> Links {
        let namespace = self.namespace().unwrap_or_default();
        let pipeline = Key { kind: Kind::Pipeline, namespace, name: self.spec.pipeline.to_string() };
        let phase = self.status.as_ref().and_then(|status| status.phase).unwrap_or(ReleasePhase::Active);
        let part = if phase == ReleasePhase::Active { Part::Active } else { Part::Ended };
        Links { part_of: Some(Whole { key: pipeline, part }), ..Links::default() }
    }

    fn at_work_since(&self) -> Option<Timestamp> {
        let conditions = self.status.as_ref().map(|status| &*status.conditions).unwrap_or_default();
        Some(find_true(conditions, ConditionType::Reconciling)?.last_transition_time.0)
    }

    fn counted(before: &Self, written: &Self, context: &Context) {
        count::count(before, written, context);
    }

    fn followed(event: &Event<Item<Self>>, context: &Context) {
        context.crowds.follow(event);
    }

    async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
        pass(key, context).await
    }
}

/// One pass over a Release.
async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
    let Some(release) = found::<Release>(key, context).await? else { return Ok(Wake::OnChange) };
    let desired = match Desired::parse(&release) {
        Ok(desired) => desired,
        Err(refusal) => {
            if lets_go(&release) {
                unguard(&release, context).await?;
                return Ok(Wake::OnChange);
            }
            let next = refused(&release, &refusal, (context.clock)());
            return Ok(status::write(&release, next, api(&release, context), context).await?.wake(Wake::OnChange));
        }
    };
    let record = Record::parse(&release);
    let observed = observe::observe(&desired, &record, context).await?;
    if let Some(seconds) = observed.turn() {
        return Ok(Wake::Turn(seconds));
    }
    let state = assess(&desired, &record, &observed);
    let plan = decide(&desired, &state);
    if !enters(key, &observed, added(&record, &state.course, plan.action.as_ref()), context) {
        return Ok(Wake::Now);
    }
    let acted = act::act(&release, (&desired, &record), &observed, plan.action.as_ref(), context).await?;
    let (release, outcome) = match acted {
        Acted::Ended(wake) => return Ok(wake),
        Acted::Went(release, outcome) => (release, outcome),
    };
    let before = release.status.clone().unwrap_or_else(empty);
    let pass =
        Pass { desired: &desired, observed: &observed, state: &state, action: plan.action.as_ref(), outcome: &outcome };
    let next = report(&before, &pass);
    match status::write(&*release, next, api(&release, context), context).await? {
        Written::Yes(written) => {
            if let Some((reason, note)) = warning(&pass) {
                status::warn(&*written, reason, &note, context);
            }
            let lacks = unreported(&desired, &Record::parse(&written), observed.pipeline.as_ref(), observed.at);
            Ok(due(&plan, &outcome, &lacks))
        }
        Written::Stale => relearn(key, &outcome, context).await,
        Written::Dropped => Ok(Wake::Operator),
    }
}

/// Whether the Release may add to what is at work of its namespace. A pass beside this one may have taken the last place.
fn enters(key: &Key, observed: &Observed, added: Option<Counted>, context: &Context) -> bool {
    let bound = added.and_then(|counted| Some((counted, most(&observed.account, counted)?)));
    bound.is_none_or(|(counted, most)| {
        context.crowds.enter(key, &observed.account.name, counted, most, (context.clock)())
    })
}

/// Writes what AWS answered although the status has changed since it was read: reads the Release again, adds the
/// answer, and writes.
async fn relearn(key: &Key, outcome: &Outcome<Effected>, context: &Context) -> Result<Wake, Unreachable> {
    let Outcome::Done(effected @ (Effected::Started { .. } | Effected::Reported { .. })) = outcome else {
        return Ok(Wake::Now);
    };
    for _ in 0..LEARNS {
        let Some(release) = found::<Release>(key, context).await? else { break };
        let before = release.status.clone().unwrap_or_else(empty);
        let next = learned(&before, effected);
        match status::write(&release, next, api(&release, context), context).await? {
            Written::Yes(_) | Written::Dropped => break,
            Written::Stale => {}
        }
    }
    Ok(Wake::Now)
}
