//! Doubt: an intent was found, and it is not known whether its call started anything. What follows from what a search
//! found and from the intent's age. The same for everything that is started; nothing here knows what that is.

use super::intent::{Call, Intent};
use jiff::Timestamp;

/// The times of one kind of call, in seconds after the intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Up to this age the same call may be made again with its token: AWS still knows the token.
    pub repeats: i64,
    /// From this age on, a call of which nothing is found is known to have started nothing.
    pub expires: i64,
}

/// What is looked at of something that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight<'a> {
    /// AWS's ID of it.
    pub id: &'a str,
    /// The marker that it carries.
    pub marker: Option<&'a str>,
    /// When it was started.
    pub started_at: Timestamp,
    /// Whether it has not ended yet.
    pub is_running: bool,
}

/// What an intent that was found in a status comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt<T> {
    /// This was started by the attempt.
    Found(T),
    /// The attempt started more than one. The oldest is kept; this one is to be stopped.
    Surplus(T),
    /// Nothing is found, and it may still appear.
    Open,
    /// Nothing is found, and nothing will be: the call started nothing, and the next one may be made.
    Expired,
    /// Nothing is found of a lost status, and nothing will be: it is as if no call had ever been intended.
    NeverCalled,
}

/// What the intent comes to, by what a search of its resource found. `sight` tells what is looked at of one thing.
pub fn doubt<'a, T>(
    intent: &Intent,
    marker: &str,
    found: &'a [T],
    sight: impl Fn(&'a T) -> Sight<'a>,
    times: Times,
    at: Timestamp,
) -> Doubt<&'a T> {
    let mut own: Vec<_> =
        found.iter().map(|one| (sight(one), one)).filter(|(seen, _)| seen.marker == Some(marker)).collect();
    own.sort_by(|(a, _), (b, _)| (a.started_at, a.id).cmp(&(b.started_at, b.id)));
    match own.as_slice() {
        [] if age(intent, at) <= times.expires => Doubt::Open,
        [] => match intent {
            Intent::Call(_) => Doubt::Expired,
            Intent::Recovery { .. } => Doubt::NeverCalled,
        },
        [(_, oldest), others @ ..] => match others.iter().find(|(seen, _)| seen.is_running) {
            Some((_, surplus)) => Doubt::Surplus(surplus),
            None => Doubt::Found(oldest),
        },
    }
}

/// The intended call, if it may be made again: nothing was found of it, AWS still knows its token, and it would say the
/// same as before.
pub fn repeatable<'a>(intent: &'a Intent, request_hash: &str, times: Times, at: Timestamp) -> Option<&'a Call> {
    match intent {
        Intent::Call(call) if age(intent, at) < times.repeats && call.request_hash == request_hash => Some(call),
        Intent::Call(_) | Intent::Recovery { .. } => None,
    }
}

fn age(intent: &Intent, at: Timestamp) -> i64 {
    at.duration_since(intent.since()).as_secs()
}
