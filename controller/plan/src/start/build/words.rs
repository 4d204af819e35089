//! Messages about builds: how one ended, in which phase it hung, and what to look at.

use super::remedy::remedy;
use super::{Run, allowed, went_wrong};
use crate::condition::cut;
use crate::world::{BuildPhase, BuildStatus, LiveBuild, Phase, PhaseKind, PhaseStatus};
use launchway_crds::release::TestCounts;

/// How much of CodeBuild's own message is shown, in bytes, so that the link to the log fits beside it; and where what to do does too.
const CONTEXT: usize = 400;
const BESIDE_REMEDY: usize = 100;

/// Why a build failed and what to do about it. `what` names the build at the beginning of the sentence. `attempt` is
/// the number of this attempt, `log` what is known of the build's last lines.
pub fn failure(what: &str, run: &Run, attempt: i32, build: &LiveBuild, log: &[String]) -> String {
    let phase = &last_phase(build).name;
    let (timed_out, stopped) = (build.status == BuildStatus::TimedOut, build.status == BuildStatus::Stopped);
    let text = if timed_out {
        format!("{what} timed out: {}", hang(run, build))
    } else if stopped && took_too_long(run, build) {
        format!("{what} was stopped: {}", hang(run, build))
    } else if stopped {
        format!("{what} was stopped by somebody in phase {phase}; to try again, make another Release of this commit")
    } else if build.status == BuildStatus::Fault && attempt > 1 {
        format!("{what} failed {attempt} times by a fault of CodeBuild itself, the last time in phase {phase}")
    } else {
        format!("{what} {}", end(build))
    };
    let wrong = build.phases.iter().filter(|phase| went_wrong(phase));
    let contexts: Vec<&str> = wrong.flat_map(|phase| &phase.contexts).map(String::as_str).collect();
    let remedy = remedy(run, &contexts, log).filter(|_| !stopped);
    let most = if remedy.is_some() { BESIDE_REMEDY } else { CONTEXT };
    let context = contexts.first().map_or_else(String::new, |context| format!(": {}", cut(context, most)));
    let remedy = remedy.map_or_else(String::new, |remedy| format!("; {remedy}"));
    let link = build.log_link.as_ref().map_or_else(String::new, |link| format!("; log: {link}"));
    format!("{text}{context}{remedy}{link}")
}

/// What test reports say, as a sentence; absent: there were no tests.
pub fn tests(said: &Result<TestCounts, String>) -> Option<String> {
    let TestCounts { total, failed, skipped } = match said {
        Ok(counts) => *counts,
        Err(fault) => return Some(format!("its test reports could not be read: {fault}")),
    };
    let aside = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    match (total, failed) {
        (0, _) => None,
        (_, 0) => Some(format!("{} tests passed{aside}", total - skipped)),
        (_, failed) => Some(format!("{failed} of {total} tests failed{aside}")),
    }
}

/// How a build ended and in which phase, as the end of a sentence.
pub fn end(build: &LiveBuild) -> String {
    let ended = match &build.status {
        BuildStatus::InProgress => "is running",
        BuildStatus::Succeeded => "succeeded",
        BuildStatus::Failed => "failed",
        BuildStatus::Fault => "failed with a fault of CodeBuild",
        BuildStatus::TimedOut => "timed out",
        BuildStatus::Stopped => "was stopped",
        BuildStatus::Unknown(word) => &format!("ended with status {word}"),
    };
    format!("{ended} in phase {}", last_phase(build).name)
}

/// The phase that failed, or else the phase that the build is in.
pub fn last_phase(build: &LiveBuild) -> &Phase {
    let wrong = build.phases.iter().find(|phase| went_wrong(phase));
    let lasts = |one: &&BuildPhase| one.status == PhaseStatus::InProgress && one.phase.kind != PhaseKind::Completed;
    wrong.or(build.phases.iter().rev().find(lasts)).map_or(&build.phase, |one| &one.phase)
}

fn took_too_long(run: &Run, build: &LiveBuild) -> bool {
    build.ended_at.is_some_and(|ended| ended.duration_since(build.started_at).as_secs() >= allowed(run, build))
}

/// The phase in which a build hung, for how many minutes, and the usual cause.
fn hang(run: &Run, build: &LiveBuild) -> String {
    let phase = last_phase(build);
    let before: i64 = build.phases.iter().filter(|one| one.phase != *phase).filter_map(|one| one.seconds).sum();
    let minutes = build.ended_at.map_or_else(String::new, |ended| {
        let took = ended.duration_since(build.started_at).as_secs() - before;
        format!(" for {} minutes", took.max(0) / 60)
    });
    let project = &run.project;
    let hint = match phase.kind {
        PhaseKind::Queue => format!(
            "no build machine was free: look at the limits on concurrent builds of the account and of project {project}"
        ),
        PhaseKind::Provisioning => {
            format!("the build machine did not start: look at the environment and the VPC of project {project}")
        }
        PhaseKind::Source if build.in_vpc => format!(
            "the source could not be reached from the VPC of project {project}: its subnets need a route through a NAT gateway or VPC endpoints, and its security groups must allow port 443 outwards"
        ),
        PhaseKind::Source => {
            format!("the source could not be reached: look at the source and its credentials of project {project}")
        }
        PhaseKind::Commands | PhaseKind::Completed => {
            "a command did not end in time: read the log, or raise the timeout in the Pipeline".to_owned()
        }
    };
    format!("it hung in {}{minutes}; {hint}", phase.name)
}
