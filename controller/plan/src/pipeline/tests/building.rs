//! `spec.concurrency`: who is checked and built, who waits, who gives way.

use super::rows::{parsed, recorded, sight};
use crate::Outcome;
use crate::pipeline::report::{Pass, report};
use crate::pipeline::{Record, assess};
use crate::samples::release::{begun, images, release, stage};
use crate::samples::{COMMIT, at};
use launchway_crds::Release;
use launchway_crds::pipeline::PipelineStatus;
use launchway_crds::release::{ReleasePhase, ReleaseReason};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

fn concurrency(mode: &str, limit: i64) -> Value {
    json!({"concurrency": {"mode": mode, "limit": limit},
        "stages": [{"name": "staging", "targets": [{"service": "web"}]}]})
}

/// A Release that was made, and has not begun.
fn made(number: i64) -> Release {
    release(number, number, json!({"phase": "Active"}))
}

/// One that is being checked or built.
fn runs(number: i64) -> Release {
    Release { status: Some(begun()), ..made(number) }
}

/// One whose image is there.
fn built(number: i64) -> Release {
    release(number, number, json!({"phase": "Active", "images": images()}))
}

fn persons(mut release: Release) -> Release {
    (release.spec.number, release.spec.reason) = (None, ReleaseReason::Manual);
    release
}

/// The same, but it says that it cannot go on.
fn stuck(mut release: Release) -> Release {
    release.status.as_mut().unwrap().conditions = serde_json::from_value(json!([{"type": "Stalled", "status": "True",
        "reason": "AwsRefused", "message": "no project", "lastTransitionTime": crate::samples::time(0)}]))
    .unwrap();
    release
}

#[test]
fn a_release_that_a_person_made_and_that_is_refused_keeps_nobody_from_anything() {
    for mode in ["Newest", "Supersede", "Queue"] {
        let (waits, refused) = (made(1), persons(stuck(made(2))));
        let status = pass(&concurrency(mode, 1), &empty(), vec![waits, refused.clone()]);
        assert!(told(&status).0.contains(&"web-1"), "{mode}: {:?}", told(&status));
        assert!(status.superseded.is_empty(), "{mode}: {:?}", status.superseded);
        let entered = pass(&concurrency(mode, 1), &empty(), vec![refused, built(3)]);
        let holder = entered.stages[0].grant.as_ref().map(|grant| grant.release.to_string());
        assert_eq!(holder.as_deref(), Some("web-3"), "{mode}");
    }
}

fn pass(changes: &Value, status: &PipelineStatus, releases: Vec<Release>) -> PipelineStatus {
    let (desired, observed, record) = (parsed(changes), sight(releases), recorded(status));
    let state = assess(&desired, &record, &observed);
    report(&record, &Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle })
}

/// A Pipeline that has seen its head, and given nothing to anybody.
fn empty() -> PipelineStatus {
    let mut status = Record::empty().status().clone();
    status.heads = vec![crate::pipeline::heads::head("refs/heads/main", COMMIT, 1, at(0))];
    status
}

/// Who builds, and who gives way.
fn told(status: &PipelineStatus) -> (Vec<&str>, Vec<String>) {
    let building = status.building.iter().map(|name| name.as_str()).collect();
    (building, status.superseded.iter().map(|one| format!("{}<{}", one.release, one.by)).collect())
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_build_that_runs_ends_and_of_those_that_wait_only_the_newest_is_built() {
    let newest = concurrency("Newest", 1);
    let status = pass(&newest, &empty(), vec![runs(1), made(2), made(3)]);
    assert_eq!(told(&status), (vec!["web-1"], names(&["web-2<web-3"])));
    let status = pass(&newest, &status, vec![built(1), made(3), made(4)]);
    assert_eq!(told(&status), (vec!["web-4"], names(&["web-3<web-4"])));
    let two = pass(&concurrency("Newest", 2), &empty(), vec![runs(1), made(2), made(3)]);
    assert_eq!(told(&two), (vec!["web-1", "web-3"], names(&["web-2<web-3"])));
}

#[test]
fn a_release_that_is_made_begins_at_once_only_where_the_limit_leaves_room() {
    let has_room = |mode: &str, limit, releases: Vec<Release>| {
        let state = assess(&parsed(&concurrency(mode, limit)), &recorded(&empty()), &sight(releases));
        state.holding.building.has_room
    };
    assert!(!has_room("Newest", 1, vec![runs(1)]) && !has_room("Queue", 2, vec![runs(1), made(2)]));
    assert!(has_room("Newest", 2, vec![runs(1)]) && has_room("Newest", 1, vec![persons(runs(1))]));
    assert!(has_room("Supersede", 1, vec![runs(1)]) && has_room("Newest", 1, vec![built(1)]));
}

#[test]
fn a_newer_commit_stops_the_older_build_where_the_spec_says_supersede() {
    let status = pass(&concurrency("Supersede", 1), &empty(), vec![runs(1), made(2)]);
    assert_eq!(told(&status), (vec!["web-2"], names(&["web-1<web-2"])));
}

#[test]
fn a_queue_builds_every_commit_in_order_and_none_overtakes_another_in_a_stage() {
    let queue = concurrency("Queue", 1);
    let status = pass(&queue, &empty(), vec![made(1), made(2), made(3)]);
    assert_eq!(told(&status), (vec!["web-1"], vec![]));
    let status = pass(&queue, &status, vec![built(1), runs(2), made(3)]);
    assert_eq!(told(&status), (vec!["web-2"], vec![]));
    let two = concurrency("Queue", 2);
    let status = pass(&two, &empty(), vec![runs(1), built(2), made(3)]);
    assert_eq!(told(&status), (vec!["web-1", "web-3"], vec![]));
    assert!(status.stages[0].grant.is_none(), "the older one is not built yet: {:?}", status.stages);
    let waiting = &status.stages[0].waiting[0];
    assert_eq!(&*waiting.release, "web-2");
    assert!(waiting.message.contains("web-1") && waiting.message.contains("kubectl delete"), "{}", waiting.message);
    let status = pass(&two, &status, vec![built(1), built(2), built(3)]);
    assert_eq!(&*status.stages[0].grant.as_ref().unwrap().release, "web-1");
}

#[test]
fn a_release_that_a_person_made_never_gives_way_to_the_branch_and_waits_for_no_build() {
    for mode in ["Newest", "Supersede", "Queue"] {
        let spec = concurrency(mode, 1);
        let status = pass(&spec, &empty(), vec![persons(runs(1)), runs(2), made(3)]);
        assert!(status.superseded.iter().all(|one| *one.release != *"web-1"), "{mode}: {:?}", told(&status));
        let status = pass(&spec, &empty(), vec![persons(built(1)), built(2)]);
        assert_eq!(&*status.stages[0].grant.as_ref().unwrap().release, "web-1", "{mode}: it goes first");
        assert!(status.superseded.is_empty(), "{mode}: {:?}", told(&status));
        let status = pass(&spec, &empty(), vec![persons(runs(1)), built(2)]);
        assert!(status.stages[0].grant.is_none(), "{mode}: the newer commit waits for it");
        assert!(status.stages[0].waiting[0].message.contains("a person made"), "{mode}");
    }
    let newer = pass(&concurrency("Supersede", 1), &empty(), vec![persons(runs(1)), persons(made(2))]);
    assert_eq!(told(&newer).1, ["web-1<web-2"], "a person's newer one takes its place");
}

#[test]
fn of_a_thousand_releases_that_persons_make_at_once_one_begins_and_in_a_queue_as_many_as_the_limit_says() {
    let all: Vec<Release> = (1..=1000).map(|number| persons(made(number))).collect();
    for mode in ["Newest", "Supersede"] {
        let status = pass(&concurrency(mode, 1), &empty(), all.clone());
        let (building, superseded) = told(&status);
        assert_eq!((building, superseded.len()), (vec!["web-1000"], 20), "{mode}");
    }
    let queue = concurrency("Queue", 2);
    let status = pass(&queue, &empty(), all.clone());
    assert_eq!(told(&status), (vec!["web-1", "web-2"], vec![]));
    let mut some = all;
    (some[0], some[1]) = (persons(runs(1)), persons(runs(2)));
    assert_eq!(told(&pass(&queue, &status, some)), (vec![], vec![]), "two run, and nobody else begins");
}

#[test]
fn a_release_that_is_stuck_does_not_keep_the_next_commit_from_being_built() {
    let stuck = stuck(runs(1));
    let newest = pass(&concurrency("Newest", 1), &empty(), vec![stuck.clone(), made(2)]);
    assert_eq!(told(&newest), (vec!["web-2"], names(&["web-1<web-2"])));
    let queue = pass(&concurrency("Queue", 1), &empty(), vec![stuck, made(2)]);
    assert_eq!(told(&queue), (vec!["web-2"], vec![]));
}

#[test]
fn a_release_that_came_to_nothing_takes_no_commit_with_it() {
    for phase in ["Failed", "Cancelled", "Superseded"] {
        let mut over = persons(made(3));
        over.status.as_mut().unwrap().phase = serde_json::from_value(json!(phase)).unwrap();
        let status = pass(&concurrency("Newest", 1), &empty(), vec![runs(1), made(2), over]);
        assert_eq!(told(&status), (vec!["web-1"], vec![]), "{phase}");
    }
}

#[test]
fn a_build_that_runs_is_not_stopped_although_its_release_is_stuck() {
    let mut refused = stuck(runs(1));
    refused.status.as_mut().unwrap().steps[0].phase = launchway_crds::release::StepPhase::Running;
    let status = pass(&concurrency("Newest", 1), &empty(), vec![refused, made(2)]);
    assert_eq!(told(&status), (vec!["web-1"], vec![]));
}

#[test]
fn a_release_that_cannot_go_on_holds_the_pipeline_if_it_goes_first_and_one_that_is_unproved_does_not() {
    let newest = concurrency("Newest", 1);
    let status = pass(&newest, &empty(), vec![stuck(persons(built(1))), built(2)]);
    assert_eq!(&*status.stages[0].grant.as_ref().unwrap().release, "web-1", "it may enter");
    let status = pass(&newest, &empty(), vec![stuck(persons(runs(1))), built(2)]);
    let waiting = &status.stages[0].waiting[0];
    assert_eq!(waiting.what, launchway_crds::pipeline::WaitsFor::Person, "{}", waiting.message);
    assert!(
        waiting.message.contains("cannot go on") && waiting.message.contains("kubectl delete"),
        "{}",
        waiting.message
    );
    for mode in ["Newest", "Queue"] {
        let mut unproved = persons(built(1));
        unproved.status.as_mut().unwrap().stages =
            serde_json::from_value(json!([stage("staging", 5, "Unproved")])).unwrap();
        let mut status = empty();
        status.stages =
            serde_json::from_value(json!([crate::samples::release::granted("staging", 5, "web-1")])).unwrap();
        let next = pass(&concurrency(mode, 1), &status, vec![unproved, built(2)]);
        assert_eq!(&*next.stages[0].grant.as_ref().unwrap().release, "web-2", "{mode}");
    }
}

#[test]
fn a_queue_whose_records_were_lost_does_not_go_through_its_history_again() {
    let lost = Record::empty().status().clone();
    let status = pass(&concurrency("Queue", 1), &lost, vec![made(1), made(2), made(3)]);
    assert_eq!(told(&status), (vec!["web-3"], names(&["web-1<web-3", "web-2<web-3"])));
    // The Pipeline's record is there: what the stage has left behind is not built once more.
    let mut known = empty();
    known.stages = serde_json::from_value(json!([crate::samples::release::granted("staging", 5, "web-3")])).unwrap();
    let status = pass(&concurrency("Queue", 1), &known, vec![made(1), made(2), built(3), made(4)]);
    assert_eq!(told(&status).1, names(&["web-1<web-3", "web-2<web-3"]));
}

#[test]
fn a_release_that_was_made_anew_under_a_name_that_holds_a_stage_has_entered_nothing() {
    let mut status = empty();
    status.stages = serde_json::from_value(json!([crate::samples::release::granted("staging", 5, "web-1")])).unwrap();
    let mut anew = built(1);
    anew.spec.commit = Some(crate::samples::OTHER.into());
    let next = pass(&concurrency("Newest", 1), &status, vec![anew]);
    let grant = next.stages[0].grant.as_ref().unwrap();
    assert_eq!((&*grant.commit, grant.number > 5), (crate::samples::OTHER, true));
    assert!(next.stages[0].verified.is_none());
}

#[test]
fn nobody_is_let_in_while_the_pipeline_is_suspended_and_who_runs_stays_listed() {
    let mut spec = concurrency("Queue", 2);
    spec["suspend"] = json!(true);
    assert_eq!(told(&pass(&spec, &empty(), vec![runs(1), made(2)])), (vec!["web-1"], vec![]));
}

/// What a working day is like: how many commits were released, how many builds were stopped, and how long the slowest of the
/// released ones took, in minutes after its merge.
#[derive(Debug, PartialEq)]
struct Day {
    released: usize,
    stopped: usize,
    slowest: i64,
}

/// Eight hours, a merge every ten minutes; a build takes fifteen, the rollout five.
fn day(mode: &str) -> Day {
    let (minutes, merge, build, rolls) = (480, 10, 15, 5);
    let spec = concurrency(mode, 1);
    let (mut status, mut releases) = (empty(), Vec::<Release>::new());
    let mut since = Vec::<i64>::new();
    let mut day = Day { released: 0, stopped: 0, slowest: 0 };
    for now in 0..minutes {
        if now % merge == 0 {
            let number = now / merge + 1;
            releases.push(release(number, now * 60, json!({"phase": "Active"})));
            since.push(0);
        }
        status = pass(&spec, &status, releases.clone());
        for (one, since) in releases.iter_mut().zip(&mut since) {
            let name = one.metadata.name.clone().unwrap();
            let (made, own) = (one.metadata.creation_timestamp.clone().unwrap().0, one.status.as_mut().unwrap());
            if own.phase != Some(ReleasePhase::Active) {
                continue;
            }
            let grant = status.stages.iter().filter_map(|stage| stage.grant.as_ref());
            let grant = grant.filter(|grant| *grant.release == *name).map(|grant| grant.number).next();
            if status.superseded.iter().any(|gone| *gone.release == *name) {
                day.stopped += usize::from(own.plan.is_some() && own.images.is_empty());
                own.phase = Some(ReleasePhase::Superseded);
            } else if own.plan.is_none() && status.building.iter().any(|one| **one == *name) {
                (own.plan, *since) = (begun().plan, now);
            } else if own.plan.is_some() && own.images.is_empty() && now - *since >= build {
                own.images = serde_json::from_value(images()).unwrap();
            } else if let Some(grant) = grant.filter(|_| own.stages.is_empty()) {
                (own.stages, *since) =
                    (serde_json::from_value(json!([stage("staging", grant, "Rolling")])).unwrap(), now);
            } else if !own.stages.is_empty() && now - *since >= rolls {
                own.stages[0].phase = launchway_crds::release::StagePhase::Verified;
                own.phase = Some(ReleasePhase::Succeeded);
                day.released += 1;
                day.slowest = day.slowest.max(now - (made.as_second() - at(0).as_second()) / 60);
            }
        }
    }
    day
}

/// The figures stand in `docs/pipelines.md`, as the reason for the default.
#[test]
fn merges_every_ten_minutes_and_builds_of_fifteen_are_released_all_day_by_newest_and_not_by_supersede() {
    assert_eq!(day("Newest"), Day { released: 29, stopped: 0, slowest: 29 });
    assert_eq!(day("Supersede"), Day { released: 0, stopped: 47, slowest: 0 });
    assert_eq!(day("Queue"), Day { released: 29, stopped: 0, slowest: 189 });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_more_are_built_than_may_be_and_nobody_of_the_branch_waits_for_ever(
        kinds in vec((0..4u8, any::<bool>()), 1..8), limit in 1..4i64, mode in 0..3usize,
    ) {
        let mode = ["Newest", "Supersede", "Queue"][mode];
        let of = |(index, (kind, person)): (usize, &(u8, bool))| {
            let number = i64::try_from(index).unwrap() + 1;
            let one = match kind { 0 => made(number), 1 => runs(number), 2 => built(number), _ => {
                let mut over = built(number);
                over.status.as_mut().unwrap().phase = Some(ReleasePhase::Failed);
                over
            } };
            if *person { persons(one) } else { one }
        };
        let releases: Vec<Release> = kinds.iter().enumerate().map(of).collect();
        let limit = if mode == "Supersede" { 1 } else { limit };
        let status = pass(&concurrency(mode, limit), &empty(), releases.clone());
        let again = pass(&concurrency(mode, limit), &status, releases.clone());
        prop_assert_eq!(&again.building, &status.building, "the same sight changes nothing");
        prop_assert_eq!(&again.superseded, &status.superseded);
        let is = |name: &str, begun: bool| releases.iter().any(|one| one.metadata.name.as_deref() == Some(name)
            && one.spec.number.is_some() && one.status.as_ref().unwrap().plan.is_some() == begun);
        let entered = status.building.iter().filter(|name| is(name, false)).count();
        let running = status.building.iter().filter(|name| is(name, true)).count();
        prop_assert!(mode == "Supersede" || entered == 0 || entered + running <= usize::try_from(limit).unwrap());
        for one in &status.superseded {
            let find = |name: &str| releases.iter().find(|other| other.metadata.name.as_deref() == Some(name)).unwrap();
            let (gone, by) = (find(&one.release), find(&one.by));
            prop_assert!(gone.spec.number.is_some() || by.spec.number.is_none(), "a person's gives way to a person's: {one:?}");
            prop_assert!(mode != "Queue", "{one:?}");
        }
        // With nothing running, somebody who waits is let in.
        let waits = releases.iter().any(|one| {
            let name = one.metadata.name.as_deref().unwrap();
            let own = one.status.as_ref().unwrap();
            one.spec.number.is_some() && own.plan.is_none() && own.images.is_empty()
                && own.phase == Some(ReleasePhase::Active)
                && status.superseded.iter().all(|gone| *gone.release != *name)
        });
        prop_assert!(!waits || !status.building.is_empty());
        // Nobody begins who gives way.
        prop_assert!(status.building.iter().all(|name| status.superseded.iter().all(|gone| gone.release != *name)));
    }
}
