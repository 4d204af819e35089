//! Refusals: what a spec asks for and cannot have. Each names the field and the remedy; nothing is called before one is mended.

use crate::allow::Missing;
use crate::condition::cut;
use crate::reason::Reason;
use std::fmt;

/// How what a build leaves in S3 is kept apart from what others leave there.
pub const APART: &str = "let the project leave its artifact in S3 with namespaceType BUILD_ID; or in spec.build.codeBuild set override.artifacts to {type: S3, location: <bucket>, namespaceType: BUILD_ID}, which the AwsAccount has to allow (overrides: [Artifacts], and buckets)";

/// How much of a name a message has, in bytes.
const NAME: usize = 128;
/// How long the part of a message is that names what is missing, in bytes. It leaves room for the rest in a condition.
const NAMED: usize = 700;

/// What helps where a project cannot be told what to build.
const SOURCE_TYPE: &str = "beside its name in the Pipeline set override: {sourceType: …}, CodeBuild's word for the kind of repository: GITHUB, GITHUB_ENTERPRISE, BITBUCKET, GITLAB, GITLAB_SELF_MANAGED or CODECOMMIT";

/// Why a spec is refused although the API server admitted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no AwsAccount of that name.
    NoAccount {
        /// The name that was looked for.
        account: String,
        /// The namespace that looked for it.
        namespace: String,
    },
    /// The AwsAccount does not admit the namespace.
    NamespaceNotAdmitted {
        /// The account.
        account: String,
        /// The namespace.
        namespace: String,
    },
    /// The AwsAccount does not list the Region.
    RegionNotListed {
        /// The account.
        account: String,
        /// The Region.
        region: String,
    },
    /// The AwsAccount does not allow what is named.
    NotAllowed {
        /// The account.
        account: String,
        /// What of it is missing in `spec.allow`, at least one.
        missing: Vec<Missing>,
    },
    /// The commit of a Release that a person made is not known to be one of the branch, and the account asks for that.
    Commit {
        /// The account.
        account: String,
        /// The Pipeline.
        pipeline: String,
        /// The commit.
        commit: String,
    },
    /// A tag whose key is not the user's, whatever its case.
    TagKey {
        /// The key.
        key: String,
    },
    /// A URL may not be asked.
    Url {
        /// The field.
        field: String,
        /// Why, and the remedy.
        why: String,
    },
    /// A verification expects what cannot be compared.
    Expectation {
        /// The field.
        field: String,
    },
    /// Nothing is set that this version of Launchway knows. The API server refuses that, unless its definitions are newer.
    Unknown {
        /// The field.
        field: String,
        /// What is known there.
        known: &'static str,
    },
    /// The checks and the build are too large to be copied into a Release's status.
    PlanTooLarge {
        /// Their size as JSON, in bytes.
        size: usize,
        /// The largest that is taken.
        limit: usize,
    },
    /// The CPU and memory are no pair that Fargate has.
    FargateSize {
        /// CPU units.
        cpu: i32,
        /// MiB.
        memory: i32,
    },
    /// ECS knows it, and this version of Launchway does not drive it yet.
    NotDriven {
        /// The field, below spec.service.
        field: &'static str,
        /// What it says.
        value: String,
        /// What is driven.
        known: &'static str,
    },
    /// Containers take their images from more than one Pipeline or stage.
    SeveralStages,
    /// A CodeBuild project cannot be told to build a commit.
    Project {
        /// Its name.
        project: String,
        /// Why.
        why: String,
    },
    /// The build leaves no file that only it can have left, and `imageFrom.artifact` asks for one.
    Artifact {
        /// The CodeBuild project.
        project: String,
        /// What is lacking.
        why: &'static str,
    },
    /// The stage does not list the Service among its targets.
    NotListed {
        /// The Pipeline.
        pipeline: String,
        /// The stage.
        stage: String,
        /// The Service.
        service: String,
    },
    /// The Pipeline has no image of that name.
    NoSuchImage {
        /// The Pipeline.
        pipeline: String,
        /// The image.
        image: String,
    },
    /// The value of an environment variable has what nothing can fill in.
    Value {
        /// The field.
        field: String,
        /// What is wrong with it, and the remedy.
        why: String,
    },
    /// A secret that a source refers to lacks what is needed.
    Secret {
        /// The Secret's name.
        name: String,
        /// What is missing, without any of its content.
        why: String,
    },
    /// The git server cannot be asked what a commit says or changes.
    NoObjects {
        /// Why, and the remedy.
        why: String,
    },
    /// The repository is there, and the branch is not.
    NoSuchBranch {
        /// The field that names it.
        field: &'static str,
        /// What is there instead, as far as that helps.
        why: String,
    },
    /// A range of versions is none.
    Range {
        /// The field.
        field: String,
        /// What is wrong with it, and the remedy.
        why: String,
    },
    /// The Pipeline that a Release belongs to is not there.
    NoPipeline {
        /// The Pipeline.
        pipeline: String,
    },
    /// The Release says that the Pipeline made it, and the Pipeline has not recorded that.
    NotMade {
        /// The Pipeline.
        pipeline: String,
    },
}

impl Refusal {
    /// Nothing is set there that this version of Launchway knows.
    pub fn unknown(field: &str, known: &'static str) -> Self {
        Self::Unknown { field: field.to_owned(), known }
    }

    /// The word for it in a condition.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NoAccount { .. } => Reason::NoAccount,
            Self::NamespaceNotAdmitted { .. }
            | Self::RegionNotListed { .. }
            | Self::NotAllowed { .. }
            | Self::Commit { .. } => Reason::NotAllowed,
            Self::Url { .. } => Reason::UrlRefused,
            Self::Unknown { .. }
            | Self::Expectation { .. }
            | Self::PlanTooLarge { .. }
            | Self::FargateSize { .. }
            | Self::TagKey { .. }
            | Self::Range { .. }
            | Self::Value { .. }
            | Self::Project { .. }
            | Self::Artifact { .. }
            | Self::SeveralStages => Reason::InvalidSpec,
            Self::NotDriven { .. } => Reason::NotDriven,
            Self::NotListed { .. } | Self::NoSuchImage { .. } => Reason::NotListed,
            Self::Secret { .. } => Reason::SecretRefused,
            Self::NoSuchBranch { .. } | Self::NoObjects { .. } => Reason::SourceRefused,
            Self::NoPipeline { .. } => Reason::NoPipeline,
            Self::NotMade { .. } => Reason::NotMadeByPipeline,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAccount { account, namespace } => write!(
                f,
                "spec.account: there is no AwsAccount {account}; an administrator applies one: {{\"apiVersion\": \"launchway.dev/v1alpha1\", \"kind\": \"AwsAccount\", \"metadata\": {{\"name\": \"{account}\"}}, \"spec\": {{\"regions\": [\"us-east-2\"], \"namespaces\": {{\"names\": [\"{namespace}\"]}}, \"allow\": {{\"clusters\": [\"*\"], \"projects\": [\"*\"], \"repositories\": [\"*\"], \"roles\": [\"*\"]}}}}}}"
            ),
            Self::NamespaceNotAdmitted { account, namespace } => {
                write!(f, "spec.account: AwsAccount {account} does not admit namespace {namespace}: ask an administrator to add this namespace to spec.namespaces, or choose another account")
            }
            Self::RegionNotListed { account, region } => {
                write!(f, "spec.region: AwsAccount {account} does not list {region}: name one of its regions, or ask an administrator to add this one to spec.regions")
            }
            Self::NotAllowed { account, missing } => not_allowed(f, account, missing),
            Self::Commit { account, pipeline, commit } => write!(
                f,
                "spec.commit: {commit} is not on record as a head of Pipeline {pipeline}'s branch, or as one of its images: push it there, or ask an administrator to set spec.allow.commits: Any in AwsAccount {account}"
            ),
            Self::TagKey { key } => {
                write!(f, "tags: the key {} is taken: choose one that begins neither with aws: nor with launchway.dev/", cut(key, NAME))
            }
            Self::Url { field, why } | Self::Range { field, why } | Self::Value { field, why } => write!(f, "{field}: {why}"),
            Self::Unknown { field, known } => {
                write!(f, "{field}: this version of Launchway knows only {known} here: set that, or ask an administrator to upgrade Launchway")
            }
            Self::Expectation { field } => {
                write!(f, "{field}: only a text of at most 256 bytes, a number or a boolean is compared: expect one, or leave the member out")
            }
            Self::PlanTooLarge { size, limit } => write!(
                f,
                "spec.checks and spec.build together have {size} bytes, more than the {limit} that a Release can record: move buildspecs into the repository (buildspec.path) and values into the Parameter Store"
            ),
            Self::FargateSize { cpu, memory } => write!(
                f,
                "spec.taskDefinition: Fargate has no task of cpu {cpu} and memory {memory}: cpu is 256, 512, 1024, 2048, 4096, 8192 or 16384, and memory is {}",
                crate::service::fargate::memories(*cpu)
            ),
            Self::NotDriven { field, value, known } => write!(
                f,
                "spec.service.{field}: this version of Launchway does not drive {value} yet, and changes nothing: set it to {known}, or leave the service to who deploys it now"
            ),
            Self::SeveralStages => f.write_str("spec.taskDefinition.containerDefinitions: imageFrom names more than one Pipeline or stage: a Service follows one stage of one Pipeline"),
            Self::Project { project, why } => write!(f, "project {} {why}: {SOURCE_TYPE}", cut(project, NAME)),
            Self::Artifact { project, why } => f.write_str(&no_artifact(project, why)),
            Self::NotListed { pipeline, stage, service } => write!(
                f,
                "imageFrom: stage {stage} of Pipeline {pipeline} does not list this Service: add {{service: {service}}} to the stage's targets, or correct imageFrom"
            ),
            Self::NoSuchImage { pipeline, image } => {
                write!(f, "imageFrom: Pipeline {pipeline} has no image {image}: correct imageFrom.image, or add the image to the Pipeline's spec.images")
            }
            Self::Secret { name, why } => write!(f, "spec.source.git.secretRef: Secret {name} {why}"),
            Self::NoObjects { why } => write!(f, "spec.source.git: {why}"),
            Self::NoSuchBranch { field, why } => write!(f, "{field}: {why}: correct it, or push that branch"),
            Self::NoPipeline { pipeline } => write!(f, "spec.pipeline: there is no Pipeline {pipeline} in this namespace: make the Release for one that is there"),
            Self::NotMade { pipeline } => write!(
                f,
                "spec.reason: only a Release that Pipeline {pipeline} made says NewCommit, and the Pipeline has not recorded that it made this one: delete it, and to release its commit make a Release with reason Manual and without a number"
            ),
        }
    }
}

/// What is missing, as the lines that allow it. What has no room is told once these are there.
fn not_allowed(f: &mut fmt::Formatter<'_>, account: &str, missing: &[Missing]) -> fmt::Result {
    let mut lists: Vec<(&str, Vec<String>)> = Vec::new();
    let mut length = 0;
    for one in missing {
        let entry = format!("{:?}", cut(&one.entry, NAME));
        length += entry.len() + one.list.len();
        let is_full = !lists.is_empty() && length > NAMED;
        match lists.iter_mut().find(|(list, _)| *list == one.list) {
            Some((_, entries)) if entries.contains(&entry) => {}
            Some(_) | None if is_full => {}
            Some((_, entries)) => entries.push(entry),
            None => lists.push((one.list, vec![entry])),
        }
    }
    let first = missing.first();
    let what = first.map_or_else(String::new, |one| format!("{} {}", one.what, cut(&one.entry, NAME)));
    let lines = lists.iter().map(|(list, entries)| format!("spec.allow.{list}: [{}]", entries.join(", ")));
    let others = if missing.len() > 1 { " and more that the spec names" } else { "" };
    write!(
        f,
        "{what}{others}: not allowed by AwsAccount {account}: name others, or ask an administrator to add there: {}",
        lines.collect::<Vec<_>>().join(", ")
    )
}
fn no_artifact(project: &str, why: &str) -> String {
    format!("spec.build.imageFrom.artifact: project {} {why}: {APART}", cut(project, NAME))
}
