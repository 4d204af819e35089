use super::site::{ACCOUNT, Site, creation, definition, owner};
use futures::future::join_all;
use launchway_plan::fault::{FaultKind, Remedy};
use launchway_plan::rank::Rank;
use serde_json::json;
use std::time::Duration;

async fn services(site: &Site, count: usize) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|n| format!("web-{n}")).collect();
    let arn = site.own().register(&definition("web:1", &owner())).await.unwrap();
    for name in &names {
        site.own().create_service(&creation(name, &arn)).await.unwrap();
    }
    names
}

#[tokio::test(start_paused = true)]
async fn looks_that_come_together_share_calls_of_ten_services() {
    let site = Site::with(|settings| settings.sweep = Duration::from_secs(1));
    let names = services(&site, 25).await;
    let cloud = site.own();
    let seen = join_all(names.iter().map(|name| cloud.service("main", name))).await;
    assert!(seen.iter().zip(&names).all(|(seen, name)| seen.as_ref().unwrap().as_ref().unwrap().arn.ends_with(name)));
    assert_eq!(site.asked("DescribeServices"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_may_not_be_seen_does_not_hide_the_others() {
    let site = Site::with(|settings| settings.sweep = Duration::from_secs(1));
    services(&site, 3).await;
    let role = site.world().add_role(ACCOUNT, "launchway");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ecs:DescribeServices", "Resource": ["*/web-0", "*/web-2"]}]});
    site.world().set_policy(&role, &policy).unwrap();
    let cloud = site.through(&role, None);
    let seen = join_all(["web-0", "web-1", "web-2"].map(|name| cloud.service("main", name))).await;
    assert!(seen[0].as_ref().unwrap().is_some() && seen[2].as_ref().unwrap().is_some());
    let fault = seen[1].clone().unwrap_err();
    assert!(fault.is_denied() && fault.resource.ends_with("service/main/web-1"), "{fault:?}");
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_used_up_refuses_what_can_wait_at_once_and_sends_nothing() {
    let site = Site::sharing(50);
    let cloud = site.own().ranked(Rank::Look);
    let mut made = 0;
    let fault = loop {
        match cloud.register(&definition("web:1", &owner())).await {
            Ok(_) => made += 1,
            Err(fault) => break fault,
        }
    };
    assert_eq!((fault.code.as_str(), fault.remedy), ("NoToken", Remedy::Wait(3)));
    assert_eq!((made, site.asked("RegisterTaskDefinition")), (7, 7));
    super::site::pass(4).await;
    assert!(cloud.register(&definition("web:1", &owner())).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_rollout_waits_for_its_token_in_the_queue_and_not_for_ever() {
    let site = Site::sharing(50);
    let calls = (0..40).map(|_| {
        let cloud = site.own().ranked(Rank::Rollout);
        async move { cloud.register(&definition("web:1", &owner())).await }
    });
    let made = futures::future::join_all(calls).await;
    // Nine of the burst, and one each two seconds for half a minute.
    let came = made.iter().filter(|made| made.is_ok()).count();
    assert!((23..=25).contains(&came), "{came}");
    assert!(made[..came].iter().all(Result::is_ok), "who came first goes first");
    assert_eq!(site.asked("RegisterTaskDefinition"), came);
    assert_eq!(made[39].as_ref().unwrap_err().kind, FaultKind::NoToken);
}

#[tokio::test(start_paused = true)]
async fn whatever_chores_and_rollouts_have_used_up_what_stops_a_build_still_gets_through() {
    let site = Site::new();
    for rank in [Rank::Chore, Rank::Look] {
        let cloud = site.own().ranked(rank);
        let asked = join_all((0..30).map(|_| cloud.stop_build("iridium:none"))).await;
        let without = asked.into_iter().filter_map(Result::err).next_back().unwrap();
        assert_eq!(without.kind, FaultKind::NoToken, "{rank:?}");
    }
    assert_eq!(site.own().ranked(Rank::Rollback).stop_build("iridium:none").await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_clock_is_awss() {
    let site = Site::new();
    site.own().account_id().await.unwrap();
    assert_eq!(site.own().now(), super::site::start());
}
