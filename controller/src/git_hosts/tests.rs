//! The requests as each provider's documentation has them, and what answers mean. A real Gitea is asked in `tests/gitea.rs`.

#![allow(clippy::unwrap_used)]

use super::fault::judged;
use super::pause::Pauses;
use super::reading::{List, Reading};
use super::request::{Endpoint, header};
use super::*;
use crate::git::Credential;
use crate::web::Answer;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::SignedDuration;
use launchway_crds::pipeline::GitHost;
use launchway_crds::release::Reported;
use launchway_plan::fault::Remedy;
use launchway_plan::release::commit_status::Subject;
use launchway_plan::world::Stand;
use serde_json::{Value, json};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const NAME: &str = "launchway/lw/shop/greeter/build";

fn status(state: Reported, link: Option<&str>) -> CommitStatus {
    let description = "Release greeter-1 has begun".to_owned();
    CommitStatus { subject: Subject::Build, state, description, link: link.map(str::to_owned) }
}

fn host(provider: GitHost, repository: &str) -> Host {
    Host { provider, repository: repository.to_owned(), secret: None, branch: Some("release/1".to_owned()) }
}

/// The URL and the body of what is sent.
fn sent(provider: GitHost, repository: &str, status: &CommitStatus) -> (String, Value) {
    let endpoint = Endpoint::of(&host(provider, repository)).unwrap();
    let request = endpoint.request(COMMIT, NAME, status, HeaderValue::from_static("x")).unwrap();
    assert_eq!(request.method(), "POST");
    (request.uri().to_string(), serde_json::from_slice(request.body()).unwrap())
}

#[test]
fn each_provider_has_its_own_place_for_a_repository() {
    use GitHost::{Bitbucket, GitHub, GitLab, Gitea};
    for (provider, repository, url) in [
        (GitHub, "https://github.com/o/r.git", "https://api.github.com/repos/o/r/statuses/COMMIT"),
        (GitHub, "https://GitHub.com/o/r/", "https://api.github.com/repos/o/r/statuses/COMMIT"),
        (GitHub, "https://octo.ghe.com/o/r", "https://api.octo.ghe.com/repos/o/r/statuses/COMMIT"),
        (
            GitHub,
            "https://git.example.com:8443/o/r.git",
            "https://git.example.com:8443/api/v3/repos/o/r/statuses/COMMIT",
        ),
        (GitLab, "https://gitlab.com/g/sub/r.git", "https://gitlab.com/api/v4/projects/g%2Fsub%2Fr/statuses/COMMIT"),
        (Gitea, "https://codeberg.org/o/r.git", "https://codeberg.org/api/v1/repos/o/r/statuses/COMMIT"),
        (Gitea, "https://example.com/gitea/o/r", "https://example.com/gitea/api/v1/repos/o/r/statuses/COMMIT"),
        (
            Bitbucket,
            "https://bitbucket.org/w/r.git",
            "https://api.bitbucket.org/2.0/repositories/w/r/commit/COMMIT/statuses/build",
        ),
        (
            Bitbucket,
            "https://bb.example.com/ctx/scm/PRJ/r.git",
            "https://bb.example.com/ctx/rest/api/latest/projects/PRJ/repos/r/commits/COMMIT/builds",
        ),
        (
            Bitbucket,
            "https://bb.example.com/scm/~ada/r.git",
            "https://bb.example.com/rest/api/latest/projects/~ada/repos/r/commits/COMMIT/builds",
        ),
    ] {
        assert_eq!(sent(provider, repository, &status(Reported::Success, None)).0, url.replace("COMMIT", COMMIT));
    }
    for (provider, repository) in [
        (GitHub, "https://github.com/o"),
        (GitHub, "https://github.com/a/o/r"),
        (GitLab, "https://gitlab.com/r"),
        (Gitea, "https://gitea.example.com/"),
        (Bitbucket, "https://bb.example.com/projects/PRJ/repos/r"),
        (Bitbucket, "https://bb.example.com/PRJ/r.git"),
        (Bitbucket, "https://bitbucket.org/w/r/src/main"),
    ] {
        assert!(matches!(Endpoint::of(&host(provider, repository)), Err(HostFault::Url(_))), "{repository}");
    }
}

#[test]
fn each_provider_has_its_own_words_and_members() {
    let words = |provider, repository: &str| {
        [Reported::Pending, Reported::Success, Reported::Failure, Reported::Cancelled]
            .map(|state| sent(provider, repository, &status(state, None)).1["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(words(GitHost::GitHub, "https://github.com/o/r"), ["pending", "success", "failure", "error"]);
    assert_eq!(words(GitHost::Gitea, "https://gitea.example.com/o/r"), ["pending", "success", "failure", "error"]);
    assert_eq!(words(GitHost::GitLab, "https://gitlab.com/o/r"), ["running", "success", "failed", "canceled"]);
    assert_eq!(
        words(GitHost::Bitbucket, "https://bitbucket.org/o/r"),
        ["INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"]
    );
    assert_eq!(
        words(GitHost::Bitbucket, "https://b.example.com/scm/o/r"),
        ["INPROGRESS", "SUCCESSFUL", "FAILED", "CANCELLED"]
    );

    let with = status(Reported::Pending, Some("https://console.example.com/"));
    let (description, link) = ("Release greeter-1 has begun", "https://console.example.com/");
    let of_github = json!({"state": "pending", "context": NAME, "description": description, "target_url": link});
    assert_eq!(sent(GitHost::GitHub, "https://github.com/o/r", &with).1, of_github);
    let of_gitlab = json!({"state": "running", "name": NAME, "description": description, "target_url": link,
        "ref": "release/1"});
    assert_eq!(sent(GitHost::GitLab, "https://gitlab.com/o/r", &with).1, of_gitlab);
    // A URL is required there, so one without a link has that of the repository.
    let of_bitbucket = json!({"state": "INPROGRESS", "key": NAME, "name": NAME, "description": description,
        "url": "https://bitbucket.org/o/r"});
    assert_eq!(
        sent(GitHost::Bitbucket, "https://bitbucket.org/o/r.git", &status(Reported::Pending, None)).1,
        of_bitbucket
    );
}

#[test]
fn a_name_that_is_too_long_for_a_provider_stays_its_own() {
    let endpoint = Endpoint::of(&host(GitHost::Bitbucket, "https://bitbucket.org/o/r")).unwrap();
    let key = |name: &str| {
        let sent = endpoint.request(COMMIT, name, &status(Reported::Success, None), HeaderValue::from_static("x"));
        let body: Value = serde_json::from_slice(sent.unwrap().body()).unwrap();
        body["key"].as_str().unwrap().to_owned()
    };
    let long = "launchway/production-of-the-west/interstella/iridium/stages/";
    let (one, other) = (key(&format!("{long}staging")), key(&format!("{long}production")));
    assert!(one.len() <= 40 && other.len() <= 40 && one != other, "{one} {other}");
}

#[test]
fn a_link_that_is_too_long_for_gitlab_is_left_out() {
    let of = |length: usize| {
        let link = format!("https://console.example.com/{}", "p".repeat(length - 28));
        sent(GitHost::GitLab, "https://gitlab.com/o/r", &status(Reported::Success, Some(&link))).1
    };
    assert!(of(255).get("target_url").is_some() && of(256).get("target_url").is_none());
}

#[test]
fn a_token_is_sent_as_each_api_takes_it() {
    let basic = |username: &str| Credential::Basic { username: username.to_owned(), password: "p".to_owned() };
    let of = |provider, credential: &Credential| header(provider, credential).unwrap();
    for provider in [GitHost::GitHub, GitHost::GitLab, GitHost::Gitea, GitHost::Bitbucket] {
        assert_eq!(of(provider, &Credential::Token("t".to_owned())), "Bearer t");
        assert_eq!(of(provider, &Credential::Bearer("t".to_owned())), "Bearer t");
        assert!(of(provider, &basic("ada")).is_sensitive());
        // Git's user names for tokens.
        for username in ["x-access-token", "x-token-auth", "oauth2"] {
            assert_eq!(of(provider, &basic(username)), "Bearer p");
        }
    }
    assert_eq!(of(GitHost::Gitea, &basic("ada")), "Basic YWRhOnA=");
    assert_eq!(of(GitHost::GitLab, &basic("ada")), "Bearer p", "GitLab's API takes no HTTP basic");
}

fn now() -> Timestamp {
    Timestamp::from_second(1_000).unwrap()
}

fn answered(
    provider: GitHost,
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Result<(), HostFault> {
    let mut map = HeaderMap::new();
    headers.iter().for_each(|(name, value)| drop(map.insert(*name, HeaderValue::from_static(value))));
    let url = "https://api.example.com/".parse().unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    judged(provider, &Answer { url, status, headers: map, body: Bytes::from_static(body.as_bytes()) }, now())
}

#[test]
fn an_answer_means_what_the_provider_says() {
    let of = |status, headers: &[(&'static str, &'static str)]| answered(GitHost::GitHub, status, headers, "{}");
    assert_eq!(of(201, &[]), Ok(()));
    assert_eq!(of(204, &[]), Ok(()));
    assert_eq!(of(401, &[]), Err(HostFault::Unauthorized(401)));
    assert_eq!(of(403, &[("x-ratelimit-remaining", "4999")]), Err(HostFault::Unauthorized(403)));
    assert_eq!(of(403, &[("retry-after", "60")]), Err(HostFault::Limited { status: 403, wait: Some(60) }));
    let used_up = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1300")];
    assert_eq!(of(403, &used_up), Err(HostFault::Limited { status: 403, wait: Some(300) }));
    assert_eq!(of(429, &[]), Err(HostFault::Limited { status: 429, wait: None }));
    for status in [408, 409] {
        assert_eq!(of(status, &[]), Err(HostFault::Unavailable { status, wait: None }), "something else is being done");
    }
    let secondary = r#"{"message":"You have exceeded a secondary rate limit"}"#;
    assert_eq!(answered(GitHost::GitHub, 403, &[], secondary), Err(HostFault::Limited { status: 403, wait: None }));
    assert_eq!(of(404, &[]), Err(HostFault::NotFound));
    assert_eq!(of(422, &[]), Err(HostFault::NotTaken(422)));
    assert_eq!(of(503, &[("retry-after", "5")]), Err(HostFault::Unavailable { status: 503, wait: Some(5) }));
    assert_eq!(of(301, &[]), Err(HostFault::Status(301)));
    let unknown = r#"{"message":"GetCommit[0123]: object does not exist [id: 0123, rel_path: ]"}"#;
    assert_eq!(answered(GitHost::Gitea, 500, &[], unknown), Err(HostFault::NotTaken(500)));
    assert_eq!(answered(GitHost::Gitea, 500, &[], "{}"), Err(HostFault::Unavailable { status: 500, wait: None }));
    let repeated = r#"{"message":"Cannot transition status via :run from :running (Reason(s): ...)"}"#;
    assert_eq!(answered(GitHost::GitLab, 400, &[], repeated), Ok(()));
    assert_eq!(answered(GitHost::GitLab, 400, &[], "{}"), Err(HostFault::NotTaken(400)));
    assert_eq!(answered(GitHost::GitHub, 400, &[], repeated), Err(HostFault::NotTaken(400)));
}

#[test]
fn every_failure_says_what_to_do_and_only_those_of_the_moment_are_tried_again_soon() {
    let all = [
        (HostFault::Url("https://github.com/OWNER/NAME.git"), Remedy::AskOperator, "OWNER"),
        (HostFault::NoCredential, Remedy::AskOperator, "secretRef"),
        (HostFault::Unauthorized(403), Remedy::AskOperator, "may not write commit statuses"),
        (HostFault::OnlyGitHub, Remedy::AskOperator, "only the provider GitHub"),
        (HostFault::SecretUnread, Remedy::Retry, "the Secret"),
        (HostFault::NotFound, Remedy::AskOperator, "check repository"),
        (HostFault::NotTaken(422), Remedy::AskOperator, "does not have the commit"),
        (HostFault::Status(301), Remedy::AskOperator, "check provider"),
        (HostFault::Limited { status: 429, wait: None }, Remedy::Retry, "rate limit"),
        (HostFault::Unavailable { status: 502, wait: None }, Remedy::Retry, "502"),
        (HostFault::Web(crate::web::WebFault::Timeout), Remedy::Retry, "no answer within"),
    ];
    for (fault, remedy, words) in all {
        let at = fault.at("https://ada:secret@git.example.com/o/r?token=secret");
        assert_eq!(at.remedy, remedy, "{at}");
        let told = at.to_string();
        assert!(told.contains(words) && told.contains("git.example.com/o/r"), "{told}");
        assert!(!told.contains("secret@") && !told.contains("token=secret"), "{told}");
    }
}

#[test]
fn a_host_that_fails_is_left_alone_longer_each_time_and_as_long_as_it_asks() {
    let (pauses, name) = (Pauses::default(), [1; 32]);
    let after = |seconds: i64| now() + SignedDuration::from_secs(seconds);
    let fault = HostFault::Unavailable { status: 503, wait: None };
    assert_eq!(pauses.of(&name, now()), None);
    pauses.begin(name, &fault, now());
    assert_eq!(pauses.of(&name, after(59)), Some(fault.clone()));
    assert_eq!(pauses.of(&name, after(60)), None);
    pauses.begin(name, &fault, after(60));
    assert!(pauses.of(&name, after(60 + 119)).is_some(), "twice as long");
    pauses.begin(name, &fault, after(61));
    assert_eq!(pauses.of(&name, after(61 + 120)), None, "what was sent at the same time failed once");
    assert_eq!(pauses.of(&[2; 32], after(61)), None, "another repository is not left alone");
    pauses.end(&[name]);
    assert_eq!(pauses.of(&name, after(61)), None);
    pauses.begin(name, &HostFault::Limited { status: 429, wait: Some(600) }, now());
    assert!(pauses.of(&name, after(599)).is_some());
    pauses.begin(name, &HostFault::Limited { status: 429, wait: Some(i64::MAX) }, now());
    assert_eq!(pauses.of(&name, after(3_600)), None, "an hour at most");
}

#[test]
fn a_pause_is_forgotten_an_hour_after_its_end() {
    let (pauses, name, other) = (Pauses::default(), [1; 32], [2; 32]);
    let after = |seconds: i64| now() + SignedDuration::from_secs(seconds);
    let fault = HostFault::Unavailable { status: 503, wait: None };
    pauses.begin(name, &fault, now());
    pauses.begin(other, &fault, after(60 + 3_600));
    pauses.begin(name, &fault, after(60 + 3_600));
    assert!(pauses.of(&name, after(60 + 3_600 + 59)).is_some());
    assert_eq!(pauses.of(&name, after(60 + 3_600 + 60)), None, "it is as long as a first one");
}

#[test]
fn dots_in_a_path_name_no_repository() {
    for repository in ["https://github.com/o/...git", "https://github.com/o/..git"] {
        let of = Endpoint::of(&host(GitHost::GitHub, repository));
        assert!(matches!(of, Err(HostFault::Url(_))), "{repository}");
    }
}

const ACTIONS: &str = r#"{"total_count": 3, "check_runs": [
    {"id": 4, "name": "test", "status": "completed", "conclusion": "success", "app": {"slug": "github-actions"}},
    {"id": 5, "name": "lint", "status": "in_progress", "conclusion": null},
    {"id": 6, "name": "docs", "status": "completed", "conclusion": "skipped"}]}"#;

/// What a page says of these names.
fn read(provider: GitHost, repository: &str, list: List, page: &str, names: &[&str]) -> Option<LiveStatuses> {
    let mut reading = Reading::default();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let (url, body) = ("https://api.example.com/".parse().unwrap(), Bytes::from(page.to_owned()));
    let answer = Answer { url, status: StatusCode::OK, headers: HeaderMap::new(), body };
    Endpoint::of(&host(provider, repository)).unwrap().read(list, &answer, &names, &mut reading).map(|_| reading.seen)
}

#[test]
fn what_others_reported_is_read_in_each_providers_own_words() {
    use GitHost::{Bitbucket, GitHub, GitLab, Gitea};
    let failed = |word: &str| Some(Stand::Failed(word.to_owned()));
    let pages = [
        (
            GitHub,
            "https://github.com/o/r",
            List::CheckRuns,
            ACTIONS,
            [Some(Stand::Succeeded), Some(Stand::Pending), Some(Stand::Succeeded)],
        ),
        (
            GitHub,
            "https://github.com/o/r",
            List::Statuses,
            r#"{"state": "failure", "statuses": [{"context": "test", "state": "error"}, {"context": "lint", "state": "pending"}], "total_count": 2}"#,
            [failed("error"), Some(Stand::Pending), None],
        ),
        (
            GitLab,
            "https://gitlab.com/g/r",
            List::Statuses,
            r#"[{"id": 1, "name": "test", "status": "manual", "ref": "main"}, {"id": 2, "name": "lint", "status": "success"}, {"id": 3, "name": "docs", "status": "skipped"}]"#,
            [Some(Stand::Pending), Some(Stand::Succeeded), failed("skipped")],
        ),
        (
            Gitea,
            "https://gitea.example.com/o/r",
            List::Statuses,
            r#"{"state": "warning", "statuses": [{"context": "test", "status": "warning"}, {"context": "lint", "status": "failure"}, {"context": "docs", "status": "a new word"}]}"#,
            [Some(Stand::Succeeded), failed("failure"), Some(Stand::Pending)],
        ),
        (
            Gitea,
            "https://gitea.example.com/o/r",
            List::Statuses,
            r#"{"statuses": null, "total_count": 0}"#,
            [None, None, None],
        ),
        (
            Bitbucket,
            "https://bitbucket.org/o/r",
            List::Statuses,
            r#"{"pagelen": 100, "values": [{"key": "test", "name": "Unit tests", "state": "SUCCESSFUL"}, {"key": "k-2", "name": "lint", "state": "STOPPED"}]}"#,
            [Some(Stand::Succeeded), failed("STOPPED"), None],
        ),
        (
            Bitbucket,
            "https://bb.example.com/scm/p/r",
            List::Statuses,
            r#"{"isLastPage": true, "values": [{"key": "test", "state": "INPROGRESS"}, {"key": "docs", "state": "UNKNOWN"}]}"#,
            [Some(Stand::Pending), None, Some(Stand::Pending)],
        ),
    ];
    for (provider, repository, list, page, wanted) in pages {
        let seen = read(provider, repository, list, page, &["test", "lint", "docs"]).expect("a page");
        assert_eq!(["test", "lint", "docs"].map(|name| seen.asked.get(name).cloned()), wanted, "{provider:?} {list:?}");
    }
}

#[test]
fn of_one_name_the_worst_counts_and_what_was_not_asked_for_is_named() {
    let page = r#"{"check_runs": [{"name": "build", "status": "completed", "conclusion": "success"},
        {"name": "build", "status": "completed", "conclusion": "timed_out"}, {"name": "lint\n", "status": "queued"}]}"#;
    let seen = read(GitHost::GitHub, "https://github.com/o/r", List::CheckRuns, page, &["build"]).unwrap();
    assert_eq!(seen.asked["build"], Stand::Failed("timed_out".to_owned()));
    assert_eq!(seen.others, ["lint "], "without what would break a line");
}

#[test]
fn a_run_that_was_cancelled_counts_only_alone_and_of_gitlab_the_newest_job() {
    let page = |first: &str, second: &str| {
        format!(
            r#"{{"check_runs": [{{"name": "t", "status": "completed", "conclusion": "{first}"}}, {{"name": "t", "status": "completed", "conclusion": "{second}"}}]}}"#
        )
    };
    let of = |page: &str| {
        read(GitHost::GitHub, "https://github.com/o/r", List::CheckRuns, page, &["t"]).unwrap().asked["t"].clone()
    };
    assert_eq!(of(&page("cancelled", "success")), Stand::Succeeded);
    assert_eq!(of(&page("success", "cancelled")), Stand::Succeeded);
    assert_eq!(of(&page("cancelled", "cancelled")), Stand::Failed("cancelled".to_owned()));
    for jobs in [
        r#"[{"id": 1, "name": "t", "status": "failed"}, {"id": 2, "name": "t", "status": "success"}]"#,
        r#"[{"id": 2, "name": "t", "status": "success"}, {"id": 1, "name": "t", "status": "failed"}]"#,
    ] {
        let seen = read(GitHost::GitLab, "https://gitlab.com/g/r", List::Statuses, jobs, &["t"]).unwrap();
        assert_eq!(seen.asked["t"], Stand::Succeeded, "{jobs}");
    }
}

/// What a GitHub says that answers each path so: a status and a body.
async fn of_github(answers: Vec<(&'static str, u16, &'static str)>) -> Result<LiveStatuses, HostFault> {
    let answers = std::sync::Arc::new(answers);
    let service = tower::service_fn(move |request: http::Request<Bytes>| {
        let asked = request.uri().path_and_query().unwrap().as_str().to_owned();
        let found = answers.iter().find(|(path, ..)| asked.contains(path)).unwrap_or(&("", 500, ""));
        let answer = http::Response::builder().status(found.1).body(Bytes::from_static(found.2.as_bytes()));
        std::future::ready(answer.map_err(|_| WebFault::Broken))
    });
    let hosts = GitHosts::new(Web::over(launchway_plan::address::Rules::strict(), service));
    let (host, access, metrics) =
        (host(GitHost::GitHub, "https://github.com/o/r"), Access::default(), Metrics::default());
    let reporter = Reporter { hosts: &hosts, host: &host, access: &access, commit: COMMIT, metrics: &metrics };
    reporter.read(&["test".to_owned()], now()).await
}

const NONE: &str = r#"{"total_count": 0, "statuses": []}"#;
const FAILED: &str =
    r#"{"total_count": 1, "check_runs": [{"name": "test", "status": "completed", "conclusion": "failure"}]}"#;
const GOOD: &str = r#"{"total_count": 1, "statuses": [{"context": "test", "state": "success"}]}"#;

#[tokio::test]
async fn every_page_of_every_list_is_read_before_anything_has_succeeded() {
    let both = of_github(vec![("/status?", 200, GOOD), ("/check-runs?", 200, FAILED)]).await.unwrap();
    assert_eq!(both.asked["test"], Stand::Failed("failure".to_owned()));
    let first =
        r#"{"total_count": 2, "check_runs": [{"name": "test", "status": "completed", "conclusion": "success"}]}"#;
    let second = r#"{"total_count": 2, "check_runs": [{"name": "test", "status": "queued"}]}"#;
    let seen = of_github(vec![
        ("/status?", 200, NONE),
        ("filter=latest&per_page=100&page=1", 200, first),
        ("filter=latest&per_page=100&page=2", 200, second),
    ]);
    assert_eq!(seen.await.unwrap().asked["test"], Stand::Pending);
}

#[tokio::test]
async fn a_credential_that_reads_no_checks_still_reads_commit_statuses_and_says_so() {
    let seen = of_github(vec![("/status?", 200, GOOD), ("/check-runs?", 403, "{}")]).await.unwrap();
    assert_eq!(seen.asked["test"], Stand::Succeeded);
    assert!(seen.hidden.is_some_and(|why| why.contains("Checks: Read-only")));
    let neither = of_github(vec![("/status?", 403, "{}"), ("/check-runs?", 200, FAILED)]).await;
    assert_eq!(neither, Err(HostFault::Unauthorized(403)));
}

#[tokio::test]
async fn a_commit_that_is_not_there_yet_has_nothing_and_what_is_no_list_is_a_fault() {
    let unknown = of_github(vec![("/status?", 422, "{}"), ("/check-runs?", 422, "{}")]).await;
    assert_eq!(unknown, Ok(LiveStatuses::default()));
    let garbage = of_github(vec![
        ("/status?", 200, "<!doctype html>"),
        ("/check-runs?", 200, r#"{"total_count": 0, "check_runs": []}"#),
    ])
    .await;
    assert_eq!(garbage, Err(HostFault::Status(200)));
    let endless = r#"{"total_count": 100000, "statuses": [{"context": "other", "state": "success"}]}"#;
    assert_eq!(of_github(vec![("/status?", 200, endless)]).await, Err(HostFault::TooMany));
}

#[test]
fn what_is_no_page_of_a_list_is_told_from_an_empty_one() {
    for page in
        ["", "[]", "{}", "<html>", r#"{"statuses": {}}"#, r#"{"statuses": [5]}"#, r#"{"statuses": [{"context": 5}]}"#]
    {
        assert_eq!(read(GitHost::GitHub, "https://github.com/o/r", List::Statuses, page, &["test"]), None, "{page}");
    }
    let many = format!(r#"{{"statuses": [{}]}}"#, vec!["{}"; 101].join(","));
    assert_eq!(read(GitHost::GitHub, "https://github.com/o/r", List::Statuses, &many, &["test"]), None);
    let empty = r#"{"statuses": []}"#;
    assert!(read(GitHost::GitHub, "https://github.com/o/r", List::Statuses, empty, &["test"]).is_some());
}

#[test]
fn each_provider_has_its_own_place_for_what_others_reported() {
    use GitHost::{Bitbucket, GitHub, GitLab, Gitea};
    for (provider, repository, urls) in [
        (
            GitHub,
            "https://github.com/o/r.git",
            vec![
                "https://api.github.com/repos/o/r/commits/COMMIT/status?per_page=100&page=2",
                "https://api.github.com/repos/o/r/commits/COMMIT/check-runs?filter=latest&per_page=100&page=2",
            ],
        ),
        (
            GitLab,
            "https://gitlab.com/g/s/r",
            vec!["https://gitlab.com/api/v4/projects/g%2Fs%2Fr/repository/commits/COMMIT/statuses?per_page=100&page=2"],
        ),
        (
            Gitea,
            "https://codeberg.org/o/r",
            vec!["https://codeberg.org/api/v1/repos/o/r/commits/COMMIT/status?limit=50&page=2"],
        ),
        (
            Bitbucket,
            "https://bitbucket.org/w/r",
            vec!["https://api.bitbucket.org/2.0/repositories/w/r/commit/COMMIT/statuses?pagelen=100&page=2"],
        ),
        (
            Bitbucket,
            "https://bb.example.com/ctx/scm/PRJ/r",
            vec!["https://bb.example.com/ctx/rest/build-status/latest/commits/COMMIT?limit=100&start=100"],
        ),
    ] {
        let endpoint = Endpoint::of(&host(provider, repository)).unwrap();
        let asked: Vec<String> = endpoint
            .lists()
            .iter()
            .map(|list| endpoint.reading(*list, COMMIT, 2, None).unwrap().uri().to_string())
            .collect();
        assert_eq!(asked, urls.iter().map(|url| url.replace("COMMIT", COMMIT)).collect::<Vec<_>>());
    }
}

#[test]
fn what_cannot_be_read_names_the_secret_of_what_is_required() {
    for fault in [
        HostFault::Unauthorized(403),
        HostFault::NotFound,
        HostFault::OnlyGitHub,
        HostFault::Status(301),
        HostFault::NotTaken(422),
    ] {
        let at = fault.at_reading("https://ada:secret@git.example.com/o/r?token=secret");
        assert!(!at.message.contains("report.") && !at.message.contains("write"), "{at}");
        assert!(!at.to_string().contains("secret@") && !at.to_string().contains("token=secret"), "{at}");
    }
}
