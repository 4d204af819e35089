//! Stories of commits that become rollouts, well and badly.

use super::{After, BEGIN, RARELY, Step, Story, always, both_run, push_again, unsaid};

/// The first release of everything, through two stages.
pub const FIRST: Story = Story {
    name: "first release",
    after: After::Nothing,
    script: &[BEGIN, RARELY],
    order: &["good-1"],
    judge: |world| {
        let said = unsaid(
            world,
            &[
                ("AwsAccount", "default", "Ready", "True", ""),
                ("Pipeline", "greeter", "Ready", "True", ""),
                ("Pipeline", "greeter", "Released", "True", ""),
                ("Release", "greeter-1", "Ready", "True", ""),
                ("Release", "greeter-1", "Verified", "True", ""),
                ("Service", "greeter-staging", "Ready", "True", ""),
                ("Service", "greeter", "Ready", "True", ""),
            ],
        );
        [said, both_run(world, "good-1")].concat()
    },
};

/// A second commit's tasks crash, and ECS rolls them back.
pub const ROLLED_BACK: Story = Story {
    name: "rolled back by ECS",
    after: After::Story(&FIRST),
    script: &[
        Step {
            name: "a commit that crashes is pushed",
            when: always,
            later: 0,
            act: |world| push_again(world, "crashing-2"),
        },
        RARELY,
    ],
    order: &["good-1", "crashing-2"],
    judge: |world| {
        let said = unsaid(
            world,
            &[
                ("Pipeline", "greeter", "Ready", "False", ""),
                ("Pipeline", "greeter", "Released", "False", ""),
                ("Release", "greeter-2", "Ready", "False", ""),
                ("Release", "greeter-2", "Deployed", "False", "RolledBack"),
                ("Service", "greeter-staging", "RolledOut", "False", ""),
                ("Service", "greeter", "Ready", "True", ""),
            ],
        );
        [said, both_run(world, "good-1")].concat()
    },
};
