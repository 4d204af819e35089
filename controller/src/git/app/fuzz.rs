//! Fuzz targets of the tokens that a GitHub App gets, and of the repositories that they are for.

#![allow(clippy::unwrap_used)]

use super::*;
use launchway_test_fuzz::fuzz;

#[test]
fn a_token_that_is_read_is_short_and_its_end_is_no_later_than_in_an_hour() {
    let seeds = [
        r#"{"token":"ghs_16C7e42F292c6912E7710c838347Ae178B4a","expires_at":"2026-11-21T11:00:00Z","permissions":{"contents":"read"}}"#,
        r#"{"expires_at":"1970-01-01T00:59:59.5+00:00","token":"t","repositories":[{"id":1}]}"#,
    ];
    fuzz(&seeds, |bytes| {
        let Some(read) = token(bytes) else { return false };
        assert!(read.token.len() <= LENGTH);
        let (tokens, now) = (Tokens::new(Right::Contents), Timestamp::UNIX_EPOCH);
        tokens.keep([0; 32], read, now);
        assert!(tokens.all().values().all(|kept| kept.expires_at <= now + LIVES));
        true
    });
}

#[test]
fn a_token_is_for_a_repository_on_the_apps_own_host() {
    let key = String::new();
    let app = App { id: "7".to_owned(), installation: "42".to_owned(), api: API.to_owned(), key };
    let seeds = ["https://github.com/acme/web.git", "https://github.com/acme/web/", "https://GitHub.com:443/a"];
    fuzz(&seeds, |bytes| {
        let url = String::from_utf8_lossy(bytes);
        let Ok(name) = app.repository(&url) else { return false };
        let read = Url::parse(&url).unwrap();
        assert_eq!((read.scheme(), read.host_str()), ("https", Some("github.com")));
        assert!(!name.contains('/') && url.contains(&name), "{name}");
        true
    });
}
