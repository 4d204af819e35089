//! Stages: a Release judges a stage by its own grant, as the targets echo it, and by the verifications.

use crate::Outcome;
use crate::condition::{find, is_true};
use crate::reason::ConditionType;
use crate::release::report::{Pass, report};
use crate::release::stages::StageState;
use crate::release::state::{Course, End};
use crate::release::{Desired, Observed, Record, assess};
use crate::samples::at;
use crate::samples::release::{begun, granted, images, release, sight};
use crate::target::TargetSeen;
use launchway_crds::release::{ReleasePhase, ReleaseStatus, StagePhase, StepPhase};
use launchway_crds::service::RolloutOutcome;
use launchway_crds::service::RolloutStatus;
use serde_json::{Value, json};

fn built() -> ReleaseStatus {
    let mut record = ReleaseStatus { images: serde_json::from_value(images()).unwrap(), ..begun() };
    record.steps.iter_mut().for_each(|step| step.phase = StepPhase::Succeeded);
    record
}

fn rollout(stage: &str, grant: i64, phase: &str, reason: Option<&str>) -> RolloutStatus {
    let rollout = json!({"grant": grant, "source": format!("web/{stage}"), "generation": 1, "meaning": "v1-a",
        "phase": phase, "reason": reason, "startedAt": crate::samples::time(0)});
    serde_json::from_value(rollout).unwrap()
}

fn saw(second: i64, stages: &Value, service: &str, target: Option<TargetSeen>) -> Observed {
    let mut observed = sight(second, &json!({}), json!({"stages": stages}));
    let stage = if service == "web-staging" { "staging" } else { "prod" };
    let follows = |seen: TargetSeen| TargetSeen { follows: seen.follows.or(Some(format!("web/{stage}"))), ..seen };
    observed.targets.insert(service.to_owned(), target.map(follows));
    observed
}

fn seen(rollout: Option<RolloutStatus>) -> Option<TargetSeen> {
    Some(TargetSeen { follows: None, rollout, stalled: None, unproved: None, takes: Vec::new(), unreadable: None })
}

fn step(record: &mut ReleaseStatus, observed: &Observed) -> Course {
    let mut release = release(1, 0, Value::Null);
    release.status = Some(record.clone());
    let desired = Desired::parse(&release).unwrap();
    let state = assess(&desired, &Record::parse(&release), observed);
    let outcome = Outcome::Idle;
    *record = report(record, &Pass { desired: &desired, observed, state: &state, action: None, outcome: &outcome });
    state.course
}

fn stage(course: &Course) -> &StageState {
    let Course::AtStage { state, .. } = course else { panic!("not at a stage: {course:?}") };
    state
}

#[test]
fn a_release_goes_through_its_stages_and_is_verified_only_by_its_own_grants() {
    let mut record = built();
    let staging = json!([granted("staging", 5, "web-1")]);
    for old in [None, Some(rollout("staging", 4, "Done", None)), Some(rollout("prod", 5, "Done", None))] {
        let course = step(&mut record, &saw(1, &staging, "web-staging", seen(old)));
        assert!(matches!(stage(&course), StageState::Rolling(_)), "{course:?}");
    }
    let done = saw(2, &staging, "web-staging", seen(Some(rollout("staging", 5, "Done", None))));
    assert_eq!(stage(&step(&mut record, &done)), &StageState::Deployed);
    assert!(matches!(stage(&step(&mut record, &done)), StageState::Verifying(_)), "not before it was asked");
    let mut well = done.clone();
    well.verifications.insert("health".into(), Ok(()));
    assert_eq!(stage(&step(&mut record, &well)), &StageState::Verified);
    assert!(matches!(stage(&step(&mut record, &well)), StageState::Waiting(_)), "prod is not granted");
    let both = json!([granted("staging", 5, "web-1"), granted("prod", 7, "web-1")]);
    let prod = saw(9, &both, "web", seen(Some(rollout("prod", 7, "Done", None))));
    assert_eq!(stage(&step(&mut record, &prod)), &StageState::Verified);
    assert_eq!(step(&mut record, &prod), Course::Over(End::Succeeded));
    assert_eq!(record.phase, Some(ReleasePhase::Succeeded));
    let kinds = [
        ConditionType::Ready,
        ConditionType::ChecksPassed,
        ConditionType::Built,
        ConditionType::Deployed,
        ConditionType::Verified,
    ];
    assert!(kinds.iter().all(|kind| is_true(&record.conditions, *kind)), "{:?}", record.conditions);
    let before = record.clone();
    step(&mut record, &prod);
    assert_eq!(record, before);
}

#[test]
fn a_failed_target_fails_the_release_with_its_reason() {
    let mut record = built();
    let staging = json!([granted("staging", 5, "web-1")]);
    let mut failed = rollout("staging", 5, "Failed", Some("ECS rolled it back: tasks failed to start"));
    failed.outcome = Some(RolloutOutcome::RolledBack);
    step(&mut record, &saw(1, &staging, "web-staging", seen(None)));
    step(&mut record, &saw(1, &staging, "web-staging", seen(Some(failed))));
    assert_eq!((record.phase, record.stages[0].phase), (Some(ReleasePhase::Failed), StagePhase::Failed));
    let deployed = find(&record.conditions, ConditionType::Deployed).unwrap();
    assert_eq!((deployed.status.as_str(), deployed.reason.as_str()), ("False", "RolledBack"));
    assert!(is_true(&record.conditions, ConditionType::Stalled));
}

#[test]
fn a_verification_that_does_not_pass_in_time_fails_the_stage_and_its_message_hides_the_query() {
    let mut record = built();
    let staging = json!([granted("staging", 5, "web-1")]);
    let done = saw(2, &staging, "web-staging", seen(Some(rollout("staging", 5, "Done", None))));
    step(&mut record, &done);
    let mut bad = Observed { at: at(301), ..done.clone() };
    bad.verifications.insert("health".into(), Err("answered status 503, not 200".into()));
    assert!(matches!(stage(&step(&mut record, &bad)), StageState::Verifying(_)));
    bad.at = at(303);
    step(&mut record, &bad);
    let told = find(&record.conditions, ConditionType::Verified).unwrap();
    assert_eq!((told.status.as_str(), told.reason.as_str()), ("False", "VerificationFailed"));
    assert!(told.message.contains("503") && !told.message.contains("query-secret"), "{}", told.message);
    assert!(!is_true(&record.conditions, ConditionType::Deployed));
}

#[test]
fn what_a_service_says_of_its_last_grant_does_not_stall_the_release_at_once() {
    let mut record = built();
    let staging = json!([granted("staging", 5, "web-1")]);
    let old = || {
        let rollout = rollout("staging", 4, "Failed", Some("ECS rolled it back"));
        Some(TargetSeen {
            follows: None,
            rollout: Some(rollout),
            stalled: Some("ECS rolled it back".into()),
            unproved: None,
            takes: Vec::new(),
            unreadable: None,
        })
    };
    assert!(matches!(stage(&step(&mut record, &saw(105, &staging, "web-staging", old()))), StageState::Rolling(_)));
    assert!(matches!(stage(&step(&mut record, &saw(190, &staging, "web-staging", old()))), StageState::Stuck(..)));
    assert!(is_true(&record.conditions, ConditionType::Stalled));
}

#[test]
fn a_missing_target_stalls_the_release_and_one_that_rolls_again_while_verifying_is_waited_for() {
    let mut record = built();
    let staging = json!([granted("staging", 5, "web-1")]);
    let course = step(&mut record, &saw(1, &staging, "web-staging", None));
    assert!(matches!(stage(&course), StageState::Stuck(_, why) if why.contains("no Service web-staging")));
    step(&mut record, &saw(2, &staging, "web-staging", seen(Some(rollout("staging", 5, "Done", None)))));
    assert_eq!(record.stages[0].phase, StagePhase::Verifying);
    step(&mut record, &saw(3, &staging, "web-staging", seen(Some(rollout("staging", 5, "Rolling", None)))));
    assert_eq!((record.stages[0].phase, &record.stages[0].deployed_at), (StagePhase::Rolling, &None));
}

#[test]
fn a_target_that_hangs_or_takes_its_image_from_elsewhere_stalls_the_release_and_says_so() {
    let mut record = built();
    let staging = json!([granted("staging", 5, "web-1")]);
    let rolling = || Some(rollout("staging", 5, "Rolling", None));
    let hangs = Some(TargetSeen {
        follows: None,
        rollout: rolling(),
        stalled: Some("longer than its deadline".into()),
        unproved: None,
        takes: Vec::new(),
        unreadable: None,
    });
    let course = step(&mut record, &saw(1, &staging, "web-staging", hangs));
    assert!(matches!(stage(&course), StageState::Stuck(_, why) if why.contains("longer than its deadline")));
    assert!(matches!(
        stage(&step(&mut record, &saw(2, &staging, "web-staging", seen(rolling())))),
        StageState::Rolling(_)
    ));
    let elsewhere = Some(TargetSeen {
        follows: Some("web/prod".into()),
        rollout: rolling(),
        stalled: None,
        unproved: None,
        takes: Vec::new(),
        unreadable: None,
    });
    let course = step(&mut record, &saw(3, &staging, "web-staging", elsewhere));
    assert!(matches!(stage(&course), StageState::Stuck(_, why) if why.contains("imageFrom")), "{course:?}");
    assert!(is_true(&record.conditions, ConditionType::Stalled));
}

#[test]
fn a_release_that_waits_says_what_the_pipeline_says_of_it() {
    let cases = [
        ("Release", ConditionType::Reconciling, "False"),
        ("Person", ConditionType::Held, "Unknown"),
        ("Time", ConditionType::Held, "Unknown"),
        ("Correction", ConditionType::Stalled, "False"),
    ];
    for (waits_for, kind, ready) in cases {
        let mut record = built();
        let waiting = json!([{"name": "staging", "waiting": [{"release": "web-1", "for": waits_for, "reason": "Suspended",
            "message": "so it is", "since": crate::samples::time(0)}]}]);
        let course = step(&mut record, &sight(1, &json!({}), json!({"stages": waiting})));
        assert!(matches!(stage(&course), StageState::Waiting(_)), "{course:?}");
        assert!(is_true(&record.conditions, kind), "{waits_for}: {:?}", record.conditions);
        let told = find(&record.conditions, ConditionType::Ready).unwrap();
        assert_eq!((told.status.as_str(), told.message.as_str()), (ready, "waiting for stage staging: so it is"));
    }
}

#[test]
fn no_release_judges_what_a_stage_was_rolled_back_to() {
    let mut record = built();
    let mut back = granted("staging", 9, "web-1");
    back["grant"]["reason"] = "Rollback".into();
    let course =
        step(&mut record, &saw(1, &json!([back]), "web-staging", seen(Some(rollout("staging", 9, "Done", None)))));
    assert!(matches!(stage(&course), StageState::Waiting(_)), "{course:?}");
    assert!(record.stages.is_empty());
}
