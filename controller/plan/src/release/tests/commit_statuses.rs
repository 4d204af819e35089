//! Commit statuses: what the git host is told, and when.

use crate::condition::find;
use crate::fault::{Fault, FaultKind, Remedy};
use crate::life::Life;
use crate::reason::ConditionType;
use crate::release::commit_status::{CommitStatus, Host, Unreported, host, unreported};
use crate::release::report::report;
use crate::release::{Action, Desired, Effected, Pass, Record, Stop, assess, decide, due};
use crate::samples::release::{begun, pipeline, release, sight, stage};
use crate::samples::{at, over, time};
use crate::wake::Wake;
use crate::{Outcome, Plan};
use launchway_crds::condition::Condition;
use launchway_crds::pipeline::GitHost;
use launchway_crds::release::{Release, ReleaseStatus, Reported};
use serde_json::{Value, json};

fn reporting() -> Value {
    json!({"report": {"commitStatus": {"provider": "GitHub", "secretRef": {"name": "statuses"}}}})
}

/// The Release with its status changed so, that many seconds after the beginning, and what is unreported of it.
fn told(changes: &Value, second: i64) -> Vec<(String, Reported, String)> {
    let (release, observed) = (changed(changes), sight(second, &reporting(), Value::Null));
    let desired = Desired::parse(&release).unwrap();
    let lacks = unreported(&desired, &Record::parse(&release), observed.pipeline.as_ref(), at(second));
    lacks.statuses.into_iter().map(|one| (one.subject.to_string(), one.state, one.description)).collect()
}

fn changed(changes: &Value) -> Release {
    release(1, 0, over(serde_json::to_value(begun()).unwrap(), changes))
}

fn step(name: &str, phase: &str, reported: Option<&str>) -> Value {
    let started = json!({"id": format!("{name}:1-2"), "startedAt": time(0)});
    let mut step = json!({"name": name, "phase": phase, "attempt": 1, "started": started});
    if let Some(reported) = reported {
        step["reported"] = reported.into();
    }
    step
}

fn names(posts: &[(String, Reported, String)]) -> Vec<(&str, Reported)> {
    posts.iter().map(|(place, state, _)| (place.as_str(), *state)).collect()
}

#[test]
fn a_release_that_begins_tells_of_every_check_and_of_the_build_and_not_of_stages_that_it_has_not_reached() {
    let posts = told(&json!({}), 10);
    let pending = Reported::Pending;
    assert_eq!(names(&posts), [("checks/lint", pending), ("checks/unit", pending), ("build", pending)]);
    assert_eq!(posts[0].2, "Release web-1 has begun");
}

#[test]
fn only_what_is_new_is_told() {
    let steps = [
        step("lint", "Succeeded", Some("Success")),
        step("unit", "Running", Some("Pending")),
        step("build", "Succeeded", Some("Pending")),
    ];
    let mut staging = stage("staging", 3, "Verifying");
    staging["reported"] = "Pending".into();
    let stages = [staging, stage("prod", 4, "Verified")];
    let posts = told(&json!({"steps": steps, "stages": stages, "images": crate::samples::release::images()}), 10);
    assert_eq!(names(&posts), [("build", Reported::Success), ("stages/prod", Reported::Success)]);
}

#[test]
fn what_never_began_or_was_stopped_is_given_up_in_the_end_whether_it_was_reported_or_not() {
    let steps = [
        step("lint", "Failed", Some("Pending")),
        step("unit", "Stopped", None),
        json!({"name": "build", "phase": "Waiting", "attempt": 1, "reported": "Pending"}),
    ];
    let posts = told(&json!({"steps": steps, "phase": "Failed", "endedAt": time(5)}), 10);
    let expected =
        [("checks/lint", Reported::Failure), ("checks/unit", Reported::Cancelled), ("build", Reported::Cancelled)];
    assert_eq!(names(&posts), expected, "an answer that was lost may have left something pending");
    assert_eq!(posts[0].2, "failed; why: kubectl -n shop describe lwr web-1");
}

#[test]
fn a_build_without_the_image_that_it_should_push_is_no_success() {
    let steps = ["lint", "unit", "build"].map(|name| step(name, "Succeeded", None));
    for (phase, state) in [
        (None, Reported::Pending),
        (Some("Failed"), Reported::Failure),
        (Some("Superseded"), Reported::Cancelled),
        (Some("Succeeded"), Reported::Success),
    ] {
        let ended = phase.map(|_| time(5));
        let posts = told(&json!({"steps": steps, "phase": phase.unwrap_or("Active"), "endedAt": ended}), 10);
        assert_eq!(names(&posts)[2], ("build", state), "{phase:?}");
        assert_eq!(names(&posts)[0], ("checks/lint", Reported::Success), "{phase:?}");
    }
}

#[test]
fn a_release_that_was_superseded_says_so() {
    let steps = [step("lint", "Stopped", Some("Pending"))];
    let posts = told(
        &json!({"steps": [steps[0], step("unit", "Stopped", None), step("build", "Stopped", None)],
        "phase": "Superseded", "endedAt": time(5)}),
        10,
    );
    assert_eq!(posts[0].2, "not finished: a newer release took the place of web-1");
}

#[test]
fn a_day_after_its_end_nothing_is_sent_any_more_and_it_is_still_known_what_the_host_lacks() {
    let ended = changed(&json!({"phase": "Succeeded", "endedAt": time(5), "steps": [
        step("lint", "Succeeded", None), step("unit", "Succeeded", None), step("build", "Succeeded", None)]}));
    let lacks = |second| {
        let observed = sight(second, &reporting(), Value::Null);
        unreported(&Desired::parse(&ended).unwrap(), &Record::parse(&ended), observed.pipeline.as_ref(), at(second))
    };
    let (soon, late) = (lacks(5 + 24 * 3600), lacks(6 + 24 * 3600));
    assert!(soon.host.is_some() && late.host.is_none());
    assert_eq!((soon.statuses.len(), &soon.statuses), (3, &late.statuses));
}

#[test]
fn nothing_is_lacking_without_a_report_without_a_pipeline_or_of_what_is_being_deleted() {
    let release = changed(&json!({}));
    let (desired, record) = (Desired::parse(&release).unwrap(), Record::parse(&release));
    let (with, without) = (sight(9, &reporting(), Value::Null), sight(9, &json!({}), Value::Null));
    assert_eq!(unreported(&desired, &record, with.pipeline.as_ref(), at(9)).statuses.len(), 3);
    assert_eq!(unreported(&desired, &record, without.pipeline.as_ref(), at(9)), Unreported::default());
    assert_eq!(unreported(&desired, &record, None, at(9)), Unreported::default());
    let ends = Desired { life: Life::Ends, ..desired };
    assert_eq!(unreported(&ends, &record, with.pipeline.as_ref(), at(9)), Unreported::default());
}

#[test]
fn a_build_links_to_the_console_of_its_region() {
    let release = changed(
        &json!({"steps": [step("lint", "Running", None), step("unit", "Running", None), step("build", "Running", None)]}),
    );
    let observed = sight(9, &reporting(), Value::Null);
    let lacks =
        unreported(&Desired::parse(&release).unwrap(), &Record::parse(&release), observed.pipeline.as_ref(), at(9));
    let link = lacks.statuses[0].link.as_deref();
    assert_eq!(
        link,
        Some(
            "https://us-east-2.console.aws.amazon.com/codesuite/codebuild/projects/lint/build/lint%3A1-2/?region=us-east-2"
        )
    );
}

#[test]
fn an_id_that_somebody_else_wrote_into_the_status_becomes_no_link() {
    for id in ["lint:../../x", "lint:a?b#c", "other:1-2", "lint"] {
        let forged =
            json!({"name": "lint", "phase": "Running", "attempt": 1, "started": {"id": id, "startedAt": time(0)}});
        let release =
            changed(&json!({"steps": [forged, step("unit", "Running", None), step("build", "Running", None)]}));
        let observed = sight(9, &reporting(), Value::Null);
        let lacks =
            unreported(&Desired::parse(&release).unwrap(), &Record::parse(&release), observed.pipeline.as_ref(), at(9));
        assert_eq!(lacks.statuses[0].link, None, "{id}");
        assert!(lacks.statuses[1].link.is_some());
    }
}

#[test]
fn the_host_is_the_reports_or_else_the_sources() {
    let of = |report: Value| {
        host(
            &pipeline(&json!({"report": {"commitStatus": report},
        "source": {"git": {"url": "https://git.example.com/web.git", "branch": "main", "secretRef": {"name": "git"}}}}))
            .spec,
        )
    };
    let expected = |repository: &str, secret: &str| {
        Some(Host {
            provider: GitHost::GitLab,
            repository: repository.to_owned(),
            secret: Some(secret.to_owned()),
            branch: Some("main".to_owned()),
        })
    };
    assert_eq!(of(json!({"provider": "GitLab"})), expected("https://git.example.com/web.git", "git"));
    let other = json!({"provider": "GitLab", "repository": "https://gitlab.com/a/web", "secretRef": {"name": "other"}});
    assert_eq!(of(other), expected("https://gitlab.com/a/web", "other"));
    assert_eq!(host(&pipeline(&json!({})).spec), None);
}

fn fault(remedy: Remedy) -> Fault {
    Fault {
        operation: "git:commit-status".to_owned(),
        resource: "https://git.example.com/web.git".to_owned(),
        code: "Unauthorized".to_owned(),
        message: "the git host answered 401".to_owned(),
        kind: FaultKind::Credentials,
        remedy,
    }
}

/// What a pass makes of the Release if the git host answers so.
fn passed(release: &Release, outcome: &Outcome<Effected>) -> (Plan<Action>, ReleaseStatus) {
    let (desired, record) = (Desired::parse(release).unwrap(), Record::parse(release));
    let observed = sight(20, &reporting(), Value::Null);
    let state = assess(&desired, &record, &observed);
    let plan = decide(&desired, &state);
    let pass = Pass { desired: &desired, observed: &observed, state: &state, action: plan.action.as_ref(), outcome };
    let next = report(release.status.as_ref().unwrap(), &pass);
    (plan, next)
}

fn said(status: &ReleaseStatus) -> Option<&Condition> {
    find(&status.conditions, ConditionType::Unreported)
}

/// A Release that has failed, and of which the git host knows nothing.
fn failed() -> Release {
    changed(&json!({"phase": "Failed", "endedAt": time(5), "steps": [
        step("lint", "Failed", None), step("unit", "Succeeded", None), step("build", "Waiting", None)]}))
}

#[test]
fn a_host_that_refuses_turns_one_condition_and_nothing_else_and_an_answer_takes_it_away() {
    let release = failed();
    let (plan, _) = passed(&release, &Outcome::Idle);
    let Some(Action::Report { statuses, .. }) = plan.action else { panic!("{:?}", plan.action) };
    let (_, quiet) = passed(&release, &Outcome::Idle);
    let none = Outcome::Done(Effected::Reported { statuses: Vec::new(), fault: Some(fault(Remedy::AskOperator)) });
    let (_, refused) = passed(&release, &none);
    let condition = said(&refused).unwrap();
    assert_eq!((condition.status.as_str(), condition.reason.as_str()), ("True", "NotReported"));
    assert!(condition.message.contains("the git host answered 401"), "{}", condition.message);
    let others = |status: &ReleaseStatus| {
        status.conditions.iter().filter(|one| one.type_ != "Unreported").cloned().collect::<Vec<_>>()
    };
    assert_eq!(others(&refused), others(&quiet));
    assert_eq!(refused.steps, quiet.steps);

    let kept = Release { status: Some(refused), ..release };
    assert!(said(&passed(&kept, &Outcome::Idle).1).is_some(), "it stays while something is unreported");
    let all = Outcome::Done(Effected::Reported { statuses, fault: None });
    let (_, next) = passed(&kept, &all);
    assert_eq!(said(&next), None);
    let reported: Vec<_> = next.steps.iter().map(|step| step.reported).collect();
    assert_eq!(reported, [Reported::Failure, Reported::Success, Reported::Cancelled].map(Some));
    let done = Release { status: Some(next), ..kept };
    assert_eq!(passed(&done, &Outcome::Idle).0, Plan::rest(Wake::OnChange));
}

#[test]
fn what_was_told_before_the_host_refused_is_recorded() {
    let release = failed();
    let Some(Action::Report { statuses, .. }) = passed(&release, &Outcome::Idle).0.action else { panic!() };
    let first: Vec<CommitStatus> = statuses[..1].to_vec();
    let some = Outcome::Done(Effected::Reported { statuses: first, fault: Some(fault(Remedy::Retry)) });
    let (_, next) = passed(&release, &some);
    let told: Vec<_> = next.steps.iter().map(|step| step.reported).collect();
    assert_eq!(told, [Some(Reported::Failure), None, None]);
    assert!(said(&next).is_some());
}

/// What the git host lacks of a Release that begins.
fn lacking() -> Unreported {
    let release = changed(&json!({}));
    let observed = sight(9, &reporting(), Value::Null);
    unreported(&Desired::parse(&release).unwrap(), &Record::parse(&release), observed.pipeline.as_ref(), at(9))
}

fn plan(action: Option<Action>, wake: Wake) -> Plan<Action> {
    Plan { action, wake }
}

#[test]
fn a_host_that_fails_keeps_a_release_that_is_at_work_from_nothing() {
    let Unreported { statuses, host } = lacking();
    let reports = |wake| plan(Some(Action::Report { host: host.clone().unwrap(), statuses: statuses.clone() }), wake);
    let refused = |remedy| Outcome::Done(Effected::Reported { statuses: Vec::new(), fault: Some(fault(remedy)) });
    let due = |wake, remedy| due(&reports(wake), &refused(remedy), &lacking());
    assert_eq!(due(Wake::After(30), Remedy::Retry), Wake::After(30));
    assert_eq!(due(Wake::After(30), Remedy::AskOperator), Wake::After(30));
    assert_eq!(due(Wake::OnChange, Remedy::Retry), Wake::Backoff);
    assert_eq!(due(Wake::OnChange, Remedy::AskOperator), Wake::Operator);
}

#[test]
fn only_progress_brings_the_next_pass_at_once() {
    let Unreported { statuses, host } = lacking();
    let reports = plan(Some(Action::Report { host: host.unwrap(), statuses: statuses.clone() }), Wake::OnChange);
    let took =
        |statuses: &[CommitStatus]| Outcome::Done(Effected::Reported { statuses: statuses.to_vec(), fault: None });
    assert_eq!(due(&reports, &took(&statuses[..1]), &lacking()), Wake::Now, "there was no time for the others");
    assert_eq!(due(&reports, &took(&[]), &lacking()), Wake::OnChange, "it is another Release's turn to say");
    assert_eq!(due(&reports, &took(&statuses), &Unreported::default()), Wake::OnChange);
    assert_eq!(due(&plan(None, Wake::After(60)), &Outcome::Idle, &lacking()), Wake::Now, "a stage was entered");
    let late = Unreported { host: None, ..lacking() };
    assert_eq!(due(&plan(None, Wake::OnChange), &Outcome::Idle, &late), Wake::OnChange);
}

#[test]
fn a_call_to_aws_that_fails_is_tried_again_when_its_fault_says_whatever_the_host_lacks() {
    let stop = Action::Stop { step: "lint".to_owned(), id: "lint:1".to_owned(), because: Stop::Over };
    for (remedy, wake) in [
        (Remedy::Retry, Wake::Backoff),
        (Remedy::LookAgain, Wake::Backoff),
        (Remedy::Wait(7), Wake::Turn(7)),
        (Remedy::AskOperator, Wake::Operator),
    ] {
        let stops = plan(Some(stop.clone()), Wake::After(5));
        assert_eq!(due(&stops, &Outcome::Failed(fault(remedy)), &lacking()), wake);
        assert_eq!(due(&stops, &Outcome::Idle, &lacking()), Wake::After(5), "there is no account");
    }
}
