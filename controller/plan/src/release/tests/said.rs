//! Images that the build says itself.

use super::{image, message};
use crate::fault::Remedy;
use crate::look::Looked;
use crate::release::{BuildSeen, Observed};
use crate::samples::codebuild::{Pushes, World, pushed, yesterdays};
use crate::samples::release::build;
use crate::samples::{COMMIT, OTHER, at, fault};
use crate::world::{Artifact, BuildStatus, Listing, LiveBuild, Packaging};
use launchway_crds::release::ReleasePhase;
use serde_json::json;

const REPOSITORY: &str = "123456789012.dkr.ecr.us-east-2.amazonaws.com/web";

/// A Release whose build exports that as `IMAGE_URI`.
fn saying(text: &str) -> World {
    let mut world = World::new();
    world.changes = json!({"checks": [], "build": {"imageFrom": {"variable": "IMAGE_URI"}}});
    world.says = Some(text.to_owned());
    world
}

#[test]
fn a_digest_that_the_build_says_is_the_image_whatever_carries_the_commits_tag() {
    for text in [format!("{REPOSITORY}@DIGEST"), "DIGEST".to_owned(), format!("{REPOSITORY}:v1@DIGEST")] {
        let mut world = saying(&text);
        world.image = Some(pushed("somebody", -60));
        world.run(60);
        assert_eq!((world.builds.len(), image(&world)), (1, Some(pushed("web-build:1", 60).digest)), "{text}");
    }
    let mut same = saying("DIGEST");
    same.pushes = Pushes::Same;
    same.run(60);
    assert_eq!(image(&same), Some(yesterdays().digest), "bytes that were there before");
}

#[test]
fn what_the_build_says_in_another_form_or_not_at_all_is_explained_and_not_rolled() {
    for (text, parts) in [
        (None, ["exported no image as IMAGE_URI", "exported-variables: [IMAGE_URI]"]),
        (Some("999999999999.dkr.ecr.us-east-2.amazonaws.com/web@DIGEST"), ["999999999999", "spec.images"]),
        (Some("123456789012.dkr.ecr.eu-west-1.amazonaws.com/web@DIGEST"), ["eu-west-1", "spec.images"]),
        (Some("123456789012.dkr.ecr.us-east-2.amazonaws.com/api@DIGEST"), ["/api@", "spec.images"]),
        (Some("123456789012.dkr.ecr.us-east-2.amazonaws.com/web:latest"), ["web:latest", "say the digest"]),
    ] {
        let mut world = saying("");
        world.says = text.map(str::to_owned);
        world.run(60);
        assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None), "{text:?}");
        for part in parts {
            assert!(message(&world).contains(part), "{part}: {}", message(&world));
        }
    }
    let mut gone = saying(&format!("{REPOSITORY}@sha256:{}", "c".repeat(64)));
    gone.run(60);
    assert!(message(&gone).contains("not in ECR") && image(&gone).is_none(), "{}", message(&gone));
}

#[test]
fn a_build_that_fails_says_nothing() {
    let mut world = saying("DIGEST");
    (world.ends, world.pushes) = (vec![BuildStatus::Failed], Pushes::All);
    world.run(60);
    assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None));
}

#[test]
fn a_tag_that_the_build_says_is_believed_unless_another_build_may_have_moved_it() {
    let other = |versions: &[&str], to: i64| LiveBuild {
        versions: versions.iter().map(|version| (*version).to_owned()).collect(),
        started_at: at(0),
        ended_at: Some(at(to)),
        ..build("web-build:theirs", BuildStatus::Succeeded, &[])
    };
    let short = &COMMIT[..7];
    for (tag, beside, is_rolled) in [
        ("build-17", None, true),
        ("build-17", Some(other(&[OTHER], -60)), true),
        ("build-17", Some(other(&[OTHER], 30)), false),
        (short, Some(other(&[OTHER], 30)), true),
        (short, Some(other(&["main"], 30)), false),
        (short, Some(other(&[COMMIT], 30)), false),
    ] {
        let mut world = saying(&format!("{REPOSITORY}:{tag}"));
        while world.builds.is_empty() {
            world.pass();
        }
        world.builds.extend(beside.clone().map(|build| ("theirs".to_owned(), build)));
        world.run(60);
        assert_eq!(image(&world).is_some(), is_rolled, "{tag} {beside:?}: {}", message(&world));
        assert!(is_rolled || message(&world).contains("say the digest"), "{}", message(&world));
    }
}

#[test]
fn the_releases_own_checks_and_attempts_take_no_tag_away() {
    let uid = saying("").release.metadata.uid.unwrap();
    for marker in [format!("{uid}/build/1"), format!("{uid}/lint/1")] {
        let mut world = saying(&format!("{REPOSITORY}:build-17"));
        while world.builds.is_empty() {
            world.pass();
        }
        let before =
            LiveBuild { marker: Some(marker), started_at: at(-30), ended_at: Some(at(2)), ..world.builds[0].1.clone() };
        world.builds.push(("before".into(), LiveBuild { id: "web-build:before".into(), ..before }));
        world.builds[1].1.status = BuildStatus::Failed;
        world.run(60);
        assert!(image(&world).is_some(), "{}", message(&world));
    }
}

/// Whether the end of its only step is recorded.
fn has_ended(world: &World) -> bool {
    let started = world.status.steps.first().and_then(|step| step.started.as_ref());
    started.is_some_and(|started| started.ended_at.is_some())
}

#[test]
fn what_codebuild_shows_late_is_looked_for() {
    let mut world = saying("DIGEST");
    let says = world.says.take();
    world.until(has_ended);
    world.wait(10);
    let digest = world.image.clone().unwrap().digest;
    world.builds[0].1.exported.insert("IMAGE_URI".into(), says.unwrap().replace("DIGEST", &digest).as_str().into());
    world.run(60);
    assert_eq!(image(&world), Some(digest), "{}", message(&world));
}

#[test]
fn what_the_commit_was_released_with_before_is_not_built_again_while_it_is_there() {
    let remembers = json!({"released": [{"of": crate::image::key(COMMIT, "web"), "digest": yesterdays().digest}]});
    for (there, builds) in [(Some(yesterdays()), 0), (None, 1)] {
        let mut world = saying("DIGEST");
        (world.pipeline, world.image) = (remembers.clone(), there);
        world.run(60);
        assert_eq!(world.builds.len(), builds);
        assert!(image(&world).is_some(), "{}", message(&world));
    }
}

#[test]
fn what_was_said_is_found_again_after_the_status_was_lost() {
    let mut world = saying("DIGEST");
    world.run(60);
    let before = image(&world);
    world.status = crate::release::report::empty();
    world.release.metadata.creation_timestamp = None;
    world.run(60);
    assert_eq!((world.builds.len(), image(&world)), (1, before));
}

#[test]
fn what_was_said_is_waited_for_while_codebuild_does_not_answer() {
    let mut world = saying("DIGEST");
    let says = world.says.take();
    world.until(has_ended);
    world.wait(3600);
    let unseen = Looked::Blind(fault("Throttling", Remedy::Retry));
    let seen = Observed { builds: [("build".to_owned(), BuildSeen::Known(unseen))].into(), ..world.observe() };
    world.pass_with(&seen);
    assert_eq!(world.status.phase, Some(ReleasePhase::Active), "{}", message(&world));
    let digest = world.image.clone().unwrap().digest;
    world.builds[0].1.exported.insert("IMAGE_URI".into(), says.unwrap().replace("DIGEST", &digest).as_str().into());
    world.run(60);
    assert_eq!(image(&world), Some(digest), "{}", message(&world));
}

/// Where a build leaves its files: the sample's builds are numbered.
fn left(key: &str) -> Option<Artifact> {
    Some(Artifact { bucket: "shop-builds".into(), key: key.into(), packaging: Packaging::Folder })
}

fn listing(named: &[&str]) -> Looked<Listing> {
    let named = named.iter().map(|image| image.replace("DIGEST", &pushed("web-build:1", 60).digest)).collect();
    Looked::Seen(Listing::Images { named, key: "web/1/out/out/images.json".into(), version: Some("v3".into()) })
}

/// A Release whose build runs, and will leave that, with a file that says that.
fn listing_in(artifact: Option<Artifact>, file: Looked<Listing>) -> World {
    let mut world = World::new();
    let artifacts = json!({"type": "S3", "location": "shop-builds", "namespaceType": "BUILD_ID"});
    world.changes = json!({"checks": [], "build": {"imageFrom": {"artifact": "out/images.json"},
        "codeBuild": {"project": "web-build", "override": {"artifacts": artifacts}}}});
    world.listing = file;
    while world.builds.is_empty() {
        world.pass();
    }
    world.builds[0].1.artifact = artifact.map(Box::new);
    world
}

#[test]
fn an_image_that_a_file_lists_is_the_image_and_the_file_is_recorded() {
    let sidecar = "123456789012.dkr.ecr.us-east-2.amazonaws.com/proxy:3";
    for text in [format!("{REPOSITORY}@DIGEST"), format!("{REPOSITORY}:build-17"), format!("{REPOSITORY}:v1@DIGEST")] {
        let mut world = listing_in(left("web/1/out"), listing(&[sidecar, &text]));
        world.run(60);
        assert_eq!(image(&world), Some(pushed("web-build:1", 60).digest), "{text}: {}", message(&world));
        let step = &world.status.steps[0];
        assert_eq!(step.images.len(), 1, "what is of no repository of the Pipeline's is not recorded");
        let object = step.artifact.as_ref().unwrap();
        let version = object.version_id.as_deref();
        assert_eq!((&*object.bucket, &*object.key, version), ("shop-builds", "web/1/out/out/images.json", Some("v3")));
    }
}

#[test]
fn a_file_that_lists_no_image_that_could_be_rolled_is_explained() {
    let web = format!("{REPOSITORY}@DIGEST");
    let (tag, latest) = (format!("{REPOSITORY}:v1"), format!("{REPOSITORY}:latest"));
    let proxy = "123456789012.dkr.ecr.us-east-2.amazonaws.com/proxy:3";
    for (artifact, file, parts) in [
        (None, listing(&[&web]), ["left nothing in S3", "override.artifacts"]),
        (left("web/out"), listing(&[&web]), ["another build may have overwritten", "namespaceType: BUILD_ID"]),
        (left("web/11/out"), listing(&[&web]), ["another build may have overwritten", "s3://shop-builds/web/11/out"]),
        (left("web/1/out"), Looked::Seen(Listing::Absent), ["there is no out/images.json", "files: [out/images.json]"]),
        (left("web/1/out"), Looked::Seen(Listing::Unreadable("is no JSON")), ["is no JSON", "imageUri"]),
        (
            left("web/1/out"),
            listing(&[&web, &tag]),
            ["more than one image of repository web", "a repository of its own"],
        ),
        (left("web/1/out"), listing(&[proxy]), ["/proxy:3, and nothing of repository web", "spec.images"]),
        (left("web/1/out"), listing(&[&latest]), ["web:latest", "say the digest"]),
    ] {
        let mut world = listing_in(artifact, file);
        world.run(60);
        assert_eq!((world.status.phase, image(&world)), (Some(ReleasePhase::Failed), None), "{parts:?}");
        for part in parts {
            assert!(message(&world).contains(part), "{part}: {}", message(&world));
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_waited_for_however_long_that_takes() {
    let denied = fault("AccessDenied", Remedy::AskOperator);
    let mut world = listing_in(left("web/1/out"), Looked::Blind(denied));
    world.run(60);
    world.wait(86_400);
    world.run(60);
    assert_eq!(world.status.phase, Some(ReleasePhase::Active));
    assert!(message(&world).contains("is denied"), "{}", message(&world));
    world.listing = listing(&[&format!("{REPOSITORY}@DIGEST")]);
    world.wait(86_400);
    world.run(60);
    assert_eq!((world.builds.len(), image(&world)), (1, Some(pushed("web-build:1", 60).digest)), "{}", message(&world));
}

/// A Release whose build has succeeded, and whose file could not be read yet.
fn unread() -> World {
    let mut world = listing_in(left("web/1/out"), Looked::Blind(fault("AccessDenied", Remedy::AskOperator)));
    world.run(60);
    world.listing = listing(&[&format!("{REPOSITORY}@DIGEST")]);
    assert!(matches!(world.observe().listing, Looked::Seen(_)), "it would be read now");
    world
}

#[test]
fn nothing_of_a_build_of_somebody_else_is_read_or_shown() {
    let mut world = unread();
    world.builds[0].1.marker = Some("another/build/1".into());
    assert_eq!(world.observe().listing, Looked::NotAsked);
    world.run(60);
    world.wait(3600);
    world.run(60);
    assert_eq!(image(&world), None);
    assert!(!message(&world).contains("shop-builds"), "{}", message(&world));
    let mut exported = saying("DIGEST");
    while exported.builds.is_empty() {
        exported.pass();
    }
    exported.builds[0].1.marker = Some("another/build/1".into());
    exported.run(60);
    assert_eq!(image(&exported), None, "{}", message(&exported));
}

#[test]
fn a_build_that_codebuild_does_not_show_for_a_while_is_waited_for() {
    let mut world = unread();
    let builds = std::mem::take(&mut world.builds);
    world.wait(300);
    world.pass();
    assert_eq!(world.status.phase, Some(ReleasePhase::Active), "{}", message(&world));
    let mut forgotten = world.clone();
    forgotten.wait(600);
    forgotten.run(60);
    assert_eq!((forgotten.status.phase, image(&forgotten)), (Some(ReleasePhase::Failed), None));
    assert!(message(&forgotten).contains("does not show build web-build:1 any more"), "{}", message(&forgotten));
    world.builds = builds;
    world.run(60);
    assert!(image(&world).is_some(), "{}", message(&world));
}

#[test]
fn a_file_that_a_rule_of_the_bucket_has_deleted_is_not_needed_for_what_was_released_before() {
    let remembers = json!({"released": [{"of": crate::image::key(COMMIT, "web"), "digest": yesterdays().digest}]});
    for (remembers, is_found) in [(remembers, true), (json!(null), false)] {
        let mut world = unread();
        (world.pipeline, world.image, world.listing) = (remembers, Some(yesterdays()), Looked::Seen(Listing::Absent));
        world.run(60);
        assert_eq!(image(&world).is_some(), is_found, "{}", message(&world));
        assert!(is_found || message(&world).contains("a rule of the bucket has deleted it"), "{}", message(&world));
    }
}

#[test]
fn a_tag_that_says_nothing_of_the_commit_and_was_there_before_the_build_is_not_its_own() {
    for (tag, is_rolled) in [("stable".to_owned(), false), (format!("v1-{}", &COMMIT[..7]), true)] {
        let mut world = listing_in(left("web/1/out"), listing(&[&format!("{REPOSITORY}:{tag}")]));
        world.pushes = Pushes::None;
        world.image = Some(yesterdays());
        world.run(60);
        assert_eq!(image(&world).is_some(), is_rolled, "{tag}: {}", message(&world));
        assert!(is_rolled || message(&world).contains("say the digest"), "{}", message(&world));
    }
}

#[test]
fn what_an_earlier_attempt_pushed_is_the_releases_own() {
    let mut world = listing_in(left("web/1/out"), listing(&[&format!("{REPOSITORY}:stable")]));
    (world.ends, world.pushes) = (vec![BuildStatus::Fault, BuildStatus::Succeeded], Pushes::All);
    world.until(|world| world.builds.len() == 2);
    world.pushes = Pushes::None;
    world.builds[1].1.artifact = left("web/2/out").map(Box::new);
    world.run(60);
    assert!(image(&world).is_some(), "{}", message(&world));
}

#[test]
fn an_image_of_the_same_name_in_another_region_or_account_is_another_one() {
    let abroad = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:17";
    let others = "999999999999.dkr.ecr.us-east-2.amazonaws.com/web:17";
    let web = format!("{REPOSITORY}@DIGEST");
    let mut world = listing_in(left("web/1/out"), listing(&[abroad, others, &web]));
    world.run(60);
    assert!(image(&world).is_some(), "{}", message(&world));
    let mut elsewhere = listing_in(left("web/1/out"), listing(&[abroad, others]));
    elsewhere.run(60);
    for part in ["eu-west-1", "nothing of repository web in this account and Region (us-east-2)"] {
        assert!(message(&elsewhere).contains(part), "{part}: {}", message(&elsewhere));
    }
}

#[test]
fn of_several_images_each_has_to_be_listed() {
    let api = "123456789012.dkr.ecr.us-east-2.amazonaws.com/api:17";
    let web = format!("{REPOSITORY}@DIGEST");
    for (named, lacks) in [
        (vec![api, &web], None),
        (vec![api], Some("nothing of repository web")),
        (vec![&web], Some("nothing of repository api")),
    ] {
        let mut world = World::new();
        world.changes = json!({"checks": [],
            "images": [{"name": "web", "repository": "web"}, {"name": "api", "repository": "api"}],
            "build": {"imageFrom": {"artifact": "images.json"}, "codeBuild": {"project": "web-build",
                "override": {"artifacts": {"type": "S3", "location": "shop-builds", "namespaceType": "BUILD_ID"}}}}});
        world.listing = listing(&named);
        while world.builds.is_empty() {
            world.pass();
        }
        world.builds[0].1.artifact = left("1").map(Box::new);
        world.run(60);
        assert_eq!(world.status.images.len(), if lacks.is_some() { 0 } else { 2 }, "{named:?}: {}", message(&world));
        assert!(message(&world).contains(lacks.unwrap_or_default()), "{}", message(&world));
    }
}
