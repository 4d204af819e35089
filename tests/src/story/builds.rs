//! Stories of builds: overtaken, failing, struck by the build service.

use launchway_test_aws::codebuild::Build;
use launchway_test_aws::ecr::Mutability;
use serde_json::json;

use super::{After, BEGIN, RARELY, Step, Story, always, both_run, people, unsaid};
use crate::world::{World, sample};

const BEGIN_SLOW: Step = Step {
    name: "the manifests are applied, with a commit that takes long to build",
    when: always,
    later: 0,
    act: |world| {
        sample::push(world, "slow-1");
        sample::apply(world);
    },
};

/// The same with one that takes four minutes, and the branch looked at twice a minute.
const BEGIN_LONG: Step = Step {
    act: |world| {
        sample::push(world, "long-1");
        sample::apply(world);
        world.edit("Pipeline", sample::PIPELINE, |spec| spec["source"]["git"]["interval"] = "30s".into());
    },
    ..BEGIN_SLOW
};

/// Sets `spec.concurrency.mode`.
fn set_mode(world: &World, mode: &str) {
    world.edit("Pipeline", sample::PIPELINE, |spec| spec["concurrency"] = json!({"mode": mode}));
}

fn builds_of(world: &World, commit: &str) -> Vec<Build> {
    let commit = sample::commit(commit);
    let images = world.builds().into_iter().filter(|build| build.project == sample::BUILD);
    images.filter(|build| build.source_version.as_deref() == Some(commit.as_str())).collect()
}

/// A newer commit comes while the first is being built, and a newer commit stops the older build.
pub const NEWER_COMMIT: Story = Story {
    name: "newer commit",
    after: After::Nothing,
    script: &[
        Step {
            act: |world| {
                (BEGIN_SLOW.act)(world);
                set_mode(world, "Supersede");
            },
            ..BEGIN_SLOW
        },
        Step {
            name: "a newer commit is pushed during the build",
            when: |world| !builds_of(world, "slow-1").is_empty(),
            later: 50,
            act: |world| sample::push(world, "good-2"),
        },
        RARELY,
    ],
    order: &["good-2"],
    judge: |world| {
        let mut wrong = unsaid(
            world,
            &[
                ("Pipeline", "greeter", "Released", "True", ""),
                ("Release", "greeter-1", "Ready", "False", "Superseded"),
                ("Release", "greeter-1", "Deployed", "False", "Superseded"),
                ("Release", "greeter-2", "Verified", "True", ""),
            ],
        );
        for build in builds_of(world, "slow-1").iter().filter(|build| build.status() != "STOPPED") {
            wrong.push(format!("the older build {} ended {}, not STOPPED", build.id, build.status()));
        }
        [wrong, both_run(world, "good-2")].concat()
    },
};

/// Two more commits come while the first is being built: one is built at a time, and no build is stopped.
pub const BUSY: Story = Story {
    name: "two commits during a build",
    after: After::Nothing,
    script: &[
        BEGIN_LONG,
        Step {
            name: "a newer commit is pushed during the build",
            when: |world| !builds_of(world, "long-1").is_empty(),
            later: 50,
            act: |world| sample::push(world, "good-2"),
        },
        Step {
            name: "another one is pushed while it waits",
            when: |world| world.object("Release", "greeter-2").is_some(),
            later: 10,
            act: |world| sample::push(world, "good-3"),
        },
        RARELY,
    ],
    // Who is away for long finds the first build ended, and builds the second commit too.
    order: &["long-1", "good-2", "good-3"],
    judge: |world| {
        let wrong = unsaid(world, &[("Pipeline", "greeter", "Released", "True", "")]);
        [wrong, one_by_one(world), both_run(world, "good-3")].concat()
    },
};

/// Image builds that were stopped, or ran beside another one.
fn one_by_one(world: &World) -> Vec<String> {
    let mut builds: Vec<Build> = world.builds().into_iter().filter(|build| build.project == sample::BUILD).collect();
    builds.sort_by_key(|build| build.started_at);
    let stopped = builds.iter().filter(|build| build.status() == "STOPPED");
    let mut wrong: Vec<String> = stopped.map(|build| format!("the build {} was stopped", build.id)).collect();
    for pair in
        builds.windows(2).filter(|pair| pair[0].phases.last().is_some_and(|last| last.started_at > pair[1].started_at))
    {
        wrong.push(format!("the builds {} and {} ran at once", pair[0].id, pair[1].id));
    }
    wrong
}

/// The same two commits in a queue: each is built and goes through every stage, in order.
pub const QUEUE: Story = Story {
    name: "queue of commits",
    after: After::Nothing,
    script: &[
        Step {
            act: |world| {
                (BEGIN_LONG.act)(world);
                set_mode(world, "Queue");
                world.edit("Pipeline", sample::PIPELINE, |spec| {
                    spec["build"]["imageFrom"] = json!({"variable": "IMAGE_URI"});
                });
            },
            ..BEGIN_LONG
        },
        BUSY.script[1],
        BUSY.script[2],
        RARELY,
    ],
    order: &["long-1", "good-2", "good-3"],
    judge: |world| {
        let released = |name| ("Release", name, "Verified", "True", "");
        let wrong = unsaid(world, &[released("greeter-1"), released("greeter-2"), released("greeter-3")]);
        [wrong, one_by_one(world), both_run(world, "good-3")].concat()
    },
};

/// A person's Release of a commit that takes long to build, while the branch moves on. It is not superseded, and the newer
/// commit goes after it.
pub const BY_HAND: Story = Story {
    name: "person's release, newer commit",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, and a person releases a commit that takes long to build",
            when: always,
            later: 0,
            act: |world| {
                sample::apply(world);
                set_mode(world, "Supersede");
                people::release(world, "by-hand", "long-1");
            },
        },
        Step { when: |world| !builds_of(world, "long-1").is_empty(), ..NEWER_COMMIT.script[1] },
        RARELY,
    ],
    order: &["long-1", "good-2"],
    judge: |world| {
        let released = |name| ("Release", name, "Verified", "True", "");
        [unsaid(world, &[released("by-hand"), released("greeter-1")]), both_run(world, "good-2")].concat()
    },
};

/// Makes the project one that CodePipeline made: it has no source of its own.
fn codepipelines(world: &World, name: &str) {
    let mut aws = world.aws();
    let builds = aws.codebuild.entry(sample::place()).or_default();
    if let Some(mut project) = builds.project(name).cloned() {
        (project.source.kind, project.source.location) = ("CODEPIPELINE".to_owned(), None);
        builds.add_project(project);
    }
    aws.keep_snapshots();
}

/// The builds of a commit that did not get what the check exported.
fn unversioned(world: &World, commit: &str) -> Vec<String> {
    let version = sample::versioned(commit);
    let builds = builds_of(world, commit).into_iter().filter(|build| build.variable("VERSION") != Some(&*version));
    builds
        .map(|build| format!("build {} got {:?} as VERSION, not {version}", build.id, build.variable("VERSION")))
        .collect()
}

/// The build's own command fails.
pub const FAILING_BUILD: Story = Story {
    name: "failing build",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, with a commit that does not build",
            when: always,
            later: 0,
            act: |world| {
                sample::push(world, "broken-1");
                sample::apply(world);
            },
        },
        RARELY,
    ],
    order: &[],
    judge: |world| {
        let mut wrong = unsaid(
            world,
            &[
                ("Pipeline", "greeter", "Ready", "False", ""),
                ("Pipeline", "greeter", "Released", "False", ""),
                ("Release", "greeter-1", "Ready", "False", "BuildFailed"),
                ("Release", "greeter-1", "ChecksPassed", "True", ""),
                ("Release", "greeter-1", "Built", "False", "BuildFailed"),
            ],
        );
        let services = sample::SERVICES.iter().filter(|name| world.service(name).is_some());
        wrong.extend(services.map(|name| format!("there is a service {name} without an image")));
        if builds_of(world, "broken-1").len() != 1 {
            wrong.push("a failing command was retried".to_owned());
        }
        wrong
    },
};

/// A build pushes and then fails its tests. A person releases the commit once more; then every status is wiped.
pub const LEFT: Story = Story {
    name: "image of a failed build",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, with a commit whose first build pushes its image and then fails",
            when: always,
            later: 0,
            act: |world| {
                let mut aws = world.aws();
                let state = aws.ecr.entry(sample::place()).or_default();
                state.add_repository(sample::REPOSITORY, Mutability::Mutable);
                drop(aws);
                sample::push(world, "leaving-1");
                sample::apply(world);
                world.edit("Pipeline", sample::PIPELINE, sample::version);
            },
        },
        Step {
            name: "a person releases the commit again",
            when: |world| world.phase("greeter-1") == "Failed",
            later: 0,
            act: |world| people::release(world, "once-more", "leaving-1"),
        },
        Step {
            name: "the statuses are wiped while the image is built again",
            when: |world| builds_of(world, "leaving-1").len() == 2,
            later: 0,
            act: |world| {
                world.wipe_status("Pipeline", sample::PIPELINE);
                world.wipe_status("Release", "once-more");
            },
        },
        RARELY,
    ],
    order: &["leaving-1"],
    judge: |world| {
        let mut wrong = unsaid(world, &[("Release", "once-more", "Verified", "True", "")]);
        if builds_of(world, "leaving-1").len() != 2 {
            wrong.push("it was not built once more".to_owned());
        }
        [wrong, unversioned(world, "leaving-1"), both_run(world, "leaving-1")].concat()
    },
};

/// The project is one that CodePipeline made, the tag says seven digits of the commit, the build service itself fails once, and the image is
/// scanned.
pub const FAULT: Story = Story {
    name: "fault of CodeBuild",
    after: After::Nothing,
    script: &[
        Step {
            name: "CodePipeline makes the project",
            when: always,
            later: 0,
            act: |world| codepipelines(world, sample::BUILD),
        },
        Step {
            name: "the manifests are applied, with a commit whose first build meets a fault",
            when: always,
            later: 60,
            act: |world| {
                sample::push(world, "faulty-1");
                sample::apply(world);
                world.edit("AwsAccount", "default", |spec| {
                    spec["allow"]["sources"] = json!(["https://git.example.com/shop/*"])
                });
                world.edit("Pipeline", sample::PIPELINE, |spec| {
                    spec["build"]["tag"] = "v-$(shortCommit:7)".into();
                    sample::version(spec);
                    spec["build"]["codeBuild"]["override"] = json!({"sourceType": "GITLAB_SELF_MANAGED"});
                });
                sample::scanned(world, &[("CVE-2026-1", "MEDIUM"), ("CVE-2026-2", "LOW")]);
            },
        },
        RARELY,
    ],
    order: &["faulty-1"],
    judge: |world| {
        let mut wrong = unsaid(world, &[("Pipeline", "greeter", "Released", "True", "")]);
        if builds_of(world, "faulty-1").len() != 2 {
            wrong.push(format!(
                "{} builds, not the one that met a fault and another",
                builds_of(world, "faulty-1").len()
            ));
        }
        let release = world.object("Release", "greeter-1");
        let scan = release.map(|found| found.value()["status"]["imageScan"]["counts"].clone()).unwrap_or_default();
        if scan != json!({"LOW": 1, "MEDIUM": 1}) {
            wrong.push(format!("the scan of the image is recorded as {scan}"));
        }
        let tag = format!("v-{}", &sample::commit("faulty-1")[..7]);
        for build in builds_of(world, "faulty-1").iter().filter(|build| build.variable("IMAGE_TAG") != Some(&tag)) {
            wrong.push(format!("build {} was told another tag than {tag}", build.id));
        }
        [wrong, unversioned(world, "faulty-1"), both_run(world, "faulty-1")].concat()
    },
};

/// Somebody else's CI builds and pushes the images of two commits. The branch moves too, and nobody here looks at it.
pub const ELSEWHERE: Story = Story {
    name: "images of another CI",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, and another CI pushes an image",
            when: always,
            later: 0,
            act: |world| {
                pushed_elsewhere(world, "good-1");
                sample::apply(world);
                world.edit("Pipeline", sample::PIPELINE, |spec| {
                    (spec["source"], spec["build"]) = (json!({"image": {"interval": "2m"}}), json!(null));
                });
            },
        },
        Step {
            name: "it pushes another one while the first is rolled",
            when: |world| world.service(sample::SERVICES[0]).is_some(),
            later: 30,
            act: |world| pushed_elsewhere(world, "good-2"),
        },
        Step {
            act: |world| {
                world.edit("Pipeline", sample::PIPELINE, |spec| spec["source"]["image"]["interval"] = "24h".into());
            },
            ..RARELY
        },
    ],
    order: &["good-1", "good-2"],
    judge: |world| {
        let mut wrong = unsaid(
            world,
            &[("Pipeline", "greeter", "Released", "True", ""), ("Release", "greeter-2", "Verified", "True", "")],
        );
        if world.builds().iter().any(|build| build.project == sample::BUILD) {
            wrong.push("an image was built".to_owned());
        }
        [wrong, both_run(world, "good-2")].concat()
    },
};

fn pushed_elsewhere(world: &World, commit: &str) {
    sample::push(world, commit);
    sample::push_image(world, commit);
}

/// The Pipeline is edited as soon as its check runs: a Release builds what it began with.
pub const EDITED: Story = Story {
    name: "edited during a check",
    after: After::Nothing,
    script: &[
        BEGIN,
        Step {
            name: "the build gets another variable while the check runs",
            when: |world| !world.builds().is_empty(),
            later: 0,
            act: |world| {
                world.edit("Pipeline", sample::PIPELINE, |spec| {
                    spec["build"]["codeBuild"]["environment"][0]["value"] = "fancy".into();
                });
            },
        },
        RARELY,
    ],
    order: &["good-1"],
    judge: |world| {
        let mut wrong = unsaid(world, &[("Pipeline", "greeter", "Released", "True", "")]);
        for build in builds_of(world, "good-1").iter().filter(|build| build.variable("FLAVOUR") != Some("plain")) {
            wrong.push(format!("build {} was changed by an edit that came after its Release", build.id));
        }
        [wrong, both_run(world, "good-1")].concat()
    },
};
