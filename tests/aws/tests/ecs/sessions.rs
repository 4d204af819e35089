//! AssumeRole: what it takes, how long its sessions last, and who they are.

use aws_sdk_ecs::config::Credentials;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;

use crate::rights::{sts, sts_as};
use crate::stage::{ACCOUNT, KEY, Stage};

fn assume(stage: &Stage, role: &str) -> AssumeRoleFluentBuilder {
    sts(stage, KEY).assume_role().role_arn(role).role_session_name("launchway")
}

async fn refusal(request: AssumeRoleFluentBuilder) -> (String, String) {
    let refused = request.send().await.unwrap_err();
    (refused.code().unwrap().to_owned(), refused.message().unwrap().to_owned())
}

#[tokio::test]
async fn names_ids_and_arns_keep_to_their_patterns() {
    let stage = Stage::new();
    let role = stage.lock().add_role(ACCOUNT, "launchway");
    assume(&stage, &role).role_session_name("shop+web=1,a.b@c_d-e").external_id("ns:web/1-2").send().await.unwrap();
    let long = "x".repeat(1225);
    let bad = [
        (assume(&stage, &role).role_session_name("a b"), "'roleSessionName'"),
        (assume(&stage, &role).role_session_name("a"), "'roleSessionName'"),
        (assume(&stage, &role).role_session_name(&long[..65]), "'roleSessionName'"),
        (assume(&stage, &role).external_id("a"), "'externalId'"),
        (assume(&stage, &role).external_id("a b"), "'externalId'"),
        (assume(&stage, &role).external_id(&long), "'externalId'"),
        (assume(&stage, "arn:aws:iam::1:role"), "'roleArn'"),
    ];
    for (request, member) in bad {
        let (code, message) = refusal(request).await;
        assert!(code == "ValidationError" && message.contains(member), "{code} {message}");
    }
    assume(&stage, &role).external_id(&long[..1224]).send().await.unwrap();
}

#[tokio::test]
async fn a_session_lasts_an_hour_at_the_most_unless_its_role_allows_more() {
    let stage = Stage::new();
    let role = stage.lock().add_role(ACCOUNT, "launchway");
    assume(&stage, &role).duration_seconds(3600).send().await.unwrap();
    let (code, message) = refusal(assume(&stage, &role).duration_seconds(3601)).await;
    assert_eq!(code, "ValidationError");
    assert_eq!(message, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    stage.lock().iam.longest_sessions.insert(role.clone(), 7200);
    assume(&stage, &role).duration_seconds(7200).send().await.unwrap();
    assert_eq!(refusal(assume(&stage, &role).duration_seconds(7201)).await.0, "ValidationError");
    for seconds in [899, 43_201] {
        assert_eq!(refusal(assume(&stage, &role).duration_seconds(seconds)).await.0, "ValidationError");
    }
}

#[tokio::test]
async fn a_session_that_another_session_began_lasts_an_hour_at_the_most() {
    let stage = Stage::new();
    let [first, second] = ["first", "second"].map(|name| stage.lock().add_role(ACCOUNT, name));
    stage.lock().iam.longest_sessions.insert(second.clone(), 7200);
    let reply = assume(&stage, &first).send().await.unwrap();
    let session = reply.credentials().unwrap();
    let token = Some(session.session_token().to_owned());
    let client = sts_as(&stage, Credentials::new(session.access_key_id(), "secret", token, None, "test"));
    let chained = || client.assume_role().role_arn(&second).role_session_name("launchway");
    chained().send().await.unwrap();
    let (_, message) = refusal(chained().duration_seconds(7200)).await;
    assert!(message.contains("role chaining"), "{message}");
}

#[tokio::test]
async fn a_role_keeps_its_id_from_session_to_session() {
    let stage = Stage::new();
    let [role, other] = ["launchway", "other"].map(|name| stage.lock().add_role(ACCOUNT, name));
    let id = |role: String| {
        let request = assume(&stage, &role);
        async { request.send().await.unwrap().assumed_role_user().unwrap().assumed_role_id().to_owned() }
    };
    let (first, again) = (id(role.clone()).await, id(role).await);
    assert_eq!(first, again);
    assert!(first.starts_with("AROA") && first.len() == "AROA".len() + 17 + ":launchway".len(), "{first}");
    assert_ne!(id(other).await, first);
}
