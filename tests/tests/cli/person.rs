//! What a person changes with the plugin, as the API server has it afterwards.

use kube::api::ListParams;
use launchway_crds::{Pipeline, Release, Service};
use serde_json::{Value, json};

use crate::setting::{Place, cluster, commit, program};

/// The Releases of the namespace that are no Pipeline's, by their specs.
async fn manual(place: &Place) -> Vec<Value> {
    let all = place.api::<Release>().await.list(&ListParams::default()).await.unwrap();
    let specs = all.items.into_iter().map(|release| release.data["spec"].clone());
    specs.filter(|spec| spec["reason"] == "Manual").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_released_by_a_manual_release_and_a_release_is_retried_by_another() {
    let place = Place::new().await;
    let (code, out, err) = place.run(&["release", &commit('a')]).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("release.launchway.dev/greeter-manual-") && out.ends_with(" created\n"), "{out}");
    let follow = format!("To follow it: kubectl launchway wait {} --pipeline greeter -n {}\n", commit('a'), place.name);
    assert_eq!(err, follow);
    let wanted = json!({"pipeline": "greeter", "commit": commit('a'), "reason": "Manual"});
    assert_eq!(manual(&place).await, vec![wanted.clone(); 1]);

    place.release(7, 'a').await;
    for name in ["greeter-7", "release/greeter-7"] {
        assert_eq!(place.run(&["retry", name]).await.0, 0);
    }
    assert_eq!(manual(&place).await, vec![wanted; 3]);

    let (code, _, err) = place.run(&["release", "abc123"]).await;
    assert_eq!((code, err.starts_with("error: \"abc123\" is no full commit ID")), (1, true), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_are_several_pipelines_one_must_be_named() {
    let place = Place::new().await;
    let mut other = place.read::<Pipeline>("greeter").await;
    other["metadata"] = json!({"name": "other"});
    other["spec"]["stages"] = json!([{"name": "prod", "targets": [{"service": "other"}]}]);
    place.make::<Pipeline>(other).await;
    let (code, _, err) = place.run(&["release", &commit('a')]).await;
    assert_eq!((code, err.as_str()), (1, "error: name one with --pipeline: greeter, other\n"));
    assert_eq!(place.run(&["release", &commit('a'), "-p", "other"]).await.0, 0);
    assert_eq!(manual(&place).await[0]["pipeline"], "other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipeline_is_suspended_and_resumed() {
    let place = Place::new().await;
    for (verb, word, wanted) in [("suspend", "suspended", true), ("resume", "resumed", false)] {
        let said = format!("pipeline.launchway.dev/greeter {word}");
        assert_eq!(place.run(&[verb, "greeter"]).await, (0, format!("{said}\n"), String::new()));
        assert_eq!(place.read::<Pipeline>("greeter").await["spec"]["suspend"], wanted);
        assert_eq!(place.run(&[verb, "greeter"]).await.1, format!("{said} (no change)\n"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_retried_by_another_text_each_time_and_keeps_the_rest_of_its_spec() {
    let place = Place::new().await;
    let before = place.read::<Service>("greeter").await["spec"].clone();
    let mut texts = Vec::new();
    for name in ["greeter", "service/greeter"] {
        let (code, out, _) = place.run(&["retry", name]).await;
        assert_eq!((code, out.as_str()), (0, "ecsservice.launchway.dev/greeter retried\n"));
        let mut spec = place.read::<Service>("greeter").await["spec"].clone();
        texts.push(spec["rollout"].as_object_mut().unwrap().remove("retry").unwrap());
        assert_eq!(spec, before);
    }
    assert_ne!(texts[0], texts[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_finds_the_plugin_and_completes_it() {
    let place = Place::new().await;
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("kubectl_complete-launchway");
    let printed = place.command(&["completion", "kubectl"]).await.output().await.unwrap();
    std::fs::write(&script, printed.stdout).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let plugin = program().await.parent().unwrap();
    let path = format!("{}:{}:{}", plugin.display(), folder.path().display(), std::env::var("PATH").unwrap());
    let kubectl = async |args: &[&str]| {
        let mut command = tokio::process::Command::new(cluster().await.kubectl_path());
        command.args(args).env("PATH", &path).env("KUBECONFIG", cluster().await.kubeconfig());
        let output = command.output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let out = kubectl(&["launchway", "status", "-n", &place.name]).await;
    assert!(out.starts_with("○ pipeline/greeter"), "{out}");
    let out = kubectl(&["__complete", "launchway", "sus"]).await;
    assert!(out.starts_with("suspend\t"), "{out}");
    let out = kubectl(&["__complete", "launchway", "-n", &place.name, "status", ""]).await;
    assert!(out.starts_with("greeter\n"), "{out}");
}
