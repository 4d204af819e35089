//! Refusals: what a spec asks for and cannot have. Each names the field and the remedy; nothing is called before one is mended.

use crate::reason::Reason;
use std::fmt;

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
        /// What is named: a cluster, a role, …
        what: &'static str,
        /// The list of `spec.allow` in which it is missing.
        list: &'static str,
        /// The name.
        name: String,
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
    /// A secret that a source refers to lacks what is needed.
    Secret {
        /// The Secret's name.
        name: String,
        /// What is missing, without any of its content.
        why: String,
    },
    /// The repository is there, and the branch is not.
    NoSuchBranch {
        /// What is there instead, as far as that helps.
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
            Self::NamespaceNotAdmitted { .. } | Self::RegionNotListed { .. } | Self::NotAllowed { .. } => {
                Reason::NotAllowed
            }
            Self::Url { .. } => Reason::UrlRefused,
            Self::Unknown { .. }
            | Self::Expectation { .. }
            | Self::PlanTooLarge { .. }
            | Self::FargateSize { .. }
            | Self::SeveralStages => Reason::InvalidSpec,
            Self::NotDriven { .. } => Reason::NotDriven,
            Self::NotListed { .. } | Self::NoSuchImage { .. } => Reason::NotListed,
            Self::Secret { .. } => Reason::SecretRefused,
            Self::NoSuchBranch { .. } => Reason::SourceRefused,
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
            Self::NotAllowed { account, what, list, name } => {
                write!(f, "{what} {name} is not allowed: ask an administrator to add it to spec.allow.{list} of AwsAccount {account}, or choose another")
            }
            Self::Url { field, why } => write!(f, "{field}: {why}"),
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
            Self::NotListed { pipeline, stage, service } => write!(
                f,
                "imageFrom: stage {stage} of Pipeline {pipeline} does not list this Service: add {{service: {service}}} to the stage's targets, or correct imageFrom"
            ),
            Self::NoSuchImage { pipeline, image } => {
                write!(f, "imageFrom: Pipeline {pipeline} has no image {image}: correct imageFrom.image, or add the image to the Pipeline's spec.images")
            }
            Self::Secret { name, why } => write!(f, "spec.source.git.secretRef: Secret {name} {why}"),
            Self::NoSuchBranch { why } => write!(f, "spec.source.git.branch: {why}: correct it, or push that branch"),
            Self::NoPipeline { pipeline } => write!(f, "spec.pipeline: there is no Pipeline {pipeline} in this namespace: make the Release for one that is there"),
            Self::NotMade { pipeline } => write!(
                f,
                "spec.reason: only a Release that Pipeline {pipeline} made says NewCommit, and the Pipeline has not recorded that it made this one: delete it, and to release its commit make a Release with reason Manual and without a number"
            ),
        }
    }
}
