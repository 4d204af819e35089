//! A Release that cannot be read is not taken for gone, and nobody but a stage that it holds waits for it.

use super::rows::{World, parsed, recorded, sight, succeeded};
use crate::condition::{find, is_true};
use crate::look::Looked;
use crate::pipeline::heads::{Turn, turn};
use crate::pipeline::{Observed, ReleaseSeen, State, assess};
use crate::reason::ConditionType;
use crate::samples::at;
use crate::samples::release::{granted, images, release};
use crate::target::TargetSeen;
use launchway_crds::Release;
use launchway_crds::condition::Time;
use launchway_crds::pipeline::{Head, PipelineStatus};
use serde_json::{Value, json};

const WHY: &str = "Launchway cannot read status.createdAt";

/// The same Release, when it cannot be read.
fn blurred(release: Release) -> ReleaseSeen {
    let commit = release.spec.commit.map(|commit| commit.0);
    ReleaseSeen::unreadable(&release.metadata, commit, release.spec.number, WHY.to_owned()).unwrap()
}

fn active(number: i64, stages: Value) -> Release {
    release(number, number, json!({"phase": "Active", "images": images(), "stages": stages}))
}

fn status(status: &Value) -> PipelineStatus {
    let mut whole = json!({"observedGeneration": 1});
    whole.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

/// What follows of these Releases, the first of which cannot be read.
fn state(changes: &Value, before: &Value, mut releases: Vec<Release>) -> (State, Observed) {
    let first = blurred(releases.remove(0));
    let mut observed = sight(releases);
    observed.releases.insert(0, first);
    (assess(&parsed(changes), &recorded(&status(before)), &observed), observed)
}

#[test]
fn it_is_not_deleted_and_its_name_and_number_are_not_given_away() {
    let all: Vec<Release> = (1..=5).map(|number| release(number, number, json!({"phase": "Succeeded"}))).collect();
    let (state, mut observed) = state(&json!({"historyLimit": 2}), &json!({}), all);
    assert_eq!(state.surplus.as_deref(), Some("web-2"), "the first cannot be read");
    observed.releases.truncate(1);
    observed.releases[0].owners.clear();
    observed.head = Looked::Seen(Ok("f".repeat(40).into()));
    let turn = turn(&parsed(&json!({})), &recorded(&status(&json!({}))), &observed);
    assert!(matches!(turn, Turn::New(Head { number: 2, .. })), "{turn:?}");
}

#[test]
fn it_is_not_superseded_and_supersedes_nobody() {
    for mode in ["Newest", "Supersede", "Queue"] {
        let changes = json!({"concurrency": {"mode": mode}});
        let newer = release(2, 2, json!({"phase": "Active"}));
        let (state, _) = state(&changes, &json!({}), vec![release(1, 1, json!({"phase": "Active"})), newer]);
        assert!(state.holding.superseded.is_empty(), "{mode}: {:?}", state.holding.superseded);
        assert_eq!(state.holding.building.releases, ["web-2".into()], "{mode}: the newer one is built");
    }
    let (state, _) =
        state(&json!({}), &json!({}), vec![active(3, json!([])), release(2, 2, json!({"phase": "Active"}))]);
    assert!(state.holding.superseded.is_empty(), "{:?}", state.holding.superseded);
}

#[test]
fn what_it_was_told_before_stays_told() {
    let told = json!({"superseded": [{"release": "web-1", "by": "web-2"}]});
    let (state, _) = state(&json!({}), &told, vec![active(1, json!([])), active(2, json!([]))]);
    assert!(state.holding.superseded.iter().any(|one| *one.release == *"web-1"), "{:?}", state.holding.superseded);
}

#[test]
fn a_stage_that_it_holds_stays_its_own_until_that_is_recorded_as_verified() {
    let mut held = json!({"stages": [granted("staging", 5, "web-1")]});
    let all = || vec![release(1, 1, json!({"phase": "Active"})), active(2, json!([]))];
    held["stages"][0]["grant"]["commit"] = json!(all()[0].spec.commit);
    let (before, _) = state(&json!({}), &held, all());
    let holder = |state: &State| state.holding.stages[0].grant.as_ref().map(|grant| grant.release.to_string());
    assert_eq!(holder(&before).as_deref(), Some("web-1"));
    assert_eq!(before.holding.stages[0].waiting.len(), 1, "the newer one waits, and says for whom");
    let grant = held["stages"][0]["grant"].clone();
    held["stages"][0]["verified"] = json!({"release": "web-1", "grant": 5, "commit": grant["commit"],
        "images": grant["images"], "at": grant["since"]});
    let (after, _) = state(&json!({}), &held, all());
    assert_eq!(holder(&after).as_deref(), Some("web-2"));
}

#[test]
fn what_it_was_recorded_to_have_verified_in_every_stage_stands() {
    let mut world = World::new(vec![succeeded(1)]);
    world.pass();
    let since = at(5);
    world.record.stages.iter_mut().for_each(|stage| stage.grant.as_mut().unwrap().since = Time(since));
    world.observed.releases[0] = blurred(succeeded(1));
    world.pass();
    for kind in [ConditionType::Ready, ConditionType::Released] {
        assert!(is_true(&world.record.conditions, kind), "{:?}", world.record.conditions);
    }
}

#[test]
fn the_pipeline_says_which_release_cannot_be_read_and_why() {
    let mut world = World::new(vec![succeeded(1), succeeded(2)]);
    world.observed.releases[1] = blurred(succeeded(2));
    world.pass();
    let stalled = find(&world.record.conditions, ConditionType::Stalled).unwrap();
    assert_eq!(stalled.reason, "Unreadable");
    assert!(stalled.message.contains("web-2") && stalled.message.contains(WHY), "{}", stalled.message);
}

#[test]
fn what_a_target_was_verified_to_run_stands_while_it_cannot_be_read() {
    let mut world = World::new(vec![succeeded(1)]);
    world.pass();
    let before = world.record.clone();
    for target in world.observed.targets.values_mut() {
        *target = Some(TargetSeen::unreadable(WHY.to_owned()));
    }
    world.pass();
    assert_eq!(world.record, before);
}

#[test]
fn one_that_was_made_and_not_recorded_is_adopted() {
    let mut observed = sight(Vec::new());
    observed.releases.push(blurred(release(1, 1, json!({"phase": "Active"}))));
    let desired = parsed(&json!({}));
    observed.releases[0].owners = vec![desired.uid.clone()];
    observed.head = Looked::Seen(Ok(observed.releases[0].commit.clone().into()));
    let turn = turn(&desired, &recorded(&status(&json!({}))), &observed);
    assert!(matches!(&turn, Turn::Adopted(head, Some(_)) if head.number == 1), "{turn:?}");
}
