//! The commit statuses of others that a Release waits for before it is built.

use super::message;
use crate::condition::find;
use crate::fault::Remedy;
use crate::look::Looked;
use crate::reason::ConditionType;
use crate::release::required_statuses::Awaited;
use crate::release::state::Course;
use crate::release::{Look, looks};
use crate::samples::codebuild::World;
use crate::samples::{COMMIT, at, fault};
use crate::wake::Wake;
use crate::world::{LiveStatuses, Stand};
use launchway_crds::release::ReleasePhase;
use serde_json::{Value, json};

fn shown(statuses: &[(&str, Stand)]) -> Looked<LiveStatuses> {
    let asked = statuses.iter().map(|(name, stand)| ((*name).to_owned(), stand.clone())).collect();
    Looked::Seen(LiveStatuses { asked, others: vec!["lint / ubuntu".into()], hidden: None })
}

/// A Release of which `ci/test` and `e2e` are required.
fn world(statuses: Looked<LiveStatuses>) -> World {
    let mut world = World::new();
    world.changes = json!({"requiredStatuses": {"provider": "GitHub", "names": ["ci/test", "e2e"], "timeout": "10m"}});
    world.statuses = statuses;
    world
}

fn condition(world: &World, kind: ConditionType) -> (String, String) {
    find(&world.status.conditions, kind).map(|one| (one.status.clone(), one.reason.clone())).unwrap_or_default()
}

fn is_built(world: &World) -> bool {
    world.builds.iter().any(|(_, build)| build.id.starts_with("web-build"))
}

/// Passes until the Release waits for others, or is over.
fn waits(world: &mut World) -> Course {
    for _ in 0..60 {
        let (state, wake) = world.pass();
        if matches!(state.course, Course::AwaitingStatuses(Awaited::Statuses(..) | Awaited::Blind(_)) | Course::Over(_))
        {
            // What is over is recorded once nothing keeps it from going.
            if !state.course.is_over() || world.status.phase != Some(ReleasePhase::Active) {
                return state.course;
            }
        }
        if let Wake::After(seconds) = wake {
            world.wait(seconds);
        }
    }
    panic!("it waits for nobody: {}", message(world));
}

#[test]
fn nothing_is_built_before_others_have_succeeded_and_it_is_then() {
    let mut world = world(shown(&[("ci/test", Stand::Succeeded), ("e2e", Stand::Pending)]));
    let Course::AwaitingStatuses(Awaited::Statuses(what, _)) = waits(&mut world) else { panic!("{}", message(&world)) };
    assert_eq!(what, "git.example.com/web: \"e2e\" not ended");
    for _ in 0..5 {
        assert_eq!(world.pass().1, Wake::After(30));
    }
    assert!(!is_built(&world));
    assert_eq!(condition(&world, ConditionType::Ready).1, "WaitingForStatuses");
    assert_eq!(condition(&world, ConditionType::ChecksPassed).0, "Unknown", "{}", message(&world));
    assert!(message(&world).contains("\"e2e\" not ended"), "{}", message(&world));

    world.statuses = shown(&[("ci/test", Stand::Succeeded), ("e2e", Stand::Succeeded)]);
    world.until(is_built);
    assert_eq!(condition(&world, ConditionType::ChecksPassed).0, "True");
}

#[test]
fn nobody_is_asked_before_the_checks_succeeded_nor_once_the_build_began() {
    let mut world = world(shown(&[("ci/test", Stand::Succeeded), ("e2e", Stand::Succeeded)]));
    let asks = |world: &World| {
        let observed = world.observe();
        let looks = looks(&world.desired(), &world.record(), &observed);
        looks.iter().any(|look| matches!(look, Look::Statuses { .. }))
    };
    let mut asked = Vec::new();
    for _ in 0..60 {
        asked.push((is_built(&world), asks(&world)));
        let (_, wake) = world.pass();
        if let Wake::After(seconds) = wake {
            world.wait(seconds);
        }
        if !world.status.images.is_empty() {
            break;
        }
    }
    assert!(asked.contains(&(false, false)) && asked.contains(&(false, true)), "{asked:?}");
    assert!(asked.iter().any(|(built, _)| *built) && !asked.contains(&(true, true)), "{asked:?}");
}

#[test]
fn what_failed_there_fails_the_release_before_anything_is_built() {
    let mut world = world(shown(&[("ci/test", Stand::Failed("timed_out".into())), ("e2e", Stand::Pending)]));
    waits(&mut world);
    assert_eq!((world.status.phase, is_built(&world)), (Some(ReleasePhase::Failed), false));
    assert_eq!(condition(&world, ConditionType::Ready), ("False".into(), "StatusMissed".into()));
    assert_eq!(condition(&world, ConditionType::ChecksPassed).0, "False");
    for part in ["git.example.com/web shows \"ci/test\"", "as timed_out", "make another Release"] {
        assert!(message(&world).contains(part), "{part}: {}", message(&world));
    }
}

#[test]
fn what_never_comes_fails_the_release_and_the_message_says_what_is_there() {
    let mut world = world(shown(&[("ci/test", Stand::Succeeded)]));
    waits(&mut world);
    // A pass that takes the finalizer away records nothing else.
    world.until(|world| world.status.required_statuses_since.is_some());
    let since = world.status.required_statuses_since.as_ref().unwrap().0.as_second() - at(0).as_second();
    world.now = since + 599;
    assert_eq!((world.pass().1, world.status.phase), (Wake::After(30), Some(ReleasePhase::Active)));
    world.now = since + 600;
    waits(&mut world);
    assert_eq!((world.status.phase, is_built(&world)), (Some(ReleasePhase::Failed), false));
    for part in ["\"e2e\" not there", "after 10m", "also \"lint / ubuntu\"", "letter by letter"] {
        assert!(message(&world).contains(part), "{part}: {}", message(&world));
    }
}

#[test]
fn a_host_that_does_not_answer_is_asked_again_and_fails_nothing() {
    let away = Looked::Blind(fault("Timeout", Remedy::Retry));
    let mut world = world(away);
    assert!(matches!(waits(&mut world), Course::AwaitingStatuses(Awaited::Blind(_))));
    world.now += 86_400;
    assert_eq!((world.pass().1, world.status.phase), (Wake::Backoff, Some(ReleasePhase::Active)));
    assert!(!is_built(&world) && message(&world).starts_with("spec.requiredStatuses: "), "{}", message(&world));
    assert_eq!(condition(&world, ConditionType::ChecksPassed).0, "Unknown");
    world.statuses = shown(&[("ci/test", Stand::Succeeded), ("e2e", Stand::Succeeded)]);
    world.until(is_built);
}

#[test]
fn a_commit_that_was_released_before_is_not_asked_for_so_that_the_way_back_is_open() {
    let mut world = world(Looked::Blind(fault("Timeout", Remedy::Retry)));
    let image = crate::samples::codebuild::pushed("another Release", 0);
    world.pipeline = json!({"released": [{"of": crate::image::key(COMMIT, "web"), "digest": image.digest}]});
    world.image = Some(image);
    world.run(60);
    assert!(super::image(&world).is_some(), "{}", message(&world));
}

#[test]
fn a_pipeline_that_is_suspended_meanwhile_says_so_and_asks_for_nothing_more() {
    let mut world = world(shown(&[]));
    waits(&mut world);
    world.changes["suspend"] = Value::Bool(true);
    let (state, wake) = world.pass();
    assert_eq!((state.course, wake), (Course::Suspended, Wake::OnChange));
    assert_eq!(condition(&world, ConditionType::ChecksPassed).0, "Unknown");
    // Nor is its time up meanwhile.
    world.now += 86_400;
    assert_eq!(world.pass().0.course, Course::Suspended);
    world.changes["suspend"] = Value::Bool(false);
    assert!(matches!(waits(&mut world), Course::AwaitingStatuses(Awaited::Statuses(..))));
}

#[test]
fn no_time_runs_while_the_host_is_away_and_none_before_it_is_first_asked() {
    let mut world = world(shown(&[]));
    waits(&mut world);
    world.statuses = Looked::Blind(fault("Timeout", Remedy::Retry));
    world.now += 3_600;
    world.pass();
    world.statuses = shown(&[("ci/test", Stand::Pending), ("e2e", Stand::Pending)]);
    assert!(matches!(waits(&mut world), Course::AwaitingStatuses(Awaited::Statuses(..))), "{}", message(&world));
}

#[test]
fn a_record_that_was_lost_is_looked_for_first_and_builds_nothing_that_failed_elsewhere() {
    let mut world = world(shown(&[("ci/test", Stand::Failed("error".into())), ("e2e", Stand::Pending)]));
    world.changes["checks"] = json!([]);
    world.changes["build"] = json!({"codeBuild": {"project": "web-build", "timeout": "20m", "queuedTimeout": "10m"}, "imageFrom": {"variable": "IMAGE_URI"}});
    // So late that a pass before this one may have started something.
    world.now = 7_200;
    let state = world.run(80);
    assert!(matches!(state.course, Course::Over(_)), "{:?}", state.course);
    assert_eq!((world.status.phase, is_built(&world)), (Some(ReleasePhase::Failed), false), "{}", message(&world));
    assert_eq!(condition(&world, ConditionType::Ready).1, "StatusMissed");
}

#[test]
fn two_of_one_name_stand_as_the_worse_one() {
    let failed = || Stand::Failed("error".into());
    for (a, b, both) in [
        (Stand::Succeeded, Stand::Pending, Stand::Pending),
        (Stand::Pending, failed(), failed()),
        (Stand::Succeeded, Stand::Succeeded, Stand::Succeeded),
    ] {
        assert_eq!(a.clone().and(b.clone()), both);
        assert_eq!(b.and(a), both);
    }
}
