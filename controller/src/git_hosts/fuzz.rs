//! Fuzz targets of what git hosts answer to commit statuses, and of the URLs of repositories that people write.

#![allow(clippy::unwrap_used)]

use super::fault::judged;
use super::pause::Pauses;
use super::reading::Reading;
use super::request::Endpoint;
use super::*;
use crate::web::Answer;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use jiff::SignedDuration;
use launchway_crds::release::Reported;
use launchway_plan::release::commit_status::Subject;
use launchway_test_fuzz::fuzz;
use serde_json::Value;
use url::Url;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const PROVIDERS: [GitHost; 4] = [GitHost::GitHub, GitHost::GitLab, GitHost::Gitea, GitHost::Bitbucket];

/// An answer: its status, its headers, and behind an empty line its body.
fn answer(bytes: &[u8]) -> Option<Answer> {
    let at = bytes.windows(2).position(|pair| pair == b"\n\n")?;
    let mut lines = bytes[..at].split(|byte| *byte == b'\n');
    let status: u16 = std::str::from_utf8(lines.next()?).ok()?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':')?;
        let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?;
        headers.append(HeaderName::from_bytes(&line[..at]).ok()?, value);
    }
    let (url, status) = (Url::parse("https://api.github.com/").unwrap(), StatusCode::from_u16(status).ok()?);
    Some(Answer { url, status, headers, body: Bytes::copy_from_slice(&bytes[at + 2..]) })
}

#[test]
fn whatever_a_git_host_answers_it_is_left_alone_for_an_hour_at_most_and_not_repeated() {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let seeds = [
        "201\nx-ratelimit-remaining: 4999\n\n{\"state\":\"success\"}",
        "403\nx-ratelimit-remaining: 0\nx-ratelimit-reset: 1790000600\n\nHunter2",
        "403\n\nYou have exceeded a secondary rate limit. Hunter2",
        "429\nretry-after: 120\n\nHunter2",
        "503\nretry-after: Wed, 21 Oct 2026 07:28:00 GMT\n\nHunter2",
        "400\n\n{\"message\":\"Cannot transition status via :run from :running\"}",
        "500\n\nobject does not exist [id: Hunter2, rel_path: ]",
        "422\nretry-after: 9223372036854775807\n\n{\"message\":\"No commit found for SHA: Hunter2\"}",
    ];
    fuzz(&seeds, |bytes| {
        let Some(answer) = answer(bytes) else { return false };
        for provider in PROVIDERS {
            let is_success = answer.status.is_success();
            let Err(fault) = judged(provider, &answer, now) else {
                assert!(is_success || provider == GitHost::GitLab && answer.status == 400, "{provider:?}: {answer:?}");
                continue;
            };
            assert!(!is_success && fault.wait().is_none_or(|wait| !wait.is_negative()), "{fault:?}");
            assert!(!format!("{fault} {fault:?}").contains("Hunter2"), "{fault}");
            let pauses = Pauses::default();
            for _ in 0..3 {
                pauses.begin([0; 32], &fault, now);
            }
            assert!(pauses.of(&[0; 32], now).is_some());
            assert_eq!(pauses.of(&[0; 32], now + SignedDuration::from_hours(1)), None, "{fault:?}");
        }
        true
    });
}

#[test]
fn a_commit_status_goes_to_the_api_of_the_host_that_the_url_names() {
    let status = CommitStatus {
        subject: Subject::Build,
        state: Reported::Success,
        description: "Release greeter-1 is built".to_owned(),
        link: Some("https://console.aws.amazon.com/codebuild".to_owned()),
    };
    let seeds = [
        "https://github.com/acme/web.git",
        "https://octo.ghe.com/acme/web",
        "https://gitlab.example.com:8443/group/sub/web.git",
        "https://example.com/gitea/acme/web/",
        "https://bb.example.com/ctx/scm/~ada/web.git",
        "https://bitbucket.org/acme/web",
    ];
    fuzz(&seeds, |bytes| {
        let repository = String::from_utf8_lossy(bytes).into_owned();
        let Ok(url) = Url::parse(&repository) else { return false };
        let own = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let api = if own == "www.github.com" { "api.github.com".to_owned() } else { format!("api.{own}") };
        let mut sent = false;
        for provider in PROVIDERS {
            let host = Host { provider, repository: repository.clone(), secret: None, branch: Some("main".to_owned()) };
            let Ok(endpoint) = Endpoint::of(&host) else { continue };
            let name = format!("launchway/{repository}");
            let Ok(request) = endpoint.request(COMMIT, &name, &status, HeaderValue::from_static("x")) else { continue };
            let asked = request.uri().host().unwrap_or_default();
            assert!(asked == own || asked == api, "{provider:?}: {} for {repository}", request.uri());
            assert!(request.uri().path().contains(COMMIT) && request.uri().query().is_none(), "{}", request.uri());
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            let lengths = [("context", 255), ("name", 255), ("key", 40), ("target_url", 255)];
            let is_long = |(member, most): &(&str, usize)| body[member].as_str().is_some_and(|text| text.len() > *most);
            assert!(!lengths.iter().any(is_long), "{body}");
            sent = true;
        }
        sent
    });
}

#[test]
fn whatever_a_git_host_says_of_a_commit_what_was_asked_for_is_kept_and_a_few_names_besides() {
    let repositories = [
        (GitHost::GitHub, "https://github.com/o/r"),
        (GitHost::GitLab, "https://gitlab.com/g/r"),
        (GitHost::Gitea, "https://gitea.example.com/o/r"),
        (GitHost::Bitbucket, "https://bitbucket.org/w/r"),
        (GitHost::Bitbucket, "https://bb.example.com/scm/p/r"),
    ];
    let endpoints = repositories.map(|(provider, repository)| {
        let (repository, secret, branch) = (repository.to_owned(), None, None);
        Endpoint::of(&Host { provider, repository, secret, branch }).unwrap()
    });
    let names = ["test".to_owned(), "lint".to_owned()];
    let seeds = [
        r#"{"total_count": 2, "statuses": [{"context": "test", "state": "success"}, {"context": "other", "status": "error"}]}"#,
        r#"{"total_count": 1, "check_runs": [{"id": 4, "name": "test", "status": "completed", "conclusion": "failure"}]}"#,
        r#"[{"id": 18446744073709551615, "name": "lint", "status": "manual"}, {"id": 2, "name": "lint", "status": "skipped"}]"#,
        r#"{"statuses": null, "total_count": 0}"#,
        r#"{"isLastPage": false, "values": [{"key": "test", "name": "lint", "state": "SUCCESSFUL"}], "next": "x"}"#,
    ];
    fuzz(&seeds, |bytes| {
        let url = Url::parse("https://api.github.com/").unwrap();
        let body = Bytes::copy_from_slice(bytes);
        let answer = Answer { url, status: StatusCode::OK, headers: HeaderMap::new(), body };
        let mut is_taken = false;
        for endpoint in &endpoints {
            for list in endpoint.lists() {
                let mut reading = Reading::default();
                is_taken |= endpoint.read(*list, &answer, &names, &mut reading).is_some();
                assert!(reading.seen.asked.keys().all(|name| names.contains(name)), "{reading:?}");
                assert!(reading.seen.others.len() <= 10 && reading.entries <= 100, "{reading:?}");
            }
        }
        is_taken
    });
}
