//! Starts the parts of the quick start in their order, and says what it does. What happens on them is not known here.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use launchway_test_kube::real::{Cluster, Say};

use super::aws::Aws;
use super::chart::{self, Installed};
use super::controller::{Controller, Start};
use super::health::Health;
use super::place::Place;
use super::{NAME, NAMESPACE, Options, Parts, Program, Screen};
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
        let Options { program, installed, screen, speed, pace } = options;
        let installed = installed.map_or_else(|| chart::plainly(SYSTEM, ACCOUNT), Ok)?;
        screen.title("Launchway, from a git commit to a rolled ECS service, on this machine alone");
        screen.progress(&match &program {
            Program::Built => "building the controller with cargo …".to_owned(),
            Program::Image(layout) => format!("unpacking the controller's image from {} …", layout.display()),
        });
        let mut place = Place::of(&program).await?;
        let cluster = cluster(&installed, &screen).await?;
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
        let starting = Starting { place: &place, aws: &aws, installed: &installed, hosts, pace, folder: folder.path() };
        let controller = starting.start(0)?;
        controller.until_ready().await?;
        let how = format!("{} as service account {SYSTEM}/{ACCOUNT}", controller.url());
        screen.done("Launchway's controller", &how);
        let others = Vec::new();
        Ok(Parts { controller, others, health, git, repository, aws, cluster, folder, place, installed, pace, screen })
    }
}

impl Parts {
    /// What `launchway check` says with the controller's rights, and whether all works.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn check(&self) -> anyhow::Result<(bool, String)> {
        // It is waited for on a thread of its own: the AWS in memory has to answer meanwhile.
        tokio::task::block_in_place(|| self.starting().check())
    }

    /// Starts another replica beside those that run, and waits until it is ready to stand in.
    ///
    /// # Errors
    /// It does not start.
    pub async fn begin_another(&mut self) -> anyhow::Result<()> {
        let another = self.starting().start(self.others.len() + 1)?;
        another.until_ready().await?;
        self.others.push(another);
        Ok(())
    }

    /// How another controller is started, just as the first one.
    pub(super) fn starting(&self) -> Starting<'_> {
        let Parts { place, aws, installed, pace, folder, .. } = self;
        Starting {
            place,
            aws,
            installed,
            hosts: [self.git.host(), self.health.host()],
            pace: *pace,
            folder: folder.path(),
        }
    }
}

/// How controllers are started.
pub(super) struct Starting<'a> {
    place: &'a Place,
    aws: &'a Aws,
    installed: &'a Installed,
    hosts: [String; 2],
    pace: u32,
    folder: &'a Path,
}

impl Starting<'_> {
    /// The controller of that number, of which it is not waited that it is ready. As a Pod it stands for a lease, as the chart
    /// has it.
    pub(super) fn start(&self, number: usize) -> anyhow::Result<Controller> {
        self.with(number, Controller::start)
    }

    fn check(&self) -> anyhow::Result<(bool, String)> {
        self.with(0, |start| Controller::check(&start))
    }

    fn with<T>(&self, number: usize, then: impl FnOnce(Start<'_>) -> T) -> T {
        let (host, url) = (format!("launchway-{number}"), self.aws.url());
        let lease = self.place.is_pod().then(|| format!("{SYSTEM}/{ACCOUNT}"));
        let lease = lease.filter(|_| self.installed.args.is_empty());
        then(Start {
            place: self.place,
            aws: &url,
            hosts: &self.hosts,
            pace: self.pace,
            webhooks: None,
            resync: None,
            lease: lease.as_deref(),
            host: &host,
            chart: &self.installed.args,
            log: self.folder.join(format!("controller-{number}.log")),
        })
    }
}

/// The API server with Launchway's kinds, the controller's account and its rights, and the sample's namespace.
async fn cluster(installed: &Installed, screen: &Screen) -> anyhow::Result<Cluster> {
    let began = Instant::now();
    let teller = screen.clone();
    let say = Say::to(move |line| teller.progress(line));
    let cluster = chart::cluster(say, installed, (SYSTEM, ACCOUNT), NAMESPACE).await?;
    let how =
        format!("{} with Launchway's kinds and RBAC, after {:.1} s", cluster.url(), began.elapsed().as_secs_f32());
    screen.done("Kubernetes API server", &how);
    Ok(cluster)
}
