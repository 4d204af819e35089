//! What is said of a Release whose image is not rolled: it is not there, it is another one's, or nobody knows whose it is.

use super::desired::Desired;
use super::observed::Observed;
use super::origin::Unusable;
use super::record::{Says, Work};
use super::told;
use crate::look::Looked;
use crate::refusal::APART;
use crate::world::{Listing, LiveBuild, LiveImage};

/// What helps where a build does not push what is looked for.
fn push(work: &Work) -> String {
    let repository = if work.images.len() == 1 { "$IMAGE_REPO_NAME" } else { work.image.repository.as_str() };
    format!("let it push {repository}:$IMAGE_TAG, or say in spec.build.tag of the Pipeline how it tags")
}

/// How what carries a tag is deleted. Of several images all are: the next build pushes each.
fn delete(work: &Work, tag: &str) -> String {
    let of = |repository: &str| {
        format!("aws ecr batch-delete-image --repository-name {repository} --image-ids imageTag={tag}")
    };
    if work.images.len() == 1 {
        return of(&work.image.repository);
    }
    let all: Vec<&str> = work.images.iter().map(|image| image.repository.as_str()).collect();
    format!("for r in {}; do {}; done", all.join(" "), of("$r"))
}

/// The build failed, and some of the images are there, from elsewhere.
pub(super) fn partly(desired: &Desired, work: &Work) -> String {
    let tag = work.tag(&desired.commit).text;
    format!(
        "{tag} is there in some of the repositories and not in {}, and where tags cannot be moved no build can push all of them: push a \
         new commit; or, if no service runs those images, delete the tag in each ({}) and make another Release",
        work.image.repository,
        delete(work, &tag)
    )
}

/// The tag that was moved since the commit was released before, with the image that it named then.
pub(super) fn changed(desired: &Desired, work: &Work, image: &LiveImage, known: &str) -> String {
    let repository = &work.image.repository;
    format!(
        "the image of commit {} in {repository} is another one than when it was released before: {} now, and {known} then. \
         Somebody moved its tag: give the tag back to that image (aws ecr put-image){}, and make another Release; or push a new commit. \
         Tags of an IMMUTABLE repository cannot be moved",
        desired.commit.short(),
        image.digest,
        if work.build().is_some() { ", or delete the tag and let it be built anew" } else { "" }
    )
}

/// The Release's own build succeeded, and one that did not was running when the image was pushed.
pub(super) fn beside(desired: &Desired, work: &Work, image: &LiveImage, by: &LiveBuild) -> String {
    let left = left(desired, work, image, by);
    format!("the build succeeded, but another of the same commit ran at the same time: {left}")
}

/// The image that a build left which did not succeed.
pub(super) fn left(desired: &Desired, work: &Work, image: &LiveImage, by: &LiveBuild) -> String {
    format!(
        "the tag names {}, which is not rolled: build {} may have pushed it, and did not succeed; make another Release, which builds \
         the commit again. Where tags cannot be moved, delete this one first: {}",
        image.digest,
        by.id,
        delete(work, &work.tag(&desired.commit).text)
    )
}

/// The image that may be another commit's.
pub(super) fn taken(desired: &Desired, work: &Work, image: &LiveImage) -> String {
    let tag = work.tag(&desired.commit).text;
    format!(
        "the tag {tag} names {}, which no build of commit {} is known to have pushed, and may be that of another commit: delete \
         the tag if nothing else needs it ({}), or let the buildspec and spec.build.tag of the Pipeline take more digits; then make another Release",
        image.digest,
        desired.commit.short(),
        delete(work, &tag),
    )
}

/// The build succeeded, or there is none, and there is no such image.
pub(super) fn absent(desired: &Desired, work: &Work, observed: &Observed) -> String {
    if work.build().is_none() {
        return format!(
            "there is no image {} in ECR: it was deleted, or whoever builds it has not pushed it; let it be pushed, and make another \
             Release of this commit",
            name(desired, work)
        );
    }
    match said(desired, work, observed) {
        Some(said) => format!(
            "the build succeeded and said that it pushed {said}, which is not in ECR: let it push the image before it ends"
        ),
        None => format!("the build succeeded but did not push {}: {}", name(desired, work), push(work)),
    }
}

/// The build succeeded, and nothing proves that the image is its own.
pub(super) fn unproved(desired: &Desired, work: &Work, observed: &Observed, image: &LiveImage) -> String {
    match said(desired, work, observed) {
        Some(said) => format!(
            "the build succeeded and said that it pushed {said}, which names {} now, and that was there \
             before the build began, or another build may have pushed it (the same bytes keep the time of their first push): let it say \
             the digest of what it pushed in place of the tag, and make another Release",
            image.digest
        ),
        None => format!(
            "the build succeeded, but is not known to have pushed {}: {}; {}",
            name(desired, work),
            push(work),
            taken(desired, work, image)
        ),
    }
}

/// The build succeeded, and what it said names no image that could be rolled.
pub(super) fn unusable(desired: &Desired, work: &Work, observed: &Observed, why: Unusable) -> String {
    let Some(says) = &work.says else { return absent(desired, work, observed) };
    let (repository, place) = (&work.image.repository, says.name());
    let wanted = format!("<account>.dkr.ecr.{}.<domain>/{repository}@sha256:…", work.region);
    let said = said(desired, work, observed).unwrap_or_default();
    match (why, says) {
        (Unusable::Nothing, Says::Variable(variable)) => format!(
            "the build succeeded and exported no image as {variable}: in the buildspec write env: {{exported-variables: [{variable}]}} \
             and, after the push, export {variable}={wanted}; a tag alone is no image"
        ),
        (Unusable::Forgotten | Unusable::Nothing, _) => {
            let build = told::own(work).map_or("", |started| &started.id);
            format!(
                "CodeBuild does not show build {build} any more, so what it said in {place} is not known; make another Release of this \
                 commit"
            )
        }
        (Unusable::Unlisted, _) => unlisted(desired, work, observed, place, &wanted),
        (Unusable::Elsewhere, _) => format!(
            "the build succeeded and named in {place} {}, and nothing of repository {repository} in this account and Region ({}): let it \
             push and name that too, or correct spec.images of the Pipeline",
            told::all_named(desired, work, observed).join(", "),
            work.region
        ),
        (Unusable::Several, _) => format!(
            "the build succeeded and named in {place} more than one image of repository {repository}: {}; each image of a Pipeline needs \
             a repository of its own",
            told::all_named(desired, work, observed).join(", ")
        ),
        (Unusable::Latest, _) => format!(
            "the build succeeded and said in {place} that it pushed {said}: the next build moves that tag; say the digest, {wanted}, or \
             another tag"
        ),
    }
}

/// The build succeeded, and the file that lists its images is not there, or lists none.
fn unlisted(desired: &Desired, work: &Work, observed: &Observed, file: &str, wanted: &str) -> String {
    let Some(left) = told::own_build(desired, work, observed).and_then(|build| build.artifact.as_deref()) else {
        return format!("the build succeeded and left nothing in S3, where {file} was to be: {APART}");
    };
    let object = format!("s3://{}/{}", left.bucket, left.object(file));
    match &observed.listing {
        Looked::NotAsked => {
            format!("the build succeeded and left {object}, which another build may have overwritten: {APART}")
        }
        Looked::Seen(Listing::Unreadable(why)) => format!(
            "the build succeeded, and {file} in what it left ({object}) {why}: it has to be [{{\"name\": \"{}\", \"imageUri\": \
             \"{wanted}\"}}], as CodePipeline's imagedefinitions.json is",
            work.image.name
        ),
        Looked::Seen(_) | Looked::Blind(_) => format!(
            "the build succeeded, and there is no {file} in what it left ({object}), or a rule of the bucket has deleted it: in the \
             buildspec write artifacts: {{files: [{file}]}}, and take spec.build.imageFrom.artifact for its path from the artifact's root"
        ),
    }
}

/// What the build named first of this image.
fn said<'a>(desired: &Desired, work: &'a Work, observed: &'a Observed) -> Option<&'a str> {
    work.says.as_ref()?;
    told::named(desired, work, observed).first().copied()
}

fn name(desired: &Desired, work: &Work) -> String {
    format!("{}:{}", work.image.repository, work.tag(&desired.commit).text)
}
