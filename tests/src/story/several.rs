//! A story of several images from one build.

use std::collections::BTreeSet;

use super::{After, RARELY, Step, Story, always, both_run, unsaid};
use crate::world::{World, sample};

/// Each commit has two images, of one build, in one task. A second commit comes while the first is rolled; the images of the first are found by
/// their tag, and those of the second in a file that its build leaves in S3.
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
            name: "another commit comes while the first is rolled, and its images are listed in a file",
            when: |world| world.service(sample::SERVICES[0]).is_some(),
            later: 30,
            act: |world| {
                sample::list_in(world, "ZIP", "imagedefinitions.json");
                sample::push(world, "double-2");
            },
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
        [said, wrong, unlisted(world), both_run(world, "double-2")].concat()
    },
};

/// What the second Release should have recorded of its file, and did not.
fn unlisted(world: &World) -> Vec<String> {
    let release = world.object("Release", "greeter-2");
    let steps = release.map(|found| found.value()["status"]["steps"].clone()).unwrap_or_default();
    let listed = steps
        .as_array()
        .into_iter()
        .flatten()
        .any(|step| step["artifact"]["bucket"] == sample::BUCKET && step["images"][1].is_string());
    if listed { Vec::new() } else { vec![format!("greeter-2 does not say where its images were listed: {steps}")] }
}

fn runs_two_of_one_build(world: &World, service: &str) -> bool {
    let images = world.service(service).map(|found| found.running_images(world.now())).unwrap_or_default();
    let builders = world.builders_by_digest();
    let builders: BTreeSet<_> = images.iter().map(|image| builders.get(image)).collect();
    (images.len(), builders.len()) == (2, 1)
}
