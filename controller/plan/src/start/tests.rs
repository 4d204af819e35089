//! Doubt, tested with things that are not builds: the rules do not depend on what was started.

use super::{Attempt, Call, Doubt, Intent, Sight, Times, doubt, repeatable};
use crate::samples::at;
use proptest::collection::vec;
use proptest::prelude::*;

/// Times as RunTask would have them: its client token is valid for a day.
const TASK: Times = Times { repeats: 23 * 3600, expires: 25 * 3600 };
const BUILD: Times = super::build::TIMES;
const ATTEMPT: Attempt<'_> = Attempt { owner: "uid", step: "migrate", number: 1 };

#[derive(Clone, Debug, PartialEq)]
struct Thing {
    id: &'static str,
    marker: Option<String>,
    started: i64,
    is_running: bool,
}

fn thing(id: &'static str, started: i64, is_running: bool) -> Thing {
    Thing { id, marker: Some(ATTEMPT.marker()), started, is_running }
}

fn sight(thing: &Thing) -> Sight<'_> {
    Sight { id: thing.id, marker: thing.marker.as_deref(), started_at: at(thing.started), is_running: thing.is_running }
}

fn call() -> Intent {
    Intent::Call(Call::next(ATTEMPT, None, "cluster", &"request", at(0)))
}

fn recovery() -> Intent {
    Intent::Recovery { resource: "cluster".into(), since: at(0) }
}

fn comes_to<'a>(intent: &Intent, found: &'a [Thing], times: Times, age: i64) -> Doubt<&'a str> {
    match doubt(intent, &ATTEMPT.marker(), found, sight, times, at(age)) {
        Doubt::Found(thing) => Doubt::Found(thing.id),
        Doubt::Surplus(thing) => Doubt::Surplus(thing.id),
        Doubt::Open => Doubt::Open,
        Doubt::Expired => Doubt::Expired,
        Doubt::NeverCalled => Doubt::NeverCalled,
    }
}

fn repeats(intent: &Intent, request: &str, times: Times, age: i64) -> bool {
    repeatable(intent, &crate::hash::of(&request), times, at(age)).is_some()
}

#[test]
fn a_call_of_which_nothing_is_found_stays_in_doubt_until_it_expires() {
    for (times, last) in [(BUILD, 360), (TASK, 25 * 3600)] {
        for (age, then) in [(0, Doubt::Open), (last, Doubt::Open), (last + 1, Doubt::Expired)] {
            assert_eq!(comes_to(&call(), &[], times, age), then, "{times:?} {age}");
        }
        assert_eq!(comes_to(&recovery(), &[], times, last), Doubt::Open);
        assert_eq!(comes_to(&recovery(), &[], times, last + 1), Doubt::NeverCalled);
    }
}

#[test]
fn a_call_is_repeated_only_while_its_token_is_known_and_only_with_the_same_request() {
    assert!(repeats(&call(), "request", BUILD, 239));
    assert!(!repeats(&call(), "request", BUILD, 240));
    assert!(repeats(&call(), "request", TASK, 22 * 3600));
    assert!(!repeats(&call(), "another", BUILD, 0));
    assert!(!repeats(&recovery(), "request", BUILD, 0), "no call was intended");
}

#[test]
fn a_repetition_is_never_so_late_that_the_token_is_forgotten() {
    const { assert!(BUILD.repeats < 300 && BUILD.expires > 300, "CodeBuild keeps a token for 300 seconds") };
}

#[test]
fn a_thing_with_the_attempts_marker_is_found_at_any_age() {
    for age in [0, 300, 100_000] {
        for is_running in [true, false] {
            assert_eq!(comes_to(&call(), &[thing("a", 5, is_running)], BUILD, age), Doubt::Found("a"));
            assert_eq!(comes_to(&recovery(), &[thing("a", 5, is_running)], BUILD, age), Doubt::Found("a"));
        }
    }
}

#[test]
fn of_several_the_oldest_is_kept_and_the_others_are_stopped_if_they_run() {
    let found = [thing("young", 9, true), thing("old", 1, true), thing("middle", 5, false)];
    assert_eq!(comes_to(&call(), &found, BUILD, 9), Doubt::Surplus("young"));
    let found = [thing("young", 9, false), thing("old", 1, false), thing("middle", 5, false)];
    assert_eq!(comes_to(&call(), &found, BUILD, 9), Doubt::Found("old"));
    let found = [thing("b", 1, true), thing("a", 1, true)];
    assert_eq!(comes_to(&call(), &found, BUILD, 9), Doubt::Surplus("b"), "started in the same second: by ID");
}

#[test]
fn things_with_another_marker_or_none_do_not_belong_to_the_attempt() {
    let other = Attempt { number: 2, ..ATTEMPT }.marker();
    let found = [Thing { marker: Some(other), ..thing("a", 1, true) }, Thing { marker: None, ..thing("b", 1, true) }];
    assert_eq!(comes_to(&call(), &found, BUILD, 9), Doubt::Open);
    assert_eq!(comes_to(&call(), &found, BUILD, 999), Doubt::Expired);
}

#[test]
fn the_next_call_has_another_token_and_the_same_marker() {
    let Intent::Call(first) = call() else { panic!("a call") };
    let next = Call::next(ATTEMPT, Some(&call()), "cluster", &"request", at(400));
    assert_eq!((first.number, next.number), (1, 2));
    assert_ne!(first.token, next.token);
    assert_eq!(Call::next(ATTEMPT, Some(&recovery()), "cluster", &"request", at(0)), first);
    let later = Attempt { number: 2, ..ATTEMPT };
    assert_ne!(Call::next(later, None, "cluster", &"request", at(0)).token, first.token);
    assert_ne!(later.marker(), ATTEMPT.marker());
}

#[test]
fn an_intent_is_read_as_it_was_written() {
    for intent in [call(), recovery()] {
        assert_eq!(Intent::parse(&intent.written()), intent);
    }
}

fn things() -> impl Strategy<Value = Vec<Thing>> {
    let own = |id: &'static str| {
        (0..4i64, any::<bool>(), prop_oneof![3 => Just(true), 1 => Just(false)]).prop_map(
            move |(started, is_running, is_own)| Thing {
                marker: Some(if is_own { ATTEMPT.marker() } else { "another/migrate/1".into() }),
                ..thing(id, started, is_running)
            },
        )
    };
    (own("a"), own("b"), own("c"), 0..4usize).prop_map(|(a, b, c, most)| [a, b, c].into_iter().take(most).collect())
}

proptest! {
    #[test]
    fn a_search_that_finds_something_never_leads_to_another_call_and_its_order_does_not_matter(
        found in things(), age in 0..1000i64, order in vec(0..3usize, 3), recovers in any::<bool>(),
    ) {
        let intent = if recovers { recovery() } else { call() };
        let then = comes_to(&intent, &found, BUILD, age);
        let own: Vec<_> = found.iter().filter(|one| one.marker == Some(ATTEMPT.marker())).collect();
        match then {
            Doubt::Found(id) | Doubt::Surplus(id) => prop_assert!(own.iter().any(|one| one.id == id)),
            Doubt::Open | Doubt::Expired | Doubt::NeverCalled => prop_assert!(own.is_empty()),
        }
        let mut shuffled = found.clone();
        for (a, b) in order.iter().enumerate().filter(|(a, b)| *a < found.len() && **b < found.len()) {
            shuffled.swap(a, *b);
        }
        prop_assert_eq!(comes_to(&intent, &shuffled, BUILD, age), then);
    }

    #[test]
    fn stopping_what_is_surplus_again_and_again_leaves_the_oldest(found in things(), age in 0..1000i64) {
        let mut left = found.clone();
        for _ in 0..=found.len() {
            if let Doubt::Surplus(id) = comes_to(&call(), &left, BUILD, age) {
                let id = id.to_owned();
                let one = left.iter_mut().find(|one| one.id == id).unwrap();
                prop_assert!(one.is_running);
                one.is_running = false;
            }
        }
        let own = found.iter().filter(|one| one.marker == Some(ATTEMPT.marker()));
        match own.min_by_key(|one| (one.started, one.id)) {
            Some(oldest) => prop_assert_eq!(comes_to(&call(), &left, BUILD, age), Doubt::Found(oldest.id)),
            None => prop_assert!(matches!(comes_to(&call(), &left, BUILD, age), Doubt::Open | Doubt::Expired)),
        }
        let untouched = left.iter().zip(&found).all(|(a, b)| a.marker == Some(ATTEMPT.marker()) || a == b);
        prop_assert!(untouched, "nothing of others is stopped");
    }

    #[test]
    fn a_call_is_never_repeated_once_it_has_expired(age in 0..1000i64) {
        let expired = comes_to(&call(), &[], BUILD, age) == Doubt::Expired;
        prop_assert!(!(expired && repeats(&call(), "request", BUILD, age)));
    }
}
