//! The largest status of a Release fits into its limit.

use crate::Outcome;
use crate::fault::{Fault, Remedy};
use crate::reason::Reason;
use crate::release::commit_status::{Unreported, unreported};
use crate::release::record::{Ending, StepKind};
use crate::release::report::{Pass, intended, report};
use crate::release::state::{Course, End, State};
use crate::release::steps::{Live, Over, Start, Step, StepState};
use crate::release::{Desired, Effected, Record, looks};
use crate::samples::release::{begun, build, release, sight};
use crate::samples::{at, fault};
use crate::start::{Attempt, Call};
use crate::world::{BuildRequest, BuildStatus, Members, PhaseStatus};
use launchway_crds::release::{ExportedVariable, Release, ReleaseStatus, StepPhase, StepStatus};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A plan of the largest admitted size, and eleven steps with long names, projects and histories.
fn largest() -> ReleaseStatus {
    let mut record = begun();
    let plan = record.plan.as_mut().unwrap();
    let check = plan.checks[0].clone();
    plan.checks = (0..10)
        .map(|index| {
            let mut check = check.clone();
            check.name = format!("{index}{}", "c".repeat(62)).as_str().into();
            check.code_build.as_mut().unwrap().project = "p".repeat(150).as_str().into();
            check
        })
        .collect();
    let size = serde_json::to_vec(&plan).unwrap().len();
    let room = crate::pipeline::desired::PLAN_MAX - size - 40;
    plan.build.as_mut().unwrap().code_build.as_mut().unwrap().buildspec =
        Some(serde_json::from_value(json!({"inline": "x".repeat(room)})).unwrap());
    let template = record.steps[0].clone();
    record.steps = record
        .plan
        .as_ref()
        .unwrap()
        .checks
        .iter()
        .map(|check| check.name.clone())
        .chain(["build".into()])
        .map(|name| StepStatus { name, ..template.clone() })
        .collect();
    let image = |number: usize| {
        json!({"name": format!("{number}{}", "i".repeat(62)), "registry": "123456789012", "region": "r".repeat(25),
            "repository": format!("{number}{}", "h".repeat(255)), "digest": format!("sha256:{}", "a".repeat(64))})
    };
    record.images = serde_json::from_value((0..10).map(image).collect()).unwrap();
    record
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_status_of_a_release_whose_every_step_failed_with_a_log_fits(
        text in "[a-z\"\\\\\n]{0,2000}", line in "[ -~]{0,400}", lines in 0..40usize, retries in 0..3usize,
    ) {
        let desired = Desired::parse(&release(1, 0, Value::Null)).unwrap();
        let mut record = largest();
        let mut observed = sight(60, &json!({}), Value::Null);
        let id = format!("{}:{}", "p".repeat(150), "0".repeat(36));
        let live = build(&id, BuildStatus::Fault, &[("PROVISIONING", PhaseStatus::Failed, 60)]);
        let names: Vec<String> = record.steps.iter().map(|step| step.name.to_string()).collect();
        let run = |record: &ReleaseStatus, observed: &_, course: Course, state: &dyn Fn() -> StepState| {
            let step = |name: &String| Step {
                name: name.clone(), kind: StepKind::Check, project: "p".repeat(150).into(), state: state(),
            };
            let state = State { course, steps: names.iter().map(step).collect(), is_reported: true, at_work: true, trouble: None, unreported: Unreported::default() };
            report(record, &Pass { desired: &desired, observed, state: &state, action: None, outcome: &Outcome::Idle })
        };
        for _ in 0..retries {
            record = run(&record, &observed, Course::Checking, &|| StepState::Live(Box::new(live.clone()), Live::Again));
        }
        for name in &names {
            let request = BuildRequest { project: "p".repeat(150), commit: "".into(), marker: String::new(),
                buildspec: None, overrides: Members::new(), environment: Vec::new(), timeout_minutes: 5, queued_timeout_minutes: 5 };
            let attempt = Attempt { owner: "r-1", step: name, number: 1 };
            let call = Call::next(attempt, None, &request.project, &request, at(0));
            record = intended(&record, &Start { step: name.clone(), call, request, tag_named: Some("none".into()) });
            observed.logs.insert(name.clone(), vec![line.clone(); lines]);
        }
        let written = Release { status: Some(record.clone()), ..release(1, 0, Value::Null) };
        prop_assert!(!looks(&desired, &Record::parse(&written), &observed).is_empty());
        let build = || Some(Box::new(live.clone()));
        let failed =
            || StepState::Over(Over::Failed { reason: Reason::CheckFailed, message: text.clone(), build: build(), is_new: true });
        let next = run(&record, &observed, Course::Over(End::Failed(Reason::CheckFailed, text.clone())), &failed);
        prop_assert!(serde_json::to_vec(&next).unwrap().len() <= 32 * 1024);
        prop_assert!(next.steps[0].log.len() >= lines.min(8), "the end of the log of the step that decided is kept");
        prop_assert_eq!(next.phase, Some(Ending::Failed.phase()));
        let over = State {
            course: Course::Over(End::Before(Ending::Failed)), steps: Vec::new(), is_reported: true, at_work: false, trouble: None, unreported: Unreported::default(),
        };
        let again = report(&next, &Pass { desired: &desired, observed: &observed, state: &over, action: None, outcome: &Outcome::Idle });
        prop_assert_eq!(&again, &next);

        let telling = sight(60, &json!({"report": {"commitStatus": {"provider": "GitHub", "secretRef": {"name": "a"}}}}), Value::Null);
        let ended = Release { status: Some(next.clone()), ..release(1, 0, Value::Null) };
        let lacks = unreported(&desired, &Record::parse(&ended), telling.pipeline.as_ref(), at(60));
        prop_assert!(!lacks.statuses.is_empty());
        let refused = Fault { message: text, ..fault("NotFound", Remedy::AskOperator) };
        let told = Outcome::Done(Effected::Reported { statuses: lacks.statuses.clone(), fault: Some(refused) });
        let over = State { unreported: lacks, ..over };
        let next = report(&next, &Pass { desired: &desired, observed: &telling, state: &over, action: None, outcome: &told });
        prop_assert!(serde_json::to_vec(&next).unwrap().len() <= 32 * 1024);
    }
}

/// What the build said and what a scan found, at their longest.
fn with_images_said_and_scanned(mut record: ReleaseStatus) -> ReleaseStatus {
    let said = |number: usize| {
        format!(
            "123456789012.dkr.ecr.{}.amazonaws.com/{number}{}@sha256:{}",
            "r".repeat(25),
            "h".repeat(255),
            "a".repeat(64)
        )
    };
    record.steps[0].variables = (0..10)
        .map(|number| ExportedVariable {
            name: format!("{number}{}", "v".repeat(99)).into(),
            value: "x".repeat(255).into(),
        })
        .collect();
    let build = record.steps.last_mut().unwrap();
    build.images = (0..10).map(|number| said(number).as_str().into()).collect();
    build.artifact = serde_json::from_value(
        json!({"bucket": "b".repeat(63), "key": "k".repeat(1024), "versionId": "v".repeat(1024)}),
    )
    .unwrap();
    record.image_scan = serde_json::from_value(json!({
        "since": "2026-11-21T09:55:00Z",
        "counts": (0..10).map(|number| (format!("{number}{}", "s".repeat(19)), 1_000_000)).collect::<std::collections::BTreeMap<_, _>>(),
        "findings": (0..10).map(|_| json!({"id": "f".repeat(64), "severity": "s".repeat(20), "image": "i".repeat(63), "exceptedUntil": "2026-11-21T09:55:00Z"})).collect::<Vec<_>>(),
    })).unwrap();
    record
}

#[test]
fn the_status_of_a_release_that_came_to_its_last_stage_fits() {
    let desired = Desired::parse(&release(1, 0, Value::Null)).unwrap();
    let mut record = with_images_said_and_scanned(largest());
    for step in &mut record.steps {
        (step.phase, step.message) = (StepPhase::Succeeded, Some("m".repeat(512)));
    }
    let stage = |number: i64| {
        json!({"name": format!("{number}{}", "s".repeat(62)), "grant": number, "phase": "Verified", "message": "m".repeat(512),
            "since": "2026-11-21T09:55:00Z", "deployedAt": "2026-11-21T09:55:00Z", "endedAt": "2026-11-21T09:55:00Z", "reported": "Success"})
    };
    record.stages = serde_json::from_value((0..10).map(stage).collect()).unwrap();
    let state = State {
        course: Course::Over(End::Failed(Reason::VerificationFailed, "v".repeat(2000))),
        steps: Vec::new(),
        is_reported: true,
        at_work: false,
        trouble: None,
        unreported: Unreported::default(),
    };
    let observed = sight(60, &json!({}), Value::Null);
    let pass = Pass { desired: &desired, observed: &observed, state: &state, action: None, outcome: &Outcome::Idle };
    let next = report(&record, &pass);
    assert!(serde_json::to_vec(&next).unwrap().len() <= 32 * 1024, "{}", serde_json::to_vec(&next).unwrap().len());
    let since = |status: &ReleaseStatus| status.image_scan.as_ref().map(|scan| scan.since.clone());
    assert_eq!((&next.images, since(&next)), (&record.images, since(&record)), "what later passes need is kept");
    assert!(!record.steps[10].images.is_empty(), "something was to be left out");
}
