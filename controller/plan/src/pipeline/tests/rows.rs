//! The rows for a Pipeline in the table of docs/conditions.md. Their statuses are written to `tests/rows`.

use crate::Outcome;
use crate::address::{Allowed, Rules, Scheme};
use crate::condition::{find, is_true};
use crate::fault::{Fault, Remedy};
use crate::look::Looked;
use crate::pipeline::desired::Target;
use crate::pipeline::report::{Pass, report};
use crate::pipeline::{Desired, Observed, Record, ReleaseSeen, assess, refused};
use crate::reason::ConditionType;
use crate::refusal::Refusal;
use crate::samples::release::{images, pipeline, release, stage};
use crate::samples::{COMMIT, account, at, fault};
use crate::target::TargetSeen;
use launchway_crds::Release;
use launchway_crds::pipeline::PipelineStatus;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A sample Pipeline with these changes, parsed.
pub fn parsed(changes: &Value) -> Desired {
    let rules = Rules::parse(&Allowed { extra_hosts: Vec::new(), plain_http: Scheme::HttpsOnly }, &[]).unwrap();
    Desired::parse(&pipeline(changes), &rules).unwrap()
}

/// A pass that saw these Releases and no head.
pub fn sight(releases: Vec<Release>) -> Observed {
    let releases = releases.into_iter().filter_map(ReleaseSeen::parse).collect();
    Observed {
        at: at(10),
        account: account(),
        head: Looked::NotAsked,
        change: None,
        next_poll: None,
        releases,
        strangers: Vec::new(),
        targets: BTreeMap::new(),
    }
}

/// The record of a Pipeline with this status.
pub fn recorded(status: &PipelineStatus) -> Record {
    let mut pipeline = pipeline(&json!({}));
    pipeline.status = Some(status.clone());
    Record::parse(&pipeline)
}

/// Makes every target echo its stage's grant, unless the test says something else of it.
pub fn echo(desired: &Desired, record: &Record, observed: &mut Observed) {
    for name in crate::pipeline::looks::targets(desired, record, &observed.releases) {
        let of =
            |stage: &&crate::pipeline::desired::Stage| stage.targets.iter().any(|Target::Service(one)| *one == name);
        let stage = desired.stages.iter().find(of).expect("a stage of that target");
        let recorded = record.stage(&stage.name).and_then(|status| status.grant.as_ref()).map(|grant| grant.number);
        let own = observed.releases.iter().filter_map(|release| release.stage(&stage.name)).map(|own| own.grant).max();
        let source = format!("{}/{}", desired.name, stage.name);
        let rollout = json!({"grant": recorded.max(own), "source": source, "generation": 1, "meaning": "v1-a",
            "phase": "Done", "startedAt": crate::samples::time(0)});
        let rollout = serde_json::from_value(rollout).unwrap();
        let seen = TargetSeen {
            follows: Some(source),
            rollout: Some(rollout),
            stalled: None,
            unproved: None,
            takes: Vec::new(),
            unreadable: None,
        };
        observed.targets.insert(name, Some(seen));
    }
}

/// A Pipeline, its status, and what its passes see.
pub struct World {
    pub changes: Value,
    pub generation: i64,
    pub record: PipelineStatus,
    pub observed: Observed,
}

impl World {
    pub fn new(releases: Vec<Release>) -> Self {
        let mut observed = sight(releases);
        observed.head = Looked::Seen(Ok(COMMIT.into()));
        let mut record = Record::empty().status().clone();
        record.heads = vec![crate::pipeline::heads::head("refs/heads/main", COMMIT, 9, at(0))];
        Self { changes: json!({}), generation: 1, record, observed }
    }

    pub fn pass(&mut self) {
        let mut desired = parsed(&self.changes);
        desired.generation = self.generation;
        for _ in 0..3 {
            let record = recorded(&self.record);
            if self.observed.targets.is_empty() {
                echo(&desired, &record, &mut self.observed);
            }
            let state = assess(&desired, &record, &self.observed);
            let outcome = Outcome::Idle;
            let pass = Pass { desired: &desired, observed: &self.observed, state: &state, outcome: &outcome };
            self.record = report(&record, &pass);
        }
    }

    fn words(&self) -> Vec<(String, String)> {
        self.record.conditions.iter().map(|one| (one.type_.clone(), one.status.clone())).collect()
    }
}

/// Compares the object with its file in `tests/rows`.
macro_rules! row {
    ($name:literal, $world:expr) => {{
        let mut object = pipeline(&$world.changes);
        object.status = Some($world.record.clone());
        insta::with_settings!({snapshot_path => "../../../tests/rows", prepend_module_to_snapshot => false}, {
            insta::assert_json_snapshot!($name, object);
        });
    }};
}

fn said(reason: &str, status: &str) -> Value {
    json!([{"type": "Ready", "status": status, "reason": reason, "message": "so it is", "lastTransitionTime": crate::samples::time(0)}])
}

pub fn succeeded(number: i64) -> Release {
    release(
        number,
        number,
        json!({"phase": "Succeeded", "images": images(), "conditions": said("Succeeded", "True"),
        "stages": [stage("staging", 5, "Verified"), stage("prod", 6, "Verified")],
        "summary": {"message": "runs in every stage", "stage": "prod"}}),
    )
}

pub fn failed(number: i64) -> Release {
    release(
        number,
        number,
        json!({"phase": "Failed", "conditions": said("BuildFailed", "False"),
        "summary": {"message": "the build ended FAILED in phase BUILD", "stage": "build"}}),
    )
}

pub fn at_work(number: i64) -> Release {
    release(
        number,
        number,
        json!({"phase": "Active", "conditions": said("Building", "False"),
        "summary": {"message": "the image is being built", "stage": "build"}}),
    )
}

#[test]
fn an_idle_pipeline_is_released_and_stays_so_while_its_branch_cannot_be_seen() {
    let mut world = World::new(vec![succeeded(1)]);
    world.pass();
    row!("pipeline-idle", world);
    world.observed.head = Looked::Blind(fault("Timeout", Remedy::Retry));
    world.pass();
    row!("pipeline-blind", world);
    assert!(
        is_true(&world.record.conditions, ConditionType::Ready)
            && is_true(&world.record.conditions, ConditionType::Released)
    );
    assert_eq!(find(&world.record.conditions, ConditionType::SourceReady).unwrap().status, "Unknown");
    world.observed.head = Looked::Blind(fault("AccessDenied", Remedy::AskOperator));
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Ready));
}

#[test]
fn the_first_release_ever_makes_the_pipeline_reconcile_and_a_later_one_leaves_ready_as_it_was() {
    let mut world = World::new(vec![at_work(1)]);
    world.pass();
    row!("pipeline-first", world);
    let mut world = World::new(vec![succeeded(1)]);
    world.pass();
    let turned = |world: &World| {
        let ready = find(&world.record.conditions, ConditionType::Ready).unwrap();
        (ready.status.clone(), ready.reason.clone(), ready.last_transition_time.clone())
    };
    let before = turned(&world);
    world.observed.releases.extend(ReleaseSeen::parse(at_work(2)));
    world.pass();
    row!("pipeline-later", world);
    assert_eq!(turned(&world), before);
    let mut world = World::new(vec![failed(1)]);
    world.pass();
    let before = find(&world.record.conditions, ConditionType::Stalled).cloned();
    world.observed.releases.extend(ReleaseSeen::parse(at_work(2)));
    world.pass();
    row!("pipeline-later-after-failure", world);
    assert_eq!(find(&world.record.conditions, ConditionType::Stalled).cloned(), before);
}

#[test]
fn a_refusal_that_was_corrected_is_not_shown_any_more_while_a_release_is_at_work() {
    let mut world = World::new(vec![succeeded(1)]);
    world.pass();
    world.observed.account.spec = None;
    world.pass();
    row!("pipeline-no-account", world);
    assert!(is_true(&world.record.conditions, ConditionType::Stalled));
    world.observed.account = account();
    world.observed.releases.extend(ReleaseSeen::parse(at_work(2)));
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Ready), "{:?}", world.words());
}

#[test]
fn a_suspended_pipeline_is_held() {
    let mut world = World::new(vec![succeeded(1)]);
    world.changes = json!({"suspend": true});
    world.pass();
    row!("pipeline-suspended", world);
}

#[test]
fn a_pipeline_whose_last_release_failed_or_stalls_is_stalled() {
    let mut world = World::new(vec![succeeded(1), failed(2)]);
    world.pass();
    row!("pipeline-failed", world);
    let mut stuck = at_work(3);
    let stalled = json!({"type": "Stalled", "status": "True", "reason": "AccessDenied", "message": "denied",
        "lastTransitionTime": crate::samples::time(0)});
    stuck.status.as_mut().unwrap().conditions.push(serde_json::from_value(stalled).unwrap());
    let mut world = World::new(vec![succeeded(1), stuck]);
    world.pass();
    row!("pipeline-stuck", world);
}

#[test]
fn a_source_that_is_refused_stalls_the_pipeline() {
    let mut world = World::new(Vec::new());
    let refusal = Refusal::Secret { name: "git".into(), why: "is not there: make it".into() };
    world.observed.head = Looked::Seen(Err(refusal.clone()));
    world.pass();
    row!("pipeline-secret", world);
    let parsed = refused(&pipeline(&json!({})), &refusal, at(0));
    assert!(is_true(&parsed.conditions, ConditionType::Stalled));
    world.observed.head = Looked::Blind(fault("NotFound", Remedy::AskOperator));
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Stalled));
    world.observed.head = Looked::Blind(fault("Timeout", Remedy::Retry));
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Reconciling));
}

#[test]
fn a_source_that_is_broken_by_an_edit_stalls_the_pipeline_and_one_that_goes_blind_does_not() {
    let mut world = World::new(vec![succeeded(1)]);
    world.pass();
    world.observed.head = Looked::Blind(fault("NotFound", Remedy::AskOperator));
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Ready));
    assert_eq!(world.record.summary.as_ref().unwrap().reason, "SourceRefused");
    world.generation = 2;
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Stalled), "{:?}", world.words());
    assert!(!is_true(&world.record.conditions, ConditionType::Released));
    world.observed.head = Looked::Seen(Ok(COMMIT.into()));
    world.pass();
    assert!(is_true(&world.record.conditions, ConditionType::Released));
    world.observed.head = Looked::Seen(Err(Refusal::NoSuchBranch {
        field: "spec.source.git.branch",
        why: "no such branch: mian".into(),
    }));
    world.pass();
    row!("pipeline-no-branch", world);
    assert!(is_true(&world.record.conditions, ConditionType::Stalled));
}

#[test]
fn a_stage_that_was_added_later_is_not_released() {
    let mut world = World::new(vec![succeeded(1)]);
    world.changes = json!({"stages": [
        {"name": "staging", "targets": [{"service": "web-staging"}]},
        {"name": "prod", "targets": [{"service": "web"}]},
        {"name": "asia", "targets": [{"service": "web-asia"}]},
    ]});
    world.pass();
    row!("pipeline-unreached", world);
    assert!(is_true(&world.record.conditions, ConditionType::Stalled));
    assert_eq!(find(&world.record.conditions, ConditionType::Released).unwrap().status, "False");
}

#[test]
fn a_call_that_kubernetes_refuses_stalls_the_pipeline() {
    let mut world = World::new(vec![succeeded(1)]);
    world.pass();
    let desired = parsed(&json!({}));
    let record = recorded(&world.record);
    let state = assess(&desired, &record, &world.observed);
    let refused = Fault { operation: "kubernetes:create".into(), ..fault("Forbidden", Remedy::AskOperator) };
    let pass = Pass { desired: &desired, observed: &world.observed, state: &state, outcome: &Outcome::Failed(refused) };
    world.record = report(&record, &pass);
    assert_eq!(find(&world.record.conditions, ConditionType::Stalled).unwrap().reason, "KubernetesRefused");
}
