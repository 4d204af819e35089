//! How an outage is played: requests are lost on their way at the gate, so that AWS knows nothing of them.

use jiff::Timestamp;

use super::{Outage, Reach, Undisturbed, Way, starts_a_build};
use crate::life::gate::{Gate, Position, Request};
use crate::play::{End, Life, Sight, live};
use crate::search::SEED;
use crate::story::{Story, beginning};
use crate::world::World;

impl Reach {
    /// Whether a request is one to what cannot be reached. Those to Kubernetes and to git remotes have a method before a space.
    fn concerns(self, request: &Request) -> bool {
        let service = request.name.split_once(':').filter(|_| !request.name.contains(' ')).map(|(service, _)| service);
        match self {
            Reach::CodeBuild => service == Some("codebuild"),
            Reach::Aws => service.is_some(),
        }
    }
}

/// Plays a story with an outage to its end; when the outage is over.
pub(super) fn played(undisturbed: &Undisturbed, outage: &Outage) -> (World, End, Timestamp) {
    let start = &undisturbed.starts[outage.at];
    match outage.way {
        Way::Unsent => lived(undisturbed, outage, Position::Unsent),
        Way::Unheard => lived(undisturbed, outage, Position::Reset),
        Way::Restarted => restarted(undisturbed.story, outage, World::fork(&start.after)),
        Way::CutUnsent => absent(undisturbed.story, outage, World::fork(&start.before)),
        Way::CutUnheard => absent(undisturbed.story, outage, World::fork(&start.after)),
    }
}

/// One life from the story's beginning.
fn lived(undisturbed: &Undisturbed, outage: &Outage, first: Position) -> (World, End, Timestamp) {
    let world = beginning(undisturbed.before.as_ref(), SEED);
    let gate = Gate::new(&world.time);
    let (seen, outage_at) = (world.clone(), *outage);
    let mut started = 0;
    gate.strike(move |request| {
        let befallen = seen.progress().befallen;
        if befallen.is_none() && starts_a_build(request) {
            started += 1;
            if started > outage_at.at {
                seen.progress().befallen = Some(seen.now() + outage_at.length);
                return Some(first);
            }
        }
        befallen.filter(|over| seen.now() < *over && outage_at.reach.concerns(request)).map(|_| Position::Unsent)
    });
    let end = live(&Life { seed: SEED, sight: outage.sight, ..Life::whole(undisturbed.story, &world, &gate) });
    let over = world.progress().befallen;
    assert!(over.is_some(), "{}: no outage began", undisturbed.story.name);
    (world, end, over.unwrap_or_default())
}

/// Another life that begins at once, in the outage.
fn restarted(story: &Story, outage: &Outage, world: World) -> (World, End, Timestamp) {
    let (over, reach) = (world.now() + outage.length, outage.reach);
    world.progress().befallen = Some(over);
    let (gate, seen) = (Gate::new(&world.time), world.clone());
    gate.strike(move |request| (seen.now() < over && reach.concerns(request)).then_some(Position::Unsent));
    let end = live(&life(story, &world, &gate, outage.sight));
    (world, end, over)
}

/// Another life that begins after the outage; until then there is none.
fn absent(story: &Story, outage: &Outage, world: World) -> (World, End, Timestamp) {
    world.time.pass(outage.length);
    let (gate, over) = (Gate::new(&world.time), world.now());
    world.progress().befallen = Some(over);
    let end = live(&life(story, &world, &gate, outage.sight));
    (world, end, over)
}

fn life<'a>(story: &'a Story, world: &'a World, gate: &'a Gate, sight: Sight) -> Life<'a> {
    Life { seed: SEED, sight, ..Life::whole(story, world, gate) }
}
