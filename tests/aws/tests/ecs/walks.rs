//! Random walks: whatever users and faults do, the world keeps its own laws.

use aws_sdk_ecs::types::{DeploymentConfiguration, ServiceDeploymentStatus as Status};
use launchway_test_aws::ecs::{DeploymentStatus, Service};

use crate::stage::{Stage, network, place};

const IMAGES: &[&str] = &["app:1", "app:2", "crash", "slow", "unhealthy"];

async fn step(stage: &Stage, rng: &mut fastrand::Rng, definitions: &[String]) {
    let update = stage.ecs().update_service().cluster("prod").service("web");
    match rng.u8(0..8) {
        0 | 1 => drop(update.task_definition(&definitions[rng.usize(..definitions.len())]).send().await),
        2 => drop(update.desired_count(rng.i32(0..6)).send().await),
        3 => drop(update.force_new_deployment(true).send().await),
        4 => {
            let (minimum, maximum) = [(100, 200), (0, 100), (50, 150)][rng.usize(..3)];
            let configuration =
                DeploymentConfiguration::builder().minimum_healthy_percent(minimum).maximum_percent(maximum);
            drop(update.deployment_configuration(configuration.build()).send().await);
        }
        5 => {
            let arn = stage.service().await.current_service_deployment().unwrap_or("none").to_owned();
            drop(stage.ecs().stop_service_deployment().service_deployment_arn(arn).send().await);
        }
        6 => {
            let listed = stage.ecs().list_tasks().cluster("prod").service_name("web").send().await.unwrap();
            if let Some(task) = listed.task_arns().first() {
                drop(stage.ecs().stop_task().cluster("prod").task(task).send().await);
            }
        }
        _ => drop(update.network_configuration(network()).send().await),
    }
}

fn lawful(service: &Service, seed: u64) {
    let primaries =
        service.deployments.iter().filter(|deployment| deployment.status == DeploymentStatus::Primary).count();
    assert_eq!(primaries, 1, "seed {seed}");
    let mut numbers: Vec<u64> = service.deployments.iter().map(|deployment| deployment.number).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), service.deployments.len(), "seed {seed}");
    let under_way = service
        .rollouts
        .iter()
        .rev()
        .skip(1)
        .filter(|rollout| !rollout.status.over() && rollout.status.name() != "STOP_REQUESTED");
    assert_eq!(under_way.count(), 0, "seed {seed}: only the newest rollout goes on");
}

async fn walk(seed: u64, cut: i64) -> (Stage, String) {
    let (stage, mut rng) = (Stage::new(), fastrand::Rng::with_seed(seed));
    stage.steady("app").await;
    let mut definitions = Vec::new();
    for image in IMAGES {
        definitions.push(stage.register(image).await);
    }
    for _ in 0..25 {
        let pause = rng.i64(0..12) * 20;
        for _ in 0..pause / cut {
            stage.wait(cut);
        }
        step(&stage, &mut rng, &definitions).await;
        lawful(stage.lock().ecs[&place()].service("prod", "web").unwrap(), seed);
    }
    let seen = format!("{:?}{:?}", stage.service().await, stage.rollouts().await);
    (stage, seen)
}

#[tokio::test]
async fn the_laws_hold_and_time_can_be_cut_anyhow() {
    for seed in 0..40 {
        let ((_, coarse), (_, fine)) = (walk(seed, 20).await, walk(seed, 1).await);
        assert_eq!(coarse, fine, "seed {seed}");
    }
}

#[tokio::test]
async fn after_any_walk_a_good_commit_is_rolled_out_in_the_end() {
    for seed in 0..40 {
        let (stage, _) = walk(seed, 20).await;
        let good = stage.register("app:9").await;
        let usual = DeploymentConfiguration::builder().minimum_healthy_percent(100).maximum_percent(200).build();
        let update =
            stage.ecs().update_service().cluster("prod").service("web").task_definition(&good).desired_count(2);
        update.deployment_configuration(usual).send().await.unwrap();
        stage.wait(900);
        let service = stage.service().await;
        assert_eq!((service.running_count(), service.deployments().len()), (2, 1), "seed {seed}");
        assert_eq!(service.task_definition(), Some(good.as_str()), "seed {seed}");
        assert_eq!(stage.rollouts().await[0].status(), Some(&Status::Successful), "seed {seed}");
    }
}
