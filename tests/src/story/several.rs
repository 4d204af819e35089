//! A story of several images from one build.

use std::collections::BTreeSet;

use super::{After, RARELY, Step, Story, always, both_run, unsaid};
use crate::world::{World, sample};

/// Each commit has two images, of one build, in one task. A second commit comes while the first is rolled.
pub const TWO: Story = Story {
    name: "two images",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, with two images",
            when: always,
            later: 0,
            act: |world| {
                sample::push(world, "double-1");
                sample::apply(world);
                sample::double(world);
            },
        },
        Step {
            name: "another commit comes while the first is rolled",
            when: |world| world.service(sample::SERVICES[0]).is_some(),
            later: 30,
            act: |world| sample::push(world, "double-2"),
        },
        RARELY,
    ],
    order: &["double-1", "double-2"],
    judge: |world| {
        let said = unsaid(
            world,
            &[("Pipeline", "greeter", "Released", "True", ""), ("Release", "greeter-2", "Verified", "True", "")],
        );
        let wrong = sample::SERVICES.iter().filter(|name| !runs_two_of_one_build(world, name));
        let wrong = wrong.map(|name| format!("{name} does not run two images of one build")).collect();
        [said, wrong, both_run(world, "double-2")].concat()
    },
};

fn runs_two_of_one_build(world: &World, service: &str) -> bool {
    let images = world.service(service).map(|found| found.running_images(world.now())).unwrap_or_default();
    let builders = world.builders_by_digest();
    let builders: BTreeSet<_> = images.iter().map(|image| builders.get(image)).collect();
    (images.len(), builders.len()) == (2, 1)
}
