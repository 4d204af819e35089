//! The crash search: a story is played once without harm, and then again from each of its requests, with the life cut
//! there. A cut life leaves nothing but the world, so what comes after is played from a copy of the world at that request.

mod points;
pub mod table;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::harm::{Harm, Revisions, harm};
use crate::life::gate::{Gate, Position, Request};
use crate::play::{End, Life, Sight, live};
use crate::story::{Story, beginning};
use crate::world::{Snapshot, World};

pub use points::{Cause, Plan, Point, Reference, reference};

/// The seed of every search.
pub const SEED: u64 = 7;

/// What came of a point.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The story.
    pub story: &'static str,
    /// Where a life was cut or disturbed; none: nothing was done to it.
    pub cut: Option<Cut>,
    /// The harm.
    pub harm: Vec<Harm>,
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

/// Searches a story. One that does harm by itself is not cut.
pub fn search(story: &'static Story, extent: Extent, threads: usize) -> Searched {
    let before = prelude(story);
    let uncut = beginning(before.as_ref(), SEED);
    let end = once(story, &uncut);
    let harm = harm(story, &uncut, &end, Revisions::One);
    let hash = uncut.log_hash();
    if !harm.is_empty() {
        let found = vec![Finding { story: story.name, cut: None, harm }];
        return Searched { story: story.name, requests: 0, points: 0, worlds: 1, found, hashes: [hash.clone(), hash] };
    }
    let reference = reference(story, before.as_ref());
    let all = reference.points();
    let points: Vec<&Point> = match extent {
        Extent::All | Extent::FirstHarm => all.iter().collect(),
        Extent::Every(n) => all.iter().step_by(n.max(1)).collect(),
    };
    let mut by_cause: BTreeMap<Cause, Vec<&Point>> = BTreeMap::new();
    for point in &points {
        by_cause.entry(point.cause(&reference)).or_default().push(point);
    }
    let mut worlds: Vec<Vec<&Point>> = by_cause.into_values().collect();
    worlds.sort_by_key(|alike| alike[0].at);
    let found = played(story, &reference, &worlds, extent, threads);
    let (requests, points) = (reference.requests.len(), points.len());
    let hashes = [reference.hash.clone(), hash];
    Searched { story: story.name, requests, points, worlds: worlds.len(), found, hashes }
}

/// The world at the end of the story before this one.
pub fn prelude(story: &'static Story) -> Option<Snapshot> {
    story.after.map(|before| {
        let world = beginning(prelude(before).as_ref(), SEED);
        let end = once(before, &world);
        let harm = harm(before, &world, &end, Revisions::One);
        assert!(harm.is_empty(), "{}, without any cut: {harm:?}", before.name);
        world.snapshot()
    })
}

/// Plays a story once, undisturbed.
pub fn once(story: &'static Story, world: &World) -> End {
    let gate = Gate::new(&world.time);
    live(&Life::whole(story, world, &gate))
}

fn played(
    story: &'static Story,
    reference: &Reference,
    worlds: &[Vec<&Point>],
    extent: Extent,
    threads: usize,
) -> Vec<Finding> {
    let next = AtomicUsize::new(0);
    let enough = AtomicBool::new(false);
    let found = Mutex::new(Vec::new());
    let work = || {
        while !enough.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(alike) = worlds.get(at) else { return };
            let harm = alike[0].harm(story, reference);
            if !harm.is_empty() {
                enough.fetch_or(extent == Extent::FirstHarm, Ordering::Relaxed);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.extend(alike.iter().map(|point| (point.at, point.finding(story, reference, harm.clone()))));
            }
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, finding)| finding).collect()
}
