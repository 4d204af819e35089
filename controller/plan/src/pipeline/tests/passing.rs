//! Which commits are passed over, what has to be asked about them, and what is said of it.

use super::rows::{parsed, recorded, sight};
use crate::Outcome;
use crate::condition::find;
use crate::look::Looked;
use crate::pipeline::change::{Change, Differs, Unknown};
use crate::pipeline::heads::{Turn, asked, head};
use crate::pipeline::report::{Pass, report};
use crate::pipeline::{Observed, Record, ReleaseSeen, assess};
use crate::reason::ConditionType;
use crate::samples::release::release;
use crate::samples::{COMMIT, OTHER, at};
use launchway_crds::pipeline::{PassedOverReason, PipelineStatus};
use serde_json::{Value, json};

fn rules() -> Value {
    json!({"source": {"git": {"paths": {"include": ["services/web"]}, "skip": ["[skip ci]"]}}})
}

/// A status in which `COMMIT` was released last.
fn released() -> PipelineStatus {
    let mut status = Record::empty().status().clone();
    status.heads = vec![head("refs/heads/main", COMMIT, 1, at(0))];
    status
}

fn saw(commit: &str) -> Observed {
    let mut observed = sight(vec![release(1, 1, json!({"phase": "Succeeded"}))]);
    observed.head = Looked::Seen(Ok(commit.into()));
    observed
}

fn change(base: Option<&str>, message: &str, differs: Differs) -> Option<Change> {
    Some(Change { commit: OTHER.to_owned(), base: base.map(str::to_owned), message: message.to_owned(), differs })
}

fn pass(spec: &Value, status: &PipelineStatus, observed: &Observed) -> (Turn, PipelineStatus) {
    let (desired, record) = (parsed(spec), recorded(status));
    let state = assess(&desired, &record, observed);
    let pass = Pass { desired: &desired, observed, state: &state, outcome: &Outcome::Idle };
    let next = report(&record, &pass);
    (state.turn, next)
}

/// What has to be asked: the commit, and the one that it is compared with.
fn question(spec: &Value, status: &PipelineStatus, observed: &Observed) -> Option<(String, Option<String>)> {
    let (desired, record) = (parsed(spec), recorded(status));
    asked(&desired, &record, observed).map(|question| (question.commit, question.base))
}

#[test]
fn a_new_head_waits_until_it_is_known_what_it_changes_and_one_that_is_released_is_not_asked_about() {
    let (status, observed) = (released(), saw(OTHER));
    assert_eq!(pass(&rules(), &status, &observed).0, Turn::Same);
    assert_eq!(question(&rules(), &status, &observed), Some((OTHER.into(), Some(COMMIT.into()))));
    assert_eq!(question(&rules(), &status, &saw(COMMIT)), None);
    assert_eq!(question(&json!({}), &status, &observed), None);
    assert!(matches!(pass(&json!({}), &status, &observed).0, Turn::New(_)));
}

#[test]
fn a_commit_that_changes_a_file_that_counts_is_released_and_so_is_one_of_which_that_cannot_be_told() {
    for differs in [
        Differs::File("services/web/main.go".into()),
        Differs::Unknown(Unknown::Rewritten),
        Differs::Unknown(Unknown::TooMuch),
        Differs::Unknown(Unknown::Unreadable),
        Differs::NotAsked,
    ] {
        let mut observed = saw(OTHER);
        observed.change = change(Some(COMMIT), "Mend the door", differs.clone());
        let (turn, next) = pass(&rules(), &released(), &observed);
        assert!(matches!(turn, Turn::New(_)), "{differs:?}: {turn:?}");
        let said = &find(&next.conditions, ConditionType::SourceReady).unwrap().message;
        assert_eq!(said.contains("every file counted as changed"), matches!(differs, Differs::Unknown(_)), "{said}");
    }
}

#[test]
fn what_was_said_of_another_commit_or_in_comparison_with_another_one_counts_for_nothing() {
    let mut observed = saw(OTHER);
    for (base, commit) in [(Some(COMMIT), "c".repeat(40)), (Some("d"), OTHER.into()), (None, OTHER.into())] {
        observed.change =
            change(base, "", Differs::File("services/web/a".into())).map(|change| Change { commit, ..change });
        assert_eq!(pass(&rules(), &released(), &observed).0, Turn::Same);
    }
}

#[test]
fn a_commit_that_is_passed_over_is_recorded_once_with_its_reason_and_a_later_one_is_judged_anew() {
    for (message, differs, reason, words) in [
        (
            "Mend",
            Differs::Nothing,
            PassedOverReason::NoRelevantChange,
            "no file that counts by spec.source.git.paths has changed",
        ),
        ("[Skip CI]", Differs::File("services/web/a".into()), PassedOverReason::SkipWord, "its message has [skip ci]"),
    ] {
        let mut observed = saw(OTHER);
        observed.change = change(Some(COMMIT), message, differs);
        let (turn, next) = pass(&rules(), &released(), &observed);
        let Turn::PassedOver(why) = turn else { panic!("{turn:?}") };
        assert_eq!((&*why.commit, why.reason), (OTHER, reason));
        assert!(why.message.contains(words), "{}", why.message);
        assert_eq!(
            (next.passed_over.as_slice(), next.heads.clone(), next.making.as_ref()),
            ([why].as_slice(), released().heads, None)
        );
        let said = &find(&next.conditions, ConditionType::SourceReady).unwrap().message;
        assert!(said.contains("is not released: ") && said.contains(words), "{said}");

        observed.change = None;
        observed.at = at(100);
        assert_eq!(question(&rules(), &next, &observed), None);
        let (turn, again) = pass(&rules(), &next, &observed);
        assert_eq!((turn, &again.passed_over), (Turn::Same, &next.passed_over));
        observed.head = Looked::NotAsked;
        assert_eq!(pass(&rules(), &next, &observed).1, next, "nothing is written where nothing is new");

        let wider = json!({"source": {"git": {"paths": {"include": ["services"]}}}});
        assert!(question(&wider, &next, &saw(OTHER)).is_some(), "the rules are others now");
        assert_eq!(question(&rules(), &next, &saw(&"c".repeat(40))).unwrap().1.as_deref(), Some(COMMIT));
        let (_, back) = pass(&rules(), &next, &saw(COMMIT));
        let said = &find(&back.conditions, ConditionType::SourceReady).unwrap().message;
        assert!(!said.contains("is not released"), "the branch was set back: {said}");
        let (turn, released) = pass(&json!({}), &next, &saw(OTHER));
        assert!(matches!(turn, Turn::New(_)), "there are no rules any more");
        assert_eq!(released.passed_over, []);
    }
}

#[test]
fn the_last_three_heads_that_were_passed_over_are_remembered() {
    let mut status = released();
    for digit in ["1", "2", "3", "4", "5", "6", "7"] {
        let commit = digit.repeat(40);
        let mut observed = saw(&commit);
        observed.change = change(Some(COMMIT), "", Differs::Nothing).map(|change| Change { commit, ..change });
        status = pass(&rules(), &status, &observed).1;
    }
    let digits: String = status.passed_over.iter().filter_map(|one| one.commit.chars().next()).collect();
    assert_eq!(digits, "567");
    assert_eq!(question(&rules(), &status, &saw(&"6".repeat(40))), None, "the branch was set back to it");
}

#[test]
fn a_head_that_was_about_to_be_released_is_not_judged_again() {
    let mut status = released();
    status.making = Some(head("refs/heads/main", OTHER, 2, at(0)));
    assert_eq!(question(&rules(), &status, &saw(OTHER)), None);
    assert!(matches!(pass(&rules(), &status, &saw(OTHER)).0, Turn::New(_)));
}

#[test]
fn after_a_wiped_status_a_commit_is_compared_with_that_of_the_last_release() {
    let observed = saw(OTHER);
    let first = observed.releases[0].commit.clone();
    assert_eq!(question(&rules(), Record::empty().status(), &observed), Some((OTHER.into(), Some(first.clone()))));
    // One that has not begun says only of itself that the Pipeline made it: what it changes comes with the head.
    let mut waiting = release(2, 2, json!({"phase": "Active"}));
    waiting.spec.commit = Some("c".repeat(40).as_str().into());
    let mut observed = observed;
    observed.strangers = ReleaseSeen::parse(waiting).into_iter().collect();
    assert_eq!(question(&rules(), Record::empty().status(), &observed), Some((OTHER.into(), Some(first))));
}

#[test]
fn the_first_commit_is_released_whatever_it_changes_unless_its_message_says_otherwise() {
    let mut observed = sight(Vec::new());
    observed.head = Looked::Seen(Ok(OTHER.into()));
    let empty = Record::empty().status().clone();
    assert_eq!(question(&rules(), &empty, &observed), Some((OTHER.into(), None)));
    let said = |status: &PipelineStatus| find(&status.conditions, ConditionType::Ready).unwrap().message.clone();
    assert!(said(&pass(&rules(), &empty, &observed).1).contains("has not been read yet"));
    observed.change = change(None, "Begin", Differs::NotAsked);
    assert!(matches!(pass(&rules(), &empty, &observed).0, Turn::New(_)));
    observed.change = change(None, "Begin [skip ci]", Differs::NotAsked);
    let (turn, next) = pass(&rules(), &empty, &observed);
    assert!(matches!(turn, Turn::PassedOver(_)), "{turn:?}");
    assert!(said(&next).contains("is not released: its message has [skip ci]"), "{}", said(&next));
    observed.change = None;
    assert!(said(&pass(&rules(), &next, &observed).1).contains("is not released"));
}
