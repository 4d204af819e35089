//! Stages: the newest Release that may enter does, older ones are superseded, a rollout is never interrupted, and the
//! number of a grant never falls.

use super::rows::{parsed, recorded, sight};
use crate::Outcome;
use crate::condition::find;
use crate::pipeline::report::{Pass, report};
use crate::pipeline::{Record, assess};
use crate::reason::ConditionType;
use crate::samples::at;
use crate::samples::release::{granted, images, release, stage};
use launchway_crds::Release;
use launchway_crds::pipeline::PipelineStatus;
use launchway_crds::release::{ReleasePhase, StagePhase};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn built(number: i64, stages: Value) -> Release {
    release(number, number, json!({"phase": "Active", "images": images(), "stages": stages}))
}

fn holding(stages: Value) -> PipelineStatus {
    serde_json::from_value(json!({"observedGeneration": 1, "stages": stages})).unwrap()
}

fn hold(status: &PipelineStatus, releases: Vec<Release>) -> PipelineStatus {
    hold_with(&json!({}), status, releases)
}

fn hold_with(changes: &Value, status: &PipelineStatus, releases: Vec<Release>) -> PipelineStatus {
    let (desired, observed, record) = (parsed(changes), sight(releases), recorded(status));
    let state = assess(&desired, &record, &observed);
    let outcome = Outcome::Idle;
    report(&record, &Pass { desired: &desired, observed: &observed, state: &state, outcome: &outcome })
}

fn empty() -> PipelineStatus {
    Record::empty().status().clone()
}

/// The Release that holds the stage of that index, and its grant.
fn holder(status: &PipelineStatus, stage: usize) -> (&str, i64) {
    let grant = status.stages[stage].grant.as_ref().unwrap();
    (&grant.release, grant.number)
}

/// Which Release waits for which stage, and why.
fn waits(status: &PipelineStatus) -> Vec<String> {
    let of = |stage: &launchway_crds::pipeline::StageStatus| {
        let all = stage.waiting.iter().map(|one| format!("{} {} {}", stage.name, one.release, one.reason));
        all.collect::<Vec<_>>()
    };
    status.stages.iter().flat_map(of).collect()
}

fn superseded(status: &PipelineStatus) -> Vec<String> {
    status.superseded.iter().map(|one| format!("{}<{}", one.release, one.by)).collect()
}

#[test]
fn the_newest_release_that_reached_the_stage_enters_and_only_then_older_ones_are_superseded() {
    let busy = holding(json!([granted("staging", 5, "web-1")]));
    let rolling = || built(1, json!([stage("staging", 5, "Rolling")]));
    let waiting = vec![rolling(), built(2, json!([])), built(3, json!([]))];
    let next = hold(&busy, waiting);
    assert_eq!(holder(&next, 0), ("web-1", 5), "a rollout is not cut off");
    assert!(next.superseded.is_empty(), "{:?}", superseded(&next));
    assert_eq!(waits(&next), ["staging web-2 WaitingForStage", "staging web-3 WaitingForStage"]);
    let done = built(1, json!([stage("staging", 5, "Verified")]));
    let next = hold(&busy, vec![done, built(2, json!([])), built(3, json!([]))]);
    assert!(matches!(holder(&next, 0), ("web-3", 6..)), "{:?}", holder(&next, 0));
    let verified = next.stages[0].verified.as_ref().unwrap();
    assert_eq!((verified.grant, &*verified.images[0].name), (5, "web"));
    assert_eq!(holder(&next, 1).0, "web-1", "what left staging enters prod");
    assert!(waits(&next).is_empty(), "{:?}", waits(&next));
    assert_eq!(superseded(&next), ["web-2<web-3"]);
}

#[test]
fn a_newer_release_supersedes_older_builds_but_not_older_rollouts() {
    let building = release(1, 1, json!({"phase": "Active"}));
    let rolling = built(2, json!([stage("staging", 5, "Rolling")]));
    let status = holding(json!([granted("staging", 5, "web-2")]));
    let supersede = json!({"concurrency": {"mode": "Supersede"}});
    let next = hold_with(&supersede, &status, vec![building, rolling, release(3, 3, json!({"phase": "Active"}))]);
    assert_eq!(superseded(&next), ["web-1<web-3"]);
    assert_eq!(holder(&next, 0).0, "web-2");
}

#[test]
fn a_superseded_release_stays_superseded_although_a_stale_list_lacks_the_newer_one() {
    let mut status = holding(json!([]));
    status.superseded = serde_json::from_value(json!([{"release": "web-1", "by": "web-2"}])).unwrap();
    let next = hold(&status, vec![release(1, 1, json!({"phase": "Active"}))]);
    assert_eq!(superseded(&next), ["web-1<web-2"]);
    let next =
        hold(&status, vec![release(1, 1, json!({"phase": "Superseded"})), release(2, 2, json!({"phase": "Active"}))]);
    assert!(next.superseded.is_empty(), "it has ended: {:?}", superseded(&next));
}

#[test]
fn an_older_release_never_enters_after_a_newer_one_and_a_persons_release_of_an_old_commit_does() {
    let mut failed = built(3, json!([stage("staging", 5, "Failed")]));
    failed.status.as_mut().unwrap().phase = Some(ReleasePhase::Failed);
    let status = holding(json!([granted("staging", 5, "web-3")]));
    let next = hold(&status, vec![failed.clone(), built(2, json!([]))]);
    assert_eq!((holder(&next, 0).0, superseded(&next)), ("web-3", vec!["web-2<web-3".to_owned()]));
    let mut manual = built(9, json!([]));
    (manual.spec.number, manual.spec.reason) = (None, launchway_crds::release::ReleaseReason::Manual);
    manual.metadata.name = Some("back".into());
    let next = hold(&status, vec![failed, manual]);
    assert_eq!(holder(&next, 0).0, "back");
}

#[test]
fn no_release_enters_or_is_superseded_while_the_pipeline_is_suspended_or_refused() {
    let mut status = holding(json!([]));
    let releases = || vec![release(1, 1, json!({"phase": "Active"})), built(2, json!([])), built(3, json!([]))];
    for (changes, reason) in [(json!({"suspend": true}), "Suspended"), (json!({"region": "eu-west-1"}), "NotAllowed")] {
        let next = hold_with(&changes, &status, releases());
        assert!(next.stages[0].grant.is_none() && next.superseded.is_empty());
        assert_eq!(waits(&next), [format!("staging web-2 {reason}"), format!("staging web-3 {reason}")]);
        let again = hold_with(&changes, &next, releases());
        assert_eq!(again, next, "why it waits, and since when, is written once");
    }
    status.superseded = serde_json::from_value(json!([{"release": "web-1", "by": "web-2"}])).unwrap();
    let next = hold_with(&json!({"suspend": true}), &status, releases());
    assert_eq!(superseded(&next), ["web-1<web-2"], "what was told stays told");
}

#[test]
fn a_wiped_status_is_rebuilt_from_the_releases_and_a_new_grant_is_above_all_that_were_given() {
    let known = built(4, json!([stage("staging", 7, "Rolling")]));
    let next = hold(&empty(), vec![known]);
    assert_eq!(holder(&next, 0), ("web-4", 7));
    let next = hold(&empty(), vec![built(1, json!([]))]);
    assert!(holder(&next, 0).1 >= at(0).as_second(), "an unknown grant was given before now");
}

/// One thing that happens to a Pipeline.
#[derive(Clone, Debug)]
enum Event {
    Made,
    Built(usize),
    Advances(usize),
    Fails(usize),
    Deleted(usize),
    Wiped,
    Suspended(bool),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Made),
        4 => (0..6usize).prop_map(Event::Built),
        6 => (0..6usize).prop_map(Event::Advances),
        1 => (0..6usize).prop_map(Event::Fails),
        1 => (0..6usize).prop_map(Event::Deleted),
        1 => Just(Event::Wiped),
        1 => any::<bool>().prop_map(Event::Suspended),
    ]
}

/// A Release records its grant, or ends.
fn advance(release: &mut Release, status: &PipelineStatus, phase: StagePhase) {
    let name = release.metadata.name.clone().unwrap();
    let own = release.status.as_mut().unwrap();
    if own.phase != Some(ReleasePhase::Active) {
        return;
    }
    if status.superseded.iter().any(|one| *one.release == *name) {
        own.phase = Some(ReleasePhase::Superseded);
    }
    let granted = status.stages.iter().filter_map(|stage| Some((&stage.name, stage.grant.as_ref()?)));
    for (granted, grant) in granted.filter(|(_, grant)| *grant.release == *name) {
        let record = own.stages.iter().find(|one| one.name == *granted);
        if record.is_some_and(|record| record.phase == StagePhase::Verified) {
            continue;
        }
        own.stages.retain(|one| one.name != *granted);
        let mut record: launchway_crds::release::StageRecord =
            serde_json::from_value(stage(granted, grant.number, "Rolling")).unwrap();
        record.phase = phase;
        own.stages.push(record);
        if phase == StagePhase::Failed {
            own.phase = Some(ReleasePhase::Failed);
        } else if **granted == *"prod" {
            own.phase = Some(ReleasePhase::Succeeded);
        }
        return;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_grant_never_falls_and_a_holder_at_work_is_never_replaced(events in vec(event(), 1..60)) {
        let (mut status, mut releases, mut made) = (empty(), Vec::<Release>::new(), 0);
        let mut suspended = false;
        let mut given: BTreeMap<(String, i64), String> = BTreeMap::new();
        for (second, event) in events.into_iter().enumerate() {
            let count = releases.len().max(1);
            match event {
                Event::Made => {
                    made += 1;
                    releases.push(release(made, made, json!({"phase": "Active"})));
                }
                Event::Built(index) => if let Some(one) = releases.get_mut(index % count) {
                    let status = one.status.as_mut().unwrap();
                    status.images = serde_json::from_value(images()).unwrap();
                },
                Event::Advances(index) => if let Some(one) = releases.get_mut(index % count) {
                    advance(one, &status, StagePhase::Verified);
                },
                Event::Fails(index) => if let Some(one) = releases.get_mut(index % count) {
                    advance(one, &status, StagePhase::Failed);
                },
                Event::Deleted(index) => if index < releases.len() {
                    releases.remove(index);
                },
                Event::Wiped => status = empty(),
                Event::Suspended(now) => suspended = now,
            }
            let (desired, mut observed) = (parsed(&json!({"suspend": suspended})), sight(releases.clone()));
            observed.at = at(second as i64 + 1);
            let record = recorded(&status);
            let state = assess(&desired, &record, &observed);
            let pass = Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle };
            let before = status.clone();
            status = report(&record, &pass);
            for (stage, grant) in status.stages.iter().filter_map(|stage| Some((stage, stage.grant.as_ref()?))) {
                let key = (stage.name.to_string(), grant.number);
                let holder = given.entry(key).or_insert_with(|| grant.release.to_string());
                prop_assert!(*grant.release == **holder, "one grant, two Releases");
                // After the status was wiped and Releases were deleted, nothing is known of earlier grants.
                let last = before.stages.iter().find(|one| one.name == stage.name).and_then(|one| one.grant.as_ref());
                prop_assert!(last.is_none_or(|last| last.number <= grant.number), "{stage:?} {last:?}");
                if let Some(last) = last.filter(|last| last.release != grant.release) {
                    let holder = observed.releases.iter().find(|one| one.name == *last.release);
                    let at_stage = holder.is_some_and(|one| {
                        !one.ended() && one.stage(&stage.name).is_none_or(|own| own.phase == StagePhase::Rolling)
                    });
                    prop_assert!(!at_stage, "cut off: {last:?}");
                }
            }
            // If a head is adopted, that takes one more pass. After that, passes that see the same change nothing.
            for turn in 0..3 {
                let (record, again) = (recorded(&status), assess(&desired, &recorded(&status), &observed));
                let next = report(&record, &Pass { state: &again, ..pass });
                prop_assert!(turn == 0 || next == status);
                status = next;
            }
            prop_assert!(find(&status.conditions, ConditionType::Reconciling).is_none() || find(&status.conditions, ConditionType::Stalled).is_none());
            prop_assert!(serde_json::to_vec(&status).unwrap().len() <= 32 * 1024);
        }
    }
}
