//! Against a real Gitea, on loopback: commits and tags are seen, webhooks believed, commit statuses taken. It takes minutes to build, so
//! these run with `cargo gitea` and not with the other tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use kube::runtime::watcher::Event;
use launchway::Context;
use launchway::git::{Access, Ask, Credential, Polls, head};
use launchway::git_hosts::GitHosts;
use launchway::item::Item;
use launchway::kind::Reconciled;
use launchway::release::commit_statuses::report;
use launchway::web::Web;
use launchway::webhooks::{Marks, Receiver, router};
use launchway_crds::Pipeline;
use launchway_crds::pipeline::GitHost;
use launchway_crds::release::Reported;
use launchway_plan::address::{Allowed, Rules, Scheme};
use launchway_plan::fault::Fault;
use launchway_plan::pipeline::refs::Refs;
use launchway_plan::release::commit_status::{CommitStatus, Host, Subject};
use launchway_plan::release::{Desired, Effected};
use launchway_test_kube::real::Say;
use launchway_test_kube::real::gitea::Gitea;
use launchway_tests::life::{self, gate::Gate};
use launchway_tests::world::World;
use launchway_tests::world::sample::{self, NAMESPACE, PIPELINE};
use serde_json::json;
use tower::ServiceExt;

async fn gitea() -> Gitea {
    let _already_there = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Gitea::start(&Say::default()).await.unwrap()
}

/// The real network, with that Gitea listed.
fn web(gitea: &Gitea) -> Web {
    let extra_hosts = vec![gitea.host().to_owned()];
    Web::guarded(Rules::parse(&Allowed { extra_hosts, plain_http: Scheme::HttpToo }, &[]).unwrap()).unwrap()
}

/// A life in the sample's world, over the real network.
fn living(world: &World, gitea: &Gitea) -> Context {
    let context = life::context(world, &Gate::new(&world.time), 7, 600);
    Context { git_hosts: GitHosts::new(web(gitea)), ..context }
}

fn secret(world: &World, name: &str, token: &str) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE},
        "data": {"token": STANDARD.encode(token)}});
    world.store.apply_json(&secret).unwrap();
}

fn release(commit: &str) -> Desired {
    let release = json!({"apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": "greeter-1", "namespace": NAMESPACE, "uid": "r-1"},
        "spec": {"pipeline": PIPELINE, "commit": commit, "reason": "Manual"}});
    Desired::parse(&serde_json::from_value(release).unwrap()).unwrap()
}

fn status(subject: Subject, state: Reported) -> CommitStatus {
    let link = Some("https://console.example.com/build".to_owned());
    CommitStatus { subject, state, description: format!("Release greeter-1 {state:?}"), link }
}

/// What became of commit statuses that were sent with the Secret of that name.
async fn reported(
    repository: &str,
    secret: &str,
    commit: &str,
    statuses: &[CommitStatus],
    context: &Context,
) -> Option<Fault> {
    let (repository, secret) = (repository.to_owned(), Some(secret.to_owned()));
    let host = Host { provider: GitHost::Gitea, repository, secret, branch: None };
    let Effected::Reported { fault, .. } = report(&host, statuses, &release(commit), context).await.unwrap() else {
        panic!()
    };
    fault
}

#[tokio::test]
#[ignore = "builds Gitea, which takes minutes: cargo gitea"]
async fn it_shows_the_last_commit_status_of_each_name_and_what_it_refuses_is_understood() {
    let gitea = gitea().await;
    gitea.create("greeter").await.unwrap();
    let commit = gitea.commit("greeter", "a.txt", "Say good morning").await.unwrap();
    let world = sample::world(7);
    secret(&world, "writer", &gitea.token(&["write:repository"]).await.unwrap());
    secret(&world, "reader", &gitea.token(&["read:repository"]).await.unwrap());
    secret(&world, "stranger", "0123456789012345678901234567890123456789");
    let (context, repository) = (living(&world, &gitea), gitea.repository("greeter"));

    let all = [Reported::Pending, Reported::Success, Reported::Failure, Reported::Cancelled];
    for (number, state) in all.into_iter().enumerate() {
        let check = Subject::Check(format!("check-{number}").as_str().into());
        let statuses = [status(check, state), status(Subject::Build, state)];
        assert_eq!(reported(&repository, "writer", &commit, &statuses, &context).await, None);
    }
    let mut shown = gitea.statuses("greeter", &commit).await.unwrap();
    shown.sort_by(|one, other| one.context.cmp(&other.context));
    let words: Vec<_> = shown.iter().map(|one| (one.context.as_str(), one.status.as_str())).collect();
    let expected = [
        ("launchway/lw/shop/greeter/build", "error"),
        ("launchway/lw/shop/greeter/checks/check-0", "pending"),
        ("launchway/lw/shop/greeter/checks/check-1", "success"),
        ("launchway/lw/shop/greeter/checks/check-2", "failure"),
        ("launchway/lw/shop/greeter/checks/check-3", "error"),
    ];
    assert_eq!(words, expected);
    assert_eq!(shown[1].description, "Release greeter-1 Pending");
    assert_eq!(shown[1].target_url, "https://console.example.com/build");

    let one = [status(Subject::Build, Reported::Success)];
    let code = |fault: Option<Fault>| fault.map(|fault| fault.code);
    let (nowhere, unknown) = (gitea.repository("nothing"), "0123456789abcdef0123456789abcdef01234567");
    assert_eq!(code(reported(&repository, "reader", &commit, &one, &context).await).as_deref(), Some("Unauthorized"));
    assert_eq!(code(reported(&repository, "stranger", &commit, &one, &context).await).as_deref(), Some("Unauthorized"));
    assert_eq!(code(reported(&nowhere, "writer", &commit, &one, &context).await).as_deref(), Some("NotFound"));
    assert_eq!(code(reported(&repository, "writer", unknown, &one, &context).await).as_deref(), Some("NotTaken"));
    // What it refused of one commit keeps nothing of another one.
    assert_eq!(reported(&repository, "writer", &commit, &one, &context).await, None);
}

#[tokio::test]
#[ignore = "builds Gitea, which takes minutes: cargo gitea"]
async fn its_commits_and_tags_are_seen_with_a_token() {
    let gitea = gitea().await;
    gitea.create("greeter").await.unwrap();
    let first = gitea.commit("greeter", "a.txt", "Say good morning").await.unwrap();
    gitea.tag("greeter", "v1.0.0", &first).await.unwrap();
    let (web, url) = (web(&gitea), gitea.repository("greeter"));
    let token = Credential::Token(gitea.token(&["read:repository"]).await.unwrap());
    assert_eq!(head(&web, &url, "main", Some(&token)).await.unwrap().commit, first);
    assert!(head(&web, &url, "main", None).await.is_err());

    let access = Access { credential: Some(token), ..Access::default() };
    let tags = launchway_crds::pipeline::Tags { pattern: None, semver: Some(">=1.0.0".into()) };
    let interval = SignedDuration::from_secs(60);
    let ask = Ask {
        url: &url,
        refs: Refs::parse("spec.source.git", None, Some(&tags)).unwrap(),
        namespace: NAMESPACE,
        access: &access,
        interval,
        since: None,
    };
    let poll = Polls::new(web).head(&ask, Timestamp::now()).await.unwrap();
    assert_eq!(poll.outcome.unwrap().commit, first);
}

#[tokio::test]
#[ignore = "builds Gitea, which takes minutes: cargo gitea"]
async fn its_webhooks_are_believed_if_they_are_signed_with_the_secret() {
    let gitea = gitea().await;
    let world = sample::world(7);
    sample::apply(&world);
    secret(&world, "hook", "s3cret");
    world.edit("Pipeline", PIPELINE, |spec| {
        spec["source"]["webhook"] = json!({"provider": "Gitea", "secretRef": {"name": "hook"}});
    });
    let context = living(&world, &gitea);
    let pipeline: Pipeline =
        serde_json::from_value(world.object("Pipeline", PIPELINE).unwrap().value().clone()).unwrap();
    Pipeline::followed(&Event::Apply(Item::Read(pipeline)), &context);
    let receiver = router(Receiver {
        known: Arc::clone(&context.webhooks),
        kube: world.store.client(),
        clock: Arc::clone(&context.clock),
        metrics: Arc::clone(&context.metrics),
        marks: Marks::default(),
    });
    let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
    let app = Router::new().fallback(move |request: axum::extract::Request| {
        let (receiver, answers) = (receiver.clone(), answers.clone());
        async move {
            let answer = receiver.oneshot(request).await.unwrap();
            answers.send(answer.status().as_u16()).unwrap();
            answer
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    for (number, (secret, status)) in [("s3cret", 202), ("another", 401)].into_iter().enumerate() {
        let repository = format!("hooked-{number}");
        gitea.create(&repository).await.unwrap();
        let hook = format!("http://{address}/hooks/{NAMESPACE}/{PIPELINE}");
        gitea.hook(&repository, &hook, secret).await.unwrap();
        gitea.commit(&repository, "b.txt", "Say good evening").await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(60), answered.recv()).await;
        assert_eq!(answer.unwrap(), Some(status), "signed with {secret}");
    }
    server.abort();
}
