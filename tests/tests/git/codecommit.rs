//! CodeCommit over sockets: git's own server behind a door that verifies signatures, and rights, as AWS does.

use super::{Protocol, Seen, greeter, of_main, other, passed_on, web, when};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use axum::Router;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use launchway::git::{Credential, GitFault, Head, Offered, Polls, head};
use launchway::web::Web;
use launchway_cloud::{Clouds, GitRepository, Settings};
use launchway_plan::account::{Assumed, Place, Share};
use launchway_plan::fault::Remedy;
use launchway_plan::rank::Rank;
use launchway_test_aws::World;
use launchway_test_aws::codecommit::Knock;
use launchway_test_aws::door::Connector;
use launchway_tests::git::{Access, Hash, Repository, Server, sample};
use serde_json::json;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-2";
const HOST: &str = "git-codecommit.us-east-2.amazonaws.com";
const KEY: &str = "AKIAMARKERMARKER1234";
const SECRET: &str = "secretMarkerSecretMarkerSecretMarker0001";

/// Launchway's clock: so many minutes after the beginning.
#[derive(Clone, Debug, Default)]
struct Minutes(Arc<AtomicI64>);

impl Minutes {
    fn now(&self) -> Timestamp {
        when(self.0.load(Ordering::SeqCst))
    }

    fn set(&self, minutes: i64) {
        self.0.store(minutes, Ordering::SeqCst);
    }
}

impl TimeSource for Minutes {
    fn now(&self) -> SystemTime {
        Minutes::now(self).into()
    }
}

/// An account with one repository, `greeter`, on a server of that kind; its clock and ours.
struct Site {
    aws: Arc<Mutex<World>>,
    theirs: Minutes,
    ours: Minutes,
    clouds: Clouds,
    web: Web,
    polls: Polls,
    commit: String,
    repository: Repository,
    _root: tempfile::TempDir,
    _server: Server,
}

impl Site {
    async fn new(protocol: Protocol) -> Site {
        let (root, server, repository, commit, _) = greeter(protocol, Hash::Sha1, Access::Open).await;
        let (theirs, ours) = (Minutes::default(), Minutes::default());
        let mut world = World::new(7);
        world.add_user(ACCOUNT, "launchway", KEY);
        world.iam.credentials.get_mut(KEY).unwrap().secret = Some(SECRET.to_owned());
        let aws = Arc::new(Mutex::new(world));
        let (world, clock, git) = (aws.clone(), theirs.clone(), server.host());
        let door = Router::new().fallback(move |request: axum::extract::Request| {
            let (world, now, git) = (world.clone(), clock.now(), git.clone());
            async move { answered(&world, now, git, request).await }
        });
        let host = other(door).await;
        let keys = Credentials::new(KEY, SECRET, None, None, "test");
        let base = SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(keys)).build();
        let clock = theirs.clone();
        let connector = Connector::new(aws.clone(), Arc::new(move || clock.now()));
        let settings = Settings {
            http_client: Some(SharedHttpClient::new(connector)),
            time_source: Some(SharedTimeSource::new(ours.clone())),
            codecommit_url: Some(format!("http://{host}")),
            ..Settings::new(base)
        };
        let (clouds, web) = (Clouds::new(settings), web(&[&host]));
        let polls = Polls::new(web.clone());
        Site { aws, theirs, ours, clouds, web, polls, commit, repository, _root: root, _server: server }
    }

    /// Both clocks go on.
    fn at(&self, minutes: i64) {
        self.theirs.set(minutes);
        self.ours.set(minutes);
    }

    /// A role that may do everything, or only this.
    fn role(&self, name: &str, policy: Option<serde_json::Value>) -> Option<Assumed> {
        let mut world = self.aws.lock().unwrap();
        let arn = world.add_role(ACCOUNT, name);
        if let Some(statement) = policy {
            let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
            world.set_policy(&arn, &policy).unwrap();
        }
        Some(Assumed { arn, external_id: None })
    }

    fn sees(&self, region: &str, role: Option<Assumed>, name: &str) -> GitRepository {
        let place = Place { region: region.to_owned(), role, share: Share::default() };
        self.clouds.at(&place, "shop", Rank::Look).git_repository(name)
    }

    /// The head of `main`, as a Pipeline asks for it.
    async fn head(&self, repository: &GitRepository) -> Result<Head, GitFault> {
        let access = Seen { credential: Some(Credential::CodeCommit(repository.clone())), ..Seen::default() };
        self.polls
            .head(&of_main(&repository.url(), &access, 60), self.ours.now())
            .await
            .expect("an answer in time")
            .outcome
    }
}

/// What CodeCommit answers: whom its door lets in, git's own server answers. Like CodeCommit's it does not say what HEAD is.
async fn answered(world: &Mutex<World>, now: Timestamp, git: String, mut request: axum::extract::Request) -> Response {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let knock = Knock { host: HOST, path: request.uri().path(), authorization };
    let knocked = world.lock().unwrap().knock(now, &knock);
    if let Err(status) = knocked {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    let behind = request.uri().to_string().replacen("/v1/repos/", "/", 1);
    *request.uri_mut() = behind.parse().unwrap();
    let (parts, body) = passed_on(git, request).await.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8_lossy(&body).replace("symref=HEAD:", "xxxxxx=HEAD:");
    Response::from_parts(parts, text.into())
}

/// What a role needs.
fn pull(resource: &str) -> serde_json::Value {
    json!({"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": resource})
}

#[tokio::test]
async fn a_branch_is_seen_with_credentials_of_aws_alone_through_a_role_or_not() {
    for protocol in [Protocol::Newest, Protocol::V0] {
        let site = Site::new(protocol).await;
        let role = site.role("reader", Some(pull("arn:aws:codecommit:us-east-2:123456789012:greeter")));
        for role in [None, role] {
            let repository = site.sees(REGION, role, "greeter");
            assert_eq!(site.head(&repository).await.unwrap().commit, site.commit, "{protocol:?} {repository:?}");
        }
    }
}

#[tokio::test]
async fn each_poll_is_signed_anew() {
    let site = Site::new(Protocol::Newest).await;
    let repository = site.sees(REGION, None, "greeter");
    assert_eq!(site.head(&repository).await.unwrap().commit, site.commit);
    site.at(20);
    let next = site.repository.commit("main", "Say ahoy", &sample::greeting("Ahoy"), super::WHO, when(20)).unwrap();
    assert_eq!(site.head(&repository).await.unwrap().commit, next, "an old signature is good for 15 minutes");
}

#[tokio::test]
async fn a_role_without_the_right_is_told_the_statement_and_sees_nothing_of_what_another_role_saw() {
    let site = Site::new(Protocol::Newest).await;
    let allowed = site.sees(REGION, site.role("reader", None), "greeter");
    let denied =
        site.sees(REGION, site.role("other", Some(pull("arn:aws:codecommit:us-east-2:123456789012:web"))), "greeter");
    assert_eq!(site.head(&allowed).await.unwrap().commit, site.commit);
    let fault = site.head(&denied).await.unwrap_err();
    assert_eq!(fault, GitFault::AuthenticationFailed { status: 403, offered: Offered::Signature });
    let fault = fault.at_code_commit(&denied.arn());
    assert_eq!(fault.remedy, Remedy::AskOperator);
    let statement = r#"allow {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "arn:aws:codecommit:us-east-2:123456789012:greeter"} for Launchway's role"#;
    assert!(fault.to_string().contains(statement), "{fault}");
    assert_eq!(site.head(&allowed).await.unwrap().commit, site.commit);
}

#[tokio::test]
async fn what_is_signed_for_another_region_another_repository_or_another_time_is_refused() {
    let refused = GitFault::AuthenticationFailed { status: 403, offered: Offered::Signature };
    let site = Site::new(Protocol::Newest).await;
    let elsewhere = site.sees("eu-central-1", None, "greeter");
    assert_eq!(site.head(&elsewhere).await, Err(refused.clone()), "another Region");
    let here = site.sees(REGION, None, "greeter");
    let login = site.sees(REGION, None, "web").login().await.unwrap();
    let of_another = Credential::Basic { username: login.username, password: login.password };
    let asked = head(&site.web, &here.url(), "main", Some(&of_another)).await;
    assert!(matches!(asked, Err(GitFault::AuthenticationFailed { status: 403, .. })), "another repository");
    site.theirs.set(16);
    assert_eq!(site.head(&here).await, Err(refused), "another time");
    site.at(30);
    assert_eq!(site.head(&here).await.unwrap().commit, site.commit);
}

#[tokio::test]
async fn a_repository_and_a_branch_that_are_not_there_are_told_apart() {
    for protocol in [Protocol::Newest, Protocol::V0] {
        let site = Site::new(protocol).await;
        let missing = site.sees(REGION, None, "nothing");
        let fault = site.head(&missing).await.unwrap_err();
        assert_eq!(fault, GitFault::NotFound);
        let told = fault.at_code_commit(&missing.arn()).to_string();
        assert!(told.contains("no repository of that name in that Region") && told.contains(":nothing"), "{told}");

        site.repository.point("release", &site.commit).unwrap();
        let repository = site.sees(REGION, None, "greeter");
        let credential = Credential::CodeCommit(repository.clone());
        let seen = head(&site.web, &repository.url(), "relaese", Some(&credential)).await;
        let Err(GitFault::NoSuchBranch(none)) = seen else { panic!("{protocol:?}: {seen:?}") };
        assert_eq!(none.nearby, ["release"]);
    }
}
