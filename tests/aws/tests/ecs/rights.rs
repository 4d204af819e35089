//! Who may what: roles that are assumed, policies that are enforced, and the record of what was used.

use aws_sdk_ecs::config::Credentials;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::{BehaviorVersion, Region};
use serde_json::json;

use crate::stage::{KEY, REGION, Stage};

pub fn sts(stage: &Stage, key: &str) -> aws_sdk_sts::Client {
    sts_as(stage, Credentials::new(key, "secret", None, None, "test"))
}

pub fn sts_as(stage: &Stage, credentials: Credentials) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .http_client(stage.connector())
        .build();
    aws_sdk_sts::Client::from_conf(config)
}

async fn assumed(stage: &Stage, role: &str, external: Option<&str>) -> Result<Credentials, String> {
    let request = sts(stage, KEY)
        .assume_role()
        .role_arn(role)
        .role_session_name("launchway")
        .set_external_id(external.map(str::to_owned));
    match request.send().await {
        Ok(reply) => {
            let session = reply.credentials().unwrap();
            Ok(Credentials::new(
                session.access_key_id(),
                session.secret_access_key(),
                Some(session.session_token().to_owned()),
                None,
                "test",
            ))
        }
        Err(refused) => Err(refused.code().unwrap().to_owned()),
    }
}

#[tokio::test]
async fn the_caller_is_told_who_it_is() {
    let stage = Stage::new();
    let identity = sts(&stage, KEY).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some("arn:aws:iam::111122223333:user/operator"));
    assert_eq!(
        sts(&stage, "AKIANOBODY").get_caller_identity().send().await.unwrap_err().code(),
        Some("InvalidClientTokenId")
    );
}

#[tokio::test]
async fn an_unknown_key_and_an_expired_session_are_turned_away() {
    let stage = Stage::new();
    let nobody = stage.ecs_as(Credentials::new("AKIANOBODY", "secret", None, None, "test"));
    assert_eq!(nobody.list_services().send().await.unwrap_err().code(), Some("UnrecognizedClientException"));
    let role = stage.lock().add_role("111122223333", "launchway");
    let client = stage.ecs_as(assumed(&stage, &role, None).await.unwrap());
    client.list_services().cluster("prod").send().await.unwrap();
    stage.wait(3601);
    assert_eq!(client.list_services().cluster("prod").send().await.unwrap_err().code(), Some("ExpiredTokenException"));
}

#[tokio::test]
async fn a_role_that_asks_for_an_external_id_is_given_to_no_one_without() {
    let stage = Stage::new();
    let role = stage.lock().add_role("444455556666", "launchway");
    assert_eq!(assumed(&stage, &role, None).await.unwrap_err(), "AccessDenied");
    let kept = stage.lock().iam.roles.get(&role).cloned().unwrap();
    let trusting = launchway_test_aws::iam::Role {
        trusts: vec!["arn:aws:iam::111122223333:user/operator".to_owned()],
        external_id: Some("ns/1".to_owned()),
        ..kept
    };
    stage.lock().iam.roles.insert(role.clone(), trusting);
    assert_eq!(assumed(&stage, &role, Some("ns/2")).await.unwrap_err(), "AccessDenied");
    let other_account = stage.ecs_as(assumed(&stage, &role, Some("ns/1")).await.unwrap());
    assert_eq!(
        other_account.list_services().cluster("prod").send().await.unwrap_err().code(),
        Some("ClusterNotFoundException")
    );
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_denied_with_awss_sentence() {
    let stage = Stage::new();
    stage.steady("app").await;
    let role = stage.lock().add_role("111122223333", "launchway");
    let service = "arn:aws:ecs:eu-central-1:111122223333:service/prod/web";
    let document = json!({"Statement": [{
        "Effect": "Allow", "Action": ["ecs:Describe*"], "Resource": service,
        "Condition": {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:eu-central-1:111122223333:cluster/prod"}},
    }]});
    stage.lock().set_policy(&role, &document).unwrap();
    let client = stage.ecs_as(assumed(&stage, &role, None).await.unwrap());
    client.describe_services().cluster("prod").services("web").send().await.unwrap();
    assert_eq!(
        client.describe_services().cluster("prod").services("other").send().await.unwrap_err().code(),
        Some("AccessDeniedException")
    );
    let denied = client.update_service().cluster("prod").service("web").desired_count(5).send().await.unwrap_err();
    assert_eq!(
        denied.message(),
        Some(
            "User: arn:aws:sts::111122223333:assumed-role/launchway/launchway is not authorized to perform: ecs:UpdateService on resource: arn:aws:ecs:eu-central-1:111122223333:service/prod/web because no identity-based policy allows the ecs:UpdateService action"
        )
    );
    assert_eq!(stage.service().await.desired_count(), 2);
    assert!(stage.lock().used_actions().contains(&("ecs:UpdateService".to_owned(), service.to_owned())));
}

#[tokio::test]
async fn passing_a_role_and_tagging_on_creation_are_rights_of_their_own() {
    let stage = Stage::new();
    let role = stage.lock().add_role("111122223333", "launchway");
    let family = "arn:aws:ecs:eu-central-1:111122223333:task-definition/web:*";
    let mut statements = vec![json!({"Effect": "Allow", "Action": "ecs:RegisterTaskDefinition", "Resource": family})];
    let client = stage.ecs_as(assumed(&stage, &role, None).await.unwrap());
    let register = || {
        let tag = aws_sdk_ecs::types::Tag::builder().key("launchway.dev/owner").value("ns/web").build();
        let request = client
            .register_task_definition()
            .family("web")
            .container_definitions(crate::stage::container("app"))
            .tags(tag);
        crate::stage::Fargate::fargate(request).execution_role_arn("arn:aws:iam::111122223333:role/exec").send()
    };
    let missing = [
        (
            "ecs:TagResource",
            json!({"Effect": "Allow", "Action": "ecs:TagResource", "Resource": family, "Condition": {"StringEquals": {"ecs:CreateAction": ["RegisterTaskDefinition"], "aws:RequestTag/launchway.dev/owner": "ns/web"}}}),
        ),
        (
            "iam:PassRole",
            json!({"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/exec", "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}}),
        ),
    ];
    for (action, statement) in missing {
        stage.lock().set_policy(&role, &json!({"Statement": statements})).unwrap();
        let denied = register().await.unwrap_err();
        assert!(denied.message().unwrap().contains(action), "{denied:?}");
        statements.push(statement);
    }
    stage.lock().set_policy(&role, &json!({"Statement": statements})).unwrap();
    register().await.unwrap();
}
