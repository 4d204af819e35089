//! GetObject as its SDK client sees it, and what builds leave in S3.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;

use account::{Account, COMMIT, REGION, ROLE};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use launchway_test_aws::codebuild::{BuildStory, Export, FileText, Project};
use launchway_test_aws::s3::Versioning;
use launchway_test_aws::{Fault, When};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A bucket with an object that was written twice.
fn with_bucket(versioning: Versioning) -> Account {
    let account = Account::new();
    let now = account.now();
    let mut world = account.world.lock().unwrap();
    world.s3.add_bucket("builds", REGION, versioning);
    for text in ["0123456789", "abcdefghij"] {
        world.s3.put("builds", "a b/ü+1.txt", text, now).unwrap();
    }
    drop(world);
    account
}

fn get(account: &Account, key: &str) -> GetObjectFluentBuilder {
    account.s3().get_object().bucket("builds").key(key)
}

async fn text(seen: GetObjectOutput) -> String {
    String::from_utf8(seen.body.collect().await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn an_object_is_read_whole_in_parts_and_by_version() {
    let account = with_bucket(Versioning::Enabled);
    let whole = get(&account, "a b/ü+1.txt").send().await.unwrap();
    let (etag, length) = (whole.e_tag.clone().unwrap(), whole.content_length);
    assert_eq!((length, whole.content_range.as_deref()), (Some(10), None));
    let newest = whole.version_id.clone().unwrap();
    assert_eq!(text(whole).await, "abcdefghij");
    for (range, held, said) in [
        ("bytes=0-3", "abcd", "bytes 0-3/10"),
        ("bytes=8-100", "ij", "bytes 8-9/10"),
        ("bytes=-4", "ghij", "bytes 6-9/10"),
        ("bytes=-400", "abcdefghij", "bytes 0-9/10"),
        ("bytes=7-", "hij", "bytes 7-9/10"),
    ] {
        let part = get(&account, "a b/ü+1.txt").range(range).if_match(&etag).send().await.unwrap();
        assert_eq!(part.content_range.as_deref(), Some(said));
        assert_eq!(text(part).await, held, "{range}");
    }
    let first = get(&account, "a b/ü+1.txt").version_id(newest.replacen('2', "1", 1)).send().await.unwrap();
    assert_eq!(text(first).await, "0123456789");
}

#[tokio::test]
async fn a_bucket_without_versions_has_the_newest_and_says_none() {
    let account = with_bucket(Versioning::Off);
    let whole = get(&account, "a b/ü+1.txt").send().await.unwrap();
    assert_eq!(whole.version_id, None);
    assert_eq!(text(whole).await, "abcdefghij");
}

#[tokio::test]
async fn what_s3_refuses_is_refused_in_its_words() {
    let account = with_bucket(Versioning::Enabled);
    let code = async |get: GetObjectFluentBuilder| {
        let error = get.send().await.unwrap_err();
        let status = error.raw_response().unwrap().status().as_u16();
        (status, error.code().unwrap_or_default().to_owned())
    };
    assert_eq!(code(get(&account, "none")).await, (404, "NoSuchKey".to_owned()));
    let there = || get(&account, "a b/ü+1.txt");
    assert_eq!(code(there().bucket("others")).await, (404, "NoSuchBucket".to_owned()));
    assert_eq!(code(there().range("bytes=10-20")).await, (416, "InvalidRange".to_owned()));
    assert_eq!(code(there().if_match("\"0\"")).await, (412, "PreconditionFailed".to_owned()));
    account.world.lock().unwrap().s3.add_bucket("builds", "us-east-1", Versioning::Off);
    assert_eq!(code(there()).await, (301, "PermanentRedirect".to_owned()));
    account.world.lock().unwrap().faults.add("s3:GetObject", When::Always, Fault::Throttle);
    assert_eq!(code(there()).await, (503, "SlowDown".to_owned()));
    let put = account.s3().put_object().bucket("builds").key("a").send().await.unwrap_err();
    assert_eq!(put.code(), Some("NotImplemented"));
}

#[tokio::test]
async fn who_may_not_list_is_not_told_whether_there_is_an_object() {
    let account = with_bucket(Versioning::Off);
    let policy = json!({"Version": "2012-10-17", "Statement":
        [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::builds/a b/*"}]});
    account.restrict(policy);
    assert!(get(&account, "a b/ü+1.txt").send().await.is_ok());
    for (key, part) in
        [("a b/none", "perform: s3:ListBucket on resource: \"arn:aws:s3:::builds\""), ("c", "perform: s3:GetObject on")]
    {
        let error = get(&account, key).send().await.unwrap_err();
        assert_eq!(error.code(), Some("AccessDenied"));
        assert!(error.message().unwrap().contains(part), "{:?}", error.message());
    }
}

/// What a build shows of its artifacts, and the keys that it left.
async fn left(artifacts: Value) -> (Account, Value, Vec<String>) {
    let account = Account::telling(
        BuildStory::succeeds_without_image()
            .with_file("imagedefinitions.json", FileText::Definitions(Export::WithTag))
            .with_file("a/b.txt", FileText::Plain("text".to_owned())),
    );
    account.world.lock().unwrap().s3.add_bucket("builds", REGION, Versioning::Off);
    account.builds(|builds| {
        let mut project = Project::new("web", ROLE, "https://github.com/team/web.git");
        project.artifacts = Some(artifacts);
        builds.add_project(project);
    });
    let id = account.start(COMMIT).await;
    account.pass(600);
    let build = account.build(&id).await;
    assert_eq!(build.build_status.as_ref().map(|status| status.as_str()), Some("SUCCEEDED"));
    let shown = build.artifacts.unwrap();
    let seen = json!({"location": shown.location, "sha256sum": shown.sha256_sum, "id": id.split_once(':').unwrap().1});
    let keys = account.world.lock().unwrap().s3.keys("builds").into_iter().map(str::to_owned).collect();
    (account, seen, keys)
}

#[tokio::test]
async fn a_build_leaves_a_folder_or_a_zip_where_its_project_says() {
    let (_, seen, keys) =
        left(json!({"type": "S3", "location": "builds", "namespaceType": "BUILD_ID", "name": "out"})).await;
    let id = seen["id"].as_str().unwrap();
    assert_eq!(seen["location"], format!("arn:aws:s3:::builds/{id}/out"));
    assert_eq!(keys, [format!("{id}/out/a/b.txt"), format!("{id}/out/imagedefinitions.json")]);
    assert_eq!(seen["sha256sum"], Value::Null);

    let zip = json!({"type": "S3", "location": "builds", "path": "p", "name": "out.zip", "packaging": "ZIP"});
    let (account, seen, keys) = left(zip).await;
    assert_eq!(
        (seen["location"].as_str().unwrap(), keys),
        ("arn:aws:s3:::builds/p/out.zip", vec!["p/out.zip".to_owned()])
    );
    let zip = account.world.lock().unwrap().s3.body("builds", "p/out.zip").cloned().unwrap();
    let sum: String = Sha256::digest(&zip).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(seen["sha256sum"], sum);

    let (_, seen, keys) = left(json!({"type": "NO_ARTIFACTS"})).await;
    assert_eq!((&seen["location"], keys.len()), (&json!(""), 0));
}
