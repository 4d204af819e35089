//! How much of a namespace may be at work: what is above it waits, says so, and what has begun goes on.

use crate::release::Observed;
use crate::release::crowd::Load;
use crate::release::state::{Course, Line};
use crate::samples::codebuild::{Reply, World};
use crate::wake::Wake;
use launchway_crds::account::{Budget, PerNamespace};

/// What a pass sees beside so much of its namespace, in an account that allows two Releases and three builds.
fn beside(world: &World, releases: usize, builds: usize) -> Observed {
    let mut observed = world.observe();
    let bounds = PerNamespace { releases: Some(2), builds: Some(3) };
    let spec = observed.account.spec.as_mut().unwrap();
    spec.budget = Some(Budget { share: None, per_namespace: Some(bounds) });
    observed.load = Load { releases, builds };
    observed
}

fn says(world: &World) -> (String, String) {
    let summary = world.status.summary.as_ref().unwrap();
    (summary.reason.clone(), summary.message.clone())
}

#[test]
fn a_release_waits_while_as_many_of_its_namespace_are_at_work_as_may_be() {
    let mut world = World::new();
    let (state, wake) = world.pass_with(&beside(&world.clone(), 2, 0));
    assert_eq!((&state.course, wake), (&Course::InLine(Line::Namespace(2)), Wake::After(30)));
    let (reason, message) = says(&world);
    assert_eq!(reason, "WaitingForBuild");
    assert!(message.contains("has 2 Releases at work") && message.contains("perNamespace.releases is 2"), "{message}");
    let (state, _) = world.pass_with(&beside(&world.clone(), 1, 9));
    assert!(matches!(state.course, Course::Starting(_)), "{state:?}");
}

#[test]
fn no_build_starts_while_as_many_of_the_namespace_run_as_may_be_and_the_release_says_so() {
    let mut world = World::new();
    for _ in 0..5 {
        world.pass_with(&beside(&world.clone(), 1, 3));
    }
    assert!(world.builds.is_empty());
    let (reason, message) = says(&world);
    assert_eq!(reason, "WaitingForBuild");
    assert!(message.contains("has 3 builds at work") && message.contains("perNamespace.builds is 3"), "{message}");
    for _ in 0..5 {
        world.pass_with(&beside(&world.clone(), 2, 2));
    }
    assert!(!world.builds.is_empty());
    let (reason, message) = {
        world.pass_with(&beside(&world.clone(), 2, 3));
        says(&world)
    };
    assert_eq!(reason, "Checking", "{message}");
}

#[test]
fn a_call_without_an_answer_is_made_again_although_there_is_no_room_for_another_build() {
    let mut world = World::new();
    world.replies = vec![Reply::Vanishes];
    while world
        .record()
        .work
        .is_none_or(|work| work.steps.iter().all(|step| step.progress == crate::release::record::Progress::Waiting))
    {
        world.pass_with(&beside(&world.clone(), 1, 0));
    }
    for _ in 0..40 {
        world.pass_with(&beside(&world.clone(), 1, 3));
        world.wait(30);
    }
    assert_eq!(world.builds.len(), 1, "it counts already, and the next one waits");
}
