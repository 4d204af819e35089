#![allow(clippy::unwrap_used)]

use super::*;
use futures::FutureExt;
use futures::future::join_all;
use std::sync::Mutex;
use tokio::task::yield_now;

#[derive(Clone, Debug, PartialEq)]
enum Failed {
    Outage,
    Denied,
}

impl Failed {
    fn concerns_all(&self) -> bool {
        *self == Self::Outage
    }
}

/// Answers each key with itself; denies every call that names `secret`; remembers the calls.
#[derive(Default)]
struct Far {
    calls: Mutex<Vec<(Rank, Vec<String>)>>,
}

impl Far {
    async fn answer(&self, rank: Rank, keys: Vec<String>) -> Result<Answers<String, String>, Failed> {
        self.calls.lock().unwrap().push((rank, keys.clone()));
        yield_now().await;
        if keys.iter().any(|key| key == "secret") {
            return Err(Failed::Denied);
        }
        if keys.iter().any(|key| key == "down") {
            return Err(Failed::Outage);
        }
        Ok(keys.into_iter().filter(|key| key != "absent").map(|key| (key.clone(), key)).collect())
    }

    fn sizes(&self) -> Vec<usize> {
        self.calls.lock().unwrap().iter().map(|(_, keys)| keys.len()).collect()
    }

    fn ranks(&self) -> Vec<Rank> {
        self.calls.lock().unwrap().iter().map(|(rank, _)| *rank).collect()
    }
}

async fn asked(batcher: &Batcher<String, String, Failed>, far: &Far, key: &str) -> Result<Option<String>, Failed> {
    asked_at(Rank::Look, batcher, far, key).await
}

async fn asked_at(
    rank: Rank,
    batcher: &Batcher<String, String, Failed>,
    far: &Far,
    key: &str,
) -> Result<Option<String>, Failed> {
    batcher.ask("group", key.to_owned(), rank, yield_now, |rank, keys| far.answer(rank, keys)).await
}

fn batcher() -> Batcher<String, String, Failed> {
    Batcher::new(10, Failed::concerns_all)
}

#[tokio::test]
async fn those_who_ask_together_share_calls_of_at_most_the_given_size() {
    let (batcher, far) = (batcher(), Far::default());
    let keys: Vec<String> = (0..25).map(|n| n.to_string()).collect();
    let answers = join_all(keys.iter().map(|key| asked(&batcher, &far, key))).await;
    assert_eq!(answers, keys.iter().map(|key| Ok(Some(key.clone()))).collect::<Vec<_>>());
    assert_eq!(far.sizes(), [10, 10, 5]);
}

#[tokio::test]
async fn the_same_question_is_sent_once() {
    let (batcher, far) = (batcher(), Far::default());
    let answers = join_all((0..3).map(|_| asked(&batcher, &far, "one"))).await;
    assert_eq!(answers, vec![Ok(Some("one".to_owned())); 3]);
    assert_eq!(far.sizes(), [1]);
}

#[tokio::test]
async fn what_the_answer_does_not_mention_is_not_there() {
    let (batcher, far) = (batcher(), Far::default());
    assert_eq!(asked(&batcher, &far, "absent").await, Ok(None));
}

#[tokio::test]
async fn a_call_that_was_sent_is_not_joined() {
    let (batcher, far) = (batcher(), Far::default());
    let mut first = Box::pin(asked(&batcher, &far, "one"));
    assert!(first.as_mut().now_or_never().is_none(), "lingers");
    assert!(first.as_mut().now_or_never().is_none(), "is sent");
    assert_eq!(asked(&batcher, &far, "one").await, Ok(Some("one".to_owned())));
    assert_eq!(far.sizes(), [1, 1]);
    assert_eq!(first.await, Ok(Some("one".to_owned())));
}

#[tokio::test]
async fn if_the_one_who_calls_is_cut_the_others_ask_again() {
    let (batcher, far) = (batcher(), Far::default());
    for polls in 1..=2 {
        let mut first = Box::pin(asked(&batcher, &far, "one"));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(asked(&batcher, &far, "two"));
        assert!(second.as_mut().now_or_never().is_none());
        for _ in 1..polls {
            assert!(first.as_mut().now_or_never().is_none());
        }
        drop(first);
        assert_eq!(second.await, Ok(Some("two".to_owned())));
    }
}

#[tokio::test]
async fn one_who_is_denied_does_not_spoil_the_look_of_the_others() {
    let (batcher, far) = (batcher(), Far::default());
    let answers = join_all(["one", "secret", "two"].map(|key| asked(&batcher, &far, key))).await;
    assert_eq!(answers, [Ok(Some("one".to_owned())), Err(Failed::Denied), Ok(Some("two".to_owned()))]);
}

#[tokio::test]
async fn a_shared_call_matters_as_much_as_to_the_one_to_whom_it_matters_most() {
    let (batcher, far) = (batcher(), Far::default());
    let ranks = [Rank::Chore, Rank::Rollout, Rank::Look];
    join_all(ranks.map(|rank| asked_at(rank, &batcher, &far, "one"))).await;
    assert_eq!(far.ranks(), [Rank::Rollout]);
}

#[tokio::test]
async fn who_has_to_ask_alone_asks_by_their_own_rank() {
    let (batcher, far) = (batcher(), Far::default());
    let answers =
        join_all([asked_at(Rank::Look, &batcher, &far, "one"), asked_at(Rank::Rollback, &batcher, &far, "secret")])
            .await;
    assert_eq!(answers, [Ok(Some("one".to_owned())), Err(Failed::Denied)]);
    assert_eq!(far.ranks(), [Rank::Rollback, Rank::Look, Rank::Rollback]);
}

#[tokio::test]
async fn an_outage_is_everybodys() {
    let (batcher, far) = (batcher(), Far::default());
    let answers = join_all(["one", "down"].map(|key| asked(&batcher, &far, key))).await;
    assert_eq!(answers, [Err(Failed::Outage), Err(Failed::Outage)]);
    assert_eq!(far.sizes(), [2]);
}
