//! The crash search: a story is played once without harm, and then again from each of its requests, with the life cut
//! there. A cut life leaves nothing but the world, so what comes after is played from a copy of the world at that request.
//! Then the whole story is played some times more, uncut, each time with other reads old and other calls throttled.

mod points;
pub mod table;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fleet;
use crate::harm::{Harm, Hidden, harm};
use crate::life::gate::{Gate, Position, Request};
use crate::play::{End, Life, Quota, Sight, live};
use crate::story::{After, Story, beginning};
use crate::threads;
use crate::world::{Snapshot, World};

pub use points::{Cause, Plan, Point, Reference, reference};

/// The seed of every search.
pub const SEED: u64 = 7;

/// How many whole lives with old reads each story is played with.
pub const LIVES: u64 = 24;

/// What came of a point.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The story.
    pub story: &'static str,
    /// What was done to a life.
    pub befell: Befell,
    /// The harm.
    pub harm: Vec<Harm>,
}

/// What was done to a life.
#[derive(Clone, Debug)]
pub enum Befell {
    /// Nothing but throttling.
    Nothing,
    /// It was cut or disturbed at a request.
    Cut(Cut),
    /// Its reads were old now and then, from its beginning to its end, by this seed.
    OldReads(u64),
}

/// Where a life was cut or disturbed.
#[derive(Clone, Debug)]
pub struct Cut {
    /// The request.
    pub request: Request,
    /// What befell it.
    pub position: Position,
    /// What the next life was shown at first.
    pub sight: Sight,
}

/// What a search goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every point.
    All,
    /// Each n-th point.
    Every(usize),
    /// Every point until one does harm.
    FirstHarm,
}

/// What came of a story's search.
pub struct Searched {
    /// The story.
    pub story: &'static str,
    /// How many requests it took without a cut.
    pub requests: usize,
    /// How many points were gone through.
    pub points: usize,
    /// How many of their worlds differ: the others are the same but for looks, and were played once.
    pub worlds: usize,
    /// How many of its calls to AWS were throttled without a cut.
    pub throttled: usize,
    /// The points that did harm.
    pub found: Vec<Finding>,
    /// The hash of its log, played without a cut, and played so once more.
    pub hashes: [String; 2],
}

impl Searched {
    /// Whether the same seed gave the same log, twice.
    pub fn replays(&self) -> bool {
        self.hashes[0] == self.hashes[1]
    }
}

/// Something to play.
enum Play<'a> {
    /// Points that end alike: one of them is played.
    Points(Vec<&'a Point>),
    /// A whole life with old reads, by this seed.
    Life(u64),
}

/// Searches a story. One that does harm by itself is not cut.
pub fn search(story: &'static Story, extent: Extent, threads: usize) -> Searched {
    let before = prelude(story);
    let uncut = beginning(before.as_ref(), SEED);
    let end = once(story, &uncut, Quota::Scarce);
    let harm = harm(story, &uncut, &end, Hidden::Nothing);
    let (hash, throttled) = (uncut.log_hash(), uncut.throttled());
    if !harm.is_empty() {
        let found = vec![Finding { story: story.name, befell: Befell::Nothing, harm }];
        let hashes = [hash.clone(), hash];
        return Searched { story: story.name, requests: 0, points: 0, worlds: 1, throttled, found, hashes };
    }
    let reference = reference(story, before.as_ref());
    let all = reference.points();
    let step = match extent {
        Extent::All | Extent::FirstHarm => 1,
        Extent::Every(n) => n.max(1),
    };
    let points: Vec<&Point> = all.iter().step_by(step).collect();
    let mut by_cause: BTreeMap<Cause, Vec<&Point>> = BTreeMap::new();
    for point in &points {
        by_cause.entry(point.cause(&reference)).or_default().push(point);
    }
    let mut worlds: Vec<Vec<&Point>> = by_cause.into_values().collect();
    worlds.sort_by_key(|alike| alike[0].at);
    let lives: Vec<u64> = (1..=LIVES).step_by(step).collect();
    let points = points.len() + lives.len();
    let plays = lives.into_iter().map(Play::Life).chain(worlds.into_iter().map(Play::Points));
    let plays: Vec<Play<'_>> = plays.collect();
    let found = played(story, &reference, &plays, extent, threads);
    let hashes = [reference.hash.clone(), hash];
    let (requests, worlds) = (reference.requests.len(), plays.len());
    Searched { story: story.name, requests, points, worlds, throttled, found, hashes }
}

/// The world with which a story begins; none: an empty account.
pub fn prelude(story: &'static Story) -> Option<Snapshot> {
    let before = match story.after {
        After::Nothing => return None,
        After::EarlierVersion => return Some(fleet::recorded().snapshot()),
        After::Story(before) => before,
    };
    let world = beginning(prelude(before).as_ref(), SEED);
    let end = once(before, &world, Quota::Whole);
    let harm = harm(before, &world, &end, Hidden::Nothing);
    assert!(harm.is_empty(), "{}, without any cut: {harm:?}", before.name);
    Some(world.snapshot())
}

/// Plays a story once, without a cut and with fresh reads.
pub fn once(story: &'static Story, world: &World, quota: Quota) -> End {
    let gate = Gate::new(&world.time);
    live(&Life { quota, seed: SEED, ..Life::whole(story, world, &gate) })
}

/// Plays a whole life with old reads, and says what harm came of it.
fn life(story: &'static Story, reference: &Reference, seed: u64) -> Vec<Harm> {
    let world = beginning(reference.before(), SEED);
    let gate = Gate::new(&world.time);
    let life = Life { sight: Sight::Wavering, quota: Quota::Scarce, seed, ..Life::whole(story, &world, &gate) };
    let end = live(&life);
    harm(story, &world, &end, Hidden::Revision)
}

fn played(
    story: &'static Story,
    reference: &Reference,
    plays: &[Play<'_>],
    extent: Extent,
    threads: usize,
) -> Vec<Finding> {
    let enough = AtomicBool::new(false);
    let found = threads::each(plays, threads, |play| {
        if enough.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let findings = play.findings(story, reference);
        enough.fetch_or(extent == Extent::FirstHarm && !findings.is_empty(), Ordering::Relaxed);
        findings
    });
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, finding)| finding).collect()
}

impl Play<'_> {
    /// What came of it, with the number of the request that it is about.
    fn findings(&self, story: &'static Story, reference: &Reference) -> Vec<(usize, Finding)> {
        let finding = |befell: Befell, harm: &[Harm]| Finding { story: story.name, befell, harm: harm.to_vec() };
        match self {
            Play::Points(alike) => {
                let harm = alike[0].harm(story, reference);
                let told = alike.iter().filter(|_| !harm.is_empty());
                told.map(|point| (point.at, finding(Befell::Cut(point.cut(reference)), &harm))).collect()
            }
            Play::Life(seed) => {
                let harm = life(story, reference, *seed);
                let told = Some(harm).filter(|harm| !harm.is_empty());
                told.map(|harm| (usize::MAX, finding(Befell::OldReads(*seed), &harm))).into_iter().collect()
            }
        }
    }
}
