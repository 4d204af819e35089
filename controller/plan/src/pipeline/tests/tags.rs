//! Tags in place of a branch: which of them become Releases, and what is said while there is none.

use super::rows::{World, parsed, recorded, sight, succeeded};
use crate::Outcome;
use crate::condition::{find, is_true};
use crate::look::Looked;
use crate::pipeline::heads::{Turn, head};
use crate::pipeline::observed::Tip;
use crate::pipeline::report::{Pass, report};
use crate::pipeline::{Desired, Observed, Record, assess};
use crate::reason::ConditionType;
use crate::samples::release::release;
use crate::samples::{COMMIT, OTHER, at};
use launchway_crds::pipeline::{Head, PipelineStatus};
use serde_json::json;

fn desired() -> Desired {
    parsed(&json!({"source": {"git": {"branch": null, "tags": {"semver": ">=1.0.0"}}}}))
}

fn seen(tag: &str, commit: &str) -> Observed {
    let mut observed = sight(Vec::new());
    observed.head = Looked::Seen(Ok(Tip::Commit { of: format!("refs/tags/{tag}"), commit: commit.to_owned() }));
    observed
}

fn after(head: Head) -> Record {
    let mut status = Record::empty().status().clone();
    status.heads = vec![head];
    recorded(&status)
}

fn said(observed: &Observed, record: &Record) -> PipelineStatus {
    let desired = desired();
    let state = assess(&desired, record, observed);
    report(record, &Pass { desired: &desired, observed, state: &state, outcome: &Outcome::Idle })
}

#[test]
fn whichever_tag_is_the_newest_is_released_and_a_commit_with_another_tag_is_not_released_again() {
    let turn = |record: &Record, tag, commit| assess(&desired(), record, &seen(tag, commit)).turn;
    let Turn::New(first) = turn(&Record::empty(), "v1.0.0", COMMIT) else { panic!("the first tag") };
    assert_eq!((&*first.of, &*first.commit, first.number), ("refs/tags/v1.0.0", COMMIT, 1));
    let record = after(first);
    assert_eq!(turn(&record, "v1.0.0", COMMIT), Turn::Same);
    for (tag, why) in [("v1.1.0", "a newer tag"), ("v1.0.0", "the tag was moved"), ("v0.9.0", "the newest was deleted")]
    {
        let Turn::New(next) = turn(&record, tag, OTHER) else { panic!("{why}") };
        assert_eq!((next.of.strip_prefix("refs/tags/"), &*next.commit, next.number), (Some(tag), OTHER, 2), "{why}");
    }
    let Turn::Adopted(same, None) = turn(&record, "v1.1.0", COMMIT) else { panic!("the same commit") };
    assert_eq!((&*same.of, same.number), ("refs/tags/v1.1.0", 1));
    assert_eq!(turn(&after(same), "v1.1.0", COMMIT), Turn::Same);
}

#[test]
fn a_pipeline_that_follows_tags_from_now_on_does_not_release_the_head_of_its_branch_again() {
    let of_branch = after(head("refs/heads/main", COMMIT, 4, at(0)));
    let state = assess(&desired(), &of_branch, &seen("v1.0.0", COMMIT));
    assert!(matches!(&state.turn, Turn::Adopted(head, None) if head.number == 4), "{:?}", state.turn);
}

/// A Pipeline that has released the commit of that tag.
fn released(tag: &str) -> World {
    let mut world = World::new(vec![succeeded(1)]);
    world.changes = json!({"source": {"git": {"branch": null, "tags": {"semver": ">=1.0.0"}}}});
    world.record.heads = vec![head(&format!("refs/tags/{tag}"), COMMIT, 1, at(0))];
    world.observed.head = seen(tag, COMMIT).head;
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Released));
    world
}

#[test]
fn a_second_tag_of_a_commit_that_was_released_changes_nothing_that_is_said_but_the_tag() {
    let mut world = released("v1.0.0");
    world.observed.head = seen("v1.1.0", COMMIT).head;
    let next = said(&world.observed, &recorded(&world.record));
    assert_eq!(&*next.heads[0].of, "refs/tags/v1.1.0");
    for kind in [ConditionType::Ready, ConditionType::Released] {
        let of = |status: &PipelineStatus| {
            find(&status.conditions, kind).map(|one| (one.status.clone(), one.message.clone()))
        };
        assert_eq!(of(&next), of(&world.record));
    }
    assert_eq!(said(&world.observed, &recorded(&next)), next, "and then nothing");
}

#[test]
fn a_pipeline_that_has_released_and_finds_no_tag_any_more_says_so_in_its_columns() {
    let mut world = released("v1.0.0");
    world.observed.head = Looked::Seen(Ok(Tip::NoTag(None)));
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Released), "what was released goes on");
    let summary = world.record.summary.unwrap();
    assert_eq!(summary.reason, "NoCommitYet");
    assert!(summary.message.starts_with("there are no tags * within >=1.0.0"), "{}", summary.message);
}

#[test]
fn a_release_that_was_about_to_be_made_of_a_tag_that_is_not_followed_any_more_is_not_made() {
    let mut status = Record::empty().status().clone();
    status.making = Some(head("refs/tags/v0.9.0", COMMIT, 7, at(0)));
    let Turn::New(next) = assess(&desired(), &recorded(&status), &seen("v1.1.0", OTHER)).turn else { panic!() };
    assert_eq!((&*next.of, &*next.commit), ("refs/tags/v1.1.0", OTHER));
}

#[test]
fn a_release_that_was_about_to_be_made_of_a_tag_is_made_although_there_is_a_newer_tag() {
    let mut status = Record::empty().status().clone();
    status.making = Some(head("refs/tags/v1.0.0", COMMIT, 7, at(0)));
    let record = recorded(&status);
    let mut observed = seen("v1.1.0", OTHER);
    let Turn::New(again) = assess(&desired(), &record, &observed).turn else { panic!() };
    assert_eq!((&*again.of, again.number), ("refs/tags/v1.0.0", 7));
    observed.releases = sight(vec![release(7, 7, json!({"phase": "Succeeded"}))]).releases;
    assert!(matches!(assess(&desired(), &record, &observed).turn, Turn::Adopted(head, Some(_)) if head.number == 7));
}

#[test]
fn the_tag_is_said_and_while_there_is_none_what_is_looked_for() {
    let told = said(&seen("v1.2.0", COMMIT), &Record::empty());
    let source = find(&told.conditions, ConditionType::SourceReady).unwrap();
    let newest = "tag v1.2.0 is the newest of tags * within >=1.0.0 of https://git.example.com/web.git";
    assert_eq!((source.status.as_str(), source.message.as_str()), ("True", newest));
    let mut none = sight(Vec::new());
    none.head = Looked::Seen(Ok(Tip::NoTag(Some("nightly".to_owned()))));
    let told = said(&none, &Record::empty());
    for kind in [ConditionType::SourceReady, ConditionType::Ready] {
        let said = find(&told.conditions, kind).unwrap();
        assert_eq!((said.status.as_str(), said.reason.as_str()), ("False", "NoCommitYet"));
        for part in ["there are no tags * within >=1.0.0 of https", "another tag there is nightly", "every 60 s"] {
            assert!(said.message.contains(part), "{part}: {}", said.message);
        }
    }
    assert!(!is_true(&told.conditions, ConditionType::Stalled), "the first tag is still to come");
}
