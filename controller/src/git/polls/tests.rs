#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::poll;
use http::{Request, Response};
use launchway_plan::address::Rules;
use tokio::sync::Semaphore;
use tower::service_fn;

use super::super::tests::{over, server};
use super::*;
use crate::git::Credential;
use crate::web::WebFault;

const URL: &str = "https://git.example.com/app";
const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn ask(branch: &str, seconds: i64) -> Ask<'_> {
    const NOBODY: &Access = &Access { credential: None, app: None, authorities: None };
    Ask {
        url: URL,
        refs: Refs::Branch(branch.to_owned()),
        namespace: "shop",
        access: NOBODY,
        interval: SignedDuration::from_secs(seconds),
        since: None,
    }
}

/// An answer that comes in time.
async fn head(polls: &Polls, ask: &Ask<'_>, now: Timestamp) -> Poll {
    polls.head(ask, now).await.expect("an answer in time")
}

/// Counts first requests, which is one for each poll.
fn counted() -> (Polls, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let (answer, counter) = (server(&[("main", A), ("dev", B)]), Arc::clone(&count));
    let web = over(move |request| {
        counter.fetch_add(usize::from(request.method() == "GET"), Ordering::SeqCst);
        answer(request)
    });
    (Polls::new(web), count)
}

/// Answers each request only when the gate opens.
fn gated() -> (Polls, Arc<AtomicUsize>, Arc<Semaphore>) {
    let (count, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let (counter, door, answer) = (Arc::clone(&count), Arc::clone(&gate), server(&[("main", A), ("dev", B)]));
    let web = Web::over(
        Rules::strict(),
        service_fn(move |request: Request<Bytes>| {
            counter.fetch_add(usize::from(request.method() == "GET"), Ordering::SeqCst);
            let (door, answer) = (Arc::clone(&door), answer.clone());
            async move {
                door.acquire().await.unwrap().forget();
                answer(&request)
            }
        }),
    );
    (Polls::new(web), count, gate)
}

/// Never answers where the path begins with `/silent`, and counts those requests.
fn partly_silent() -> (Polls, Arc<AtomicUsize>) {
    let (answer, flying) = (server(&[("main", A)]), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&flying);
    let web = Web::over(
        Rules::strict(),
        service_fn(move |request: Request<Bytes>| {
            let (counter, answer) = (Arc::clone(&counter), answer.clone());
            async move {
                if request.uri().path().starts_with("/silent") {
                    counter.fetch_add(1, Ordering::SeqCst);
                    std::future::pending::<()>().await;
                }
                answer(&request)
            }
        }),
    );
    (Polls::new(web), flying)
}

#[tokio::test]
async fn many_watchers_of_one_branch_make_one_poll_an_interval() {
    let (polls, count) = counted();
    for minute in 0..10 {
        for watcher in 0..20 {
            let poll = head(&polls, &ask("main", 60), at(minute * 60 + watcher / 5)).await;
            assert_eq!(poll.outcome.unwrap().commit, A);
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn watchers_of_several_branches_share_their_polls_once_all_are_known() {
    let (polls, count) = counted();
    for branch in ["main", "dev"] {
        head(&polls, &ask(branch, 60), at(0)).await;
    }
    let warm = count.swap(0, Ordering::SeqCst);
    assert_eq!(warm, 2);
    for minute in 1..10 {
        for (branch, commit) in [("main", A), ("dev", B)] {
            assert_eq!(head(&polls, &ask(branch, 60), at(minute * 60)).await.outcome.unwrap().commit, commit);
        }
    }
    assert_eq!(count.load(Ordering::SeqCst), 9);
}

#[tokio::test]
async fn an_answer_is_not_shown_to_those_who_ask_with_another_credential() {
    let answer = server(&[("main", A)]);
    let web = over(move |request| match request.headers().get("authorization") {
        Some(value) if value == "Bearer good" => answer(request),
        _ => Ok(Response::builder().status(401).body(Bytes::new()).unwrap()),
    });
    let polls = Polls::new(web);
    let [good, bad] =
        ["good", "bad"].map(|token| Access { credential: Some(Credential::Bearer(token.into())), ..Access::default() });
    let with = |access| Ask { access, ..ask("main", 60) };
    assert!(head(&polls, &with(&good), at(0)).await.outcome.is_ok());
    assert!(head(&polls, &with(&bad), at(0)).await.outcome.is_err());
    assert!(head(&polls, &ask("main", 60), at(0)).await.outcome.is_err());
    assert!(head(&polls, &with(&good), at(1)).await.outcome.is_ok());
}

#[tokio::test]
async fn an_answer_that_is_too_old_is_asked_for_again() {
    let (polls, count) = counted();
    let sent = |interval, second| {
        let polls = polls.clone();
        async move { head(&polls, &ask("main", interval), at(second)).await.sent }
    };
    assert_eq!(sent(60, 0).await, at(0));
    assert_eq!(sent(60, 54).await, at(0));
    assert_eq!(sent(300, 200).await, at(0));
    assert_eq!(sent(60, 55).await, at(55));
    assert_eq!(sent(0, 55).await, at(55));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_poll_in_flight_goes_on_when_the_one_who_began_it_is_gone() {
    let (polls, count, gate) = gated();
    let mut first = Box::pin(async { head(&polls, &ask("main", 60), at(0)).await });
    assert!(poll!(&mut first).is_pending());
    let mut second = Box::pin(async { head(&polls, &ask("main", 60), at(1)).await });
    assert!(poll!(&mut second).is_pending());
    drop(first);
    gate.add_permits(10);
    let poll = second.await;
    assert_eq!((poll.sent, poll.outcome.unwrap().commit.as_str()), (at(0), A));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_poll_that_nobody_waits_for_is_not_waited_for_by_the_next() {
    let (polls, count, gate) = gated();
    let mut first = Box::pin(async { head(&polls, &ask("main", 60), at(0)).await });
    assert!(poll!(&mut first).is_pending());
    drop(first);
    gate.add_permits(10);
    assert_eq!(head(&polls, &ask("main", 60), at(30)).await.sent, at(30));
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_wants_the_newest_joins_no_poll_that_was_sent_before() {
    let (polls, count, gate) = gated();
    let mut first = Box::pin(async { head(&polls, &ask("main", 60), at(0)).await });
    assert!(poll!(&mut first).is_pending());
    let mut second = Box::pin(async { head(&polls, &ask("main", 0), at(1)).await });
    let mut third = Box::pin(async { head(&polls, &ask("dev", 0), at(2)).await });
    assert!(poll!(&mut second).is_pending() && poll!(&mut third).is_pending());
    gate.add_permits(10);
    let (first, second, third) = futures::join!(first, second, third);
    assert_eq!((first.sent, first.outcome.unwrap().commit.as_str()), (at(0), A));
    assert!(second.sent >= at(1) && third.sent >= at(1), "{second:?} {third:?}");
    assert_eq!(third.outcome.unwrap().commit, B);
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_watcher_s_mistake_is_not_another_s() {
    let (polls, _) = counted();
    assert_eq!(head(&polls, &ask("a..b", 60), at(0)).await.outcome, Err(GitFault::BranchName));
    assert!(matches!(head(&polls, &ask("none", 60), at(0)).await.outcome, Err(GitFault::NoSuchBranch(_))));
    assert_eq!(head(&polls, &ask("main", 60), at(0)).await.outcome.unwrap().commit, A);
}

#[tokio::test]
async fn what_is_no_longer_watched_is_forgotten() {
    let (polls, _) = counted();
    for branch in ["main", "dev"] {
        head(&polls, &ask(branch, 60), at(0)).await;
    }
    head(&polls, &Ask { url: "https://git.example.com/other", ..ask("main", 60) }, at(3600)).await;
    let lanes = polls.lanes();
    assert_eq!(lanes.by_key.len(), 1);
    assert_eq!(lanes.by_key.values().map(|lane| lane.watched.len()).sum::<usize>(), 1);
}

/// Answers by what was asked, and counts first requests.
fn answering(
    answer: impl Fn(&Request<Bytes>) -> Result<Response<Bytes>, WebFault> + Clone + Send + Sync + 'static,
) -> (Polls, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let web = over(move |request| {
        counter.fetch_add(usize::from(request.method() == "GET"), Ordering::SeqCst);
        answer(request)
    });
    (Polls::new(web), count)
}

#[tokio::test]
async fn a_prefix_with_too_many_branches_is_the_fault_of_those_alone_who_named_it() {
    let plain = server(&[("main", A), ("dev", B)]);
    let (polls, _) = answering(move |request| match String::from_utf8_lossy(request.body()).contains("heads/a\n") {
        true => Ok(Response::new(Bytes::from(vec![b'0'; crate::web::Cap::GIT.0 + 1]))),
        false => plain(request),
    });
    for round in 0..3 {
        let now = at(round * 60);
        let wide = head(&polls, &ask("a", 60), now).await;
        assert!(matches!(wide.outcome, Err(GitFault::Web(WebFault::TooLarge(_)))), "{wide:?}");
        for (branch, commit) in [("main", A), ("dev", B)] {
            let poll = head(&polls, &ask(branch, 60), now).await;
            assert_eq!(poll.outcome.map(|head| head.commit), Ok(commit.to_owned()), "{branch} in round {round}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_the_matter_of_those_who_named_that_url() {
    let plain = server(&[("main", A)]);
    let (polls, _) = answering(move |request| match request.uri().path().starts_with("/moved") {
        true => {
            Ok(Response::builder().status(301).header("location", "https://b.example.com/").body(Bytes::new()).unwrap())
        }
        false => plain(request),
    });
    let moved = Ask { url: "https://git.example.com/moved", ..ask("main", 60) };
    assert!(matches!(head(&polls, &moved, at(0)).await.outcome, Err(GitFault::Web(WebFault::Redirect(_)))));
    assert_eq!(head(&polls, &ask("main", 60), at(0)).await.outcome.unwrap().commit, A);
}

const DAY: i64 = 86_400;

#[tokio::test]
async fn a_passing_fault_is_asked_about_again_soon_and_one_that_stays_is_not() {
    let is_down = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let (down, plain) = (Arc::clone(&is_down), server(&[("main", A)]));
    let (polls, count) = answering(move |request| match down.load(Ordering::SeqCst) {
        true => Ok(Response::builder().status(503).body(Bytes::new()).unwrap()),
        false => plain(request),
    });
    let poll = head(&polls, &ask("main", DAY), at(0)).await;
    assert!(poll.outcome.is_err() && poll.good_for <= SignedDuration::from_mins(1), "{poll:?}");
    // The longer it lasts, the more seldom it is asked.
    let mut now = 0;
    for _ in 0..20 {
        now += head(&polls, &ask("main", DAY), at(now)).await.good_for.as_secs();
    }
    assert!((3600..5 * 3600).contains(&now), "{now} s");
    is_down.store(false, Ordering::SeqCst);
    let poll = head(&polls, &ask("main", DAY), at(now)).await;
    assert_eq!((poll.outcome.unwrap().commit.as_str(), poll.good_for), (A, SignedDuration::from_hours(24)));
    let asked = count.load(Ordering::SeqCst);
    head(&polls, &ask("main", DAY), at(now + 3600)).await;
    assert_eq!(count.load(Ordering::SeqCst), asked);
}

#[tokio::test]
async fn a_server_that_says_when_to_come_again_is_left_alone_until_then_even_if_a_webhook_comes() {
    for (status, after, waits) in [(429, "600", 600), (403, "120", 120), (503, "86400", 3600), (503, "soon", 60)] {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let web = over(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(Response::builder().status(status).header("retry-after", after).body(Bytes::new()).unwrap())
        });
        let polls = Polls::new(web);
        let first = head(&polls, &ask("main", 60), at(0)).await;
        assert_eq!(first.good_for, SignedDuration::from_secs(waits), "{status} {after}");
        let told = Ask { since: Some(at(10)), ..ask("main", 60) };
        let calls = |now| {
            let (polls, told, count) = (polls.clone(), told.clone(), Arc::clone(&count));
            async move {
                head(&polls, &told, at(now)).await;
                count.load(Ordering::SeqCst)
            }
        };
        if after != "soon" {
            assert_eq!((calls(waits - 10).await, calls(waits).await), (1, 2), "{status} {after}");
        }
    }
}

#[tokio::test]
async fn however_many_branches_somebody_names_few_are_kept_and_asked_for() {
    let (polls, _) = counted();
    for number in 0..300 {
        head(&polls, &ask(&format!("branch-{number}"), 86_400), at(number)).await;
    }
    assert!(head(&polls, &ask("main", 60), at(300)).await.outcome.is_ok());
    let lanes = polls.lanes();
    assert!(lanes.by_key.values().all(|lane| lane.watched.len() <= BRANCHES && lane.landed.len() <= BRANCHES + 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_slow_is_not_waited_for_and_its_answer_is_told_later() {
    let (polls, count, gate) = gated();
    assert_eq!(polls.head(&ask("main", 60), at(0)).await, None);
    assert_eq!(polls.head(&ask("main", 60), at(3)).await, None, "the same poll is under way");
    gate.add_permits(2);
    let first = head(&polls, &ask("main", 60), at(6)).await;
    assert_eq!((first.sent, first.outcome.unwrap().commit.as_str()), (at(0), A));
    let meanwhile = head(&polls, &ask("main", 60), at(60)).await;
    assert_eq!((meanwhile.sent, meanwhile.good_for), (at(0), LANDS), "what was seen before stands");
    assert_eq!(meanwhile.outcome.unwrap().commit, A);
    gate.add_permits(2);
    assert_eq!(head(&polls, &ask("main", 60), at(68)).await.sent, at(60));
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_with_many_slow_repositories_leaves_room_on_their_host_for_another_one() {
    let (polls, flying) = partly_silent();
    let urls: Vec<String> = (0..400).map(|number| format!("https://git.example.com/silent-{number}")).collect();
    let silent = |url| Ask { url, namespace: "flood", ..ask("main", 60) };
    let asked = urls.iter().map(|url| {
        let polls = polls.clone();
        async move { polls.head(&silent(url), at(0)).await }
    });
    assert!(futures::future::join_all(asked).await.iter().all(Option::is_none));
    assert_eq!(flying.load(Ordering::SeqCst), OF_A_HOST / 2);
    let began = Instant::now();
    assert_eq!(head(&polls, &ask("main", 60), at(3)).await.outcome.unwrap().commit, A);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_shares_a_poll_with_a_namespace_that_floods_does_not_wait_in_its_queue() {
    let (polls, _) = partly_silent();
    let urls: Vec<String> = (0..400).map(|number| format!("https://git.example.com/silent-{number}")).collect();
    let of_flood = |url| Ask { url, namespace: "flood", ..ask("main", 60) };
    let asked = urls.iter().map(String::as_str).chain([URL]).map(|url| {
        let polls = polls.clone();
        async move { polls.head(&of_flood(url), at(0)).await }
    });
    assert!(futures::future::join_all(asked).await.iter().all(Option::is_none), "the last one waits behind the others");
    let began = Instant::now();
    assert_eq!(head(&polls, &ask("main", 60), at(3)).await.outcome.unwrap().commit, A);
    assert_eq!(began.elapsed(), Duration::ZERO, "another namespace brings its own place");
}
