//! Random requests, valid ones with something wrong in them and others made up from the model: nothing is taken that the model refuses.

use std::collections::BTreeMap;

use fastrand::Rng;
use launchway_test_aws::model::{self, Presence, Shape, Structure, misfit};
use serde_json::{Map, Value, json};

use crate::requests::requests;
use crate::scene::Scene;

/// Requests of each kind for each operation.
const MANY: usize = 60;

/// A value of a shape, at random; now and then one that is none.
fn any(rng: &mut Rng, shape: &Shape) -> Value {
    if rng.u8(..) < 6 {
        return [json!(null), json!(7), json!("seven"), json!([]), json!({"no": "such"}), json!(true)][rng.usize(..6)]
            .clone();
    }
    match shape {
        Shape::String => {
            json!(["prod", "plain", "web", "app", "1", "arn:aws:ecs:eu-central-1:1:x", ""][rng.usize(..7)])
        }
        Shape::Integer | Shape::Long => json!(rng.i64(-2..200)),
        Shape::Timestamp | Shape::Float | Shape::Double => json!(rng.f64() * 100.0),
        Shape::Boolean => json!(rng.bool()),
        Shape::Document => json!({}),
        Shape::Enum(of) => json!(of.values[rng.usize(..of.values.len())]),
        Shape::List(item) => (0..rng.usize(..3)).map(|_| any(rng, item)).collect(),
        Shape::Map(item) => json!({"key": any(rng, item)}),
        Shape::Structure(of) => Value::Object(some(rng, of)),
        Shape::Union(of) => {
            let (name, member) = of.members.iter().nth(rng.usize(..of.members.len())).unwrap();
            json!({name: any(rng, &member.shape)})
        }
    }
}

/// Most of the required members of a structure, some of the others, seldom one that it does not have.
fn some(rng: &mut Rng, structure: &Structure) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, member) in &structure.members {
        let chance = if member.presence == Presence::Required { 245 } else { 60 };
        if rng.u8(..) < chance {
            members.insert(name.clone(), any(rng, &member.shape));
        }
    }
    if rng.u8(..) < 8 {
        members.insert("noSuchMember".to_owned(), json!(1));
    }
    members
}

/// The places in a value: how to get to each of them.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| places(inner, &format!("{at}/{name}"), all)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), all));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A good request with one thing in it that is otherwise.
fn spoiled(rng: &mut Rng, good: &Value) -> Value {
    let mut request = good.clone();
    let mut all = Vec::new();
    places(good, "", &mut all);
    let place = request.pointer_mut(&all[rng.usize(..all.len())]).unwrap();
    match place {
        Value::Object(members) if rng.bool() => drop(members.insert("noSuchMember".to_owned(), json!(1))),
        Value::Object(members) => {
            let name = members.keys().nth(rng.usize(..members.len().max(1))).cloned();
            name.and_then(|name| members.remove(&name));
        }
        Value::String(text) if rng.bool() => text.push_str("-otherwise"),
        Value::String(_) => *place = json!(7),
        Value::Array(items) if rng.bool() => items.push(json!({"no": "such"})),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => *place = json!("otherwise"),
    }
    request
}

#[test]
fn nothing_is_taken_that_the_model_refuses() {
    let scene = Scene::new();
    let mut rng = Rng::with_seed(7);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (service, operation) in
        model::operations().iter().flat_map(|(service, all)| all.iter().map(move |one| (*service, one)))
    {
        let structure = model::find(service, operation).unwrap();
        let good = requests(&scene, service, operation);
        for number in 0..2 * MANY {
            let request = match good.get(number % good.len().max(1)) {
                Some(good) if number < MANY => spoiled(&mut rng, good),
                Some(_) | None => Value::Object(some(&mut rng, structure)),
            };
            let refused = misfit(structure, &request);
            let answer = scene.clone().ask(service, operation, &request);
            let kind = match (&refused, &answer) {
                (Some(misfit), Ok(_)) if sayable(service, &request) => {
                    panic!("{service}:{operation} took {request}, but the model says: {misfit}")
                }
                (Some(_), _) => "refused by the model",
                (None, Ok(_)) => "taken",
                (None, Err(_)) => "refused by the service",
            };
            *counts.entry(kind).or_default() += 1;
        }
    }
    assert!(counts.values().all(|count| *count > 100) && counts.len() == 3, "the sample is lopsided: {counts:?}");
}

/// Whether a request goes over the wire as it is: form fields have no kinds, no nulls and no empty lists.
fn sayable(service: &str, request: &Value) -> bool {
    let plain = |value: &Value| value.is_string() && value != "";
    service != "sts" || request.as_object().is_some_and(|members| members.values().all(plain))
}
