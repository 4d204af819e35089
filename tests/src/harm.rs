//! What went wrong in a world, counted by what AWS and the API server hold and by their own logs. What the controller
//! believes, and the marks that it puts on things, count for nothing here, but for the grants that it published.

mod asked;
mod content;
mod effects;
mod refused;
mod rollouts;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use launchway_test_kube::store::Write;

use crate::play::End;
use crate::story::Story;
use crate::world::World;

pub use effects::builds;

/// A kind of harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A commit built twice in a project without a reason.
    Builds,
    /// A service created twice, or for nobody.
    Services,
    /// Two revisions of a family that say the same.
    Revisions,
    /// ECS asked twice for the same.
    Updates,
    /// A grant that fell.
    Grants,
    /// A head that was seen, and has neither a Release nor a reason for that.
    Heads,
    /// What failed or runs, rolled again under the same grant.
    Rerolls,
    /// A service went back to a commit that was left behind.
    Backwards,
    /// The image that a build left which did not succeed, rolled.
    Left,
    /// Success claimed for a commit that does not run.
    Claims,
    /// A call that was refused, made again before its back-off was due.
    Early,
    /// An effect for an object that is gone.
    Gone,
    /// The end is not as it should be, or there is none.
    End,
    /// A pass that panicked, or an object that spins.
    Spins,
}

impl Kind {
    /// All kinds, in the order of the table's columns.
    pub const ALL: [Kind; 14] = [
        Kind::Builds,
        Kind::Services,
        Kind::Revisions,
        Kind::Updates,
        Kind::Grants,
        Kind::Heads,
        Kind::Rerolls,
        Kind::Backwards,
        Kind::Left,
        Kind::Claims,
        Kind::Early,
        Kind::Gone,
        Kind::End,
        Kind::Spins,
    ];

    /// The column's head.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Builds => "builds",
            Kind::Services => "services",
            Kind::Revisions => "revisions",
            Kind::Updates => "updates",
            Kind::Grants => "grants",
            Kind::Heads => "heads",
            Kind::Rerolls => "re-rolls",
            Kind::Backwards => "backwards",
            Kind::Left => "left images",
            Kind::Claims => "claims",
            Kind::Early => "early",
            Kind::Gone => "gone",
            Kind::End => "end",
            Kind::Spins => "spins",
        }
    }
}

/// Harm that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harm {
    /// Its kind.
    pub kind: Kind,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Harm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.what)
    }
}

/// What AWS hid from a life, so that it may have done once more what was done already. Nothing comes of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Nothing.
    Nothing,
    /// A task definition, perhaps: a second one that says the same may be registered.
    Revision,
    /// Also an effect that an earlier life made, and was cut before it could write it down: ECS may be asked for the same
    /// once more. It starts nothing for that; if it did, it would be a re-roll.
    Effect,
}

/// More passes over one object in a virtual minute than this is spinning: a pass for each write, and some.
const SPINNING: usize = 60;

/// All harm in a world after a story.
pub fn harm(story: &Story, world: &World, end: &End, hidden: Hidden) -> Vec<Harm> {
    let mut found = Vec::new();
    let mut add = |kind: Kind, all: Vec<String>| found.extend(all.into_iter().map(|what| Harm { kind, what }));
    add(Kind::Builds, effects::builds(world));
    add(Kind::Services, effects::services(world));
    add(Kind::Revisions, effects::revisions(world, hidden));
    add(Kind::Updates, asked::twice(world, hidden));
    add(Kind::Grants, grants(&world.store.writes()));
    add(Kind::Heads, heads(world));
    add(Kind::Rerolls, rollouts::rerolls(world));
    add(Kind::Backwards, rollouts::backwards(world, story.order));
    add(Kind::Left, rollouts::left(world));
    add(Kind::Claims, claims(world));
    add(Kind::Early, refused::early(world));
    add(Kind::Gone, effects::gone(world));
    add(Kind::End, ending(story, world, end));
    add(Kind::Spins, spins(world));
    found
}

/// Grants that fell, in the statuses of Pipelines and of Services, in the order in which they were written. A status
/// that was wiped says nothing.
fn grants(writes: &[std::sync::Arc<Write>]) -> Vec<String> {
    let mut highest: BTreeMap<String, i64> = BTreeMap::new();
    let mut fell = Vec::new();
    for write in writes {
        let status = &write.object.value()["status"];
        let uid = write.object.meta("uid");
        let stages = status["stages"].as_array().filter(|_| &*write.kind == "Pipeline");
        let stages =
            stages.into_iter().flatten().map(|stage| (format!("{uid} {}", stage["name"]), &stage["grant"]["number"]));
        let rollout = (&*write.kind == "Service").then(|| (uid.to_owned(), &status["rollout"]["grant"]));
        for (whose, grant) in stages.chain(rollout) {
            let Some(grant) = content::number(grant) else { continue };
            let before = highest.entry(whose).or_insert(grant);
            if grant < *before {
                fell.push(format!("{} {}: from {before} to {grant}", write.kind, write.name));
            }
            *before = grant.max(*before);
        }
    }
    fell
}

fn heads(world: &World) -> Vec<String> {
    let released = world.released_commits();
    let writes = world.store.writes();
    let recorded = writes.iter().filter_map(|write| write.object.value()["status"]["passedOver"].as_array());
    let passed_over: BTreeSet<&str> = recorded.flatten().filter_map(|one| one["commit"].as_str()).collect();
    let is_known = |head: &String| released.contains(head) || passed_over.contains(head.as_str());
    let seen = world.progress().seen.clone();
    let lost = seen.into_iter().filter(|head| !is_known(head));
    lost.map(|head| format!("{head} has no Release, and nothing says why")).collect()
}

fn ending(story: &Story, world: &World, end: &End) -> Vec<String> {
    let mut wrong = (story.judge)(world);
    if let End::Restless(why) = end {
        wrong.push(why.clone());
    }
    if let Some(step) = story.awaited(world) {
        wrong.push(format!("the world never was so that {step}"));
    }
    wrong
}

/// A Pipeline that says at the end that a commit is released, while a service of its stages does not run it.
fn claims(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    for pipeline in world.store.objects("Pipeline") {
        let (name, value) = (pipeline.meta("name"), pipeline.value());
        if !world.is("Pipeline", name, "Released", "True") {
            continue;
        }
        let commit = value["status"]["summary"]["commit"].as_str().unwrap_or_default();
        let stages = value["spec"]["stages"].as_array().into_iter().flatten();
        let targets = stages.flat_map(|stage| stage["targets"].as_array().into_iter().flatten());
        for target in targets.filter_map(|target| target["service"].as_str()) {
            let runs = world.object("Service", target).map(|service| {
                let ecs = service.value()["spec"]["name"].as_str().unwrap_or(target).to_owned();
                world.running(&ecs)
            });
            if !runs.as_ref().is_some_and(|runs| runs.iter().any(|one| one.starts_with(commit))) {
                wrong.push(format!("{name} says that {commit} is released, and {target} runs {runs:?}"));
            }
        }
    }
    wrong
}

fn spins(world: &World) -> Vec<String> {
    let progress = world.progress();
    let (passes, what) = &progress.busiest;
    let spinning = (*passes > SPINNING).then(|| format!("{passes} passes over {what} in a minute"));
    progress.panics.iter().cloned().chain(spinning).collect()
}
