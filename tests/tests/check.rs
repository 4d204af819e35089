//! `launchway check`: it says that all works where it does, and names each right that is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::Api;
use kube::api::{Patch, PatchParams};
use launchway_test_aws::{Fault, When};
use launchway_tests::quickstart::{NAMESPACE, Options, Parts, chart};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_what_works_and_names_each_right_that_is_missing() {
    let parts = Parts::start(Options::default()).await.unwrap();
    let (well, screen) = parts.check().unwrap();
    assert!(well && screen.contains("there are none yet"), "{screen}");
    parts.apply_sample().await.unwrap();
    let (well, screen) = parts.check().unwrap();
    println!("{screen}");
    assert!(well && !screen.contains('✗'), "{screen}");
    for part in
        ["as system:serviceaccount:launchway-system:launchway", "account 123456789012", "us-east-2", "all 12 looks"]
    {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    let roles: Api<ClusterRole> = Api::all(parts.cluster.client());
    let mut role = roles.get("launchway").await.unwrap();
    for rule in role.rules.iter_mut().flatten() {
        rule.verbs.retain(|verb| verb != "patch");
    }
    role.rules.iter_mut().flatten().for_each(|rule| rule.verbs.push("get".to_owned()));
    let rules = json!({"rules": role.rules});
    roles.patch("launchway", &PatchParams::default(), &Patch::Merge(&rules)).await.unwrap();
    parts.aws.now().faults.add("codebuild:BatchGetBuilds", When::Always, Fault::Deny);
    let (well, screen) = parts.check().unwrap();
    println!("{screen}");
    assert!(!well, "{screen}");
    let lines: Vec<&str> = screen.lines().map(str::trim).collect();
    for line in ["may not patch ecsservices.launchway.dev", "may not patch releases.launchway.dev"] {
        assert_eq!(lines.iter().filter(|one| one.starts_with(line)).count(), 1, "{screen}");
    }
    let denied = lines.iter().find(|line| line.contains("codebuild:BatchGetBuilds")).expect(&screen);
    assert!(denied.contains("\"Action\": \"codebuild:BatchGetBuilds\""), "{screen}");
}

/// With the rights and the arguments that Helm renders, the lease among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_works_as_helm_installs_it_everywhere_and_in_some_namespaces() {
    for values in [json!({}), json!({"watchNamespaces": [NAMESPACE]})] {
        let (installed, _) = chart::by_helm("launchway-system", &values).unwrap();
        let parts = Parts::start(Options { installed: Some(installed), ..Options::default() }).await.unwrap();
        parts.apply_sample().await.unwrap();
        let (well, screen) = parts.check().unwrap();
        assert!(well && !screen.contains('✗'), "{values}:\n{screen}");
        assert!(screen.contains("launchway-system/launchway"), "{values}:\n{screen}");
    }
}

/// Whoever adds a right to the chart adds it to what is asked.
#[test]
fn it_asks_for_exactly_what_the_chart_grants() {
    let yaml = chart::rights("launchway-system", "launchway").unwrap();
    let role = yaml.split("---\n").find(|document| document.contains("kind: ClusterRole\n")).unwrap();
    let role: Value = serde_saphyr::from_str(role).unwrap();
    let mut granted: Vec<_> = role["rules"].as_array().unwrap().iter().flat_map(chart::rights_of).collect();
    let rights = launchway::check::RIGHTS.iter();
    let mut asked: Vec<_> = rights
        .flat_map(|(group, resource, verbs)| {
            verbs.iter().map(|verb| ((*group).to_owned(), (*resource).to_owned(), (*verb).to_owned()))
        })
        .collect();
    granted.sort();
    asked.sort();
    assert_eq!(asked, granted);
}
