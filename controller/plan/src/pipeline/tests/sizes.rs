//! The largest status of a Pipeline, and lists that are full: nothing that does not fit is forgotten.

use super::rows::{parsed, recorded, sight};
use crate::Outcome;
use crate::condition::find;
use crate::pipeline::report::{Pass, report};
use crate::pipeline::{Record, assess};
use crate::reason::ConditionType;
use crate::samples::release::{granted, images, release, stage};
use launchway_crds::Release;
use launchway_crds::pipeline::PipelineStatus;
use launchway_crds::release::ReleasePhase;
use serde_json::{Value, json};

fn pass(changes: &Value, status: &PipelineStatus, releases: Vec<Release>) -> PipelineStatus {
    let (desired, observed, record) = (parsed(changes), sight(releases), recorded(status));
    let state = assess(&desired, &record, &observed);
    report(&record, &Pass { desired: &desired, observed: &observed, state: &state, outcome: &Outcome::Idle })
}

fn long(index: usize) -> String {
    format!("{}{index:03}", "r".repeat(60))
}

fn active(index: usize, images: &Value, stages: &Value) -> Release {
    let status = json!({"phase": "Active", "images": images, "stages": stages,
        "summary": {"message": "\"".repeat(1024), "stage": "x".repeat(63)}});
    let mut one = release(index as i64, index as i64, status);
    one.metadata.name = Some(long(index));
    one.spec.commit = Some("c".repeat(64).into());
    one
}

#[test]
fn the_largest_status_fits() {
    let name = |index: usize| format!("{}{index}", "s".repeat(62));
    let stages: Vec<_> =
        (0..10).map(|index| json!({"name": name(index), "targets": [{"service": format!("t{index}")}]})).collect();
    let image = json!([{"name": "i".repeat(63), "registry": "123456789012", "region": "r".repeat(25),
        "repository": "h".repeat(256), "digest": format!("sha256:{}", "a".repeat(64))}]);
    let rolling: Vec<_> = (0..10).map(|index| stage(&name(index), 5, "Rolling")).collect();
    let builds = (60..120).map(|index| active(index, &json!([]), &json!([])));
    let waits = (1..20).map(|index| active(index, &image, &json!([])));
    let all: Vec<Release> = builds.chain(waits).chain([active(0, &image, &json!(rolling))]).collect();
    let releases = || all.clone();
    let held: Vec<_> = (0..10)
        .map(|index| {
            let mut stage = granted(&name(index), 5, &long(0));
            stage["grant"]["images"] = image.clone();
            stage["grant"]["commit"] = json!("c".repeat(64));
            stage["verified"] = json!({"release": long(1), "grant": 4, "commit": "c".repeat(64), "images": image,
                "at": crate::samples::time(0)});
            stage
        })
        .collect();
    let made: Vec<_> = (0..31).map(|index| format!("{index:036}")).collect();
    let passed_over: Vec<_> = (0..3)
        .map(|index| {
            json!({"commit": format!("{index:064}"), "reason": "NoRelevantChange", "message": "m".repeat(96),
            "seenAt": crate::samples::time(0), "judgedBy": "h".repeat(16)})
        })
        .collect();
    let of_images = json!({"since": crate::samples::time(0), "commits": "0123abc".repeat(100)});
    // What is remembered of images, and heads of a branch that were passed over, are of different sources.
    for (images, passed_over) in [(of_images, Vec::new()), (Value::Null, passed_over)] {
        let head = json!({"ref": "r".repeat(220), "commit": "c".repeat(64), "number": 999_999_999, "seenAt": crate::samples::time(0),
        "images": images});
        let recorded_head = json!({"ref": "r".repeat(220), "commit": "c".repeat(64), "number": 999_999_998, "seenAt": crate::samples::time(0)});
        let released: Vec<_> =
            (0..12).map(|index| json!({"of": format!("{index:016}"), "digest": image[0]["digest"]})).collect();
        let before = json!({"observedGeneration": 1, "stages": held, "heads": [recorded_head], "making": head, "made": made,
        "released": released, "webhookAt": crate::samples::time(0), "passedOver": passed_over});
        let before = serde_json::from_value(before).unwrap();
        let next = pass(&json!({"stages": stages}), &before, releases());
        let waiting: Vec<_> =
            next.stages.iter().flat_map(|stage| &stage.waiting).map(|one| one.release.to_string()).collect();
        assert_eq!(waiting, (15..20).map(long).collect::<Vec<_>>(), "the newest that wait are recorded");
        assert_eq!((next.stages.len(), next.superseded.len()), (10, 20));
        let size = serde_json::to_vec(&next).unwrap().len();
        assert!(size <= 32 * 1024, "{size}");
    }
}

#[test]
fn if_more_releases_are_superseded_than_fit_into_the_list_none_is_forgotten() {
    let mut releases: Vec<Release> = (0..70)
        .map(|index| release(index, index, json!({"phase": "Active", "summary": {"message": "is being built"}})))
        .collect();
    let mut status = Record::empty().status().clone();
    for round in 0..4 {
        status = pass(&json!({}), &status, releases.clone());
        let told: Vec<String> = status.superseded.iter().map(|one| one.release.to_string()).collect();
        let left = 69 - 20 * round;
        assert_eq!(told, (20 * round..69.min(20 * round + 20)).map(|index| format!("web-{index}")).collect::<Vec<_>>());
        let message = &find(&status.conditions, ConditionType::Released).unwrap().message;
        let says = message.contains(&format!("{} more older Releases are superseded", left - 20));
        assert_eq!(says, left > 20, "{message}");
        assert_eq!(pass(&json!({}), &status, releases.clone()), status, "who was told stays told");
        for one in releases.iter_mut().filter(|one| told.contains(one.metadata.name.as_ref().unwrap())) {
            one.status.as_mut().unwrap().phase = Some(ReleasePhase::Superseded);
        }
    }
    status = pass(&json!({}), &status, releases);
    assert!(status.superseded.is_empty());
}

#[test]
fn what_a_stage_was_verified_with_is_kept_after_its_release_is_deleted() {
    let done =
        release(1, 1, json!({"phase": "Succeeded", "images": images(), "stages": [stage("staging", 5, "Verified")]}));
    let before = serde_json::from_value(json!({"stages": [granted("staging", 5, "web-1")]})).unwrap();
    let proved = pass(&json!({}), &before, vec![done]);
    let gone = pass(&json!({}), &proved, Vec::new());
    assert_eq!(json!(gone.stages[0].verified.as_ref().unwrap().images), images());
}

#[test]
fn the_image_of_a_commit_is_remembered_after_its_release_is_deleted_and_replaced_only_by_a_release_at_work() {
    let of = |number, phase: &str, digest: &str| {
        let mut all = images();
        all[0]["digest"] = json!(format!("sha256:{}", digest.repeat(64)));
        release(number, number, json!({"phase": phase, "images": all}))
    };
    let digest =
        |status: &PipelineStatus| status.released.iter().map(|one| one.digest[7..8].to_owned()).collect::<String>();
    let empty = Record::empty().status().clone();
    let first = pass(&json!({}), &empty, vec![of(1, "Succeeded", "a")]);
    assert_eq!(digest(&first), "a");
    let gone = pass(&json!({}), &first, Vec::new());
    assert_eq!(digest(&gone), "a");
    assert_eq!(digest(&pass(&json!({}), &gone, vec![of(2, "Succeeded", "b")])), "a");
    assert_eq!(digest(&pass(&json!({}), &gone, vec![of(1, "Succeeded", "a"), of(2, "Active", "b")])), "b");
    let many: Vec<Release> = (0..30)
        .map(|index| {
            let mut one = active(index, &images(), &json!([]));
            one.spec.commit = Some(format!("{index:040}").as_str().into());
            one
        })
        .collect();
    let full = pass(&json!({}), &gone, many.clone());
    let newest = crate::image::key(&format!("{:040}", 29), "web");
    assert_eq!((full.released.len(), &full.released[11].of), (12, &newest));
    assert_eq!(pass(&json!({}), &full, many).released, full.released);
}

#[test]
fn the_memory_of_releases_with_many_images_comes_to_rest() {
    let ten: Vec<_> = (0..10)
        .map(|number| {
            let mut image = images()[0].clone();
            (image["name"], image["repository"]) = (json!(format!("i{number}")), json!(format!("r{number}")));
            image
        })
        .collect();
    let at_work: Vec<Release> = (0..3)
        .map(|index| {
            let mut one = active(index, &json!(ten), &json!([]));
            one.spec.commit = Some(format!("{index:040}").as_str().into());
            one
        })
        .collect();
    let first = pass(&json!({}), Record::empty().status(), at_work.clone());
    assert_eq!(first.released.len(), 10, "those of the newest Release, and of no other a part");
    assert_eq!(pass(&json!({}), &first, at_work).released, first.released);
}
