//! A story: a world, a script of what people do in it, and a judge of how it must end. Who plays it is in `play`.

mod builds;
mod paths;
mod people;
mod releases;
mod services;
mod several;
mod statuses;
mod trouble;
mod upgrade;

use jiff::SignedDuration;

pub use upgrade::{FLEET, HEAD};

use crate::world::{Snapshot, World, sample};

/// A story.
#[derive(Clone, Copy)]
pub struct Story {
    /// Its name, as tables show it.
    pub name: &'static str,
    /// What was before it begins.
    pub after: After,
    /// What people do, in this order.
    pub script: &'static [Step],
    /// The commits that each ECS service may run, in the order in which it may.
    pub order: &'static [&'static str],
    /// What is wrong with the world at the end.
    pub judge: fn(&World) -> Vec<String>,
}

/// What was before a story begins.
#[derive(Clone, Copy)]
pub enum After {
    /// Nothing: the account is empty.
    Nothing,
    /// Another story, which has come to its end.
    Story(&'static Story),
    /// An earlier version of Launchway, whose world was recorded.
    EarlierVersion,
}

/// Something that people do.
#[derive(Clone, Copy)]
pub struct Step {
    /// What it is, for people.
    pub name: &'static str,
    /// When it is done: as soon as the world is so.
    pub when: fn(&World) -> bool,
    /// So many seconds later.
    pub later: i64,
    /// What is done.
    pub act: fn(&World),
}

/// All stories.
pub const STORIES: &[&Story] = &[
    &releases::FIRST,
    &builds::NEWER_COMMIT,
    &builds::BUSY,
    &builds::QUEUE,
    &builds::BY_HAND,
    &builds::FAILING_BUILD,
    &releases::ROLLED_BACK,
    &people::MANUAL,
    &people::DELETION,
    &builds::LEFT,
    &builds::FAULT,
    &builds::EDITED,
    &builds::ELSEWHERE,
    &several::TWO,
    &paths::FOLDER,
    &statuses::STATUSES,
    &people::SUSPEND,
    &people::WIPED,
    &services::RICH,
    &services::ADJUSTED,
    &services::MOVED,
    &services::HANDED_OVER,
    &services::RESTARTED,
    &trouble::DELETED,
    &trouble::TASKS,
    &trouble::SECRET,
    &trouble::SILENT,
    &trouble::FORCED,
    &trouble::DENIED,
    &upgrade::UPGRADE,
];

impl Story {
    /// The story of that name.
    pub fn named(name: &str) -> Option<&'static Story> {
        STORIES.iter().copied().find(|story| story.name == name)
    }

    /// Takes the next steps of the script that are due, and says when the next one will be, if that is known.
    pub fn play(&self, world: &World) -> Option<jiff::Timestamp> {
        loop {
            let (done, armed) = {
                let progress = world.progress();
                (progress.done, progress.armed)
            };
            let step = self.script.get(done)?;
            let due = match armed {
                Some(due) => due,
                None if (step.when)(world) => world.now() + SignedDuration::from_secs(step.later),
                None => return None,
            };
            world.progress().armed = Some(due);
            if world.now() < due {
                return Some(due);
            }
            (step.act)(world);
            let mut progress = world.progress();
            (progress.done, progress.armed) = (done + 1, None);
            progress.fresh.push(world.now());
        }
    }

    /// The step that the script waits for; none: it is over.
    pub fn awaited(&self, world: &World) -> Option<&'static str> {
        self.script.get(world.progress().done).map(|step| step.name)
    }
}

/// The world in which a story begins: of a snapshot of the story before it, or empty.
pub fn beginning(before: Option<&Snapshot>, seed: u64) -> World {
    match before {
        None => sample::world(seed),
        Some(snapshot) => {
            let world = World::fork(snapshot);
            let mut progress = world.progress();
            (progress.done, progress.armed, progress.busiest) = (0, None, (0, String::new()));
            drop(progress);
            world
        }
    }
}

fn always(_: &World) -> bool {
    true
}

/// Everything is applied, with a commit that goes well.
const BEGIN: Step = Step {
    name: "the manifests are applied",
    when: always,
    later: 0,
    act: |world| {
        sample::push(world, "good-1");
        sample::apply(world);
    },
};

/// The branch is looked at once a day from now on, so that the day in which nothing may happen costs little.
const RARELY: Step = Step {
    name: "the branch is looked at daily",
    when: settled,
    later: 60,
    act: |world| world.edit("Pipeline", sample::PIPELINE, |spec| spec["source"]["git"]["interval"] = "24h".into()),
};

/// A second good commit comes after a first release.
const SECOND_COMMIT: Step =
    Step { name: "a second commit is pushed", when: always, later: 0, act: |world| push_again(world, "good-2") };

/// Pushes another commit, and has the branch looked at often again: [`RARELY`] left it at once a day.
fn push_again(world: &World, commit: &str) {
    sample::push(world, commit);
    world.edit("Pipeline", sample::PIPELINE, |spec| spec["source"]["git"]["interval"] = "2m".into());
}

/// Whether the newest Release has come to an end, and the Pipeline has said so.
fn settled(world: &World) -> bool {
    let head = world.git.head(sample::URL, "main").unwrap_or_default();
    let releases = world.store.objects("Release");
    let is_head = |release: &launchway_test_kube::store::Object| release.value()["spec"]["commit"] == *head;
    let over = |release: &launchway_test_kube::store::Object| {
        release.value()["status"]["phase"].as_str().is_some_and(|phase| phase != "Active")
    };
    releases.iter().any(|release| is_head(release))
        && releases.iter().all(|release| over(release))
        && !world.is("Pipeline", sample::PIPELINE, "Released", "Unknown")
}

/// What is said of objects at the end: `(kind, name, condition, status, reason)`; an empty reason is any.
type Said = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Which conditions are not as they should be.
fn unsaid(world: &World, expected: &[Said]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (kind, name, condition, status, reason) in expected {
        let (is, because, message) = world.said(kind, name, condition);
        if is != *status || (!reason.is_empty() && because != *reason) {
            wrong.push(format!("{kind} {name}: {condition} is {is} {because} ({message}), not {status} {reason}"));
        }
    }
    wrong
}

/// What an ECS service should run and does not.
fn unrun(world: &World, service: &str, commit: &str) -> Vec<String> {
    let (running, wanted) = (world.running(service), sample::commit(commit));
    if running == [wanted] { Vec::new() } else { vec![format!("{service} runs {running:?}, not {commit} alone")] }
}

/// What is wrong if both stages should run a commit.
fn both_run(world: &World, commit: &str) -> Vec<String> {
    sample::SERVICES.iter().flat_map(|service| unrun(world, service, commit)).collect()
}
