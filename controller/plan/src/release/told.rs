//! Builds in words: how one failed, where, and what hangs there.

use super::request::code_build;
use crate::condition::cut;
use crate::world::{BuildPhase, BuildStatus, LiveBuild};
use launchway_crds::release::{ReleasePlan, StepStatus};

/// How much of what CodeBuild says a message has, in bytes: the link to the log has to fit beside it.
const CONTEXT: usize = 400;

/// CodeBuild's word for how a build ended.
pub fn outcome(status: &BuildStatus) -> String {
    match status {
        BuildStatus::InProgress => "IN_PROGRESS",
        BuildStatus::Succeeded => "SUCCEEDED",
        BuildStatus::Failed => "FAILED",
        BuildStatus::Fault => "FAULT",
        BuildStatus::TimedOut => "TIMED_OUT",
        BuildStatus::Stopped => "STOPPED",
        BuildStatus::Unknown(word) => word,
    }
    .to_owned()
}

/// Whether a phase ended in anything but success.
pub fn went_wrong(phase: &BuildPhase) -> bool {
    phase.status.as_deref().is_some_and(|status| status != "SUCCEEDED") && phase.name != "COMPLETED"
}

/// Why a build failed, for people.
pub fn failure(plan: &ReleasePlan, step: &StepStatus, build: &LiveBuild) -> String {
    let what = what(&step.name);
    let last = last_phase(build);
    let text = match build.status {
        BuildStatus::TimedOut => format!("{what} timed out: {}", hang(plan, step, build)),
        BuildStatus::Stopped if long(plan, step, build) => format!("{what} was stopped: {}", hang(plan, step, build)),
        BuildStatus::Stopped => {
            format!("{what} was stopped by somebody in phase {last}: make another Release to try again")
        }
        BuildStatus::Fault => {
            format!("{what} failed {} times with a fault of CodeBuild, last in phase {last}", step.attempt)
        }
        BuildStatus::Failed | BuildStatus::InProgress | BuildStatus::Succeeded | BuildStatus::Unknown(_) => {
            format!("{what} ended {} in phase {last}", outcome(&build.status))
        }
    };
    let context = build.phases.iter().filter(|phase| went_wrong(phase)).flat_map(|phase| &phase.contexts).next();
    let said = context.map(|context| format!(": {}", cut(context, CONTEXT))).unwrap_or_default();
    let link = build.log_link.as_ref().map(|link| format!("; log: {link}")).unwrap_or_default();
    format!("{text}{said}{link}")
}

fn what(step: &str) -> String {
    if step == super::BUILD { "the build".to_owned() } else { format!("check {step}") }
}

/// The phase in which the build went wrong, else the one it is in.
pub fn last_phase(build: &LiveBuild) -> &str {
    let wrong = build.phases.iter().find(|phase| went_wrong(phase));
    let open = build.phases.iter().rev().find(|phase| phase.status.is_none() && phase.name != "COMPLETED");
    wrong.or(open).map_or(build.phase.as_str(), |phase| phase.name.as_str())
}

fn long(plan: &ReleasePlan, step: &StepStatus, build: &LiveBuild) -> bool {
    build.ended_at.is_some_and(|ended| {
        let took = ended.duration_since(build.started_at).as_secs();
        super::steps::allowed(plan, step, build).is_some_and(|allowed| took >= allowed)
    })
}

/// What hangs: the phase, for how many minutes, and what usually hangs there.
pub fn hang(plan: &ReleasePlan, step: &StepStatus, build: &LiveBuild) -> String {
    let phase = last_phase(build);
    let before: i64 = build.phases.iter().filter(|one| one.name != phase).filter_map(|one| one.seconds).sum();
    let took = build.ended_at.map(|ended| (ended.duration_since(build.started_at).as_secs() - before).max(0) / 60);
    let project = code_build(plan, &step.name).map(|run| run.project.to_string()).unwrap_or_default();
    let minutes = took.map(|minutes| format!(" for {minutes} minutes")).unwrap_or_default();
    let hint = match phase {
        "SUBMITTED" | "QUEUED" => {
            format!("no build machine was free: look at the concurrent builds of the account and of project {project}")
        }
        "PROVISIONING" => {
            format!("the build machine did not come up: look at the environment and the VPC of project {project}")
        }
        "DOWNLOAD_SOURCE" if build.in_vpc => {
            format!(
                "the source could not be reached from project {project}'s VPC: its subnets need a route through a NAT gateway or endpoints, its security groups need port 443 outwards"
            )
        }
        "DOWNLOAD_SOURCE" => {
            format!("the source could not be reached: look at the source and its credentials of project {project}")
        }
        _ => "a command did not end: look at the log, or raise timeout".to_owned(),
    };
    format!("it hung in {phase}{minutes}; {hint}")
}
