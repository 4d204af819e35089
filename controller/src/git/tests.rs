#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::future::ready;

use bytes::Bytes;
use http::{Request, Response};
use launchway_plan::address::Rules;
use launchway_plan::fault::Remedy;
use tower::service_fn;

use super::packet::{FLUSH, line};
use super::*;
use crate::web::{Cap, WebFault};

const URL: &str = "https://git.example.com/team/app.git";
const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

type Answer = Result<Response<Bytes>, WebFault>;

/// A server of protocol version 2 with these branches; it says yes to every prefix.
pub(super) fn server(branches: &[(&str, &str)]) -> impl Fn(&Request<Bytes>) -> Answer + Clone + Send + Sync + use<> {
    let refs: Vec<(String, String)> =
        branches.iter().map(|(name, id)| (format!("refs/heads/{name}"), (*id).to_owned())).collect();
    move |request| {
        if request.uri().path().ends_with("/info/refs") {
            let lines = ["version 2", "ls-refs=unborn", "object-format=sha1"].map(line).concat() + FLUSH;
            return Ok(typed("advertisement", lines));
        }
        let asked = String::from_utf8_lossy(request.body()).into_owned();
        let asked: Vec<&str> = asked.split("ref-prefix ").skip(1).filter_map(|rest| rest.lines().next()).collect();
        let listed = refs.iter().filter(|(name, _)| asked.iter().any(|prefix| name.starts_with(prefix)));
        let lines: String = listed.map(|(name, id)| line(&format!("{id} {name}"))).collect();
        Ok(typed("result", line(&format!("{A} HEAD symref-target:refs/heads/main")) + &lines + FLUSH))
    }
}

fn typed(kind: &str, body: String) -> Response<Bytes> {
    let kind = format!("application/x-git-upload-pack-{kind}");
    Response::builder().header("content-type", kind).body(body.into()).unwrap()
}

pub(super) fn over(answer: impl Fn(&Request<Bytes>) -> Answer + Clone + Send + Sync + 'static) -> Web {
    Web::over(Rules::strict(), service_fn(move |request| ready(answer(&request))))
}

async fn fault(answer: impl Fn(&Request<Bytes>) -> Answer + Clone + Send + Sync + 'static) -> GitFault {
    head(&over(answer), URL, "main", None).await.unwrap_err()
}

#[tokio::test]
async fn the_head_of_a_branch_is_its_commit_and_not_that_of_one_that_begins_alike() {
    let web = over(server(&[("main", A), ("main-2", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]));
    assert_eq!(head(&web, URL, "main", None).await.unwrap().commit, A);
}

#[tokio::test]
async fn a_missing_branch_is_said_with_the_default_and_its_neighbours() {
    let web = over(server(&[("main", A), ("mein", A), ("release", A)]));
    let fault = head(&web, URL, "mian", None).await.unwrap_err();
    assert_eq!(fault.to_string(), "no such branch: mian; the default branch is main; there is main, mein");
    assert_eq!((fault.remedy(), fault.at(URL).code.as_str()), (Remedy::AskOperator, "NoSuchBranch"));
}

#[tokio::test]
async fn each_status_has_its_meaning() {
    let cases = [
        (401, "AuthenticationFailed", Remedy::AskOperator),
        (403, "AuthenticationFailed", Remedy::AskOperator),
        (404, "NotFound", Remedy::AskOperator),
        (410, "NotFound", Remedy::AskOperator),
        (200, "NotGit", Remedy::AskOperator),
        (400, "NotGit", Remedy::AskOperator),
        (429, "Unavailable", Remedy::Retry),
        (503, "Unavailable", Remedy::Retry),
    ];
    for (status, code, remedy) in cases {
        let answer = move |_: &Request<Bytes>| Ok(Response::builder().status(status).body("hunter2".into()).unwrap());
        let fault = fault(answer).await;
        assert_eq!((fault.code(), fault.remedy()), (code, remedy), "{status}");
        assert!(!format!("{fault} {fault:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_refused_credential_names_the_keys_and_never_the_values() {
    let refuse = |_: &Request<Bytes>| Ok(Response::builder().status(401).body(Bytes::new()).unwrap());
    let token = Credential::Token("hunter2".into());
    let fault = head(&over(refuse), URL, "main", Some(&token)).await.unwrap_err();
    assert!(fault.to_string().contains("key token"), "{fault}");
    assert!(!format!("{fault:?}").contains("hunter2"));
    let fault = head(&over(refuse), URL, "main", None).await.unwrap_err();
    assert!(fault.to_string().contains("username and password, or token, or bearerToken"), "{fault}");
}

#[tokio::test]
async fn broken_answers_are_faults() {
    let garbage = |_: &Request<Bytes>| Ok(typed("advertisement", "<html>".into()));
    assert_eq!(fault(garbage).await, GitFault::Protocol(Malformed::Length));
    let reset = |_: &Request<Bytes>| Err(WebFault::Broken);
    assert_eq!(fault(reset).await.remedy(), Remedy::Retry);
    let endless = |_: &Request<Bytes>| Ok(Response::new(Bytes::from(vec![b'0'; Cap::GIT.0 + 1])));
    assert_eq!(fault(endless).await, GitFault::Web(WebFault::TooLarge(Cap::GIT.0)));
}

#[tokio::test]
async fn a_moved_repository_is_followed_for_all_requests_and_keeps_the_credential() {
    let answer = server(&[("main", A)]);
    let web = over(move |request| match request.uri().path() {
        path if path.starts_with("/team/app.git") => {
            let location = request.uri().path_and_query().unwrap().as_str().replace("/team/app.git", "/new/app");
            Ok(Response::builder().status(301).header("location", location).body(Bytes::new()).unwrap())
        }
        path if path.starts_with("/new/app/") && request.headers()["authorization"] == "Bearer b" => answer(request),
        path => panic!("{path}"),
    });
    let bearer = Credential::Bearer("b".into());
    assert_eq!(head(&web, URL, "main", Some(&bearer)).await.unwrap().commit, A);
}

#[tokio::test]
async fn what_no_repository_can_be_called_is_not_asked_for() {
    let web = over(|_| panic!("was asked"));
    for url in ["https://git.example.com/a?token=hunter2", "https://git.example.com/a#x"] {
        assert_eq!(head(&web, url, "main", None).await, Err(GitFault::Url));
    }
    assert_eq!(head(&web, URL, "a..b", None).await, Err(GitFault::BranchName));
    let fault = head(&web, "https://alice:hunter2@git.example.com/a?x=hunter2", "main", None).await.unwrap_err();
    let shown = fault.at("https://alice:hunter2@git.example.com/a?x=hunter2").to_string();
    assert!(shown.contains("https://git.example.com/a") && !shown.contains("hunter2"), "{shown}");
}
