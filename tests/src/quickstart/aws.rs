//! The AWS of the quick start: one account with a cluster, two CodeBuild projects, a repository and the roles, and what
//! becomes of each commit there, as its files say.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use launchway_test_aws::codebuild::{BuildStory, Outcome, Phase, PhaseSeconds, Project, StartedBuild, Stories};
use launchway_test_aws::door::Open;
use launchway_test_aws::ecr::Mutability;
use launchway_test_aws::ecs::Timing;
use launchway_test_aws::limits::Enforcement;
use launchway_test_aws::policy::Policy;
use launchway_test_aws::{LogEntry, Place, TaskStory, World, door};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::INSTALLATION;
use crate::git::{Repository, sample};

/// The account.
pub const ACCOUNT: &str = "123456789012";
/// The Region.
pub const REGION: &str = "us-east-2";
/// The access key of the controller's own user, which may assume the role and nothing else.
pub const ACCESS_KEY: &str = "AKIAQUICKSTART000000";
/// The ECS cluster.
pub const CLUSTER: &str = "demo";
/// The project that builds the image, and the image's repository.
const IMAGE: &str = "demo-greeter";
/// The project whose builds are checks.
const CHECKS: &str = "demo-greeter-checks";
/// What the policy of the docs leaves to the reader, and what it is here.
const POLICY_WORDS: [(&str, &str); 5] = [
    ("REGION", REGION),
    ("ACCOUNT", ACCOUNT),
    ("CLUSTER", CLUSTER),
    ("INSTALLATION", INSTALLATION),
    ("PREFIX", "demo"),
];
/// What the role asks of those who assume it.
const EXTERNAL_ID: &str = "quick-start";

/// An AWS in memory, open on a port.
#[derive(Clone)]
pub struct Aws {
    world: Arc<Mutex<World>>,
    open: Arc<Open>,
}

/// One build, as a judge sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// CodeBuild's word for how it ended.
    pub status: String,
}

impl Aws {
    /// Opens it on any free port. Its builds and tasks are `speed` times as fast as AWS's; its clock is ours.
    pub async fn start(repository: &Repository, source: &str, speed: u32) -> anyhow::Result<Aws> {
        let world = Arc::new(Mutex::new(world(repository.clone(), source, speed.max(1))?));
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port on loopback")?;
        let open = Arc::new(door::serve(listener, Arc::clone(&world), 1.0)?);
        Ok(Aws { world, open })
    }

    /// What the SDKs call the endpoint.
    pub fn url(&self) -> String {
        self.open.url()
    }

    /// The world at this moment.
    pub fn now(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.advance(Timestamp::now());
        world
    }

    /// The digest of the image whose tag is the commit.
    pub fn digest(&self, commit: &str) -> Option<String> {
        self.now().ecr.get(&place())?.image(IMAGE, commit).map(|image| image.digest.clone())
    }

    /// The commit whose image has this digest.
    pub fn commit_of(&self, digest: &str) -> Option<String> {
        self.now().ecr.get(&place())?.image(IMAGE, digest)?.tags.first().cloned()
    }

    /// The digests that the running tasks of an ECS service run, each once.
    pub fn running(&self, service: &str) -> Vec<String> {
        let world = self.now();
        let found = world.ecs.get(&place()).and_then(|ecs| ecs.service(CLUSTER, service));
        let mut all = found.map(|service| service.running_images(world.now())).unwrap_or_default();
        all.sort();
        all.dedup();
        all
    }

    /// The image builds of a commit, oldest first.
    pub fn builds(&self, commit: &str) -> Vec<Built> {
        let world = self.now();
        let all = world.codebuild.get(&place()).into_iter().flat_map(|state| state.builds());
        let own = all.filter(|build| build.project == IMAGE && build.source_version.as_deref() == Some(commit));
        own.map(|build| Built { status: build.status().to_owned() }).collect()
    }

    /// The last `count` calls: the operation, and what became of it.
    pub fn last_calls(&self, count: usize) -> String {
        let world = self.now();
        let line = |entry: &LogEntry| format!("{} {}:{} {:?}", entry.at, entry.service, entry.operation, entry.outcome);
        let last: Vec<String> = world.log.iter().rev().take(count).map(line).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// How often each operation was called.
    pub fn calls(&self) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for entry in &self.now().log {
            *all.entry(format!("{}:{}", entry.service, entry.operation)).or_default() += 1;
        }
        all
    }

    /// How ECS's rollouts of a service ended, oldest first, in ECS's words.
    pub fn rollouts(&self, service: &str) -> Vec<&'static str> {
        let world = self.now();
        let found = world.ecs.get(&place()).and_then(|ecs| ecs.service(CLUSTER, service));
        found.map(|service| service.rollouts.iter().map(|rollout| rollout.status.name()).collect()).unwrap_or_default()
    }
}

/// Where all of it is.
pub fn place() -> Place {
    (ACCOUNT.to_owned(), REGION.to_owned())
}

fn world(repository: Repository, source: &str, speed: u32) -> anyhow::Result<World> {
    let mut world = World::new(1);
    world.limits.enforcement = Enforcement::Documented;
    people(&mut world)?;
    let builds = world.codebuild.entry(place()).or_default();
    builds.stories = Stories::new(move |started| story(&repository, started).taking(paced(speed)));
    for name in [IMAGE, CHECKS] {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{name}-codebuild");
        builds.add_project(Project::new(name, &role, source));
    }
    world.ecr.entry(place()).or_default().add_repository(IMAGE, Mutability::Immutable);
    let ecs = world.ecs.entry(place()).or_default();
    ecs.add_cluster(CLUSTER);
    ecs.timing = timing(speed);
    Ok(world)
}

/// The controller's user may assume the role; the role may do what `docs/iam-policy.json` says.
fn people(world: &mut World) -> anyhow::Result<()> {
    let user = world.add_user(ACCOUNT, "launchway", ACCESS_KEY);
    let role = world.add_role(ACCOUNT, "launchway");
    for name in ["demo-ecs-execution", "demo-greeter-task"] {
        world.add_role(ACCOUNT, name);
    }
    let assume = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role.clone()}});
    world.iam.users.insert(user.clone(), Policy::parse(&assume).map_err(anyhow::Error::msg)?);
    world.set_policy(&role, &policy()?).map_err(anyhow::Error::msg)?;
    let kept = world.iam.roles.entry(role).or_default();
    kept.external_id = Some(EXTERNAL_ID.to_owned());
    kept.trusts = vec![user];
    Ok(())
}

/// The policy that the docs tell people to give the controller's role.
fn policy() -> anyhow::Result<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/iam-policy.json");
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let text = POLICY_WORDS.iter().fold(text, |text, (word, here)| text.replace(word, here));
    Ok(serde_json::from_str(&text)?)
}

/// What a build does: a check always succeeds; the image's build does what the files of its commit say.
fn story(repository: &Repository, started: &StartedBuild) -> BuildStory {
    if started.project == CHECKS {
        return BuildStory::succeeds_without_image();
    }
    let commit = started.source_version.as_deref().unwrap_or_default();
    match sample::outcome(|path| repository.file_at(commit, path)) {
        sample::Outcome::Runs => {
            let ok = ["Running command ./test.sh", "ok   app/settings.json: there is a greeting"];
            BuildStory::succeeds(TaskStory::default()).saying(Phase::Build, ok)
        }
        sample::Outcome::Crashes { exit_code, log } => BuildStory::succeeds(TaskStory::Crashes {
            after: Duration::from_millis(500),
            exit_code,
            reason: String::new(),
            output: log,
        }),
        sample::Outcome::BuildFails { phase, code, message, log } => {
            let phase = if phase == "DOWNLOAD_SOURCE" { Phase::DownloadSource } else { Phase::Build };
            BuildStory::new(Outcome::Fails { phase, code: code.to_owned(), message })
                .saying(phase, log.iter().map(String::as_str))
        }
    }
}

fn paced(speed: u32) -> PhaseSeconds {
    let usual = PhaseSeconds::default();
    PhaseSeconds {
        submitted: usual.submitted / speed,
        queued: usual.queued / speed,
        provisioning: usual.provisioning / speed,
        download_source: usual.download_source / speed,
        install: usual.install / speed,
        pre_build: usual.pre_build / speed,
        build: usual.build / speed,
        post_build: usual.post_build / speed,
        upload_artifacts: usual.upload_artifacts / speed,
        finalizing: usual.finalizing / speed,
    }
}

fn timing(speed: u32) -> Timing {
    let usual = Timing::default();
    let faster = |usual: SignedDuration| usual / i32::try_from(speed).unwrap_or(i32::MAX);
    Timing {
        pending: faster(usual.pending),
        provisioning: faster(usual.provisioning),
        pulling: faster(usual.pulling),
        activating: faster(usual.activating),
        settled: faster(usual.settled),
        unhealthy: faster(usual.unhealthy),
        draining: faster(usual.draining),
        stopping: faster(usual.stopping),
        deprovisioning: faster(usual.deprovisioning),
        steady: faster(usual.steady),
        retry: faster(usual.retry),
        yielding: faster(usual.yielding),
        ..usual
    }
}
