//! Launchway as Helm installs it, with two replicas: a commit becomes a rollout, the definitions are upgraded under it, and the
//! node of the leader is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use kube::Api;
use kube::api::{Patch, PatchParams};
use launchway_crds::AwsAccount;
use launchway_tests::git::sample;
use launchway_tests::quickstart::{Options, Parts, Program, STAGES, chart, first_release, next_release, service};
use serde_json::{Value, json};

/// A field that came later.
const NEW: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/budget/properties";

/// The variable that names the OCI layout of an image, from the workspace's folder, whose program is run in its own file system.
/// Absent: the program of this source.
const IMAGE: &str = "IMAGE";

fn program() -> Program {
    let layout = std::env::var_os(IMAGE).map(|layout| launchway_image::workspace().unwrap().join(layout));
    layout.map_or(Program::Built, Program::Image)
}

/// The definitions as they were before that field.
fn older(definitions: &str) -> String {
    let documents = definitions.split("---\n").map(|text| {
        let mut definition: Value = serde_saphyr::from_str(text).unwrap();
        if let Some(fields) = definition.pointer_mut(NEW) {
            assert!(fields.as_object_mut().unwrap().remove("perNamespace").is_some());
        }
        definition.to_string()
    });
    documents.collect::<Vec<_>>().join("\n---\n")
}

/// Sets the field, and what is there then.
async fn bounded(parts: &Parts) -> Option<i32> {
    let accounts: Api<AwsAccount> = Api::all(parts.cluster.client());
    let bound = json!({"spec": {"budget": {"perNamespace": {"builds": 5}}}});
    let account = accounts.patch("default", &PatchParams::default(), &Patch::Merge(&bound)).await.unwrap();
    account.spec.budget?.per_namespace?.builds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_upgraded_and_loses_its_leader_and_nothing_is_done_twice() {
    let (mut installed, _) = chart::by_helm("launchway-system", &json!({})).unwrap();
    let newer = installed.definitions.clone();
    installed.definitions = older(&newer);
    let options = Options { program: program(), installed: Some(installed), ..Options::default() };
    let mut parts = Parts::start(options).await.unwrap();
    parts.begin_another().await.unwrap();
    parts.apply_sample().await.unwrap();
    first_release(&parts, &parts.head().unwrap()).await.unwrap();

    assert_eq!(bounded(&parts).await, None, "the older definitions do not know the field");
    parts.cluster.apply(&newer).await.unwrap();
    assert_eq!(bounded(&parts).await, Some(5));

    let clone = parts.clone_sample().await.unwrap();
    let commit = clone.push("Say ahoy", &sample::greeting("Ahoy")).await.unwrap();
    while parts.aws.builds(&commit).is_empty() {
        tokio::task::yield_now().await;
    }
    let lost = Instant::now();
    parts.lose_first().unwrap();
    if let Err(error) = next_release(&parts, &commit).await {
        let log = std::fs::read_to_string(parts.folder().join("controller-1.log")).unwrap();
        let said = parts.kubectl("get lwp,lwr,esvc -o wide").await.unwrap();
        panic!("{error:#}\n{said}\n{log}");
    }
    println!(
        "from the loss of the leader until the commit that was being built is released: {:.1} s",
        lost.elapsed().as_secs_f32()
    );
    for stage in STAGES {
        assert_eq!(parts.aws.rollouts(&service(stage)).len(), 2, "one for each commit");
    }
}
