//! Files in AWS's own JSON become Services as they stand: the real API server admits them, and every member reaches AWS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use launchway_test_kube::real;
use launchway_tests::corpus::{Entry, Verdict, read};
use launchway_tests::members::Request;
use launchway_tests::shape::repository;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn our_samples_are_admitted_and_reach_the_wire_whole() {
    let cluster = real::shared().await.unwrap();
    let outcomes = launchway_tests::corpus::judged(cluster, &read(&samples()).unwrap()).await.unwrap();
    let wrong: Vec<_> = outcomes.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Wrong(_))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let names: Vec<_> = outcomes.iter().filter(|(_, verdict)| matches!(verdict, Verdict::NotDriven(_))).collect();
    let refused: Vec<&str> = names.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(refused, ["blue-green", "code-deploy", "daemon"]);
}

#[test]
fn what_is_changed_before_a_file_is_applied_is_told() {
    let body = json!({"serviceName": "web", "cluster": "main", "role": null, "desiredCount": 2});
    let service = Entry { id: "web".to_owned(), request: Request::CreateService, body };
    let told = service.changes().join("; ");
    assert_eq!(Value::Object(service.said()), json!({"desiredCount": 2}));
    for name in ["serviceName", "cluster", "role", "made up"] {
        assert!(told.contains(name), "{name}: {told}");
    }
    let body = json!({"containerDefinitions": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:latest"}, {"name": "c"}]});
    let task = Entry { id: "web".to_owned(), request: Request::RegisterTaskDefinition, body };
    assert_eq!(task.changes(), [r#"the image "b:latest" becomes "b:1.0""#, r#"the image "" becomes "app:1.0""#]);
}

/// The page's own program, on files as people have them.
#[tokio::test(flavor = "multi_thread")]
async fn the_recipe_of_the_page_makes_a_service_that_is_admitted() {
    let page = std::fs::read_to_string(repository().join("docs/services.md")).unwrap();
    let program = page.split("--slurpfile service create-service.json '").nth(1).unwrap().split("' >").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let of = |id: &str| read(&samples()).unwrap().into_iter().find(|entry| entry.id == id).unwrap().body;
    let service = json!({"cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/Main", "serviceName": "Web_App",
        "taskDefinition": "web:7", "clientToken": "once", "desiredCount": 2, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        "loadBalancers": [{"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1",
            "containerName": "web", "containerPort": 8080}]});
    for (name, body) in [("task-definition.json", of("web-fargate")), ("create-service.json", service)] {
        std::fs::write(folder.path().join(name), body.to_string()).unwrap();
    }
    let args = ["-n", "--slurpfile", "task", "task-definition.json", "--slurpfile", "service", "create-service.json"];
    let output = match Command::new("jq").args(args).arg(program).current_dir(folder.path()).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("there is no jq here: the recipe was not tried");
            return;
        }
        output => output.unwrap(),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&made["metadata"]["name"], &made["spec"]["name"]), (&json!("web-app"), &json!("Web_App")));
    assert_eq!(made["spec"]["cluster"], "Main");
    assert_eq!(made["spec"]["taskDefinition"].get("family"), None);
    let told = launchway_tests::corpus::admitted(real::shared().await.unwrap(), &made).await.unwrap();
    assert!(told.is_ok(), "{told:?}");
}

fn samples() -> std::path::PathBuf {
    repository().join(Path::new("tests/tests/corpus"))
}
