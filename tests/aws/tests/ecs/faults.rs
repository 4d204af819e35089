//! A world that fails: what the caller sees, and what has happened all the same.

use std::time::Duration;

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use launchway_test_aws::limits::Enforcement;
use launchway_test_aws::{Fault, Outcome, When};

use crate::stage::{Stage, place};

#[tokio::test]
async fn a_lost_reply_leaves_the_effect() {
    let stage = Stage::new();
    let definition = stage.register("app").await;
    stage.lock().faults.add("ecs:CreateService", When::Always, Fault::LoseReply);
    let request =
        stage.ecs().create_service().cluster("prod").service_name("web").task_definition(definition).desired_count(1);
    let lost =
        request.launch_type("FARGATE".into()).network_configuration(crate::stage::network()).send().await.unwrap_err();
    assert!(matches!(lost, SdkError::DispatchFailure(_)));
    assert_eq!(stage.service().await.status(), Some("ACTIVE"));
    let world = stage.lock();
    let entry = world.log.iter().find(|entry| entry.operation == "CreateService").unwrap();
    assert!(entry.outcome == Outcome::Lost(None) && entry.effective());
}

#[tokio::test]
async fn a_reset_before_the_effect_leaves_nothing() {
    let stage = Stage::new();
    stage.lock().faults.add("*:RegisterTaskDefinition", When::Nth(1), Fault::ResetBeforeEffect);
    let request = || {
        crate::stage::Fargate::fargate(
            stage.ecs().register_task_definition().family("web").container_definitions(crate::stage::container("a")),
        )
    };
    assert!(matches!(request().send().await.unwrap_err(), SdkError::DispatchFailure(_)));
    assert!(stage.lock().ecs[&place()].revisions("web").is_empty());
    request().send().await.unwrap();
}

#[tokio::test]
async fn each_fault_says_what_aws_says() {
    let stage = Stage::new();
    for (fault, code, status) in [
        (Fault::Throttle, "ThrottlingException", 400),
        (Fault::Deny, "AccessDeniedException", 400),
        (Fault::Error5xx, "ServerException", 500),
    ] {
        stage.lock().faults.clear();
        stage.lock().faults.add("ecs:*", When::Always, fault);
        let refused = stage.ecs().list_services().cluster("prod").send().await.unwrap_err();
        assert_eq!((refused.code(), refused.raw_response().unwrap().status().as_u16()), (Some(code), status));
    }
}

#[tokio::test]
async fn faults_strike_by_count_and_by_chance_and_always_the_same() {
    let struck = |when: When| async move {
        let stage = Stage::new();
        stage.lock().faults.add("ecs:ListServices", when, Fault::Throttle);
        let mut struck = Vec::new();
        for _ in 0..12 {
            struck.push(stage.ecs().list_services().cluster("prod").send().await.is_err());
        }
        struck
    };
    assert_eq!(struck(When::EveryNth(3)).await.iter().filter(|failed| **failed).count(), 4);
    let by_chance = struck(When::Chance { of: 0.5, seed: 1 }).await;
    assert!(by_chance.contains(&true) && by_chance.contains(&false));
    assert_eq!(by_chance, struck(When::Chance { of: 0.5, seed: 1 }).await);
    assert_ne!(by_chance, struck(When::Chance { of: 0.5, seed: 2 }).await);
}

#[tokio::test]
async fn stale_reads_show_the_world_as_it_was() {
    let stage = Stage::new();
    stage.lock().keep_snapshots();
    let definition = stage.register("app").await;
    stage.wait(20);
    stage.create(&definition).await;
    stage.wait(5);
    stage.lock().faults.add(
        "ecs:DescribeServices",
        When::Always,
        Fault::StaleReads { older_by: Duration::from_secs(10) },
    );
    let stale = stage.ecs().describe_services().cluster("prod").services("web").send().await.unwrap();
    assert_eq!(stale.failures()[0].reason(), Some("MISSING"));
    stage.wait(10);
    let later = stage.service().await;
    assert_eq!((later.running_count(), later.pending_count()), (0, 2));
    stage.lock().faults.clear();
    stage.wait(20);
    assert_eq!(stage.service().await.running_count(), 2);
}

#[tokio::test]
async fn a_stale_read_names_what_the_present_names() {
    let stage = Stage::new();
    stage.lock().keep_snapshots();
    stage.steady("app").await;
    let fresh = stage.lock().ecs[&place()].service("prod", "web").unwrap().tasks[0].id.clone();
    stage.lock().faults.add("ecs:ListTasks", When::Always, Fault::StaleReads { older_by: Duration::from_secs(30) });
    let listed = stage.ecs().list_tasks().cluster("prod").send().await.unwrap();
    assert!(listed.task_arns().iter().any(|arn| arn.ends_with(&*fresh)));
}

#[tokio::test]
async fn a_delay_is_told_to_the_clock() {
    let stage = Stage::new();
    stage.lock().faults.add("ecs:ListServices", When::Always, Fault::Delay(Duration::from_secs(7)));
    let clock = stage.clock.clone();
    let before = stage.now();
    let connector = stage.connector().on_delay(std::sync::Arc::new(move |delay| {
        *clock.lock().unwrap() += jiff::SignedDuration::try_from(delay).unwrap();
    }));
    let config = stage.ecs().config().to_builder().http_client(connector).build();
    aws_sdk_ecs::Client::from_conf(config).list_services().cluster("prod").send().await.unwrap();
    assert_eq!(stage.now().duration_since(before).as_secs(), 7);
}

#[tokio::test]
async fn the_documented_buckets_throttle_and_fill_again() {
    let stage = Stage::new();
    stage.lock().limits.enforcement = Enforcement::Documented;
    for _ in 0..20 {
        stage.register("app").await;
    }
    let request = || {
        crate::stage::Fargate::fargate(
            stage.ecs().register_task_definition().family("web").container_definitions(crate::stage::container("a")),
        )
    };
    assert_eq!(request().send().await.unwrap_err().code(), Some("ThrottlingException"));
    stage.wait(1);
    request().send().await.unwrap();
    assert_eq!(request().send().await.unwrap_err().message(), Some("Rate exceeded"));
}

#[tokio::test]
async fn a_share_of_the_buckets_is_used_up_sooner_and_fills_slower() {
    let stage = Stage::new();
    stage.lock().limits.enforcement = Enforcement::Share(10);
    let request = || {
        crate::stage::Fargate::fargate(
            stage.ecs().register_task_definition().family("web").container_definitions(crate::stage::container("a")),
        )
    };
    for _ in 0..2 {
        request().send().await.unwrap();
    }
    assert_eq!(request().send().await.unwrap_err().code(), Some("ThrottlingException"));
    stage.wait(9);
    assert_eq!(request().send().await.unwrap_err().code(), Some("ThrottlingException"));
    stage.wait(1);
    request().send().await.unwrap();
}

#[tokio::test]
async fn two_equal_runs_have_the_same_log() {
    let run = || async {
        let stage = Stage::new();
        stage.steady("app").await;
        let bad = stage.register("crash").await;
        stage.roll(&bad).await;
        stage.wait(300);
        stage.rollouts().await;
        stage.lock().log_hash()
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test]
async fn a_denial_names_the_action_and_the_resource_and_changes_nothing() {
    let stage = Stage::new();
    stage.steady("app").await;
    stage.lock().faults.add("ecs:UpdateService", When::Always, Fault::Deny);
    let denied = stage.ecs().update_service().cluster("prod").service("web").desired_count(9).send().await.unwrap_err();
    assert!(
        denied
            .message()
            .unwrap()
            .contains("ecs:UpdateService on resource: arn:aws:ecs:eu-central-1:111122223333:service/prod/web")
    );
    assert_eq!(stage.service().await.desired_count(), 2);
}

#[tokio::test]
async fn mixed_reads_go_back_and_forth_and_differ_within_one_answer() {
    let stage = Stage::new();
    stage.lock().keep_snapshots();
    let definition = stage.register("app").await;
    stage.create(&definition).await;
    stage.wait(50);
    stage.ecs().update_service().cluster("prod").service("web").desired_count(3).send().await.unwrap();
    stage.wait(20);
    let mixed = Fault::MixedReads { up_to: Duration::from_secs(40), seed: 1 };
    stage.lock().faults.add("ecs:Describe*", When::Always, mixed);
    let mut wanted = Vec::new();
    let mut within = false;
    for _ in 0..20 {
        let reply = stage.ecs().describe_services().cluster("prod").services("web").services("web").send().await;
        let counts: Vec<i32> = reply.unwrap().services().iter().map(|service| service.desired_count()).collect();
        within |= counts[0] != counts[1];
        wanted.push(counts[0]);
    }
    assert!(wanted.windows(2).any(|pair| pair[0] > pair[1]), "it goes back: {wanted:?}");
    assert!(wanted.windows(2).any(|pair| pair[0] < pair[1]), "and forth: {wanted:?}");
    assert!(within, "one answer holds both");
    let many: Vec<String> = (0..11).map(|number| format!("web-{number}")).collect();
    let refused = stage.ecs().describe_services().cluster("prod").set_services(Some(many)).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidParameterException"), "a call is judged as a whole");
    stage.lock().faults.clear();
    assert_eq!(stage.service().await.desired_count(), 3);
}

#[tokio::test]
async fn a_page_token_is_good_for_a_day() {
    let stage = Stage::new();
    stage.steady("app").await;
    let page = || stage.ecs().list_tasks().cluster("prod").max_results(1);
    let token = page().send().await.unwrap().next_token().unwrap().to_owned();
    stage.wait(24 * 3600);
    page().next_token(&token).send().await.unwrap();
    stage.wait(1);
    let refused = page().next_token(&token).send().await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Some("InvalidParameterException"), Some("Invalid token.")));
}
