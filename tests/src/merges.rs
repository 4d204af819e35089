//! A day of merges: every ten minutes a commit, for 24 hours, by each mode of concurrency and with builds that are faster
//! and slower than that. What was built, what was left out and said so, how old what runs is, and what it all costs.

mod count;
pub mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use launchway_test_aws::codebuild::{PhaseSeconds, Stories};
use serde_json::json;

use crate::git::commit_id;
use crate::life::gate::{Moment, Nature};
use crate::scenario::Player;
use crate::search::SEED;
use crate::threads;
use crate::world::{World, sample};

pub use count::{Fates, Row};

/// How many commits there are in a day.
pub const COMMITS: usize = 144;
/// From one to the next, in minutes.
const APART: usize = 10;
/// In this time everything that waits is through, whatever the mode.
const PATIENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How a day is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// `spec.concurrency.mode`.
    pub mode: &'static str,
    /// `spec.concurrency.limit`.
    pub limit: usize,
    /// How long a build takes, in minutes.
    pub build: u32,
    /// How many commits there are.
    pub commits: usize,
}

/// Modes, each with a limit.
const MODES: [(&str, usize); 5] = [("Newest", 1), ("Newest", 3), ("Supersede", 1), ("Queue", 1), ("Queue", 3)];

impl Day {
    /// All days: each mode with builds of 4, 9 and 25 minutes.
    pub fn all() -> Vec<Day> {
        let builds = [4, 9, 25].into_iter();
        builds.flat_map(|build| MODES.map(|(mode, limit)| Day { mode, limit, build, commits: COMMITS })).collect()
    }
}

/// Plays these days.
pub fn rows(days: &[Day], threads: usize) -> Vec<Row> {
    threads::each(days, threads, |day| Row::played(*day))
}

/// The commit of that number, from 1.
fn merge(number: usize) -> String {
    commit_id(&format!("merge-{number}"))
}

/// The world of the sample with builds that take so long.
fn world(day: Day) -> World {
    let world = sample::world(SEED);
    let mut aws = world.aws();
    let builds = aws.codebuild.entry(sample::place()).or_default();
    builds.stories = Stories::new(move |build| {
        let fate = sample::fate(build);
        if build.project == sample::BUILD { fate.taking(PhaseSeconds::only_build(60 * day.build)) } else { fate }
    });
    aws.keep_snapshots();
    drop(aws);
    world
}

/// What was asked while a day went by.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    aws: usize,
    kube: usize,
}

/// What was seen of a day while it went by.
struct Seen {
    /// When each commit was pushed.
    pushed: BTreeMap<String, Timestamp>,
    /// When each commit ran in the last stage alone for the first time.
    ran: BTreeMap<String, Timestamp>,
    /// How old the commit was that ran in the last stage, minute by minute.
    ages: Vec<f64>,
    /// What was asked until the day was over.
    asked: Asked,
    /// How long it took after the day until nothing was left to do; absent: too long.
    rest: Option<SignedDuration>,
}

/// Lets a day go by, and the time until nothing is left to do.
fn lived(player: &mut Player, day: Day) -> Seen {
    let asked: Arc<Mutex<Asked>> = Arc::default();
    let counter = asked.clone();
    player.gate.record(move |moment, request| {
        let mut asked = counter.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of_aws = !request.name.contains(' ');
        asked.aws += usize::from(moment == Moment::Before && is_of_aws);
        let writes = request.nature == Nature::Change && !is_of_aws;
        asked.kube += usize::from(moment == Moment::Before && writes);
    });
    let none = Asked::default();
    let mut seen = Seen { pushed: BTreeMap::new(), ran: BTreeMap::new(), ages: Vec::new(), asked: none, rest: None };
    for number in 1..=day.commits {
        player.world.git.push(sample::URL, "main", &merge(number));
        seen.pushed.insert(merge(number), player.world.now());
        if number == 1 {
            applied(&player.world, day);
        }
        for _ in 0..APART {
            player.advance(SignedDuration::from_mins(1));
            seen.look(&player.world, true);
        }
    }
    seen.asked = *asked.lock().unwrap_or_else(PoisonError::into_inner);
    let over = player.world.now();
    while player.world.now() < over + PATIENCE && !is_over(&player.world) {
        player.advance(SignedDuration::from_mins(1));
        seen.look(&player.world, false);
    }
    seen.rest = is_over(&player.world).then(|| player.world.now().duration_since(over));
    seen
}

fn applied(world: &World, day: Day) {
    sample::apply(world);
    world.edit("Pipeline", sample::PIPELINE, |spec| {
        spec["concurrency"] = json!({"mode": day.mode, "limit": day.limit});
        spec["build"]["codeBuild"]["timeout"] = "1h".into();
    });
}

/// Whether no Release is under way, and the head has one.
fn is_over(world: &World) -> bool {
    let head = world.git.head(sample::URL, "main").unwrap_or_default();
    let releases = world.store.objects("Release");
    let is_ended = |phase: &serde_json::Value| phase.as_str().is_some_and(|phase| phase != "Active");
    releases.iter().any(|release| release.value()["spec"]["commit"] == *head)
        && releases.iter().all(|release| is_ended(&release.value()["status"]["phase"]))
}

impl Seen {
    /// Looks at what runs in the last stage.
    fn look(&mut self, world: &World, is_day: bool) {
        let runs = world.running(sample::SERVICES[1]);
        let oldest = runs.iter().filter_map(|commit| self.pushed.get(commit)).min();
        if let Some(since) = oldest.filter(|_| is_day) {
            self.ages.push(world.now().duration_since(*since).as_secs_f64() / 60.0);
        }
        if let [alone] = runs.as_slice() {
            self.ran.entry(alone.clone()).or_insert_with(|| world.now());
        }
    }
}
