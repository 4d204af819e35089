//! A story of a Pipeline that tells the git host how its commits fare.

use std::collections::BTreeMap;

use serde_json::json;

use super::{After, RARELY, Step, Story, always, unsaid};
use crate::world::{World, sample};

/// The git host is told of a commit that goes well, of one whose build a newer one takes over, of one that fails in the build, and of one
/// that fails in the first stage; and for a while it answers nobody.
pub const STATUSES: Story = Story {
    name: "commit statuses",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, with a report",
            when: always,
            later: 0,
            act: |world| {
                sample::push(world, "good-1");
                sample::report(world);
                sample::apply(world);
                world.edit("Pipeline", sample::PIPELINE, |spec| {
                    spec["report"] = sample::reported();
                    spec["concurrency"] = json!({"mode": "Supersede"});
                });
            },
        },
        Step {
            name: "a commit takes long to build",
            when: |world| world.is("Pipeline", sample::PIPELINE, "Released", "True"),
            later: 20,
            act: |world| sample::push(world, "slow-2"),
        },
        Step {
            name: "a commit fails in the build, while the host answers nobody",
            when: |world| world.object("Release", "greeter-2").is_some(),
            later: 90,
            act: |world| {
                sample::push(world, "broken-3");
                world.git.trouble(sample::URL, crate::git::Trouble::Status(503), 4);
            },
        },
        Step {
            name: "a commit crashes in the first stage",
            when: |world| {
                world.is("Release", "greeter-3", "Ready", "False")
                    && world.is("Release", "greeter-3", "Stalled", "True")
            },
            later: 20,
            act: |world| sample::push(world, "crashing-4"),
        },
        RARELY,
    ],
    order: &["good-1", "crashing-4"],
    judge: |world| {
        let said = unsaid(
            world,
            &[("Release", "greeter-4", "Verified", "False", ""), ("Release", "greeter-4", "Unreported", "", "")],
        );
        let all = [
            (
                "good-1",
                vec![
                    ("checks/lint", "success"),
                    ("build", "success"),
                    ("stages/staging", "success"),
                    ("stages/prod", "success"),
                ],
            ),
            ("slow-2", vec![("checks/lint", "success"), ("build", "error")]),
            ("broken-3", vec![("checks/lint", "success"), ("build", "failure")]),
            ("crashing-4", vec![("checks/lint", "success"), ("build", "success"), ("stages/staging", "failure")]),
        ];
        let wrong = all.into_iter().flat_map(|(commit, wanted)| untold(world, commit, &wanted));
        let runs = super::unrun(world, sample::SERVICES[1], "good-1");
        said.into_iter().chain(wrong).chain(runs).collect()
    },
};

/// What the git host shows otherwise of a commit than it is.
fn untold(world: &World, commit: &str, wanted: &[(&str, &str)]) -> Vec<String> {
    let name =
        |place: &str| format!("launchway/{}/{}/{}/{place}", sample::INSTALLATION, sample::NAMESPACE, sample::PIPELINE);
    let wanted: BTreeMap<String, String> =
        wanted.iter().map(|(place, state)| (name(place), (*state).to_owned())).collect();
    let shown = world.git.statuses(sample::URL, &sample::commit(commit));
    let shown: BTreeMap<String, String> = shown.into_iter().map(|one| (one.context, one.state)).collect();
    if shown == wanted { Vec::new() } else { vec![format!("the git host shows {shown:?} of {commit}, not {wanted:?}")] }
}
