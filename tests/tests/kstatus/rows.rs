//! The rows of the table of statuses: each is a situation that is played, and what its object must then say.

use jiff::SignedDuration;
use launchway_test_aws::codebuild::Stories;
use launchway_test_aws::ecr::{EcrState, Mutability};
use launchway_test_aws::{Fault, TaskStory, When};
use launchway_test_kube::real::kstatus::Status;
use launchway_tests::git::Trouble;
use launchway_tests::scenario::Player;
use launchway_tests::scenario::script::fate;
use launchway_tests::world::{World, sample};
use serde_json::{Value, json};

use launchway_tests::argo::Health;

/// A situation and what is said in it.
pub struct Row {
    pub name: &'static str,
    pub world: World,
    pub object: Value,
    pub conditions: &'static [(&'static str, &'static str)],
    pub kstatus: Status,
    pub argo: Health,
}

/// What a row is made of: the situation, the object, its conditions, and both verdicts.
type Spec = (
    &'static str,
    fn(&mut Player),
    (&'static str, &'static str),
    &'static [(&'static str, &'static str)],
    Status,
    Health,
);

/// All rows, played.
pub fn all() -> Vec<Row> {
    SPECS.iter().map(played).collect()
}

fn played(spec: &Spec) -> Row {
    let (name, play, (kind, object), conditions, kstatus, argo) = *spec;
    let world = sample::world(7);
    world.aws().codebuild.entry(sample::place()).or_default().stories = Stories::new(fate);
    let mut player = Player::new(world.clone());
    play(&mut player);
    let object = world.object(kind, object).unwrap_or_else(|| panic!("{name}: there is a {kind} {object}"));
    Row { name, world, object: object.value().clone(), conditions, kstatus, argo }
}

const SPECS: &[Spec] = &[
    (
        "account: known, and STS is out of order",
        account_blind,
        ("AwsAccount", "default"),
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", "")],
        Status::Current,
        Health::Healthy,
    ),
    (
        "pipeline: cannot look, nothing pending",
        pipeline_blind,
        PIPELINE,
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", ""), ("SourceReady", "Unknown")],
        Status::Current,
        Health::Healthy,
    ),
    (
        "service: cannot look, nothing pending",
        service_blind,
        PROD,
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", ""), ("InSync", "Unknown")],
        Status::Current,
        Health::Healthy,
    ),
    (
        "account: never known, and STS is out of order",
        account_pending,
        ("AwsAccount", "default"),
        &[("Ready", "False"), ("Reconciling", "True"), ("Stalled", "")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "pipeline: cannot look, the first release is pending",
        pipeline_pending,
        PIPELINE,
        &[("Ready", "False"), ("Reconciling", "True"), ("Stalled", "")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "release: cannot look at its build",
        release_pending,
        FIRST,
        &[("Ready", "False"), ("Reconciling", "True"), ("Stalled", "")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "service: cannot look, a rollout is pending",
        service_pending,
        STAGING,
        &[("Ready", "False"), ("Reconciling", "True"), ("Stalled", "")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "account: AssumeRole is denied",
        account_denied,
        ("AwsAccount", "default"),
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "pipeline: there is no account",
        pipeline_refused,
        PIPELINE,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "pipeline: its release is denied StartBuild",
        release_denied,
        PIPELINE,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True"), ("Released", "Unknown")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "release: StartBuild is denied",
        release_denied,
        FIRST,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "service: CreateService is denied",
        service_denied,
        STAGING,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "service: there is no such cluster",
        no_cluster,
        STAGING,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "service: its first image is not there yet",
        building,
        PROD,
        &[("Ready", "False"), ("Reconciling", "True"), ("Stalled", ""), ("RolledOut", "Unknown")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "service: rolling",
        rolling,
        STAGING,
        &[("Ready", "False"), ("Reconciling", "True"), ("Stalled", ""), ("RolledOut", "Unknown")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "service: rolled back, held",
        rolled_back,
        STAGING,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True"), ("RolledOut", "False")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "service: in sync",
        released,
        PROD,
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", ""), ("RolledOut", "True"), ("InSync", "True")],
        Status::Current,
        Health::Healthy,
    ),
    (
        "pipeline: idle, the last release is verified",
        released,
        PIPELINE,
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", ""), ("Released", "True")],
        Status::Current,
        Health::Healthy,
    ),
    (
        "pipeline: the first release ever is at work",
        building,
        PIPELINE,
        &[("Ready", "False"), ("Reconciling", "True"), ("Stalled", ""), ("Released", "Unknown")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "pipeline: a later release is at work",
        second_at_work,
        PIPELINE,
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", ""), ("Released", "Unknown")],
        Status::Current,
        Health::Progressing,
    ),
    (
        "pipeline: suspended",
        suspended_idle,
        PIPELINE,
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", ""), ("Held", "True"), ("Released", "Unknown")],
        Status::Current,
        Health::Suspended,
    ),
    (
        "pipeline: the last release failed",
        failed,
        PIPELINE,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True"), ("Released", "False")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "release: held",
        held,
        FIRST,
        &[("Ready", "Unknown"), ("Reconciling", ""), ("Stalled", ""), ("Held", "True")],
        Status::InProgress,
        Health::Suspended,
    ),
    (
        "release: failed",
        failed,
        FIRST,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True"), ("Deployed", "False")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "release: rolled back",
        rolled_back,
        ("Release", "greeter-2"),
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True"), ("Deployed", "False")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "release: says that its Pipeline made it, which it did not",
        forged,
        ("Release", "greeter-9"),
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True"), ("Built", "Unknown")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "release: its commit's tag names another image than before",
        image_changed,
        ("Release", "again"),
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True"), ("Deployed", "False")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "release: superseded",
        superseded,
        FIRST,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", ""), ("Deployed", "False")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "release: cancelled",
        cancelled,
        ("Release", "mine"),
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", ""), ("Deployed", "False")],
        Status::InProgress,
        Health::Progressing,
    ),
    (
        "release: verified",
        released,
        FIRST,
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", ""), ("Deployed", "True"), ("Verified", "True")],
        Status::Current,
        Health::Healthy,
    ),
    (
        "log: it is read",
        log_read,
        LOG,
        &[("Ready", "True"), ("Reconciling", ""), ("Stalled", "")],
        Status::Current,
        Health::Healthy,
    ),
    (
        "log: there is no such release",
        log_of_nothing,
        LOG,
        &[("Ready", "False"), ("Reconciling", ""), ("Stalled", "True")],
        Status::Failed,
        Health::Degraded,
    ),
    (
        "log: AWS is out of order",
        log_blind,
        LOG,
        &[("Ready", "False"), ("Reconciling", "True"), ("Stalled", "")],
        Status::InProgress,
        Health::Progressing,
    ),
];

const PIPELINE: (&str, &str) = ("Pipeline", sample::PIPELINE);
const FIRST: (&str, &str) = ("Release", "greeter-1");
const STAGING: (&str, &str) = ("Service", sample::SERVICES[0]);
const PROD: (&str, &str) = ("Service", sample::SERVICES[1]);

const LOG: (&str, &str) = ("LogRequest", "why");

const PATIENCE: SignedDuration = SignedDuration::from_hours(3);
const MINUTES: SignedDuration = SignedDuration::from_mins(3);

fn wait(player: &mut Player, kind: &str, name: &str, condition: &str, status: &str) {
    let came = player.until(PATIENCE, |world| world.is(kind, name, condition, status));
    assert!(came, "{kind} {name} never became {condition}={status}");
}

fn strike(player: &Player, operations: &str, fault: Fault) {
    player.world.aws().faults.add(operations, When::Always, fault);
}

/// Wakes an object as anybody's label would.
fn touch(player: &Player, (kind, name): (&str, &str)) {
    player.patch(kind, name, &json!({"metadata": {"labels": {"touched": "yes"}}}));
}

fn begun(player: &mut Player, commit: &str) {
    sample::push(&player.world, commit);
    sample::apply(&player.world);
}

fn released(player: &mut Player) {
    begun(player, "good-1");
    wait(player, "Pipeline", "greeter", "Released", "True");
    player.advance(MINUTES);
}

fn account_blind(player: &mut Player) {
    released(player);
    strike(player, "sts:*", Fault::Error5xx);
    touch(player, ("AwsAccount", "default"));
    player.advance(MINUTES);
}

fn pipeline_blind(player: &mut Player) {
    released(player);
    player.world.git.trouble(sample::URL, Trouble::Status(503), 1000);
    player.advance(SignedDuration::from_mins(10));
}

fn service_blind(player: &mut Player) {
    released(player);
    strike(player, "ecs:*", Fault::Error5xx);
    touch(player, PROD);
    player.advance(MINUTES);
}

fn account_pending(player: &mut Player) {
    strike(player, "sts:*", Fault::Error5xx);
    begun(player, "good-1");
    player.advance(MINUTES);
}

fn pipeline_pending(player: &mut Player) {
    player.world.git.trouble(sample::URL, Trouble::Reset, 1000);
    begun(player, "good-1");
    player.advance(MINUTES);
}

fn release_pending(player: &mut Player) {
    begun(player, "slow-1");
    let is_building = |world: &World| world.builds().iter().any(|build| build.project == sample::BUILD);
    assert!(player.until(PATIENCE, is_building));
    strike(player, "codebuild:*", Fault::Error5xx);
    player.advance(MINUTES);
}

fn service_pending(player: &mut Player) {
    strike(player, "ecs:*", Fault::Throttle);
    begun(player, "good-1");
    wait(player, "Release", "greeter-1", "Built", "True");
    player.advance(MINUTES);
}

fn account_denied(player: &mut Player) {
    strike(player, "sts:AssumeRole", Fault::Deny);
    begun(player, "good-1");
    player.advance(MINUTES);
}

fn pipeline_refused(player: &mut Player) {
    sample::push(&player.world, "good-1");
    player.world.store.apply_json(&sample::pipeline()).unwrap();
    player.advance(MINUTES);
}

fn release_denied(player: &mut Player) {
    strike(player, "codebuild:StartBuild", Fault::Deny);
    begun(player, "good-1");
    player.advance(MINUTES);
}

fn service_denied(player: &mut Player) {
    strike(player, "ecs:CreateService", Fault::Deny);
    begun(player, "good-1");
    wait(player, "Release", "greeter-1", "Built", "True");
    player.advance(MINUTES);
}

fn no_cluster(player: &mut Player) {
    let mut policy = sample::policy().to_string();
    policy = policy.replace("cluster/shop", "cluster/*").replace("/shop/*", "/*");
    player.world.aws().set_policy(sample::ROLE, &serde_json::from_str(&policy).unwrap()).unwrap();
    for manifest in [sample::aws_account(), sample::pipeline()] {
        player.world.store.apply_json(&manifest).unwrap();
    }
    player.patch("AwsAccount", "default", &json!({"spec": {"allow": {"clusters": ["*"]}}}));
    let mut service = sample::service(0);
    service["spec"]["cluster"] = json!("shopp");
    player.world.store.apply_json(&service).unwrap();
    sample::push(&player.world, "good-1");
    wait(player, "Release", "greeter-1", "Built", "True");
    player.advance(MINUTES);
}

fn building(player: &mut Player) {
    begun(player, "slow-1");
    wait(player, "Release", "greeter-1", "ChecksPassed", "True");
    player.advance(MINUTES);
}

fn rolling(player: &mut Player) {
    begun(player, "good-1");
    let there = |world: &World| world.service(sample::SERVICES[0]).is_some();
    assert!(player.until(PATIENCE, there));
    player.advance(SignedDuration::from_secs(3));
}

fn rolled_back(player: &mut Player) {
    released(player);
    sample::push(&player.world, "crashing-2");
    wait(player, "Pipeline", "greeter", "Released", "False");
    player.advance(MINUTES);
}

fn second_at_work(player: &mut Player) {
    released(player);
    sample::push(&player.world, "slow-2");
    wait(player, "Release", "greeter-2", "ChecksPassed", "True");
    player.advance(MINUTES);
}

fn suspended_idle(player: &mut Player) {
    released(player);
    player.patch("Pipeline", "greeter", &json!({"spec": {"suspend": true}}));
    player.advance(MINUTES);
}

fn failed(player: &mut Player) {
    begun(player, "broken-1");
    wait(player, "Pipeline", "greeter", "Released", "False");
    player.advance(MINUTES);
}

fn held(player: &mut Player) {
    begun(player, "good-1");
    assert!(player.until(PATIENCE, |world| !world.builds().is_empty()));
    player.patch("Pipeline", "greeter", &json!({"spec": {"suspend": true}}));
    player.advance(MINUTES);
}

fn release(player: &Player, name: &str, commit: &str, made: &Value) {
    let mut release = json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": name, "namespace": sample::NAMESPACE},
        "spec": {"pipeline": sample::PIPELINE, "commit": sample::commit(commit), "reason": "Manual"},
    });
    for (member, value) in made.as_object().into_iter().flatten() {
        release["spec"][member] = value.clone();
    }
    player.world.store.create_json(&release).unwrap();
}

fn forged(player: &mut Player) {
    released(player);
    release(player, "greeter-9", "good-1", &json!({"reason": "NewCommit", "number": 9}));
    player.advance(MINUTES);
}

fn image_changed(player: &mut Player) {
    let repository = |player: &Player, change: &dyn Fn(&mut EcrState)| {
        change(player.world.aws().ecr.entry(sample::place()).or_default());
    };
    repository(player, &|ecr| ecr.add_repository(sample::REPOSITORY, Mutability::Mutable));
    released(player);
    let (tag, now) = (sample::commit("good-1"), player.world.now());
    repository(player, &|ecr| {
        ecr.push(sample::REPOSITORY, &tag, "another", TaskStory::default(), now).unwrap();
    });
    release(player, "again", "good-1", &json!({}));
    player.advance(MINUTES + MINUTES);
}

fn superseded(player: &mut Player) {
    begun(player, "slow-1");
    player.patch("Pipeline", "greeter", &json!({"spec": {"concurrency": {"mode": "Supersede"}}}));
    wait(player, "Release", "greeter-1", "ChecksPassed", "True");
    sample::push(&player.world, "good-2");
    wait(player, "Pipeline", "greeter", "Released", "True");
}

fn cancelled(player: &mut Player) {
    begun(player, "slow-1");
    wait(player, "Release", "greeter-1", "ChecksPassed", "True");
    release(player, "mine", "slow-2", &json!({}));
    player.advance(MINUTES);
    player.world.store.delete::<launchway_crds::Pipeline>(sample::NAMESPACE, sample::PIPELINE).unwrap();
    player.advance(MINUTES);
}

/// Somebody asks for the log of a Release.
fn ask(player: &mut Player, release: &str) {
    let request = json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "LogRequest",
        "metadata": {"name": LOG.1, "namespace": sample::NAMESPACE}, "spec": {"release": release},
    });
    player.world.store.create_json(&request).unwrap();
    player.advance(MINUTES);
}

fn log_read(player: &mut Player) {
    begun(player, "broken-1");
    wait(player, "Pipeline", "greeter", "Released", "False");
    ask(player, FIRST.1);
}

fn log_of_nothing(player: &mut Player) {
    begun(player, "good-1");
    ask(player, "greeter-9");
}

fn log_blind(player: &mut Player) {
    begun(player, "broken-1");
    wait(player, "Pipeline", "greeter", "Released", "False");
    strike(player, "logs:*", Fault::Error5xx);
    ask(player, FIRST.1);
}
