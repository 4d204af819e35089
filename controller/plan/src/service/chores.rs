//! What is left to do on a live service beside its rollout: the differences, without those that were asked for already and
//! need not be asked for again.

use super::change;
use super::desired::Desired;
use super::members::difference;
use super::record::{Record, SETTLES};
use super::state::{Asked, Chore, Tags};
use super::wanted::Wanted;
use crate::hash;
use crate::moment::after;
use crate::world::{LiveService, UpdateServiceRequest};
use jiff::Timestamp;
use launchway_crds::service::{Effect, EffectStatus};
use std::collections::BTreeMap;

/// How long to wait before asking again for what AWS refused, in seconds, if the spec has not changed. Somebody may add the
/// missing permission at any time, and nothing tells us.
const REFUSED_FOR: i64 = 300;

/// What is left, in the order in which it is done. The number of tasks comes first and alone, so that a setting that AWS
/// refuses never keeps anybody from scaling.
pub fn chores(desired: &Desired, wanted: &Wanted, record: &Record, live: &LiveService, at: Timestamp) -> Vec<Chore> {
    let left = |effect, hash: &str, what: &dyn Fn() -> String| match record.effect(effect) {
        Some(sent) if sent.meaning == hash => repeated(sent, at, what),
        Some(_) | None => None,
    };
    let mut all = Vec::new();
    for (effect, request) in change::adjustments(desired, wanted, live) {
        let hash = hash_of(wanted, &request);
        let differs = || differs(wanted, live, &request);
        all.push(left(effect, &hash, &differs).unwrap_or_else(|| {
            let asked = Asked { request: Box::new(request.clone()), hash: hash.clone() };
            if effect == Effect::Scale { Chore::Scale(asked) } else { Chore::Adjust(asked) }
        }));
    }
    let tags = change::tags(wanted, live);
    if !tags.is_empty() {
        let hash = hash::of(&tags);
        let differs = || format!("tags {}", tags.keys().cloned().collect::<Vec<_>>().join(", "));
        let tag = || Chore::Tag(Asked { request: tagged(live, &tags), hash: hash.clone() });
        all.push(left(Effect::Tag, &hash, &differs).unwrap_or_else(tag));
    }
    all
}

fn tagged(live: &LiveService, tags: &BTreeMap<String, String>) -> Box<Tags> {
    Box::new(Tags { arn: live.arn.clone(), tags: tags.clone() })
}

/// The state of a chore that was asked for before in exactly this form; absent: ask for it again.
fn repeated(sent: &EffectStatus, at: Timestamp, what: &dyn Fn() -> String) -> Option<Chore> {
    let since = |seconds| at < after(sent.at.0, seconds);
    match &sent.refused {
        Some(_) => since(REFUSED_FOR).then(|| Chore::Refused(sent.clone())),
        None if since(SETTLES) => Some(Chore::Settling(sent.clone())),
        // It was as asked for, and somebody has changed it since.
        None if sent.seen => None,
        None => Some(Chore::Differs { effect: sent.effect, what: what() }),
    }
}

fn hash_of(wanted: &Wanted, request: &UpdateServiceRequest) -> String {
    let asked: BTreeMap<_, _> = request.body.keys().map(|name| (name, wanted.service.get(name))).collect();
    hash::of(&asked)
}

fn differs(wanted: &Wanted, live: &LiveService, request: &UpdateServiceRequest) -> String {
    let names = request.body.keys().filter(|name| wanted.service.contains_key(*name));
    names.map(|name| difference(name, wanted.service.get(name), live.members.get(name))).collect::<Vec<_>>().join("; ")
}
