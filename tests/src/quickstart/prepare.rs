//! Starts the parts of the quick start in their order, and says what it does. What happens on them is not known here.

use std::net::SocketAddr;
use std::time::Instant;

use jiff::Timestamp;
use launchway_test_kube::real::{Cluster, Say};

use super::aws::Aws;
use super::controller::{Controller, Start};
use super::health::Health;
use super::{NAME, NAMESPACE, Options, Parts, Screen, chart};
use crate::build;
use crate::git::{Access, Hash, Protocol, Server, sample};
use crate::shape::repository;

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
        let Options { screen, speed, pace } = options;
        screen.title("Launchway, from a git commit to a rolled ECS service, on this machine alone");
        screen.progress("building the controller with cargo …");
        let root = repository();
        let program =
            build::program(&root, &build::target(&root), &["--package", "launchway", "--bin", "launchway"]).await?;
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
        let kubeconfig = cluster.kubeconfig_for_service_account(SYSTEM, ACCOUNT).await?;
        let controller = Controller::start(Start {
            program: &program,
            kubeconfig: &kubeconfig,
            aws: &aws.url(),
            hosts: &[git.host(), health.host()],
            pace,
            resync: None,
            lease: None,
            log: folder.path().join("controller.log"),
        })?;
        controller.until_ready().await?;
        let how = format!("{} as service account {SYSTEM}/{ACCOUNT}", controller.url());
        screen.done("Launchway's controller", &how);
        Ok(Parts { controller, health, git, repository, aws, cluster, folder, screen })
    }
}

impl Parts {
    /// What `launchway check` says with the controller's rights, and whether all works.
    ///
    /// # Errors
    /// The program cannot be built or started.
    pub async fn check(&self) -> anyhow::Result<(bool, String)> {
        let root = repository();
        let program =
            build::program(&root, &build::target(&root), &["--package", "launchway", "--bin", "launchway"]).await?;
        let kubeconfig = self.cluster.kubeconfig_for_service_account(SYSTEM, ACCOUNT).await?;
        let (aws, log) = (self.aws.url(), self.folder().join("check.log"));
        let start = Start {
            program: &program,
            kubeconfig: &kubeconfig,
            aws: &aws,
            hosts: &[],
            pace: 1,
            resync: None,
            lease: None,
            log,
        };
        // It is waited for on a thread of its own: the AWS in memory has to answer meanwhile.
        tokio::task::block_in_place(|| Controller::check(&start))
    }
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
