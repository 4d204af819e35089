//! Examples with every field set: what our types read and write back, and what the API server keeps.

use super::server::{Keep, Sender};
use super::table::{documents, schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

/// The examples of each kind, which together have every field.
pub const EXAMPLES: [(&str, &str); 5] = [
    ("AwsAccount", include_str!("full/awsaccounts.yaml")),
    ("Pipeline", include_str!("full/pipelines.yaml")),
    ("Release", include_str!("full/releases.yaml")),
    ("Service", include_str!("full/ecsservices.yaml")),
    ("LogRequest", include_str!("full/logrequests.yaml")),
];

/// Every field of a schema, as `.a.b[].c`.
fn fields(schema: &Value, place: &str, all: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        all.insert(format!("{place}.{name}"));
        fields(field, &format!("{place}.{name}"), all);
    }
    if schema["items"].is_object() {
        fields(&schema["items"], &format!("{place}[]"), all);
    }
}

/// Every field of a value, in the same words.
fn set_fields(value: &Value, place: &str, all: &mut BTreeSet<String>) {
    for (name, field) in value.as_object().into_iter().flatten() {
        all.insert(format!("{place}.{name}"));
        set_fields(field, &format!("{place}.{name}"), all);
    }
    for item in value.as_array().into_iter().flatten() {
        set_fields(item, &format!("{place}[]"), all);
    }
}

fn there_and_back<T: DeserializeOwned + Serialize>(example: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(example.clone()).unwrap()).unwrap()
}

#[test]
fn the_examples_have_every_field() {
    for (kind, yaml) in EXAMPLES {
        let (mut known, mut set) = (BTreeSet::new(), BTreeSet::new());
        fields(&schema(kind), "", &mut known);
        documents(yaml).iter().for_each(|example| set_fields(example, "", &mut set));
        let missing: Vec<&String> = known.difference(&set).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{kind}: fields that no example sets");
    }
}

#[test]
fn our_types_read_the_examples_and_write_them_back_the_same() {
    for (kind, yaml) in EXAMPLES {
        for example in documents(yaml) {
            macro_rules! by_kind {
                ($($known:ident),*) => {
                    match kind {
                        $(stringify!($known) => there_and_back::<launchway_crds::$known>(&example),)*
                        other => panic!("{other} has no type"),
                    }
                };
            }
            assert_eq!(launchway_crds::kinds!(by_kind), example, "{kind}");
        }
    }
}

#[tokio::test]
async fn the_api_server_keeps_all_of_the_examples() {
    let sender = Sender::new("full").await;
    for example in EXAMPLES.iter().flat_map(|(_, yaml)| documents(yaml)) {
        let mut stored = sender.create(&example, Keep::Stored).await.unwrap();
        assert_eq!(stored["status"]["observedGeneration"], -1, "a new object was not looked at yet");
        if example.get("status").is_some() {
            stored["status"] = example["status"].clone();
            stored = sender.replace_status(&stored).await.unwrap();
            assert_eq!(stored["status"], example["status"]);
        }
        assert_eq!(stored["spec"], example["spec"]);
    }
}

/// The YAML that newcomers are shown: in the README, in the documents, and as the sample of the quick start.
fn shown() -> Vec<Value> {
    let pages = [
        include_str!("../../../README.md"),
        include_str!("../../../docs/pipelines.md"),
        include_str!("../../../docs/services.md"),
        include_str!("../../../docs/real-account.md"),
    ];
    let blocks = pages.iter().flat_map(|page| page.split("```yaml\n").skip(1));
    let pages = blocks.map(|block| block.split("```").next().unwrap());
    let sample = [
        include_str!("../../sample/manifests/account.yaml"),
        include_str!("../../sample/manifests/pipeline.yaml"),
        include_str!("../../sample/manifests/service-staging.yaml"),
        include_str!("../../sample/manifests/service-prod.yaml"),
    ];
    let filled = |yaml: &str| {
        // The quick start's addresses are known once it runs.
        let addresses =
            [("${GIT_URL}", "http://127.0.0.1:3000/greeter.git"), ("${HEALTH_URL}", "http://127.0.0.1:3001")];
        addresses.iter().fold(yaml.to_owned(), |yaml, (name, address)| yaml.replace(name, address))
    };
    pages.chain(sample).flat_map(|yaml| documents(&filled(yaml))).collect()
}

#[tokio::test]
async fn what_newcomers_are_shown_is_admitted() {
    let sender = Sender::new("shown").await;
    let of_ours = shown().into_iter().filter(|manifest| manifest["apiVersion"] == "launchway.dev/v1alpha1");
    for mut manifest in of_ours {
        manifest["metadata"].as_object_mut().unwrap().remove("namespace");
        let answer = sender.create(&manifest, Keep::Judged).await;
        assert!(answer.is_ok(), "{manifest}: {:?}", answer.err());
    }
}
