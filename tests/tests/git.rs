//! The git client against git's own server, over sockets, in real time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use launchway::git::{Access as Seen, Ask, Credential, GitFault, Head, Polls, head, heads};
use launchway::web::{Authorities, BadCertificate, BadRedirect, Cap, Web, WebFault};
use launchway_plan::address::{AddressRefusal, Allowed, Rules, Scheme};
use launchway_plan::fault::Remedy;
use launchway_plan::pipeline::refs::Refs;
use launchway_tests::git::{Access, File, Hash, Protocol, Repositories, Repository, Server, commit_id, sample};
use rustls::pki_types::CertificateDer;

#[path = "git/app.rs"]
mod app;
#[path = "git/changes.rs"]
mod changes;
#[path = "git/codecommit.rs"]
mod codecommit;

const WHO: &str = "Ada Lovelace <ada@example.com>";

/// What a Pipeline asks that follows `main`, at an interval of so many seconds.
fn of_main<'a>(url: &'a str, access: &'a Seen, seconds: i64) -> Ask<'a> {
    Ask {
        url,
        refs: Refs::Branch("main".to_owned()),
        namespace: "shop",
        access,
        interval: SignedDuration::from_secs(seconds),
        since: None,
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn when(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
}

/// The real network, with these hosts listed.
fn web(hosts: &[&str]) -> Web {
    let _already_there = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let extra_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    Web::guarded(Rules::parse(&Allowed { extra_hosts, plain_http: Scheme::HttpToo }, &[]).unwrap()).unwrap()
}

/// A server that holds the sample under the name `greeter`, the sample's first commit, and the way there.
async fn greeter(
    protocol: Protocol,
    hash: Hash,
    access: Access,
) -> (tempfile::TempDir, Server, Repository, String, Web) {
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(root.path(), loopback(), protocol).await.unwrap();
    let repository = server.create("greeter", hash, access).unwrap();
    let commit = repository.commit("main", "Say good morning", &sample::files(), WHO, when(0)).unwrap();
    let web = web(&[&server.host()]);
    (root, server, repository, commit, web)
}

fn basic(password: &str) -> Credential {
    Credential::Basic { username: "ada".into(), password: password.into() }
}

fn ada() -> Access {
    Access::Basic { username: "ada".into(), password: "s3cret".into() }
}

#[tokio::test]
async fn the_head_of_a_real_repository_is_seen_in_either_version_and_hash() {
    for protocol in [Protocol::Newest, Protocol::V0] {
        for (hash, digits) in [(Hash::Sha1, 40), (Hash::Sha256, 64)] {
            let (_root, server, repository, first, web) = greeter(protocol, hash, Access::Open).await;
            let seen = head(&web, &server.url("greeter"), "main", None).await.unwrap();
            assert_eq!((seen.commit.as_str(), seen.commit.len()), (first.as_str(), digits), "{protocol:?} {hash:?}");
            let second = repository.commit("main", "Say ahoy", &sample::greeting("Ahoy"), WHO, when(1)).unwrap();
            assert_eq!(head(&web, &server.url("greeter"), "main", None).await.unwrap().commit, second);
        }
    }
}

#[tokio::test]
async fn a_private_repository_is_seen_with_its_credential_only() {
    for protocol in [Protocol::Newest, Protocol::V0] {
        let (_root, server, _, commit, web) = greeter(protocol, Hash::Sha1, ada()).await;
        let url = server.url("greeter");
        assert_eq!(head(&web, &url, "main", Some(&basic("s3cret"))).await.unwrap().commit, commit);
        for credential in [None, Some(basic("wrong")), Some(Credential::Token("s3cret".into()))] {
            let fault = head(&web, &url, "main", credential.as_ref()).await.unwrap_err();
            assert!(matches!(fault, GitFault::AuthenticationFailed { status: 401, .. }), "{fault}");
            assert!(!format!("{fault} {fault:?}").contains("s3cret"));
        }
    }
    let (_root, server, _, commit, web) = greeter(Protocol::Newest, Hash::Sha1, Access::Bearer("t".into())).await;
    let bearer = Credential::Bearer("t".into());
    assert_eq!(head(&web, &server.url("greeter"), "main", Some(&bearer)).await.unwrap().commit, commit);
}

#[tokio::test]
async fn a_missing_branch_a_missing_repository_and_an_empty_one_are_told_apart() {
    for protocol in [Protocol::Newest, Protocol::V0] {
        let (_root, server, repository, first, web) = greeter(protocol, Hash::Sha1, Access::Open).await;
        repository.point("release/mian", &first).unwrap();
        let url = server.url("greeter");
        let fault = head(&web, &url, "mian", None).await.unwrap_err();
        let said = "no such branch: mian; the default branch is main; there is release/mian, main";
        assert_eq!(fault.to_string(), said, "{protocol:?}");

        let fault = head(&web, &server.url("nothing"), "main", None).await.unwrap_err();
        assert_eq!(fault, GitFault::NotFound, "{protocol:?}");

        server.create("empty", Hash::Sha1, Access::Open).unwrap();
        let GitFault::NoSuchBranch(missing) = head(&web, &server.url("empty"), "main", None).await.unwrap_err() else {
            panic!("{protocol:?}");
        };
        assert!(missing.nearby.is_empty());
    }
}

#[tokio::test]
async fn a_thousand_branches_do_not_hide_the_one() {
    let (_root, server, repository, commit, web) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
    let packed: String = (0..1000).map(|n| format!("{commit} refs/heads/topic/{n:04}\n")).collect();
    let packed = format!("# pack-refs with: peeled fully-peeled sorted \n{packed}");
    std::fs::write(repository.dir().join("packed-refs"), packed).unwrap();
    assert_eq!(head(&web, &server.url("greeter"), "topic/0777", None).await.unwrap().commit, commit);
}

#[tokio::test]
async fn a_commit_is_the_same_each_time_and_its_files_can_be_read() {
    let mut ids = vec![];
    for _ in 0..2 {
        let (_root, _server, repository, first, _web) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
        let second = repository.commit("main", "Say nothing", &sample::failing_test(), WHO, when(1)).unwrap();
        let third = repository.commit("main", "Drop the test", &[File::removed("test.sh")], WHO, when(2)).unwrap();
        assert_eq!(repository.subject(&second).as_deref(), Some("Say nothing"));
        assert_eq!(repository.file_at(&third, "test.sh"), None);
        assert!(repository.file_at(&second, "test.sh").is_some());
        let outcome = |commit: &str| sample::outcome(|path| repository.file_at(commit, path));
        assert_eq!(outcome(&first), sample::Outcome::Runs);
        assert!(matches!(outcome(&second), sample::Outcome::BuildFails { .. }));
        ids.push([first, second, third]);
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn git_itself_clones_and_pushes() {
    let (root, server, repository, first, _web) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
    let clone = root.path().join("clone");
    let git = |args: Vec<String>| {
        let mut git = tokio::process::Command::new("git");
        git.args(args).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        git.env("GIT_TERMINAL_PROMPT", "0").env_remove("http_proxy").env_remove("HTTP_PROXY").env("no_proxy", "*");
        async move { assert!(git.output().await.unwrap().status.success()) }
    };
    let at = |args: &[&str]| {
        let front = ["-C", clone.to_str().unwrap(), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
        [&front, args].concat().into_iter().map(str::to_owned).collect()
    };
    git(vec!["clone".into(), server.url("greeter"), clone.to_str().unwrap().into()]).await;
    git(at(&["commit", "--allow-empty", "-m", "Nothing"])).await;
    git(at(&["push", "origin", "main"])).await;
    let pushed = repository.head("main").unwrap();
    assert_ne!(pushed, first);
    assert_eq!(repository.subject(&pushed).as_deref(), Some("Nothing"));
}

#[tokio::test]
async fn the_newest_tag_is_seen_with_the_commit_that_it_is_of_in_either_version() {
    let of = |semver: &str| {
        let tags = serde_json::from_value(serde_json::json!({"semver": semver})).unwrap();
        Refs::parse("spec.source.git", None, Some(&tags)).unwrap()
    };
    let (all, none, main) = (of(">=1.0.0"), of(">=3.0.0"), Refs::Branch("main".to_owned()));
    let missing = Refs::Branch("mian".to_owned());
    for protocol in [Protocol::Newest, Protocol::V0] {
        let (_root, server, repository, first, web) = greeter(protocol, Hash::Sha1, Access::Open).await;
        let second = repository.commit("main", "Say ahoy", &sample::greeting("Ahoy"), WHO, when(1)).unwrap();
        // The first is an object of its own, the second only a name.
        repository.tag("v1.10.0", &first, Some("The tenth")).unwrap();
        repository.tag("v1.9.0", &second, None).unwrap();
        let wanted = [all.clone(), none.clone(), main.clone(), missing.clone()].into();
        let seen = heads(&web, &server.url("greeter"), &wanted, None).await.unwrap();
        let of = |of: &str, commit: &str| Ok(Head { commit: commit.to_owned(), of: of.to_owned() });
        assert_eq!(seen[&all], of("refs/tags/v1.10.0", &first), "{protocol:?}");
        assert_eq!(seen[&main], of("refs/heads/main", &second), "{protocol:?}");
        assert_eq!(seen[&none], Err(GitFault::NoTag(Some("v1.9.0".to_owned()))), "{protocol:?}");
        assert!(matches!(seen[&missing], Err(GitFault::NoSuchBranch(_))), "{protocol:?}");
    }
}

/// A server on loopback that is no git server.
async fn other(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind(loopback()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address.to_string()
}

#[tokio::test]
async fn a_redirect_to_another_host_is_refused_even_if_that_one_would_answer() {
    let (_root, server, _, _, _) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
    let target = format!("{}/info/refs?service=git-upload-pack", server.url("greeter"));
    let host = other(Router::new().fallback(move || std::future::ready(Redirect::permanent(&target)))).await;
    let web = web(&[&host, &server.host()]);
    let fault = head(&web, &format!("http://{host}/greeter"), "main", None).await.unwrap_err();
    assert!(matches!(&fault, GitFault::Web(WebFault::Redirect(BadRedirect::Elsewhere(_)))), "{fault}");
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed() {
    let (_root, server, _, commit, _) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
    let backend = server.host();
    let app = Router::new()
        .route(
            "/old/info/refs",
            get(|| async { Redirect::permanent("/greeter.git/info/refs?service=git-upload-pack") }),
        )
        .fallback(move |request: axum::extract::Request| passed_on(backend.clone(), request));
    let host = other(app).await;
    let seen = head(&web(&[&host]), &format!("http://{host}/old"), "main", None).await.unwrap();
    assert_eq!(seen.commit, commit);
}

/// What the git server on `host` answers the same request.
async fn passed_on(host: String, request: axum::extract::Request) -> axum::response::Response {
    let (mut parts, body) = request.into_parts();
    parts.uri = format!("http://{host}{}", parts.uri.path_and_query().unwrap()).parse().unwrap();
    parts.headers.remove("host");
    parts.headers.remove("content-length");
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let answer = web(&[&host]).answer(http::Request::from_parts(parts, body), Cap::GIT).await.unwrap();
    let mut response = axum::response::Response::new(answer.body.into());
    *response.status_mut() = answer.status;
    let kind = answer.headers.get("content-type").cloned();
    response.headers_mut().extend(kind.map(|kind| (http::header::CONTENT_TYPE, kind)));
    response
}

#[tokio::test]
async fn the_link_and_the_machine_are_refused() {
    let (_root, server, _, _, _) = greeter(Protocol::Newest, Hash::Sha1, Access::Open).await;
    let strict = web(&[]);
    let local = server.url("greeter").replace("127.0.0.1", "localhost");
    for url in ["http://169.254.169.254/", "https://169.254.169.254/x", &server.url("greeter"), &local] {
        let fault = head(&strict, url, "main", None).await.unwrap_err();
        let refused = matches!(
            fault,
            GitFault::Web(WebFault::Refused(AddressRefusal::Address { .. } | AddressRefusal::LocalName(_)))
        );
        assert!(refused, "{url}: {fault}");
        assert!(fault.to_string().contains("--allow-host"), "{fault}");
    }
}

#[tokio::test]
async fn no_more_is_read_than_the_cap() {
    let host = other(Router::new().fallback(|| async { vec![b'0'; Cap::GIT.0 + 1] })).await;
    let fault = head(&web(&[&host]), &format!("http://{host}/x"), "main", None).await.unwrap_err();
    assert_eq!(fault, GitFault::Web(WebFault::TooLarge(Cap::GIT.0)));
}

#[tokio::test]
async fn a_page_is_no_repository() {
    let host = other(Router::new().fallback(|| async { axum::response::Html("<p>Log in</p>") })).await;
    let fault = head(&web(&[&host]), &format!("http://{host}/x"), "main", None).await.unwrap_err();
    assert_eq!(fault, GitFault::NotGit { status: 200 });
}

#[tokio::test]
async fn a_host_that_speaks_no_tls_and_one_that_is_not_there_are_told_apart() {
    let host = other(Router::new()).await;
    let fault = head(&web(&[&host]), &format!("https://{host}/x"), "main", None).await.unwrap_err();
    assert!(matches!(fault, GitFault::Web(WebFault::Tls(_))), "{fault}");
    let gone = std::net::TcpListener::bind(loopback()).unwrap().local_addr().unwrap().to_string();
    let fault = head(&web(&[&gone]), &format!("http://{gone}/x"), "main", None).await.unwrap_err();
    assert_eq!(fault, GitFault::Web(WebFault::Connect));
}

#[tokio::test]
async fn the_remote_in_memory_answers_as_git_does() {
    let repositories = Repositories::new();
    let (public, private) = ("https://git.example.com/public", "https://git.example.com/private");
    repositories.create(public, Access::Open);
    repositories.create(private, ada());
    let first = commit_id("first");
    for url in [public, private] {
        repositories.push(url, "main", &first);
        repositories.push(url, "main-2", &commit_id("other"));
    }
    let web = repositories.web();
    assert_eq!(head(&web, public, "main", None).await.unwrap().commit, first);
    assert_eq!(head(&web, private, "main", Some(&basic("s3cret"))).await.unwrap().commit, first);
    assert!(matches!(head(&web, private, "main", None).await, Err(GitFault::AuthenticationFailed { .. })));
    assert_eq!(head(&web, "https://git.example.com/none", "main", None).await, Err(GitFault::NotFound));
    assert!(matches!(head(&web, public, "mian", None).await, Err(GitFault::NoSuchBranch(_))));
    assert_eq!(repositories.polls(), 5);
}

/// An authority that nobody knows, and the certificate that it signed for 127.0.0.1.
struct Authority {
    pem: String,
    tls: tokio_rustls::TlsAcceptor,
}

/// What `openssl req -x509` makes by default: a certificate that the server signed itself, and that may sign others.
fn signed_by_itself() -> Authority {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap();
    Authority { pem: certificate.pem(), tls: acceptor(certificate.der().clone(), key) }
}

fn acceptor(certificate: CertificateDer<'static>, key: rcgen::KeyPair) -> tokio_rustls::TlsAcceptor {
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    std::sync::Arc::new(config.with_single_cert(vec![certificate], key.into()).unwrap()).into()
}

impl Authority {
    fn new() -> Self {
        let (key, own) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
        let mut params = rcgen::CertificateParams::new([]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = rcgen::Issuer::new(params, key);
        let host = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
        Self { pem, tls: acceptor(host.der().clone(), own) }
    }

    /// Puts TLS with its certificate before a server on this machine; the host that is to be asked.
    async fn before(&self, server: String) -> String {
        let listener = tokio::net::TcpListener::bind(loopback()).await.unwrap();
        let (host, tls) = (listener.local_addr().unwrap().to_string(), self.tls.clone());
        tokio::spawn(async move {
            while let Ok((plain, _)) = listener.accept().await {
                let (tls, server) = (tls.clone(), server.clone());
                tokio::spawn(async move {
                    let mut from = tls.accept(plain).await?;
                    let mut to = tokio::net::TcpStream::connect(server).await?;
                    tokio::io::copy_bidirectional(&mut from, &mut to).await
                });
            }
        });
        host
    }
}

#[tokio::test]
async fn a_server_whose_certificate_is_signed_by_an_authority_of_the_users_own_is_seen_with_that_authority_only() {
    let (_root, server, _, commit, _) = greeter(Protocol::Newest, Hash::Sha1, ada()).await;
    let (own, other) = (Authority::new(), Authority::new());
    let host = own.before(server.host()).await;
    let (url, polls) = (format!("https://{host}/greeter.git"), Polls::new(web(&[&host])));
    let seen = async |pem: Option<&str>| {
        let authorities = pem.map(|pem| Authorities::parse(pem.as_bytes()).unwrap());
        let access = Seen { credential: Some(basic("s3cret")), authorities, ..Seen::default() };
        polls.head(&of_main(&url, &access, 60), when(0)).await.unwrap().outcome
    };
    let unknown = GitFault::Web(WebFault::Tls(BadCertificate::UnknownIssuer));
    for (pem, wanted) in [
        (None, None),
        (Some(&*other.pem), None),
        (Some(&*own.pem), Some(&commit)),
        (Some(&*format!("{}{}", other.pem, own.pem)), Some(&commit)),
        (None, None),
    ] {
        match (seen(pem).await, wanted) {
            (Ok(head), Some(commit)) => assert_eq!(head.commit, *commit),
            (Err(fault), None) => {
                assert_eq!(fault, unknown);
                let told = fault.at(&url).message;
                assert!(told.contains("ca.crt"), "{told}");
            }
            (seen, wanted) => panic!("{seen:?}, and not {wanted:?}"),
        }
    }
}

#[tokio::test]
async fn a_certificate_that_a_server_signed_itself_is_no_authority_and_an_operator_is_asked_for_one() {
    let (_root, server, _, _, _) = greeter(Protocol::Newest, Hash::Sha1, ada()).await;
    let own = signed_by_itself();
    let host = own.before(server.host()).await;
    let (url, web) = (format!("https://{host}/greeter.git"), web(&[&host]));
    let web = web.trusting(&Authorities::parse(own.pem.as_bytes()).unwrap()).unwrap();
    let fault = head(&web, &url, "main", Some(&basic("s3cret"))).await.unwrap_err();
    assert_eq!(fault, GitFault::Web(WebFault::Tls(BadCertificate::Authority)));
    assert_eq!(fault.remedy(), Remedy::AskOperator);
    let told = fault.at(&url).message;
    assert!(told.contains("have an authority sign a certificate") && told.contains("ca.crt"), "{told}");
}
