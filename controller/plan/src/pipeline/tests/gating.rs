//! Gates: the newest Release whose gates are all open enters, and only then are strictly older ones superseded.

use super::rows::{parsed, recorded, sight};
use crate::condition::{find, is_true};
use crate::pipeline::gates::{Asked, Closed, Gate, gates};
use crate::pipeline::report::{Pass, report};
use crate::pipeline::stages::{Holding, hold_with};
use crate::pipeline::state::Course;
use crate::pipeline::{Record, assess, decide};
use crate::reason::{ConditionType, Reason};
use crate::samples::release::{granted, images, release, stage};
use crate::samples::{at, time};
use crate::wake::Wake;
use crate::{Outcome, pipeline::state::State};
use launchway_crds::Release;
use launchway_crds::pipeline::{PipelineStatus, WaitsFor};
use launchway_crds::release::ReleasePhase;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn built(number: i64, stages: &Value) -> Release {
    release(number, number, json!({"phase": "Active", "images": images(), "stages": stages}))
}

fn closed(waits_for: WaitsFor, opens: Option<i64>) -> Gate {
    let reason = Reason::WaitingForStage;
    Gate::Closed(Closed { waits_for, reason, since: at(0), opens: opens.map(at), how: "wait".into() })
}

/// The Release that holds the first stage, those that wait for it, and those that are superseded.
fn told(holding: &Holding) -> (Option<String>, Vec<String>, Vec<String>) {
    let stage = holding.stages.first();
    let holder = stage.and_then(|stage| stage.grant.as_ref()).map(|grant| grant.release.to_string());
    let waiting = stage.into_iter().flat_map(|stage| &stage.waiting).map(|one| one.release.to_string()).collect();
    let superseded = holding.superseded.iter().map(|one| format!("{}<{}", one.release, one.by)).collect();
    (holder, waiting, superseded)
}

#[test]
fn an_older_release_may_enter_while_a_newer_one_waits_at_its_gates() {
    let observed = sight((1..=3).map(|number| built(number, &json!([]))).collect());
    let soak = |asked: &Asked<'_>| match asked.release.name.as_str() {
        "web-3" => vec![Gate::Open, closed(WaitsFor::Time, Some(600)), closed(WaitsFor::Time, Some(60))],
        _ => vec![Gate::Open],
    };
    let holding = hold_with(&parsed(&json!({})), &Record::empty(), &observed, None, &soak);
    let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(told(&holding), (Some("web-2".into()), names(&["web-3"]), names(&["web-1<web-2"])));
    let waiting = &holding.stages[0].waiting[0];
    assert_eq!(waiting.opens.as_ref().map(|opens| opens.0), Some(at(600)), "it enters when the last gate opens");
    assert_eq!(holding.wake(at(10)), Wake::After(51), "a pass comes when the first gate opens");
}

#[test]
fn a_release_that_waits_for_a_person_holds_the_pipeline_and_one_that_waits_for_another_does_not() {
    let waiting = |waits_for: &str| {
        json!([{"name": "staging", "waiting": [{"release": "web-1", "for": waits_for, "reason": "WaitingForStage",
            "message": "so it is", "since": time(0)}]}])
    };
    for (waits_for, held) in [("Person", true), ("Time", true), ("Release", false), ("Correction", false)] {
        let (desired, observed) = (parsed(&json!({})), sight(vec![built(1, &json!([stage("staging", 4, "Rolling")]))]));
        let mut state = assess(&desired, &Record::empty(), &observed);
        state.holding.stages = serde_json::from_value(waiting(waits_for)).unwrap();
        let course = crate::pipeline::state::course(&observed, &state.holding);
        assert_eq!(matches!(course, Course::Held(_)), held, "{waits_for}: {course:?}");
        let state = State { course, ..state };
        let record = Record::empty();
        let pass = Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle };
        let next = report(&record, &pass);
        assert_eq!(
            (is_true(&next.conditions, ConditionType::Held), is_true(&next.conditions, ConditionType::Ready)),
            (held, held)
        );
        assert_eq!(find(&next.conditions, ConditionType::Released).unwrap().status, "Unknown");
        let message = &next.summary.as_ref().unwrap().message;
        assert_eq!(message.contains("waiting for stage staging since"), held, "{message}");
    }
}

#[test]
fn no_release_judges_a_stage_that_is_held_or_was_rolled_back() {
    let status = |reason: &str| {
        let mut stage = granted("staging", 5, "web-1");
        stage["grant"]["reason"] = reason.into();
        serde_json::from_value::<PipelineStatus>(json!({"stages": [stage]})).unwrap()
    };
    let releases = || vec![built(1, &json!([])), built(2, &json!([]))];
    let after = |reason: &str| {
        let (desired, observed) = (parsed(&json!({})), sight(releases()));
        assess(&desired, &recorded(&status(reason)), &observed).holding
    };
    assert_eq!(told(&after("Rollback")).0.as_deref(), Some("web-2"), "what comes after a roll-back enters");
    let held = after("Hold");
    assert_eq!((told(&held).0.as_deref(), held.stages[0].waiting[0].what), (Some("web-1"), WaitsFor::Person));
}

#[test]
fn a_suspended_pipeline_waits_for_a_change_and_a_closed_gate_is_looked_at_when_it_opens() {
    let desired = parsed(&json!({"suspend": true}));
    let observed = sight(vec![built(1, &json!([]))]);
    let state = assess(&desired, &Record::empty(), &observed);
    assert_eq!(decide(&desired, &observed, &state).wake, Wake::OnChange);
    let desired = parsed(&json!({}));
    let head = json!({"ref": "refs/heads/main", "commit": crate::samples::COMMIT, "number": 1, "seenAt": time(0)});
    let known = serde_json::from_value(json!({"heads": [head]})).unwrap();
    let mut state = assess(&desired, &recorded(&known), &observed);
    state.holding.opens = Some(at(30));
    assert_eq!(decide(&desired, &observed, &state).wake, Wake::After(21), "sooner than the next poll");
}

/// The gates of a Release in one pass, in addition to the real ones.
fn extra() -> impl Strategy<Value = Vec<Gate>> {
    let gate = prop_oneof![
        3 => Just(Gate::Open),
        1 => Just(closed(WaitsFor::Person, None)),
        1 => (20..90i64).prop_map(|second| closed(WaitsFor::Time, Some(second))),
    ];
    vec(gate, 0..3)
}

/// One pass: the gates of each Release, and what the Release in the stage comes to after it.
fn step() -> impl Strategy<Value = (Vec<Vec<Gate>>, &'static str)> {
    (vec(extra(), 5), prop_oneof![Just("Rolling"), Just("Verified"), Just("Failed")])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_release_whose_gates_are_open_enters_only_older_ones_are_superseded_and_no_grant_falls(
        steps in vec(step(), 1..12), count in 1..=5usize,
    ) {
        let stages = json!({"stages": [{"name": "staging", "targets": [{"service": "web"}]}]});
        let desired = parsed(&stages);
        let mut releases: Vec<Release> = (0..count).map(|number| built(number as i64, &json!([]))).collect();
        let mut status = Record::empty().status().clone();
        for (gate, becomes) in steps {
            let observed = sight(releases.clone());
            let index = |name: &str| observed.releases.iter().position(|one| one.name == name).unwrap();
            let extra = gate.clone();
            let numbered = move |asked: &Asked<'_>| {
                let index = usize::try_from(asked.release.number.unwrap()).unwrap();
                extra[index].iter().cloned().chain(gates(asked)).collect()
            };
            let holding = hold_with(&desired, &recorded(&status), &observed, None, &numbered);
            let before = status.stages.first().and_then(|stage| stage.grant.clone());
            let now = holding.stages.first().and_then(|stage| stage.grant.clone());
            let (_, waiting, _) = told(&holding);

            let gone: BTreeSet<&str> = status.superseded.iter().map(|one| one.release.as_str()).collect();
            let last = before.as_ref().map(|grant| index(&grant.release));
            let busy = last.is_some_and(|last| {
                let one = &observed.releases[last];
                !one.ended() && one.stage("staging").is_none_or(|own| own.phase == launchway_crds::release::StagePhase::Rolling)
            });
            let eligible: Vec<usize> = (0..count)
                .filter(|one| !observed.releases[*one].ended() && !gone.contains(observed.releases[*one].name.as_str()))
                .filter(|one| last.is_none_or(|last| *one > last))
                .collect();
            let open = |one: &usize| !busy && gate[*one].iter().all(|gate| *gate == Gate::Open);
            let enters = eligible.iter().copied().rev().find(open);
            prop_assert_eq!(now.as_ref().map(|grant| index(&grant.release)), enters.or(last), "the newest that is let in enters");
            if let (Some(before), Some(now)) = (&before, &now) {
                prop_assert!(now.number >= before.number && (now.number == before.number) == enters.is_none());
            }
            for one in &holding.superseded {
                prop_assert!(index(&one.release) < index(&one.by), "{one:?}");
                prop_assert!(now.is_some(), "nobody gives way before somebody has entered");
            }
            for one in eligible {
                let name = observed.releases[one].name.as_str();
                let fate = [
                    enters == Some(one),
                    waiting.iter().any(|other| other == name),
                    holding.superseded.iter().any(|other| *other.release == *name),
                ];
                prop_assert_eq!(fate.iter().filter(|is| **is).count(), 1, "{} {:?}", name, fate);
                prop_assert!(!fate[2] || enters.is_some(), "who is overtaken is overtaken by one that enters");
            }
            let soonest = waiting.iter().flat_map(|name| &gate[index(name)]).filter_map(|gate| match gate {
                Gate::Closed(closed) => closed.opens,
                Gate::Open => None,
            });
            prop_assert_eq!(holding.opens, soonest.min());
            status.stages = holding.stages;
            status.superseded = holding.superseded;
            follow(&mut releases, &status, becomes);
        }
    }
}

/// What the Releases do after the pass: superseded ones end, and the one that holds the stage reaches the given phase.
fn follow(releases: &mut [Release], status: &PipelineStatus, becomes: &str) {
    let grant = status.stages.first().and_then(|stage| stage.grant.clone());
    for one in releases {
        let name = one.metadata.name.clone().unwrap();
        let own = one.status.as_mut().unwrap();
        if own.phase == Some(ReleasePhase::Active) && status.superseded.iter().any(|one| *one.release == *name) {
            own.phase = Some(ReleasePhase::Superseded);
        }
        if let Some(grant) = grant.as_ref().filter(|grant| *grant.release == *name)
            && own.phase == Some(ReleasePhase::Active)
        {
            own.stages = serde_json::from_value(json!([stage("staging", grant.number, becomes)])).unwrap();
            own.phase = match becomes {
                "Rolling" => Some(ReleasePhase::Active),
                "Verified" => Some(ReleasePhase::Succeeded),
                _ => Some(ReleasePhase::Failed),
            };
        }
    }
}
