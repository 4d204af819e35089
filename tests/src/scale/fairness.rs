//! How long one namespace's commits and Releases take while another one does its worst.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use http::Request;
use jiff::Timestamp;
use kube::Api;
use kube::api::PostParams;
use launchway_crds::{Pipeline, Release, Service};
use launchway_test_aws::TaskStory;
use launchway_test_aws::codebuild::{BuildStory, PhaseSeconds, Project, Stories};
use launchway_test_aws::ecr::Mutability;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::bench::Bench;
use super::flood::{self, Flood, Silent};
use super::{Column, Row};
use crate::git::{Access, Repositories, commit_id};
use crate::world::sample::{ACCOUNT, BUILD, CLUSTER, NAMESPACE, REPOSITORY, on_fargate, place};

/// The victim's Pipeline and Service.
pub(super) const VICTIM: &str = "victim";
/// How much faster than usual the controller polls: the victim's branch every ten seconds.
pub(super) const PACE: u32 = 3;
/// Nothing here takes longer, or the victim is starved.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a flood has to come up before the victim is measured.
const RISES: Duration = Duration::from_secs(15);
/// How long the memory is watched after it.
const EBBS: Duration = Duration::from_secs(45);

/// One flood, and so many commits and Releases of the victim beside it.
pub(super) async fn beside(mut bench: Bench, flood: Flood, samples: usize) -> anyhow::Result<Column> {
    eprintln!("{}", flood.words());
    let git = Git::start().await?;
    let silent = Silent::start().await?;
    prepare(&bench, &git).await?;
    bench.begin_dialling(&[git.host.clone(), silent.host.clone()], PACE).await?;
    release_of_a_commit(&bench, &git, 0).await?;
    let before = bench.mark().await?;
    let quiet = bench.since(&before).await?.rss;
    let raised = flood::begin(flood, bench.kube(), &git.url("many"), &silent.host).await?;
    tokio::time::sleep(RISES).await;
    let (mut commits, mut releases) = (Vec::new(), Vec::new());
    for number in 1..=samples {
        commits.push(release_of_a_commit(&bench, &git, number).await?);
        releases.push(release_by_hand(&bench, number).await?);
    }
    let under = bench.since(&before).await?;
    flood::end(raised, bench.kube()).await?;
    tokio::time::sleep(EBBS).await;
    let after = bench.since(&before).await?.rss;
    let took = under.took.as_secs_f64();
    Ok(Column {
        title: flood.words(),
        rows: vec![
            Row::new("a commit until StartBuild: median, 99th percentile", "2 times quiet", words(commits)),
            Row::new(
                "a Release by hand until UpdateService: median, 99th percentile",
                "2 times quiet",
                words(releases),
            ),
            Row::new("memory before, under it, after it", "", format!("{quiet}, {}, {after} MiB", under.rss)),
            Row::new("reads of Kubernetes a second", "", format!("{:.0}", under.wrote.reads as f64 / took)),
            Row::new("status writes a second", "", format!("{:.1}", under.wrote.statuses as f64 / took)),
            Row::new("CPU", "", format!("{:.0} %", under.cpu.as_secs_f64() / took * 100.0)),
        ],
    })
}

/// The median and the slowest but one in a hundred, in seconds.
pub(super) fn words(mut all: Vec<f64>) -> String {
    all.sort_by(f64::total_cmp);
    let at = |part: f64| all.get(((all.len() as f64 * part).ceil() as usize).saturating_sub(1)).copied();
    let words =
        |seconds: f64| if seconds < 0.1 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.1} s") };
    format!("{}, {}", words(at(0.5).unwrap_or_default()), words(at(0.99).unwrap_or_default()))
}

/// Pushes a commit; how long it takes until its build is started. Returns when it is rolled.
pub(super) async fn release_of_a_commit(bench: &Bench, git: &Git, number: usize) -> anyhow::Result<f64> {
    let (commit, from) = (commit_id(&format!("victim-{number}")), Timestamp::now());
    git.repositories.push(&git.url(VICTIM), "main", &commit);
    let started = |bench: &Bench| bench.call("StartBuild", &commit, from);
    bench.until("the victim's build", PATIENCE, |bench| started(bench).is_some()).await?;
    let took = started(bench).map_or(0.0, |call| call.at.duration_since(from).as_secs_f64());
    rolled(bench, from).await?;
    Ok(took)
}

/// Releases the commit before by hand; how long it takes until ECS is asked for it. Returns when it is rolled.
async fn release_by_hand(bench: &Bench, number: usize) -> anyhow::Result<f64> {
    let release: Release = serde_json::from_value(json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": format!("back-{number}"), "namespace": NAMESPACE},
        "spec": {"pipeline": VICTIM, "commit": commit_id(&format!("victim-{}", number - 1)), "reason": "Manual"},
    }))?;
    Api::<Release>::namespaced(bench.kube(), NAMESPACE).create(&PostParams::default(), &release).await?;
    let from = Timestamp::now();
    rolled(bench, from).await
}

/// Waits until a rollout of the victim's has begun since then and is over, in ECS and in its status; when it began, in seconds.
async fn rolled(bench: &Bench, from: Timestamp) -> anyhow::Result<f64> {
    let begun = |bench: &Bench| {
        ["CreateService", "UpdateService"].iter().find_map(|operation| bench.call(operation, VICTIM, from))
    };
    bench.until("the victim's rollout", PATIENCE, |bench| begun(bench).is_some()).await?;
    let took = begun(bench).map_or(0.0, |call| call.at.duration_since(from).as_secs_f64());
    let pipelines: Api<Pipeline> = Api::namespaced(bench.kube(), NAMESPACE);
    let began = std::time::Instant::now();
    loop {
        let seen = serde_json::to_value(pipelines.get(VICTIM).await?)?;
        let stage = &seen["status"]["stages"][0];
        let given = stage["grant"]["commit"].as_str().filter(|_| !stage["grant"].is_null());
        if given.is_some() && stage["verified"]["commit"].as_str() == given && newer(&stage["verified"]["at"], from) {
            return Ok(took);
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "the victim's release does not end: {}", seen["status"]);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn newer(at: &Value, from: Timestamp) -> bool {
    at.as_str()
        .and_then(|at| at.parse::<Timestamp>().ok())
        .is_some_and(|at| at >= from - jiff::SignedDuration::from_secs(1))
}

/// What the victim has, in Kubernetes and in AWS.
pub(super) async fn prepare(bench: &Bench, git: &Git) -> anyhow::Result<()> {
    git.repositories.create(&git.url(VICTIM), Access::Open);
    git.repositories.create(&git.url("many"), Access::Open);
    git.repositories.push(&git.url(VICTIM), "main", &commit_id("victim-0"));
    git.repositories.push(&git.url("many"), "main", &commit_id("many"));
    {
        let mut world = bench.aws();
        world.ecr.entry(place()).or_default().add_repository(REPOSITORY, Mutability::Immutable);
        for role in ["shop-task-greeter", "shop-exec-greeter"] {
            world.add_role(ACCOUNT, role);
        }
        let builds = world.codebuild.entry(place()).or_default();
        builds.add_project(Project::new(
            BUILD,
            &format!("arn:aws:iam::{ACCOUNT}:role/shop-codebuild"),
            &git.url(VICTIM),
        ));
        builds.stories =
            Stories::new(|_| BuildStory::succeeds(TaskStory::default()).taking(PhaseSeconds::only_build(1)));
    }
    let pipeline: Pipeline = serde_json::from_value(json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Pipeline", "metadata": {"name": VICTIM, "namespace": NAMESPACE},
        "spec": {
            "source": {"git": {"url": git.url(VICTIM), "branch": "main", "interval": "30s"}},
            "build": {"codeBuild": {"project": BUILD}},
            "images": [{"name": "web", "repository": REPOSITORY}],
            "stages": [{"name": "prod", "targets": [{"service": VICTIM}]}],
        },
    }))?;
    let service: Service = serde_json::from_value(json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Service", "metadata": {"name": VICTIM, "namespace": NAMESPACE},
        "spec": {
            "cluster": CLUSTER,
            "taskDefinition": {
                "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
                "executionRoleArn": "shop-exec-greeter", "taskRoleArn": "shop-task-greeter",
                "containerDefinitions": [{"name": "web", "imageFrom": {"pipeline": VICTIM, "stage": "prod", "image": "web"}}],
            },
            "service": on_fargate(1),
        },
    }))?;
    Api::<Pipeline>::namespaced(bench.kube(), NAMESPACE).create(&PostParams::default(), &pipeline).await?;
    Api::<Service>::namespaced(bench.kube(), NAMESPACE).create(&PostParams::default(), &service).await?;
    Ok(())
}

/// Repositories in memory, on a port.
pub(super) struct Git {
    repositories: Arc<Repositories>,
    pub(super) host: String,
    task: JoinHandle<()>,
}

impl Git {
    pub(super) async fn start() -> anyhow::Result<Git> {
        let repositories = Arc::new(Repositories::new());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = listener.local_addr()?.to_string();
        let app = Router::new().fallback(answer).with_state((Arc::clone(&repositories), host.clone()));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Git { repositories, host, task })
    }

    fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.host)
    }
}

impl Drop for Git {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The request as the remote in memory knows it: with the whole URL.
async fn answer(State((repositories, host)): State<(Arc<Repositories>, String)>, request: Request<Body>) -> Response {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let whole = format!("http://{host}{path}").parse();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    if let Ok(uri) = whole {
        head.uri = uri;
    }
    let answer = repositories.answer(&Request::from_parts(head, body));
    answer.unwrap_or_else(|_| Response::new(Bytes::new())).map(Body::from)
}
