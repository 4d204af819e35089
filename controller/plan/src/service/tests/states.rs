//! Every state is reached, every refusal is given, and nothing is done to what cannot be seen.

use crate::account::AccountSeen;
use crate::fault::Remedy;
use crate::look::Looked;
use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::samples::ecs::{Fate, World, adopted, follower, pipeline, service};
use crate::samples::{account, fault};
use crate::service::wanted::{Unresolved, resolve};
use crate::service::{Blocker, Chore, Desired, Guard, Observed, PipelineSeen, Rollout, State, assess, decide};
use crate::world::ServiceLife;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use strum::VariantNames;

/// All that a state can say, by name; the derives know of a new variant by themselves.
fn all_words() -> BTreeSet<&'static str> {
    [Guard::VARIANTS, Blocker::VARIANTS, Rollout::VARIANTS, Chore::VARIANTS].concat().into_iter().collect()
}

fn words(state: &State) -> Vec<&'static str> {
    let rollout = match &state.rollout {
        Ok(rollout) => rollout.into(),
        Err(blocker) => blocker.into(),
    };
    let chores = state.chores().iter().map(Into::into);
    [state.guard.into(), rollout].into_iter().chain(chores).collect()
}

/// A life in which everything happens, pass by pass.
fn life() -> Vec<State> {
    let mut world = World::new(service(&json!({"deletionPolicy": "Delete"})));
    let mut all = Vec::new();
    let pass = |world: &mut World, all: &mut Vec<State>, seconds: i64| {
        for _ in 0..25 {
            all.push(world.pass().0);
            world.wait(seconds);
        }
    };
    world.lag = 10;
    pass(&mut world, &mut all, 7);
    world.lag = 0;
    world.deploy("arn:other", world.live.clone().unwrap().members, Fate::Succeeds);
    pass(&mut world, &mut all, 15);
    world.edit(&json!({"service": {"desiredCount": 2, "tags": [{"key": "a", "value": "b"}]}}));
    pass(&mut world, &mut all, 15);
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    world.fates = vec![Fate::RollsBack, Fate::Hangs];
    pass(&mut world, &mut all, 15);
    world.edit(&json!({"rollout": {"retry": "again"}}));
    pass(&mut world, &mut all, 15);
    pass(&mut world, &mut all, 60);
    pass(&mut world, &mut all, 60);
    world.service.metadata.deletion_timestamp = Some(Time(crate::samples::at(world.now)));
    for _ in 0..2 {
        let mut observed = world.observe();
        observed.service = Looked::Seen(world.live.clone());
        all.push(world.pass_with(&observed).0);
    }
    world.live = None;
    let mut observed = world.observe();
    observed.service = Looked::Seen(None);
    all.push(world.pass_with(&observed).0);
    all
}

fn with_live(change: impl Fn(&mut World)) -> State {
    let mut world = World::new(service(&json!({})));
    world.live = Some(adopted(&world, "arn:old"));
    change(&mut world);
    world.wait(1);
    world.pass().0
}

#[test]
fn every_state_is_reached() {
    let mut all = life();
    all.push(with_live(|world| world.live.as_mut().unwrap().tags.clear()));
    let says = |member: &'static str, value: Value| {
        with_live(|world| {
            world.live.as_mut().unwrap().members.insert(member.to_owned(), value.clone());
        })
    };
    all.push(says("deploymentController", json!({"type": "CODE_DEPLOY"})));
    all.push(says("launchType", json!("EC2")));
    all.push(with_live(|world| world.live.as_mut().unwrap().life = ServiceLife::Draining));
    for refused in [true, false] {
        let mut world = World::new(service(&json!({})));
        world.run(60);
        world.refused = refused.then_some("adjust");
        world.shows = Some(("healthCheckGracePeriodSeconds", json!(61)));
        world.edit(&json!({"service": {"healthCheckGracePeriodSeconds": 60}}));
        for _ in 0..5 {
            all.push(world.pass().0);
            world.wait(20);
        }
    }
    all.push(with_live(|world| world.live.as_mut().unwrap().life = ServiceLife::Unknown("NEW".into())));
    let mut world = World::new(follower());
    world.pipeline = Some(pipeline(None));
    all.push(world.pass().0);
    world.pipeline = Some(pipeline(Some(3)));
    world.run(60);
    world.pipeline = Some(pipeline(Some(2)));
    all.push(world.pass().0);
    world.pipeline = Some(pipeline(Some(4)));
    world.pipeline.as_mut().unwrap().found.as_mut().unwrap().0.suspend = true;
    world.edit(&json!({"taskDefinition": {"memory": 2048}}));
    all.push(world.pass().0);
    let mut observed = world.observe();
    observed.account = AccountSeen { spec: None, ..account() };
    all.push(world.pass_with(&observed).0);
    let mut world = World::new(service(&json!({})));
    let mut observed = world.observe();
    observed.service = Looked::Blind(fault("Throttling", Remedy::Retry));
    all.push(world.pass_with(&observed).0);
    let reached: BTreeSet<_> = all.iter().flat_map(words).collect();
    let missing: Vec<_> = all_words().difference(&reached).copied().collect();
    assert_eq!(missing, Vec::<&str>::new());
    let stuck: BTreeSet<_> = all
        .iter()
        .filter_map(|state| match &state.rollout {
            Err(Blocker::Stuck { reason, .. }) => Some(*reason),
            Ok(_) | Err(_) => None,
        })
        .collect();
    assert_eq!(stuck, BTreeSet::from([Reason::NotOurs, Reason::NotDriven, Reason::InvalidSpec]));
}

fn refused(spec: &Value, account: AccountSeen, pipeline: Option<PipelineSeen>) -> Refusal {
    let desired = Desired::parse(&service(spec));
    let observed = Observed::at(crate::samples::at(0), account, pipeline);
    match resolve(&desired, &[], &observed, "inst") {
        Err(Unresolved::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn from(name: &str, stage: &str, image: &str) -> Value {
    json!({"name": name, "imageFrom": {"pipeline": "web", "stage": stage, "image": image}})
}

#[test]
fn each_refusal_of_a_service_names_the_field_and_the_remedy() {
    let none = || AccountSeen { spec: None, ..account() };
    let elsewhere = || AccountSeen { namespace: "other".into(), ..account() };
    let mut narrow = account();
    narrow.spec.as_mut().unwrap().allow.clusters = vec!["other-*".into()];
    let mut no_roles = account();
    no_roles.spec.as_mut().unwrap().allow.roles = Vec::new();
    let containers = |all: Value| json!({"taskDefinition": {"containerDefinitions": all}});
    let seen = Some(pipeline(Some(1)));
    let strategy = |name: &str| json!({"service": {"deploymentConfiguration": {"strategy": name}}});
    let named = |role: &str| {
        let mut account = account();
        account.spec.as_mut().unwrap().allow.roles = vec![format!("arn:aws:iam::*:role/{role}").as_str().into()];
        account
    };
    let cases = [
        (refused(&json!({}), none(), None), Reason::NoAccount, "spec.account"),
        (refused(&json!({}), elsewhere(), None), Reason::NotAllowed, "spec.namespaces"),
        (refused(&json!({"region": "eu-west-1"}), account(), None), Reason::NotAllowed, "spec.region"),
        (refused(&json!({}), narrow, None), Reason::NotAllowed, "spec.allow.clusters"),
        (refused(&json!({}), no_roles, None), Reason::NotAllowed, "spec.allow.roles"),
        (refused(&strategy("BLUE_GREEN"), account(), None), Reason::NotDriven, "BLUE_GREEN"),
        (refused(&strategy("CANARY"), account(), None), Reason::NotDriven, "deploymentConfiguration.strategy"),
        (
            refused(&json!({"service": {"schedulingStrategy": "DAEMON"}}), account(), None),
            Reason::NotDriven,
            "schedulingStrategy",
        ),
        (
            refused(&json!({"service": {"deploymentController": {"type": "EXTERNAL"}}}), account(), None),
            Reason::NotDriven,
            "deploymentController.type",
        ),
        (refused(&json!({"service": {"role": "elb"}}), named("exec"), None), Reason::NotAllowed, "role/elb"),
        (refused(&json!({"taskDefinition": {"memory": 300}}), account(), None), Reason::InvalidSpec, "memory is 512"),
        (
            refused(&containers(json!([from("a", "prod", "web"), from("b", "staging", "web")])), account(), None),
            Reason::InvalidSpec,
            "one stage",
        ),
        (
            refused(&containers(json!([from("a", "staging", "web")])), account(), seen.clone()),
            Reason::NotListed,
            "targets",
        ),
        (refused(&containers(json!([from("a", "prod", "nope")])), account(), seen), Reason::NotListed, "spec.images"),
    ];
    for (refusal, reason, word) in cases {
        assert_eq!(refusal.reason(), reason, "{refusal}");
        assert!(refusal.to_string().contains(word) && refusal.to_string().len() <= 1024, "{refusal}");
    }
}

#[test]
fn what_is_blind_or_was_not_looked_at_is_left_alone() {
    let mut world = World::new(service(&json!({})));
    world.run(60);
    world.edit(&json!({"taskDefinition": {"memory": 1024}}));
    let whole = world.observe();
    let mut known = world.clone();
    known.define("arn:task-definition/inst_shop_web:9");
    let new = known.definitions.values().last().unwrap().clone();
    let blind = || fault("Throttling", Remedy::Retry);
    for member in 0..4 {
        for asked in [true, false] {
            let mut observed = whole.clone();
            match (member, asked) {
                (0, true) => observed.service = Looked::Blind(blind()),
                (0, false) => observed.service = Looked::NotAsked,
                (1, true) => {
                    observed.definitions.insert(world.wanted().family, Looked::Blind(blind()));
                }
                (1, false) => observed.definitions.clear(),
                (2, true) => {
                    observed
                        .definitions
                        .insert("arn:task-definition/inst_shop_web:9".into(), Looked::Seen(Some(new.clone())));
                    observed.deployments = Looked::Blind(blind());
                }
                (2, false) => {
                    observed
                        .definitions
                        .insert("arn:task-definition/inst_shop_web:9".into(), Looked::Seen(Some(new.clone())));
                    observed.deployments = Looked::NotAsked;
                }
                (_, _) => observed.followed = Looked::Blind(blind()),
            }
            let (desired, wanted) = (world.desired(), Ok(world.wanted()));
            let state = assess(&desired, &wanted, &world.record(), &observed, &desired.owner("inst"));
            assert!(matches!(state.rollout, Err(Blocker::Blind(_))), "{member} {asked}: {state:?}");
            assert_eq!(decide(&desired, wanted.as_ref().ok(), &world.record(), &state, 600).action, None);
        }
    }
}
