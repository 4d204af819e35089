//! ECR as its SDK client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod account;

use account::{ACCOUNT, Account, refusal};
use aws_sdk_ecr::operation::describe_image_scan_findings::DescribeImageScanFindingsOutput;
use aws_sdk_ecr::types::{DescribeImagesFilter, FindingSeverity, ImageFailureCode, ImageIdentifier, TagStatus};
use launchway_test_aws::TaskStory;
use launchway_test_aws::ecr::{Mutability, PushRefused, Scan, Scanner, digest};
use serde_json::json;

fn tagged(tag: &str) -> ImageIdentifier {
    ImageIdentifier::builder().image_tag(tag).build()
}

fn digested(digest: &str) -> ImageIdentifier {
    ImageIdentifier::builder().image_digest(digest).build()
}

fn push(account: &Account, tag: &str, content: &str) -> Result<String, PushRefused> {
    let now = account.now();
    account.images(|images| images.push("team/web", tag, content, TaskStory::default(), now))
}

#[tokio::test]
async fn an_image_is_found_by_its_tag_and_by_its_digest() {
    let account = Account::new();
    let pushed = push(&account, "v1", "one").unwrap();
    for id in [tagged("v1"), digested(&pushed)] {
        let found = account.ecr().describe_images().repository_name("team/web").image_ids(id).send().await.unwrap();
        let [detail] = found.image_details() else { panic!("{found:?}") };
        assert_eq!(detail.image_digest.as_deref(), Some(pushed.as_str()));
        assert_eq!(detail.image_tags(), ["v1"]);
        assert_eq!(detail.registry_id.as_deref(), Some(ACCOUNT));
        assert_eq!(detail.image_pushed_at.unwrap().secs(), account.now().as_second());
        assert!(detail.image_size_in_bytes.unwrap() > 0);
    }
}

#[tokio::test]
async fn an_image_that_is_missing_is_named_in_awss_words() {
    let account = Account::new();
    push(&account, "v1", "one").unwrap();
    let ask =
        account.ecr().describe_images().repository_name("team/web").image_ids(tagged("v1")).image_ids(tagged("v2"));
    let (code, message) = refusal(ask.send().await);
    assert_eq!(code, "ImageNotFoundException");
    let expected = "The image with imageId {imageDigest:'null', imageTag:'v2'} does not exist within the repository with name 'team/web' in the registry with id '123456789012'";
    assert_eq!(message, expected);
}

#[tokio::test]
async fn a_repository_that_is_missing_is_named_in_awss_words() {
    let account = Account::new();
    let (code, message) =
        refusal(account.ecr().describe_images().repository_name("nobody").image_ids(tagged("v1")).send().await);
    assert_eq!(code, "RepositoryNotFoundException");
    assert_eq!(message, "The repository with name 'nobody' does not exist in the registry with id '123456789012'");
}

#[tokio::test]
async fn more_than_a_hundred_ids_or_an_empty_one_are_invalid() {
    let account = Account::new();
    let describe = || account.ecr().describe_images().repository_name("team/web");
    let many = (0..101).map(|n| tagged(&format!("v{n}"))).collect();
    assert_eq!(refusal(describe().set_image_ids(Some(many)).send().await).0, "InvalidParameterException");
    assert_eq!(
        refusal(describe().image_ids(ImageIdentifier::builder().build()).send().await).0,
        "InvalidParameterException"
    );
    assert_eq!(refusal(describe().image_ids(tagged("v1")).max_results(5).send().await).0, "InvalidParameterException");
}

#[tokio::test]
async fn a_list_that_is_given_names_at_least_one() {
    let account = Account::new();
    let ecr = account.ecr();
    let none = "Invalid parameter at 'imageIds' failed to satisfy constraint: 'Member must have length greater than or equal to 1'";
    let expected = ("InvalidParameterException".to_owned(), none.to_owned());
    let empty = Some(Vec::new());
    assert_eq!(refusal(ecr.describe_images().repository_name("team/web").set_image_ids(empty).send().await), expected);
    for ids in [None, Some(Vec::new())] {
        let batch = ecr.batch_get_image().repository_name("team/web").set_image_ids(ids);
        assert_eq!(refusal(batch.send().await), expected);
    }
    for names in [Vec::new(), (0..101).map(|n| format!("r{n}")).collect()] {
        let ask = ecr.describe_repositories().set_repository_names(Some(names));
        assert_eq!(refusal(ask.send().await).0, "InvalidParameterException");
    }
    ecr.describe_images().repository_name("team/web").send().await.unwrap();
    assert_eq!(ecr.describe_repositories().send().await.unwrap().repositories().len(), 1);
}

#[tokio::test]
async fn a_page_holds_one_to_a_thousand_results() {
    let account = Account::new();
    let ecr = account.ecr();
    for size in [0, 1001] {
        let images = ecr.describe_images().repository_name("team/web").max_results(size).send().await;
        assert_eq!(refusal(images).0, "InvalidParameterException");
        let repositories = ecr.describe_repositories().max_results(size).send().await;
        assert_eq!(refusal(repositories).0, "InvalidParameterException");
    }
    ecr.describe_images().repository_name("team/web").max_results(1000).send().await.unwrap();
}

#[tokio::test]
async fn images_are_listed_in_pages_and_by_whether_they_have_tags() {
    let account = Account::new();
    let mut digests: Vec<String> = (0..5).map(|n| push(&account, "latest", &n.to_string()).unwrap()).collect();
    let last = digests.last().unwrap().clone();
    digests.sort();
    let list = || account.ecr().describe_images().repository_name("team/web").max_results(2);
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let page = list().set_next_token(token).send().await.unwrap();
        assert!(page.image_details().len() <= 2);
        seen.extend(page.image_details().iter().map(|detail| detail.image_digest.clone().unwrap()));
        token = page.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, digests);
    let only = |status| DescribeImagesFilter::builder().tag_status(status).build();
    let tagged = list().filter(only(TagStatus::Tagged)).send().await.unwrap();
    assert_eq!(tagged.image_details()[0].image_digest.as_deref(), Some(last.as_str()));
    let untagged = account
        .ecr()
        .describe_images()
        .repository_name("team/web")
        .filter(only(TagStatus::Untagged))
        .send()
        .await
        .unwrap();
    assert_eq!(untagged.image_details().len(), 4);
}

#[tokio::test]
async fn a_digest_is_that_of_the_manifest_and_the_same_content_is_the_same_image() {
    let account = Account::new();
    let first = push(&account, "v1", "one").unwrap();
    assert_eq!(push(&account, "v2", "one").unwrap(), first);
    let found =
        account.ecr().batch_get_image().repository_name("team/web").image_ids(tagged("v2")).send().await.unwrap();
    let image = &found.images()[0];
    assert_eq!(digest(image.image_manifest.as_deref().unwrap()), first);
    let all = account.ecr().describe_images().repository_name("team/web").send().await.unwrap();
    assert_eq!(all.image_details()[0].image_tags(), ["v1", "v2"]);
}

#[tokio::test]
async fn getting_images_names_the_missing_ones_beside_the_found() {
    let account = Account::new();
    push(&account, "v1", "one").unwrap();
    let ask =
        account.ecr().batch_get_image().repository_name("team/web").image_ids(tagged("v1")).image_ids(tagged("v2"));
    let found = ask.send().await.unwrap();
    assert_eq!(found.images().len(), 1);
    assert_eq!(found.failures()[0].failure_code, Some(ImageFailureCode::ImageNotFound));
    assert_eq!(found.failures()[0].image_id.as_ref().unwrap().image_tag.as_deref(), Some("v2"));
}

#[tokio::test]
async fn getting_images_tells_why_each_is_missing() {
    let account = Account::new();
    let (first, second) = (push(&account, "v1", "one").unwrap(), push(&account, "v2", "two").unwrap());
    let both = |digest: &str, tag: &str| ImageIdentifier::builder().image_digest(digest).image_tag(tag).build();
    let ids = vec![
        ImageIdentifier::builder().build(),
        both(&first, "v2"),
        both(&digest("nothing"), "v2"),
        both(&second, "v3"),
        digested(&digest("nothing")),
        digested("nothing"),
        both(&second, "v2"),
    ];
    let ask = account.ecr().batch_get_image().repository_name("team/web").set_image_ids(Some(ids));
    let found = ask.send().await.unwrap();
    let codes: Vec<_> = found.failures().iter().map(|failure| failure.failure_code.clone().unwrap()).collect();
    let expected = [
        ImageFailureCode::MissingDigestAndTag,
        ImageFailureCode::ImageTagDoesNotMatchDigest,
        ImageFailureCode::ImageTagDoesNotMatchDigest,
        ImageFailureCode::ImageNotFound,
        ImageFailureCode::ImageNotFound,
        ImageFailureCode::InvalidImageDigest,
    ];
    assert_eq!(codes, expected);
    assert_eq!(found.images().len(), 1);
}

#[tokio::test]
async fn a_mutable_tag_moves_and_an_immutable_one_stays_but_for_its_exceptions() {
    let account = Account::new();
    push(&account, "v1", "one").unwrap();
    let moved = push(&account, "v1", "two").unwrap();
    assert_eq!(account.images(|images| images.image("team/web", "v1").unwrap().digest.clone()), moved);
    account.images(|images| images.add_repository("team/web", Mutability::ImmutableExcept(vec!["cache*".into()])));
    push(&account, "v1", "one").unwrap();
    push(&account, "cache-main", "one").unwrap();
    assert_eq!(push(&account, "v1", "two"), Err(PushRefused::TagExists));
    push(&account, "cache-main", "two").unwrap();
}

#[tokio::test]
async fn repositories_say_whether_their_tags_move() {
    let account = Account::new();
    account.images(|images| images.add_repository("team/api", Mutability::Immutable));
    let found = account.ecr().describe_repositories().repository_names("team/api").send().await.unwrap();
    let repository = &found.repositories()[0];
    assert_eq!(repository.image_tag_mutability.as_ref().unwrap().as_str(), "IMMUTABLE");
    assert_eq!(repository.repository_uri.as_deref(), Some("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api"));
    account.images(|images| images.add_repository("team/api", Mutability::ImmutableExcept(vec!["cache*".into()])));
    let found = account.ecr().describe_repositories().repository_names("team/api").send().await.unwrap();
    let filter = &found.repositories()[0].image_tag_mutability_exclusion_filters()[0];
    assert_eq!((filter.filter_type.as_str(), filter.filter.as_str()), ("WILDCARD", "cache*"));
    let refused = refusal(account.ecr().describe_repositories().repository_names("nobody").send().await);
    assert_eq!(refused.0, "RepositoryNotFoundException");
}

#[tokio::test]
async fn rights_are_asked_for_on_the_repository() {
    let account = Account::new();
    account.restrict(json!({ "Statement": [{ "Effect": "Allow", "Action": "ecr:*", "Resource": "arn:aws:ecr:eu-west-1:123456789012:repository/other" }] }));
    let (code, message) = refusal(account.ecr().describe_images().repository_name("team/web").send().await);
    assert_eq!(code, "AccessDeniedException");
    assert!(message.contains("arn:aws:ecr:eu-west-1:123456789012:repository/team/web"), "{message}");
}

#[tokio::test]
async fn an_archived_image_is_named_with_its_status_and_not_given() {
    let account = Account::new();
    push(&account, "v1", "one").unwrap();
    account.images(|images| images.archive("team/web", "v1"));
    let ask = || account.ecr().describe_images().repository_name("team/web");
    let named = ask().image_ids(tagged("v1")).send().await.unwrap();
    assert_eq!(named.image_details()[0].image_status.as_ref().unwrap().as_str(), "ARCHIVED");
    assert!(ask().send().await.unwrap().image_details().is_empty());
    let archived = DescribeImagesFilter::builder().image_status("ARCHIVED".into()).build();
    assert_eq!(ask().filter(archived).send().await.unwrap().image_details().len(), 1);
    let whole = account.ecr().batch_get_image().repository_name("team/web").image_ids(tagged("v1"));
    let reply = whole.send().await.unwrap();
    assert_eq!(reply.failures()[0].failure_code(), Some(&ImageFailureCode::ImageInaccessible));
    push(&account, "v1", "one").unwrap();
    assert_eq!(ask().send().await.unwrap().image_details().len(), 1, "pushed again it is there");
}

#[tokio::test]
async fn a_scan_goes_on_for_its_time_and_then_shows_its_findings_in_pages() {
    for (by, under, done) in [(Scanner::Ecr, "IN_PROGRESS", "COMPLETE"), (Scanner::Inspector, "PENDING", "ACTIVE")] {
        let account = Account::new();
        push(&account, "v1", "one").unwrap();
        let look = || account.ecr().describe_image_scan_findings().repository_name("team/web").image_id(tagged("v1"));
        assert_eq!(refusal(look().send().await).0, "ScanNotFoundException");
        let findings = [("CVE-1", "LOW"), ("CVE-2", "CRITICAL"), ("CVE-3", "LOW")];
        let findings = findings.map(|(name, severity)| (name.to_owned(), severity.to_owned())).to_vec();
        account
            .images(|images| images.scan("team/web", Some(Scan { by, seconds: 60, findings, settles: 0, ends: None })));
        let status = |seen: &DescribeImageScanFindingsOutput| {
            seen.image_scan_status().unwrap().status().unwrap().as_str().to_owned()
        };
        let seen = look().send().await.unwrap();
        assert_eq!((status(&seen), seen.image_scan_findings.is_some()), (under.to_owned(), false));
        account.pass(60);
        let first = look().max_results(2).send().await.unwrap();
        assert_eq!(status(&first), done);
        let found = first.image_scan_findings().unwrap();
        assert_eq!(found.finding_severity_counts().unwrap()[&FindingSeverity::Low], 2);
        assert_eq!(
            (found.findings().len(), found.enhanced_findings().len()),
            if by == Scanner::Ecr { (2, 0) } else { (0, 2) }
        );
        let second = look().max_results(2).next_token(first.next_token.unwrap()).send().await.unwrap();
        assert_eq!(second.next_token, None);
        let nameless = look().image_id(ImageIdentifier::builder().build()).send().await;
        assert_eq!(refusal(nameless).0, "InvalidParameterException");
        assert_eq!(refusal(look().image_id(tagged("v2")).send().await).0, "ImageNotFoundException");
    }
}
