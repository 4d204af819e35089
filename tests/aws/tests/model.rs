//! What the committed models say, and what they do not let through.
#![allow(clippy::unwrap_used)]

use launchway_test_aws::model::{self, Misfit, Presence, Shape, misfit};
use launchway_test_aws::{WireRequest, World};
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

/// What `service` says to a request of a user who may do everything; STS takes form fields.
fn asked(target: &str, body: &str) -> (u16, String) {
    let mut world = World::new(7);
    world.add_user("111122223333", "operator", "AKIAOPERATOR");
    let scope = "AWS4-HMAC-SHA256 Credential=AKIAOPERATOR/20260301/eu-central-1/any/aws4_request, SignedHeaders=host";
    let mut headers = vec![("authorization".to_owned(), scope.to_owned())];
    if !target.is_empty() {
        headers.push(("x-amz-target".to_owned(), target.to_owned()));
    }
    let now = "2026-03-01T12:00:00Z".parse().unwrap();
    let reply = world.answer(now, &WireRequest { headers, body: body.to_owned().into(), ..WireRequest::default() });
    (reply.status, String::from_utf8(reply.body.to_vec()).unwrap())
}

#[test]
fn every_service_refuses_what_its_model_does_not_have() {
    let ecr = "AmazonEC2ContainerRegistry_V20150921.DescribeImages";
    for (target, body, code) in [
        (ecr, r#"{"repositoryName": "web", "imageIDs": []}"#, "SerializationException"),
        (ecr, r#"{"repositoryName": "web", "filter": {"tagStatus": "SOME"}}"#, "InvalidParameterException"),
        ("Logs_20140328.GetLogEvents", r#"{"logStreamName": "a", "limit": "1"}"#, "SerializationException"),
        ("AmazonSSM.GetParameters", r#"{"Names": ["a"], "Decrypt": true}"#, "SerializationException"),
        ("", "Action=AssumeRole&Version=2011-06-15&RoleArn=a&RoleSessionName=b&Seconds=900", "ValidationError"),
        (
            "",
            "Action=AssumeRole&Version=2011-06-15&RoleArn=a&RoleSessionName=b&DurationSeconds=long",
            "ValidationError",
        ),
        ("", "Action=AssumeRole&Version=2011-06-15&RoleArn=a&RoleSessionName=b&Tags.member.1.Kee=c", "ValidationError"),
    ] {
        let (status, said) = asked(target, body);
        assert_eq!(status, 400, "{body}");
        assert!(said.contains(code), "{body}: {said}");
    }
}

#[test]
fn what_sts_does_not_play_is_refused_loudly() {
    let role = "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::111122223333:role/a&RoleSessionName=ab";
    for member in
        ["Policy={}", "Tags.member.1.Key=a&Tags.member.1.Value=b", "SerialNumber=123456789", "SourceIdentity=me"]
    {
        let (status, said) = asked("", &format!("{role}&{member}"));
        assert!(status == 400 && said.contains("The simulator does not know"), "{member}: {said}");
    }
}

#[test]
fn every_operation_of_every_model_takes_and_gives_something_that_is_known() {
    let all = model::operations();
    assert_eq!(all.iter().map(|(_, operations)| operations.len()).sum::<usize>(), 22 + 6 + 4 + 1 + 2 + 1);
    for (service, operation) in all.iter().flat_map(|(service, names)| names.iter().map(move |name| (service, name))) {
        assert!(model::find(service, operation).is_some() && model::given_by(service, operation).is_some());
    }
}
