//! Starts the parts of the quick start in their order, and says what it does. What happens on them is not known here.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use launchway_test_kube::real::{Cluster, Say};

use super::aws::Aws;
use super::controller::{Controller, Start};
use super::health::Health;
use super::place::Place;
use super::{NAME, NAMESPACE, Options, Parts, Program, Screen, chart};
use crate::git::{Access, Hash, Protocol, Server, sample};

/// Where the chart would be installed.
const SYSTEM: &str = "launchway-system";
/// The controller's service account and ClusterRole.
const ACCOUNT: &str = "launchway";
/// Who made the first commit of the sample.
const WHO: &str = "Ada <ada@example.com>";

impl Parts {
    /// Starts everything; the first time of all it compiles and fetches for minutes, and says so.
    ///
    /// # Errors
    /// A part cannot be built or started: the message says which, why, and what to do next.
    pub async fn start(options: Options) -> anyhow::Result<Parts> {
        let Options { program, screen, speed, pace } = options;
        screen.title("Launchway, from a git commit to a rolled ECS service, on this machine alone");
        screen.progress(&match &program {
            Program::Built => "building the controller with cargo …".to_owned(),
            Program::Image(layout) => format!("unpacking the controller's image from {} …", layout.display()),
        });
        let mut place = Place::of(&program).await?;
        let cluster = cluster(&screen).await?;
        let folder = tempfile::Builder::new().prefix("launchway-quickstart-").tempdir()?;
        let git = Server::start(folder.path(), SocketAddr::from(([127, 0, 0, 1], 0)), Protocol::Newest).await?;
        let repository = git.create(NAME, Hash::Sha1, Access::Open)?;
        repository.commit("main", "Say good morning", &sample::files(), WHO, Timestamp::now())?;
        screen.done("git server", &git.url(NAME));
        let aws = Aws::start(&repository, &git.url(NAME), speed).await?;
        let how = format!("{}: an AWS in memory, whose builds and tasks are {speed} times as fast", aws.url());
        screen.done("CodeBuild, ECR and ECS", &how);
        let health = Health::start(aws.clone(), repository.clone()).await?;
        place.mount(&cluster, SYSTEM, ACCOUNT).await?;
        let hosts = [git.host(), health.host()];
        let controller = started(&place, &aws, &hosts, pace, folder.path())?;
        controller.until_ready().await?;
        let how = format!("{} as service account {SYSTEM}/{ACCOUNT}", controller.url());
        screen.done("Launchway's controller", &how);
        Ok(Parts { controller, health, git, repository, aws, cluster, folder, place, pace, screen })
    }
}

/// The controller, of which it is not waited that it is ready. As a Pod it stands for a lease, as the chart has it.
pub(super) fn started(
    place: &Place,
    aws: &Aws,
    hosts: &[String],
    pace: u32,
    folder: &Path,
) -> anyhow::Result<Controller> {
    let lease = place.is_pod().then(|| format!("{SYSTEM}/{ACCOUNT}"));
    Controller::start(Start {
        place,
        aws: &aws.url(),
        hosts,
        pace,
        resync: None,
        lease: lease.as_deref().map(|lease| (lease, "launchway-0")),
        log: folder.join("controller.log"),
    })
}

/// The API server with Launchway's kinds, the controller's account and its rights, and the sample's namespace.
async fn cluster(screen: &Screen) -> anyhow::Result<Cluster> {
    let began = Instant::now();
    let teller = screen.clone();
    let say = Say::to(move |line| teller.progress(line));
    let cluster = chart::cluster(say, SYSTEM, ACCOUNT, NAMESPACE).await?;
    let how =
        format!("{} with Launchway's kinds and RBAC, after {:.1} s", cluster.url(), began.elapsed().as_secs_f32());
    screen.done("Kubernetes API server", &how);
    Ok(cluster)
}
