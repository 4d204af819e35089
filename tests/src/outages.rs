//! Outages of AWS that begin at a StartBuild: every story that starts builds, at each of its builds, for a second up to more
//! than a day. What CodeBuild keeps of a call ends after five minutes, so outages end shortly before that and shortly after.

mod befall;
pub mod table;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::harm::{Harm, Hidden, Kind, harm};
use crate::life::gate::{Gate, Moment, Request};
use crate::play::{Life, Sight, live};
use crate::search::{SEED, prelude};
use crate::story::{Story, beginning};
use crate::threads;
use crate::world::{Snapshot, World, released_commit, sample};

/// How long outages last: CodeBuild keeps a token for five minutes.
pub const LENGTHS: [SignedDuration; 5] = [
    SignedDuration::from_secs(1),
    SignedDuration::from_secs(4 * 60 + 59),
    SignedDuration::from_secs(5 * 60 + 1),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(25),
];

/// What cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// CodeBuild alone.
    CodeBuild,
    /// All of AWS.
    Aws,
}

/// What becomes of the StartBuild with which an outage begins, and of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It does not arrive, and the process lives on.
    Unsent,
    /// It starts a build, the reply is lost, and the process lives on.
    Unheard,
    /// It starts a build, the process is cut off, and another one begins at once, in the outage.
    Restarted,
    /// It does not arrive, the process is cut off, and another one begins after the outage.
    CutUnsent,
    /// It starts a build, the process is cut off, and another one begins after the outage.
    CutUnheard,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 5] = [Way::Unsent, Way::Unheard, Way::Restarted, Way::CutUnsent, Way::CutUnheard];

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        match self {
            Way::Unsent => "it does not arrive",
            Way::Unheard => "its reply is lost",
            Way::Restarted => "its reply is lost, and another process begins in the outage",
            Way::CutUnsent => "it does not arrive, and another process begins after the outage",
            Way::CutUnheard => "its reply is lost, and another process begins after the outage",
        }
    }

    /// What may be out of reach, where that makes a difference: while nobody lives, nobody asks.
    fn reaches(self) -> &'static [Reach] {
        match self {
            Way::Unsent | Way::Unheard | Way::Restarted => &[Reach::CodeBuild, Reach::Aws],
            Way::CutUnsent | Way::CutUnheard => &[Reach::Aws],
        }
    }

    /// How old reads are where they are not fresh.
    fn sight(self) -> Sight {
        match self {
            Way::Unsent | Way::Unheard | Way::Restarted => Sight::Wavering,
            Way::CutUnsent | Way::CutUnheard => Sight::Stale,
        }
    }
}

/// An outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// With which StartBuild of the story it begins, from 0.
    pub at: usize,
    /// How long it lasts.
    pub length: SignedDuration,
    /// What cannot be reached.
    pub reach: Reach,
    /// What becomes of that call and of the process.
    pub way: Way,
    /// How old reads are.
    pub sight: Sight,
}

/// All outages of a story that starts so many builds.
fn outages(starts: usize) -> Vec<Outage> {
    let mut all = Vec::new();
    for at in 0..starts {
        for length in LENGTHS {
            for way in Way::ALL {
                for reach in way.reaches() {
                    let seen = |sight| Outage { at, length, reach: *reach, way, sight };
                    all.extend([seen(Sight::Fresh), seen(way.sight())]);
                }
            }
        }
    }
    all
}

/// A story as it goes without an outage, and the world around each of its StartBuilds.
pub struct Undisturbed {
    /// The story.
    pub story: &'static Story,
    before: Option<Snapshot>,
    starts: Vec<Start>,
    /// What became of each commit.
    ends: BTreeMap<String, Vec<String>>,
    /// When nothing was written any more.
    last: Timestamp,
}

/// The world before and after a StartBuild.
struct Start {
    before: Snapshot,
    after: Snapshot,
}

/// Whether a request starts a build.
fn starts_a_build(request: &Request) -> bool {
    request.name == "codebuild:StartBuild"
}

impl Undisturbed {
    /// Plays it.
    pub fn played(story: &'static Story) -> Undisturbed {
        let before = prelude(story);
        let world = beginning(before.as_ref(), SEED);
        let gate = Gate::new(&world.time);
        let kept: Arc<Mutex<(Option<Snapshot>, Vec<Start>)>> = Arc::default();
        let (keeper, seen) = (kept.clone(), world.clone());
        gate.record(move |moment, request| {
            if !starts_a_build(request) {
                return;
            }
            let mut kept = keeper.lock().unwrap_or_else(PoisonError::into_inner);
            match (moment, kept.0.take()) {
                (Moment::Before, _) => kept.0 = Some(seen.snapshot()),
                (Moment::After, Some(before)) => kept.1.push(Start { before, after: seen.snapshot() }),
                (Moment::After, None) => {}
            }
        });
        let end = live(&Life { seed: SEED, ..Life::whole(story, &world, &gate) });
        let harm = harm(story, &world, &end, Hidden::Nothing);
        assert!(harm.is_empty(), "{}, without an outage: {harm:?}", story.name);
        let starts = std::mem::take(&mut kept.lock().unwrap_or_else(PoisonError::into_inner).1);
        Undisturbed { story, before, starts, ends: ends(&world), last: world.last_write() }
    }

    /// How many builds it starts.
    pub fn starts(&self) -> usize {
        self.starts.len()
    }

    /// How long it takes from its first StartBuild to its end, in minutes.
    pub fn minutes(&self) -> f64 {
        self.starts.first().map_or(0.0, |start| minutes(start.before.now(), self.last))
    }
}

fn minutes(from: Timestamp, until: Timestamp) -> f64 {
    until.duration_since(from).as_secs_f64() / 60.0
}

/// What became of the Releases of each commit, by what they last said.
fn ends(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut last: BTreeMap<String, (String, String)> = BTreeMap::new();
    for write in world.store.writes().iter().filter(|write| &*write.kind == "Release") {
        let phase = write.object.value()["status"]["phase"].as_str().unwrap_or("Unbegun").to_owned();
        last.insert(write.object.meta("uid").to_owned(), (released_commit(&write.object).to_owned(), phase));
    }
    let mut ends: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (commit, phase) in last.into_values() {
        ends.entry(commit).or_default().push(phase);
    }
    ends
}

/// Commits that do not reach their end: without a Release and without a reason, not ended, or failed though undisturbed they
/// do not.
fn lost(world: &World, undisturbed: &Undisturbed) -> Vec<String> {
    let mut lost = Vec::new();
    let ends = ends(world);
    for (commit, phases) in &ends {
        let before: &[String] = undisturbed.ends.get(commit).map_or(&[], Vec::as_slice);
        let is_over = |phase: &String| ["Succeeded", "Failed", "Superseded", "Cancelled"].contains(&phase.as_str());
        let is_worse = |phase: &&String| !is_over(phase) || (*phase == "Failed" && !before.contains(phase));
        lost.extend(phases.iter().filter(is_worse).map(|phase| format!("{commit} is {phase} at the end")));
    }
    let is_of_branch =
        undisturbed.ends.keys().any(|commit| world.git.head(sample::URL, "main").as_ref() == Some(commit));
    let head = world.git.head(sample::URL, "main").filter(|head| is_of_branch && !ends.contains_key(head));
    lost.extend(head.map(|head| format!("{head} is the head, and has no Release")));
    lost
}

/// What came of a story with an outage.
pub struct Row {
    /// The story.
    pub story: &'static str,
    /// The outage.
    pub outage: Outage,
    /// Commits that were built twice.
    pub builds: Vec<Harm>,
    /// Commits that were lost.
    pub lost: Vec<String>,
    /// Any other harm.
    pub other: Vec<Harm>,
    /// From the end of the outage until nothing was written any more, in virtual minutes.
    pub minutes: f64,
}

/// Those of these stories that start builds, each undisturbed.
pub fn undisturbed(stories: &[&'static Story], threads: usize) -> Vec<Undisturbed> {
    let all = threads::each(stories, threads, |story| Undisturbed::played(story));
    all.into_iter().filter(|one| one.starts() > 0).collect()
}

/// Each n-th outage of these stories, one after the other.
pub fn rows(stories: &[Undisturbed], every: usize, threads: usize) -> Vec<Row> {
    let all = stories.iter().flat_map(|story| outages(story.starts()).into_iter().map(move |outage| (story, outage)));
    let all: Vec<(&Undisturbed, Outage)> = all.step_by(every.max(1)).collect();
    threads::each(&all, threads, |(story, outage)| Row::played(story, *outage))
}

impl Row {
    /// Plays a story with an outage.
    pub fn played(undisturbed: &Undisturbed, outage: Outage) -> Row {
        let (world, end, over) = befall::played(undisturbed, &outage);
        let hidden = match (outage.sight, outage.way) {
            (Sight::Fresh, _) => Hidden::Nothing,
            (Sight::Stale | Sight::Wavering, Way::Unsent | Way::Unheard) => Hidden::Revision,
            (Sight::Stale | Sight::Wavering, Way::Restarted | Way::CutUnsent | Way::CutUnheard) => Hidden::Effect,
        };
        let mut row = Row {
            story: undisturbed.story.name,
            outage,
            builds: Vec::new(),
            lost: lost(&world, undisturbed),
            other: Vec::new(),
            minutes: minutes(over, world.last_write()).max(0.0),
        };
        for found in harm(undisturbed.story, &world, &end, hidden) {
            match found.kind {
                Kind::Builds => row.builds.push(found),
                Kind::Heads => row.lost.push(found.what),
                Kind::End if is_excused(&row, &found) => {}
                Kind::Services
                | Kind::Revisions
                | Kind::Updates
                | Kind::Grants
                | Kind::Rerolls
                | Kind::Backwards
                | Kind::Left
                | Kind::Claims
                | Kind::Early
                | Kind::Gone
                | Kind::End
                | Kind::Spins => row.other.push(found),
            }
        }
        row
    }
}

/// Stories in which a newer commit stops a build, and what they say if it was not stopped: an outage that lasts for longer than
/// the build lets it end by itself.
const OUTLASTED: [(&str, &str); 2] = [("newer commit", "not STOPPED"), ("commit statuses", "the git host shows")];

fn is_excused(row: &Row, harm: &Harm) -> bool {
    let is_of_it = |(story, says): &(&str, &str)| *story == row.story && harm.what.contains(says);
    row.outage.length >= SignedDuration::from_hours(1) && OUTLASTED.iter().any(is_of_it)
}
