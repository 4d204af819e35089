//! The index wakes the same objects as a look at every object of the cluster would, and looks at far fewer.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{Index, Role};
use crate::key::{Key, Kind};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What the end of a list does: all objects of the kind that are not in it are gone.
fn listed(index: &mut Index, kind: Kind, present: &BTreeSet<Key>) -> BTreeSet<Key> {
    index.missing(kind, present).iter().flat_map(|key| index.gone(key)).collect()
}

/// An object, as far as it matters to others. Pipelines have the stages `s0` and `s1`.
#[derive(Clone, Debug)]
enum Object {
    AwsAccount,
    Pipeline { account: Option<String>, targets: [Vec<String>; 2], grants: Option<[i64; 2]> },
    Release { pipeline: String, phase: Option<&'static str> },
    Service { account: Option<String>, follows: Option<String>, ready: &'static str, has: Option<(String, usize, i64)> },
}

impl Object {
    fn kind(&self) -> Kind {
        match self {
            Self::AwsAccount => Kind::AwsAccount,
            Self::Pipeline { .. } => Kind::Pipeline,
            Self::Release { .. } => Kind::Release,
            Self::Service { .. } => Kind::Service,
        }
    }

    fn is_at_work(&self) -> bool {
        matches!(self, Self::Release { phase: None | Some("Active"), .. })
    }

    fn uses(&self, account: &str) -> bool {
        match self {
            Self::Pipeline { account: named, .. } | Self::Service { account: named, .. } => {
                named.as_deref().unwrap_or("default") == account
            }
            Self::AwsAccount | Self::Release { .. } => false,
        }
    }

    fn belongs_to(&self, name: &str) -> bool {
        matches!(self, Self::Release { pipeline, .. } if pipeline == name)
    }

    fn json(&self, key: &Key) -> Value {
        let (spec, status) = match self {
            Self::AwsAccount => (
                json!({"regions": ["eu-west-1"], "namespaces": {"names": ["a"]},
                "allow": {"clusters": ["*"], "projects": ["*"], "repositories": ["*"], "roles": ["*"]}}),
                Value::Null,
            ),
            Self::Pipeline { account, targets, grants } => (
                json!({"account": account, "source": {"git": {"url": "https://git.example.com/a.git", "branch": "main"}},
                "build": {"codeBuild": {"project": "b"}}, "images": [{"name": "web", "repository": "web"}],
                "stages": [stage("s0", &targets[0]), stage("s1", &targets[1])]}),
                grants.map_or(Value::Null, |grants| {
                    let holder = if key.name.len() > 1 { format!("{}-10", key.name) } else { HOLDER.to_owned() };
                    json!({"stages": [granted("s0", grants[0], &holder), granted("s1", grants[1], &holder)]})
                }),
            ),
            Self::Release { pipeline, phase } => (
                json!({"pipeline": pipeline, "number": 1, "commit": COMMIT, "reason": "NewCommit"}),
                phase.map_or(Value::Null, |phase| json!({"phase": phase})),
            ),
            Self::Service { account, follows, ready, has } => (
                json!({"account": account, "cluster": "c", "taskDefinition": {"containerDefinitions": [container(follows.as_deref())]}}),
                json!({"conditions": [{"type": "Ready", "status": ready, "reason": "R", "message": "", "lastTransitionTime": TIME}],
                "rollout": has.as_ref().map(|(pipeline, stage, grant)| json!({"source": format!("{pipeline}/s{stage}"),
                    "grant": grant, "generation": 1, "meaning": "v1-0", "phase": "Done", "startedAt": TIME}))}),
            ),
        };
        let (kind, namespace) = (key.kind.name(), &key.namespace);
        // The API server counts what people write.
        let generation = super::digest(&spec.to_string()) % 1_000_000;
        let namespace = Some(namespace).filter(|text| !text.is_empty());
        json!({"apiVersion": "launchway.dev/v1alpha1", "kind": kind, "spec": spec, "status": status,
            "metadata": {"name": key.name, "namespace": namespace, "generation": generation}})
    }
}

const TIME: &str = "2026-01-01T00:00:00Z";
const COMMIT: &str = "0123456789012345678901234567890123456789";

/// The Release that holds every stage that was granted, in the random clusters.
const HOLDER: &str = "r1";

fn stage(name: &str, targets: &[String]) -> Value {
    json!({"name": name, "targets": targets.iter().map(|service| json!({"service": service})).collect::<Vec<_>>()})
}

fn granted(name: &str, grant: i64, holder: &str) -> Value {
    json!({"name": name, "grant": {"number": grant, "reason": "Release", "release": holder, "since": TIME,
        "commit": COMMIT, "images": []}})
}

fn container(follows: Option<&str>) -> Value {
    let from = follows.map(|pipeline| json!({"pipeline": pipeline, "stage": "s0", "image": "web"}));
    json!({"name": "web", "imageFrom": from})
}

type World = BTreeMap<Key, Object>;

/// Whom a change of an object wakes: every other object is looked at.
fn scan(world: &World, key: &Key, changed: &Object) -> BTreeSet<Key> {
    let here = world.iter().filter(|(other, _)| other.namespace == key.namespace || key.namespace.is_empty());
    let woken = here.filter(|(other, object)| match changed {
        Object::AwsAccount => {
            let works_for = |release: &Object| {
                let mut pipelines =
                    world.iter().filter(|(one, _)| one.kind == Kind::Pipeline && one.namespace == other.namespace);
                pipelines.any(|(one, pipeline)| release.belongs_to(&one.name) && pipeline.uses(&key.name))
            };
            object.uses(&key.name) || object.is_at_work() && works_for(object)
        }
        Object::Pipeline { targets, grants, .. } => match object {
            Object::Service { follows, ready, has, .. } => {
                let is_content = has.as_ref().zip(*grants).is_some_and(|((pipeline, stage, grant), grants)| {
                    *ready == "True"
                        && *pipeline == key.name
                        && targets[*stage].contains(&other.name)
                        && grants[*stage] == *grant
                });
                follows.as_ref() == Some(&key.name) && !is_content
            }
            Object::AwsAccount | Object::Pipeline { .. } | Object::Release { .. } => false,
        },
        Object::Release { pipeline, .. } => other.kind == Kind::Pipeline && other.name == *pipeline,
        Object::Service { follows, .. } => follows.as_ref().is_some_and(|pipeline| {
            let whole = Key { kind: Kind::Pipeline, namespace: key.namespace.clone(), name: pipeline.clone() };
            let has_given = matches!(world.get(&whole), Some(Object::Pipeline { grants: Some(_), .. }));
            has_given && other.name == HOLDER && object.is_at_work() && object.belongs_to(pipeline)
        }),
    });
    woken.map(|(other, _)| other.clone()).chain([key.clone()]).collect()
}

/// The same when the object was another one before, or is gone now.
fn scan_change(before: &World, after: &World, key: &Key) -> BTreeSet<Key> {
    let mut woken = BTreeSet::new();
    match (before.get(key), after.get(key)) {
        (Some(Object::Pipeline { account, targets, .. }), None) => {
            let shows_nothing = Object::Pipeline { account: account.clone(), targets: targets.clone(), grants: None };
            woken.append(&mut scan(before, key, &shows_nothing));
        }
        (Some(old @ Object::AwsAccount), None) | (Some(old @ (Object::Release { .. } | Object::Service { .. })), _) => {
            woken.append(&mut scan(before, key, old));
        }
        (Some(Object::AwsAccount | Object::Pipeline { .. }) | None, _) => {}
    }
    if let Some(new) = after.get(key) {
        woken.append(&mut scan(after, key, new));
    }
    if key.kind == Kind::Pipeline {
        let parts = after.iter().filter(|(other, object)| {
            other.namespace == key.namespace && object.is_at_work() && object.belongs_to(&key.name)
        });
        woken.extend(parts.filter(|_| written(before, key) != written(after, key)).map(|(other, _)| other.clone()));
        let (was, is) = (given(before, key), given(after, key));
        let holder = Key { kind: Kind::Release, namespace: key.namespace.clone(), name: HOLDER.to_owned() };
        woken.extend((was != is && after.contains_key(key)).then_some(holder));
    }
    let (was, is) = (before.get(key).and_then(echo), after.get(key).and_then(echo));
    if was != is {
        let followed = [was, is].into_iter().flatten().map(|(pipeline, _)| pipeline);
        woken.extend(followed.map(|name| Key { kind: Kind::Pipeline, namespace: key.namespace.clone(), name }));
    }
    woken
}

/// What people wrote into a Pipeline.
fn written(world: &World, key: &Key) -> Option<(Option<String>, [Vec<String>; 2])> {
    match world.get(key)? {
        Object::Pipeline { account, targets, .. } => Some((account.clone(), targets.clone())),
        Object::AwsAccount | Object::Release { .. } | Object::Service { .. } => None,
    }
}

/// What a Pipeline has given to the holder of its stages.
fn given(world: &World, key: &Key) -> Option<[i64; 2]> {
    match world.get(key)? {
        Object::Pipeline { grants, .. } => *grants,
        Object::AwsAccount | Object::Release { .. } | Object::Service { .. } => None,
    }
}

/// The Pipeline that a Service follows, and what it has done of what that shows. Where it turns, the Pipeline is woken.
fn echo(object: &Object) -> Option<(String, Option<(usize, i64)>)> {
    let Object::Service { follows: Some(follows), ready, has, .. } = object else { return None };
    let has = has.as_ref().filter(|(pipeline, ..)| *ready == "True" && pipeline == follows);
    Some((follows.clone(), has.map(|(_, stage, grant)| (*stage, *grant))))
}

#[derive(Clone, Debug)]
enum Change {
    Put(Key, Object),
    Gone(Key),
    Obscured(Key),
    /// The kind is listed anew, and of its objects only those are there whose names are.
    Listed(Kind, BTreeSet<String>),
}

fn name(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(names).prop_map(str::to_owned)
}

fn pipelines() -> impl Strategy<Value = String> {
    name(&["p", "q"])
}

fn services() -> impl Strategy<Value = String> {
    name(&["x", "y", "z"])
}

fn accounts() -> impl Strategy<Value = Option<String>> {
    option::of(name(&["default", "other"]))
}

fn objects() -> impl Strategy<Value = (Key, Object)> {
    let namespaced = |namespaces: &'static [&'static str]| name(namespaces);
    let account = name(&["default", "other"]).prop_map(|name| (String::new(), name, Object::AwsAccount));
    let targets = || vec(services(), 0..3);
    let pipeline =
        (namespaced(&["a", "b"]), pipelines(), accounts(), [targets(), targets()], option::of([0..3_i64, 0..3]))
            .prop_map(|(namespace, name, account, targets, grants)| {
                (namespace, name, Object::Pipeline { account, targets, grants })
            });
    let phases = [None, Some("Active"), Some("Succeeded"), Some("Failed")];
    let release = (namespaced(&["a", "b"]), name(&["r1", "r2", "r3"]), pipelines(), select(phases.to_vec()))
        .prop_map(|(namespace, name, pipeline, phase)| (namespace, name, Object::Release { pipeline, phase }));
    let has = option::of((pipelines(), 0..2_usize, 0..3_i64));
    let service =
        (namespaced(&["a", "b"]), services(), accounts(), option::of(pipelines()), select(vec!["True", "False"]), has)
            .prop_map(|(namespace, name, account, follows, ready, has)| {
                (namespace, name, Object::Service { account, follows, ready, has })
            });
    prop_oneof![1 => account, 3 => pipeline, 3 => release, 4 => service]
        .prop_map(|(namespace, name, object)| (Key { kind: object.kind(), namespace, name }, object))
}

fn changes() -> impl Strategy<Value = Change> {
    let listed = (select(Kind::ALL), vec(name(&["default", "p", "r1", "r2", "x", "y"]), 0..6));
    prop_oneof![
        8 => objects().prop_map(|(key, object)| Change::Put(key, object)),
        2 => objects().prop_map(|(key, _)| Change::Gone(key)),
        1 => objects().prop_map(|(key, _)| Change::Obscured(key)),
        1 => listed.prop_map(|(kind, names)| Change::Listed(kind, names.into_iter().collect())),
    ]
}

fn put(index: &mut Index, key: &Key, object: &Object) -> BTreeSet<Key> {
    index.changed(key, key.kind.links(&object.json(key)).expect("an object of the kind"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn the_index_wakes_whom_a_look_at_every_object_would_wake(changes in vec(changes(), 1..60)) {
        let (mut world, mut index) = (World::new(), Index::default());
        for change in changes {
            let before = world.clone();
            let (woken, wanted) = match &change {
                Change::Put(key, object) => {
                    world.insert(key.clone(), object.clone());
                    (put(&mut index, key, object), scan_change(&before, &world, key))
                }
                Change::Gone(key) => {
                    world.remove(key);
                    (index.gone(key), scan_change(&before, &world, key))
                }
                // One that was never read has no links, and nothing is known to depend on it.
                Change::Obscured(key) if !world.contains_key(key) => (BTreeSet::new(), BTreeSet::new()),
                // To those that depend on it, it is what it was.
                Change::Obscured(key) => (index.obscured(key), scan_change(&before, &world, key)),
                Change::Listed(kind, names) => {
                    world.retain(|key, _| key.kind != *kind || names.contains(&key.name));
                    let present = world.keys().filter(|key| key.kind == *kind).cloned().collect();
                    let mut left = before.clone();
                    let gone = before.keys().filter(|key| !world.contains_key(*key));
                    let wanted = gone.flat_map(|key| {
                        let was = left.clone();
                        left.remove(key);
                        scan_change(&was, &left, key)
                    });
                    (listed(&mut index, *kind, &present), wanted.collect())
                }
            };
            // Of objects that are not there, none has a pass that does anything.
            let there = |keys: BTreeSet<Key>| keys.into_iter().filter(|key| world.contains_key(key)).collect::<BTreeSet<_>>();
            prop_assert_eq!(there(woken), there(wanted), "{:?}", change);
        }
        // Nothing is kept of what is gone.
        for kind in Kind::ALL {
            listed(&mut index, *kind, &BTreeSet::new());
        }
        prop_assert!(index.links.is_empty() && index.dependents.is_empty());
    }
}

/// 500 Pipelines with two Services each, ten Releases that ended and one at work.
fn cluster() -> (World, Index) {
    let mut world = World::new();
    let key = |kind, name: String| Key { kind, namespace: "a".to_owned(), name };
    world.insert(Key::of_account(None), Object::AwsAccount);
    for number in 0..500 {
        let pipeline = format!("p{number}");
        let service = |stage: usize| format!("{pipeline}-s{stage}");
        let targets = [vec![service(0)], vec![service(1)]];
        let of_pipeline = Object::Pipeline { account: None, targets, grants: Some([11, 10]) };
        world.insert(key(Kind::Pipeline, pipeline.clone()), of_pipeline);
        for release in 0..=10 {
            let phase = Some(if release == 10 { "Active" } else { "Succeeded" });
            let release = key(Kind::Release, format!("{pipeline}-{release}"));
            world.insert(release, Object::Release { pipeline: pipeline.clone(), phase });
        }
        for stage in 0..2 {
            let has = Some((pipeline.clone(), stage, 10));
            let follows = Some(pipeline.clone());
            let of_stage = Object::Service { account: None, follows, ready: "True", has };
            world.insert(key(Kind::Service, service(stage)), of_stage);
        }
    }
    let mut index = Index::default();
    for (key, object) in &world {
        put(&mut index, key, object);
    }
    (world, index)
}

/// How many objects a change of this one makes the index look at, itself included.
fn looked_at(index: &Index, key: &Key) -> usize {
    let users = index.all(key, Role::User);
    let through = users.map(|user| 1 + index.all(user, Role::ActivePart).count()).sum::<usize>();
    let own = index.told(&index.links[key]).len();
    1 + own + through + index.all(key, Role::Follower).count()
}

/// The figures stand in docs/architecture.md.
#[test]
fn an_event_looks_at_few_of_a_thousand_services() {
    let (world, index) = cluster();
    let services = world.keys().filter(|key| key.kind == Kind::Service).count();
    assert_eq!((services, world.len()), (1_000, 7_001));
    // A LogRequest has no links: nothing wakes it, and it wakes nothing.
    let figures: Vec<(Kind, usize, usize)> = Kind::ALL
        .iter()
        .filter(|kind| **kind != Kind::LogRequest)
        .map(|kind| {
            let key = world.keys().find(|key| key.kind == *kind && !key.name.ends_with("-0")).unwrap();
            (*kind, looked_at(&index, key), index.woken_by(key).len())
        })
        .collect();
    let wanted =
        [(Kind::AwsAccount, 2_001, 2_001), (Kind::Pipeline, 3, 2), (Kind::Release, 2, 2), (Kind::Service, 2, 2)];
    assert_eq!(figures, wanted);
}
