//! GetLogEvents as its SDK client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;

use account::{Account, refusal};
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput;
use aws_sdk_cloudwatchlogs::operation::get_log_events::builders::GetLogEventsFluentBuilder;
use jiff::SignedDuration;
use launchway_test_aws::logs::Pages;
use launchway_test_aws::{Fault, When};
use serde_json::json;

/// A stream of lines `0`, `1`, … one second apart.
fn with_lines(count: usize) -> Account {
    let account = Account::new();
    let start = account.now();
    account.logs_state(|logs| {
        for n in 0..count {
            logs.append("group", "stream", start + SignedDuration::from_secs(n as i64), n.to_string());
        }
    });
    account
}

fn read(account: &Account) -> GetLogEventsFluentBuilder {
    account.logs().get_log_events().log_group_name("group").log_stream_name("stream")
}

fn lines(page: &GetLogEventsOutput) -> Vec<&str> {
    page.events().iter().map(|event| event.message.as_deref().unwrap()).collect()
}

#[tokio::test]
async fn a_tail_is_the_newest_events_in_the_order_of_time() {
    let account = with_lines(10);
    let tail = read(&account).limit(3).send().await.unwrap();
    assert_eq!(lines(&tail), ["7", "8", "9"]);
    assert_eq!(tail.events()[0].timestamp, Some(account.now().as_millisecond() + 7_000));
}

#[tokio::test]
async fn reading_forward_ends_when_the_token_comes_back() {
    let account = with_lines(5);
    let first = read(&account).start_from_head(true).limit(3).send().await.unwrap();
    assert_eq!(lines(&first), ["0", "1", "2"]);
    let token = first.next_forward_token.unwrap();
    let second = read(&account).start_from_head(true).limit(3).next_token(&token).send().await.unwrap();
    assert_eq!(lines(&second), ["3", "4"]);
    let end = second.next_forward_token.unwrap();
    assert_ne!(end, token);
    let third = read(&account).start_from_head(true).limit(3).next_token(&end).send().await.unwrap();
    assert_eq!(lines(&third), Vec::<&str>::new());
    assert_eq!(third.next_forward_token.as_deref(), Some(end.as_str()));
    account.logs_state(|logs| logs.append("group", "stream", account.now(), "new"));
    let fourth = read(&account).start_from_head(true).next_token(&end).send().await.unwrap();
    assert_eq!(lines(&fourth), ["new"]);
}

#[tokio::test]
async fn reading_backward_ends_when_the_token_comes_back() {
    let account = with_lines(5);
    let last = read(&account).limit(3).send().await.unwrap();
    assert_eq!(lines(&last), ["2", "3", "4"]);
    let before = read(&account).limit(3).next_token(last.next_backward_token.unwrap()).send().await.unwrap();
    assert_eq!(lines(&before), ["0", "1"]);
    let token = before.next_backward_token.unwrap();
    let end = read(&account).limit(3).next_token(&token).send().await.unwrap();
    assert!(end.events().is_empty());
    assert_eq!(end.next_backward_token, Some(token));
}

#[tokio::test]
async fn a_time_window_takes_its_start_and_leaves_its_end() {
    let account = with_lines(10);
    let start = account.now().as_millisecond();
    let page = read(&account).start_time(start + 2_000).end_time(start + 5_000).send().await.unwrap();
    assert_eq!(lines(&page), ["2", "3", "4"]);
}

#[tokio::test]
async fn a_page_holds_a_mebibyte_at_most() {
    let account = Account::new();
    let line = "x".repeat(200_000);
    account.logs_state(|logs| (0..8).for_each(|_| logs.append("group", "stream", account.now(), line.clone())));
    let page = read(&account).start_from_head(true).send().await.unwrap();
    assert_eq!(page.events().len(), 5);
    let rest = read(&account).start_from_head(true).next_token(page.next_forward_token.unwrap()).send().await.unwrap();
    assert_eq!(rest.events().len(), 3);
}

#[tokio::test]
async fn a_missing_group_and_a_missing_stream_are_told_apart() {
    let account = with_lines(1);
    let ask = |group: &str, stream: &str| {
        account.logs().get_log_events().log_group_name(group).log_stream_name(stream).send()
    };
    let expected =
        |what: &str| ("ResourceNotFoundException".to_owned(), format!("The specified {what} does not exist."));
    assert_eq!(refusal(ask("nothing", "stream").await), expected("log group"));
    assert_eq!(refusal(ask("group", "nothing").await), expected("log stream"));
}

#[tokio::test]
async fn a_wrong_limit_and_a_wrong_token_are_invalid() {
    let account = with_lines(1);
    for limit in [0, 10_001] {
        assert_eq!(refusal(read(&account).limit(limit).send().await).0, "InvalidParameterException");
    }
    assert_eq!(refusal(read(&account).next_token("nonsense").send().await).0, "InvalidParameterException");
}

#[tokio::test]
async fn an_internal_error_of_logs_is_a_500() {
    let account = with_lines(1);
    account.world.lock().unwrap().faults.add("logs:*", When::Always, Fault::Error5xx);
    let refused = read(&account).send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 500);
    assert_eq!(refused.into_service_error().code(), Some("ServiceUnavailableException"));
}

#[tokio::test]
async fn rights_are_asked_for_on_the_stream() {
    let account = with_lines(1);
    account.restrict(json!({ "Statement": [{ "Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:other:*" }] }));
    let (code, message) = refusal(read(&account).send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("arn:aws:logs:eu-west-1:123456789012:log-group:group:log-stream:stream"), "{message}");
}

#[tokio::test]
async fn an_empty_page_is_not_the_end() {
    let account = with_lines(5);
    account.logs_state(|logs| logs.pages = Pages::EmptyBetween);
    for from_head in [true, false] {
        let (mut token, mut seen, mut empty) = (None, Vec::new(), 0);
        loop {
            let page = read(&account).start_from_head(from_head).limit(3).set_next_token(token.clone());
            let page = page.send().await.unwrap();
            let texts: Vec<String> = lines(&page).iter().map(|line| (*line).to_owned()).collect();
            let next = if from_head { page.next_forward_token } else { page.next_backward_token };
            empty += usize::from(texts.is_empty());
            seen.push(texts);
            if next == token {
                break;
            }
            token = next;
        }
        seen.retain(|texts| !texts.is_empty());
        let wanted =
            if from_head { [vec!["0", "1", "2"], vec!["3", "4"]] } else { [vec!["2", "3", "4"], vec!["0", "1"]] };
        assert_eq!(seen, wanted);
        assert!(empty >= 3, "one before each page and one before the end, of {empty}");
    }
}

#[tokio::test]
async fn a_token_is_good_for_a_day() {
    let account = with_lines(5);
    let first = read(&account).start_from_head(true).limit(3).send().await.unwrap();
    let token = first.next_forward_token.unwrap();
    account.pass(24 * 3600);
    let second = read(&account).start_from_head(true).next_token(&token).send().await.unwrap();
    assert_eq!(lines(&second), ["3", "4"]);
    account.pass(1);
    let (code, message) = refusal(read(&account).start_from_head(true).next_token(&token).send().await);
    assert_eq!((code.as_str(), message.as_str()), ("InvalidParameterException", "The specified nextToken is invalid."));
}
