//! ECR: repositories, images by digest and tag, what a scan finds, and the push that a build makes. Layers, policies and the registry's own protocol are not here.

mod images;
mod repositories;
mod scans;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{Answer, Call, Guess, Refusal, TaskStory, World};

/// Results on a page unless maxResults says otherwise [API_DescribeImages, API_DescribeRepositories].
const PAGE: usize = 100;

/// Media type of every manifest here.
pub const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Where this module only guesses.
pub const GUESSES: &[Guess] = &[
    Guess {
        what: "DescribeImages with several imageIds fails whole when one is missing, naming the first that is",
        source: "The text names one image (seen in Terraform provider issue 35268); the behaviour with several is not documented",
    },
    Guess {
        what: "DescribeImages lists images in the order of their digests",
        source: "API_DescribeImages promises no order",
    },
    Guess {
        what: "DescribeImages refuses maxResults and nextToken beside imageIds with InvalidParameterException",
        source: "API_DescribeImages: the options cannot be used with imageIds; the error is not named",
    },
    Guess {
        what: "An immutable tag is refused even if the image pushed is the one it points to",
        source: "aws/aws-sdk issue 750: docker push of the same image fails too",
    },
    Guess {
        what: "DescribeImages refuses an image ID without a digest and a tag with InvalidParameterException",
        source: "API_DescribeImages names no failures, as API_BatchGetImage does",
    },
    Guess {
        what: "BatchGetImage: a tag that is on another image than the digest is ImageTagDoesNotMatchDigest, a tag that is nowhere ImageNotFound; the sentences",
        source: "API_ImageFailure names the codes; LocalStack's tests of its ECR, which is closed, the rest",
    },
    Guess {
        what: "DescribeImages gives an archived image that is asked for by its ID with its status, and lists it if the filter says so; BatchGetImage fails it as ImageInaccessible; a task can not pull it; pushed again it is ACTIVE",
        source: "API_DescribeImagesFilter, imageStatus; API_ImageFailure has the code; of the rest only that an archived image can not be pulled",
    },
    Guess {
        what: "BatchGetImage: an image whose manifest is of no accepted media type fails as ImageInaccessible",
        source: "API_BatchGetImage names the accepted types; what becomes of others is not said, AWS may convert them",
    },
    Guess {
        what: "A scan is IN_PROGRESS (of Inspector: PENDING) until it ends, COMPLETE (ACTIVE) then; without one ScanNotFoundException; findings are listed the worst first, findingSeverityCounts stands on each page, and imageScanCompletedAt with a scan of either kind that found nothing",
        source: "API_DescribeImageScanFindings names the statuses and the exception; the order, and what the first page has, are not said",
    },
    Guess {
        what: "A registryId of another account is answered like one's own: repository policies are not looked at",
        source: "A choice",
    },
];

/// What ECR finds in each image of a repository, which is scanned on push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Who scans.
    pub by: Scanner,
    /// How many seconds after its push the scan of an image ends; of images that were there before, at once.
    pub seconds: i64,
    /// The findings: what each is called, and its severity.
    pub findings: Vec<(String, String)>,
    /// For how many seconds after its end it shows no findings yet.
    pub settles: i64,
    /// `imageScanStatus.status` in its end, in place of the usual one.
    pub ends: Option<String>,
}

/// Who scans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// ECR: basic scanning.
    Ecr,
    /// Amazon Inspector: enhanced scanning, which goes on for as long as the image is there.
    Inspector,
}

/// Whether a tag may move to another image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mutability {
    /// It may.
    #[default]
    Mutable,
    /// It never may.
    Immutable,
    /// It may only if it matches one of these; `*` stands for any text.
    ImmutableExcept(Vec<String>),
}

impl Mutability {
    /// As `imageTagMutability` says it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mutable => "MUTABLE",
            Self::Immutable => "IMMUTABLE",
            Self::ImmutableExcept(_) => "IMMUTABLE_WITH_EXCLUSION",
        }
    }

    fn moves(&self, tag: &str) -> bool {
        match self {
            Self::Mutable => true,
            Self::Immutable => false,
            Self::ImmutableExcept(filters) => filters.iter().any(|filter| crate::faults::glob(filter, tag)),
        }
    }
}

/// One repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// Whether tags may move.
    pub mutability: Mutability,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its images, by digest.
    pub images: BTreeMap<String, Image>,
    /// What ECR finds in its images; none: they are not scanned.
    pub scan: Option<Scan>,
    /// Digests of those that are archived: still there, and not to be pulled [user guide, "Image archival"].
    pub archived: BTreeSet<String>,
}

/// One image.
#[derive(Clone, Debug)]
pub struct Image {
    /// `sha256:…` of the manifest.
    pub digest: String,
    /// What it was made of: of an image that a build pushed, the build's ID.
    pub content: String,
    /// Its tags, oldest first; a tag is on one image of a repository only.
    pub tags: Vec<String>,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// Bytes of its layers.
    pub size: u64,
    /// The manifest's exact bytes.
    pub manifest: String,
    /// How tasks that run it behave.
    pub story: TaskStory,
}

/// The repositories of one account and region.
#[derive(Clone, Debug, Default)]
pub struct EcrState {
    /// By name.
    pub repositories: BTreeMap<String, Arc<Repository>>,
}

impl EcrState {
    /// Adds an empty repository.
    pub fn add_repository(&mut self, name: &str, mutability: Mutability) {
        let repository = Repository { mutability, ..Repository::default() };
        self.repositories.insert(name.to_owned(), Arc::new(repository));
    }

    /// Puts an image there under a tag, as a push does, and returns its digest. The same `content` is the same image.
    pub fn push(
        &mut self,
        repository: &str,
        tag: &str,
        content: &str,
        story: TaskStory,
        now: Timestamp,
    ) -> Result<String, PushRefused> {
        let Some(found) = self.repositories.get_mut(repository) else {
            return Err(PushRefused::NoRepository);
        };
        let taken = found.images.values().any(|image| image.tags.iter().any(|other| other == tag));
        if taken && !found.mutability.moves(tag) {
            return Err(PushRefused::TagExists);
        }
        Ok(Arc::make_mut(found).put(tag, content, story, now))
    }

    /// Has the images of a repository scanned, or not any more.
    pub fn scan(&mut self, repository: &str, scan: Option<Scan>) {
        if let Some(found) = self.repositories.get_mut(repository) {
            Arc::make_mut(found).scan = scan;
        }
    }

    /// Archives an image, by its tag or digest.
    pub fn archive(&mut self, repository: &str, tag_or_digest: &str) {
        let digest = self.image(repository, tag_or_digest).map(|image| image.digest.clone());
        if let (Some(found), Some(digest)) = (self.repositories.get_mut(repository), digest) {
            Arc::make_mut(found).archived.insert(digest);
        }
    }

    /// Whether the image with this tag or digest is archived.
    pub fn archived(&self, repository: &str, tag_or_digest: &str) -> bool {
        let found = self.repositories.get(repository);
        found
            .is_some_and(|found| found.image(tag_or_digest).is_some_and(|image| found.archived.contains(&image.digest)))
    }

    /// The image with this tag or digest.
    pub fn image(&self, repository: &str, tag_or_digest: &str) -> Option<&Image> {
        self.repositories.get(repository)?.image(tag_or_digest)
    }
}

impl Repository {
    /// The image with this tag or digest.
    pub fn image(&self, tag_or_digest: &str) -> Option<&Image> {
        let tagged = || self.images.values().find(|image| image.tags.iter().any(|tag| tag == tag_or_digest));
        self.images.get(tag_or_digest).or_else(tagged)
    }

    fn put(&mut self, tag: &str, content: &str, story: TaskStory, now: Timestamp) -> String {
        for image in self.images.values_mut() {
            image.tags.retain(|other| other != tag);
        }
        let manifest = manifest(content);
        let digest = digest(&manifest);
        let image = self.images.entry(digest.clone()).or_insert_with(|| Image {
            digest: digest.clone(),
            content: content.to_owned(),
            tags: Vec::new(),
            pushed_at: now,
            size: layer_size(content),
            manifest,
            story: TaskStory::default(),
        });
        image.tags.push(tag.to_owned());
        image.story = story;
        self.archived.remove(&digest);
        digest
    }
}

/// Why a push was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushRefused {
    /// There is no such repository.
    NoRepository,
    /// The tag is on an image and may not move.
    TagExists,
}

impl PushRefused {
    /// What docker prints.
    pub fn message(self, account: &str, repository: &str, tag: &str) -> String {
        match self {
            Self::NoRepository => {
                format!(
                    "name unknown: The repository with name '{repository}' does not exist in the registry with id '{account}'"
                )
            }
            Self::TagExists => format!(
                "tag invalid: The image tag '{tag}' already exists in the '{repository}' repository and cannot be overwritten because the tag is immutable."
            ),
        }
    }

    /// The code of PutImage's error beneath it.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoRepository => "RepositoryNotFoundException",
            Self::TagExists => "ImageTagAlreadyExistsException",
        }
    }
}

/// The manifest of an image with this content.
fn manifest(content: &str) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": { "mediaType": "application/vnd.docker.container.image.v1+json", "size": 7023, "digest": digest(&format!("config of {content}")) },
        "layers": [{
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "size": layer_size(content),
            "digest": digest(&format!("layer of {content}")),
        }],
    })
    .to_string()
}

/// `sha256:` and 64 hex digits.
pub fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().fold(String::from("sha256:"), |digest, byte| digest + &format!("{byte:02x}"))
}

/// Some 30 to 95 MB, the same for the same content.
fn layer_size(content: &str) -> u64 {
    let hash = Sha256::digest(content.as_bytes());
    30_000_000 + u64::from(u16::from_be_bytes([hash[0], hash[1]])) * 1_000
}

/// Answers one operation.
pub fn answer(world: &mut World, call: &Call) -> Answer {
    match call.operation.as_str() {
        "DescribeImageScanFindings" => scans::describe(world, call),
        "DescribeImages" => images::describe(world, call),
        "BatchGetImage" => images::batch(world, call),
        "DescribeRepositories" => repositories::describe(world, call),
        other => Err(Refusal::unknown_operation(other)),
    }
}

/// `maxResults`, from 1 to 1000 [API_DescribeImages, API_DescribeRepositories].
fn page_size(call: &Call) -> Result<usize, Refusal> {
    let bound = match call.number("maxResults") {
        None => return Ok(PAGE),
        Some(size @ 1..=1000) => return Ok(size as usize),
        Some(..1) => "greater than or equal to 1",
        Some(_) => "less than or equal to 1000",
    };
    Err(invalid(format!(
        "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value {bound}'"
    )))
}

/// A list of at least one and at most `most`.
fn counted(member: &str, count: usize, most: usize) -> Result<(), Refusal> {
    let bound = match count {
        0 => "greater than or equal to 1".to_owned(),
        count if count > most => format!("less than or equal to {most}"),
        _ => return Ok(()),
    };
    Err(invalid(format!(
        "Invalid parameter at '{member}' failed to satisfy constraint: 'Member must have length {bound}'"
    )))
}

fn registry(call: &Call) -> String {
    call.text("registryId").unwrap_or(&call.account).to_owned()
}

fn repository_arn(call: &Call, account: &str, name: &str) -> String {
    format!("arn:aws:ecr:{}:{account}:repository/{name}", call.region)
}

fn no_repository(name: &str, account: &str) -> Refusal {
    let message = format!("The repository with name '{name}' does not exist in the registry with id '{account}'");
    Refusal::new("RepositoryNotFoundException", message)
}

fn bad_token() -> Refusal {
    invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}
