//! Starts a cluster and waits until it can be used. How it is spoken to is in the modules beside.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use tempfile::TempDir;

use super::programs::{Program, Programs, programs};
use super::running::Running;
use super::{Say, audit};

/// Four seconds on an idle machine; this is for one where two compilers run as well.
const TO_BE_READY: Duration = Duration::from_secs(120);

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Another process may take a port between its choice and its use.
const STARTS: u32 = 3;

/// What kind of cluster is wanted.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether anyone collects owned objects and empties deleted namespaces.
    pub controllers: Controllers,
    /// CustomResourceDefinitions to apply before the controllers start: YAML, or nothing. The garbage collector looks
    /// for new kinds every 30 s only, so what is owned by one that comes later is collected half a minute late (seen:
    /// 41 s, against 2 s).
    pub definitions: String,
    /// Where progress is told: standard error, if nothing else is said.
    pub say: Say,
}

/// Kubernetes' own controllers: garbage collector, namespaces, service accounts, aggregated roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Controllers {
    /// They run, as in every real cluster.
    #[default]
    Running,
    /// They do not: owned objects stay, and a deleted namespace stays Terminating.
    Absent,
}

/// A Kubernetes API server with RBAC, its etcd and its controllers, on loopback, for as long as this value lives.
pub struct Cluster {
    pub(super) url: String,
    pub(super) token: String,
    pub(super) kubectl: PathBuf,
    running: Vec<Running>,
    // After `running`: whoever writes into it must be gone first.
    pub(super) folder: TempDir,
}

impl Cluster {
    /// Starts etcd, the API server and the controllers, and returns when requests are answered (and, with controllers,
    /// when those work too). The first start of all downloads or builds the programs.
    ///
    /// # Errors
    /// The programs cannot be had, or one of them ended or was not ready in time: the message names it, shows the end of
    /// its log and the next step.
    pub async fn start(options: Options) -> anyhow::Result<Cluster> {
        let say = options.say.clone();
        let programs = tokio::task::spawn_blocking(move || programs(&say)).await??;
        for _ in 1..STARTS {
            match Cluster::started(&programs, &options).await {
                Err(error) if format!("{error:#}").contains("address already in use") => {
                    options.say.line("a port was taken: choosing others")
                }
                result => return result,
            }
        }
        Cluster::started(&programs, &options).await
    }

    async fn started(programs: &Programs, options: &Options) -> anyhow::Result<Cluster> {
        let began = Instant::now();
        let folder = tempfile::Builder::new().prefix("launchway-cluster-").tempdir()?;
        let [client, peer, secure] = free_ports()?;
        let mut cluster = Cluster {
            url: format!("https://127.0.0.1:{secure}"),
            token: random_token()?,
            kubectl: programs.path(Program::Kubectl).to_owned(),
            running: Vec::new(),
            folder,
        };
        cluster.write_files()?;
        cluster.run(programs, Program::Etcd, &etcd_args(client, peer))?;
        cluster.run(programs, Program::ApiServer, &api_server_args(client, secure))?;
        cluster.until_ready().await?;
        cluster.write_kubeconfig()?;
        if !options.definitions.is_empty() {
            cluster.apply(&options.definitions).await?;
        }
        match options.controllers {
            Controllers::Running => cluster.start_controllers(programs).await?,
            Controllers::Absent => {}
        }
        let seconds = began.elapsed().as_secs_f32();
        options.say.line(format!("Kubernetes API server at {} ready after {seconds:.1} s", cluster.url));
        Ok(cluster)
    }

    fn run(&mut self, programs: &Programs, program: Program, args: &[String]) -> anyhow::Result<()> {
        let running = Running::start(program.name(), programs.path(program), args, self.folder.path())?;
        self.running.push(running);
        Ok(())
    }

    async fn start_controllers(&mut self, programs: &Programs) -> anyhow::Result<()> {
        self.run(programs, Program::ControllerManager, &controller_args())?;
        self.until("did not make the first service account", async |cluster| {
            // This account is made by one of the controllers: where it is, they are in and at work.
            let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client(), "default");
            accounts.get_opt("default").await.is_ok_and(|account| account.is_some())
        })
        .await
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        self.until("did not become ready", async |cluster| {
            let Ok(request) = http::Request::get("/readyz").body(Vec::new()) else { return false };
            match cluster.quick_client() {
                Ok(client) => client.request_text(request).await.is_ok(),
                Err(_) => false,
            }
        })
        .await
    }

    /// Looks until `done`, and fails in the name of the program that was started last.
    async fn until(&mut self, otherwise: &str, done: impl AsyncFn(&Cluster) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        while !done(self).await {
            self.all_run()?;
            if began.elapsed() > TO_BE_READY {
                let what = format!("{otherwise} within {} s", TO_BE_READY.as_secs());
                return Err(self.running.last().context("nothing was started")?.failure(&what));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    fn all_run(&mut self) -> anyhow::Result<()> {
        for program in &mut self.running {
            if let Some(status) = program.ended() {
                return Err(program.failure(&format!("ended ({status})")));
            }
        }
        Ok(())
    }

    /// Where the cluster keeps its data, its logs and its kubeconfigs; removed with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn write_files(&self) -> anyhow::Result<()> {
        self.write("sa.key", &service_account_key()?)?;
        self.write("tokens.csv", &format!("{},admin,admin,system:masters\n", self.token))?;
        self.write(audit::POLICY_FILE, &audit::policy())?;
        Ok(())
    }

    /// Only for us: keys and tokens are among what is written here.
    pub(super) fn write(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.path().join(name);
        let mut file = std::fs::File::options().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        file.write_all(content.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.running.iter_mut().for_each(Running::let_go);
    }
}

fn etcd_args(client: u16, peer: u16) -> Vec<String> {
    vec![
        "--data-dir=etcd".into(),
        format!("--listen-client-urls=http://127.0.0.1:{client}"),
        format!("--advertise-client-urls=http://127.0.0.1:{client}"),
        format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
        // A cluster that is thrown away need not survive a power cut.
        "--unsafe-no-fsync".into(),
        "--log-level=error".into(),
    ]
}

fn api_server_args(etcd: u16, secure: u16) -> Vec<String> {
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        format!("--secure-port={secure}"),
        "--cert-dir=certs".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        "--service-account-key-file=sa.key".into(),
        "--service-account-signing-key-file=sa.key".into(),
        "--token-auth-file=tokens.csv".into(),
        "--authorization-mode=RBAC".into(),
        "--service-cluster-ip-range=10.96.0.0/24".into(),
        // Pods, which nobody runs here, would have to wait for their account.
        "--disable-admission-plugins=ServiceAccount".into(),
        format!("--audit-policy-file={}", audit::POLICY_FILE),
        format!("--audit-log-path={}", audit::LOG_FILE),
        // An entry is there before its answer, and a long story (MB) is in one file.
        "--audit-log-mode=blocking".into(),
        "--audit-log-maxsize=4096".into(),
    ]
}

fn controller_args() -> Vec<String> {
    vec![
        "--kubeconfig=admin.kubeconfig".into(),
        "--controllers=garbage-collector-controller,namespace-controller,serviceaccount-controller,clusterrole-aggregation-controller".into(),
        "--leader-elect=false".into(),
        "--bind-address=127.0.0.1".into(),
        // It need not be asked anything: what it does is seen in the API.
        "--secure-port=0".into(),
    ]
}

/// Free a moment ago, and different: all are held until the last is chosen.
fn free_ports() -> anyhow::Result<[u16; 3]> {
    let held = [loopback()?, loopback()?, loopback()?];
    let [a, b, c] = held.each_ref().map(|listener| listener.local_addr().map(|address| address.port()));
    Ok([a?, b?, c?])
}

fn loopback() -> anyhow::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").context("no free port on loopback")
}

fn random_token() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        bail!("the system has no random numbers");
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The key that signs the tokens of service accounts, as PEM.
fn service_account_key() -> anyhow::Result<String> {
    let der = KeyPair::generate(KeySize::Rsa2048).and_then(|pair| pair.as_der()).context("cannot make an RSA key")?;
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
}
