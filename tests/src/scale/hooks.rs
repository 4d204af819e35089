//! How long a signed webhook takes, and the commit that it tells of, while requests that are worth nothing flood the port.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use aws_lc_rs::hmac;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use launchway_crds::Pipeline;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, Mark};
use super::fairness::{Git, VICTIM, prepare, release_of_a_commit, words};
use super::{Column, Row};
use crate::world::sample::NAMESPACE;

/// From how many connections the bad requests come.
const CLIENTS: u32 = 32;
/// How many are sent over each before their answers are read.
const AT_ONCE: u32 = 16;
/// How long it is watched before and after.
const QUIET: Duration = Duration::from_secs(20);
/// How often a signed one is sent.
const OFTEN: Duration = Duration::from_millis(250);
const TOKEN: &str = "s3cret";

/// So many bad requests a second for so long, with what comes before and after.
pub(super) async fn flooded(mut bench: Bench, rate: u32, long: Duration) -> anyhow::Result<Vec<Column>> {
    let git = Git::start().await?;
    prepare(&bench, &git).await?;
    follow(&bench).await?;
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())?;
    bench.begin_hearing(std::slice::from_ref(&git.host), address).await?;
    release_of_a_commit(&bench, &git, 0).await?;
    let before = phase(&bench, &git, address, "before".to_owned(), (1, QUIET, 0)).await?;
    let title = format!("{rate} bad ones a second for {} s", long.as_secs());
    let under = phase(&bench, &git, address, title, (2, long, rate)).await?;
    let after = phase(&bench, &git, address, "after".to_owned(), (3, QUIET, 0)).await?;
    Ok(vec![before, under, after])
}

/// Gives the Pipeline a webhook; its branch is looked at once a day else.
async fn follow(bench: &Bench) -> anyhow::Result<()> {
    let secret: Secret = serde_json::from_value(json!({"metadata": {"name": "hook"}, "stringData": {"token": TOKEN}}))?;
    Api::<Secret>::namespaced(bench.kube(), NAMESPACE).create(&PostParams::default(), &secret).await?;
    let webhook = json!({"provider": "GitHub", "secretRef": {"name": "hook"}});
    let source = json!({"spec": {"source": {"git": {"interval": "24h"}, "webhook": webhook}}});
    let pipelines: Api<Pipeline> = Api::namespaced(bench.kube(), NAMESPACE);
    pipelines.patch(VICTIM, &PatchParams::default(), &Patch::Merge(source)).await?;
    Ok(())
}

/// One commit, signed requests, and bad ones, all at the same time.
async fn phase(
    bench: &Bench,
    git: &Git,
    address: SocketAddr,
    title: String,
    (number, long, rate): (usize, Duration, u32),
) -> anyhow::Result<Column> {
    eprintln!("{title}");
    let mark: Mark = bench.mark().await?;
    let stop = CancellationToken::new();
    let floods: Vec<_> = (0..if rate > 0 { CLIENTS } else { 0 })
        .map(|_| tokio::spawn(flood(address, rate / CLIENTS, stop.clone())))
        .collect();
    let signed = tokio::spawn(delays(address, long));
    // The commit comes in the middle of it; the signed requests that follow tell of it.
    tokio::time::sleep(long / 4).await;
    let commit = release_of_a_commit(bench, git, number).await?;
    let delays = signed.await??;
    stop.cancel();
    let mut bad = 0;
    for flood in floods {
        bad += flood.await??;
    }
    let since = bench.since(&mark).await?;
    let took = since.took.as_secs_f64();
    Ok(Column {
        title,
        rows: vec![
            Row::new("bad requests that were answered, a second", "", format!("{:.0}", bad as f64 / took)),
            Row::new("a signed one until its answer: median, 99th percentile", "", words(delays)),
            Row::new("a commit until StartBuild", "", format!("{commit:.1} s")),
            Row::new("memory", "", format!("{} MiB", since.rss)),
            Row::new("reads of Kubernetes a second", "", format!("{:.1}", since.wrote.reads as f64 / took)),
            Row::new("CPU", "", format!("{:.0} %", since.cpu.as_secs_f64() / took * 100.0)),
        ],
    })
}

/// Sends a signed request now and then, each over a connection of its own; how long each took, in seconds.
async fn delays(address: SocketAddr, long: Duration) -> anyhow::Result<Vec<f64>> {
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, TOKEN.as_bytes()), b"{}");
    let digits: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let request = request(VICTIM, &format!("X-Hub-Signature-256: sha256={digits}\r\n"), "{}");
    let (end, mut all) = (Instant::now() + long, Vec::new());
    while Instant::now() < end {
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0; 64];
        let length = stream.read(&mut answer).await?;
        ensure!(answer[..length].starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&answer[..length]));
        all.push(began.elapsed().as_secs_f64());
        tokio::time::sleep(OFTEN).await;
    }
    Ok(all)
}

/// Sends bad requests at that rate until it is stopped; how many were answered.
async fn flood(address: SocketAddr, rate: u32, stop: CancellationToken) -> anyhow::Result<u64> {
    let wrong = format!("X-Hub-Signature-256: sha256={}\r\n", "0".repeat(64));
    let kinds = [
        request("nobody", "", ""),
        request(VICTIM, "", ""),
        request(VICTIM, &wrong, &"x".repeat(1024)),
        request(VICTIM, "X-Hub-Signature-256: sha256=zz\r\n", "{}"),
    ];
    let batch: String = (0..AT_ONCE as usize).map(|number| kinds[number % kinds.len()].as_str()).collect();
    let mut tick = tokio::time::interval(Duration::from_secs(1) * AT_ONCE / rate.max(1));
    let (mut answered, mut stream) = (0, TcpStream::connect(address).await?);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(answered),
            _ = tick.tick() => {}
        }
        // A connection lasts a minute, and one whose request is refused unread is closed.
        let (seen, is_open) = exchange(&mut stream, batch.as_bytes()).await;
        answered += u64::from(seen);
        if !is_open {
            stream = TcpStream::connect(address).await.context("the port takes no connections")?;
        }
    }
}

/// Sends a batch and reads its answers: how many came, and whether the connection can be used again.
async fn exchange(stream: &mut TcpStream, batch: &[u8]) -> (u32, bool) {
    if stream.write_all(batch).await.is_err() {
        return (0, false);
    }
    let (mut answers, mut part) = (Vec::new(), [0; 16384]);
    let count = |answers: &[u8]| answers.windows(12).filter(|part| *part == b"HTTP/1.1 401").count() as u32;
    loop {
        match stream.read(&mut part).await {
            Ok(length) if length > 0 => answers.extend_from_slice(&part[..length]),
            Ok(_) | Err(_) => return (count(&answers), false),
        }
        let seen = count(&answers);
        if seen >= AT_ONCE {
            return (seen, true);
        }
    }
}

fn request(name: &str, header: &str, body: &str) -> String {
    let length = body.len();
    format!("POST /hooks/{NAMESPACE}/{name} HTTP/1.1\r\nHost: hooks\r\n{header}Content-Length: {length}\r\n\r\n{body}")
}
