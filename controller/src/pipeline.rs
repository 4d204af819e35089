//! One pass over a Pipeline.

mod act;
mod observe;

use crate::context::Context;
use crate::item::Item;
use crate::key::{Key, Kind};
use crate::kind::Reconciled;
use crate::kube_api::{api, found};
use crate::status::{self, Acted};
use crate::unreachable::Unreachable;
use crate::wake::{Links, Shown};
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use launchway_crds::Pipeline;
use launchway_crds::name::ObjectName;
use launchway_crds::pipeline::{PassedOver, PipelineStatus};
use launchway_plan::pipeline::heads::Turn;
use launchway_plan::pipeline::{Desired, Pass, Record, assess, decide, refused, report};
use launchway_plan::reason::Reason;
use launchway_plan::wake::Wake;
use std::collections::{BTreeMap, BTreeSet};

impl Reconciled for Pipeline {
    const KIND: Kind = Kind::Pipeline;

    fn links(&self) -> Links {
        Links {
            uses: vec![Key::of_account(self.spec.account.as_deref())],
            shows: shown(self),
            tells: told(self),
            ..Links::default()
        }
    }

    fn followed(event: &Event<Item<Self>>, context: &Context) {
        context.webhooks.follow(event);
        context.badges.follow(event);
    }

    async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
        pass(key, context).await
    }
}

/// What it says of each Release: which stages it holds and what is wrong with them, what it has proved, why it waits, whether it
/// may begin, whether it is superseded. A Release learns nothing else from the Pipeline's status.
fn told(pipeline: &Pipeline) -> BTreeMap<Key, BTreeSet<String>> {
    let namespace = pipeline.namespace().unwrap_or_default();
    let mut told = BTreeMap::<Key, BTreeSet<String>>::new();
    let mut tell = |release: &ObjectName, what: &str| {
        let key = Key { kind: Kind::Release, namespace: namespace.clone(), name: release.to_string() };
        told.entry(key).or_default().insert(what.to_owned());
    };
    let Some(status) = &pipeline.status else { return told };
    for stage in &status.stages {
        let trouble = stage.trouble.as_ref().map_or("", |trouble| &trouble.message);
        if let Some(grant) = &stage.grant {
            tell(&grant.release, &format!("holds {} by {}: {trouble}", stage.name, grant.number));
        }
        if let Some(verified) = &stage.verified {
            tell(&verified.release, &format!("has proved {} by {}", stage.name, verified.grant));
        }
        for one in &stage.waiting {
            tell(&one.release, &format!("waits for {}, {:?}, {}: {}", stage.name, one.what, one.reason, one.message));
        }
    }
    status.building.iter().for_each(|release| tell(release, "may be built"));
    status.superseded.iter().for_each(|one| tell(&one.release, "is superseded"));
    told
}

/// The grants of the stages, listed once for each of their targets.
fn shown(pipeline: &Pipeline) -> Vec<Shown> {
    let held = |name: &str| pipeline.status.as_ref()?.stages.iter().find(|stage| *stage.name == *name);
    let stages =
        pipeline.spec.stages.iter().filter_map(|stage| Some((stage, held(&stage.name)?.grant.as_ref()?.number)));
    let shown = stages.flat_map(|(stage, grant)| {
        let to = stage.targets.iter().filter_map(|target| target.service.as_ref()).map(ToString::to_string);
        to.map(move |to| Shown { to, stage: stage.name.to_string(), grant })
    });
    shown.collect()
}

/// One pass over a Pipeline.
async fn pass(key: &Key, context: &Context) -> Result<Wake, Unreachable> {
    let Some(pipeline) = found::<Pipeline>(key, context).await? else { return Ok(Wake::OnChange) };
    if pipeline.metadata.deletion_timestamp.is_some() {
        return Ok(Wake::OnChange);
    }
    let desired = match Desired::parse(&pipeline, &context.rules) {
        Ok(desired) => desired,
        Err(refusal) => {
            return write(&pipeline, refused(&pipeline, &refusal, (context.clock)()), Wake::OnChange, context).await;
        }
    };
    let record = Record::parse(&pipeline);
    let observed = observe::observe(&desired, &record, context).await?;
    let state = assess(&desired, &record, &observed);
    let plan = decide(&desired, &observed, &state);
    let (pipeline, outcome) = match act::act(&pipeline, &desired, &record, plan.action.as_ref(), context).await? {
        Acted::Ended(wake) => return Ok(wake),
        Acted::Went(pipeline, outcome) => (pipeline, outcome),
    };
    let next = report(&record, &Pass { desired: &desired, observed: &observed, state: &state, outcome: &outcome });
    let wake = write(&pipeline, next, outcome.wake(plan.wake), context).await?;
    if let Turn::PassedOver(PassedOver { commit, message, .. }) = &state.turn {
        let told = format!("commit {commit} is not released: {message}");
        status::note(&*pipeline, Reason::PassedOver, &told, context);
    }
    Ok(wake)
}

async fn write(pipeline: &Pipeline, next: PipelineStatus, wake: Wake, context: &Context) -> Result<Wake, Unreachable> {
    Ok(status::write(pipeline, next, api(pipeline, context), context).await?.wake(wake))
}
