//! What Flux and Argo CD make of our objects: each row of the table of statuses is played in the world, and judged by
//! kstatus's own library and by the health script that we give to users of Argo CD.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "kstatus/rows.rs"]
mod rows;

use std::collections::BTreeSet;

use launchway::key::Kind;
use launchway_test_kube::real::kstatus::{self, Status};
use launchway_tests::argo::{self, Health};
use serde_json::{Value, json};

use rows::Row;

fn condition<'a>(object: &'a Value, kind: &str) -> &'a str {
    let all = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter().find(|one| one["type"] == kind).and_then(|one| one["status"].as_str()).unwrap_or("")
}

/// Every state that an object was ever written in, while a row was played.
fn states(row: &Row) -> Vec<Value> {
    let writes = row.world.store.writes();
    writes.iter().filter(|write| Kind::named(&write.kind).is_some()).map(|write| write.object.value().clone()).collect()
}

#[test]
fn every_row_of_the_table_is_what_kstatus_makes_of_it() {
    let rows = rows::all();
    let objects: Vec<Value> = rows.iter().map(|row| row.object.clone()).collect();
    let said = kstatus::of(&objects).expect("kstatus answers");
    let mut wrong = Vec::new();
    for (row, said) in rows.iter().zip(&said) {
        if said.status != row.kstatus {
            wrong.push(format!(
                "{}: kstatus says {:?} ({}), not {:?}",
                row.name, said.status, said.message, row.kstatus
            ));
        }
        for (kind, wanted) in row.conditions {
            let is = condition(&row.object, kind);
            if is != *wanted {
                wrong.push(format!("{}: {kind} is {is:?}, not {wanted:?}", row.name));
            }
        }
        let (health, message) = argo::health(&row.object).unwrap();
        if health != row.argo {
            wrong.push(format!("{}: Argo CD would say {health:?} ({message}), not {:?}", row.name, row.argo));
        }
        if message.is_empty() {
            wrong.push(format!("{}: Argo CD would show no message", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_object_was_ever_at_work_and_stalled_at_once_and_every_status_says_of_which_generation_it_is() {
    let mut wrong = BTreeSet::new();
    for row in rows::all() {
        for object in states(&row) {
            let name = format!("{}: {} {}", row.name, object["kind"], object["metadata"]["name"]);
            if condition(&object, "Reconciling") == "True" && condition(&object, "Stalled") == "True" {
                wrong.insert(format!("{name} is at work and stalled"));
            }
            for kind in ["Reconciling", "Stalled", "Held"].map(|kind| (kind, condition(&object, kind))) {
                if !matches!(kind.1, "" | "True") {
                    wrong.insert(format!("{name}: {} is there and {}", kind.0, kind.1));
                }
            }
            let (observed, generation) = (&object["status"]["observedGeneration"], &object["metadata"]["generation"]);
            if observed.as_i64() > generation.as_i64() {
                wrong.insert(format!("{name} was observed at {observed}, and is at {generation}"));
            }
        }
        let (observed, generation) =
            (&row.object["status"]["observedGeneration"], &row.object["metadata"]["generation"]);
        if observed != generation {
            wrong.insert(format!("{}: in the end {observed} is observed of {generation}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_object_that_was_not_looked_at_yet_is_in_progress() {
    let world = launchway_tests::world::sample::world(7);
    launchway_tests::world::sample::apply(&world);
    let objects: Vec<Value> = Kind::ALL
        .iter()
        .flat_map(|kind| world.store.objects(&kind.name()))
        .map(|object| object.value().clone())
        .collect();
    let said = kstatus::of(&objects).expect("kstatus answers");
    assert!(said.iter().all(|said| said.status == Status::InProgress), "{said:?}");
    assert!(objects.iter().all(|object| argo::health(object).unwrap().0 == Health::Progressing));
}

#[test]
fn argo_cd_shows_progress_for_an_object_of_any_kind_whose_status_says_nothing_yet() {
    let ready = |message: Value| json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "message": message}]});
    let silent = [
        Value::Null,
        json!({}),
        json!({"observedGeneration": -1}),
        json!({"observedGeneration": 1}),
        json!({"observedGeneration": 1, "conditions": null}),
        json!({"observedGeneration": 1, "conditions": []}),
        json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "Unknown", "reason": "R", "message": "m"}]}),
        json!({"observedGeneration": 0, "conditions": ready("m".into())["conditions"]}),
    ];
    for kind in Kind::ALL {
        let object = |status: &Value| {
            json!({"apiVersion": "launchway.dev/v1alpha1", "kind": kind.name(),
                "metadata": {"name": "a", "namespace": "b", "generation": 1}, "spec": {}, "status": status})
        };
        for status in &silent {
            assert_eq!(argo::health(&object(status)).unwrap().0, Health::Progressing, "{kind:?}: {status}");
        }
        assert_eq!(
            argo::health(&object(&ready(Value::Null))).unwrap().0,
            Health::Healthy,
            "{kind:?}: a condition without a message"
        );
    }
    let mut without_status = json!({"metadata": {"name": "a", "generation": 1}, "spec": {}});
    assert_eq!(argo::health(&without_status).unwrap().0, Health::Progressing);
    without_status["metadata"]["generation"] = Value::Null;
    assert_eq!(argo::health(&without_status).unwrap().0, Health::Progressing);
}
