//! Stories of what people do by hand: an old commit, deletion, suspension, a status that was wiped.

use serde_json::json;

use super::{After, BEGIN, RARELY, SECOND_COMMIT, Step, Story, always, both_run, releases, settled, unsaid};
use crate::world::{World, sample};

/// A second good commit, released after the first.
pub const SECOND: Story = Story {
    name: "second release",
    after: After::Story(&releases::FIRST),
    script: &[SECOND_COMMIT, RARELY],
    order: &["good-1", "good-2"],
    judge: |world| both_run(world, "good-2"),
};

/// A person releases the first commit again.
pub const MANUAL: Story = Story {
    name: "manual release",
    after: After::Story(&SECOND),
    script: &[Step {
        name: "a person makes a Release of the old commit",
        when: always,
        later: 0,
        act: |world| release(world, "back-to-one", "good-1"),
    }],
    order: &["good-1", "good-2", "good-1"],
    judge: |world| {
        let said = unsaid(
            world,
            &[
                ("Pipeline", "greeter", "Released", "True", ""),
                ("Release", "back-to-one", "Verified", "True", ""),
                ("Service", "greeter", "Ready", "True", ""),
            ],
        );
        [said, both_run(world, "good-1")].concat()
    },
};

/// A person makes a Release of that name and commit.
pub(super) fn release(world: &World, name: &str, commit: &str) {
    let release = json!({
        "apiVersion": "launchway.dev/v1alpha1", "kind": "Release",
        "metadata": {"name": name, "namespace": sample::NAMESPACE, "labels": {"launchway.dev/pipeline": sample::PIPELINE}},
        "spec": {"pipeline": sample::PIPELINE, "commit": sample::commit(commit), "reason": "Manual"},
    });
    world.store.create_json(&release).expect("a Release that is admitted");
}

/// Services that go with their objects, made and released.
const MORTAL: Story = Story {
    name: "first release of mortals",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, with deletionPolicy Delete",
            when: always,
            later: 0,
            act: |world| {
                sample::push(world, "good-1");
                for stage in [0, 1] {
                    let mut service = sample::service(stage);
                    service["spec"]["deletionPolicy"] = json!("Delete");
                    world.store.apply_json(&service).expect("a manifest that is admitted");
                }
                for manifest in [sample::aws_account(), sample::pipeline()] {
                    world.store.apply_json(&manifest).expect("a manifest that is admitted");
                }
            },
        },
        RARELY,
    ],
    order: &["good-1"],
    judge: |world| both_run(world, "good-1"),
};

/// The objects are deleted, and AWS with them.
pub const DELETION: Story = Story {
    name: "deletion",
    after: After::Story(&MORTAL),
    script: &[Step {
        name: "Pipeline and Services are deleted",
        when: always,
        later: 0,
        act: |world| {
            world.store.delete::<launchway_crds::Pipeline>(sample::NAMESPACE, sample::PIPELINE).expect("it is there");
            for name in sample::SERVICES {
                world.store.delete::<launchway_crds::Service>(sample::NAMESPACE, name).expect("it is there");
            }
        },
    }],
    order: &["good-1"],
    judge: |world| {
        let services = sample::SERVICES.iter().filter(|name| world.service(name).is_some());
        let mut wrong: Vec<String> = services.map(|name| format!("ECS still has {name}")).collect();
        for kind in ["Pipeline", "Release", "Service"] {
            wrong.extend(
                world.store.objects(kind).iter().map(|one| format!("{kind} {} is still there", one.meta("name"))),
            );
        }
        wrong
    },
};

/// The Pipeline is suspended while a build runs, and goes on an hour later.
pub const SUSPEND: Story = Story {
    name: "suspended and resumed",
    after: After::Nothing,
    script: &[
        BEGIN,
        Step {
            name: "the Pipeline is suspended during the check",
            when: |world| !world.builds().is_empty(),
            later: 10,
            act: |world| world.edit("Pipeline", sample::PIPELINE, |spec| spec["suspend"] = true.into()),
        },
        Step {
            name: "the Pipeline goes on",
            when: is_held,
            later: 3600,
            act: |world| world.edit("Pipeline", sample::PIPELINE, |spec| spec["suspend"] = false.into()),
        },
        RARELY,
    ],
    order: &["good-1"],
    judge: |world| {
        [unsaid(world, &[("Pipeline", "greeter", "Released", "True", "")]), both_run(world, "good-1")].concat()
    },
};

fn is_held(world: &World) -> bool {
    world.is("Pipeline", sample::PIPELINE, "Held", "True")
}

/// Every status is wiped while the second stage is still to come, as by a restore from a backup without statuses.
pub const WIPED: Story = Story {
    name: "statuses wiped",
    after: After::Story(&SECOND),
    script: &[Step {
        name: "the statuses of the Pipeline and of the Services are wiped",
        when: settled,
        later: 0,
        act: |world| {
            world.wipe_status("Pipeline", sample::PIPELINE);
            for name in sample::SERVICES {
                world.wipe_status("Service", name);
            }
        },
    }],
    order: &["good-1", "good-2"],
    judge: |world| {
        let said = unsaid(
            world,
            &[
                ("Pipeline", "greeter", "Released", "True", ""),
                ("Service", "greeter-staging", "Ready", "True", ""),
                ("Service", "greeter", "Ready", "True", ""),
            ],
        );
        [said, both_run(world, "good-2")].concat()
    },
};
