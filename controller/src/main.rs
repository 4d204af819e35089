//! The `launchway` binary: flags, environment, logs, signals. Everything else is wired in the library.

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use launchway::accounts::Accounts;
use launchway::backoff::Backoff;
use launchway::badges;
use launchway::check::check;
use launchway::crowd::Crowds;
use launchway::events::Events;
use launchway::git::Polls;
use launchway::images::ImageLists;
use launchway::lease::fence::Fence;
use launchway::lease::term::{self, Term};
use launchway::lease::{Candidate, Name};
use launchway::log_request::kept::LogRequests;
use launchway::metrics::Metrics;
use launchway::own::OwnWrites;
use launchway::pace::Pace;
use launchway::serve::{OF_HEALTH, OF_WEBHOOKS, Ready, health, serve};
use launchway::sweep::Sweep;
use launchway::watches::Watches;
use launchway::web::Web;
use launchway::webhooks::{Marks, Receiver, router};
use launchway::{Context, other, run};
use launchway_cloud::{Clouds, Settings};
use launchway_crds::name::Duration;
use launchway_plan::address::{Allowed, Rules, Scheme};
use launchway_plan::secret::Unbound;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Takes git commits to running Amazon ECS services, as Kubernetes objects say.
///
/// Connects to Kubernetes as kubectl does (KUBECONFIG, else the service account) and to AWS as the SDKs do (AWS_PROFILE,
/// AWS_REGION, credentials, AWS_ENDPOINT_URL). RUST_LOG sets the log level.
#[derive(Parser, Debug)]
#[command(name = "launchway", version)]
struct Flags {
    /// The name of this installation: the first part of owner tags and task definition families. Default: the UID of
    /// the namespace kube-system.
    #[arg(long, env = "LAUNCHWAY_INSTALLATION", value_parser = installation)]
    installation: Option<String>,

    /// How often a Service with nothing to do is checked for drift.
    #[arg(long, env = "LAUNCHWAY_RESYNC", default_value = "10m", value_parser = duration)]
    resync: i64,

    /// Polling speed-up factor for builds, rollouts and verifications (1 to 30); multiplies AWS calls.
    #[arg(long, env = "LAUNCHWAY_PACE", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=30))]
    pace: u32,

    /// A host, or host:port, that users' URLs may name although it is in a private network. May be repeated.
    #[arg(long = "allow-host", env = "LAUNCHWAY_ALLOW_HOST", value_delimiter = ',')]
    allow_hosts: Vec<String>,

    /// Allows http:// in users' URLs as well as https://.
    #[arg(long, env = "LAUNCHWAY_ALLOW_HTTP")]
    allow_http: bool,

    /// Sends a Secret only to the hosts that its annotation launchway.dev/hosts names, and one without it nowhere.
    #[arg(long, env = "LAUNCHWAY_REQUIRE_SECRET_HOSTS")]
    require_secret_hosts: bool,

    /// Where git's requests to CodeCommit go in place of its own hosts, for which they are signed all the same: for tests.
    #[arg(long, env = "LAUNCHWAY_CODECOMMIT_URL", value_name = "URL", hide = true)]
    codecommit_url: Option<String>,

    /// The Lease that the replicas share, as NAMESPACE/NAME: only the one that holds it works. Without it this must be the only
    /// process.
    #[arg(long, env = "LAUNCHWAY_LEASE", value_name = "NAMESPACE/NAME")]
    lease: Option<Name>,

    /// Watches these namespaces only, separated by commas; absent: all of them. AwsAccounts are those of the whole cluster.
    #[arg(long, env = "LAUNCHWAY_WATCH_NAMESPACES", value_delimiter = ',', value_parser = namespace)]
    watch_namespaces: Vec<String>,

    /// The address that serves /healthz, /readyz and /metrics.
    #[arg(long, env = "LAUNCHWAY_HTTP_ADDRESS", default_value = "0.0.0.0:8080")]
    http_address: SocketAddr,

    /// The address that takes webhooks, under /hooks/NAMESPACE/PIPELINE, and shows badges, under /badges/NAMESPACE/PIPELINE.svg; absent:
    /// neither.
    #[arg(long, env = "LAUNCHWAY_WEBHOOK_ADDRESS")]
    webhook_address: Option<SocketAddr>,

    /// The format of log lines.
    #[arg(long, env = "LAUNCHWAY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Says in one screen what works and which right is missing, in Kubernetes and in each AwsAccount, and ends: with 1 if
    /// anything is. It only looks. Flags of the controller stand before it.
    Check,
}

/// How long a connection to Kubernetes may be silent before it counts as broken: longer than an idle watch, which the API
/// server ends after 290 s.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(300);

/// How long connecting to Kubernetes may take: a watch that does not work is to show within a minute, and that takes two or three
/// tries (`watches.rs`).
const CONNECT: std::time::Duration = std::time::Duration::from_secs(10);

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

fn duration(text: &str) -> Result<i64, String> {
    let seconds = Duration::from(text).seconds().filter(|seconds| (10..=86_400).contains(seconds));
    seconds.ok_or_else(|| "a duration such as 10m, between 10s and 24h".to_owned())
}

fn namespace(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let form = !text.is_empty() && text.len() <= 63 && text.chars().all(allowed);
    if form { Ok(text.to_owned()) } else { Err("names of namespaces, separated by commas".to_owned()) }
}

fn installation(text: &str) -> Result<String, String> {
    let form =
        !text.is_empty() && text.len() <= 63 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if form { Ok(text.to_owned()) } else { Err("1 to 63 letters, digits, hyphens and underscores".to_owned()) }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut flags = Flags::parse();
    log(flags.log_format);
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        anyhow::bail!("another TLS provider is installed already");
    }
    let config = connection().await?;
    if let Some(Command::Check) = flags.command {
        // Whoever only looks need not lead, and needs no name.
        let lease = flags.lease.take();
        flags.installation.get_or_insert_with(|| "check".to_owned());
        let findings = check(&context(&flags, config).await?, lease.as_ref()).await;
        print!("{findings}");
        return Ok(if findings.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let stop = on_signal()?;
    // Every replica marks what a webhook told, whoever leads.
    let unfenced = kube::Client::try_from(config.clone()).context("creating the Kubernetes client of webhooks")?;
    let candidate = flags.lease.clone().map(|lease| candidate(lease, config.clone())).transpose()?;
    let context = Arc::new(context(&flags, config).await?);
    let listener = TcpListener::bind(flags.http_address)
        .await
        .with_context(|| format!("listening on {}: set --http-address to a free address", flags.http_address))?;
    tracing::info!(installation = context.installation, address = %flags.http_address, version = env!("CARGO_PKG_VERSION"), "launchway starts");
    let ready = Ready::default();
    let (receiver, badges) = (receiver(&context, unfenced), Arc::clone(&context.badges));
    let app = health(Arc::clone(&context), ready.clone());
    let mut served = vec![tokio::spawn(serve(listener, app, OF_HEALTH, stop.clone()))];
    if let Some(address) = flags.webhook_address {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on {address}: set --webhook-address to a free address"))?;
        let app = router(receiver.clone()).merge(badges::router(badges));
        served.push(tokio::spawn(serve(listener, app, OF_WEBHOOKS, stop.clone())));
    }
    let (term, retire) = (Arc::clone(&context.term), CancellationToken::new());
    let holding = candidate.map(|candidate| tokio::spawn(candidate.hold(Arc::clone(&term), retire.clone())));
    let is_lost = tokio::select! {
        () = run::run(context, stop.clone(), move || ready.announce()) => false,
        () = term.over() => true,
    };
    stop.cancel();
    retire.cancel();
    if let Some(holding) = holding {
        holding.await.context("holding the lease")?;
    }
    for served in served {
        served.await.context("serving health, metrics and webhooks")?;
    }
    // Where Kubernetes does not answer, a poll sees the push later.
    let _ = tokio::time::timeout(LAST_MARKS, receiver.marks.finish(&receiver.kube, jiff::Timestamp::now())).await;
    // What is kept in memory is that of a leader. The next process begins anew, and stands by.
    anyhow::ensure!(!is_lost, "another replica may lead by now: this one ends, to be started again");
    tracing::info!("launchway has stopped");
    Ok(ExitCode::SUCCESS)
}

fn log(format: LogFormat) {
    let filter = launchway::logs::filter(std::env::var("RUST_LOG").ok().as_deref());
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    let lines = lines.with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Human => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).init(),
    }
}

async fn connection() -> anyhow::Result<kube::Config> {
    let mut config = kube::Config::infer()
        .await
        .context("no connection to Kubernetes is configured: set KUBECONFIG, or run inside a cluster")?;
    config.read_timeout = Some(SILENCE);
    config.connect_timeout = Some(CONNECT);
    Ok(config)
}

/// Stands for the lease, with a client of its own, under the pod's name and something that no other process has.
fn candidate(lease: Name, config: kube::Config) -> anyhow::Result<Candidate> {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "launchway".to_owned());
    let kube = kube::Client::try_from(config).context("creating the Kubernetes client of the lease")?;
    let identity = format!("{host}_{:016x}", fastrand::u64(..));
    Ok(Candidate { lease, identity, kube, clock: Arc::new(jiff::Timestamp::now) })
}

/// How long the last marks of webhooks may take.
const LAST_MARKS: std::time::Duration = std::time::Duration::from_secs(2);

fn receiver(context: &Context, kube: kube::Client) -> Receiver {
    Receiver {
        known: Arc::clone(&context.webhooks),
        kube,
        clock: Arc::clone(&context.clock),
        metrics: Arc::clone(&context.metrics),
        marks: Marks::default(),
    }
}

async fn context(flags: &Flags, config: kube::Config) -> anyhow::Result<Context> {
    let api_server = api_server(&config.cluster_url).await;
    let term = if flags.lease.is_some() { Term::awaited(term::clock()) } else { Term::always() };
    let kube = kube::client::ClientBuilder::try_from(config).context("creating the Kubernetes client")?;
    let kube = kube.with_layer(&Fence(Arc::clone(&term))).build();
    let plain_http = if flags.allow_http { Scheme::HttpToo } else { Scheme::HttpsOnly };
    let rules = Rules::parse(&Allowed { extra_hosts: flags.allow_hosts.clone(), plain_http }, &api_server)
        .context("--allow-host")?;
    let web = Web::guarded(rules.clone()).context("creating the HTTP client")?;
    let installation = match &flags.installation {
        Some(name) => name.clone(),
        None => cluster_uid(&kube).await?,
    };
    let (leads, metrics) = (Arc::clone(&term), Arc::new(Metrics::default()));
    let told = Arc::clone(&metrics);
    let settings = Settings {
        codecommit_url: flags.codecommit_url.clone(),
        installation: installation.clone(),
        seed: fastrand::u64(..),
        may_change: Arc::new(move || leads.is_sure()),
        tell: Arc::new(move |call| told.told(call)),
        ..Settings::from_environment().await
    };
    Ok(Context {
        kube,
        clouds: Clouds::new(settings),
        polls: Polls::new(web.clone()),
        git_hosts: launchway::git_hosts::GitHosts::new(web.clone()),
        images: ImageLists::default(),
        webhooks: Arc::default(),
        web,
        rules,
        badges: Arc::default(),
        unbound_secrets: if flags.require_secret_hosts { Unbound::Kept } else { Unbound::Sent },
        clock: Arc::new(jiff::Timestamp::now),
        backoff: Backoff::new(fastrand::u64(..)),
        pace: Pace::new(fastrand::u64(..)).times(flags.pace),
        sweep: Sweep::default(),
        accounts: Accounts::default(),
        crowds: Crowds::default(),
        log_requests: LogRequests::default(),
        events: Events::default(),
        own: OwnWrites::default(),
        installation,
        resync: flags.resync,
        namespaces: flags.watch_namespaces.clone(),
        term,
        watches: Watches::default(),
        metrics,
    })
}

/// The API server's host and its current addresses: users' URLs may name neither.
async fn api_server(url: &http::Uri) -> Vec<String> {
    let Some(host) = url.host() else { return Vec::new() };
    let name = host.trim_matches(['[', ']']);
    let found = tokio::net::lookup_host((name, url.port_u16().unwrap_or(443))).await;
    let addresses = found.into_iter().flatten().map(|address| address.ip().to_string());
    [name.to_owned()].into_iter().chain(addresses).collect()
}

async fn cluster_uid(kube: &kube::Client) -> anyhow::Result<String> {
    let system = other::namespace("kube-system", kube)
        .await
        .context("reading the UID of namespace kube-system, the default for --installation")?;
    system.and_then(|system| system.uid).context("namespace kube-system has no UID: set --installation")
}

/// Cancelled by SIGTERM and Ctrl-C.
fn on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let token = stop.clone();
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("stopping: passes that are under way may finish");
        token.cancel();
    });
    Ok(stop)
}
