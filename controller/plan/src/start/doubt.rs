//! Doubt: an intent was found, and it is not known whether its call started anything. What follows depends on what a
//! search in AWS found and on the intent's age. The rules are the same for everything that is started, so nothing here
//! knows what that is.

use super::intent::{Call, Intent};
use jiff::Timestamp;

/// The times of one kind of call, in seconds after the intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Until this age the same call may be made again with its token, because AWS still knows the token.
    pub repeats: i64,
    /// Once an intent is older than this, a call of which nothing is found is known to have started nothing.
    pub expires: i64,
}

/// What has to be known of a thing that was found in AWS.
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

/// What follows from an intent that was found in a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt<T> {
    /// The attempt started this.
    Found(T),
    /// The attempt started more than one. The oldest is kept; this one is to be stopped.
    Surplus(T),
    /// Nothing was found, but something may still appear.
    Open,
    /// Nothing was found, and nothing will appear: the call started nothing, and the next call may be made.
    Expired,
    /// The status was lost. Nothing was found, and nothing will appear: the step continues as if no call had been
    /// intended.
    NeverCalled,
}

/// What follows from the intent. `found` is what a search of its resource found; `sight` reads from one of these things
/// what has to be known of it.
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

/// The intended call, if it may be made again after a search found nothing: AWS still knows its token, and the request
/// has not changed since.
pub fn repeatable<'a>(intent: &'a Intent, request_hash: &str, times: Times, at: Timestamp) -> Option<&'a Call> {
    match intent {
        Intent::Call(call) if age(intent, at) < times.repeats && call.request_hash == request_hash => Some(call),
        Intent::Call(_) | Intent::Recovery { .. } => None,
    }
}

fn age(intent: &Intent, at: Timestamp) -> i64 {
    at.duration_since(intent.since()).as_secs()
}
