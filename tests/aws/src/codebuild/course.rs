//! How builds move: one step at a time, in the order of time. What a phase does when it ends is in `steps`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::build::{Build, PhaseEnd, PhaseRun, PhaseStatus};
use super::story::{Outcome, Phase};
use super::{CodeBuildState, start, steps};
use crate::{Place, World};

/// What happens next to a build.
enum Step {
    /// A line is printed.
    Line,
    /// Its phase ends by itself.
    End,
    /// Its time is over.
    Timeout,
}

/// Whether one more build may run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Free,
    Taken,
}

/// Brings every build of the world to `now`.
pub(super) fn advance(world: &mut World, now: Timestamp) {
    let due = |state: &CodeBuildState| next_step(state).is_some_and(|(at, _)| at <= now);
    let places: Vec<Place> =
        world.codebuild.iter().filter(|(_, state)| due(state)).map(|(place, _)| place.clone()).collect();
    for place in places {
        with_state(world, &place, |world, state| drain(world, state, now));
    }
}

/// Lends the state of a place out beside the world.
pub(super) fn with_state<T>(
    world: &mut World,
    place: &Place,
    act: impl FnOnce(&mut World, &mut CodeBuildState) -> T,
) -> T {
    let mut state = world.codebuild.get_mut(place).map(std::mem::take).unwrap_or_default();
    let done = act(world, &mut state);
    world.codebuild.insert(place.clone(), state);
    done
}

/// Takes every step up to `now`.
pub(super) fn drain(world: &mut World, state: &mut CodeBuildState, now: Timestamp) {
    while let Some((at, number)) = next_step(state).filter(|(at, _)| *at <= now) {
        state.latest_step = at;
        take_step(world, state, number, at);
    }
}

/// The next step of all builds: when, and of which. Of those at the same time, that of the build which the queue puts first.
pub(super) fn next_step(state: &CodeBuildState) -> Option<(Timestamp, u64)> {
    let room = room(state);
    let active = state.active.iter().filter_map(|number| Some((*number, state.builds.get(number)?)));
    let steps = active.filter_map(|(number, build)| Some((next_of(build, room)?.0.max(state.latest_step), number)));
    steps.min_by_key(|(at, number)| (*at, state.queue.rank(*number)))
}

fn room(state: &CodeBuildState) -> Room {
    let builds = state.active.iter().filter_map(|number| state.builds.get(number));
    let running = builds.filter(|build| build.phase() >= Phase::Provisioning).count();
    if running < state.limits.running { Room::Free } else { Room::Taken }
}

fn next_of(build: &Build, room: Room) -> Option<(Timestamp, Step)> {
    let run = build.phases.last()?;
    let deadline = deadline(build);
    let own = own_step(build, run, room);
    match (own, deadline) {
        (Some((at, step)), Some(deadline)) if at <= deadline => Some((at, step)),
        (_, Some(deadline)) => Some((deadline, Step::Timeout)),
        (own, None) => own,
    }
}

/// What the phase does by itself; nothing if it hangs, or waits for its turn.
fn own_step(build: &Build, run: &PhaseRun, room: Room) -> Option<(Timestamp, Step)> {
    let millis = i64::from(build.story.seconds.of(run.phase)) * 1_000;
    let lines = steps::lines(build, run.phase).count();
    if run.printed < lines {
        let share = millis * (run.printed as i64 + 1) / (lines as i64 + 1);
        return Some((after(run.started_at, share), Step::Line));
    }
    let hangs =
        matches!(build.story.outcome, Outcome::Hangs { phase } | Outcome::Overruns { phase } if phase == run.phase);
    let waits = run.phase == Phase::Queued && room == Room::Taken;
    let ends = !hangs && !waits && run.phase != Phase::Completed;
    ends.then(|| (after(run.started_at, millis), Step::End))
}

fn deadline(build: &Build) -> Option<Timestamp> {
    if matches!(build.story.outcome, Outcome::Overruns { .. }) {
        return None;
    }
    let (from, minutes) = match build.phase() {
        Phase::Submitted | Phase::Completed => return None,
        Phase::Queued => (Phase::Queued, build.queued_timeout_minutes),
        Phase::Provisioning
        | Phase::DownloadSource
        | Phase::Install
        | Phase::PreBuild
        | Phase::Build
        | Phase::PostBuild
        | Phase::UploadArtifacts
        | Phase::Finalizing => (Phase::Provisioning, build.timeout_minutes),
    };
    Some(after(build.began(from)?, minutes * 60_000))
}

fn after(at: Timestamp, millis: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_millis(millis)).unwrap_or(Timestamp::MAX)
}

fn take_step(world: &mut World, state: &mut CodeBuildState, number: u64, at: Timestamp) {
    let room = room(state);
    let Some(build) = state.builds.get_mut(&number).map(Arc::make_mut) else { return };
    match next_of(build, room) {
        None => return,
        Some((_, Step::Line)) => print_line(world, build, at),
        Some((_, Step::End)) => {
            let end = steps::end(world, build, at);
            move_on(world, build, end);
        }
        Some((_, Step::Timeout)) => cut(build, at, PhaseStatus::TimedOut, ("BUILD_TIMED_OUT", "Build has timed out. ")),
    }
    if build.is_complete() {
        state.active.remove(&number);
        start::retry(world, state, number, at);
    }
}

fn print_line(world: &mut World, build: &mut Build, at: Timestamp) {
    let Some(run) = build.phases.last() else { return };
    let line = steps::lines(build, run.phase).nth(run.printed).map(str::to_owned);
    steps::print(world, build, at, line.as_deref().unwrap_or_default());
    if let Some(run) = build.phases.last_mut() {
        run.printed += 1;
    }
}

/// Ends the phase and begins the next.
fn move_on(world: &mut World, build: &mut Build, end: PhaseEnd) {
    let phase = build.phase();
    let at = end.at;
    let next = match end.status {
        PhaseStatus::Succeeded => phase.next(),
        PhaseStatus::Failed => phase.next_after_failure(),
        PhaseStatus::Fault | PhaseStatus::TimedOut | PhaseStatus::Stopped | PhaseStatus::ClientError => {
            Phase::Completed
        }
    };
    close(build, end);
    build.phases.push(PhaseRun::begins(next, at));
    steps::begin(world, build, at);
}

/// Ends the phase and the build.
pub(super) fn cut(build: &mut Build, at: Timestamp, status: PhaseStatus, (code, message): (&str, &str)) {
    close(build, PhaseEnd { at, status, context: (code.to_owned(), message.to_owned()) });
    build.phases.push(PhaseRun::begins(Phase::Completed, at));
}

fn close(build: &mut Build, end: PhaseEnd) {
    if let Some(run) = build.phases.last_mut() {
        run.end = Some(end);
    }
}
