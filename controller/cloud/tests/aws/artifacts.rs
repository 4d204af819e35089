use super::site::{ACCOUNT, REGION, Site, build, pass};

use launchway_plan::fault::{FaultKind, Remedy};
use launchway_plan::world::{Artifact, BuildStatus, Listing, LiveBuild, Packaging};
use launchway_test_aws::codebuild::{BuildStory, FileText, Project, Stories};
use launchway_test_aws::policy::Policy;
use launchway_test_aws::s3::{Versioning, Words};
use launchway_test_aws::{Fault, When};
use serde_json::json;
use std::io::{Cursor, Write};

const WEB: &str = "123456789012.dkr.ecr.us-east-2.amazonaws.com/web:17";

/// A site with a bucket.
fn site() -> Site {
    let site = Site::new();
    site.world().s3.add_bucket("builds", REGION, Versioning::Enabled);
    site
}

fn put(site: &Site, key: &str, body: impl Into<Vec<u8>>) {
    let mut world = site.world();
    let now = world.now();
    world.s3.put("builds", key, body.into(), now).unwrap();
}

fn artifact(key: &str, packaging: Packaging) -> Artifact {
    Artifact { bucket: "builds".into(), key: key.into(), packaging }
}

/// Lets the controller's own credentials do that, and nothing else.
fn allow_only(site: &Site, action: &str, resource: &str) {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap();
    let mut world = site.world();
    let users: Vec<String> = world.iam.credentials.values().map(|one| one.caller.arn.clone()).collect();
    world.iam.users.extend(users.into_iter().map(|user| (user, policy.clone())));
}

/// What is read of a build that ends now.
async fn read(site: &Site, artifact: &Artifact, file: &str) -> Result<Listing, launchway_plan::fault::Fault> {
    let cloud = site.own();
    cloud.listing(artifact, file, cloud.now()).await
}

fn definitions() -> String {
    json!([{"name": "web", "imageUri": WEB}]).to_string()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// What a build left in S3, whose project leaves it in that packaging.
async fn left(site: &Site, packaging: &str) -> LiveBuild {
    {
        let mut world = site.world();
        let builds = world.codebuild.entry((ACCOUNT.to_owned(), REGION.to_owned())).or_default();
        let mut project = Project::new("web", "arn:aws:iam::123456789012:role/b", "https://github.com/team/web.git");
        project.artifacts =
            Some(json!({"type": "S3", "location": "builds", "path": "a b", "namespaceType": "BUILD_ID",
            "name": "out", "packaging": packaging}));
        builds.add_project(project);
        let file = FileText::Plain(definitions());
        builds.stories = Stories::always(BuildStory::succeeds_without_image().with_file("images/list+1.json", file));
    }
    let cloud = site.own();
    let started = cloud.start_build(&build("uid/build/1"), packaging).await.unwrap();
    assert_eq!(started.status, BuildStatus::InProgress);
    pass(1200).await;
    cloud.build(&started.id).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_a_build_leaves_is_found_in_a_folder_and_in_a_zip_with_its_version() {
    for (packaging, kind) in [("NONE", Packaging::Folder), ("ZIP", Packaging::Zip)] {
        let site = site();
        let build = left(&site, packaging).await;
        let artifact = build.artifact.clone().unwrap();
        assert_eq!((artifact.packaging, artifact.is_of(&build.id)), (kind, true), "{artifact:?}");
        let found = read(&site, &artifact, "images/list+1.json").await.unwrap();
        let Listing::Images { named, version: Some(_), key } = &found else { panic!("{found:?}") };
        assert_eq!((named, key.contains(&artifact.key)), (&vec![WEB.to_owned()], true), "{key}");
        let other = read(&site, &artifact, "imagedefinitions.json").await;
        assert_eq!(other, Ok(Listing::Absent));
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_archive_is_read_in_parts() {
    let site = site();
    let noise: Vec<u8> = (0..4_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
    put(&site, "1/big.zip", zipped(&[("first.json", definitions().as_bytes()), ("noise", &noise), ("more", &noise)]));
    let before = site.world().log.len();
    let found = read(&site, &artifact("1/big.zip", Packaging::Zip), "first.json").await.unwrap();
    assert!(matches!(&found, Listing::Images { named, .. } if named == &[WEB]), "{found:?}");
    let calls = site.world().log.len() - before;
    assert!(calls <= 3, "{calls} calls for one file of 8 MB");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_list_of_images_is_said_to_be_none() {
    let site = site();
    let long = format!("[{}]", " ".repeat(110_000));
    put(&site, "1/long.json", long.clone());
    put(&site, "1/empty.json", "");
    put(&site, "1/text.json", "hunter2");
    put(&site, "1/broken.zip", "PK and no archive");
    put(&site, "1/empty.zip", "");
    put(&site, "1/long.zip", zipped(&[("long.json", long.as_bytes())]));
    for (key, packaging, file, why) in [
        ("1", Packaging::Folder, "long.json", "100 KiB"),
        ("1", Packaging::Folder, "empty.json", "is empty"),
        ("1", Packaging::Folder, "text.json", "is no JSON"),
        ("1/broken.zip", Packaging::Zip, "a.json", "read as a zip archive"),
        ("1/text.json", Packaging::Zip, "a.json", "read as a zip archive"),
        ("1/empty.zip", Packaging::Zip, "a.json", "is empty"),
        ("1/long.zip", Packaging::Zip, "long.json", "100 KiB"),
    ] {
        let found = read(&site, &artifact(key, packaging), file).await.unwrap();
        assert!(matches!(found, Listing::Unreadable(said) if said.contains(why)), "{key} {file}: {found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_told_by_the_right_and_the_object() {
    let site = site();
    put(&site, "1/a.json", definitions());
    allow_only(&site, "ecs:*", "*");
    let fault = read(&site, &artifact("1", Packaging::Folder), "a.json").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied { needs: Some("s3:GetObject".to_owned()) });
    assert_eq!((&*fault.resource, fault.remedy), ("arn:aws:s3:::builds/*", Remedy::AskOperator));
    allow_only(&site, "s3:GetObject", "arn:aws:s3:::builds/*");
    assert!(read(&site, &artifact("1", Packaging::Folder), "a.json").await.is_ok());
    let fault = read(&site, &artifact("1", Packaging::Folder), "b.json").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied { needs: Some("s3:ListBucket".to_owned()) });
    assert_eq!(&*fault.resource, "arn:aws:s3:::builds");
}

#[tokio::test(start_paused = true)]
async fn trouble_of_s3_passes_and_a_bucket_that_is_not_there_or_elsewhere_does_not() {
    let site = site();
    put(&site, "1/a.json", definitions());
    let folder = artifact("1", Packaging::Folder);
    for (fault, kind) in [(Fault::Throttle, FaultKind::Throttled), (Fault::Error5xx, FaultKind::Outage)] {
        site.world().faults.add("s3:GetObject", When::Always, fault);
        let fault = read(&site, &folder, "a.json").await.unwrap_err();
        assert_eq!((fault.kind, fault.remedy), (kind, Remedy::Retry));
        site.world().faults.clear();
    }
    assert!(read(&site, &folder, "a.json").await.is_ok());
    site.world().s3.add_bucket("builds", "eu-west-3", Versioning::Off);
    let elsewhere = read(&site, &folder, "a.json").await.unwrap_err();
    assert_eq!((&*elsewhere.code, elsewhere.remedy), ("PermanentRedirect", Remedy::AskOperator));
    let nowhere = Artifact { bucket: "none".into(), ..folder };
    let nowhere = read(&site, &nowhere, "a.json").await.unwrap_err();
    assert_eq!((&*nowhere.code, nowhere.remedy), ("NoSuchBucket", Remedy::AskOperator));
}

#[tokio::test(start_paused = true)]
async fn what_was_written_after_the_build_had_ended_is_not_believed() {
    let site = site();
    let ended = site.own().now();
    for (later, is_believed) in [(0, true), (4, true), (10, false)] {
        pass(later).await;
        let now = site.own().now();
        site.world().s3.put("builds", "1/a.json", definitions(), now).unwrap();
        let found = site.own().listing(&artifact("1", Packaging::Folder), "a.json", ended).await.unwrap();
        assert_eq!(matches!(found, Listing::Images { .. }), is_believed, "{later}: {found:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_zip_that_codebuild_does_not_call_one_is_read_all_the_same() {
    let site = site();
    put(&site, "1/out.zip", zipped(&[("a.json", definitions().as_bytes())]));
    let found = read(&site, &artifact("1/out.zip", Packaging::Folder), "a.json").await.unwrap();
    assert!(matches!(&found, Listing::Images { key, .. } if key == "1/out.zip"), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_role_may_not_use_is_told_whatever_s3_says_of_it() {
    for words in [Words::Whole, Words::Bare] {
        let site = site();
        put(&site, "1/a.json", definitions());
        site.world().s3.encrypt("builds", "arn:aws:kms:us-east-2:123456789012:key/1", words);
        allow_only(&site, "s3:*", "*");
        let fault = read(&site, &artifact("1", Packaging::Folder), "a.json").await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied { needs: None }, "{words:?}");
        for part in ["kms:Decrypt of that key", "s3:GetObject of builds/*", "s3:ListBucket of builds"] {
            assert!(fault.message.contains(part), "{words:?}: {}", fault.message);
        }
    }
}
