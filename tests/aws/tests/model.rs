//! What the committed models say, and what they do not let through.
#![allow(clippy::unwrap_used)]

use launchway_test_aws::model::{self, Misfit, Presence, Shape, misfit};
use serde_json::{Value, json};

fn register(input: Value) -> Option<Misfit> {
    misfit(model::input("RegisterTaskDefinition"), &input)
}

#[test]
fn members_are_found_by_their_paths() {
    let paths = model::input("RegisterTaskDefinition").paths();
    let Shape::Enum(protocol) = &paths["containerDefinitions[].portMappings[].protocol"] else { panic!("an enum") };
    assert_eq!(protocol.values, ["tcp", "udp"]);
    assert!(matches!(&paths["containerDefinitions[].dockerLabels"], Shape::Map(_)));
    assert!(matches!(paths["containerDefinitions[].cpu"], Shape::Integer));
    assert!(matches!(paths["cpu"], Shape::String));
    let shown = model::output("DescribeServices").paths();
    assert!(matches!(shown["services[].deployments[].createdAt"], Shape::Timestamp));
    assert_eq!(model::input("UpdateService").members["service"].presence, Presence::Required);
    assert_eq!(model::input("UpdateService").members["cluster"].presence, Presence::Optional);
}

#[test]
fn what_the_model_does_not_have_is_named_by_its_path() {
    let with = |container: Value| register(json!({"family": "web", "containerDefinitions": [container]}));
    assert_eq!(with(json!({"name": "app", "image": "app:1", "cpu": 10, "dockerLabels": {"any": "label"}})), None);
    assert_eq!(with(json!({"Name": "app"})), Some(Misfit::Unknown("containerDefinitions[0].Name".to_owned())));
    let told = |misfit: Option<Misfit>| misfit.unwrap().to_string();
    assert_eq!(told(with(json!({"cpu": "10"}))), "containerDefinitions[0].cpu should be an Integer, not a String");
    assert_eq!(told(with(json!({"cpu": 0.5}))), "containerDefinitions[0].cpu should be an Integer, not a Double");
    assert_eq!(
        told(with(json!({"portMappings": [{"protocol": "sctp"}]}))),
        "containerDefinitions[0].portMappings[0].protocol 'sctp' is not one of [tcp, udp]"
    );
    assert_eq!(
        told(with(json!({"secrets": [{"name": "A"}]}))),
        "containerDefinitions[0].secrets[0].valueFrom is required"
    );
    assert_eq!(told(register(json!({"family": "web"}))), "containerDefinitions is required");
}
