//! What people type and see: apply, explain, get.

use super::full::EXAMPLES;
use super::server::{Keep, Sender, cluster};
use super::table::{base, documents, set};
use launchway::key::Kind;
use serde_json::{Value, json};

async fn kubectl(args: &[&str]) -> (bool, String) {
    let output = cluster().await.kubectl(args).await.unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), text)
}

/// What is said to a manifest that a person applies.
async fn applied(yaml: &str, how: &[&str]) -> (bool, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), yaml).unwrap();
    let args = ["apply", "--validate=strict", "-f", file.path().to_str().unwrap()];
    kubectl(&args.iter().chain(how).copied().collect::<Vec<_>>()).await
}

#[tokio::test]
async fn the_examples_can_be_applied_strictly() {
    for (_, yaml) in EXAMPLES {
        let (done, told) = applied(yaml, &["--dry-run=server"]).await;
        assert!(done, "{told}");
    }
}

#[tokio::test]
async fn an_example_with_every_part_can_be_applied() {
    let (done, told) = applied(include_str!("example.yaml"), &["--dry-run=server"]).await;
    assert!(done && told.lines().count() == 3, "{told}");
}

#[tokio::test]
async fn every_kind_explains_itself() {
    for kind in ["awsaccount", "lwp", "lwr", "esvc"] {
        let (done, told) = kubectl(&["explain", kind]).await;
        assert!(done && !told.contains("Auto-generated") && !told.contains("<empty>"), "{told}");
        let (done, told) = kubectl(&["explain", kind, "--recursive"]).await;
        assert!(done && told.contains("observedGeneration"), "{told}");
    }
    let (_, told) = kubectl(&["explain", "lwp.spec.source.git.interval"]).await;
    assert!(told.contains("How often the repository is looked at, 10s to 24h. Default: 1m."), "{told}");
}

#[tokio::test]
async fn get_launchway_shows_every_kind_with_its_columns() {
    let sender = Sender::new("columns").await;
    for kind in Kind::ALL.iter().map(|kind| kind.name()) {
        let mut manifest = base(&kind);
        manifest["metadata"]["name"] = json!("columns");
        let mut stored = sender.create(&manifest, Keep::Stored).await.unwrap();
        let example = documents(EXAMPLES.iter().find(|(known, _)| **known == *kind).unwrap().1).remove(0);
        stored["status"] = example["status"].clone();
        sender.replace_status(&stored).await.unwrap();
    }
    let (done, told) = kubectl(&["get", "launchway", "-A"]).await;
    let lines: Vec<String> = told.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let namespace = sender.namespace();
    for expected in [
        "NAME READY ACCOUNT REASON AGE".to_owned(),
        "awsaccount.launchway.dev/columns True 123456789012 Ready".to_owned(),
        "NAMESPACE NAME READY RELEASED COMMIT STAGE REASON AGE".to_owned(),
        format!("{namespace} pipeline.launchway.dev/columns True True 0123456789ab prod Verified"),
        format!("{namespace} release.launchway.dev/columns False 0123456789ab build BuildFailed"),
        "NAMESPACE NAME READY ROLLEDOUT COMMIT STAGE REASON AGE".to_owned(),
        format!("{namespace} service.launchway.dev/columns False False 0123456789ab prod RolledBack"),
    ] {
        let is_there = lines.iter().any(|line| line.starts_with(&expected) || line.ends_with(&expected));
        assert!(done && is_there, "{expected}\n{told}");
    }
}

#[tokio::test]
async fn what_yaml_takes_for_something_else_is_told_with_the_field() {
    let variable = "spec.checks.0.codeBuild.environment.0.value";
    for (path, written) in [
        (variable, "yes"),
        (variable, "1.10"),
        (variable, "0777"),
        ("spec.source.git.interval", "60"),
        ("spec.source.git.branch", "on"),
        ("spec.stages.0.targets.0.service", "n"),
    ] {
        let mut manifest = base("Pipeline");
        set(&mut manifest, path, json!("HERE"));
        // It reaches kubectl as it was written: another reader of YAML makes something else of it.
        let yaml = manifest.to_string().replace("\"HERE\"", written);
        let (done, told) = applied(&yaml, &["--dry-run=server"]).await;
        let field = path.rsplit('.').next().unwrap();
        assert!(!done && told.contains(field) && told.contains("must be of type string"), "{written}: {told}");
    }
}

#[tokio::test]
async fn a_template_that_leaves_a_null_behind_is_admitted() {
    let sender = Sender::new("nulls").await;
    let mut pipeline = base("Pipeline");
    pipeline["spec"]["account"] = Value::Null;
    pipeline["spec"]["source"]["git"]["interval"] = Value::Null;
    pipeline["spec"]["build"]["codeBuild"]["buildspec"] = Value::Null;
    let stored = sender.create(&pipeline, Keep::Judged).await.unwrap();
    assert_eq!(stored["spec"]["source"]["git"]["interval"], "1m");
    let read: launchway_crds::Pipeline = serde_json::from_value(stored).unwrap();
    assert_eq!((read.spec.account, read.spec.build.unwrap().code_build.unwrap().buildspec), (None, None));
    let mut service = base("Service");
    service["spec"]["taskDefinition"]["containerDefinitions"][0]["imageFrom"] = Value::Null;
    service["spec"]["service"]["healthCheckGracePeriodSeconds"] = Value::Null;
    // Words to choose from, sizes and what has a rule of its own.
    service["spec"]["service"]["launchType"] = Value::Null;
    service["spec"]["service"]["capacityProviderStrategy"] = json!([{"capacityProvider": "FARGATE"}]);
    service["spec"]["service"]["platformVersion"] = Value::Null;
    service["spec"]["taskDefinition"]["runtimePlatform"] = json!({"cpuArchitecture": null});
    service["spec"]["taskDefinition"]["cpu"] = Value::Null;
    service["spec"]["taskDefinition"]["requiresCompatibilities"] = Value::Null;
    service["spec"]["taskDefinition"]["containerDefinitions"][0]["dockerLabels"] = Value::Null;
    let stored = sender.create(&service, Keep::Judged).await.unwrap();
    let read: launchway_crds::Service = serde_json::from_value(stored).unwrap();
    assert_eq!(read.spec.service.unwrap().launch_type, None);
    cluster().await.apply_in(sender.namespace(), &service.to_string()).await.unwrap();
}

#[tokio::test]
async fn who_writes_another_word_is_told_those_that_there_are() {
    let sender = Sender::new("words").await;
    let mut service = base("Service");
    service["spec"]["service"]["launchType"] = json!("fargate");
    let told = sender.create(&service, Keep::Judged).await.unwrap_err().message;
    assert!(told.contains(r#"supported values: "EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES""#), "{told}");
    assert!(!told.contains(r#""null""#) && !told.contains(r#""MANAGED_INSTANCES", null"#), "{told}");
    let (_, told) = kubectl(&["explain", "ecsservice.spec.service.launchType"]).await;
    assert!(told.contains("MANAGED_INSTANCES") && !told.contains("no value"), "{told}");
}

#[tokio::test]
async fn the_order_of_stages_is_the_one_that_was_applied_last() {
    let cluster = cluster().await;
    let sender = Sender::new("order").await;
    let stage = |name: &str| json!({"name": name, "targets": [{"service": name}]});
    for order in [["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]] {
        let mut manifest = base("Pipeline");
        manifest["spec"]["stages"] = order.map(stage).into();
        cluster.apply_in(sender.namespace(), &manifest.to_string()).await.unwrap();
        let columns = "jsonpath={.spec.stages[*].name}";
        let (_, told) = kubectl(&["get", "lwp", "base", "-n", sender.namespace(), "-o", columns]).await;
        assert_eq!(told, order.join(" "));
    }
}
