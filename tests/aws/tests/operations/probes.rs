//! What a member does: the same request with and without it, and what can be seen afterwards.

use std::collections::BTreeMap;

use launchway_test_aws::model::{self, Presence, Shape, Structure};
use serde_json::{Map, Value, json};

use crate::requests::requests;
use crate::scene::Scene;

/// What became of a member. Of several requests and values, the first of these that one of them shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Something else is different too.
    Acts,
    /// It is shown again, and nothing else is different.
    Shown,
    /// Nothing is different with AWS's default, and other values are refused, with this code.
    Default(String),
    /// Nothing is different.
    Nothing,
    /// It is refused, with this code.
    Refused(String),
    /// The operation is refused whatever it says.
    Unknown,
}

/// The verdict of two values in the same place of one request.
fn together(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Verdict::Nothing, Verdict::Refused(code)) | (Verdict::Refused(code), Verdict::Nothing) => {
            Verdict::Default(code)
        }
        (one, other) => one.min(other),
    }
}

/// Another value of a member, for one that is what AWS takes anyway.
fn others(shape: &Shape, value: &Value) -> Vec<Value> {
    match (shape, value) {
        (Shape::Enum(of), _) => of.values.iter().map(|other| json!(other)).collect(),
        (Shape::Boolean, Value::Bool(flag)) => vec![json!(!flag)],
        (Shape::Integer, Value::Number(number)) => vec![json!(number.as_i64().unwrap_or_default() + 1)],
        (Shape::String, Value::String(text)) => vec![json!(format!("{text}x"))],
        (Shape::List(item), Value::Array(_)) => match &**item {
            Shape::Enum(of) => of.values.iter().map(|other| json!([other])).collect(),
            _ => vec![json!([])],
        },
        _ => Vec::new(),
    }
}

/// A request with and without one member.
struct Pair {
    path: String,
    with: Value,
    without: Value,
}

/// Each member of an operation by its path, and what becomes of it.
pub fn verdicts(scene: &Scene, service: &str, operation: &str) -> BTreeMap<String, Verdict> {
    let structure = model::find(service, operation).unwrap();
    let bases = requests(scene, service, operation);
    let mut verdicts = BTreeMap::new();
    if bases.is_empty() {
        let answer = scene.clone().ask(service, operation, &filled(structure));
        assert!(answer.unwrap_err().starts_with("UnknownOperationException"), "{operation} has no request here");
        return structure.paths().into_keys().map(|path| (path, Verdict::Unknown)).collect();
    }
    for base in bases {
        let mut pairs = Vec::new();
        vary(structure, &base, "", &|whole| whole, &mut pairs);
        let mut here: BTreeMap<String, Verdict> = BTreeMap::new();
        for pair in pairs {
            let verdict = verdict(scene, service, operation, &pair);
            let before = here.remove(&pair.path).unwrap_or(Verdict::Unknown);
            here.insert(pair.path, together(before, verdict));
        }
        for (path, verdict) in here {
            let best = verdicts.entry(path).or_insert(Verdict::Unknown);
            *best = best.clone().min(verdict);
        }
    }
    for path in verdicts.keys().cloned().collect::<Vec<_>>() {
        let under = |other: &&String| other.starts_with(&format!("{path}.")) || other.starts_with(&format!("{path}["));
        let best = verdicts.keys().filter(under).map(|other| verdicts[other].clone()).min();
        if let (Verdict::Nothing, Some(best)) = (&verdicts[&path], best) {
            verdicts.insert(path, best);
        }
    }
    verdicts
}

/// Every member of a structure, and of what is in it, once in the request and once not.
fn vary(structure: &Structure, base: &Value, before: &str, put: &dyn Fn(Value) -> Value, pairs: &mut Vec<Pair>) {
    for (name, member) in &structure.members {
        let path = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        let mut with = base.clone();
        if with[name].is_null() {
            with[name] = sample(&member.shape);
        }
        let mut without = base.clone();
        without.as_object_mut().unwrap().remove(name);
        let without = put(without);
        let values = std::iter::once(with[name].clone()).chain(others(&member.shape, &with[name]));
        pairs.extend(values.map(|value| Pair {
            path: path.clone(),
            with: put(replaced(&with, name, value)),
            without: without.clone(),
        }));
        inside(&member.shape, &with[name], path, &|inner| put(replaced(&with, name, inner)), pairs);
    }
}

fn replaced(of: &Value, name: &str, value: Value) -> Value {
    let mut whole = of.clone();
    whole[name] = value;
    whole
}

/// The same for what a list, a map, a structure or a union holds: its first item.
fn inside(shape: &Shape, value: &Value, path: String, put: &dyn Fn(Value) -> Value, pairs: &mut Vec<Pair>) {
    match shape {
        Shape::Structure(inner) => vary(inner, value, &path, put, pairs),
        Shape::Union(inner) => {
            for (name, member) in &inner.members {
                let with = put(json!({name: sample(&member.shape)}));
                pairs.push(Pair { path: format!("{path}.{name}"), with, without: put(Value::Null) });
            }
        }
        Shape::List(item) => {
            let items = value.as_array().cloned().unwrap_or_default();
            let rest =
                |first: Value| json!(std::iter::once(first).chain(items.iter().skip(1).cloned()).collect::<Vec<_>>());
            let first = items.first().cloned().unwrap_or_else(|| sample(item));
            inside(item, &first, path + "[]", &|inner| put(rest(inner)), pairs);
        }
        _ => {}
    }
}

/// A value of a shape: something that a service may or may not take.
pub fn sample(shape: &Shape) -> Value {
    match shape {
        Shape::String => json!("x"),
        Shape::Integer | Shape::Long | Shape::Timestamp => json!(1),
        Shape::Float | Shape::Double => json!(1.5),
        Shape::Boolean => json!(true),
        Shape::Document => json!({}),
        Shape::Enum(of) => json!(of.values[0]),
        Shape::List(item) => json!([sample(item)]),
        Shape::Map(item) => json!({"key": sample(item)}),
        Shape::Structure(of) => filled(of),
        Shape::Union(of) => {
            of.members.first_key_value().map_or(json!({}), |(name, member)| json!({name: sample(&member.shape)}))
        }
    }
}

/// A structure with what it must have.
pub fn filled(structure: &Structure) -> Value {
    let required = structure.members.iter().filter(|(_, member)| member.presence == Presence::Required);
    Value::Object(required.map(|(name, member)| (name.clone(), sample(&member.shape))).collect::<Map<_, _>>())
}

fn verdict(scene: &Scene, service: &str, operation: &str, pair: &Pair) -> Verdict {
    let seen = |request: &Value| observed(&mut scene.clone(), service, operation, request);
    let name = pair.path.rsplit('.').next().unwrap().trim_end_matches("[]");
    match (seen(&pair.with), seen(&pair.without)) {
        (Err(refusal), _) => Verdict::Refused(refusal.split(':').next().unwrap().to_owned()),
        (Ok(_), Err(_)) => Verdict::Acts,
        (Ok(with), Ok(without)) if with == without => Verdict::Nothing,
        (Ok(with), Ok(without)) if stripped(&with, name) == stripped(&without, name) => Verdict::Shown,
        (Ok(_), Ok(_)) => Verdict::Acts,
    }
}

/// What is answered, to the same request a second time, and what can be seen ten minutes later.
fn observed(scene: &mut Scene, service: &str, operation: &str, request: &Value) -> Result<Value, String> {
    let first = scene.ask(service, operation, request)?;
    let second = scene.ask(service, operation, request).unwrap_or_else(|refusal| json!(refusal));
    let mut seen = vec![first, second];
    let looks = ["Describe", "List", "Get", "BatchGet"].iter().any(|prefix| operation.starts_with(prefix));
    if !looks {
        scene.wait(15);
        look(scene, &mut seen);
        scene.wait(600);
        look(scene, &mut seen);
    }
    Ok(json!(seen))
}

/// All that ECS and CodeBuild show.
fn look(scene: &mut Scene, seen: &mut Vec<Value>) {
    let mut ask = |service: &str, operation: &str, request: Value| {
        let answer = scene.ask(service, operation, &request).unwrap_or_default();
        seen.push(answer.clone());
        answer
    };
    for name in ["other", "plain", "web"] {
        ask("ecs", "DescribeServices", json!({"cluster": "prod", "services": [name], "include": ["TAGS"]}));
        let rollouts = ask("ecs", "ListServiceDeployments", json!({"cluster": "prod", "service": name}));
        let rollout = rollouts["serviceDeployments"][0].clone();
        ask("ecs", "DescribeServiceDeployments", json!({"serviceDeploymentArns": [rollout["serviceDeploymentArn"]]}));
        ask("ecs", "DescribeServiceRevisions", json!({"serviceRevisionArns": [rollout["targetServiceRevisionArn"]]}));
    }
    for desired in ["RUNNING", "STOPPED"] {
        let tasks = ask("ecs", "ListTasks", json!({"cluster": "prod", "desiredStatus": desired}));
        ask("ecs", "DescribeTasks", json!({"cluster": "prod", "tasks": tasks["taskArns"], "include": ["TAGS"]}));
    }
    for family in ["plain", "fargate", "instances"] {
        ask("ecs", "ListTaskDefinitions", json!({"familyPrefix": family}));
        ask("ecs", "DescribeTaskDefinition", json!({"taskDefinition": family, "include": ["TAGS"]}));
    }
    let builds = ask("codebuild", "ListBuildsForProject", json!({"projectName": "web"}));
    ask("codebuild", "BatchGetBuilds", json!({"ids": builds["ids"]}));
}

/// Without the members of this name.
fn stripped(value: &Value, name: &str) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, _)| *key != name);
            Value::Object(kept.map(|(key, value)| (key.clone(), stripped(value, name))).collect())
        }
        Value::Array(items) => items.iter().map(|item| stripped(item, name)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
