use super::site::{ACCOUNT, KEY, REGION, SECRET, Site, definition, owner, pass, start};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use launchway_cloud::{Clouds, Settings};
use launchway_plan::account::{Assumed, Place, Share};
use launchway_plan::fault::{FaultKind, Remedy};
use launchway_plan::image::ImageId;
use launchway_plan::rank::Rank;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const EXTERNAL: &str = "externalMarker";

fn needs(action: &str) -> FaultKind {
    FaultKind::Denied { needs: Some(action.to_owned()) }
}

fn role(site: &Site) -> String {
    let mut world = site.world();
    let role = world.add_role(ACCOUNT, "launchway");
    world.iam.roles.get_mut(&role).unwrap().external_id = Some(EXTERNAL.to_owned());
    role
}

#[tokio::test(start_paused = true)]
async fn calls_through_a_role_are_that_roles_and_its_credentials_last_until_shortly_before_their_end() {
    let site = Site::new();
    let role = role(&site);
    let cloud = site.through(&role, Some(EXTERNAL));
    for _ in 0..3 {
        cloud.task_definition("web").await.unwrap();
        cloud.image("web", &ImageId::Tag("abc".into())).await.unwrap();
    }
    assert_eq!(site.asked("AssumeRole"), 1);
    let caller = site.world().log.last().unwrap().caller.clone();
    assert_eq!(caller, "arn:aws:sts::123456789012:assumed-role/launchway/launchway");
    pass(3600 - 301).await;
    cloud.task_definition("web").await.unwrap();
    assert_eq!(site.asked("AssumeRole"), 1);
    pass(2).await;
    cloud.task_definition("web").await.unwrap();
    assert_eq!(site.asked("AssumeRole"), 2);
}

#[tokio::test(start_paused = true)]
async fn credentials_end_by_awss_clock_however_fast_it_runs() {
    let site = Site::at_speed(60, |_| ());
    let role = role(&site);
    let cloud = site.through(&role, Some(EXTERNAL));
    for _ in 0..20 {
        assert_eq!(cloud.task_definition("web").await, Ok(None));
        pass(30).await;
    }
    let aws = start() + jiff::SignedDuration::from_mins(10 * 60);
    assert!(aws.duration_since(cloud.now()).abs() < jiff::SignedDuration::from_hours(1));
}

#[tokio::test]
async fn an_endpoint_url_leads_to_a_server_role_or_not() {
    let world = Arc::new(Mutex::new(super::site::world()));
    let role = world.lock().unwrap().add_role(ACCOUNT, "launchway");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = launchway_test_aws::door::serve(listener, world, 1.0).unwrap();
    let keys = Credentials::new(KEY, SECRET, None, None, "test");
    let base = SdkConfig::builder()
        .endpoint_url(open.url())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build();
    let clouds = Clouds::new(Settings::new(base));
    for role in [None, Some(Assumed { arn: role, external_id: None })] {
        let cloud = clouds.at(&Place { region: REGION.to_owned(), role, share: Share::default() }, "a", Rank::Rollout);
        assert_eq!(cloud.account_id().await.unwrap(), ACCOUNT);
        assert_eq!(cloud.service("main", "web").await, Ok(None));
    }
}

#[tokio::test(start_paused = true)]
async fn the_account_is_that_of_the_role_or_what_sts_says_once() {
    let site = Site::new();
    let other = site.through("arn:aws:iam::210987654321:role/launchway", None);
    assert_eq!(other.account_id().await.unwrap(), "210987654321");
    for _ in 0..3 {
        assert_eq!(site.own().account_id().await.unwrap(), ACCOUNT);
    }
    assert_eq!(site.asked("GetCallerIdentity"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_is_named_and_its_external_id_is_not() {
    let site = Site::new();
    let role = role(&site);
    let cloud = site.through(&role, Some("wrongMarker"));
    for fault in [
        cloud.service("main", "web").await.unwrap_err(),
        cloud.register(&definition("web:1", &owner())).await.unwrap_err(),
    ] {
        assert_eq!((fault.operation.as_str(), fault.resource.as_str()), ("sts:AssumeRole", role.as_str()));
        assert_eq!((&fault.kind, fault.remedy), (&needs("sts:AssumeRole"), Remedy::AskOperator));
        assert!(!format!("{fault:?} {fault}").contains("wrongMarker"));
    }
    assert!(site.world().ecs.values().all(|ecs| ecs.revisions("web").is_empty()));
}

#[tokio::test(start_paused = true)]
async fn keys_that_nobody_knows_are_the_operators() {
    let site = Site::new();
    site.world().iam.credentials.clear();
    let fault = site.own().service("main", "web").await.unwrap_err();
    assert_eq!((fault.code.as_str(), fault.remedy), ("UnrecognizedClientException", Remedy::AskOperator));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_may_not_pass_a_role_is_told_which_action_on_which_role() {
    let site = Site::new();
    let role = role(&site);
    let policy =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]});
    site.world().set_policy(&role, &policy).unwrap();
    let cloud = site.through(&role, Some(EXTERNAL));
    let fault = cloud.register(&definition("web:1", &owner())).await.unwrap_err();
    assert_eq!((&fault.kind, fault.remedy), (&needs("iam:PassRole"), Remedy::AskOperator));
    assert_eq!(fault.resource, "arn:aws:iam::123456789012:role/execution");
    let said = fault.to_string();
    assert!(said.contains("iam:PassRole") && said.contains("arn:aws:iam::123456789012:role/execution"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn every_right_that_is_used_is_in_the_table_of_rights() {
    let site = Site::new();
    super::doubt::everything(&site.own()).await;
    let table: BTreeSet<&str> =
        launchway_cloud::actions().iter().flat_map(|(_, needs)| needs.iter().copied()).collect();
    for (action, resource) in site.world().used_actions() {
        assert!(table.contains(action.as_str()), "{action} on {resource}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_printed_of_a_cloud_holds_no_secret() {
    let site = Site::new();
    let role = role(&site);
    let cloud = site.through(&role, Some(EXTERNAL));
    cloud.task_definition("web").await.unwrap();
    let printed = format!("{cloud:?} {:?}", site.clouds);
    assert!(printed.contains(REGION));
    for marker in [KEY, SECRET, EXTERNAL, "ASIA"] {
        assert!(!printed.contains(marker), "{marker} in {printed}");
    }
}

#[tokio::test(start_paused = true)]
async fn cloudtrail_shows_for_which_namespace_and_object_something_was_changed() {
    let site = Site::new();
    let role = role(&site);
    let cloud = site.through(&role, Some(EXTERNAL));
    let calls = async {
        cloud.service("main", "web").await.unwrap();
        cloud.register(&definition("web", &owner())).await.unwrap();
    };
    launchway_cloud::on_behalf_of("Service a/web", calls).await;
    let world = site.world();
    let shown = |operation: &str| {
        let entry = world.log.iter().rev().find(|entry| entry.operation == operation).unwrap();
        (entry.caller.rsplit('/').next().unwrap().to_owned(), entry.agent.clone())
    };
    let (session, agent) = shown("RegisterTaskDefinition");
    assert_eq!(session, "launchway@a");
    assert!(agent.contains("app/launchway") && agent.ends_with(" md/object#Service.a.web"), "{agent}");
    // Looks are shared, and so is their session.
    let (session, agent) = shown("DescribeServices");
    assert_eq!(session, "launchway");
    assert!(agent.ends_with(" md/object#Service.a.web"), "{agent}");
}

#[tokio::test(start_paused = true)]
async fn git_signs_in_as_the_role_with_credentials_that_are_fetched_once_and_again_when_they_end() {
    let site = Site::new();
    let role = role(&site);
    let repository = site.through(&role, Some(EXTERNAL)).git_repository("web");
    let first = repository.login().await.unwrap();
    let second = repository.login().await.unwrap();
    assert_eq!((&first.username, &first.password), (&second.username, &second.password), "at one moment");
    assert_eq!(site.asked("AssumeRole"), 1);
    let key = first.username.split('%').next().unwrap().to_owned();
    let caller = site.world().iam.credentials[&key].caller.arn.clone();
    assert_eq!(caller, "arn:aws:sts::123456789012:assumed-role/launchway/launchway", "a look is for nobody");
    pass(3600 - 301 - 10).await;
    let later = repository.login().await.unwrap();
    assert_eq!(later.username, first.username);
    assert_ne!(later.password, first.password, "signed anew");
    pass(2).await;
    assert_ne!(repository.login().await.unwrap().username, first.username);
    assert_eq!(site.asked("AssumeRole"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_for_git_is_named_and_its_external_id_is_not() {
    let site = Site::new();
    let role = role(&site);
    let repository = site.through(&role, Some("wrongMarker")).git_repository("web");
    let fault = repository.login().await.unwrap_err();
    assert_eq!((fault.operation.as_str(), fault.resource.as_str()), ("sts:AssumeRole", role.as_str()));
    assert_eq!((&fault.kind, fault.remedy), (&needs("sts:AssumeRole"), Remedy::AskOperator));
    assert!(!format!("{fault:?} {fault} {repository:?}").contains("wrongMarker"));
}

#[tokio::test(start_paused = true)]
async fn git_without_any_credentials_is_the_operators() {
    let site = Site::with(|settings| settings.base = SdkConfig::builder().build());
    let fault = site.own().git_repository("web").login().await.unwrap_err();
    assert_eq!((fault.code.as_str(), fault.remedy), ("NoCredentials", Remedy::AskOperator));
    assert_eq!(
        (fault.operation.as_str(), fault.resource.as_str()),
        ("codecommit:GitPull", "arn:aws:codecommit:us-east-2:*:web")
    );
}
