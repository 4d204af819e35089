//! Fuzz targets of AWS's texts and of what builds print, on their way into statuses and logs, and of AWS's clock.

use crate::clock::Clock;
use crate::scrub::{LINE_BYTES, MESSAGE_BYTES, line, message};
use aws_smithy_async::time::{SharedTimeSource, StaticTimeSource};
use launchway_test_fuzz::fuzz;

/// The example of AWS's documentation.
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// Whether an ID of an access key stands there.
fn has_key(text: &str) -> bool {
    let is_of_key = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.as_bytes()
        .windows(16)
        .any(|part| (part.starts_with(b"AKIA") || part.starts_with(b"ASIA")) && part.iter().all(is_of_key))
}

#[test]
fn no_text_of_aws_is_long_or_shows_a_key_or_steers_a_terminal() {
    let seeds = [
        format!("User: arn:aws:sts::123456789012:assumed-role/lw/{KEY} is not authorized (key {KEY}, secret: hunter2)"),
        "docker login -u AWS -p hunter2 123456789012.dkr.ecr.us-east-2.amazonaws.com".to_owned(),
        "curl --user ada:hunter2 https://ada:hunter2@git.example.com/ -H 'Authorization: Bearer abc.def'".to_owned(),
        "\u{1b}[31mmysql -u root -phunter2\u{1b}[0m PASS=hunter2 export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        "-----BEGIN RSA PRIVATE KEY----- MIIE token: eyJhbGciOi.eyJzdWIiOi.sig \"password\": \"hunter2\"".to_owned(),
    ];
    fuzz(&seeds, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let (told, shown) = (message(&text), line(&text));
        // A key's place is taken by `[hidden]`, so that a line may get longer, but not by much.
        assert!(
            told.len() <= MESSAGE_BYTES && shown.len() <= 8 * LINE_BYTES,
            "{} and {} bytes",
            told.len(),
            shown.len()
        );
        for clean in [&told, &shown] {
            assert!(!clean.contains(char::is_control) && !has_key(clean), "{clean}");
        }
        let around = format!("{text} {KEY} {text}");
        assert!(!message(&around).contains(KEY) && !line(&around).contains(KEY), "{around}");
        told != text
    });
}

#[test]
fn a_date_of_a_reply_is_the_time_or_changes_nothing() {
    let local = || SharedTimeSource::from(StaticTimeSource::from_secs(1_795_255_201));
    fuzz(&["Sat, 21 Nov 2026 10:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"], |bytes| {
        let (clock, date) = (Clock::new(local()), String::from_utf8_lossy(bytes));
        clock.correct(&date);
        let now = clock.now();
        // The SDK takes `+026` for a year too.
        let year = now.strftime("%Y").to_string();
        assert!(now == Clock::new(local()).now() || date.contains(year.trim_start_matches('0')), "{now} for {date}");
        now.as_second() != 1_795_255_201 || date.contains("2026")
    });
}
