//! What a day of merges came to, counted by what AWS and Kubernetes hold.

use std::collections::{BTreeMap, BTreeSet};

use super::{Day, Seen, lived, merge, world};
use crate::harm;
use crate::scenario::Player;
use crate::world::{World, released_commit, sample};

/// How the commits of a day ended, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Released through every stage.
    pub released: usize,
    /// Left out for a newer commit before they were built.
    pub left_out: usize,
    /// Left out for a newer commit, their builds stopped.
    pub stopped: usize,
    /// Built, and left out for a newer commit before a stage.
    pub overtaken: usize,
}

/// What came of a day.
pub struct Row {
    /// How it was played.
    pub day: Day,
    /// How its commits ended.
    pub fates: Fates,
    /// Commits of which nothing says what became of them, and those that failed.
    pub lost: Vec<String>,
    /// Commits that were built twice.
    pub twice: Vec<String>,
    /// What is wrong at the end, if not the newest commit alone runs.
    pub end: Vec<String>,
    /// How old what runs in the last stage is, on average and at worst, in minutes.
    pub age: (f64, f64),
    /// From a push until that commit runs alone in the last stage, on average and at worst, in minutes.
    pub took: (f64, f64),
    /// Calls to AWS in the day.
    pub calls: usize,
    /// Writes to Kubernetes in the day, Events too.
    pub writes: usize,
    /// From the day's end until nothing is left to do, in minutes.
    pub rest: f64,
}

/// The average and the most; nothing of nothing.
fn spread(all: &[f64]) -> (f64, f64) {
    let count = f64::from(u32::try_from(all.len()).unwrap_or(u32::MAX)).max(1.0);
    (all.iter().sum::<f64>() / count, all.iter().copied().fold(0.0, f64::max))
}

impl Row {
    /// Plays a day.
    pub fn played(day: Day) -> Row {
        let mut player = Player::new(world(day));
        let seen = lived(&mut player, day);
        let world = &player.world;
        let (fates, lost) = fates(world, day);
        let took = |(commit, at): (&String, &jiff::Timestamp)| {
            seen.pushed.get(commit).map(|pushed| at.duration_since(*pushed).as_secs_f64() / 60.0)
        };
        let took: Vec<f64> = seen.ran.iter().filter_map(took).collect();
        Row {
            day,
            fates,
            lost,
            twice: harm::builds(world),
            end: end(world, day, &seen),
            age: spread(&seen.ages),
            took: spread(&took),
            calls: seen.asked.aws,
            writes: seen.asked.kube,
            rest: seen.rest.map_or(f64::INFINITY, |rest| rest.as_secs_f64() / 60.0),
        }
    }

    /// What is wrong with it, a line for each thing.
    pub fn wrong(&self) -> Vec<String> {
        let Day { mode, limit, build, .. } = self.day;
        let all = self.lost.iter().chain(&self.twice).chain(&self.end);
        all.map(|what| format!("{mode}, limit {limit}, builds of {build} minutes: {what}")).collect()
    }
}

fn end(world: &World, day: Day, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    for service in sample::SERVICES {
        let runs = world.running(service);
        if runs != [merge(day.commits)] {
            wrong.push(format!("{service} runs {runs:?} at the end, not the newest commit alone"));
        }
    }
    if seen.rest.is_none() {
        wrong.push("it never came to its end".to_owned());
    }
    wrong
}

/// What a Release last said: its phase, and the reason and the message of its condition Ready.
struct Last {
    phase: String,
    says: bool,
}

fn last_words(world: &World) -> BTreeMap<String, Last> {
    let mut last = BTreeMap::new();
    for write in world.store.writes().iter().filter(|write| &*write.kind == "Release") {
        let status = &write.object.value()["status"];
        let ready = status["conditions"].as_array().into_iter().flatten().find(|one| one["type"] == "Ready");
        let is_said =
            |field: &str| ready.is_some_and(|ready| ready[field].as_str().is_some_and(|text| !text.is_empty()));
        let phase = status["phase"].as_str().unwrap_or("Unbegun").to_owned();
        let words = Last { phase, says: is_said("reason") && is_said("message") };
        last.insert(released_commit(&write.object).to_owned(), words);
    }
    last
}

/// How the commits ended, and which of them did not come to an end of which anything tells.
fn fates(world: &World, day: Day) -> (Fates, Vec<String>) {
    let (last, mut fates, mut lost) = (last_words(world), Fates::default(), Vec::new());
    let builds = world.builds();
    let images = || builds.iter().filter(|build| build.project == sample::BUILD);
    let built: BTreeSet<&str> = images().filter_map(|build| build.source_version.as_deref()).collect();
    let stopped: BTreeSet<&str> = images()
        .filter(|build| build.status() == "STOPPED")
        .filter_map(|build| build.source_version.as_deref())
        .collect();
    for number in 1..=day.commits {
        let commit = merge(number);
        let Some(words) = last.get(&commit) else {
            lost.push(format!("commit {number} has no Release, and nothing says why"));
            continue;
        };
        if !words.says {
            lost.push(format!("commit {number} is {} and does not say why", words.phase));
        }
        match words.phase.as_str() {
            "Succeeded" => fates.released += 1,
            "Superseded" if stopped.contains(&*commit) => fates.stopped += 1,
            "Superseded" if built.contains(&*commit) => fates.overtaken += 1,
            "Superseded" => fates.left_out += 1,
            other => lost.push(format!("commit {number} ended {other}")),
        }
    }
    (fates, lost)
}
