//! Stories of Services that say more, or less, than the sample's: much in their task definition, an adjustment in the
//! middle of a rollout, a service that a person made and hands over.

use serde_json::{Value, json};

use super::{After, RARELY, SECOND_COMMIT, Step, Story, always, both_run, releases, settled, unsaid};
use crate::world::sample::services::{
    SIDECAR, bare, literal, made_by_hand, owner_tag, registered_by_hand, rich, set_count, set_memory,
};
use crate::world::{World, sample};

/// The first release of Services with two load balancers, secrets and two containers.
const RICH_FIRST: Story = Story {
    name: "first release of rich services",
    after: After::Nothing,
    script: &[
        Step {
            name: "the manifests are applied, with two load balancers, secrets and two containers",
            when: always,
            later: 0,
            act: |world| {
                sample::push(world, "good-1");
                for manifest in [sample::aws_account(), sample::pipeline(), rich(0), rich(1)] {
                    world.store.apply_json(&manifest).expect("a manifest that is admitted");
                }
            },
        },
        RARELY,
    ],
    order: &["good-1"],
    judge: |world| are_rich(world, "good-1"),
};

/// A second commit goes through Services with two load balancers, secrets and two containers.
pub const RICH: Story = Story {
    name: "rich services",
    after: After::Story(&RICH_FIRST),
    script: &[SECOND_COMMIT, RARELY],
    order: &["good-1", "good-2"],
    judge: |world| {
        let said = unsaid(world, &[("Pipeline", "greeter", "Released", "True", "")]);
        [said, are_rich(world, "good-2")].concat()
    },
};

/// What of two load balancers, secrets and two containers the ECS services lack.
fn are_rich(world: &World, commit: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut runs = vec![sample::commit(commit), SIDECAR.to_owned()];
    runs.sort();
    for name in sample::SERVICES {
        let Some(service) = world.service(name) else {
            wrong.push(format!("there is no service {name}"));
            continue;
        };
        if world.running(name) != runs {
            wrong.push(format!("{name} runs {:?}, not {runs:?}", world.running(name)));
        }
        let balancers = service.settings.member("loadBalancers").as_array().map_or(0, Vec::len);
        let definition = world.definition(service.settings.text("taskDefinition"));
        let containers = definition["containerDefinitions"].as_array().cloned().unwrap_or_default();
        let with_secrets =
            containers.iter().filter(|one| one["secrets"].as_array().is_some_and(|list| list.len() == 1));
        let (with_secrets, containers) = (with_secrets.count(), containers.len());
        if (balancers, containers, with_secrets) != (2, 2, 2) {
            wrong.push(format!(
                "{name}: {balancers} load balancers, {containers} containers, {with_secrets} with secrets"
            ));
        }
    }
    wrong
}

/// The memory of a Service is edited, and while ECS rolls that, the number of its tasks too.
pub const ADJUSTED: Story = Story {
    name: "adjusted during a rollout",
    after: After::Story(&releases::FIRST),
    script: &[
        Step {
            name: "the memory is edited",
            when: always,
            later: 0,
            act: |world| world.edit("Service", sample::SERVICES[1], |spec| set_memory(spec, 1024)),
        },
        Step {
            name: "the count is edited while the Service says that it rolls",
            when: is_rolling,
            later: 1,
            act: |world| world.edit("Service", sample::SERVICES[1], |spec| set_count(spec, 2)),
        },
        Step {
            name: "the count is edited once more",
            when: |world| world.service(sample::SERVICES[1]).is_some_and(|service| service.desired == 2),
            later: 7,
            act: |world| world.edit("Service", sample::SERVICES[1], |spec| set_count(spec, 3)),
        },
    ],
    order: &["good-1"],
    judge: |world| {
        let mut wrong = unsaid(
            world,
            &[("Service", "greeter", "Ready", "True", ""), ("Pipeline", "greeter", "Released", "True", "")],
        );
        if let Some(service) = world.service(sample::SERVICES[1]) {
            let memory = world.definition(service.settings.text("taskDefinition"))["memory"].clone();
            if (service.desired, &memory) != (3, &json!("1024")) {
                wrong.push(format!("greeter wants {} tasks with {memory} MiB, not 3 with 1024", service.desired));
            }
        }
        [wrong, both_run(world, "good-1")].concat()
    },
};

/// A Service moves to Spot, and while ECS rolls that, somebody commits a setting that ECS refuses. The rollout is followed and
/// proved all the same; the setting is taken back.
pub const MOVED: Story = Story {
    name: "moved to spot, with a refused setting",
    after: After::Story(&releases::FIRST),
    script: &[
        Step {
            name: "the Service names a strategy of capacity providers in place of the launch type",
            when: always,
            later: 0,
            act: |world| {
                world.edit("Service", sample::SERVICES[1], |spec| {
                    let service = spec["service"].as_object_mut().expect("a Service that says how it runs");
                    service.remove("launchType");
                    service.insert("capacityProviderStrategy".to_owned(), spot());
                });
            },
        },
        Step {
            name: "a setting that ECS refuses is committed",
            when: |world| is_on_spot(world),
            later: 1,
            act: |world| world.edit("Service", sample::SERVICES[1], |spec| set_refused(spec, true)),
        },
        Step {
            name: "the setting is taken back",
            when: |world| {
                let said = |kind| world.said("Service", sample::SERVICES[1], kind);
                said("RolledOut").0 == "True" && said("InSync").0 == "False" && said("Stalled").0 == "True"
            },
            later: 20,
            act: |world| world.edit("Service", sample::SERVICES[1], |spec| set_refused(spec, false)),
        },
    ],
    order: &["good-1"],
    judge: |world| {
        let mut wrong = unsaid(world, &[("Service", "greeter", "Ready", "True", "")]);
        if !is_on_spot(world) {
            wrong.push("greeter does not run on Spot".to_owned());
        }
        [wrong, both_run(world, "good-1")].concat()
    },
};

fn spot() -> Value {
    json!([{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
}

fn is_on_spot(world: &World) -> bool {
    let strategy =
        world.service(sample::SERVICES[1]).map(|service| service.settings.member("capacityProviderStrategy").clone());
    strategy.is_some_and(|strategy| strategy[0]["capacityProvider"] == "FARGATE_SPOT")
}

/// Tasks are moved between zones by starting new ones first, which a maximum of 100 % forbids.
fn set_refused(spec: &mut Value, refused: bool) {
    let service = spec["service"].as_object_mut().expect("a Service that says how it runs");
    if refused {
        service.insert("availabilityZoneRebalancing".to_owned(), json!("ENABLED"));
        service
            .insert("deploymentConfiguration".to_owned(), json!({"maximumPercent": 100, "minimumHealthyPercent": 0}));
    } else {
        service.remove("availabilityZoneRebalancing");
        service.remove("deploymentConfiguration");
    }
}

/// Whether ECS rolls the memory that was edited, and the Service says that it rolls; or it is over, unseen.
fn is_rolling(world: &World) -> bool {
    let name = sample::SERVICES[1];
    let Some(service) = world.service(name) else { return false };
    let edited = world.definition(service.settings.text("taskDefinition"))["memory"] == "1024";
    let over = service.latest_rollout().is_some_and(|rollout| rollout.status.over());
    edited && (over || world.said("Service", name, "RolledOut").1 == "Rolling")
}

/// A person made the second stage's service, with much that no manifest says, and hands it over: it keeps all of it.
pub const HANDED_OVER: Story = Story {
    name: "handed over",
    after: After::Nothing,
    script: &[
        Step {
            name: "there is a service that a person made, and the manifests are applied",
            when: always,
            later: 0,
            act: |world| {
                make_by_hand(world);
                sample::push(world, "good-1");
                for manifest in [sample::aws_account(), sample::pipeline(), sample::service(0), bare(1)] {
                    world.store.apply_json(&manifest).expect("a manifest that is admitted");
                }
            },
        },
        Step {
            name: "the person hands the service over",
            when: |world| world.said("Service", sample::SERVICES[1], "Ready").1 == "NotOurs",
            later: 30,
            act: |world| {
                let Some(service) = world.service(sample::SERVICES[1]) else { return };
                let tags = json!({"resourceArn": service.arn, "tags": [owner_tag(sample::SERVICES[1])]});
                world.person("ecs:TagResource", &tags).expect("the person may set tags");
            },
        },
        Step { name: "the branch is looked at daily", when: settled, later: 60, act: RARELY.act },
    ],
    order: &["good-1"],
    judge: |world| {
        let mut wrong = unsaid(
            world,
            &[("Service", "greeter", "Ready", "True", ""), ("Pipeline", "greeter", "Released", "True", "")],
        );
        wrong.extend(lost(world));
        [wrong, both_run(world, "good-1")].concat()
    },
};

fn make_by_hand(world: &World) {
    world.admit_person();
    let made = world.person("ecs:RegisterTaskDefinition", &registered_by_hand()).expect("the person may register");
    let arn = made["taskDefinition"]["taskDefinitionArn"].as_str().unwrap_or_default();
    world.person("ecs:CreateService", &made_by_hand(arn)).expect("the person may create a service");
}

/// What the person asked for and the service has no more.
fn lost(world: &World) -> Vec<String> {
    let Some(service) = world.service(sample::SERVICES[1]) else { return vec!["the service is gone".to_owned()] };
    let asked = made_by_hand("");
    let members = asked.as_object().into_iter().flatten();
    let kept = members
        .filter(|(name, _)| !["cluster", "serviceName", "taskDefinition", "desiredCount"].contains(&name.as_str()));
    let mut wrong: Vec<String> = kept
        .filter(|(name, value)| !is_within(value, service.settings.member(name)))
        .map(|(name, value)| format!("{name} was {value}, and is {}", service.settings.member(name)))
        .collect();
    if service.desired != 3 {
        wrong.push(format!("there were 3 tasks, and are {}", service.desired));
    }
    wrong
}

/// Whether a value says all that another one does.
fn is_within(asked: &Value, there: &Value) -> bool {
    match (asked, there) {
        (Value::Object(asked), Value::Object(_)) => asked.iter().all(|(name, value)| is_within(value, &there[name])),
        (Value::Array(asked), Value::Array(there)) => {
            asked.len() == there.len() && asked.iter().zip(there).all(|(asked, there)| is_within(asked, there))
        }
        (_, _) => asked == there,
    }
}

/// The Service with literal images.
pub(super) const LITERAL: &str = "proxy";
/// What its two containers run.
pub(super) const LITERAL_RUNS: [&str; 1] = [SIDECAR];

/// Applies a Service of its own, whose images no Pipeline builds.
pub(super) fn apply_literal(world: &World) {
    world.store.apply_json(&literal(LITERAL, SIDECAR)).expect("a manifest that is admitted");
}

/// After a first release, a person asks for the same thing once more, and for it once more while that rolls.
pub const RESTARTED: Story = Story {
    name: "restarted, and once more",
    after: After::Story(&releases::FIRST),
    script: &[
        Step { name: "prod is restarted", when: always, later: 0, act: |world| restart(world, "rotated") },
        Step {
            name: "and once more, a while after that was done",
            when: |world| world.rollouts("greeter") == 2 && world.is("Service", "greeter", "Ready", "True"),
            later: 300,
            act: |world| restart(world, "rotated again"),
        },
    ],
    order: &["good-1"],
    judge: |world| {
        let mut wrong = unsaid(
            world,
            &[("Service", "greeter", "RolledOut", "True", ""), ("Pipeline", "greeter", "Released", "True", "")],
        );
        let rollouts = [world.rollouts("greeter"), world.rollouts("greeter-staging")];
        if rollouts != [3, 1] {
            wrong.push(format!("{rollouts:?} rollouts of prod and staging, not three and one"));
        }
        [wrong, both_run(world, "good-1")].concat()
    },
};

fn restart(world: &World, text: &str) {
    world.edit("Service", "greeter", |spec| spec["rollout"] = json!({"restart": text}));
}
