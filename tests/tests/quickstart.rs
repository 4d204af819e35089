//! The quick start's stories, on the real parts: a Kubernetes API server, git, and the controller as a process of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use kube::Api;
use kube::api::ListParams;
use launchway_crds::LogRequest;
use launchway_tests::quickstart::{NAMESPACE, Options, Parts, aws, play, plugin};

/// Two minutes on two idle cores; nothing that ends well takes longer on a busy machine.
const DEADLINE: Duration = Duration::from_secs(600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_story_of_the_quick_start_ends_as_it_should() {
    let parts = Parts::start(Options::default()).await.unwrap();
    let played = tokio::time::timeout(DEADLINE, parts.unless_ended(play(&parts))).await;
    played.expect("the stories end in time").unwrap();
    whoever_may_reads_the_logs_of_what_failed_and_nobody_else(&parts).await;
}

/// The plugin with those arguments, as somebody who has that role in the sample's namespace, or else as the cluster's administrator.
async fn ran(parts: &Parts, role: Option<&str>, args: &[&str]) -> (bool, String, String) {
    let kubeconfig = match role {
        None => parts.cluster.kubeconfig(),
        Some(role) => {
            let account = format!(
                "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: {role}}}}}\n---\n{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: {role}}}, roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}, subjects: [{{kind: ServiceAccount, name: {role}, namespace: {NAMESPACE}}}]}}"
            );
            parts.cluster.apply_in(NAMESPACE, &account).await.unwrap();
            parts.cluster.kubeconfig_for_service_account(NAMESPACE, role).await.unwrap()
        }
    };
    let program = plugin::program().await.unwrap();
    let output = plugin::run(&program, &kubeconfig, args).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// What the streams of a log group hold, each with its line ends.
fn streams(parts: &Parts, group: &str) -> Vec<String> {
    let world = parts.aws.now();
    let logs = &world.logs[&aws::place()];
    let all = logs.streams(group).map(|name| logs.events(group, name).unwrap());
    all.map(|events| events.iter().map(|event| format!("{}\n", event.message.trim_end())).collect()).collect()
}

/// Without the line that names CodeBuild's folder in one word as long as a key: it is hidden.
fn plain(log: &str) -> Vec<&str> {
    log.lines().filter(|line| !line.contains("CODEBUILD_SRC_DIR=") && !line.ends_with("[hidden]")).collect()
}

async fn whoever_may_reads_the_logs_of_what_failed_and_nobody_else(parts: &Parts) {
    let [build, container] = plugin::LOGS;
    let (ended, log, about) = ran(parts, None, build).await;
    assert!(ended && about.contains("(step build)") && log.contains("the greeting is empty"), "{log}\n{about}");
    let written = |group: &str, log: &str| streams(parts, group).iter().any(|whole| plain(whole) == plain(log));
    assert!(written("/aws/codebuild/demo-greeter", &log), "not the whole log: {log}");
    let (ended, log, about) = ran(parts, None, container).await;
    assert!(ended && about.contains("container greeter of task"), "{about}");
    assert_eq!(log, "settings.json: there is no port\n");
    let (ended, log, _) = ran(parts, Some("launchway-logs"), &[build, &["--step", "syntax"]].concat()).await;
    assert!(ended && written("/aws/codebuild/demo-greeter-checks", &log), "{log}");
    let refused = |(ended, log, why): (bool, String, String), part: &str| {
        assert!(!ended && log.is_empty() && why.contains(part), "{why}");
    };
    refused(ran(parts, Some("launchway-view"), build).await, "Error from server (Forbidden): logrequests");
    refused(ran(parts, None, &[build, &["--step", "lint"]].concat()).await, "its steps are syntax, build");
    refused(ran(parts, None, &["logs", "service/greeter-prod"]).await, "no task of Service greeter-prod is known");
    refused(ran(parts, None, &["logs", "release/none"]).await, "there is no Release none");
    refused(ran(parts, None, &["logs", "none"]).await, "(NotFound)");
    let left: Api<LogRequest> = Api::namespaced(parts.cluster.client(), NAMESPACE);
    assert_eq!(left.list(&ListParams::default()).await.unwrap().items.len(), 0, "the plugin takes its requests away");
}
