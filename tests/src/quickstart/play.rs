//! The stories that the quick start plays by itself, each with what must be so in its end: in Kubernetes' statuses and
//! in AWS itself.

use anyhow::{Context, ensure};
use kube::Api;
use kube::api::{ObjectMeta, PostParams};
use launchway_crds::Release;
use launchway_crds::release::{ReleaseReason, ReleaseSpec};

use super::clone::Clone;
use super::live::Live;
use super::wait::Answer;
use super::{NAME, NAMESPACE, Parts, STAGES, service};
use crate::git::sample;

/// Plays all stories, one after the other.
///
/// # Errors
/// One of them did not end as it should: what was expected, and what was there.
pub async fn play(parts: &Parts) -> anyhow::Result<()> {
    let _live = Live::start(parts.cluster.client(), NAMESPACE, parts.screen.clone());
    parts.screen.title("1. The first commit goes to prod");
    parts.apply_sample().await?;
    let first = parts.head()?;
    first_release(parts, &first).await.context("story 1, the first commit")?;
    let clone = parts.clone_sample().await?;
    let good = good_commit(parts, &clone).await.context("story 2, a good commit")?;
    failing_build(parts, &clone, &good).await.context("story 3, a commit whose build fails")?;
    crash_loop(parts, &clone, &good).await.context("story 4, a commit that crash-loops")?;
    back_again(parts, &good).await.context("story 5, the good commit released again by a person")?;
    parts.screen.blank();
    parts.screen.done("All stories", "each ended as it should, in Kubernetes and in AWS");
    Ok(())
}

/// The sample's first commit, from its first look to prod. `kubectl wait`, begun before, returns not before prod is
/// verified.
///
/// # Errors
/// It did not come to that.
pub async fn first_release(parts: &Parts, commit: &str) -> anyhow::Result<()> {
    let wait = ["-n", NAMESPACE, "wait", "--for=condition=Released", "pipeline/greeter", "--timeout=300s"];
    let (waited, said) = tokio::join!(parts.cluster.kubectl(&wait), parts.released(commit));
    runs(parts, commit, &said?)?;
    let waited = waited?;
    ensure!(waited.status.success(), "kubectl wait: {}", String::from_utf8_lossy(&waited.stderr).trim());
    parts.screen.typed(&format!("kubectl {}", wait.join(" ")));
    parts.screen.verbatim(&String::from_utf8_lossy(&waited.stdout));
    parts.kubectl("get launchway -A").await?;
    Ok(())
}

/// Any further commit: it is built once, and each stage runs its image.
///
/// # Errors
/// It did not come to that.
pub async fn next_release(parts: &Parts, commit: &str) -> anyhow::Result<()> {
    let said = parts.released(commit).await?;
    runs(parts, commit, &said)
}

async fn good_commit(parts: &Parts, clone: &Clone) -> anyhow::Result<String> {
    parts.screen.title("2. A good commit");
    let commit = push(parts, clone, "Say ahoy", sample::greeting("Ahoy")).await?;
    let said = parts.released(&commit).await?;
    runs(parts, &commit, &said)?;
    parts.kubectl("get lwp,esvc,lwr").await?;
    Ok(commit)
}

async fn failing_build(parts: &Parts, clone: &Clone, good: &str) -> anyhow::Result<()> {
    parts.screen.title("3. A commit whose build fails");
    let commit = push(parts, clone, "Say nothing", sample::failing_test()).await?;
    let said = parts.released(&commit).await?;
    failed(&said, "BuildFailed")?;
    ensure!(
        said.message.contains("the greeting is empty") || said.message.contains("./test.sh"),
        "the message names no command: {}",
        said.message
    );
    let builds: Vec<String> = parts.aws.builds(&commit).into_iter().map(|build| build.status).collect();
    ensure!(builds == ["FAILED"], "a failing command is built once: {builds:?}");
    ensure!(parts.aws.digest(&commit).is_none(), "there is an image of a commit whose build failed");
    still_run(parts, good)?;
    shown(&parts.kubectl("get lwp,esvc,lwr").await?, &[NAME, "greeter-3"], "BuildFailed")
}

async fn crash_loop(parts: &Parts, clone: &Clone, good: &str) -> anyhow::Result<()> {
    parts.screen.title("4. A commit that crash-loops: ECS rolls it back");
    let commit = push(parts, clone, "Forget the port", sample::crash_looping()).await?;
    let said = parts.released(&commit).await?;
    failed(&said, "RolledBack")?;
    let staging = service(STAGES[0]);
    let rollout = parts.rolled_out(&staging, "False").await?;
    ensure!(rollout.message.contains("exited with code 1"), "the Service does not say why: {}", rollout.message);
    let rollouts = parts.aws.rollouts(&staging);
    let back = rollouts.iter().filter(|status| **status == "ROLLBACK_SUCCESSFUL").count();
    ensure!(back == 1, "ECS was to roll back once and be left alone: {rollouts:?}");
    ensure!(parts.aws.rollouts(&service(STAGES[1])).len() == 2, "prod was rolled with a commit that staging refused");
    still_run(parts, good)?;
    shown(&parts.kubectl("get lwp,esvc,lwr").await?, &[NAME, staging.as_str(), "greeter-4"], "RolledBack")
}

async fn back_again(parts: &Parts, good: &str) -> anyhow::Result<()> {
    parts.screen.title("5. A person releases the good commit again");
    let name = "ahoy-again";
    let metadata = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
    let spec = ReleaseSpec {
        pipeline: NAME.into(),
        number: None,
        commit: Some(good.into()),
        git_tag: None,
        reason: ReleaseReason::Manual,
    };
    let release = Release { metadata, spec, status: None };
    let releases: Api<Release> = Api::namespaced(parts.cluster.client(), NAMESPACE);
    releases.create(&PostParams::default(), &release).await?;
    let own = parts.verified(name).await?;
    ensure!(own.status == "True", "the Release ended {}: {}", own.reason, own.message);
    let said = parts.released(good).await?;
    runs(parts, good, &said)?;
    parts.kubectl("get lwp,esvc,lwr").await?;
    Ok(())
}

async fn push(parts: &Parts, clone: &Clone, message: &str, files: Vec<crate::git::File>) -> anyhow::Result<String> {
    parts.screen.typed(&format!("git commit -am '{message}' && git push"));
    clone.push(message, &files).await
}

/// The Pipeline says that the commit is released; it was built once; each stage's tasks run its image by digest, and
/// nothing else.
fn runs(parts: &Parts, commit: &str, said: &Answer) -> anyhow::Result<()> {
    ensure!(said.status == "True", "the Pipeline says Released {}, {}: {}", said.status, said.reason, said.message);
    let builds: Vec<String> = parts.aws.builds(commit).into_iter().map(|build| build.status).collect();
    ensure!(builds == ["SUCCEEDED"], "the commit is built once: {builds:?}");
    still_run(parts, commit)
}

/// Each stage's tasks run the commit's image by digest, and nothing else.
fn still_run(parts: &Parts, commit: &str) -> anyhow::Result<()> {
    let digest = parts.aws.digest(commit).context("there is no image of the commit")?;
    for stage in STAGES {
        let running = parts.aws.running(&service(stage));
        ensure!(running == [digest.clone()], "{} runs {running:?}, and not {digest} alone", service(stage));
    }
    let short: String = commit.chars().take(12).collect();
    let image: String = digest.chars().take("sha256:".len() + 12).collect();
    parts.screen.done("AWS agrees", &format!("staging and prod run {image}, the image of {short}, and nothing else"));
    Ok(())
}

fn failed(said: &Answer, reason: &str) -> anyhow::Result<()> {
    ensure!(
        said.status == "False" && said.reason == reason,
        "the Pipeline was to say Released False, {reason}; it says {}, {}: {}",
        said.status,
        said.reason,
        said.message
    );
    Ok(())
}

/// The table has a line for each name with False and the reason in it.
fn shown(table: &str, names: &[&str], reason: &str) -> anyhow::Result<()> {
    for name in names {
        let ends =
            |line: &&str| line.split_whitespace().next().is_some_and(|first| first.ends_with(&format!("/{name}")));
        let line = table.lines().find(ends).with_context(|| format!("`kubectl get` does not show {name}"))?;
        ensure!(
            line.contains("False") && line.contains(reason),
            "`kubectl get` does not say False and {reason}: {line}"
        );
    }
    Ok(())
}
