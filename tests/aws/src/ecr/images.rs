//! DescribeImages and BatchGetImage: which images are there. How they came there is in the parent module.

use serde_json::{Value, json};

use super::{
    Image, MANIFEST_TYPE, Repository, bad_token, counted, invalid, no_repository, page_size, registry, repository_arn,
};
use crate::call::{epoch, page, with_token};
use crate::{Answer, Call, Refusal, World};

/// imageIds in one call, at most [API_DescribeImages, API_BatchGetImage].
const IDS: usize = 100;

/// An image as a call names it.
pub(super) struct ImageId<'a> {
    digest: Option<&'a str>,
    tag: Option<&'a str>,
}

/// Why BatchGetImage does not give an image.
enum Missing {
    /// Neither a digest nor a tag was given.
    Nameless,
    /// The digest is none.
    BadDigest,
    /// The tag is on another image.
    OtherDigest,
    /// It is not there.
    Absent,
    /// It is archived.
    Archived,
    /// Its manifest is of a type that the caller does not accept.
    OtherMediaType,
}

impl Missing {
    /// `failureCode` and `failureReason`.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Nameless => ("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"),
            Self::BadDigest => (
                "InvalidImageDigest",
                "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
            ),
            Self::OtherDigest => {
                ("ImageTagDoesNotMatchDigest", "Invalid request parameters: given tag does not map to the given digest")
            }
            Self::Absent => ("ImageNotFound", "Requested image not found"),
            Self::OtherMediaType => ("ImageInaccessible", "Requested image has no manifest of an accepted media type"),
            Self::Archived => ("ImageInaccessible", "Requested image is archived"),
        }
    }
}

impl<'a> ImageId<'a> {
    pub(super) fn parse(value: &'a Value) -> Self {
        let member = |name| value.get(name).and_then(Value::as_str);
        Self { digest: member("imageDigest"), tag: member("imageTag") }
    }

    /// Whether it names nothing.
    pub(super) fn is_nameless(&self) -> bool {
        self.digest.is_none() && self.tag.is_none()
    }

    /// With a digest and a tag, both must name the same image.
    pub(super) fn image<'r>(&self, repository: &'r Repository) -> Option<&'r Image> {
        let image = repository.image(self.digest.or(self.tag)?)?;
        let tagged = self.tag.is_none_or(|tag| image.tags.iter().any(|other| other == tag));
        tagged.then_some(image)
    }

    /// The image, or why it is not given.
    fn wanted<'r>(&self, repository: &'r Repository) -> Result<&'r Image, Missing> {
        match (self.digest, self.tag) {
            (None, None) => Err(Missing::Nameless),
            (Some(digest), _) if !is_digest(digest) => Err(Missing::BadDigest),
            (Some(digest), Some(tag)) if repository.image(tag).is_some_and(|image| image.digest != digest) => {
                Err(Missing::OtherDigest)
            }
            (Some(_), _) | (None, Some(_)) => self.image(repository).ok_or(Missing::Absent),
        }
    }
}

/// `ALGORITHM:HEX` [API_ImageIdentifier].
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        !algorithm.is_empty() && !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// DescribeImages.
pub fn describe(world: &mut World, call: &Call) -> Answer {
    let repository = repository(world, call, "ecr:DescribeImages")?;
    if call.member("imageIds").is_none() {
        return list(call, repository);
    }
    let ids = image_ids(call)?;
    if ids.iter().any(ImageId::is_nameless) {
        return Err(invalid("Invalid request parameters: an image ID needs an imageDigest or an imageTag"));
    }
    if call.member("maxResults").is_some() || call.member("nextToken").is_some() {
        return Err(invalid("maxResults and nextToken cannot be used when imageIds are specified"));
    }
    let found = ids
        .iter()
        .map(|id| id.image(repository).ok_or_else(|| no_image(call, id)).map(|image| detail(call, repository, image)));
    let details: Vec<Value> = found.collect::<Result<_, _>>()?;
    Ok(json!({ "imageDetails": details }))
}

/// BatchGetImage.
pub fn batch(world: &mut World, call: &Call) -> Answer {
    let repository = repository(world, call, "ecr:BatchGetImage")?;
    let ids = image_ids(call)?;
    let accepted = call.texts("acceptedMediaTypes");
    let accepts = accepted.is_empty() || accepted.iter().any(|kind| kind == MANIFEST_TYPE);
    let mut images = Vec::new();
    let mut failures = Vec::new();
    for id in &ids {
        let active = |image: &Image| !repository.archived.contains(&image.digest);
        if !accepts {
            failures.push(failure(id, &Missing::OtherMediaType));
            continue;
        }
        match id.wanted(repository).and_then(|image| if active(image) { Ok(image) } else { Err(Missing::Archived) }) {
            Ok(image) => images.push(whole(call, id, image)),
            Err(missing) => failures.push(failure(id, &missing)),
        }
    }
    Ok(json!({ "images": images, "failures": failures }))
}

pub(super) fn repository<'w>(world: &'w mut World, call: &Call, action: &str) -> Result<&'w Repository, Refusal> {
    let name = call.text("repositoryName").ok_or_else(|| {
        invalid("Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must not be null'")
    })?;
    let account = registry(call);
    world.allow(call, action, &repository_arn(call, &account, name), &[])?;
    let state = world.ecr.get(&(account.clone(), call.region.clone()));
    let repository = state.and_then(|state| state.repositories.get(name));
    repository.map(|repository| &**repository).ok_or_else(|| no_repository(name, &account))
}

/// The images that are named: at least one.
fn image_ids(call: &Call) -> Result<Vec<ImageId<'_>>, Refusal> {
    let given = call.list("imageIds");
    counted("imageIds", given.len(), IDS)?;
    Ok(given.iter().map(ImageId::parse).collect())
}

fn list(call: &Call, repository: &Repository) -> Answer {
    let filter = |name: &str| call.member("filter").and_then(|filter| filter.get(name)).and_then(Value::as_str);
    let tagged = |image: &Image| match filter("tagStatus") {
        Some("TAGGED") => !image.tags.is_empty(),
        Some("UNTAGGED") => image.tags.is_empty(),
        Some(_) | None => true,
    };
    let wanted = filter("imageStatus").unwrap_or("ACTIVE");
    let images = repository.images.values();
    let images: Vec<&Image> =
        images.filter(|image| (wanted == "ANY" || wanted == status(repository, image)) && tagged(image)).collect();
    let (images, next) = page(&images, call, page_size(call)?).ok_or_else(bad_token)?;
    let details: Vec<Value> = images.into_iter().map(|image| detail(call, repository, image)).collect();
    Ok(with_token(json!({ "imageDetails": details }), next))
}

fn status(repository: &Repository, image: &Image) -> &'static str {
    if repository.archived.contains(&image.digest) { "ARCHIVED" } else { "ACTIVE" }
}

fn detail(call: &Call, repository: &Repository, image: &Image) -> Value {
    let mut detail = json!({
        "registryId": registry(call),
        "repositoryName": call.text("repositoryName"),
        "imageDigest": image.digest,
        "imageSizeInBytes": image.size,
        "imagePushedAt": epoch(image.pushed_at),
        "imageManifestMediaType": MANIFEST_TYPE,
        "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        "imageStatus": status(repository, image),
    });
    if !image.tags.is_empty() {
        detail["imageTags"] = json!(image.tags);
    }
    detail
}

fn whole(call: &Call, id: &ImageId<'_>, image: &Image) -> Value {
    let mut named = json!({ "imageDigest": image.digest });
    if let Some(tag) = id.tag {
        named["imageTag"] = Value::from(tag);
    }
    json!({
        "registryId": registry(call),
        "repositoryName": call.text("repositoryName"),
        "imageId": named,
        "imageManifest": image.manifest,
        "imageManifestMediaType": MANIFEST_TYPE,
    })
}

fn failure(id: &ImageId<'_>, missing: &Missing) -> Value {
    let mut named = json!({});
    if let Some(digest) = id.digest {
        named["imageDigest"] = Value::from(digest);
    }
    if let Some(tag) = id.tag {
        named["imageTag"] = Value::from(tag);
    }
    let (code, reason) = missing.words();
    json!({ "imageId": named, "failureCode": code, "failureReason": reason })
}

pub(super) fn no_image(call: &Call, id: &ImageId<'_>) -> Refusal {
    let (digest, tag) = (id.digest.unwrap_or("null"), id.tag.unwrap_or("null"));
    let repository = call.text("repositoryName").unwrap_or_default();
    let message = format!(
        "The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the repository with name '{repository}' in the registry with id '{}'",
        registry(call)
    );
    Refusal::new("ImageNotFoundException", message)
}
