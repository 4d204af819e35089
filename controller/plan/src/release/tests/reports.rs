//! What the test reports of a build say.

use super::message;
use crate::samples::codebuild::World;
use crate::world::BuildStatus;
use launchway_crds::release::{ReleasePhase, StepStatus, TestCounts};

const COUNTS: TestCounts = TestCounts { total: 340, failed: 3, skipped: 2 };

/// The first check of a Release whose builds leave these reports and end so; and the Release.
fn checked(tests: Result<TestCounts, String>, ends: &[BuildStatus]) -> (StepStatus, World) {
    let mut world = World::new();
    (world.tests, world.ends) = (Some(tests), ends.to_vec());
    world.run(60);
    (world.status.steps[0].clone(), world)
}

#[test]
fn how_many_tests_passed_stands_beside_a_check_that_succeeded() {
    let (step, world) = checked(Ok(TestCounts { failed: 0, ..COUNTS }), &[]);
    assert_eq!(step.tests, Some(TestCounts { failed: 0, ..COUNTS }));
    assert_eq!((step.message.as_deref(), world.status.images.len()), (Some("338 tests passed, 2 skipped"), 1));
    assert_eq!(checked(Ok(TestCounts::default()), &[]).0.message, None, "a report without tests says nothing");
}

#[test]
fn how_many_tests_failed_stands_beside_the_reason_why_a_check_failed() {
    let (step, world) = checked(Ok(COUNTS), &[BuildStatus::Failed]);
    assert_eq!((world.status.phase, step.tests), (Some(ReleasePhase::Failed), Some(COUNTS)));
    assert!(message(&world).contains("3 of 340 tests failed, 2 skipped"), "{}", message(&world));
}

#[test]
fn a_report_that_cannot_be_read_keeps_nothing_from_going_on() {
    let (step, world) = checked(Err("BatchGetReports is denied".to_owned()), &[]);
    assert_eq!((step.tests, world.status.images.len()), (None, 1));
    assert_eq!(step.message.as_deref(), Some("its test reports could not be read: BatchGetReports is denied"));
}
