//! Which heads get a Release, the names of Releases, which of them are kept, and what is refused.

use super::rows::{parsed, recorded, sight};
use crate::Outcome;
use crate::account::{AccountSeen, scope};
use crate::address::{Allowed, Rules, Scheme};
use crate::condition::find;
use crate::look::Looked;
use crate::pipeline::heads::Turn;
use crate::pipeline::report::{Pass, report};
use crate::pipeline::{Action, Desired, Record, assess, decide};
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use crate::samples::release::{pipeline, release};
use crate::samples::{COMMIT, OTHER, account, time};
use crate::wake::Wake;
use launchway_crds::pipeline::PipelineStatus;
use serde_json::{Value, json};

fn status(head_of: Option<(&str, i64)>) -> PipelineStatus {
    let head =
        |(commit, number)| json!({"ref": "refs/heads/main", "commit": commit, "number": number, "seenAt": time(0)});
    let heads: Vec<Value> = head_of.map(head).into_iter().collect();
    serde_json::from_value(json!({"observedGeneration": 1, "heads": heads})).unwrap()
}

fn ended(number: i64) -> launchway_crds::Release {
    release(number, number, json!({"phase": "Succeeded"}))
}

#[test]
fn a_new_head_gets_the_next_number_and_one_that_is_recorded_gets_none() {
    let desired = parsed(&json!({}));
    let mut observed = sight(vec![ended(1)]);
    observed.head = Looked::Seen(Ok(OTHER.into()));
    let state = assess(&desired, &recorded(&status(Some((COMMIT, 1)))), &observed);
    let wanted = Action::Release { name: "web-2".into(), number: 2, commit: OTHER.into() };
    assert_eq!(decide(&desired, &observed, &state).action, Some(wanted));
    let state = assess(&desired, &recorded(&status(Some((OTHER, 1)))), &observed);
    assert_eq!((state.turn.clone(), decide(&desired, &observed, &state).action), (Turn::Same, None));
}

#[test]
fn a_release_whose_head_was_not_recorded_is_adopted_and_after_a_wiped_status_no_name_is_used_twice() {
    let desired = parsed(&json!({}));
    let mut observed = sight((1..=7).map(ended).collect());
    observed.head = Looked::Seen(Ok(OTHER.into()));
    for record in [Record::empty(), recorded(&status(None)), recorded(&status(Some((OTHER, 6))))] {
        let state = assess(&desired, &record, &observed);
        assert!(matches!(&state.turn, Turn::Adopted(head) if head.number == 7), "{:?}", state.turn);
        assert_eq!(decide(&desired, &observed, &state).action, None);
    }
}

#[test]
fn the_releases_of_a_deleted_pipeline_are_not_adopted_but_their_numbers_are_not_used_again() {
    let desired = parsed(&json!({}));
    let mut gone = ended(4);
    gone.metadata.owner_references.as_mut().unwrap()[0].uid = "p-0".into();
    let mut going = ended(5);
    going.metadata.deletion_timestamp = going.metadata.creation_timestamp.clone();
    let mut observed = sight(vec![gone, going]);
    observed.head = Looked::Seen(Ok(COMMIT.into()));
    let state = assess(&desired, &Record::empty(), &observed);
    assert_eq!(state.turn, Turn::New { commit: COMMIT.into(), number: 6 });
}

#[test]
fn going_back_to_an_older_commit_is_a_new_release_and_a_persons_release_has_no_part_in_the_numbers() {
    let desired = parsed(&json!({}));
    let mut manual = release(9, 9, json!({"phase": "Succeeded"}));
    (manual.spec.number, manual.spec.reason) = (None, launchway_crds::release::ReleaseReason::Manual);
    let mut observed = sight(vec![ended(1), ended(2), manual]);
    observed.head = Looked::Seen(Ok(COMMIT.into()));
    let state = assess(&desired, &recorded(&status(Some((OTHER, 2)))), &observed);
    assert_eq!(state.turn, Turn::New { commit: COMMIT.into(), number: 3 });
    // Its name may be the one that comes next.
    observed.releases[2].name = "web-3".into();
    let state = assess(&desired, &recorded(&status(Some((OTHER, 2)))), &observed);
    assert_eq!(state.turn, Turn::New { commit: COMMIT.into(), number: 4 });
}

#[test]
fn naming_another_branch_with_the_same_head_makes_no_release() {
    let mut observed = sight(vec![ended(1)]);
    observed.head = Looked::Seen(Ok(COMMIT.into()));
    let record = recorded(&status(Some((COMMIT, 1))));
    let renamed = parsed(&json!({"source": {"git": {"branch": "trunk"}}}));
    let Turn::Adopted(head) = assess(&renamed, &record, &observed).turn else { panic!("not adopted") };
    assert_eq!((&*head.of, &*head.commit, head.number), ("refs/heads/trunk", COMMIT, 1));
    observed.head = Looked::Seen(Ok(OTHER.into()));
    let state = assess(&renamed, &record, &observed);
    assert_eq!(state.turn, Turn::New { commit: OTHER.into(), number: 2 });
}

#[test]
fn no_release_is_made_while_the_head_cannot_be_seen_or_the_pipeline_is_suspended_or_refused() {
    let mut observed = sight(Vec::new());
    for head in [Looked::NotAsked, Looked::Blind(crate::samples::fault("Timeout", crate::fault::Remedy::Retry))] {
        observed.head = head;
        assert_eq!(assess(&parsed(&json!({})), &Record::empty(), &observed).turn, Turn::Same);
    }
    observed.head = Looked::Seen(Ok(COMMIT.into()));
    assert_eq!(assess(&parsed(&json!({"suspend": true})), &Record::empty(), &observed).turn, Turn::Same);
    observed.account.spec = None;
    assert_eq!(assess(&parsed(&json!({})), &Record::empty(), &observed).turn, Turn::Same);
}

#[test]
fn only_ended_releases_that_the_pipeline_made_and_no_stage_names_are_deleted() {
    let desired = parsed(&json!({"historyLimit": 2}));
    let mut all: Vec<_> = (1..=5).map(ended).collect();
    (all[1].spec.number, all[1].spec.reason) = (None, launchway_crds::release::ReleaseReason::Manual);
    let observed = sight(all);
    let mut status = status(Some((COMMIT, 5)));
    status.stages = serde_json::from_value(json!([crate::samples::release::granted("staging", 1, "web-1")])).unwrap();
    let state = assess(&desired, &recorded(&status), &observed);
    assert_eq!(
        state.surplus,
        Some("web-3".into()),
        "of four that were made two are kept, and the oldest holds a stage"
    );
    status.stages[0].grant.as_mut().unwrap().release = "web-5".into();
    let state = assess(&desired, &recorded(&status), &observed);
    assert_eq!(decide(&desired, &observed, &state).action, Some(Action::Forget("web-1".into())));
}

/// A look at a repository costs AWS nothing, and nothing tells us when a Secret was made or a branch came back.
#[test]
fn a_secret_or_a_branch_that_is_missing_is_looked_for_at_each_interval_and_the_message_hurries_it() {
    let desired = parsed(&json!({}));
    let missing = [
        Refusal::Secret { name: "git".into(), why: "is not there".into() },
        Refusal::NoSuchBranch { why: "there is no branch main".into() },
    ];
    for refusal in missing {
        let mut observed = sight(Vec::new());
        (observed.head, observed.next_poll) = (Looked::Seen(Err(refusal)), None);
        let record = Record::empty();
        let state = assess(&desired, &record, &observed);
        assert_eq!(decide(&desired, &observed, &state).wake, Wake::After(60));
        let next =
            report(&record, &Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle });
        let message = find(&next.conditions, ConditionType::Ready).unwrap().message.clone();
        for part in ["every 60 s", "kubectl -n shop annotate --overwrite lwp web"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}

fn rules() -> Rules {
    let allowed = Allowed { extra_hosts: Vec::new(), plain_http: Scheme::HttpsOnly };
    Rules::parse(&allowed, &[]).unwrap()
}

fn refusal(changes: &Value, account: &AccountSeen) -> Refusal {
    match Desired::parse(&pipeline(changes), &rules()) {
        Err(refusal) => refusal,
        Ok(desired) => scope(account, desired.region.as_deref()).and_then(|scope| desired.plan(&scope)).unwrap_err(),
    }
}

#[test]
fn each_refusal_of_a_pipeline_names_the_field_and_the_remedy() {
    let mut narrow = account();
    let allow = &mut narrow.spec.as_mut().unwrap().allow;
    (allow.projects, allow.repositories) = (vec!["lint".into(), "unit".into(), "web-build".into()], Vec::new());
    let mut none = account();
    none.spec.as_mut().unwrap().allow.projects = Vec::new();
    let link = "http://169.254.169.254/x";
    let verify = json!({"stages": [{"name": "a", "targets": [{"service": "a"}],
        "verify": [{"name": "v", "http": {"url": "https://127.0.0.1/"}}]}]});
    let large = json!({"build": {"codeBuild": {"project": "web-build", "buildspec": {"inline": "x".repeat(13_000)}}}});
    let cases = [
        (refusal(&json!({"source": {"git": {"url": link}}}), &account()), Reason::UrlRefused, "spec.source.git.url"),
        (refusal(&verify, &account()), Reason::UrlRefused, "verify[v].http.url"),
        (refusal(&large, &account()), Reason::InvalidSpec, "move buildspecs"),
        (refusal(&json!({}), &none), Reason::NotAllowed, "spec.allow.projects"),
        (refusal(&json!({}), &narrow), Reason::NotAllowed, "spec.allow.repositories"),
        (Refusal::Secret { name: "git".into(), why: "is not there".into() }, Reason::SecretRefused, "secretRef"),
        (Refusal::NoPipeline { pipeline: "web".into() }, Reason::NoPipeline, "spec.pipeline"),
    ];
    for (refusal, reason, word) in cases {
        assert_eq!(refusal.reason(), reason, "{refusal}");
        assert!(refusal.to_string().contains(word) && refusal.to_string().len() <= 1024, "{refusal}");
    }
}
