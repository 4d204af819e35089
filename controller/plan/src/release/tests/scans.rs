//! ECR's scan of the image as a gate.

use super::{image, message};
use crate::condition::find;
use crate::fault::Remedy;
use crate::look::Looked;
use crate::reason::ConditionType;
use crate::samples::codebuild::{World, pushed};
use crate::samples::{COMMIT, fault};
use crate::wake::Wake;
use crate::world::{LiveFinding, LiveScan, Scanned};
use launchway_crds::release::ReleasePhase;
use serde_json::{Value, json};

fn scan(scanned: Scanned, findings: &[(&str, &str)]) -> LiveScan {
    let mut counts = std::collections::BTreeMap::new();
    for (_, severity) in findings {
        *counts.entry((*severity).to_owned()).or_insert(0) += 1;
    }
    let of = |(name, severity): &(&str, &str)| LiveFinding { name: (*name).into(), severity: (*severity).into() };
    LiveScan { scanned, counts, findings: findings.iter().map(of).collect() }
}

/// A Release whose image is scanned, with that in spec.imageScan beside `failOn: HIGH`.
fn world(more: &Value, scan: LiveScan) -> World {
    let mut world = World::new();
    let mut gate = json!({"failOn": "HIGH"});
    gate.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    world.changes = json!({"checks": [], "imageScan": gate});
    world.scan = scan;
    world
}

fn reason(world: &World) -> String {
    find(&world.status.conditions, ConditionType::Ready).map(|one| one.reason.clone()).unwrap_or_default()
}

#[test]
fn what_is_not_too_bad_passes_and_is_recorded() {
    let found = [("CVE-1", "MEDIUM"), ("CVE-2", "UNTRIAGED"), ("CVE-3", "MEDIUM")];
    let mut world = world(&Value::Null, scan(Scanned::Done, &found));
    world.run(60);
    assert!(image(&world).is_some(), "{}", message(&world));
    let recorded = world.status.image_scan.unwrap();
    assert_eq!((recorded.counts["MEDIUM"], recorded.counts["UNTRIAGED"], recorded.findings.len()), (2, 1, 0));
}

#[test]
fn what_is_too_bad_fails_the_release_before_any_stage_and_is_named() {
    let found: Vec<(String, &str)> =
        (1..=14).map(|n| (format!("CVE-{n:02}"), if n == 14 { "CRITICAL" } else { "HIGH" })).collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(name, severity)| (name.as_str(), *severity)).collect();
    let mut world = world(&Value::Null, scan(Scanned::Done, &found));
    world.run(60);
    assert_eq!((world.status.phase, image(&world), &*reason(&world)), (Some(ReleasePhase::Failed), None, "ScanFailed"));
    for part in
        ["CVE-14 (CRITICAL) in web", "CVE-01 (HIGH)", "and 11 more", "failOn is HIGH", "spec.imageScan.exceptions"]
    {
        assert!(message(&world).contains(part), "{part}: {}", message(&world));
    }
    let recorded = world.status.image_scan.unwrap();
    assert_eq!((recorded.findings.len(), &*recorded.findings[0].id), (10, "CVE-14"));
}

#[test]
fn a_finding_that_is_excepted_does_not_count_until_its_day() {
    for (until, passes) in [("2100-01-01T00:00:00Z", true), ("2000-01-01T00:00:00Z", false)] {
        let exceptions = json!({"exceptions": [{"name": "CVE-1", "until": until}]});
        let mut world = world(&exceptions, scan(Scanned::Done, &[("CVE-1", "CRITICAL")]));
        world.run(60);
        assert_eq!(image(&world).is_some(), passes, "{until}: {}", message(&world));
        let recorded = world.status.image_scan.unwrap();
        assert_eq!(recorded.findings[0].excepted_until.is_some(), passes);
    }
}

#[test]
fn findings_are_waited_for_as_long_as_the_spec_says() {
    for (begins, what) in [(Scanned::Not, "has no scan of web@"), (Scanned::Under, "ECR scans web@")] {
        let mut world = world(&json!({"timeout": "10m"}), scan(begins.clone(), &[]));
        world.until(|world| reason(world) == "Scanning");
        assert!(message(&world).contains(what), "{}", message(&world));
        let since = world.now;
        while world.status.phase == Some(ReleasePhase::Active) {
            assert!(world.now <= since + 660, "{}", message(&world));
            assert!(matches!(world.pass().1, Wake::After(_) | Wake::Now), "{}", message(&world));
            world.wait(30);
        }
        assert!(world.now >= since + 540, "it is given up after {} s", world.now - since);
        assert_eq!((world.status.phase, &*reason(&world)), (Some(ReleasePhase::Failed), "ScanFailed"));
        assert!(message(&world).contains("10m") && message(&world).contains("scanOnPush"), "{}", message(&world));
    }
}

#[test]
fn what_ecr_never_scans_is_said_at_once_and_what_cannot_be_seen_is_waited_for() {
    let mut never = world(&Value::Null, scan(Scanned::Never("UNSUPPORTED_IMAGE, an odd one".into()), &[]));
    never.run(60);
    assert_eq!((never.status.phase, &*reason(&never)), (Some(ReleasePhase::Failed), "ScanFailed"));
    assert!(message(&never).contains("UNSUPPORTED_IMAGE, an odd one"), "{}", message(&never));

    let mut blind = world(&Value::Null, scan(Scanned::Done, &[]));
    blind.until(|world| !world.observe().scans.is_empty());
    let mut seen = blind.observe();
    seen.scans.insert("web".into(), Looked::Blind(fault("AccessDeniedException", Remedy::AskOperator)));
    blind.wait(86_400);
    for _ in 0..2 {
        blind.pass_with(&seen);
    }
    assert_eq!((blind.status.phase, image(&blind)), (Some(ReleasePhase::Active), None));
    assert!(message(&blind).contains("is denied"), "{}", message(&blind));
    blind.run(60);
    assert!(image(&blind).is_some());
}

#[test]
fn an_image_that_was_released_before_is_not_judged_again() {
    let digest = pushed("web-build:1", 60).digest;
    let released = json!({"released": [{"of": crate::image::key(COMMIT, "web"), "digest": digest}]});
    let mut world = world(&Value::Null, scan(Scanned::Done, &[("CVE-1", "CRITICAL")]));
    (world.pipeline, world.image) = (released, Some(pushed("web-build:1", 60)));
    world.run(60);
    assert_eq!((world.builds.len(), image(&world)), (0, Some(digest)), "{}", message(&world));
}

#[test]
fn the_time_for_the_findings_begins_anew_when_they_could_not_be_seen() {
    let mut world = world(&json!({"timeout": "10m"}), scan(Scanned::Under, &[]));
    world.until(|world| reason(world) == "Scanning");
    let mut blind = world.observe();
    blind.scans.insert("web".into(), Looked::Blind(fault("Throttling", Remedy::Retry)));
    world.wait(3600);
    world.pass_with(&blind);
    world.pass();
    assert_eq!((world.status.phase, &*reason(&world)), (Some(ReleasePhase::Active), "Scanning"), "{}", message(&world));
    world.wait(660);
    world.pass();
    assert_eq!(&*reason(&world), "ScanFailed", "{}", message(&world));
}

#[test]
fn what_is_not_rated_is_the_least_and_what_is_not_known_the_worst() {
    let order = ["UNDEFINED", "INFORMATIONAL", "low", "Medium", "HIGH", "CRITICAL"].map(crate::world::badness);
    assert!(order.is_sorted() && order[0] < order[1], "{order:?}");
    assert_eq!(crate::world::badness("URGENT"), crate::world::badness("CRITICAL"));
    assert_eq!(crate::world::badness(""), crate::world::badness("CRITICAL"));
}
