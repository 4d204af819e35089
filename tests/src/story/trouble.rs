//! Stories of what goes wrong around a release: Releases deleted, tasks that cannot run, a secret that is missing, an ECS that
//! falls silent, a person who deploys at the same time.

use launchway_test_aws::ecs::{Lack, Timing};
use serde_json::json;

use super::{After, RARELY, SECOND_COMMIT, Step, Story, always, both_run, people, push_again, releases, unsaid};
use crate::world::{World, sample};

/// Every Release is deleted, the newest first.
pub const DELETED: Story = Story {
    name: "releases deleted",
    after: After::Story(&people::SECOND),
    script: &[
        Step { name: "the newest Release is deleted", when: always, later: 0, act: |world| delete(world, "greeter-2") },
        Step { name: "the other one is deleted", when: always, later: 600, act: |world| delete(world, "greeter-1") },
        Step {
            name: "the Pipeline is looked at once more",
            when: always,
            later: 600,
            act: |world| world.edit("Pipeline", sample::PIPELINE, |spec| spec["historyLimit"] = 9.into()),
        },
    ],
    order: &["good-1", "good-2"],
    judge: |world| {
        let said = unsaid(world, &[("Pipeline", "greeter", "Released", "True", "")]);
        let (_, _, message) = world.said("Pipeline", sample::PIPELINE, "Released");
        let commit = sample::commit("good-2");
        let wrong =
            (!message.contains(&commit[..12])).then(|| format!("it says of another commit that it runs: {message}"));
        [said, both_run(world, "good-2"), wrong.into_iter().collect()].concat()
    },
};

fn delete(world: &World, release: &str) {
    world.store.delete::<launchway_crds::Release>(sample::NAMESPACE, release).expect("it is there");
}

fn with_ecs(world: &World, change: impl FnOnce(&mut launchway_test_aws::ecs::EcsState)) {
    change(world.aws().ecs.entry(sample::place()).or_default());
}

/// The tasks of a service that was released well stop, and Fargate has no capacity for hours.
pub const TASKS: Story = Story {
    name: "no tasks after a good rollout",
    after: After::Story(&releases::FIRST),
    script: &[
        Step {
            name: "the tasks of prod stop, and Fargate has no capacity",
            when: always,
            later: 0,
            act: |world| {
                with_ecs(world, |ecs| ecs.lack(Lack::Capacity("FARGATE".to_owned())));
                world.admit_person();
                let found =
                    world.person("ecs:ListTasks", &json!({"cluster": sample::CLUSTER, "serviceName": "greeter"}));
                for task in found.expect("tasks")["taskArns"].as_array().into_iter().flatten() {
                    world
                        .person("ecs:StopTask", &json!({"cluster": sample::CLUSTER, "task": task}))
                        .expect("a task that stops");
                }
            },
        },
        Step {
            name: "there is capacity again, after Service, Release and Pipeline have told it",
            when: |world| {
                let told = |kind, name| world.said(kind, name, "Ready").1 == "TooFewTasks";
                told("Service", "greeter") && told("Release", "greeter-1") && told("Pipeline", sample::PIPELINE)
            },
            later: 60,
            act: |world| with_ecs(world, |ecs| ecs.supply(&Lack::Capacity("FARGATE".to_owned()))),
        },
        Step {
            name: "all of them are well again",
            when: |world| {
                let well = |kind, name| world.is(kind, name, "Ready", "True");
                well("Service", "greeter") && well("Release", "greeter-1") && well("Pipeline", sample::PIPELINE)
            },
            later: 0,
            act: |_| (),
        },
    ],
    order: &["good-1"],
    judge: |world| {
        let said = unsaid(
            world,
            &[
                ("Pipeline", "greeter", "Released", "True", ""),
                ("Release", "greeter-1", "Deployed", "True", ""),
                ("Service", "greeter", "RolledOut", "True", ""),
            ],
        );
        [said, both_run(world, "good-1")].concat()
    },
};

const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:missing-AbCdEf";

/// A Service names a secret that is not there, and then it is made.
pub const SECRET: Story = Story {
    name: "a secret that is missing",
    after: After::Story(&releases::FIRST),
    script: &[
        Step {
            name: "the Service of prod names a secret that is not there",
            when: always,
            later: 0,
            act: |world| {
                with_ecs(world, |ecs| ecs.lack(Lack::Secret("*missing*".to_owned())));
                world.edit("Service", "greeter", |spec| {
                    spec["taskDefinition"]["containerDefinitions"][0]["secrets"] =
                        json!([{"name": "TOKEN", "valueFrom": SECRET_ARN}]);
                });
            },
        },
        Step {
            name: "the secret is made, and it is tried again",
            when: |world| {
                let (status, _, message) = world.said("Service", "greeter", "RolledOut");
                status == "False" && message.contains("missing-AbCdEf")
            },
            later: 60,
            act: |world| {
                with_ecs(world, |ecs| ecs.supply(&Lack::Secret("*missing*".to_owned())));
                world.edit("Service", "greeter", |spec| spec["rollout"] = json!({"retry": "1"}));
            },
        },
    ],
    order: &["good-1"],
    judge: |world| {
        let said = unsaid(
            world,
            &[("Pipeline", "greeter", "Released", "True", ""), ("Service", "greeter", "Ready", "True", "")],
        );
        [said, both_run(world, "good-1")].concat()
    },
};

/// A crashing commit, of which ECS falls silent for a quarter of an hour after two failures.
pub const SILENT: Story = Story {
    name: "a stall of a quarter of an hour",
    after: After::Story(&releases::FIRST),
    script: &[
        Step {
            name: "a commit that crashes is pushed, and ECS takes its time",
            when: always,
            later: 0,
            act: |world| {
                with_ecs(world, |ecs| ecs.timing = Timing::falling_silent());
                push_again(world, "crashing-2");
            },
        },
        RARELY,
    ],
    order: &["good-1", "crashing-2"],
    judge: |world| {
        let said = unsaid(
            world,
            &[
                ("Release", "greeter-2", "Deployed", "False", "RolledBack"),
                ("Service", "greeter-staging", "RolledOut", "False", ""),
                ("Service", "greeter", "Ready", "True", ""),
            ],
        );
        [said, both_run(world, "good-1")].concat()
    },
};

/// A person forces a new deployment in the middle of a rollout.
pub const FORCED: Story = Story {
    name: "forced by a person during a rollout",
    after: After::Story(&releases::FIRST),
    script: &[
        SECOND_COMMIT,
        Step {
            name: "a person forces a new deployment",
            when: |world| world.service("greeter-staging").is_some_and(|service| service.rollouts.len() == 2),
            later: 20,
            act: |world| {
                world.admit_person();
                let forced =
                    json!({"cluster": sample::CLUSTER, "service": "greeter-staging", "forceNewDeployment": true});
                let force = || world.person("ecs:UpdateService", &forced);
                // A person who is throttled tries again.
                force().or_else(|_| force()).expect("a deployment that is forced");
            },
        },
        RARELY,
    ],
    order: &["good-1", "good-2"],
    judge: |world| {
        let said = unsaid(
            world,
            &[("Release", "greeter-2", "Verified", "True", ""), ("Pipeline", "greeter", "Released", "True", "")],
        );
        [said, both_run(world, "good-2")].concat()
    },
};

/// A right is missing, people ask for another try in the middle of the back-off, and then it is given.
pub const DENIED: Story = Story {
    name: "a right that is missing",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, and task definitions may not be registered",
            when: always,
            later: 0,
            act: |world| {
                let lacking = sample::policy().to_string().replace("ecs:RegisterTaskDefinition", "ecs:RegisterNothing");
                let lacking = serde_json::from_str(&lacking).expect("a policy");
                world.aws().set_policy(sample::ROLE, &lacking).expect("a policy that the simulator understands");
                sample::push(world, "good-1");
                sample::apply(world);
            },
        },
        Step {
            name: "somebody asks for another try",
            when: |world| world.said("Service", sample::SERVICES[0], "Ready").1 == "AccessDenied",
            later: 30,
            act: |world| world.annotate("Service", sample::SERVICES[0], "again"),
        },
        Step {
            name: "somebody annotates a Service that is not concerned",
            when: always,
            later: 30,
            act: |world| world.annotate("Service", sample::SERVICES[1], "other"),
        },
        Step {
            name: "the right is given, and the Pipeline is annotated",
            when: always,
            later: 30,
            act: |world| {
                let mended = sample::policy();
                world.aws().set_policy(sample::ROLE, &mended).expect("a policy that the simulator understands");
                world.annotate("Pipeline", sample::PIPELINE, "mended");
            },
        },
        RARELY,
    ],
    order: &["good-1"],
    judge: |world| {
        [unsaid(world, &[("Pipeline", "greeter", "Released", "True", "")]), both_run(world, "good-1")].concat()
    },
};
