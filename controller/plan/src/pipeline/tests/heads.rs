//! Which heads get a Release, the names of Releases, which of them are kept, and what is refused.

use super::rows::{parsed, recorded, sight};
use crate::Outcome;
use crate::account::{AccountSeen, scope};
use crate::address::{Allowed, Rules, Scheme};
use crate::condition::find;
use crate::look::Looked;
use crate::pipeline::heads::{LAST, Turn, head, made, sorted};
use crate::pipeline::observed::Tip;
use crate::pipeline::pushed::Images;
use crate::pipeline::report::{Pass, report};
use crate::pipeline::{Action, Desired, Effected, Record, ReleaseSeen, assess, decide};
use crate::reason::{ConditionType, Reason};
use crate::refusal::Refusal;
use crate::samples::release::{pipeline, release};
use crate::samples::{COMMIT, OTHER, account, at, time};
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
    let Some(Action::Release(head)) = decide(&desired, &observed, &state).action else { panic!("{state:?}") };
    assert_eq!((&*head.of, &*head.commit, head.number), ("refs/heads/main", OTHER, 2));
    let state = assess(&desired, &recorded(&status(Some((OTHER, 1)))), &observed);
    assert_eq!((state.turn.clone(), decide(&desired, &observed, &state).action), (Turn::Same, None));
}

#[test]
fn a_release_that_was_about_to_be_made_is_adopted_and_its_uid_recorded_wherever_the_branch_is_by_then() {
    let desired = parsed(&json!({}));
    let mut observed = sight((1..=7).map(ended).collect());
    let mut before = status(Some((OTHER, 6)));
    before.making = Some(head("refs/heads/main", COMMIT, 7, crate::samples::at(0)));
    for seen in [Looked::NotAsked, Looked::Seen(Ok(OTHER.into())), Looked::Seen(Ok("c".repeat(40).into()))] {
        observed.head = seen;
        let record = recorded(&before);
        let state = assess(&desired, &record, &observed);
        let Turn::Adopted(adopted, Some(uid)) = &state.turn else { panic!("{:?}", state.turn) };
        assert_eq!((adopted.number, &*adopted.commit, uid.as_str()), (7, COMMIT, "r-7"));
        assert_eq!(decide(&desired, &observed, &state).action, None);
        let pass = Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle };
        let next = report(&record, &pass);
        assert_eq!((next.making, next.made, next.heads[0].number), (None, vec!["r-7".into()], 7));
    }
}

#[test]
fn after_a_wiped_status_the_release_of_the_head_is_adopted_and_no_name_is_used_twice() {
    let desired = parsed(&json!({}));
    let mut observed = sight((1..=7).map(ended).collect());
    observed.head = Looked::Seen(Ok(COMMIT.into()));
    let state = assess(&desired, &Record::empty(), &observed);
    assert!(matches!(&state.turn, Turn::Adopted(head, Some(_)) if head.number == 7), "{:?}", state.turn);
    observed.head = Looked::Seen(Ok(OTHER.into()));
    let state = assess(&desired, &Record::empty(), &observed);
    assert_eq!(new(&state.turn), (OTHER, 8));
}

/// The commit and the number of a Release that is to be made.
fn new(turn: &Turn) -> (&str, i64) {
    let Turn::New(head) = turn else { panic!("{turn:?}") };
    (&head.commit, head.number)
}

/// A Release that somebody else than the Pipeline made. It says all that one of the Pipeline says.
fn forged(number: i64, commit: &str) -> launchway_crds::Release {
    let mut forged = release(number, 50, json!({"phase": "Active"}));
    forged.metadata.uid = Some(format!("forged-{number}"));
    forged.spec.commit = Some(commit.into());
    forged
}

#[test]
fn a_forged_release_is_left_alone_and_the_next_commit_gets_the_next_free_name() {
    let desired = parsed(&json!({}));
    let mut record = status(Some((COMMIT, 1)));
    record.made = vec!["r-1".into()];
    let own = release(1, 1, json!({"phase": "Active"}));
    for number in [2, 999_999_998, 999_999_999, i64::MAX, i64::MIN, -1, 0] {
        let all = [own.clone(), forged(number, OTHER)].into_iter().filter_map(ReleaseSeen::parse).collect();
        let (believed, strangers) = sorted(&desired, &recorded(&record), all);
        assert_eq!(believed.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["web-1"], "{number}");
        let mut observed = sight(Vec::new());
        (observed.releases, observed.strangers) = (believed, strangers);
        observed.head = Looked::Seen(Ok(OTHER.into()));
        let state = assess(&desired, &recorded(&record), &observed);
        assert_eq!(new(&state.turn), (OTHER, if number == 2 { 3 } else { 2 }), "{number}");
        assert!(state.holding.building.releases.iter().all(|name| **name == *"web-1"), "{:?}", state.holding);
    }
}

#[test]
fn what_was_made_is_known_by_its_uid_what_has_begun_by_that_and_what_persons_made_is_theirs() {
    let desired = parsed(&json!({}));
    let mut record = status(Some((COMMIT, 3)));
    record.made = vec!["r-1".into()];
    record.making = Some(head("refs/heads/main", OTHER, 4, crate::samples::at(0)));
    let begun = launchway_crds::Release { status: Some(crate::samples::release::begun()), ..forged(2, COMMIT) };
    let mut manual = forged(9, OTHER);
    (manual.spec.number, manual.spec.reason) = (None, launchway_crds::release::ReleaseReason::Manual);
    let mut renamed = begun.clone();
    renamed.metadata.name = Some("web-7".into());
    let mut cancelled = forged(5, COMMIT);
    cancelled.status.as_mut().unwrap().phase = Some(launchway_crds::release::ReleasePhase::Cancelled);
    let mut another = forged(4, OTHER);
    another.metadata.owner_references.as_mut().unwrap()[0].uid = "p-0".into();
    let all =
        [release(1, 1, json!({})), begun, manual, forged(4, OTHER), forged(3, COMMIT), renamed, cancelled, another];
    let (believed, strangers) =
        sorted(&desired, &recorded(&record), all.into_iter().filter_map(ReleaseSeen::parse).collect());
    let uids = |all: &[ReleaseSeen]| all.iter().map(|one| one.uid.clone()).collect::<Vec<_>>();
    assert_eq!(uids(&believed), ["r-1", "forged-2", "forged-9", "forged-4"]);
    assert_eq!(uids(&strangers), ["forged-3", "forged-2", "forged-5", "forged-4"]);
}

#[test]
fn a_name_that_is_taken_is_skipped_by_one_number_in_each_pass_and_after_the_last_the_first_follows() {
    let desired = parsed(&json!({}));
    let mut record = status(Some((COMMIT, 1)));
    let mut observed = sight(Vec::new());
    observed.head = Looked::Seen(Ok(OTHER.into()));
    let mut tried = Vec::new();
    for _ in 0..3 {
        let state = assess(&desired, &recorded(&record), &observed);
        let Some(Action::Release(head)) = decide(&desired, &observed, &state).action else { panic!("{state:?}") };
        tried.push((head.number, head.commit.to_string()));
        let outcome = Outcome::Done(Effected::Taken(head));
        let pass = Pass { desired: &desired, observed: &observed, state: &state, outcome: &outcome };
        record = report(&recorded(&record), &pass);
    }
    assert_eq!(tried, [2, 3, 4].map(|number| (number, OTHER.to_owned())));
    record.making = Some(head("refs/heads/main", OTHER, LAST, crate::samples::at(0)));
    let state = assess(&desired, &recorded(&record), &observed);
    assert_eq!(new(&state.turn).1, LAST);
    observed.strangers = vec![ReleaseSeen::parse(forged(LAST, COMMIT)).unwrap()];
    let state = assess(&desired, &recorded(&record), &observed);
    assert_eq!(new(&state.turn).1, 1);
    for number in [LAST, i64::MAX] {
        record.making = None;
        record.heads[0].number = number;
        let state = assess(&desired, &recorded(&record), &observed);
        assert_eq!(new(&state.turn).1, 1, "{number}");
    }
}

/// The numbers that the schema admits are those that are counted with.
#[test]
fn the_schema_admits_the_numbers_that_are_given_and_no_higher_ones() {
    let all = serde_json::to_value(launchway_crds::all()).unwrap().to_string();
    assert!(all.contains(&format!("\"maximum\":{LAST}")), "{LAST}");
    assert!(!all.contains("\"maximum\":9223372036854775807"));
}

#[test]
fn uids_are_kept_of_the_newest_and_of_all_that_wait_to_begin() {
    let waiting = (1..=20).filter_map(|number| ReleaseSeen::parse(release(number, number, json!({"phase": "Active"}))));
    let mut observed = sight(Vec::new());
    observed.releases = waiting.collect();
    let mut record = status(Some((COMMIT, 1)));
    for number in 1..=300 {
        record.made = made(&recorded(&record), &observed, Some(format!("r-{number}").as_str().into()));
    }
    assert!(record.made.len() <= 50, "{}", record.made.len());
    assert!((1..=20).chain([300]).all(|number| record.made.contains(&format!("r-{number}").as_str().into())));
}

#[test]
fn while_the_line_is_full_no_release_is_made_and_the_source_says_so() {
    let desired = parsed(&json!({"concurrency": {"mode": "Queue"}}));
    for (waiting, is_full) in [(19, false), (20, true)] {
        let releases = (1..=waiting).map(|number| release(number, number, json!({"phase": "Active"}))).collect();
        let mut observed = sight(releases);
        observed.head = Looked::Seen(Ok(Tip::Commit { of: "refs/heads/main".into(), commit: OTHER.into() }));
        let mut before = status(Some((COMMIT, waiting)));
        before.made = (1..=waiting).map(|number| format!("r-{number}").as_str().into()).collect();
        let record = recorded(&before);
        let state = assess(&desired, &record, &observed);
        assert_eq!(matches!(state.turn, Turn::New(_)), !is_full, "{:?}", state.turn);
        let pass = Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle };
        let next = report(&record, &pass);
        let message = &find(&next.conditions, ConditionType::SourceReady).unwrap().message;
        assert_eq!(message.contains("20 Releases wait to begin"), is_full, "{message}");
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
    assert_eq!(new(&state.turn), (COMMIT, 6));
}

#[test]
fn going_back_to_an_older_commit_is_a_new_release_and_a_persons_release_has_no_part_in_the_numbers() {
    let desired = parsed(&json!({}));
    let mut manual = release(9, 9, json!({"phase": "Succeeded"}));
    (manual.spec.number, manual.spec.reason) = (None, launchway_crds::release::ReleaseReason::Manual);
    let mut observed = sight(vec![ended(1), ended(2), manual]);
    observed.head = Looked::Seen(Ok(COMMIT.into()));
    let state = assess(&desired, &recorded(&status(Some((OTHER, 2)))), &observed);
    assert_eq!(new(&state.turn), (COMMIT, 3));
    // Its name may be the one that comes next.
    observed.releases[2].name = "web-3".into();
    let state = assess(&desired, &recorded(&status(Some((OTHER, 2)))), &observed);
    assert_eq!(new(&state.turn), (COMMIT, 4));
}

#[test]
fn naming_another_branch_with_the_same_head_makes_no_release() {
    let mut observed = sight(vec![ended(1)]);
    let trunk = |commit: &str| Tip::Commit { of: "refs/heads/trunk".to_owned(), commit: commit.to_owned() };
    observed.head = Looked::Seen(Ok(trunk(COMMIT)));
    let record = recorded(&status(Some((COMMIT, 1))));
    let renamed = parsed(&json!({"source": {"git": {"branch": "trunk"}}}));
    let Turn::Adopted(head, None) = assess(&renamed, &record, &observed).turn else { panic!("not adopted") };
    assert_eq!((&*head.of, &*head.commit, head.number), ("refs/heads/trunk", COMMIT, 1));
    observed.head = Looked::Seen(Ok(trunk(OTHER)));
    let state = assess(&renamed, &record, &observed);
    assert_eq!(new(&state.turn), (OTHER, 2));
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

/// Nothing tells us when a Secret was made or a branch came back.
#[test]
fn a_secret_or_a_branch_that_is_missing_is_looked_for_at_each_interval_and_the_message_says_what_hurries_it() {
    let desired = parsed(&json!({}));
    let missing = [
        (Refusal::Secret { name: "git".into(), why: "is not there".into() }, true),
        (Refusal::NoSuchBranch { field: "spec.source.git.branch", why: "there is no branch main".into() }, false),
    ];
    for (refusal, is_hurried) in missing {
        let mut observed = sight(Vec::new());
        (observed.head, observed.next_poll) = (Looked::Seen(Err(refusal)), None);
        let record = Record::empty();
        let state = assess(&desired, &record, &observed);
        assert_eq!(decide(&desired, &observed, &state).wake, Wake::After(60));
        let next =
            report(&record, &Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle });
        let message = find(&next.conditions, ConditionType::Ready).unwrap().message.clone();
        assert!(message.contains("every 60 s"), "{message}");
        assert_eq!(message.contains("kubectl -n shop annotate --overwrite lwp web"), is_hurried, "{message}");
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
    let mut elsewhere = account();
    elsewhere.spec.as_mut().unwrap().allow.code_commit_repositories = vec!["other-*".into()];
    let code_commit = json!({"source": {"git": null, "codeCommit": {"repository": "shop-web", "branch": "main"}}});
    let verify = json!({"stages": [{"name": "a", "targets": [{"service": "a"}],
        "verify": [{"name": "v", "http": {"url": "https://127.0.0.1/"}}]}]});
    let large = json!({"build": {"codeBuild": {"project": "web-build", "buildspec": {"inline": "x".repeat(13_000)}}}});
    let cases = [
        (refusal(&json!({"source": {"git": {"url": link}}}), &account()), Reason::UrlRefused, "spec.source.git.url"),
        (refusal(&verify, &account()), Reason::UrlRefused, "verify[v].http.url"),
        (refusal(&code_commit, &elsewhere), Reason::NotAllowed, "spec.allow.codeCommitRepositories: [\"shop-web\"]"),
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

#[test]
fn of_images_that_somebody_else_pushes_each_new_tag_gets_a_release_and_a_deleted_one_none() {
    let desired = parsed(&json!({"source": {"git": null, "image": {"tag": "v-$(commit)"}}, "build": null}));
    let listed = |all: &[(i64, &str)]| {
        let mut images = Images::default();
        all.iter().for_each(|(second, commit)| images.add(&format!("v-{commit}"), at(*second), &"v-$(commit)".into()));
        Looked::Seen(Ok(Tip::Images(images)))
    };
    let mut observed = sight(Vec::new());
    let mut before = status(None);
    let mut turn = |before: &PipelineStatus, all: &[(i64, &str)]| {
        observed.head = listed(all);
        assess(&desired, &recorded(before), &observed).turn
    };
    let Turn::New(first) = turn(&before, &[(1, COMMIT), (2, OTHER)]) else { panic!("the newest is released") };
    assert_eq!((&*first.of, &*first.commit, first.number), ("refs/images/web/v-$(commit)", OTHER, 1));
    before.heads = vec![first.clone()];
    assert_eq!(turn(&before, &[(1, COMMIT), (2, OTHER)]), Turn::Same);
    assert_eq!(turn(&before, &[(1, COMMIT)]), Turn::Same, "the newest was deleted");
    assert_eq!(turn(&before, &[]), Turn::Same);
    let third = "c".repeat(40);
    let back = turn(&before, &[(1, COMMIT), (1, &third), (2, OTHER)]);
    assert_eq!(new(&back), (&*third, 2), "a commit whose image is one that was there before");
    let Turn::New(head) = back else { panic!() };
    before.heads = vec![head];
    assert_eq!(turn(&before, &[(1, COMMIT), (1, &third), (2, OTHER)]), Turn::Same);
}

#[test]
fn while_there_is_no_image_the_pipeline_says_what_it_looks_for_and_what_is_there() {
    let desired = parsed(&json!({"source": {"git": null, "image": {}}, "build": null}));
    let mut observed = sight(Vec::new());
    let mut images = Images::default();
    images.add("latest", at(5), &"$(commit)".into());
    observed.head = Looked::Seen(Ok(Tip::Images(images)));
    let state = assess(&desired, &Record::empty(), &observed);
    let pass = Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle };
    let next = report(&Record::empty(), &pass);
    let ready = find(&next.conditions, ConditionType::Ready).unwrap();
    assert_eq!(ready.reason, "NoCommitYet");
    for part in ["images of ECR repository web tagged $(commit)", "tagged latest", "every 60 s"] {
        assert!(ready.message.contains(part), "{part}: {}", ready.message);
    }
    assert!(!crate::condition::is_true(&next.conditions, ConditionType::Stalled));
}

#[test]
fn after_a_wiped_status_the_newest_own_release_is_the_head_of_images_and_what_came_later_is_new() {
    let desired = parsed(&json!({"source": {"git": null, "image": {}}, "build": null}));
    let mut observed = sight(vec![ended(6), ended(7)]);
    let mut images = Images::default();
    let (known, later) = ("d".repeat(40), "e".repeat(40));
    for (second, commit) in [(1, COMMIT), (5, &known), (900, &later)] {
        images.add(commit, at(second), &"$(commit)".into());
    }
    observed.head = Looked::Seen(Ok(Tip::Images(images)));
    let Turn::Adopted(head, Some(uid)) = assess(&desired, &Record::empty(), &observed).turn else { panic!() };
    assert_eq!((&*head.commit, head.number, uid.as_str()), (COMMIT, 7, "r-7"));
    let mut before = status(None);
    before.heads = vec![head];
    assert_eq!(new(&assess(&desired, &recorded(&before), &observed).turn), (&*later, 8));
}

#[test]
fn a_pipeline_that_built_its_images_and_now_follows_them_goes_on_from_the_newest_and_releases_nothing_older() {
    let desired = parsed(&json!({"source": {"git": null, "image": {}}, "build": null}));
    let mut observed = sight(vec![ended(1)]);
    let mut images = Images::default();
    let never_released = "d".repeat(40);
    for (second, commit) in [(1, &*never_released), (5, COMMIT)] {
        images.add(commit, at(second), &"$(commit)".into());
    }
    observed.head = Looked::Seen(Ok(Tip::Images(images)));
    let Turn::Adopted(head, None) = assess(&desired, &recorded(&status(Some((COMMIT, 1)))), &observed).turn else {
        panic!()
    };
    assert_eq!((&*head.commit, head.number), (COMMIT, 1));
    let mut after = status(None);
    after.heads = vec![head];
    assert_eq!(assess(&desired, &recorded(&after), &observed).turn, Turn::Same);
}
