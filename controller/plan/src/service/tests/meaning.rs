//! Meanings are pinned: a hash that changes here rolls the services of everybody who upgrades, or lets what was held roll
//! again. If a rule has to change, `meaning::VERSION` grows, and these hashes with it.

use crate::samples::ecs::service;
use crate::samples::{account, at};
use crate::service::canonical;
use crate::service::meaning::{Meaning, VERSION};
use crate::service::wanted::resolve;
use crate::service::{Desired, Observed, Wanted};
use launchway_crds::service::TaskDefinitionStatus;
use serde_json::{Value, json};

/// Of a Service that an earlier version rolled out, in a family of that version's form.
fn wanted(spec: &Value) -> Wanted {
    let arn = "arn:aws:ecs:us-east-2:123456789012:task-definition/inst-shop-web:7".to_owned();
    let recorded = [TaskDefinitionStatus { meaning: "v1-0".to_owned(), arn }];
    let desired = Desired::parse(&service(spec));
    resolve(&desired, &recorded, &Observed::at(at(0), account(), None), "inst").unwrap()
}

fn meaning(spec: &Value) -> String {
    wanted(spec).meaning.to_string()
}

fn container(more: Value) -> Value {
    let base = json!({"name": "web", "image": "nginx:1.27", "portMappings": [{"containerPort": 80}]});
    json!({"taskDefinition": {"containerDefinitions": [crate::samples::over(base, &more)]}})
}

fn task(more: Value) -> Value {
    json!({"taskDefinition": more})
}

fn ecs(more: Value) -> Value {
    json!({"service": more})
}

/// Specs that say different things.
fn specs() -> Vec<Value> {
    let logs = json!({"logDriver": "awslogs", "options": {"awslogs-group": "web", "awslogs-region": "us-east-2"}});
    let efs = json!([{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]);
    vec![
        json!({}),
        task(json!({"cpu": "512", "memory": "1024"})),
        task(json!({"family": "other"})),
        task(json!({"taskRoleArn": "app"})),
        task(json!({"volumes": efs})),
        task(json!({"runtimePlatform": {"cpuArchitecture": "ARM64"}})),
        task(json!({"ephemeralStorage": {"sizeInGiB": 30}})),
        task(json!({"pidMode": "task"})),
        task(json!({"tags": [{"key": "team", "value": "shop"}]})),
        task(json!({"enableFaultInjection": true})),
        container(json!({"image": "nginx:1.28"})),
        container(json!({"essential": true, "cpu": 128})),
        container(json!({"memoryReservation": 128})),
        container(json!({"command": ["a", "b"]})),
        container(json!({"command": ["b", "a"]})),
        container(json!({"entryPoint": ["/bin/sh"]})),
        container(json!({"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]})),
        container(json!({"environment": [{"name": "A", "value": "2"}, {"name": "B", "value": "1"}]})),
        container(json!({"secrets": [{"name": "A", "valueFrom": "/a"}]})),
        container(json!({"logConfiguration": logs})),
        container(json!({"healthCheck": {"command": ["CMD-SHELL", "true"]}})),
        container(json!({"healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 10}})),
        container(json!({"portMappings": [{"containerPort": 80, "name": "http", "appProtocol": "http"}]})),
        container(json!({"mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]})),
        container(json!({"linuxParameters": {"initProcessEnabled": true}})),
        container(json!({"ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]})),
        container(json!({"dockerLabels": {"a": "b"}})),
        container(json!({"readonlyRootFilesystem": true})),
        container(json!({"stopTimeout": 60, "user": "1000"})),
        container(json!({"restartPolicy": {"enabled": true}})),
        ecs(json!({"platformVersion": "1.4.0"})),
        ecs(json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-2", "subnet-3"]}}})),
        ecs(json!({"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}}})),
        ecs(json!({"loadBalancers": [{"targetGroupArn": "tg-1", "containerName": "web", "containerPort": 80}]})),
        ecs(json!({"serviceRegistries": [{"registryArn": "r-1"}]})),
        ecs(json!({"serviceConnectConfiguration": {"enabled": true, "namespace": "shop"}})),
    ]
}

#[test]
fn the_meanings_of_known_specs_do_not_change() {
    let hashes: Vec<String> = specs().iter().map(meaning).collect();
    insta::assert_snapshot!(hashes.join("\n"));
}

#[test]
fn specs_that_say_different_things_mean_different_things() {
    let mut all: Vec<String> = specs().iter().map(meaning).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), specs().len());
}

#[test]
fn absent_empty_and_awss_default_are_one() {
    let pairs = [
        (container(json!({})), container(json!({"essential": true, "cpu": 0, "environment": [], "command": []}))),
        (container(json!({})), container(json!({"versionConsistency": "enabled", "privileged": false}))),
        (
            container(json!({})),
            container(json!({"portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]})),
        ),
        (container(json!({})), container(json!({"portMappings": [{"containerPort": 80, "hostPort": 0}]}))),
        (
            container(json!({"healthCheck": {"command": ["CMD", "true"]}})),
            container(
                json!({"healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}}),
            ),
        ),
        (
            json!({}),
            task(json!({"cpu": 256, "memory": "0.5 GB", "volumes": [], "tags": [], "placementConstraints": []})),
        ),
        (
            json!({}),
            task(
                json!({"cpu": ".25 vCPU", "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}}),
            ),
        ),
        (json!({}), ecs(json!({"platformVersion": "LATEST"}))),
        (
            task(json!({"volumes": [{"name": "a", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]})),
            task(json!({"volumes": [{"name": "a", "host": {}, "efsVolumeConfiguration": {"fileSystemId": "fs-1",
                "rootDirectory": "/", "transitEncryption": "DISABLED"}}]})),
        ),
    ];
    for (one, other) in pairs {
        assert_eq!(meaning(&one), meaning(&other), "{one} {other}");
    }
}

#[test]
fn nothing_with_a_sign_is_no_size() {
    assert_eq!(canonical::size("-0 vCPU", "vcpu", 1024.0), None);
    assert_eq!(canonical::size("0 vCPU", "vcpu", 1024.0).as_deref(), Some("0"));
}

#[test]
fn order_matters_only_where_it_does_to_aws() {
    let two = |first: &str, second: &str| {
        let of = |name: &str| json!({"name": name, "value": "x"});
        container(json!({"environment": [of(first), of(second)]}))
    };
    assert_eq!(meaning(&two("A", "B")), meaning(&two("B", "A")));
    let servers = |first: &str, second: &str| container(json!({"dnsServers": [first, second]}));
    assert_ne!(meaning(&servers("10.0.0.1", "10.0.0.2")), meaning(&servers("10.0.0.2", "10.0.0.1")));
    let subnets = |first: &str, second: &str| {
        ecs(json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": [first, second]}}}))
    };
    assert_eq!(meaning(&subnets("subnet-1", "subnet-2")), meaning(&subnets("subnet-2", "subnet-1")));
}

#[test]
fn what_starts_no_rollout_is_no_part_of_the_meaning() {
    let settings = ecs(json!({"desiredCount": 7, "enableExecuteCommand": true, "tags": [{"key": "a", "value": "b"}],
        "deploymentConfiguration": {"maximumPercent": 150}}));
    assert_eq!(meaning(&settings), meaning(&json!({})));
}

#[test]
fn a_meaning_is_read_back_as_it_was_written() {
    let meaning = wanted(&json!({})).meaning;
    assert_eq!(Meaning::parse(&meaning.to_string()), Some(meaning.clone()));
    assert!(meaning.is_comparable() && meaning.version == VERSION);
    for foreign in ["v0-abc", "v2-abc"] {
        assert!(!Meaning::parse(foreign).unwrap().is_comparable());
    }
    for none in ["", "v1", "1-abc", "vx-abc"] {
        assert_eq!(Meaning::parse(none), None);
    }
}

#[test]
fn a_text_does_not_depend_on_the_order_of_members() {
    let one: Value = serde_json::from_str(r#"{"b": [1, {"d": 1, "c": "x"}], "a": null}"#).unwrap();
    let other: Value = serde_json::from_str(r#"{"a": null, "b": [1, {"c": "x", "d": 1}]}"#).unwrap();
    assert_eq!(canonical::text(&one), canonical::text(&other));
}
