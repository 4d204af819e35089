//! What goes wrong, in kubectl's words.

use std::net::TcpListener;

use crate::setting::{Place, cluster, command, commit, ended};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_named_as_kubectl_names_it() {
    let place = Place::new().await;
    let missing = "Error from server (NotFound): pipelines.launchway.dev \"x\" not found\n";
    let commit = commit('a');
    let all: [&[&str]; 5] =
        [&["status", "x"], &["releases", "x"], &["suspend", "x"], &["resume", "x"], &["release", &commit, "-p", "x"]];
    for args in all {
        assert_eq!(place.run(args).await, (1, String::new(), missing.to_owned()), "{args:?}");
    }
    let (code, _, err) = place.run(&["retry", "x"]).await;
    assert_eq!(code, 1);
    assert!(err.starts_with("Error from server (NotFound): ecsservices.launchway.dev \"x\" not found"), "{err}");
    let (code, _, err) = place.run(&["status", "--context", "x"]).await;
    assert_eq!((code, err.as_str()), (1, "error: context \"x\" does not exist\n"));
    let (code, _, err) = place.run(&["status", "--kubeconfig", "/nowhere/config"]).await;
    assert_eq!((code, err.starts_with("error: /nowhere/config: ")), (1, true), "{err}");
    let (code, _, err) = place.run(&["explain", "RoledBack"]).await;
    assert_eq!((code, err.contains("nearest: RolledBack")), (1, true), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_without_pipelines_is_no_error() {
    let empty = cluster().await.namespace("empty").await.unwrap();
    let output = command(cluster().await.kubeconfig(), &["status", "-n", &empty]).await.output().await.unwrap();
    assert_eq!(ended(output), (0, String::new(), format!("No resources found in {empty} namespace.\n")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_rights_is_told_so_and_one_may_ask_as_another() {
    let place = Place::new().await;
    let nobody =
        format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: nobody, namespace: {}}}\n", place.name);
    cluster().await.apply(&nobody).await.unwrap();
    let kubeconfig = cluster().await.kubeconfig_for_service_account(&place.name, "nobody").await.unwrap();
    // The namespace is that of the context.
    let output = command(kubeconfig, &["status"]).await.output().await.unwrap();
    let (code, _, err) = ended(output);
    let user = format!("system:serviceaccount:{}:nobody", place.name);
    let words = format!(
        "Error from server (Forbidden): pipelines.launchway.dev is forbidden: User \"{user}\" cannot list resource \"pipelines\""
    );
    assert!(
        code == 1 && err.starts_with(&words) && err.contains(&format!("in the namespace \"{}\"", place.name)),
        "{err}"
    );

    let (code, _, err) = place.run(&["status", "--as", &user]).await;
    assert!(code == 1 && err.starts_with(&words), "{err}");
    assert_eq!(place.run(&["status", "--as", "jane", "--as-group", "system:masters"]).await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("config");
    let real = std::fs::read_to_string(cluster().await.kubeconfig()).unwrap();
    std::fs::write(&kubeconfig, real.replace(cluster().await.url(), &format!("https://{free}"))).unwrap();
    let output = command(kubeconfig, &["status"]).await.output().await.unwrap();
    let words = format!("The connection to the server {free} was refused - did you specify the right host or port?\n");
    assert_eq!(ended(output), (1, String::new(), words));
}
