//! The points of a story: its requests, each with what may befall it, and how one is played.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;

use super::{Cut, SEED};
use crate::harm::{Harm, Hidden, harm};
use crate::life::gate::{Gate, Moment, Nature, Position, Request};
use crate::play::{End, Life, Quota, Sight, live};
use crate::story::{Story, beginning};
use crate::world::{Snapshot, State, World};

/// A request, the world before it, and the world after it where it changed anything.
type Kept = (Request, Snapshot, Option<Snapshot>);

/// A story that was played without a cut.
pub struct Reference {
    /// Its requests, each with the world before its effect and, if it changes anything, after it.
    pub requests: Vec<Kept>,
    /// What the story began with.
    before: Option<Snapshot>,
    /// The hash of its log.
    pub hash: String,
}

/// A point of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Which request, from 0.
    pub at: usize,
    /// What befalls it.
    pub position: Position,
    /// What the next life is shown at first.
    pub sight: Sight,
    /// How a life comes to its end, and another to its beginning.
    pub plan: Plan,
}

/// What a point's end depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The world at the cut, the time until the next life, and what that one is shown.
    World(State, i64, Sight),
    /// The whole life, and what befalls it.
    Life(usize, Position),
}

/// How long nobody lives after a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The next life begins so many seconds later.
    Down(i64),
    /// The life goes on.
    Lives,
}

/// A restart takes a second; a pod that is rescheduled takes twenty; one in which the last reply was lost takes longer
/// here than CodeBuild keeps a token, which is five minutes.
const fn plan(position: Position) -> Plan {
    match position {
        Position::BeforeSend => Plan::Down(20),
        Position::ReplyLost => Plan::Down(301),
        Position::AfterReply => Plan::Down(1),
        Position::Reset | Position::Unsent | Position::Asleep | Position::Paused => Plan::Lives,
    }
}

/// A life sleeps so long, while another one lives: longer than anybody keeps a token.
const SLEEP: SignedDuration = SignedDuration::from_mins(7);

/// A replica that stands by takes the lease so long after its holder renewed it for the last time.
const TAKEN_OVER: SignedDuration = SignedDuration::from_secs(15);

/// Plays a story without a cut and keeps the world at each request.
pub fn reference(story: &'static Story, before: Option<&Snapshot>) -> Reference {
    let world = beginning(before, SEED);
    let kept: Arc<Mutex<Vec<Kept>>> = Arc::default();
    let gate = Gate::new(&world.time);
    let (keeper, seen) = (kept.clone(), world.clone());
    gate.record(move |moment, request| {
        let mut kept = keeper.lock().unwrap_or_else(PoisonError::into_inner);
        match moment {
            Moment::Before => kept.push((request.clone(), seen.snapshot(), None)),
            Moment::After if request.nature == Nature::Change => {
                if let Some(last) = kept.last_mut() {
                    last.2 = Some(seen.snapshot());
                }
            }
            Moment::After => {}
        }
    });
    live(&Life { quota: Quota::Scarce, seed: SEED, ..Life::whole(story, &world, &gate) });
    let mut requests = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
    // After the last write there is nothing left to lose: one idle hour is enough to be cut in.
    let quiet = world.last_write() + SignedDuration::from_hours(1);
    requests.retain(|(_, before, _)| before.now() <= quiet);
    Reference { requests, before: before.cloned(), hash: world.log_hash() }
}

impl Reference {
    /// What the story began with; none: an empty account.
    pub fn before(&self) -> Option<&Snapshot> {
        self.before.as_ref()
    }

    /// All points: every request, cut in three positions with a fresh sight and with a stale one; every change once with
    /// its reply lost and the life going on; every change to Kubernetes by a life that slept before it; and every request that
    /// a change follows by a life that is paused between the two, and loses the lease.
    pub fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        for (at, (request, _, _)) in self.requests.iter().enumerate() {
            for sight in [Sight::Fresh, Sight::Stale] {
                for position in [Position::BeforeSend, Position::ReplyLost, Position::AfterReply] {
                    points.push(Point { at, position, sight, plan: plan(position) });
                }
            }
            if request.nature == Nature::Change {
                points.push(Point { at, position: Position::Reset, sight: Sight::Fresh, plan: Plan::Lives });
                if !request.name.contains(':') {
                    points.push(Point { at, position: Position::Asleep, sight: Sight::Fresh, plan: Plan::Lives });
                }
                if let Some(at) = at.checked_sub(1) {
                    points.push(Point { at, position: Position::Paused, sight: Sight::Fresh, plan: Plan::Lives });
                }
            }
        }
        points
    }
}

impl Point {
    /// The harm that is done if a life ends here.
    pub fn harm(&self, story: &'static Story, reference: &Reference) -> Vec<Harm> {
        let (world, end) = self.played(story, reference);
        let hidden = match self.sight {
            Sight::Fresh => Hidden::Nothing,
            Sight::Stale | Sight::Wavering => Hidden::Effect,
        };
        harm(story, &world, &end, hidden)
    }

    /// What the point's end depends on: points that agree in it end alike, because a look leaves no trace, and each life
    /// begins with as much of AWS's rates as its seed says.
    pub fn cause(&self, reference: &Reference) -> Cause {
        match self.plan {
            Plan::Lives => Cause::Life(self.at, self.position),
            Plan::Down(seconds) => Cause::World(self.at_cut(reference).state(), seconds, self.sight),
        }
    }

    fn at_cut<'a>(&self, reference: &'a Reference) -> &'a Snapshot {
        let (_, before, after) = &reference.requests[self.at];
        match self.position {
            Position::BeforeSend | Position::Unsent => before,
            Position::ReplyLost | Position::AfterReply => after.as_ref().unwrap_or(before),
            Position::Reset | Position::Asleep | Position::Paused => after.as_ref().unwrap_or(before),
        }
    }

    /// Plays the point to its end.
    pub fn played(&self, story: &'static Story, reference: &Reference) -> (World, End) {
        match self.plan {
            Plan::Down(seconds) => self.survived(story, reference, SignedDuration::from_secs(seconds)),
            Plan::Lives => self.lived(story, reference),
        }
    }

    /// The next life, from a copy of the world at the cut.
    fn survived(&self, story: &Story, reference: &Reference, down: SignedDuration) -> (World, End) {
        let cut = self.at_cut(reference);
        let world = World::fork(cut);
        world.time.pass(down);
        let gate = Gate::new(&world.time);
        let seed = cut.state().seed();
        let life = Life { sight: self.sight, quota: Quota::Scarce, seed, ..Life::whole(story, &world, &gate) };
        let end = live(&life);
        (world, end)
    }

    /// The same life from the beginning; it only loses this one reply, or sleeps before or after this one request. One that lost
    /// the lease is followed by another.
    fn lived(&self, story: &'static Story, reference: &Reference) -> (World, End) {
        let world = beginning(reference.before.as_ref(), SEED);
        let (gate, at) = (Gate::new(&world.time), self.at + 1);
        let (position, outer) = (self.position, world.clone());
        gate.strike(move |request| {
            if request.number != at {
                return None;
            }
            if position == Position::Asleep {
                others_live(story, &outer);
            }
            Some(position)
        });
        let other = world.clone();
        gate.while_paused(move || {
            other.time.pass(TAKEN_OVER);
            others_live(story, &other);
        });
        let life = |gate: &Gate| {
            live(&Life { sight: self.sight, quota: Quota::Scarce, seed: SEED, ..Life::whole(story, &world, gate) })
        };
        let mut end = life(&gate);
        if end == End::Lost {
            end = life(&Gate::new(&world.time));
        }
        (world, end)
    }

    /// Where it is.
    pub fn cut(&self, reference: &Reference) -> Cut {
        let request = reference.requests[self.at].0.clone();
        Cut { request, position: self.position, sight: self.sight }
    }
}

/// Another life, begun while the first sleeps, and ended before that one wakes. A thread of its own: one runtime cannot
/// be entered from within another.
fn others_live(story: &'static Story, world: &World) {
    let world = world.clone();
    let lived = std::thread::spawn(move || {
        let gate = Gate::new(&world.time);
        let until = Some(world.now() + SLEEP);
        live(&Life { until, ..Life::whole(story, &world, &gate) })
    });
    let _ = lived.join();
}
