//! What users write and cannot have: for each way in which a spec is refused a manifest that is refused so, in one pass, in
//! words that name field and remedy, and then hardly looked at again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "bad_input/cases.rs"]
mod cases;
#[path = "bad_input/variants.rs"]
mod variants;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use launchway_plan::address::{Allowed, Rules, Scheme};
use launchway_test_aws::codebuild::Project;
use launchway_test_kube::store::Write;
use launchway_tests::life::gate::Moment;
use launchway_tests::scenario::Player;
use launchway_tests::world::{World, is_effect, sample};
use serde_json::Value;

use cases::{Calls, Case, cases};

/// As an administrator has them who listed a host for one port, and a cluster whose API server has a name.
fn rules() -> Rules {
    let allowed =
        Allowed { extra_hosts: vec!["git.listed.example.com:8443".to_owned()], plain_http: Scheme::HttpsOnly };
    Rules::parse(&allowed, &["kubernetes.example.com".to_owned()]).expect("hosts")
}

/// A person with nothing but an account, in which one project takes its source from S3.
fn stage() -> Player {
    let world = sample::world(7);
    let mut archives = Project::new(cases::ARCHIVES, "arn:aws:iam::123456789012:role/shop-codebuild", "shop/web.zip");
    archives.source.kind = "S3".to_owned();
    world.aws().codebuild.entry(sample::place()).or_default().add_project(archives);
    sample::push(&world, "good-1");
    world.store.apply_json(&sample::aws_account()).expect("a manifest that is admitted");
    let mut player = Player::under(world, rules());
    assert!(player.until(SignedDuration::from_mins(1), |world| world.is("AwsAccount", "default", "Ready", "True")));
    player.advance(SignedDuration::from_mins(1));
    player
}

/// What is wrong with how a case is refused.
fn wrong(case: &Case) -> Vec<String> {
    let mut player = stage();
    for manifest in &case.others {
        player.world.store.apply_json(manifest).expect("a manifest that is admitted");
    }
    if case.settles {
        player.advance(SignedDuration::from_mins(30));
    }
    let (calls, written) = (player.world.aws().log.len(), player.world.store.version());
    player.world.store.apply_json(&case.bad).expect("a manifest that the store admits");
    let passes = count(&player, &case.bad);
    player.advance(SignedDuration::from_hours(1));
    let passes = passes.load(Ordering::Relaxed);
    let mut wrong = refused_at_once(case, &player.world, written);
    let log = player.world.aws().log[calls..].to_vec();
    let effects: Vec<String> =
        log.iter().filter(|entry| is_effect(entry)).map(|entry| entry.operation.clone()).collect();
    if !effects.is_empty() {
        wrong.push(format!("AWS was changed: {effects:?}"));
    }
    if case.calls == Calls::None && !log.is_empty() {
        wrong.push(format!("AWS was asked {} times", log.len()));
    }
    // A source is looked for at its interval, which costs AWS nothing: every two minutes here.
    if passes > 31 || (passes > 12 && !log.is_empty()) {
        wrong.push(format!("{passes} passes in an hour"));
    }
    wrong.into_iter().map(|what| format!("{} ({}): {what}", case.variant, case.name)).collect()
}

/// Counts the passes over an object from now on: each begins with a look at it, and nothing else looks at it here.
fn count(player: &Player, object: &Value) -> Arc<AtomicUsize> {
    let plural = match object["kind"].as_str() {
        Some("Service") => "ecsservices",
        Some("Release") => "releases",
        _ => "pipelines",
    };
    let name = format!("GET {plural}/{}", object["metadata"]["name"].as_str().unwrap_or_default());
    let passes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&passes);
    player.gate.record(move |moment, request| {
        if moment == Moment::Before && request.name == name {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    passes
}

/// The very first status says that it is stalled, and names field and remedy.
fn refused_at_once(case: &Case, world: &World, after: u64) -> Vec<String> {
    let bad = &case.bad;
    let (kind, name) = (bad["kind"].as_str().unwrap_or_default(), bad["metadata"]["name"].as_str().unwrap_or_default());
    let is = |write: &&Arc<Write>| &*write.kind == kind && write.name == name;
    let writes = world.store.writes_after(after);
    let said =
        |write: &Write| write.object.value()["status"]["conditions"].as_array().is_some_and(|all| !all.is_empty());
    let with_status = |write: &&Arc<Write>| said(write);
    let Some(first) = writes.iter().filter(is).find(with_status) else { return vec!["no status at all".to_owned()] };
    let all = first.object.value()["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let Some(stalled) = all.iter().find(|one| one["type"] == "Stalled" && one["status"] == "True") else {
        return vec![format!("not stalled by the first pass: {all:?}")];
    };
    let message = stalled["message"].as_str().unwrap_or_default();
    let missing = case.words.iter().filter(|word| !message.contains(**word));
    let mut wrong: Vec<String> = missing.map(|word| format!("the message lacks {word:?}: {message}")).collect();
    if stalled["reason"] != case.reason {
        wrong.push(format!("the reason is {}, not {}", stalled["reason"], case.reason));
    }
    if !world.is(kind, name, "Stalled", "True") || !world.is(kind, name, "Ready", "False") {
        wrong.push("an hour later it is not stalled any more".to_owned());
    }
    wrong
}

#[test]
fn what_cannot_be_carried_out_is_refused_at_once_in_words_that_help_and_then_left_alone() {
    let wrong: Vec<String> = cases().iter().flat_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_way_to_refuse_has_a_manifest() {
    let tried: BTreeSet<String> = cases().iter().map(|case| case.variant.to_owned()).collect();
    assert_eq!(tried, variants::all(), "left: the variants that have a manifest, right: those that there are");
    println!("{} variants, {} manifests", tried.len(), cases().len());
}

#[test]
fn every_rule_of_the_definitions_has_a_manifest_that_it_refuses() {
    let table: Vec<Value> = serde_saphyr::from_str(include_str!("api/rules.yaml")).expect("a list of rules");
    let refuses = |rule: &&Value| rule["bad"].as_array().is_some_and(|bad| !bad.is_empty());
    let tried: BTreeSet<String> =
        table.iter().filter(refuses).filter_map(|rule| Some(rule["rule"].as_str()?.to_owned())).collect();
    let mut messages = BTreeSet::new();
    for crd in launchway_crds::all() {
        collect(&serde_json::to_value(&crd).expect("a CRD is JSON"), &mut messages);
    }
    assert_eq!(tried, messages, "left: the rules that have a manifest, right: those that there are");
    println!("{} rules", messages.len());
}

fn collect(schema: &Value, messages: &mut BTreeSet<String>) {
    let rules = schema["x-kubernetes-validations"].as_array().map_or(&[][..], Vec::as_slice);
    messages.extend(rules.iter().filter_map(|rule| Some(rule["message"].as_str()?.to_owned())));
    match schema {
        Value::Object(members) => members.values().for_each(|member| collect(member, messages)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, messages)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
