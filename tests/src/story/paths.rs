//! A story of a repository in which others work too.

use serde_json::json;

use super::{After, RARELY, Step, Story, always, both_run, settled, unsaid};
use crate::world::{World, sample};

/// The Pipeline is about one folder. A commit changes other files only, another one says that it is not to be released, and a third
/// one is released.
pub const FOLDER: Story = Story {
    name: "one folder",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, for one folder",
            when: always,
            later: 0,
            act: |world| {
                sample::push(world, "app-1");
                sample::apply(world);
                world.edit("Pipeline", sample::PIPELINE, |spec| {
                    spec["source"]["git"]["paths"] = json!({"include": ["app"]});
                    spec["source"]["git"]["skip"] = json!(["[skip ci]"]);
                });
            },
        },
        Step {
            name: "a commit changes the README",
            when: settled,
            later: 20,
            act: |world| sample::push(world, "prose-1"),
        },
        Step {
            name: "a commit says that it is not to be released",
            when: |world| is_passed_over(world, "prose-1"),
            later: 20,
            act: |world| sample::push(world, "skip-2"),
        },
        Step {
            name: "a commit changes the application",
            when: |world| is_passed_over(world, "skip-2"),
            later: 20,
            act: |world| sample::push(world, "app-3"),
        },
        RARELY,
    ],
    order: &["app-1", "app-3"],
    judge: |world| {
        let said = unsaid(
            world,
            &[("Pipeline", "greeter", "Released", "True", ""), ("Release", "greeter-2", "Verified", "True", "")],
        );
        let made = world.store.objects("Release").len();
        let wrong = if made == 2 { Vec::new() } else { vec![format!("{made} Releases were made, not 2")] };
        [said, wrong, both_run(world, "app-3")].concat()
    },
};

fn is_passed_over(world: &World, commit: &str) -> bool {
    let pipelines = world.store.objects("Pipeline");
    let commit = sample::commit(commit);
    let is_in = |one: &launchway_test_kube::store::Object| {
        one.value()["status"]["passedOver"].as_array().is_some_and(|all| all.iter().any(|one| one["commit"] == *commit))
    };
    pipelines.iter().any(|one| is_in(one))
}
