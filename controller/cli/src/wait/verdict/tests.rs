use super::*;
use crate::samples::{commit, item, pipeline, release, stage};
use serde_json::{Value, json};

const NOTHING: [(&str, &str); 0] = [];

fn look(way: &mut Way, stages: &Value, releases: &[Value]) -> Verdict {
    let releases: Vec<Item<Release>> = releases.iter().map(item).collect();
    way.look(&item(&pipeline(&NOTHING, "R", "m", stages)), &releases)
}

fn way() -> Way {
    Way::of("greeter", &commit('b'))
}

fn proved(name: &str, digit: char) -> Value {
    stage(name, (4, "greeter-2", digit), Some((4, "greeter-2", digit)))
}

#[test]
fn a_commit_is_released_when_every_stage_of_the_spec_is_verified_with_it() {
    let both = json!([proved("staging", 'b'), proved("prod", 'b')]);
    assert_eq!(look(&mut way(), &both, &[]), Verdict::Verified("staging, prod".to_owned()));
    let one = json!([proved("staging", 'b')]);
    assert!(matches!(look(&mut way(), &one, &[]), Verdict::Waits { .. }));
    let mut troubled = both;
    troubled[1]["trouble"] = json!({"reason": "TooFewTasks", "message": "0 of 2"});
    assert!(matches!(look(&mut way(), &troubled, &[]), Verdict::Waits { .. }));
}

#[test]
fn a_newer_commit_in_the_first_stage_does_not_hide_that_ours_went_through() {
    let mut way = way();
    let before = json!([proved("staging", 'b'), proved("prod", 'a')]);
    assert!(matches!(look(&mut way, &before, &[]), Verdict::Waits { .. }));
    let after = json!([proved("staging", 'c'), proved("prod", 'b')]);
    assert_eq!(look(&mut way, &after, &[]), Verdict::Verified("staging, prod".to_owned()));
}

#[test]
fn whoever_begins_to_wait_late_is_told_by_the_releases_own_record() {
    let stages = json!([proved("staging", 'c'), proved("prod", 'b')]);
    let mut through = release(2, 'b', "Succeeded", ["prod", "Succeeded", ""], &NOTHING);
    assert!(matches!(look(&mut way(), &stages, std::slice::from_ref(&through)), Verdict::Waits { .. }));
    through["status"]["stages"] =
        json!([{"name": "staging", "grant": 3, "phase": "Verified", "since": "2026-11-23T08:00:00Z"}]);
    assert!(matches!(look(&mut way(), &stages, &[through]), Verdict::Verified(_)));
}

#[test]
fn a_commit_that_is_passed_over_is_waited_for_no_longer_unless_a_person_releases_it() {
    let look = |commit, releases: &[Value]| {
        let mut pipeline = pipeline(&NOTHING, "R", "m", &json!([]));
        pipeline["metadata"]["generation"] = json!(1);
        pipeline["status"]["passedOver"] = json!([{"commit": commit, "reason": "NoRelevantChange",
            "message": "no file differs", "seenAt": "2026-11-23T08:20:00Z", "judgedBy": "a"}]);
        let releases: Vec<Item<Release>> = releases.iter().map(item).collect();
        way().look(&item(&pipeline), &releases)
    };
    let why = format!("pipeline/greeter: {} is not released: no file differs", short(&commit('b')));
    assert_eq!(look(commit('b'), &[]), Verdict::PassedOver(why));
    assert!(matches!(look(commit('c'), &[]), Verdict::Waits { .. }));
    let mut edited = pipeline(&NOTHING, "R", "m", &json!([]));
    edited["metadata"]["generation"] = json!(2);
    edited["status"]["passedOver"] = json!([{"commit": commit('b'), "reason": "SkipWord", "message": "",
        "seenAt": "2026-11-23T08:20:00Z", "judgedBy": "a"}]);
    assert!(matches!(way().look(&item(&edited), &[]), Verdict::Waits { .. }), "the spec was changed since");
    let by_hand = release(2, 'b', "Active", ["lint", "Checking", "lint runs"], &NOTHING);
    assert!(matches!(look(commit('b'), &[by_hand]), Verdict::Waits { .. }));
}

#[test]
fn a_release_that_ended_otherwise_says_why_and_a_newer_one_of_the_same_commit_counts() {
    let stages = json!([proved("staging", 'a'), proved("prod", 'a')]);
    let failed = release(1, 'b', "Failed", ["build", "BuildFailed", "make: exit 2"], &NOTHING);
    let ended = Verdict::Ended("release/greeter-1 failed at build (BuildFailed): make: exit 2".to_owned());
    assert_eq!(look(&mut way(), &stages, std::slice::from_ref(&failed)), ended);
    let again = release(2, 'b', "Active", ["lint", "Checking", "lint runs"], &NOTHING);
    let waits = Verdict::Waits { at: "release/greeter-2 lint Checking".to_owned(), message: "lint runs".to_owned() };
    assert_eq!(look(&mut way(), &stages, &[again, failed]), waits);
    for (phase, words) in [("Superseded", "was superseded"), ("Cancelled", "was cancelled")] {
        let over = release(1, 'b', phase, ["build", phase, "greeter-2 took its place"], &NOTHING);
        let Verdict::Ended(why) = look(&mut way(), &stages, &[over]) else { panic!("{phase}") };
        assert_eq!(why, format!("release/greeter-1 {words} ({phase}): greeter-2 took its place"));
    }
}

#[test]
fn a_commit_that_never_ran_and_one_that_was_replaced_are_not_released() {
    let stages = json!([proved("staging", 'c'), proved("prod", 'c')]);
    let Verdict::Waits { at, .. } = look(&mut way(), &stages, &[]) else { panic!() };
    assert_eq!(at, "there is no release of bbbbbbbbbbbb yet");
    let mut last_week = release(1, 'b', "Succeeded", ["prod", "Succeeded", ""], &NOTHING);
    last_week["status"]["endedAt"] = json!("2026-11-16T08:00:00Z");
    let Verdict::Ended(why) = look(&mut way(), &stages, &[last_week]) else { panic!() };
    assert_eq!(why, "release/greeter-1 succeeded, and since then prod was given cccccccccccc by release/greeter-2");
}
