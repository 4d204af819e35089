//! The story of an upgrade: the world of a released fleet, as an earlier version left it, is taken over, and nothing is
//! changed in it. And the story that is recorded for that.

use super::{After, RARELY, Step, Story, always, both_run, releases, services, unsaid};
use crate::world::{World, is_effect, sample};

/// The commit at which the recorded fleet was left.
pub const HEAD: &str = "crashing-2";

/// A fleet that has been through much: two stages of which one holds a commit that failed, and a Service of its own with two
/// load balancers, secrets and two containers.
pub const FLEET: Story = Story {
    name: "released fleet",
    after: After::Story(&releases::FIRST),
    script: &[
        Step { name: "a Service with literal images is applied", when: always, later: 0, act: services::apply_literal },
        Step {
            name: "a commit that crashes is pushed",
            when: |world| world.is("Service", services::LITERAL, "Ready", "True"),
            later: 60,
            act: |world| {
                sample::push(world, HEAD);
                world.edit("Pipeline", sample::PIPELINE, |spec| spec["source"]["git"]["interval"] = "2m".into());
            },
        },
        RARELY,
    ],
    order: &["good-1", HEAD],
    judge: stands,
};

/// A later version takes the recorded fleet over.
pub const UPGRADE: Story = Story {
    name: "upgrade",
    after: After::EarlierVersion,
    script: &[],
    order: &["good-1", HEAD],
    judge: |world| {
        let log = world.aws().log.clone();
        let effects = log.iter().filter(|entry| is_effect(entry));
        let mut wrong: Vec<String> =
            effects.map(|entry| format!("the upgrade called {} (call {})", entry.operation, entry.n)).collect();
        if world.store.objects("Release").len() != 2 {
            wrong.push("the upgrade made or deleted a Release".to_owned());
        }
        wrong.extend(stands(world));
        wrong
    },
};

/// What of the fleet is not as it was left.
fn stands(world: &World) -> Vec<String> {
    let said = unsaid(
        world,
        &[
            ("Pipeline", "greeter", "Released", "False", ""),
            ("Release", "greeter-2", "Deployed", "False", "RolledBack"),
            ("Service", "greeter-staging", "RolledOut", "False", ""),
            ("Service", "greeter", "Ready", "True", ""),
            ("Service", services::LITERAL, "Ready", "True", ""),
        ],
    );
    let runs = world.running(services::LITERAL);
    let other = (runs != services::LITERAL_RUNS).then(|| format!("{} runs {runs:?}", services::LITERAL));
    [said, both_run(world, "good-1"), other.into_iter().collect()].concat()
}
