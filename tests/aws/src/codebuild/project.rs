//! Projects: what a build starts from, and how BatchGetProjects shows it. Making them over the wire is not here: a world is given its projects.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::call::epoch;
use crate::{Answer, Call, Refusal, World};

use super::invalid;

/// Projects in one BatchGetProjects, at most [API_BatchGetProjects].
const NAMES: usize = 100;

/// The type of a source and of artifacts that a pipeline gives and takes; a project has both or none [API_ProjectArtifacts].
pub(super) const CODEPIPELINE: &str = "CODEPIPELINE";

/// Where the source comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `GITHUB`, `CODECOMMIT`, `S3`, `NO_SOURCE`, … Of `CODEPIPELINE` the artifacts are too.
    pub kind: String,
    /// A URL, or `bucket/key`; none for `NO_SOURCE`.
    pub location: Option<String>,
    /// A path, or YAML inline; none is `buildspec.yml`.
    pub buildspec: Option<String>,
}

/// What the build runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// `LINUX_CONTAINER`, …
    pub kind: String,
    /// The image that commands run in.
    pub image: String,
    /// `BUILD_GENERAL1_SMALL`, …
    pub compute_type: String,
    /// `true` if docker may be used.
    pub privileged: bool,
    /// Variables that every build gets.
    pub variables: Vec<Variable>,
}

/// Where a variable's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableKind {
    /// The value itself.
    Plain,
    /// The name of an SSM parameter.
    Parameter,
    /// `secret-id:json-key:version-stage:version-id`.
    Secret,
}

impl VariableKind {
    /// As `type` says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAINTEXT",
            Self::Parameter => "PARAMETER_STORE",
            Self::Secret => "SECRETS_MANAGER",
        }
    }

    /// From `type`.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Plain, Self::Parameter, Self::Secret].into_iter().find(|kind| kind.name() == name)
    }
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, or where the value is.
    pub value: String,
    /// Which of the two.
    pub kind: VariableKind,
}

impl Variable {
    /// One with the value itself.
    pub fn plain(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned(), kind: VariableKind::Plain }
    }

    pub(super) fn render(&self) -> Value {
        json!({ "name": self.name, "value": self.value, "type": self.kind.name() })
    }
}

/// The network that builds run in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// `vpc-…`.
    pub id: String,
    /// `subnet-…`.
    pub subnets: Vec<String>,
    /// `sg-…`.
    pub security_groups: Vec<String>,
}

impl Vpc {
    pub(super) fn render(&self) -> Value {
        json!({ "vpcId": self.id, "subnets": self.subnets, "securityGroupIds": self.security_groups })
    }
}

/// A project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// 2 to 150 letters, digits, `-`, `_`.
    pub name: String,
    /// The ARN of the role that builds run as.
    pub service_role: String,
    /// Where the source comes from.
    pub source: Source,
    /// What is built unless StartBuild says otherwise.
    pub source_version: Option<String>,
    /// What the build runs on.
    pub environment: Environment,
    /// The network, if it is one's own.
    pub vpc: Option<Vpc>,
    /// 5 to 2160.
    pub timeout_minutes: i64,
    /// 5 to 480.
    pub queued_timeout_minutes: i64,
    /// Builds of this project at a time.
    pub concurrent_build_limit: Option<usize>,
    /// How often CodeBuild itself starts a failed build again.
    pub auto_retry_limit: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where what builds leave goes, in AWS's words; none is nowhere, or what a pipeline takes.
    pub artifacts: Option<Value>,
}

impl Project {
    /// A project of GitHub source on a small privileged Linux machine, with AWS's default timeouts.
    pub fn new(name: &str, service_role: &str, location: &str) -> Self {
        Self {
            name: name.to_owned(),
            service_role: service_role.to_owned(),
            source: Source { kind: "GITHUB".to_owned(), location: Some(location.to_owned()), buildspec: None },
            source_version: None,
            environment: Environment {
                kind: "LINUX_CONTAINER".to_owned(),
                image: "aws/codebuild/standard:7.0".to_owned(),
                compute_type: "BUILD_GENERAL1_SMALL".to_owned(),
                privileged: true,
                variables: Vec::new(),
            },
            vpc: None,
            timeout_minutes: 60,
            queued_timeout_minutes: 480,
            concurrent_build_limit: None,
            auto_retry_limit: 0,
            created_at: Timestamp::UNIX_EPOCH,
            artifacts: None,
        }
    }

    fn render(&self, call: &Call) -> Value {
        let mut project = json!({
            "name": self.name,
            "arn": super::project_arn(call, &self.name),
            "source": self.source(),
            "artifacts": self.artifacts(),
            "cache": { "type": "NO_CACHE" },
            "environment": self.environment(),
            "serviceRole": self.service_role,
            "timeoutInMinutes": self.timeout_minutes,
            "queuedTimeoutInMinutes": self.queued_timeout_minutes,
            "encryptionKey": call.arn("kms", "alias/aws/s3"),
            "tags": [],
            "created": epoch(self.created_at),
            "lastModified": epoch(self.created_at),
            "badge": { "badgeEnabled": false },
            "projectVisibility": "PRIVATE",
            "autoRetryLimit": self.auto_retry_limit,
        });
        self.put_optional(&mut project);
        project
    }

    fn put_optional(&self, project: &mut Value) {
        if let Some(version) = &self.source_version {
            project["sourceVersion"] = json!(version);
        }
        if let Some(vpc) = &self.vpc {
            project["vpcConfig"] = vpc.render();
        }
        if let Some(limit) = self.concurrent_build_limit {
            project["concurrentBuildLimit"] = json!(limit);
        }
    }

    /// `artifacts`.
    pub(super) fn artifacts(&self) -> Value {
        let kind = if self.source.kind == CODEPIPELINE { CODEPIPELINE } else { "NO_ARTIFACTS" };
        self.artifacts.clone().unwrap_or_else(|| json!({ "type": kind }))
    }

    pub(super) fn source(&self) -> Value {
        let mut source = json!({ "type": self.source.kind, "insecureSsl": false, "reportBuildStatus": false });
        if let Some(location) = &self.source.location {
            source["location"] = json!(location);
        }
        if let Some(buildspec) = &self.source.buildspec {
            source["buildspec"] = json!(buildspec);
        }
        source
    }

    pub(super) fn environment(&self) -> Value {
        json!({
            "type": self.environment.kind,
            "image": self.environment.image,
            "computeType": self.environment.compute_type,
            "privilegedMode": self.environment.privileged,
            "imagePullCredentialsType": "CODEBUILD",
            "environmentVariables": self.environment.variables.iter().map(Variable::render).collect::<Vec<_>>(),
        })
    }
}

/// BatchGetProjects.
pub(super) fn batch(world: &mut World, call: &Call) -> Answer {
    let asked = names(call)?;
    for name in &asked {
        world.allow(call, "codebuild:BatchGetProjects", &super::project_arn(call, super::project_name(name)), &[])?;
    }
    let state = world.codebuild.get(&call.place());
    let mut projects = Vec::new();
    let mut missing = Vec::new();
    for name in &asked {
        match state.and_then(|state| state.project(super::project_name(name))) {
            Some(project) => projects.push(project.render(call)),
            None => missing.push(name),
        }
    }
    Ok(json!({ "projects": projects, "projectsNotFound": missing }))
}

fn names(call: &Call) -> Result<Vec<String>, Refusal> {
    let names = call.texts("names");
    match names.len() {
        0 => Err(invalid("Invalid input: names must not be empty")),
        1..=NAMES => Ok(names),
        _ => Err(invalid("Invalid input: names must have at most 100 items")),
    }
}
