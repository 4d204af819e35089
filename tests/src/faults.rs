//! The fault table: every story under every kind of fault, to its end; how long it took, what it asked of AWS, and whether
//! anything came to harm. Lives are not cut here.

mod table;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use jiff::SignedDuration;
use launchway_test_aws::{Fault, When};

use crate::harm::{Harm, Hidden, harm};
use crate::life::gate::{Gate, Position};
use crate::play::{Life, Quota, Sight, live};
use crate::scenario::RESYNC;
use crate::search::{SEED, prelude};
use crate::story::{Story, beginning};
use crate::threads;
use crate::world::World;

pub use table::table;

/// Each of these stories under each kind of fault, in this order, played on all processors.
pub fn rows(stories: &[&'static Story]) -> Vec<Row> {
    let all: Vec<_> = stories.iter().flat_map(|story| Befalls::ALL.map(|befalls| (*story, befalls))).collect();
    threads::each(&all, threads::all(), |(story, befalls)| Row::played(story, *befalls))
}

/// What befalls a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Befalls {
    /// Nothing: what the others are compared with.
    Nothing,
    /// Every tenth call to AWS is throttled.
    Throttling,
    /// The first reply to each request is lost after its effect, to AWS, git or Kubernetes.
    LostReplies,
    /// 10, 15 or 25 percent of AWS's rates are left, because others use the rest.
    Scarcity,
    /// Every read of AWS shows what was twenty seconds ago.
    OldReads,
    /// Every read of AWS and every list of Kubernetes is fresh or old, in any order.
    WaveringReads,
    /// AWS denies every read for ten minutes.
    DeniedReads,
    /// AWS answers every call with its own internal error for ten minutes.
    Outage,
}

impl Befalls {
    /// All of them, nothing first.
    pub const ALL: [Befalls; 8] = [
        Befalls::Nothing,
        Befalls::Throttling,
        Befalls::Scarcity,
        Befalls::LostReplies,
        Befalls::OldReads,
        Befalls::WaveringReads,
        Befalls::DeniedReads,
        Befalls::Outage,
    ];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Befalls::Nothing => "none",
            Befalls::Throttling => "every 10th call throttled",
            Befalls::LostReplies => "every reply lost once",
            Befalls::Scarcity => "10 to 25 % of AWS's rates left",
            Befalls::OldReads => "every read 20 s old",
            Befalls::WaveringReads => "reads 0 to 20 s old in any order",
            Befalls::DeniedReads => "AccessDenied on reads for 10 min",
            Befalls::Outage => "5xx for 10 min",
        }
    }

    /// Lets it begin.
    fn begin(self, world: &World, gate: &Gate) {
        let begins = world.now() + BEGINS;
        let lasting = || When::Between(begins, begins + LASTS);
        let mut aws = world.aws();
        match self {
            Befalls::Nothing | Befalls::Scarcity | Befalls::WaveringReads => {}
            Befalls::Throttling => aws.faults.add("*", When::EveryNth(10), Fault::Throttle),
            Befalls::LostReplies => lose_replies(gate),
            Befalls::OldReads => aws.faults.add("*", When::Always, Fault::StaleReads { older_by: OLD }),
            Befalls::DeniedReads => {
                READS.iter().for_each(|reads| aws.faults.add(reads, lasting(), Fault::Deny));
            }
            Befalls::Outage => aws.faults.add("*", lasting(), Fault::Error5xx),
        }
    }

    /// What a life sees of AWS and Kubernetes meanwhile, and how much of AWS's rates is left for it.
    fn life(self) -> (Sight, Quota) {
        match self {
            Befalls::Scarcity => (Sight::Fresh, Quota::Scarce),
            Befalls::WaveringReads => (Sight::Wavering, Quota::Whole),
            Befalls::Nothing
            | Befalls::Throttling
            | Befalls::LostReplies
            | Befalls::OldReads
            | Befalls::DeniedReads
            | Befalls::Outage => (Sight::Fresh, Quota::Whole),
        }
    }

    /// What AWS may hide from the life.
    fn hidden(self) -> Hidden {
        match self {
            Befalls::OldReads | Befalls::WaveringReads => Hidden::Revision,
            Befalls::Nothing
            | Befalls::Throttling
            | Befalls::Scarcity
            | Befalls::LostReplies
            | Befalls::DeniedReads
            | Befalls::Outage => Hidden::Nothing,
        }
    }
}

/// When a fault begins that lasts: after the first look at everything, before the first build has ended.
const BEGINS: SignedDuration = SignedDuration::from_secs(20);
/// How long it lasts.
const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// How old old reads are.
const OLD: Duration = Duration::from_secs(20);
/// The operations that only look.
const READS: [&str; 4] = ["*:Describe*", "*:List*", "*:BatchGet*", "*:Get*"];

fn lose_replies(gate: &Gate) {
    let mut lost = HashSet::new();
    gate.strike(move |request| lost.insert((request.name.clone(), request.content)).then_some(Position::Reset));
}

/// What came of a story under what befell it.
pub struct Row {
    /// The story.
    pub story: &'static str,
    /// What befell it.
    pub befalls: Befalls,
    /// From the story's beginning until nothing was written any more, in virtual minutes.
    pub minutes: f64,
    /// How often each operation of AWS was called until then.
    pub calls: BTreeMap<String, usize>,
    /// The harm.
    pub harm: Vec<Harm>,
    /// How often each object's `Ready` turned from True to something else.
    pub unready: BTreeMap<String, usize>,
}

impl Row {
    /// Plays a story under what befalls it.
    pub fn played(story: &'static Story, befalls: Befalls) -> Row {
        let world = beginning(prelude(story).as_ref(), SEED);
        let (began, version, logged) = (world.now(), world.store.version(), world.aws().log.len());
        let gate = Gate::new(&world.time);
        befalls.begin(&world, &gate);
        let (sight, quota) = befalls.life();
        let end = live(&Life { sight, quota, seed: SEED, resync: RESYNC, ..Life::whole(story, &world, &gate) });
        let last = world.last_write();
        let mut calls = BTreeMap::new();
        for entry in world.aws().log[logged..].iter().filter(|entry| entry.at <= last) {
            *calls.entry(format!("{}:{}", entry.service, entry.operation)).or_default() += 1;
        }
        Row {
            story: story.name,
            befalls,
            minutes: last.duration_since(began).as_secs_f64() / 60.0,
            calls,
            harm: harm(story, &world, &end, befalls.hidden()),
            unready: unready(&world, version),
        }
    }

    /// The objects that were made unready more often than in `other`.
    pub fn unready_beyond<'a>(&'a self, other: &'a Row) -> impl Iterator<Item = &'a str> {
        let beyond = |(object, times): &(&String, &usize)| other.unready.get(*object).is_none_or(|there| there < times);
        let beyond = self.unready.iter().filter(beyond).map(|(object, _)| object.as_str());
        beyond.filter(|object| !TOLD_ON.contains(&(self.story, object)))
    }
}

/// Who may be made unready because another object of the story really fails: undisturbed, that is over before it is told on.
const TOLD_ON: [(&str, &str); 1] = [("a secret that is missing", "Release greeter-1")];

/// How often each object's `Ready` turned from True to something else, in the writes after a version.
fn unready(world: &World, version: u64) -> BTreeMap<String, usize> {
    let mut ready: BTreeMap<String, bool> = BTreeMap::new();
    let mut turns = BTreeMap::new();
    for write in world.store.writes() {
        let conditions = write.object.value()["status"]["conditions"].as_array();
        let is_ready = conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True");
        let object = format!("{} {}", write.kind, write.name);
        let was_ready = ready.insert(object.clone(), is_ready).unwrap_or_default();
        if was_ready && !is_ready && write.resource_version > version {
            *turns.entry(object).or_default() += 1;
        }
    }
    turns
}
