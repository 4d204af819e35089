//! GitHub Apps: a small API of the documented shapes beside git's own server.

use super::{Protocol, Seen, greeter, of_main, other, web, when};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::Router;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::StatusCode;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use launchway::git::{AppFault, CredentialFault, GitFault, Head, Offered, Polls, Right};
use launchway_plan::fault::Remedy;
use launchway_tests::git::{Access, Hash};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const TOKEN: &str = "ghs_123_markerTokenOfTheInstallation.with.dots";

/// A key as GitHub generates it, of no App.
fn key() -> KeyPair {
    KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap()
}

/// What a Secret with these keys says.
fn secret(pairs: &[(&str, &str)]) -> Result<Seen, CredentialFault> {
    let encoded = pairs.iter().map(|(name, value)| ((*name).to_owned(), STANDARD.encode(value).into()));
    Seen::parse(serde_json::from_value(Value::Object(encoded.collect())).unwrap())
}

fn installed(key: &KeyPair, api: &str) -> Seen {
    let pem = key.serialize_pem();
    let pairs = [
        ("githubAppID", "7"),
        ("githubAppInstallationID", "42"),
        ("githubAppPrivateKey", &*pem),
        ("githubAppBaseURL", api),
    ];
    secret(&pairs).unwrap()
}

/// What the API was asked: the signed claims, and the body.
type Asked = Arc<Mutex<Vec<(Value, Value)>>>;

/// An API that knows one App by its key; where the signature is right, it answers as `then` says.
async fn api(key: &KeyPair, then: impl Fn() -> Response + Clone + Send + Sync + 'static) -> (String, Asked) {
    let (asked, public) = (Asked::default(), key.public_key_raw().to_vec());
    let log = asked.clone();
    let app = Router::new().fallback(move |request: axum::extract::Request| {
        let (log, public, then) = (log.clone(), public.clone(), then.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
            assert_eq!(
                (parts.method.as_str(), parts.uri.path()),
                ("POST", "/api/v3/app/installations/42/access_tokens")
            );
            let header = parts.headers[AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
            let Some(claims) = claims(header, &public) else { return StatusCode::UNAUTHORIZED.into_response() };
            log.lock().unwrap().push((claims, serde_json::from_slice(&body).unwrap()));
            then()
        }
    });
    (format!("http://{}/api/v3", other(app).await), asked)
}

/// The claims of a JSON Web Token, if that key has signed them.
fn claims(token: &str, public: &[u8]) -> Option<Value> {
    let (text, signature) = token.rsplit_once('.')?;
    let (head, claims) = text.split_once('.')?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    assert_eq!(serde_json::from_slice::<Value>(&decoded(head)?).unwrap(), json!({"alg": "RS256", "typ": "JWT"}));
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(text.as_bytes(), &decoded(signature)?).ok()?;
    serde_json::from_slice(&decoded(claims)?).ok()
}

/// GitHub's answer: a token that is good until then.
fn token(until: Timestamp) -> Response {
    let body = json!({"token": TOKEN, "expires_at": until.to_string(), "permissions": {"contents": "read"}, "repository_selection": "selected"});
    (StatusCode::CREATED, axum::Json(body)).into_response()
}

async fn head(polls: &Polls, url: &str, access: &Seen, now: Timestamp) -> Result<Head, GitFault> {
    polls.head(&of_main(url, access, 10), now).await.expect("an answer in time").outcome
}

fn of_an_app() -> Access {
    Access::Basic { username: "x-access-token".into(), password: TOKEN.into() }
}

#[tokio::test]
async fn an_app_sees_a_branch_with_a_token_for_that_repository_and_takes_another_before_it_ends() {
    let (_root, server, _, commit, _) = greeter(Protocol::Newest, Hash::Sha1, of_an_app()).await;
    let (key, end) = (key(), when(60));
    let (base, asked) = api(&key, move || token(end)).await;
    let (polls, access) = (Polls::new(web(&[&server.host(), host(&base)])), installed(&key, &base));
    let url = server.url("greeter");
    for minute in [0, 1, 54] {
        assert_eq!(head(&polls, &url, &access, when(minute)).await.unwrap().commit, commit);
    }
    assert_eq!(asked.lock().unwrap().len(), 1, "one token for all of them");
    head(&polls, &url, &access, when(56)).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2, "five minutes before its end it is not used any more");
    let (claims, body) = &asked[0];
    let now = when(0).as_second();
    assert_eq!(*claims, json!({"iss": "7", "iat": now - 60, "exp": now + 540}));
    assert_eq!(*body, json!({"repositories": ["greeter"], "permissions": {"contents": "read"}}));
}

/// Headers of an answer.
type Headers = &'static [(&'static str, &'static str)];

/// `127.0.0.1:port` of an URL.
fn host(url: &str) -> &str {
    url.split('/').nth(2).unwrap()
}

#[tokio::test]
async fn whatever_the_api_answers_is_told_with_what_helps_and_without_any_secret() {
    let (_root, server, _, _, _) = greeter(Protocol::Newest, Hash::Sha1, of_an_app()).await;
    let (key, another) = (key(), self::key());
    let cases: [(u16, Headers, AppFault, Remedy, &str); 7] = [
        (404, &[], AppFault::NotInstalled, Remedy::AskOperator, "githubAppInstallationID"),
        (403, &[], AppFault::Suspended, Remedy::AskOperator, "suspended"),
        (403, &[("x-ratelimit-remaining", "0")], AppFault::Limited, Remedy::Retry, "rate limit"),
        (429, &[("retry-after", "60")], AppFault::Limited, Remedy::Retry, "rate limit"),
        (422, &[], AppFault::NotIncluded(Right::Contents), Remedy::AskOperator, "add the repository"),
        (502, &[], AppFault::Status(502), Remedy::Retry, "502"),
        (201, &[], AppFault::Unreadable, Remedy::AskOperator, "without a token"),
    ];
    let url = server.url("greeter");
    for (status, headers, fault, remedy, words) in cases {
        let answer = move || {
            let answer =
                headers.iter().fold(Response::builder().status(status), |all, (name, value)| all.header(*name, *value));
            answer.body(json!({"message": "markerOfTheBody"}).to_string().into()).unwrap()
        };
        let (base, _) = api(&key, answer).await;
        let polls = Polls::new(web(&[&server.host(), host(&base)]));
        let seen = head(&polls, &url, &installed(&key, &base), when(0)).await.unwrap_err();
        assert_eq!((seen.clone(), seen.remedy()), (GitFault::App(fault), remedy), "{status}");
        let told = format!("{seen:?} {}", seen.at(&url));
        assert!(told.contains(words) && !told.contains("marker") && !told.contains("PRIVATE"), "{told}");
    }
    let (base, _) = api(&key, || token(when(60))).await;
    let polls = Polls::new(web(&[&server.host(), host(&base)]));
    let seen = head(&polls, &url, &installed(&another, &base), when(0)).await;
    assert_eq!(seen, Err(GitFault::App(AppFault::NotAccepted)), "another key");
}

#[tokio::test]
async fn a_token_goes_to_the_apps_own_host_only_and_one_that_git_refuses_is_not_used_again() {
    let other_token = Access::Basic { username: "x-access-token".into(), password: "another".into() };
    let (_root, server, _, _, _) = greeter(Protocol::Newest, Hash::Sha1, other_token).await;
    let key = key();
    let (base, asked) = api(&key, || token(when(60))).await;
    let (polls, access) = (Polls::new(web(&[&server.host(), host(&base)])), installed(&key, &base));
    let elsewhere = server.url("greeter").replace("127.0.0.1", "localhost");
    let other_host = GitFault::App(AppFault::OtherHost("http://127.0.0.1".to_owned()));
    assert_eq!(head(&polls, &elsewhere, &access, when(0)).await, Err(other_host));
    assert_eq!(asked.lock().unwrap().len(), 0);
    for minute in [0, 10] {
        let refused = GitFault::AuthenticationFailed { status: 401, offered: Offered::App };
        assert_eq!(head(&polls, &server.url("greeter"), &access, when(minute)).await, Err(refused));
    }
    assert_eq!(asked.lock().unwrap().len(), 2, "a new token for each");
}

#[test]
fn a_secret_that_is_half_an_app_or_has_a_key_of_another_kind_is_refused_in_words() {
    let rsa = key().serialize_pem();
    let elliptic = KeyPair::generate().unwrap().serialize_pem();
    let app = |id: &str, key: &str| {
        secret(&[("githubAppID", "7"), ("githubAppInstallationID", id), ("githubAppPrivateKey", key)])
    };
    assert!(app("42", &rsa).unwrap().app.is_some());
    assert_eq!(app("42", &elliptic), Err(CredentialFault::AppKey));
    assert_eq!(app("42", "none"), Err(CredentialFault::AppKey));
    assert_eq!(app("42/../43", &rsa), Err(CredentialFault::Value("githubAppInstallationID")));
    assert_eq!(secret(&[("githubAppID", "7"), ("githubAppPrivateKey", &rsa)]), Err(CredentialFault::Missing));
    let both = secret(&[
        ("githubAppID", "7"),
        ("githubAppInstallationID", "4"),
        ("githubAppPrivateKey", &rsa),
        ("token", "t"),
    ]);
    assert_eq!(both, Err(CredentialFault::Ambiguous));
    let shown = format!("{:?}", app("42", &rsa));
    assert!(!shown.contains("PRIVATE"), "{shown}");
}
