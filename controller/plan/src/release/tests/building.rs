//! Checks and the build: each attempt starts exactly one build, whatever happens to the replies.

use crate::condition::{find, is_true};
use crate::fault::Remedy;
use crate::look::Looked;
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use crate::release::record::Progress;
use crate::release::report::empty;
use crate::release::state::Course;
use crate::release::steps::{InDoubt, Live, StepState};
use crate::release::{Action, decide};
use crate::samples::codebuild::{Pushes, Reply, World, pushed};
use crate::samples::release::build;
use crate::samples::{account, at, fault};
use crate::start::Intent;
use crate::world::{BuildStatus, PhaseStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use launchway_crds::account::Commits;
use launchway_crds::release::{ReleasePhase, StepPhase};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

fn message(world: &World) -> String {
    find(&world.status.conditions, ConditionType::Ready).unwrap().message.clone()
}

fn phase(world: &World, step: &str) -> StepPhase {
    world.status.steps.iter().find(|one| *one.name == *step).unwrap().phase
}

#[test]
fn checks_run_at_the_same_time_then_the_build_runs_and_then_the_finalizer_is_removed() {
    let mut world = World::new();
    let state = world.run(60);
    assert!(matches!(state.course, Course::AtStage { .. }), "{state:?}");
    assert_eq!(world.builds.len(), 3);
    let started: Vec<_> = world.builds.iter().map(|(_, build)| build.started_at).collect();
    assert_eq!(started[0], started[1], "the checks do not wait for each other");
    assert!(started[2] > started[0]);
    assert_eq!(world.release.metadata.finalizers, None);
    let image = crate::image::reference(&world.status.images[0]);
    assert!(image.starts_with("123456789012.dkr.ecr.us-east-2.amazonaws.com/web@sha256:"), "{image}");
}

#[test]
fn no_more_checks_run_at_the_same_time_than_the_pipeline_allows() {
    let mut world = World::new();
    world.changes = json!({"checksInParallel": 1});
    world.run(80);
    assert!(world.builds[1].1.started_at >= world.builds[0].1.ended_at.unwrap());
}

#[test]
fn an_image_that_is_there_already_saves_the_build_but_not_the_checks() {
    let mut world = World::new();
    world.image = Some(pushed("somebody else", -3600));
    world.run(60);
    assert_eq!((world.builds.len(), phase(&world, "build")), (2, StepPhase::Succeeded));
}

#[test]
fn a_failing_check_stops_the_others_and_fails_the_release() {
    let mut world = World::new();
    world.ends = vec![BuildStatus::Failed, BuildStatus::InProgress];
    world.run(60);
    assert_eq!(world.status.phase, Some(ReleasePhase::Failed));
    assert_eq!((phase(&world, "lint"), phase(&world, "unit")), (StepPhase::Failed, StepPhase::Stopped));
    assert!(world.builds.iter().all(|(_, build)| build.status != BuildStatus::InProgress));
    assert_eq!(
        find(&world.status.conditions, ConditionType::ChecksPassed).unwrap().reason,
        Reason::CheckFailed.as_str()
    );
    assert_eq!(world.release.metadata.finalizers, None);
}

#[test]
fn faults_of_codebuild_are_retried_as_often_as_the_pipeline_says_and_failing_commands_are_not() {
    let mut world = World::new();
    world.ends = vec![BuildStatus::Succeeded, BuildStatus::Succeeded, BuildStatus::Fault, BuildStatus::Fault];
    world.run(100);
    assert_eq!((world.of("/build/1").len(), world.of("/build/2").len(), world.of("/build/3").len()), (1, 1, 1));
    assert_eq!(phase(&world, "build"), StepPhase::Succeeded);
    let mut world = World::new();
    world.ends = vec![BuildStatus::Succeeded; 2];
    world.ends.extend([BuildStatus::Fault, BuildStatus::Fault, BuildStatus::Fault]);
    world.run(100);
    assert_eq!((world.status.phase, world.builds.len()), (Some(ReleasePhase::Failed), 5));
    assert!(message(&world).contains("failed 3 times by a fault of CodeBuild"), "{}", message(&world));
    let mut world = World::new();
    world.ends = vec![BuildStatus::Succeeded, BuildStatus::Succeeded, BuildStatus::Failed];
    world.run(100);
    assert_eq!((world.status.phase, world.builds.len()), (Some(ReleasePhase::Failed), 3));
}

#[test]
fn an_image_that_is_pushed_late_is_waited_for_and_one_that_never_comes_is_not() {
    let mut world = World::new();
    world.pushes = Pushes::None;
    while phase_of_build(&world) != Some(StepPhase::Succeeded) {
        world.pass();
        world.wait(20);
    }
    let (state, _) = world.pass();
    assert_eq!(state.course, Course::Pushing);
    let mut late = world.clone();
    late.image = Some(pushed("the build", late.now));
    assert!(matches!(late.run(20).course, Course::AtStage { .. }));
    world.run(20);
    assert_eq!(world.status.phase, Some(ReleasePhase::Failed));
    assert!(message(&world).contains("IMAGE_REPO_NAME:$IMAGE_TAG"), "{}", message(&world));
}

fn phase_of_build(world: &World) -> Option<StepPhase> {
    world.status.steps.iter().find(|one| *one.name == *"build").map(|one| one.phase)
}

#[test]
fn a_call_that_never_arrived_is_repeated_with_its_token_and_after_six_minutes_with_another() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.replies = vec![Reply::Vanishes; 3];
    while world.builds.is_empty() {
        world.pass();
        world.wait(30);
    }
    assert!(world.now <= 240, "{}", world.now);
    assert_eq!(world.status.steps[0].attempt, 1);
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.replies = vec![Reply::Vanishes; 9];
    let searching = StepState::InDoubt(InDoubt::Searching);
    let mut doubtful = 0;
    let mut call = 0;
    while world.builds.is_empty() {
        call = world.status.steps.first().and_then(|step| step.intent.as_ref()).map_or(call, |intent| intent.call);
        let (state, _) = world.pass();
        doubtful += usize::from(state.steps.first().is_some_and(|step| step.state == searching));
        world.wait(30);
    }
    assert!(world.now > 360 && doubtful >= 4, "only looked at from four to six minutes: {} {doubtful}", world.now);
    assert!(call >= 1);
    assert_eq!(world.status.steps[0].attempt, 1);
}

#[test]
fn a_changed_request_is_not_sent_under_an_old_token() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.replies = vec![Reply::Vanishes];
    while world.status.steps.first().is_none_or(|step| step.phase != StepPhase::Intended) {
        world.pass();
    }
    world.status.steps[0].intent.as_mut().unwrap().request_hash = "another".into();
    let (state, _) = world.pass();
    assert_eq!(state.steps[0].state, StepState::InDoubt(InDoubt::Searching));
}

#[test]
fn nothing_is_started_or_repeated_while_the_pipeline_is_suspended_and_running_builds_continue() {
    let mut world = World::new();
    world.replies = vec![Reply::Comes, Reply::Vanishes];
    while world.status.steps.iter().all(|step| step.phase != StepPhase::Intended) {
        world.pass();
    }
    world.changes = json!({"suspend": true});
    for _ in 0..40 {
        world.pass();
        world.wait(30);
    }
    assert_eq!((world.builds.len(), phase(&world, "lint")), (1, StepPhase::Succeeded));
    assert!(is_true(&world.status.conditions, ConditionType::Held), "{:?}", world.status.conditions);
    assert!(message(&world).contains("kubectl -n shop patch lwp web"));
    world.changes = json!({});
    assert!(matches!(world.run(80).course, Course::AtStage { .. }));
    assert_eq!(world.builds.len(), 3);
}

#[test]
fn an_account_that_no_longer_allows_the_project_prevents_the_next_build() {
    let mut world = World::new();
    world.pass();
    let mut observed = world.observe();
    let mut narrow = account();
    narrow.spec.as_mut().unwrap().allow.projects = vec!["other".into()];
    observed.account = narrow;
    let (state, _) = world.pass_with(&observed);
    assert!(matches!(state.course, Course::Refused(_)));
    assert!(is_true(&world.status.conditions, ConditionType::Stalled) && world.builds.is_empty());
}

#[test]
fn where_the_account_asks_for_it_a_person_releases_only_what_the_branch_was_seen_at() {
    let seen_at = |world: &World, commit: &str| {
        let mut observed = world.observe();
        observed.account.spec.as_mut().unwrap().allow.commits = Commits::Branch;
        let head = json!({"ref": "refs/heads/main", "commit": commit, "number": 1, "seenAt": crate::samples::time(0)});
        let head = json!({"heads": [head], "building": ["web-1"]});
        observed.pipeline.as_mut().unwrap().status = Some(serde_json::from_value(head).unwrap());
        observed
    };
    let mut world = World::new();
    world.release.spec.number = None;
    let (state, _) = world.pass_with(&seen_at(&world, crate::samples::OTHER));
    assert!(matches!(state.course, Course::Refused(Refusal::Commit { .. })), "{:?}", state.course);
    let (state, _) = world.pass_with(&seen_at(&world, crate::samples::COMMIT));
    assert!(matches!(state.course, Course::Starting(_)), "{:?}", state.course);
}

#[test]
fn no_build_is_started_without_the_accounts_id() {
    let mut world = World::new();
    world.pass();
    world.pass();
    for looked in [Looked::NotAsked, Looked::Blind(fault("Throttling", Remedy::Retry))] {
        let mut observed = world.observe();
        observed.account_id = looked;
        world.pass_with(&observed);
    }
    assert!(world.builds.is_empty());
}

#[test]
fn a_release_that_is_superseded_in_doubt_finds_its_build_then_stops_it_then_removes_its_finalizer() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.replies = vec![Reply::Lost];
    world.ends = vec![BuildStatus::InProgress];
    while world.builds.is_empty() {
        world.pass();
    }
    world.pipeline = json!({"superseded": [{"release": "web-1", "by": "web-2"}]});
    world.run(20);
    assert_eq!(world.builds[0].1.status, BuildStatus::Stopped);
    assert_eq!((world.status.phase, world.builds.len()), (Some(ReleasePhase::Superseded), 1));
    assert_eq!(world.release.metadata.finalizers, None);
    let ready = find(&world.status.conditions, ConditionType::Ready).unwrap();
    assert_eq!((&*ready.status, &*ready.reason), ("False", "Superseded"), "its commit never ran");
}

#[test]
fn a_deleted_release_in_doubt_keeps_its_finalizer_until_its_call_is_known_to_be_lost() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.replies = vec![Reply::Vanishes];
    while world.status.steps.first().is_none_or(|step| step.phase != StepPhase::Intended) {
        world.pass();
    }
    let since = world.now;
    world.release.metadata.deletion_timestamp = Some(Time(at(world.now)));
    world.pass();
    world.pass();
    assert!(world.release.metadata.finalizers.is_some());
    let told = find(&world.status.conditions, ConditionType::Reconciling).unwrap().message.clone();
    assert!(told.contains("launchway.dev/abandon=true"), "{told}");
    world.run(40);
    assert!(world.now - since > 360 && world.builds.is_empty());
    assert_eq!(world.release.metadata.finalizers, None);
}

#[test]
fn of_two_builds_of_one_attempt_the_oldest_is_kept() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.replies = vec![Reply::Lost];
    while world.builds.is_empty() {
        world.pass();
    }
    let mut second = world.builds[0].1.clone();
    second.id = "web-build:second".into();
    world.builds.push(("other".into(), second));
    world.run(40);
    assert_eq!(world.builds[1].1.status, BuildStatus::Stopped);
    assert_eq!(world.builds[0].1.status, BuildStatus::Succeeded);
}

#[test]
fn a_wiped_status_starts_nothing_again() {
    for when in [0, 90, 600, 4000] {
        for passes in 0..14 {
            let mut world = World::new();
            world.replies = vec![Reply::Lost, Reply::Comes];
            for _ in 0..passes {
                world.pass();
                world.wait(20);
            }
            world.wait(when);
            world.status = empty();
            let state = world.run(200);
            assert!(matches!(state.course, Course::AtStage { .. }), "{when} {passes} {state:?}");
            for step in ["/lint/1", "/unit/1", "/build/1"] {
                assert!(world.of(step).len() <= 1, "{step} {when} {passes}");
            }
        }
    }
}

#[test]
fn a_build_that_hangs_is_stopped_two_minutes_after_its_timeout_and_the_message_says_where() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.ends = vec![BuildStatus::InProgress];
    while world.builds.is_empty() {
        world.pass();
    }
    let hanging = build(
        "x",
        BuildStatus::InProgress,
        &[
            ("SUBMITTED", PhaseStatus::Succeeded, 1),
            ("QUEUED", PhaseStatus::Succeeded, 239),
            ("DOWNLOAD_SOURCE", PhaseStatus::InProgress, 0),
        ],
    );
    let live = &mut world.builds[0].1;
    (live.phase, live.phases) = (hanging.phase, hanging.phases);
    world.now = 240 + 20 * 60 + 119;
    assert!(matches!(world.pass().0.steps[0].state, StepState::Live(_, Live::Running)));
    world.now += 10;
    assert!(matches!(world.pass().0.steps[0].state, StepState::Live(_, Live::Overdue)));
    world.run(20);
    let told = message(&world);
    assert!(told.contains("hung in DOWNLOAD_SOURCE for 22 minutes") && told.contains("NAT gateway"), "{told}");
}

#[test]
fn a_build_that_waits_too_long_in_the_queue_is_judged_by_the_queues_limit() {
    let mut world = World::new();
    world.changes = json!({"checks": []});
    world.ends = vec![BuildStatus::InProgress];
    while world.builds.is_empty() {
        world.pass();
    }
    let queued = build("x", BuildStatus::InProgress, &[("QUEUED", PhaseStatus::InProgress, 0)]);
    let live = &mut world.builds[0].1;
    (live.phase, live.phases) = (queued.phase, queued.phases);
    world.now = 10 * 60 + 121;
    assert!(matches!(world.pass().0.steps[0].state, StepState::Live(_, Live::Overdue)));
    world.run(20);
    assert!(message(&world).contains("no build machine was free"), "{}", message(&world));
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![Just(Reply::Comes), Just(Reply::Lost), Just(Reply::Vanishes)]
}

fn end() -> impl Strategy<Value = BuildStatus> {
    prop_oneof![
        4 => Just(BuildStatus::Succeeded),
        1 => Just(BuildStatus::Failed),
        1 => Just(BuildStatus::Fault),
        1 => Just(BuildStatus::TimedOut)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_attempt_has_two_builds_and_none_is_started_over_an_intent(
        replies in vec(reply(), 0..8), ends in vec(end(), 0..6), superseded in 0..60usize,
    ) {
        let mut world = World::new();
        (world.replies, world.ends) = (replies, ends);
        for pass in 0..250 {
            if pass == superseded {
                world.pipeline = json!({"superseded": [{"release": "web-1", "by": "web-2"}]});
            }
            let before = world.record();
            let state = crate::release::assess(&world.desired(), &before, &world.observe());
            let plan = decide(&world.desired(), &state);
            if let Some(Action::Start(start)) = &plan.action {
                let step = before.work.iter().flat_map(|work| &work.steps).find(|one| *one.name == *start.step).unwrap();
                let may_start = match &step.progress {
                    Progress::Waiting | Progress::Intended(Intent::Recovery { .. }) => true,
                    Progress::Intended(Intent::Call(call)) => call.number < start.call.number,
                    Progress::Running(_) | Progress::Succeeded(_) | Progress::Failed(_) | Progress::Stopped(_) => false,
                };
                prop_assert!(may_start);
            }
            world.pass();
            let conditions = &world.status.conditions;
            prop_assert!(find(conditions, ConditionType::Reconciling).is_none() || find(conditions, ConditionType::Stalled).is_none());
            prop_assert!(conditions.iter().all(|condition| condition.message.len() <= 1024));
            let status = serde_json::to_value(&world.status.conditions).unwrap().to_string();
            prop_assert!(!status.contains("plain-token-value"));
            world.wait(15);
        }
        for step in ["lint", "unit", "build"] {
            for attempt in 1..=3 {
                let builds = world.of(&format!("/{step}/{attempt}")).len();
                prop_assert!(builds <= 1);
            }
        }
        let resting = world.status.clone();
        world.pass();
        prop_assert_eq!(&world.status, &resting);
        prop_assert!(world.release.metadata.finalizers.is_none());
        prop_assert!(world.builds.iter().all(|(_, build)| build.status != BuildStatus::InProgress));
    }
}

#[test]
fn a_source_that_is_overridden_is_the_pipelines_own_repository_unless_another_one_is_named() {
    let location = |given: serde_json::Value| {
        let mut world = World::new();
        world.changes = json!({"build": {"codeBuild": {"override": given}}});
        world.run(60);
        let run = world.status.plan.as_ref().unwrap().build.as_ref().unwrap().code_build.clone().unwrap();
        assert!(matches!(world.run(60).course, Course::AtStage { .. }), "{}", message(&world));
        run.r#override.unwrap().source_location.map(|location| location.to_string())
    };
    let artifacts = json!({"type": "NO_ARTIFACTS"});
    let own = json!({"sourceType": "GITHUB", "artifacts": artifacts});
    assert_eq!(location(own).as_deref(), Some("https://git.example.com/web.git"));
    let other = json!({"sourceType": "GITHUB", "sourceLocation": "https://github.com/shop/web"});
    assert_eq!(location(other).as_deref(), Some("https://github.com/shop/web"));
    assert_eq!(location(json!({"artifacts": artifacts})), None);
}

#[test]
fn a_source_in_codecommit_is_where_the_build_runs_and_of_no_other_kind() {
    let location = |kind: &str| {
        let mut world = World::new();
        world.changes = json!({
            "source": {"git": null, "codeCommit": {"repository": "shop-web", "branch": "main"}},
            "build": {"codeBuild": {"override": {"sourceType": kind, "artifacts": {"type": "NO_ARTIFACTS"}}}},
        });
        world.run(60);
        let run = world.status.plan.as_ref().unwrap().build.as_ref().unwrap().code_build.clone().unwrap();
        run.r#override.unwrap().source_location.map(|location| location.to_string())
    };
    let url = "https://git-codecommit.us-east-2.amazonaws.com/v1/repos/shop-web";
    assert_eq!(location("CODECOMMIT").as_deref(), Some(url));
    assert_eq!(location("GITHUB"), None);
}
