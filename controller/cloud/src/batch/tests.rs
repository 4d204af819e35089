#![allow(clippy::unwrap_used)]

use super::*;
use futures::FutureExt;
use futures::future::join_all;
use std::pin::Pin;
use tokio::sync::Semaphore;

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

/// The way to a far place: how one waits for others there, and how long a token takes.
struct Way<'a> {
    far: &'a Far,
    /// Whether whoever waits for others waits for ever.
    patient: bool,
    /// The tokens that are there; none: there is always one.
    tokens: Option<&'a Semaphore>,
}

impl Line<String, String, Failed> for Way<'_> {
    type Token = Rank;

    async fn linger(&self, _: Rank) {
        if self.patient {
            std::future::pending().await
        }
    }

    async fn token(&self, rank: Rank) -> Result<Rank, Failed> {
        if let Some(tokens) = self.tokens {
            tokens.acquire().await.unwrap().forget();
        }
        Ok(rank)
    }

    async fn send(&self, rank: Rank, token: Rank, keys: Vec<String>) -> Result<Answers<String, String>, Failed> {
        assert_eq!(rank, token, "sent by the rank that the token was for");
        self.far.answer(rank, keys).await
    }
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<Option<String>, Failed>> + 'a>>;

/// Asks on that way.
fn asks<'a>(batcher: &'a Batcher<String, String, Failed>, way: &'a Way<'a>, rank: Rank, key: &str) -> Asking<'a> {
    let key = key.to_owned();
    Box::pin(async move { batcher.ask("group", key, rank, way).await })
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
    batcher.ask("group", key.to_owned(), rank, &Way { far, patient: false, tokens: None }).await
}

fn batcher() -> Batcher<String, String, Failed> {
    Batcher::new(10, Failed::concerns_all)
}

fn is_under_way(asking: &mut Asking<'_>) -> bool {
    asking.as_mut().now_or_never().is_none()
}

#[tokio::test]
async fn nobody_waits_for_others_who_is_in_a_hurry_and_alone() {
    let (batcher, far) = (batcher(), Far::default());
    let way = Way { far: &far, patient: true, tokens: None };
    assert_eq!(asks(&batcher, &way, Rank::Rollout, "one").await, Ok(Some("one".to_owned())));
}

#[tokio::test]
async fn who_comes_while_a_call_is_under_way_gathers_for_the_next_one() {
    let (batcher, far) = (batcher(), Far::default());
    let way = Way { far: &far, patient: true, tokens: None };
    let mut first = asks(&batcher, &way, Rank::Rollout, "one");
    assert!(is_under_way(&mut first) && is_under_way(&mut first), "sent");
    let mut others: Vec<_> = ["two", "three"].map(|key| asks(&batcher, &way, Rank::Rollout, key)).into();
    for _ in 0..3 {
        assert!(others.iter_mut().all(is_under_way));
    }
    assert_eq!(far.sizes(), [1], "they wait for the end of the first call");
    first.await.unwrap();
    join_all(others).await;
    assert_eq!(far.sizes(), [1, 2]);
}

#[tokio::test]
async fn a_full_batch_waits_for_no_other_call() {
    let (batcher, far) = (batcher(), Far::default());
    let way = Way { far: &far, patient: true, tokens: None };
    let mut first = asks(&batcher, &way, Rank::Rollout, "one");
    assert!(is_under_way(&mut first) && is_under_way(&mut first), "sent");
    let keys: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    join_all(keys.iter().map(|key| asks(&batcher, &way, Rank::Rollout, key))).await;
    assert_eq!(far.sizes(), [1, 10]);
    first.await.unwrap();
}

#[tokio::test]
async fn drift_checks_go_out_in_full_calls_or_with_whoever_is_in_a_hurry() {
    let (batcher, far) = (batcher(), Far::default());
    let way = Way { far: &far, patient: true, tokens: None };
    let mut idle: Vec<_> = (0..9).map(|number| asks(&batcher, &way, Rank::Look, &number.to_string())).collect();
    for _ in 0..3 {
        assert!(idle.iter_mut().all(is_under_way));
    }
    let mut last = asks(&batcher, &way, Rank::Look, "9");
    assert!(is_under_way(&mut last));
    join_all(idle.into_iter().chain([last])).await;
    let mut slow = asks(&batcher, &way, Rank::Look, "slow");
    assert!(is_under_way(&mut slow) && is_under_way(&mut slow));
    let quick = asks(&batcher, &way, Rank::Rollout, "quick");
    join_all([slow, quick]).await;
    assert_eq!(
        far.calls.lock().unwrap().iter().map(|(rank, keys)| (*rank, keys.len())).collect::<Vec<_>>(),
        [(Rank::Look, 10), (Rank::Rollout, 2)]
    );
}

#[tokio::test]
async fn a_batch_that_waits_for_its_token_can_be_joined() {
    let (batcher, far, tokens) = (batcher(), Far::default(), Semaphore::new(0));
    let way = Way { far: &far, patient: false, tokens: Some(&tokens) };
    let mut first = asks(&batcher, &way, Rank::Look, "one");
    assert!(is_under_way(&mut first) && is_under_way(&mut first));
    let mut second = asks(&batcher, &way, Rank::Rollback, "two");
    assert!(is_under_way(&mut second));
    tokens.add_permits(1);
    join_all([first, second]).await;
    assert_eq!((far.sizes(), far.ranks()), (vec![2], vec![Rank::Rollback]));
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
