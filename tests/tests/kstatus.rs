//! What Flux and Argo CD make of our objects: each row of the table of statuses is played in the world, and judged by
//! kstatus's own library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "kstatus/argo.rs"]
mod argo;
#[path = "kstatus/rows.rs"]
mod rows;

use std::collections::BTreeSet;

use launchway_test_kube::real::kstatus::{self, Status};
use serde_json::Value;

use argo::Health;
use rows::Row;

fn condition<'a>(object: &'a Value, kind: &str) -> &'a str {
    let all = object["status"]["conditions"].as_array().map_or(&[][..], Vec::as_slice);
    all.iter().find(|one| one["type"] == kind).and_then(|one| one["status"].as_str()).unwrap_or("")
}

/// Every state that an object was ever written in, while a row was played.
fn states(row: &Row) -> Vec<Value> {
    let ours = ["AwsAccount", "Pipeline", "Release", "Service"];
    let writes = row.world.store.writes();
    writes.iter().filter(|write| ours.contains(&&*write.kind)).map(|write| write.object.value().clone()).collect()
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
        let health = argo::health(&row.object);
        if health != row.argo {
            wrong.push(format!("{}: Argo CD would say {health:?}, not {:?}", row.name, row.argo));
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
    let kinds = ["AwsAccount", "Pipeline", "Service"];
    let objects: Vec<Value> =
        kinds.iter().flat_map(|kind| world.store.objects(kind)).map(|object| object.value().clone()).collect();
    let said = kstatus::of(&objects).expect("kstatus answers");
    assert!(said.iter().all(|said| said.status == Status::InProgress), "{said:?}");
    assert!(objects.iter().all(|object| argo::health(object) == Health::Progressing));
}
